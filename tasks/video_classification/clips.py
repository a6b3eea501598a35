"""Clips on disk: decoded once, read where they are needed."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tasks.common.cache import Cached, cached_array, cached_rows, file_key, in_threads
from tasks.common.data import NamedClasses, check_classes, count_examples, iterate_split, prepared
from tasks.common.folds import check_part
from tasks.common.networks import Clock
from tasks.common.notices import tell_alike
from tasks.common.tables import LABEL, is_table
from tasks.video_classification.arrays import load_array
from tasks.video_classification.clip import Clip, is_sequence, is_text
from tasks.video_classification.long_tables import load_sequence, measured_columns
from tasks.video_classification.reading import Clips, Reading
from tasks.video_classification.sources import find_clips
from tasks.video_classification.splits import assign, tell_counts
from zoo.errors import UserError
from zoo.readers.numbers import (
    as_sequence,
    column_names,
    may_have_decimal_commas,
    read_sequence,
)
from zoo.readers.video import (
    fit_clip,
    frame_files,
    in_channels,
    read_array_clip,
    read_frame_files,
    read_frames,
)
from zoo.task import is_whole

_LARGEST = 64
_LABELS = {*LABEL, "labels", "classes", "targets"}
_NAMED = 5
_ASKED = 25
_RISES = 4
_LARGEST_EXACT = 2.0**24
# Frames a second that a tensorflow-datasets set was filmed at: its videos do not tell.
_FILMED = {"ucf101": 25.0}


class OwnClips:
    """A person's folder or csv, see `find_clips`.

    Args:
        path: of it.
        data_dir: where decoded clips are kept.
        columns: of text files of numbers and of a table of sequences, those that are read, see
            `zoo.readers.numbers.NumberLines`; all, if there are none.
        fold: see `tasks.common.folds`.

    Raises:
        UserError: as `find_clips`; or there are columns, but no text files; or a text file has a
            column of labels that nobody has chosen.
    """

    def __init__(
        self, path: str, data_dir: str | None, columns: Sequence[str] = (), fold: str = ""
    ) -> None:
        self.path, self.data_dir, self.columns, self.fold = path, data_dir, columns, fold
        self.all_clips = find_clips(Path(path))
        self.classes = sorted({clip.label for clip in self.all_clips})
        tell_alike(path, self.classes)
        kinds = {}
        for clip in self.all_clips:
            # Those that cannot be read are named with all others of that sort.
            with suppress(UserError):
                kinds[is_sequence(clip)] = clip.path
        if len(kinds) > 1:
            raise UserError(
                f"{path} has videos and sequences of numbers, such as {kinds[False]} and "
                f"{kinds[True]}: give one kind"
            )
        self._sequences = True in kinds
        long = _is_of_long_table(self.all_clips[0])
        if long:
            self.columns = measured_columns(self.all_clips[0].path, columns)
        texts = all(map(is_text, self.all_clips))
        if columns and not (texts or long):
            raise UserError(
                f"columns are {', '.join(columns)}, but {path} has not only text files of numbers, "
                "which have columns"
            )
        if texts and not columns:
            _check_no_labels(clip.path for clip in self.all_clips)
        if texts and any(column.isdecimal() for column in columns or ("1",)):
            _check_order([clip.path for clip in self.all_clips])
        self._messages: set[str] = set()

    def frame_shape(self) -> list[int]:
        """Return the size of most sequences' vectors, or that to which videos are brought."""
        if not self._sequences:
            return [_LARGEST, _LARGEST, 3]
        widths: Counter[int] = Counter()
        counting: list[set[int]] = []
        # Some tell enough; at random, as one folder may differ from the others.
        for clip in Random(0).sample(self.all_clips, len(self.all_clips)):
            try:
                steps = _sequence(clip, self.columns)
                widths[steps.shape[1]] += 1
                counting.append(_counting(steps))
            except UserError as error:
                last = error
            if widths.total() == _ASKED:
                break
        if not widths:
            raise UserError(f"{self.path} has no sequence that can be read: {last}")
        files = [c.path for c in self.all_clips if is_text(c)]
        if files and all(map(may_have_decimal_commas, files)):
            print(
                f"{self.path}: each line is read as two features, set apart by a comma; if that is "
                "one number with a decimal comma, put a line with a name first, or sep=;",
                file=sys.stderr,
            )
        if rising := sorted(set.intersection(*counting)):
            numbers = " and ".join(str(at + 1) for at in rising)
            print(
                f"{self.path}: feature {numbers} rises from step to step in all sequences, as an "
                "index or a time does: is it to be learned from? Else choose others with columns",
                file=sys.stderr,
            )
        return [widths.most_common(1)[0][0]]

    def clips(self, split: str, reading: Reading, classes: Sequence[str]) -> Clips:
        """Return the clips of a split, decoded if they were not; those that cannot be are named.

        Raises:
            UserError: none of them can be read, or a class is not among `classes`.
        """
        if unknown := sorted(set(self.classes) - set(classes)):
            raise UserError(
                f"{self.path} has the classes {', '.join(unknown)}, but the model knows "
                f"{', '.join(classes)}"
            )
        cached = self._cached(reading)
        self._tell_skipped(cached)
        readable = [self.all_clips[index] for index in cached.indices]
        chosen = assign(self.all_clips, self.path, self.fold)
        splits = [chosen[index] for index in cached.indices]
        if split == "train" and not is_whole(self.fold) and split not in self._messages:
            tell_counts(readable, splits, self.path)
            self._messages.add(split)
        own = np.flatnonzero(np.array(splits) == split)
        starts = np.cumsum([0, *cached.lengths[:-1]])[own]
        labels = np.array([classes.index(clip.label) for clip in readable], int)
        if not len(own):
            check_part(self.fold, split, self.path)
            why = " that can be read" if split in chosen else ": a class of three sources has some"
            raise UserError(f"{self.path} has no clips in {split}{why}")
        raw = (lambda index: _read(readable[own[index]], reading)) if reading.network else None
        return Clips(cached.array, starts, cached.lengths[own], labels[own], raw)

    def some(self, count: int, reading: Reading, classes: Sequence[str]) -> list[np.ndarray]:
        """Return the first test clips; or others, if there are none."""
        for split in ("test", "validation", "train"):
            with suppress(UserError):
                clips = self.clips(split, reading, classes)
                return [clips.frames(index) for index in range(min(count, len(clips.lengths)))]
        return []

    def _cached(self, reading: Reading) -> Cached:
        paths = [clip.path for clip in self.all_clips]
        shape, dtype = reading.step
        name, clock = Path(self.path).name, Clock()

        def read(index: int) -> np.ndarray:
            clock.start()
            return reading.seen(_read(self.all_clips[index], reading, self.columns))

        cached = cached_array(
            ["clips", file_key(paths), *reading.key, *self.columns],
            (len(paths), None, *shape),
            dtype,
            read,
            reading.title(name),
            self.data_dir,
        )
        if reading.network:
            clock.tell(f"{reading.network.name} has looked at {name}, {len(paths)} clips")
        return cached

    def _tell_skipped(self, cached: Cached) -> None:
        reasons = list(cached.failed.values())
        if not len(cached.indices):
            raise UserError(f"{self.path} has no clip that can be read: {reasons[0]}")
        if not reasons or "skipped" in self._messages:
            return
        lines = [f"{self.path}: skipped {len(reasons)} of {len(self.all_clips)} clips:"]
        lines += [f"  {reason}" for reason in reasons[:_NAMED]]
        if len(reasons) > _NAMED:
            lines.append(f"  and {len(reasons) - _NAMED} more")
        left = {self.all_clips[index].label for index in cached.indices}
        if lost := sorted(set(self.classes) - left):
            lines.append(f"{self.path}: no clip can be read of {', '.join(lost)}")
        print("\n".join(lines), file=sys.stderr)
        self._messages.add("skipped")


