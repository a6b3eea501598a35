"""Reads what a person hands to `zoo predict`, and text files."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from zoo.errors import UserError
from zoo.pictures import read_picture
from zoo.video import fit_clip, in_channels, read_frames

TEXT_FILES = {".txt", ".md", ".py", ".text", ".rst"}
"""How the name of a text file ends."""

KINDS = ("text", "image", "video", "sequence")

_LONGEST_CLIP = 2000
_CLIP_PART = 128
_SEPARATORS = ";\t,"
_LARGEST_NUMBER = float(np.finfo("float32").max)
_PIECE = 1 << 18
_HEAD = 1 << 13


def read_input(kind: str, given: str, **options: Any) -> Any:
    """One raw input, as a task's `serve` takes it.

    Args:
        kind: "text": the words themselves, or the path of a UTF-8 file. "image": an image file of
            any format that Pillow reads (see `zoo.pictures`), or a `.npy` of `[h, w]` or
            `[h, w, c]` uint8. "video": a video file, or a `.npy` of `[T, h, w]` or `[T, h, w, c]`
            uint8. "sequence": a `.npy` of `[T, D]` numbers, or any text file with a time step on
            each line, also below a line of names. Its first line says what sets the numbers apart:
            semicolons, else tabs, commas or spaces; a comma that does not is a decimal point.
        given: what was typed.
        **options: of a video, see `read_clip_parts`.

    Returns:
        A str, the bytes of a PNG file, an array `[T, h, w, 3]` uint8, or `[T, D]` float32.

    Raises:
        UserError: the file is missing, empty, or not of that kind.

    Example:
        >>> read_input("text", "two red circles")
        'two red circles'
    """
    if kind == "text":
        return _text(given)
    path = _file(kind, given)
    if kind == "image":
        return _image(path)
    return _sequence(path) if kind == "sequence" else _video(path, **options)


def read_clip_parts(
    given: str, frames_per_second: float = 0.0, frame_size: Sequence[int] | None = None
) -> Iterator[np.ndarray]:
    """A video in parts of 128 frames at most, so that it may be of any length.

    Args:
        given: its path, as for `read_input`.
        frames_per_second: see `zoo.video.read_frames`; a `.npy` is read as it is.
        frame_size: height and width, likewise.

    Yields:
        `[T, h, w, 3]`, uint8.

    Raises:
        UserError: as `read_input`.
    """
    path = _file("video", given)
    if path.suffix == ".npy":
        clip = read_array_clip(path)
        for start in range(0, len(clip), _CLIP_PART):
            some = in_channels(clip[start : start + _CLIP_PART], 3)
            yield fit_clip(some, (*frame_size, 3)) if frame_size else some
        return
    frames = read_frames(path, frames_per_second, frame_size)
    while part := list(islice(frames, _CLIP_PART)):
        if len({frame.shape for frame in part}) != 1:
            raise UserError(f"{path} has frames of several sizes")
        yield np.stack(part)


def read_beginning(given: str, **options: Any) -> tuple[np.ndarray, bool]:
    """The first 2,000 frames of a video, `[T, h, w, 3]` uint8, and whether it has more.

    Args:
        given: its path, as for `read_input`.
        **options: see `read_clip_parts`.

    Raises:
        UserError: as `read_input`.
    """
    parts, count = [], 0
    for part in read_clip_parts(given, **options):
        parts.append(part)
        count += len(part)
        if count > _LONGEST_CLIP:
            break
    if len({part.shape[1:] for part in parts}) != 1:
        raise UserError(f"{given} has frames of several sizes")
    return np.concatenate(parts)[:_LONGEST_CLIP], count > _LONGEST_CLIP


def read_array_clip(path: Path) -> np.ndarray:
    """The clip in a `.npy` file, `[T, h, w, 1 or 3]`, uint8.

    Raises:
        UserError: it is none.
    """
    return _with_channels(path, 3)


def _file(kind: str, given: str) -> Path:
    path = Path(given)
    if not path.is_file():
        raise UserError(f"there is no file {given}: {kind} input is a path")
    if path.stat().st_size == 0:
        raise UserError(f"{given} is empty: expected {kind} data")
    return path


def _text(given: str) -> str:
    path = Path(given)
    try:
        size = len(given.encode())
    except UnicodeEncodeError as error:
        raise UserError("the text is not UTF-8: convert it first") from error
    # Only what looks like a path is one: the words of a prompt may hold dots and slashes.
    looks_like_file = path.suffix in TEXT_FILES and not any(c.isspace() for c in given)
    if not (looks_like_file or (size < 256 and path.is_file())):
        return given
    return read_text_file(given)


def read_text_file(path: str | Path) -> str:
    """What a UTF-8 text file says, plain or gz.

    Raises:
        UserError: as `read_pieces`.
    """
    return "".join(read_pieces(path))


def read_pieces(path: str | Path) -> Iterator[str]:
    """What a UTF-8 text file says, plain or gz, piece by piece, so that it may be of any length.

    A piece has some 250,000 characters at most. It ends where a line ends, or else a word; only
    inside a longer word it ends anywhere. Line breaks are `\\n`, whatever they are in the file.

    Raises:
        UserError: there is no such file, or it is empty, not UTF-8, or cannot be read. Each is
            found when the reading comes to it.
    """
    if not Path(path).is_file():
        raise UserError(f"there is no file {path}")
    blank, held = True, ""
    for text in _decoded(Path(path)):
        text = held + text
        end = text.rfind("\n") + 1 or text.rfind(" ") + 1 or len(text)
        piece, held = text[:end], text[end:]
        if piece:
            blank = blank and piece.isspace()
            yield piece
    if held:
        yield held
    elif blank:
        raise UserError(f"{path} is empty: expected text")


def read_head(path: Path) -> bytes:
    """The first 8,192 bytes of a file, unpacked if it is gz: no text has a zero byte there.

    Raises:
        UserError: it cannot be read.
    """
    with opened(path) as file:
        return file.read(_HEAD)


def _decoded(path: Path) -> Iterator[str]:
    utf8 = codecs.getincrementaldecoder("utf-8")()
    decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
    begin, block = 0, b"-"
    with opened(path) as file:
        while block:
            block = file.read(_PIECE)
            # What a block leaves of a character is decoded with the next one.
            kept = len(utf8.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                raise UserError(
                    f"{path} is not UTF-8 text (byte {begin - kept + error.start}): "
                    "convert it first"
                ) from error
            yield text if begin else text.removeprefix("\ufeff")
            begin += len(block)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A file's bytes, unpacked if it is gz, whatever its name; a failure to read is the user's.

    Raises:
        UserError: it cannot be opened or read, by whoever reads it inside the `with`.
    """
    try:
        with path.open("rb") as file:
            packed = file.peek(2).startswith(b"\x1f\x8b")
            yield gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[misc]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path} is a damaged gz file: {error}") from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error


