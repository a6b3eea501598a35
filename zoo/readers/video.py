"""Videos: files, folders of numbered pictures, arrays and cameras, frame by frame."""

import io
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from zoo.errors import UserError
from zoo.readers.images import is_image_name, read_picture
from zoo.readers.modality import Modality
from zoo.readers.numbers import pixels_of, read_array
from zoo.registry import register
from zoo.utils.html import animation

VIDEO_FILES = {".mp4", ".m4v", ".mov", ".avi", ".webm", ".mkv", ".mpg", ".mpeg", ".gif"}
"""How the name of a video file ends."""

_DRAWN_TEXT = {"ansi", "bintext", "idf", "xbin"}
"""Codecs of FFmpeg that show any text, or text art, as a terminal would."""

# Seconds. A gif rounds times to hundredths; a longer jump is no pause but a damaged clock.
_ROUNDING, _LONGEST_PAUSE = 0.0101, 60.0


_LONGEST_CLIP = 2000
_CLIP_PART = 128
_CAMERA = "v4l2"


@register("modality", "video")
class Videos(Modality):
    """Frames over time: a video file, a folder of numbered pictures, or an array of uint8.

    An array, or a `.npy`, is `[T, h, w]`, or `[T, h, w, 1 or 3]`.

    Its options are `frames_per_second`, see `read_frames`, and `frame_size`, height and width. An
    array is read at the rate that it has.
    """

    unit = "frame"
    dtype = "uint8"
    shape = (None, None, None, 3)
    axes = 4

    def read(self, source: Any, **options: Any) -> np.ndarray:
        """Return `[T, h, w, 3]`, uint8, of a video that is not longer than 2,000 frames."""
        clip, more = self.beginning(source, **options)
        if more:
            name = _name(source)
            raise UserError(f"{name} has more than {_LONGEST_CLIP} frames: cut it into clips")
        return clip

    def parts(
        self,
        source: Any,
        frames_per_second: float = 0.0,
        frame_size: Sequence[int] | None = None,
        **options: Any,
    ) -> Iterator[np.ndarray]:
        """Read parts `[T, h, w, 3]`, uint8, of 128 frames at most."""
        name = _name(source)
        if isinstance(source, str | Path):
            source = self.file(source)
        if isinstance(source, Path) and source.suffix == ".npy":
            source = read_array_clip(source)
        if isinstance(source, np.ndarray):
            clip = pixels_of(source, 3, name)
            for start in range(0, len(clip), _CLIP_PART):
                part = in_channels(clip[start : start + _CLIP_PART], 3)
                yield fit_clip(part, (*frame_size, 3)) if frame_size else part
            return
        if not isinstance(source, Path | bytes):
            raise self.refusal(source)
        frames = read_frames(source, frames_per_second, frame_size)
        while some := list(islice(frames, _CLIP_PART)):
            if len({frame.shape for frame in some}) != 1:
                raise UserError(f"{name} has frames of several sizes")
            yield np.stack(some)

    def beginning(self, source: Any, **options: Any) -> tuple[np.ndarray, str]:
        """Read the first 2,000 frames."""
        parts, count = [], 0
        for part in self.parts(source, **options):
            parts.append(part)
            count += len(part)
            if count > _LONGEST_CLIP:
                break
        if len({part.shape[1:] for part in parts}) != 1:
            raise UserError(f"{_name(source)} has frames of several sizes")
        clip = np.concatenate(parts)[:_LONGEST_CLIP]
        long = f"{_name(source)} is long: only its first {len(clip)} frames are drawn"
        return clip, long if count > _LONGEST_CLIP else ""

    def pieces(self, path: Path, **options: Any) -> Iterator[np.ndarray]:
        """Read parts of a file."""
        return self.parts(path, **options)

    def standard_input(self, file: Any, **options: Any) -> Iterator[np.ndarray]:
        """Refuse, and name the camera too."""
        raise UserError(
            "the model takes video, which has to be a file: pass --input FILE or --camera DEVICE"
        )

    def camera(self, device: str, **options: Any) -> Iterator[np.ndarray]:
        """Read the frames of a camera, such as /dev/video0, each a clip `[1, h, w, 3]`, uint8."""
        if not Path(device).exists():
            raise UserError(f"there is no camera {device}: --camera takes one such as /dev/video0")
        rate, size = options.get("frames_per_second", 0.0), options.get("frame_size")
        return _camera_frames(read_frames(device, rate, size, device=_CAMERA))

    def file(self, source: str | Path) -> Path:
        """Return the path of a file, or of a folder of frames."""
        return Path(source) if Path(source).is_dir() else super().file(source)

    def write(self, stem: Path, raw: np.ndarray) -> Path:
        """Write a `.npy` file."""
        path = stem.with_suffix(".npy")
        np.save(path, raw)
        return path

    def write_shown(self, stem: Path, raw: np.ndarray) -> dict[str, Any]:
        """Write one picture of all frames side by side, as PNG, and return their number."""
        path = stem.with_suffix(".png")
        Image.fromarray(np.concatenate(list(raw), axis=1)).save(path, optimize=True)
        return {"file": path, "frames": len(raw)}

    def show(self, raw: np.ndarray) -> str:
        """Return the clip as a small animation."""
        return animation(raw, f"the clip that the model was given, {len(raw)} frames")

    def read_shown(self, shown: dict[str, Any], folder: Path) -> np.ndarray:
        """Cut the picture into its frames."""
        picture = Image.open(io.BytesIO((folder / shown["file"]).read_bytes()))
        return np.stack(np.split(np.asarray(picture.convert("RGB")), shown["frames"], axis=1))

    def use(self, path: str, raw: Any) -> tuple[str, str, list[str]]:
        """Load the array."""
        return shlex.quote(path), f'np.load("{path}")[None]', ["import numpy as np"]


