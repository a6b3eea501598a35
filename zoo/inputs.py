"""Reads what a person hands to `zoo predict`."""

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, UnidentifiedImageError

from zoo.errors import UserError

TEXT_FILES = {".txt", ".md", ".py", ".text", ".rst"}
"""How the name of a text file ends."""

_LONGEST_CLIP = 2000


def read_input(kind: str, given: str) -> Any:
    """One raw input, as a task's `serve` takes it.

    Args:
        kind: "text": the words themselves, or the path of a UTF-8 file. "image": an image file,
            or a `.npy` of `[h, w]` or `[h, w, c]` uint8. "video": a video file, or a `.npy` of
            `[T, h, w]` or `[T, h, w, c]` uint8.
        given: what was typed.

    Returns:
        A str, the bytes of an image file, or an array `[T, h, w, 3]` uint8.

    Raises:
        UserError: the file is missing, empty, or not of that kind.

    Example:
        >>> read_input("text", "two red circles")
        'two red circles'
    """
    if kind == "text":
        return _text(given)
    path = Path(given)
    if not path.is_file():
        raise UserError(f"there is no file {given}: {kind} input is a path")
    if path.stat().st_size == 0:
        raise UserError(f"{given} is empty: expected {kind} data")
    if kind == "image":
        return _image(path)
    return _array_clip(path) if path.suffix == ".npy" else _video(path)


def _text(given: str) -> str:
    path = Path(given)
    # Only what looks like a path is one: the words of a prompt may hold dots and slashes.
    looks_like_file = path.suffix in TEXT_FILES and not any(c.isspace() for c in given)
    if not (looks_like_file or (len(given) < 256 and path.is_file())):
        return given
    return read_text_file(given)


def read_text_file(path: str | Path) -> str:
    """What a UTF-8 text file says.

    Raises:
        UserError: there is no such file, or it is empty, not UTF-8, or cannot be read.
    """
    if not Path(path).is_file():
        raise UserError(f"there is no file {path}")
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not UTF-8 text (byte {error.start}): convert it first"
        ) from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    if not text.strip():
        raise UserError(f"{path} is empty: expected text")
    return text


def _image(path: Path) -> bytes:
    if path.suffix == ".npy":
        picture = Image.fromarray(_array(path, (2, 3)).squeeze())
        buffer = io.BytesIO()
        picture.save(buffer, "png")
        return buffer.getvalue()
    try:
        with Image.open(path) as image:
            image.verify()
            known = image.format in ("PNG", "JPEG", "GIF", "BMP")
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise UserError(f"{path} is not an image: expected PNG, JPEG, GIF or BMP") from error
    if not known:
        raise UserError(f"{path} is {image.format}: convert it to PNG, JPEG, GIF or BMP")
    return path.read_bytes()


def _video(path: Path) -> np.ndarray:
    frames = []
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                frames.append(frame.to_ndarray(format="rgb24"))
                if len(frames) > _LONGEST_CLIP:
                    raise UserError(
                        f"{path} has more than {_LONGEST_CLIP} frames: cut it into clips"
                    )
    except (av.error.FFmpegError, IndexError) as error:
        raise UserError(f"{path} is not a video that can be read: {error}") from error
    if not frames:
        raise UserError(f"{path} has no video frames")
    return np.stack(frames)


def _array_clip(path: Path) -> np.ndarray:
    clip = _array(path, (3, 4))
    clip = clip[..., None] if clip.ndim == 3 else clip
    if clip.shape[-1] not in (1, 3):
        raise UserError(f"{path} has {clip.shape[-1]} channels, but 1 or 3 are needed")
    return np.repeat(clip, 3, axis=-1) if clip.shape[-1] == 1 else clip


def _array(path: Path, axes: tuple[int, int]) -> np.ndarray:
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise UserError(f"{path} is not a .npy array: {error}") from error
    if array.dtype != np.uint8 or array.ndim not in axes or array.size == 0:
        raise UserError(
            f"{path} holds {array.dtype} of shape {list(array.shape)}, but uint8 with "
            f"{axes[0]} or {axes[1]} axes is needed"
        )
    return array