def _image(path: Path) -> bytes:
    """Any picture as PNG, which is what every export can decode."""
    if path.suffix == ".npy":
        pixels = _with_channels(path, 2)
        picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    else:
        picture = read_picture(path, str(path))
    buffer = io.BytesIO()
    picture.save(buffer, "png")
    return buffer.getvalue()


def _video(path: Path, **options: Any) -> np.ndarray:
    clip, more = read_beginning(str(path), **options)
    if more:
        raise UserError(f"{path} has more than {_LONGEST_CLIP} frames: cut it into clips")
    return clip


def _sequence(path: Path) -> np.ndarray:
    if path.suffix == ".npy":
        return _vectors(path)
    lines = NumberLines(str(path))
    rows = list(filter(None, map(lines.read, read_text_file(path).split("\n"))))
    if not rows:
        raise UserError(f"{path} is no sequence: it has no line of numbers")
    return np.array(rows, "float32")


class NumberLines:
    """Reads a sequence line by line, as `read_input` takes one from a text file.

    Args:
        name: where the lines come from, for errors.

    Example:
        >>> lines = NumberLines("a test")
        >>> [lines.read(line) for line in ("x, y", "1, 2.5")]
        [None, [1.0, 2.5]]
    """

    def __init__(self, name: str) -> None:
        self.name, self.number = name, 0
        self._separator: str | None = None
        self._first = self._width = 0
        self._names = ""

    def read(self, line: str) -> list[float] | None:
        """The numbers of the next line; None if it is blank, or the first one and of names.

        Raises:
            UserError: it holds something else, or more or fewer numbers than the first.
        """
        self.number += 1
        line = line.rstrip()
        if not line.strip():
            return None
        if not self._first:
            self._separator = next((sign for sign in _SEPARATORS if sign in line), None)
            self._first, self._width = self.number, len(line.split(self._separator))
            if all(_number(cell, self._separator) is None for cell in line.split(self._separator)):
                self._names = " names"
                return None
        cells = [cell.strip() for cell in line.split(self._separator)]
        found = [(cell, _number(cell, self._separator)) for cell in cells]
        values = []
        for cell, value in found:
            if value is None or not abs(value) <= _LARGEST_NUMBER:
                raise UserError(
                    f"{self.name} is no sequence: line {self.number} has {cell!r}, which is no "
                    "number or too large; a line a time step is needed"
                )
            values.append(value)
        if len(values) != self._width:
            raise UserError(
                f"{self.name} is no sequence: as many numbers are needed on each line, but line "
                f"{self.number} has {len(values)}, and line {self._first} has "
                f"{self._width}{self._names}"
            )
        return values


def _number(cell: str, separator: str | None) -> float | None:
    """What a cell says, which may be `nan`; None if it is no number."""
    try:
        return float(cell if separator == "," else cell.replace(",", "."))
    except ValueError:
        return None


def _vectors(path: Path) -> np.ndarray:
    """The sequence in a `.npy` file."""
    array = _array(path)
    if array.dtype.kind not in "fiub":
        raise UserError(f"{path} holds an array of {array.dtype}, but numbers are needed")
    with np.errstate(over="ignore"):
        array = array.astype("float32")
    if array.ndim != 2 or array.size == 0:
        raise UserError(f"{path} holds an array of shape {list(array.shape)}, not [T, D]")
    if not (finite := np.isfinite(array).all(axis=1)).all():
        raise UserError(
            f"{path} has a value that is no number at time step {finite.argmin()}, or too large"
        )
    return array


def _array(path: Path) -> np.ndarray:
    """The array of a `.npy` file."""
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise UserError(f"{path} is not a .npy array of numbers") from error
    if not isinstance(array, np.ndarray):
        raise UserError(f"{path} holds several arrays, but one is needed")
    return array


def _with_channels(path: Path, axes: int) -> np.ndarray:
    """The array of a `.npy` file, with an axis of 1 or 3 channels after its other `axes`."""
    array = _array(path)
    form = "[h, w]" if axes == 2 else "[T, h, w]"
    if array.dtype != np.uint8:
        raise UserError(f"{path} does not hold one array of uint8, as {form} is needed")
    array = array[..., None] if array.ndim == axes else array
    if array.ndim != axes + 1 or array.shape[-1] not in (1, 3) or array.size == 0:
        raise UserError(
            f"{path} holds an array of shape {list(array.shape)}, but {form}, or the same with 1 "
            "or 3 channels after it, is needed"
        )
    return array