def read_array_clip(path: Path) -> np.ndarray:
    """Read the clip of a `.npy` file, `[T, h, w, 1 or 3]`, uint8.

    Raises:
        UserError: it holds something else.
    """
    return pixels_of(read_array(path), 3, str(path))


def _name(source: Any) -> str:
    return str(source) if isinstance(source, str | Path) else "the video"


def _camera_frames(frames: Any) -> Iterator[np.ndarray]:
    # Closed whatever happens, for the camera to be free.
    with closing(frames):
        for frame in frames:
            yield frame[None]


def read_frames(
    source: str | Path | bytes,
    rate: float = 0.0,
    size: Sequence[int] | None = None,
    middle: float = 0.0,
    device: str | None = None,
) -> Iterator[np.ndarray]:
    """Read the frames of a video, one after the other, so that it may be of any length.

    Args:
        source: a file of any format that FFmpeg reads, or its bytes; or a folder of pictures, see
            `frame_files`, which tells no rate and is read as it is, without regard to `rate` and
            `middle`.
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
    if not isinstance(source, bytes) and Path(source).is_dir():
        yield from read_frame_files(frame_files(Path(source)), size)
        return
    count, path = 0, _name(source)
    file: Any = io.BytesIO(source) if isinstance(source, bytes) else str(source)
    try:
        with av.open(file, format=device) as container:
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
        yield from read_frames(source, rate, size)
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
    """Return a key that sorts numbers in names by their value."""
    parts = re.split(r"(\d+)", path.stem)
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
    """Fit a clip `[T, h, w, 1 or 3]`, uint8, to `[T, *shape]`, cut and resized like `read_frames`.

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
    """Turn frames `[..., 1 or 3]`, uint8, into grey (ITU-R BT.601) or colour: 1 or 3 channels."""
    if clip.shape[-1] == channels:
        return clip
    if channels == 3:
        return np.repeat(clip, 3, axis=-1)
    grey = clip @ np.array([[0.2989], [0.587], [0.114]], np.float32)
    return np.rint(grey).astype(np.uint8)


def _timed(container: Any, stream: Any) -> Iterator[tuple[float, float, Any]]:
    """Yield each frame with the time when it is shown and for how long, in seconds."""
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
    """Return from when to when to read, and move the container to a place before it."""
    begin = float((stream.start_time or 0) * stream.time_base)
    length = float(stream.duration * stream.time_base) if stream.duration else 0.0
    length = length or (container.duration or 0) / av.time_base
    if not seconds or length <= seconds:
        return -np.inf, np.inf
    start = begin + (length - seconds) / 2
    container.seek(int(start * av.time_base))
    return start, start + seconds


def _between(timed: Iterable[tuple[float, float, Any]], start: float, end: float) -> Iterator[Any]:
    """Yield those that are on display from `start` to `end`."""
    for time, lasts, frame in timed:
        if time >= end - _ROUNDING:
            return
        if time + lasts > start + _ROUNDING:
            yield time, lasts, frame


def _at_rate(timed: Iterable[tuple[float, float, Any]], rate: float) -> Iterator[Any]:
    """Yield the frame on display at each multiple of `1 / rate` from the first frame's time on."""
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
    """Return a frame as upright RGB of the size."""
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
