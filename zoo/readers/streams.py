"""What `zoo stream` reads, piece by piece as it comes; imports no TensorFlow."""

import codecs
import io
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo.errors import UserError
from zoo.readers.inputs import read_clip_parts, read_input
from zoo.readers.numbers import NumberLines
from zoo.readers.text import opened
from zoo.readers.video import read_frames

STANDARD_INPUT = "standard input"
_PIECE = 4096
"""Bytes of a text at a time, at most: of a file that is there whole, too."""
_CAMERA = "v4l2"


def file_pieces(kind: str, given: str, **options: Any) -> Iterator[Any]:
    """A file in pieces: str, clips `[T, h, w, 3]`, `[T, D]` float32, or one image as PNG bytes.

    Args:
        kind: "text", "image", "video" or "sequence", see `zoo.readers.inputs.read_input`.
        given: its path.
        **options: of a video, see `zoo.readers.inputs.read_clip_parts`.

    Raises:
        UserError: there is no such file, or it is not of that kind. What is wrong inside is found
            when the reading comes to it.
    """
    path = Path(given)
    if not path.is_file() and not (kind == "video" and path.is_dir()):
        raise UserError(f"there is no file {given}: --input takes the path of a {kind} file")
    if kind == "video":
        return read_clip_parts(given, **options)
    if kind == "image" or path.suffix == ".npy":
        return iter([read_input(kind, given)])
    texts = _text_file(path)
    return texts if kind == "text" else number_pieces(texts, given)


def _text_file(path: Path) -> Iterator[str]:
    with opened(path) as file:
        yield from text_pieces(file)


def text_pieces(file: IO[bytes]) -> Iterator[str]:
    """UTF-8 text as it comes, also from a pipe that stays open.

    A character that is cut at the end of a piece comes whole in the next one. A byte that is no
    UTF-8 is read as U+FFFD, as a stream cannot be sent back. Line breaks are `\\n`.

    Example:
        >>> list(text_pieces(io.BytesIO(b"caf\\xc3\\xa9 \\xff\\r\\n")))
        ['café \ufffd\\n']
    """
    utf8 = codecs.getincrementaldecoder("utf-8-sig")("replace")
    decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
    # Unlike `read`, it does not wait until there is as much as that.
    while block := file.read1(_PIECE):  # type: ignore[attr-defined]
        if text := decoder.decode(block):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def number_pieces(texts: Iterable[str], name: str) -> Iterator[np.ndarray]:
    """Lines of numbers as they come, each a time step: `[T, D]`, float32.

    Raises:
        UserError: a line is none, see `zoo.readers.inputs.read_input`.

    Example:
        >>> [rows.tolist() for rows in number_pieces(["1 2\\n3", " 4\\n5 6"], "a test")]
        [[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]]
    """
    lines, held = NumberLines(name), ""
    for text in chain(texts, "\n"):
        *whole, held = (held + text).split("\n")
        if rows := list(filter(None, map(lines.read, whole))):
            yield np.array(rows, "float32")


def camera_pieces(device: str, **options: Any) -> Iterator[np.ndarray]:
    """The frames of a camera as they come, each a clip `[1, h, w, 3]`, uint8.

    Args:
        device: such as /dev/video0.
        **options: `frames_per_second` and `frame_size`, see `zoo.readers.inputs.read_clip_parts`.

    Raises:
        UserError: there is no such camera, or it gives no frames.
    """
    if not Path(device).exists():
        raise UserError(f"there is no camera {device}: --camera takes one such as /dev/video0")
    rate, size = options.get("frames_per_second", 0.0), options.get("frame_size")
    return _camera_frames(read_frames(device, rate, size, device=_CAMERA))


def _camera_frames(frames: Any) -> Iterator[np.ndarray]:
    # Closed whatever happens, for the camera to be free.
    with closing(frames):
        for frame in frames:
            yield frame[None]
