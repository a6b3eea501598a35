"""Reads what a person hands to `zoo predict`."""

import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.errors import UserError
from zoo.readers.images import read_picture
from zoo.readers.numbers import read_array, read_sequence
from zoo.readers.text import read_text
from zoo.readers.video import fit_clip, in_channels, read_frames

KINDS = ("text", "image", "video", "sequence")
_LONGEST_CLIP = 2000
_CLIP_PART = 128


def read_input(kind: str, given: str, **options: Any) -> Any:
    """One raw input, as a task's `serve` takes it.

    Args:
        kind: "text": the words themselves, or the path of a UTF-8 file. "image": an image file of
            any format that Pillow reads (see `zoo.readers.images`), or a `.npy` of `[h, w]` or
            `[h, w, c]` uint8. "video": a video file, a folder of numbered pictures, or a `.npy` of
            `[T, h, w]` or `[T, h, w, c]` uint8. "sequence": a `.npy` of `[T, D]`, `[T]` or
            `[1, T, D]` numbers, or any text file with a time step on each line, also below a line
            of names. Its first line says what sets the numbers apart:
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
        return read_text(given)
    path = _file(kind, given)
    if kind == "image":
        return _image(path)
    return read_sequence(path) if kind == "sequence" else _video(path, **options)


def read_clip_parts(
    given: str, frames_per_second: float = 0.0, frame_size: Sequence[int] | None = None
) -> Iterator[np.ndarray]:
    """A video in parts of 128 frames at most, so that it may be of any length.

    Args:
        given: its path, as for `read_input`.
        frames_per_second: see `zoo.readers.video.read_frames`; a `.npy` is read as it is.
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
    if kind == "video" and path.is_dir():
        return path
    if not path.is_file():
        raise UserError(f"there is no file {given}: {kind} input is a path")
    if path.stat().st_size == 0:
        raise UserError(f"{given} is empty: expected {kind} data")
    return path


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


def _with_channels(path: Path, axes: int) -> np.ndarray:
    """The array of a `.npy` file, with an axis of 1 or 3 channels after its other `axes`."""
    array = read_array(path)
    form = "[h, w]" if axes == 2 else "[T, h, w]"
    if array.dtype != np.uint8:
        raise UserError(
            f"{path} holds an array of {array.dtype}, but {form} of uint8, 0 to 255, is needed"
        )
    array = array[..., None] if array.ndim == axes else array
    if array.ndim != axes + 1 or array.shape[-1] not in (1, 3) or array.size == 0:
        raise UserError(
            f"{path} holds an array of shape {list(array.shape)}, but {form}, or the same with 1 "
            "or 3 channels after it, is needed"
        )
    return array
