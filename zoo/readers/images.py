"""Pictures of whatever kind people have."""

import io
import mimetypes
import warnings
from collections.abc import Hashable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from zoo.errors import UserError
from zoo.readers.modality import Modality
from zoo.readers.numbers import pixels_of, read_array
from zoo.readers.stored_pictures import StoredPicture
from zoo.registry import register
from zoo.utils.html import image

MOST_PIXELS = 90_000_000
"""A larger picture is refused: it takes a quarter of a gigabyte and more to look at."""

_SHOWN = 512
"""Pixels that a picture is wide or high at most, where it is only looked at."""

# Pillow's own limit is about the same, but it only warns.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def is_image_name(name: str | Path) -> bool:
    """Return whether a file is called an image: also one of a kind that cannot be read here.

    Example:
        >>> [is_image_name(name) for name in ("a.JFIF", "a.heic", "a.mp4", "a.txt", "jpg")]
        [True, True, False, False, False]
    """
    ending = Path(name).suffix.lower()
    kind = mimetypes.guess_type(f"a{ending}")[0] or ""
    return kind.startswith("image/") or (ending in _endings() and not kind.startswith("video/"))


@cache
def _endings() -> frozenset[str]:
    """Return those of the formats that Pillow, and plug-ins for it, can decode."""
    endings = Image.registered_extensions().items()
    return frozenset(ending for ending, kind in endings if kind in Image.OPEN and not _stub(kind))


def _stub(kind: str) -> bool:
    """Return whether a format is only identified, such as HDF5, and is no picture."""
    factory = Image.OPEN[kind][0]
    return isinstance(factory, type) and issubclass(factory, ImageFile.StubImageFile)


@register("modality", "image")
class Images(Modality):
    """A picture: a file of any format that Pillow reads, or a `.npy` or array of uint8.

    Arrays are `[h, w]`, or `[h, w, 1 or 3]`. A raw input is the bytes of a PNG file, which is what
    every export can decode.
    """

    dtype = "string"
    shape = ()
    made = "picture"
    axes = 3

    def read(self, source: Any, **options: Any) -> bytes:
        """Return a picture as PNG."""
        if isinstance(source, np.ndarray):
            return _png(_from_pixels(pixels_of(source, 2, "the array")))
        if isinstance(source, bytes):
            return _png(read_picture(source, "the image"))
        if not isinstance(source, str | Path):
            raise self.refusal(source)
        path = self.file(source)
        if path.suffix == ".npy":
            return _png(_from_pixels(pixels_of(read_array(path), 2, str(path))))
        return _png(read_picture(path, str(path)))

    def write(self, stem: Path, raw: bytes) -> Path:
        """Write the PNG file."""
        path = stem.with_suffix(".png")
        path.write_bytes(raw)
        return path

    def show(self, raw: bytes) -> str:
        """Return the picture, at most 512 pixels wide or high."""
        picture = read_picture(raw, "the picture")
        picture.thumbnail((_SHOWN, _SHOWN))
        return image(_png(picture), "png", "the picture that the model was given")

    def read_shown(self, shown: dict[str, Any], folder: Path) -> bytes:
        """Return the bytes of the file."""
        return (folder / shown["file"]).read_bytes()

    def key(self, raw: bytes) -> Hashable:
        """Return the pixels, whoever wrote them as PNG."""
        return super().key(Image.open(io.BytesIO(raw)))

    def batch_key(self, raw: bytes) -> tuple[()]:
        """Return one key for all: the export brings files of any size to its own."""
        return ()


def _from_pixels(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "png")
    return buffer.getvalue()