def _is_of_long_table(clip: Clip) -> bool:
    return bool(clip.array) and is_table(clip.path)


def _sequence(clip: Clip, columns: Sequence[str]) -> np.ndarray:
    """Return the numbers of a clip, `[T, features]`, float32."""
    if _is_of_long_table(clip):
        return as_sequence(load_sequence(clip, columns), clip.name)
    if clip.array:
        name, row = clip.array
        return as_sequence(load_array(clip.path, name)[row], clip.name)
    return read_sequence(clip.path, columns)


def _counting(steps: np.ndarray) -> set[int]:
    """Return which features count the steps, or time: those that rise, by the same amount or four
    times and on. Of fewer than three steps it cannot be known."""
    rises = np.diff(steps.astype("float64"), axis=0)
    if len(rises) < 2:
        return set()
    largest = np.abs(steps).max(axis=0)
    near = 1e-4 * np.abs(rises[0]) + 1e-6 * largest
    even = (np.abs(rises - rises[0]) <= near).all(axis=0) & (rises[0] > 2 * near)
    if len(rises) < _RISES:
        return {*np.flatnonzero(even).tolist()}
    # Seconds since 1970 are too large for float32 to tell one from the next.
    rising = ((rises > 0) | ((rises == 0) & (largest >= _LARGEST_EXACT))).all(axis=0)
    return {*np.flatnonzero(even | rising).tolist()}


def _check_no_labels(files: Iterable[Path]) -> None:
    """Check that no file has a column of labels, which would be learned from.

    Raises:
        UserError: one has.
    """
    for file in files:
        names: list[str] = []
        with suppress(UserError):
            names = column_names(file)
        if label := next((name for name in names if name in _LABELS), None):
            others = ",".join(name for name in names if name != label)
            raise UserError(
                f"{file} has a column {label}, but the class of a clip is that of its folder or "
                f"index: leave the answer out with columns={others}, or name all that are measured"
            )


def _check_order(files: Sequence[Path]) -> None:
    """Check that files which name the same columns name them in the same order.

    Raises:
        UserError: they do not.
    """
    first: dict[frozenset[str], tuple[list[str], Path]] = {}
    for file in files:
        names: list[str] = []
        with suppress(UserError):
            names = column_names(file)
        other, path = first.setdefault(frozenset(names), (names, file))
        if names != other:
            raise UserError(
                f"{path} has the columns {', '.join(other)}, but {file} {', '.join(names)}: say "
                f"with columns which are read, by their names, such as {','.join(other)}"
            )


