"""Decodes videos, frame by frame: files, and folders of numbered pictures."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np

from zoo.errors import UserError
from zoo.readers.images import is_image_name, read_picture

VIDEO_FILES = {".mp4", ".m4v", ".mov", ".avi", ".webm", ".mkv", ".mpg", ".mpeg", ".gif"}
"""How the name of a video file ends."""

_DRAWN_TEXT = {"ansi", "bintext", "idf", "xbin"}
"""Codecs of FFmpeg that show any text, or text art, as a terminal would."""

# Seconds. A gif rounds times to hundredths; a longer jump is no pause but a damaged clock.
_ROUNDING, _LONGEST_PAUSE = 0.0101, 60.0


def read_frames(
    path: str | Path,
    rate: float = 0.0,
    size: Sequence[int] | None = None,
    middle: float = 0.0,
    device: str | None = None,
) -> Iterator[np.ndarray]:
    """The frames of a video, one after the other, so that it may be of any length.

    Args:
        path: a file of any format that FFmpeg reads, or a folder of pictures, see `frame_files`,
            which tells no rate and is read as it is, without regard to `rate` and `middle`.
        rate: frames a second: at each time that is due, the frame that is then on display, once
            more where the video is slower. 0 for all frames as they are.
        size: height and width to bring frames to; what juts out at a proportion that is another
            is cut off on both sides. None leaves them as they are.
        middle: read only so many seconds in the middle of a video that is longer; 0 for all.
        device: FFmpeg's name for the kind of device that the path is, such as "v4l2" for a camera
            on Linux; None for a file.

    Yields:
        RGB `[h, w, 3]`, uint8, upright also where the camera was turned.

    Raises:
        UserError: the file has no video, is damaged, or is of no known format. Each is found when
            the reading comes to it.
    """
    if Path(path).is_dir():
        yield from read_frame_files(frame_files(Path(path)), size)
        return
    count = 0
    try:
        with av.open(str(path), format=device) as container:
            if not container.streams.video:
                what = "only sound" if container.streams.audio else "it may be cut off"
                raise UserError(f"{path} has no video: {what}")
            stream = container.streams.video[0]
            # A damaged file may name no codec.
            codec = stream.codec_context
            if codec is not None and codec.name in _DRAWN_TEXT:
                raise UserError(f"{path} is a text, not a video: FFmpeg would draw its letters")
            stream.thread_type = "AUTO"
            start, end = _seek_middle(container, stream, middle)
            frames = _between(_timed(container, stream), start, end)
            for frame in _at_rate(frames, rate) if rate else (frame for *_, frame in frames):
                yield _picture(frame, size)
                count += 1
    except UserError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        if count:
            raise UserError(f"{path} is damaged after {count} frames: {reason}") from error
        raise UserError(f"{path} is not a video that can be read: {reason}") from error
    if not count and middle:
        # Its index of places to seek may be what is damaged.
        yield from read_frames(path, rate, size)
    elif not count:
        raise UserError(f"{path} has no video frames")


def is_frame(path: Path) -> bool:
    """Return whether a file may be a frame of a clip: a picture, neither hidden nor a video."""
    name = path.name
    return (
        is_image_name(name) and not name.startswith(".") and path.suffix.lower() not in VIDEO_FILES
    )


def frame_files(folder: Path) -> list[Path]:
    """Return the pictures of a folder, the frames of one clip, as people count: 1, 2, 10.

    Raises:
        UserError: there are none, or two that differ in their ending alone.
    """
    files = sorted(path for path in folder.iterdir() if is_frame(path) and path.is_file())
    if not files:
        raise UserError(f"{folder} has no pictures: a folder is a clip if its frames lie in it")
    stems: dict[str, Path] = {}
    for file in files:
        if (other := stems.setdefault(file.stem, file)) != file:
            raise UserError(f"{folder} has {other.name} and {file.name}: keep one of each frame")
    return sorted(files, key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    """A key that sorts numbers in names by their value."""
    parts = re.split(r"([0-9]+)", path.stem)
    return [(int(part), "") if part.isdecimal() else (0, part.lower()) for part in parts]


def read_frame_files(
    files: Iterable[Path], size: Sequence[int] | None = None
) -> Iterator[np.ndarray]:
    """Read pictures as the frames of a clip, RGB `[h, w, 3]`, uint8.

    Args:
        files: of any format that Pillow reads.
        size: height and width, see `read_frames`.

    Raises:
        UserError: one cannot be read.
    """
    for file in files:
        side = max(size) if size else None
        frame = np.asarray(read_picture(file, str(file), side).convert("RGB"))
        yield fit_clip(frame[None], (*size, 3))[0] if size else frame


def fit_clip(clip: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """A clip `[T, h, w, 1 or 3]`, uint8, as `[T, *shape]`, cut and resized like `read_frames`.

    Example:
        >>> fit_clip(np.zeros((5, 20, 40, 3), np.uint8), (8, 8, 1)).shape
        (5, 8, 8, 1)
    """
    if clip.shape[1:3] != tuple(shape[:2]):
        rgb = np.ascontiguousarray(in_channels(clip, 3))
        frames = (av.VideoFrame.from_ndarray(frame, format="rgb24") for frame in rgb)
        clip = np.stack([_picture(frame, shape[:2]) for frame in frames])
    return in_channels(clip, shape[2])


def in_channels(clip: np.ndarray, channels: int) -> np.ndarray:
    """Frames `[..., 1 or 3]`, uint8, in grey (ITU-R BT.601) or colour: 1 or 3 channels."""
    if clip.shape[-1] == channels:
        return clip
    if channels == 3:
        return np.repeat(clip, 3, axis=-1)
    grey = clip @ np.array([[0.2989], [0.587], [0.114]], np.float32)
    return np.rint(grey).astype(np.uint8)


def _timed(container: Any, stream: Any) -> Iterator[tuple[float, float, Any]]:
    """Each frame with the time when it is shown and for how long, in seconds."""
    usual = 1 / float(stream.average_rate or stream.guessed_rate or 25)
    # An avi has one frame rate, and says of each frame only when it is decoded.
    untimed, origin = container.format.name == "avi", None
    for index, frame in enumerate(container.decode(stream)):
        time = frame.time
        origin = (time or 0.0) if origin is None else origin
        if time is None or untimed:
            yield origin + index * usual, usual, frame
        else:
            yield time, float((frame.duration or 0) * frame.time_base) or usual, frame


def _seek_middle(container: Any, stream: Any, seconds: float) -> tuple[float, float]:
    """From when to when to read; the container is moved to a place before it."""
    begin = float((stream.start_time or 0) * stream.time_base)
    length = float(stream.duration * stream.time_base) if stream.duration else 0.0
    length = length or (container.duration or 0) / av.time_base
    if not seconds or length <= seconds:
        return -np.inf, np.inf
    start = begin + (length - seconds) / 2
    container.seek(int(start * av.time_base))
    return start, start + seconds


def _between(timed: Iterable[tuple[float, float, Any]], start: float, end: float) -> Iterator[Any]:
    """Those that are on display from `start` to `end`."""
    for time, lasts, frame in timed:
        if time >= end - _ROUNDING:
            return
        if time + lasts > start + _ROUNDING:
            yield time, lasts, frame


def _at_rate(timed: Iterable[tuple[float, float, Any]], rate: float) -> Iterator[Any]:
    """The frame on display at each multiple of `1 / rate` from the first frame's time on."""
    held: Any = None
    origin = before = ends = 0.0
    count = 0
    for time, lasts, frame in chain(timed, [(-np.inf, 0.0, None)]):
        jump = not 0 <= time - before <= _LONGEST_PAUSE
        until = ends if jump else time
        while held is not None and origin + count / rate < until - _ROUNDING:
            yield held
            count += 1
        if held is None or jump:
            origin, count = time, 0
        held, before, ends = frame, time, time + lasts


def _picture(frame: Any, size: Sequence[int] | None) -> np.ndarray:
    """Upright RGB of the size."""
    turns = round(frame.rotation / 90) % 4
    if size is None:
        pixels = frame.to_ndarray(format="rgb24")
    else:
        height, width = size[::-1] if turns % 2 else size
        scale = max(height / frame.height, width / frame.width)
        high = max(height, round(frame.height * scale))
        wide = max(width, round(frame.width * scale))
        pixels = frame.to_ndarray(format="rgb24", height=high, width=wide)
        top, left = (high - height) // 2, (wide - width) // 2
        pixels = pixels[top : top + height, left : left + width]
    return np.rot90(pixels, turns)