def read_picture(
    source: Path | bytes | StoredPicture, name: str, side: int | None = None
) -> Image.Image:
    """Read a picture as a person sees it: upright, 8 bits a channel, transparent parts on white.

    - A turn that EXIF asks for is done.
    - Grey of 16 bits, or of real numbers, is brought to 8 by the range that a TIFF says, else from
      0 to 65535, or from 0 to 1 or 255. One of another range is refused, such as 12 bits in 16,
      which would be dark. CMYK, palettes and the like become RGB.
    - Of an animation it is the first frame.

    Args:
        source: an image file, or its bytes, of any format that Pillow reads, or where in a table
            these are.
        name: what to call it in an error.
        side: a size at which it is large enough. A larger JPEG is then decoded smaller, but no
            side of it gets shorter than this. That is several times as fast.

    Returns:
        The picture, of mode "L" (grey) or "RGB".

    Raises:
        UserError: it is damaged, no image, of a range that is not known, or has more than
            `MOST_PIXELS`.

    Example:
        >>> file = io.BytesIO()
        >>> Image.new("LA", (2, 3), (0, 0)).save(file, "png")
        >>> picture = read_picture(file.getvalue(), "nothing.png")
        >>> picture.size, picture.getpixel((0, 0))
        ((2, 3), (255, 255, 255))
    """
    try:
        source = source.read_bytes() if isinstance(source, StoredPicture) else source
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
            if side:
                picture.draft(None, (side, side))
            if picture.width * picture.height > MOST_PIXELS:
                raise Image.DecompressionBombError(f"{picture.width}x{picture.height} pixels")
            # Its tags are lost where it is turned.
            return _plain(ImageOps.exif_transpose(picture), _declared_range(picture))
    except Image.DecompressionBombError as error:
        raise UserError(f"{name} is too large: {error}") from error
    except UnidentifiedImageError as error:
        raise UserError(f"{name} is not an image that can be read: of no known format") from error
    except Exception as error:
        # What decoders raise for damaged files is of many types.
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"{name} is not an image that can be read: {reason}") from error


def _plain(picture: Image.Image, declared: tuple[float, float] | None) -> Image.Image:
    """Turn a picture into mode "L" or "RGB"."""
    if picture.mode.startswith("I") or picture.mode == "F":
        return _eight_bits(picture, declared)
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture.convert("RGBA"))
        return white.convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _eight_bits(picture: Image.Image, declared: tuple[float, float] | None) -> Image.Image:
    """Return grey of more bits, or of real numbers, as "L", by the range that its file declares.

    Raises:
        ValueError: the file does not say in which range its values are, and they do not show it.
    """
    values = np.nan_to_num(np.asarray(picture).astype("float64"))
    bottom, top = declared or (0.0, _range_shown(values, picture.mode == "F"))
    grey = (values.clip(bottom, top) - bottom) / (top - bottom)
    return Image.fromarray(np.rint(grey * 255).astype("uint8"))


def _declared_range(picture: Image.Image) -> tuple[float, float] | None:
    """Return the smallest and the largest value that a TIFF says it may have; None if it does not.

    Source: TIFF 6.0, SMinSampleValue and SMaxSampleValue, MinSampleValue and MaxSampleValue; of
    integers BitsPerSample, where samples of fewer bits are packed.
    """
    tags = getattr(picture, "tag_v2", {})
    for least, most in ((340, 341), (280, 281)):
        bottom, top = (_first(tags.get(tag)) for tag in (least, most))
        if top is not None and top > (bottom or 0.0):
            return bottom or 0.0, top
    bits = _first(tags.get(258)) or 0.0
    return (0.0, 2.0**bits - 1) if bits % 8 else None


def _first(value: Any) -> float | None:
    """Return the number of a tag, the first if there are several."""
    value = value[0] if isinstance(value, tuple) and value else value
    return float(value) if isinstance(value, int | float) else None


def _range_shown(values: np.ndarray, real: bool) -> float:
    """Return the largest value that there may be, by those that are there.

    Raises:
        ValueError: a range that is usual would leave them all dark, or is too small.
    """
    most, least = float(values.max()), float(values.min())
    if real:
        top, form, dark = (1.0 if most <= 1 else 255.0), "real numbers, 0 to 1 or 0 to 255", 16.0
        odd = least < -0.01 * top or most > 255 or 1 < most < dark
    else:
        top, form = 65535.0, "16 bits, 0 to 65535"
        odd = most > top or 0 < most < 4096
    if odd:
        raise ValueError(
            f"its values are from {least:g} to {most:g}, where {form} are needed: save it with "
            "8 bits, or as a TIFF that says its range (SMaxSampleValue)"
        )
    return top