def _read(clip: Clip, reading: Reading, columns: Sequence[str] = ()) -> np.ndarray:
    """Return the steps of one clip, `[T, *frame_shape]`."""
    path = clip.path
    if len(reading.frame_shape) == 1:
        sequence = _sequence(clip, columns)
        if sequence.shape[1] != reading.frame_shape[0]:
            raise UserError(
                f"{clip.name} has {sequence.shape[1]} features a time step, but "
                f"{reading.frame_shape[0]} are needed"
            )
        return sequence
    if path.suffix.lower() == ".npy":
        return fit_clip(_middle(read_array_clip(path), reading.keep), reading.frame_shape)
    height, width, channels = reading.frame_shape
    if path.is_dir():
        files = _middle(frame_files(path), reading.keep)
        return in_channels(np.stack([*read_frame_files(files, (height, width))]), channels)
    seconds = reading.keep / reading.rate if reading.rate else 0.0
    frames = list(read_frames(path, reading.rate, (height, width), seconds))
    return _middle(in_channels(np.stack(frames), channels), reading.keep)


def _middle(clip: Any, keep: int) -> Any:
    start = max(0, len(clip) - keep) // 2 if keep else 0
    return clip[start : start + keep] if keep else clip


class NamedClips(NamedClasses):
    """A tensorflow-datasets set with `video`, or `sequence` `[T, features]`, and `label`."""

    @property
    def _feature(self) -> str:
        features = prepared(self.name, self.data_dir).info.features
        return "sequence" if "sequence" in features else "video"

    def frame_shape(self) -> list[int]:
        """Return the frame shape of the first test clip, if it is small."""
        first = next(self._examples("test[:1]"))[self._feature]
        if first.ndim == 2:
            return [first.shape[1]]
        height, width, channels = first.shape[1:]
        small = max(height, width) <= _LARGEST
        return [height, width, channels] if small else [_LARGEST, _LARGEST, channels]

    def clips(self, split: str, reading: Reading, classes: Sequence[str]) -> Clips:
        """Return the clips of a split, brought to their size if they were not.

        Raises:
            UserError: as `tasks.common.data.load_split`; or it has other classes.
        """
        check_classes(list(classes), self.name, self.data_dir)
        stored = prepared(self.name, self.data_dir)
        shape, dtype = reading.step
        name, clock = f"{self.name}, {split}", Clock()

        def read(example: dict[str, Any]) -> tuple[np.ndarray, int]:
            clock.start()
            steps, label = self._fitted(example, reading)
            return reading.seen(steps), label

        def raw(index: int) -> np.ndarray:
            example = next(islice(self._examples(split), index, None))
            return self._fitted(example, reading)[0]

        cached = cached_rows(
            [*file_key(sorted(Path(stored.data_dir).iterdir())), split, *reading.key],
            (count_examples(self.name, split, self.data_dir), None, *shape),
            dtype,
            lambda: in_threads(read, self._examples(split)),
            reading.title(name),
            self.data_dir,
        )
        if reading.network:
            count = len(cached.lengths)
            clock.tell(f"{reading.network.name} has looked at {name}, {count} clips")
        starts = np.cumsum([0, *cached.lengths[:-1]])
        labels = np.array(cached.notes)
        return Clips(cached.array, starts, cached.lengths, labels, raw if reading.network else None)

    def some(self, count: int, reading: Reading, classes: Sequence[str]) -> list[np.ndarray]:
        """Return the first test clips."""
        clips = self.clips(f"test[:{count}]", reading, classes)
        return [clips.frames(index) for index in range(len(clips.lengths))]

    def _examples(self, split: str) -> Iterator[dict[str, Any]]:
        features = (self._feature, "label")
        return iterate_split(self.name, split, self.data_dir, features)

    def _fitted(self, example: dict[str, Any], reading: Reading) -> tuple[np.ndarray, int]:
        """Return an example's time steps and label."""
        steps = example[self._feature]
        if len(reading.frame_shape) != steps.ndim - 1 or (
            steps.ndim == 2 and steps.shape[1:] != reading.frame_shape
        ):
            raise UserError(
                f"the data set {self.name} has {self._feature} of {list(steps.shape[1:])}, but "
                f"{list(reading.frame_shape)} is needed"
            )
        return self._frames(steps, reading) if steps.ndim == 4 else steps, int(example["label"])

    def _frames(self, frames: np.ndarray, reading: Reading) -> np.ndarray:
        """Return frames of their size, at the rate if that which they were filmed at is known."""
        filmed = _FILMED.get(self.name.partition("/")[0])
        if filmed and reading.rate:
            count = max(1, round(len(frames) * reading.rate / filmed))
            frames = frames[(np.arange(count) * filmed / reading.rate).astype(int)]
        return fit_clip(_middle(frames, reading.keep), reading.frame_shape)
