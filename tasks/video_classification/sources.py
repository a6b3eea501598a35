"""Finds the clips of a person's own folder or csv, and the class, split and group of each."""

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.errors import UserError
from zoo.readers.text import read_text_file
from zoo.readers.video import VIDEO_FILES

SPLITS = {
    "train": {"train", "training"},
    "validation": {"validation", "valid", "val", "dev"},
    "test": {"test", "testing"},
}
"""How folders and csv files may call the splits."""

_SEQUENCE_FILES = {".csv", ".tsv", ".txt"}
_FILES = {*VIDEO_FILES, *_SEQUENCE_FILES, ".npy"}
_COLUMNS = ("path", "label", "split", "group")
_GROUP = re.compile(r"(.*_g\d+)(_c\d+)?")
_LAYOUT = (
    "one folder a class is needed, such as jump/clip1.mp4, or a csv with the columns path and label"
)


class Clip(NamedTuple):
    """A file of a class.

    Attributes:
        path: of the file.
        label: name of its class.
        split: "train", "validation", "test", or "" for one that is still to be chosen.
        group: what it was cut from: clips of a group stay together.
    """

    path: Path
    label: str
    split: str
    group: str


def find_clips(path: Path) -> list[Clip]:
    """The clips of a folder or of an index.

    - A folder with one folder a class, whose files may lie deeper. It may also hold `train`,
      `validation` or `val`, and `test`, each with one folder a class.
    - A csv with the columns `path` (from its own folder on) and `label`, and if wanted `split` and
      `group`, set apart by commas, semicolons or tabs; or a folder that holds one.

    Files are videos (see `zoo.readers.video.VIDEO_FILES`), `.npy`, or text with a time step a
    line. Clips of one group, such as those cut from one video, are never in two splits. The csv
    names groups; else the name of a file does that has `_g` and a number, as in UCF101
    (`v_Jump_g01_c02.avi` is of the group `v_Jump_g01`); any other file is a group of its own.

    Raises:
        UserError: there are none, or not of two classes; a group is in two splits; or the csv
            lacks a column or a label, leaves a quote open, or names a file that is not there or
            twice.
    """
    if not path.exists():
        raise UserError(f"there is no file {path}: {_LAYOUT}")
    index = path if path.is_file() else _index_of(path)
    clips = list(_listed(index)) if index else _in_folders(path)
    if not clips:
        raise UserError(f"{path} has no clips: {_LAYOUT}")
    if len(classes := {clip.label for clip in clips}) < 2:
        raise UserError(f"{path} has one class, {classes.pop()}: at least two are needed")
    return clips


def is_sequence(path: Path) -> bool:
    """Whether a file holds numbers `[T, features]`, and not pictures.

    Raises:
        UserError: it is a `.npy` that cannot be read.
    """
    if path.suffix.lower() != ".npy":
        return path.suffix.lower() in _SEQUENCE_FILES
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False).ndim == 2
    except (ValueError, OSError, EOFError, AttributeError) as error:
        raise UserError(f"{path} is not a .npy array of numbers") from error


def split_named(name: str) -> str:
    """The split that a name speaks of, or ""."""
    return next((split for split, names in SPLITS.items() if name.lower() in names), "")


def _index_of(folder: Path) -> Path | None:
    """The one csv beside a folder's files that names clips."""
    found = [
        file for file in sorted(folder.glob("*.[ct]sv")) if {"path", "label"} & {*_read(file)[1]}
    ]
    if len(found) > 1:
        raise UserError(
            f"{folder} has several csv files that name clips, {found[0].name} and "
            f"{found[1].name}: give one of them as the data set"
        )
    return found[0] if found else None


def _read(index: Path) -> tuple[type[csv.Dialect], list[str], list[str]]:
    """How a csv sets its columns apart, their names, and all of its lines."""
    lines = read_text_file(index).split("\n")

    class Dialect(csv.excel):
        delimiter = max(",;\t", key=lines[0].count)
        strict = True

    _, names = next(_cells(index, lines[:1], Dialect, first=1))
    return Dialect, [name.strip().lower() for name in names], lines


def _cells(
    index: Path, lines: list[str], dialect: type[csv.Dialect], first: int
) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row, after the number of the line where it begins."""
    reader, line = csv.reader((f"{line}\n" for line in lines), dialect), first
    try:
        for cells in reader:
            yield line, cells
            line = first + reader.line_num
    except csv.Error as error:
        raise UserError(
            f"{index}, line {line} is no row of a csv ({error}): is a quote left open?"
        ) from error


def _listed(index: Path) -> Iterator[Clip]:
    dialect, columns, lines = _read(index)
    if missing := {"path", "label"} - set(columns):
        raise UserError(
            f"{index} has the columns {', '.join(columns)}, but {' and '.join(sorted(missing))} "
            "is needed in its first line: path and label, and if wanted split and group"
        )
    seen: dict[Path, int] = {}
    splits: dict[str, tuple[str, int]] = {}
    for line, cells in _cells(index, lines[1:], dialect, first=2):
        if not any(cell.strip() for cell in cells):
            continue
        row = dict(zip(columns, map(str.strip, cells)))
        where = f"{index}, line {line}"
        clip = _row(row, index.parent, where)
        if (first := seen.setdefault(clip.path.resolve(), line)) != line:
            raise UserError(f"{where} names {clip.path} once more: line {first} has it already")
        split, first = splits.setdefault(clip.group, (clip.split, line))
        if split != clip.split:
            raise UserError(
                f"{where} has the group {clip.group} in {clip.split or 'no split'}, but line "
                f"{first} in {split or 'no split'}: clips of one source must stay together"
            )
        yield clip


def _row(row: dict[str, str], folder: Path, where: str) -> Clip:
    if broken := next((name for name in _COLUMNS if "\n" in row.get(name, "")), None):
        raise UserError(f"{where}: the {broken} holds a line break: is a quote left open?")
    if not row.get("path"):
        raise UserError(f"{where} has no path")
    path = folder / Path(row["path"]).expanduser()
    if not path.is_file():
        raise UserError(f"{where}: there is no file {path}")
    if not row.get("label"):
        raise UserError(f"{where}: the label of {row['path']} is empty")
    split = split_named(row.get("split", ""))
    if row.get("split") and not split:
        raise UserError(f"{where} has the split {row['split']!r}: use train, validation or test")
    return Clip(path, row["label"], split, row.get("group") or group_of(row["path"]))


def group_of(path: str) -> str:
    """The group that a file's name tells, or the path itself.

    Example:
        >>> group_of("jump/v_Jump_g01_c02.avi"), group_of("jump/clip1.mp4")
        ('v_Jump_g01', 'jump/clip1.mp4')
    """
    told = _GROUP.fullmatch(Path(path).stem)
    return told[1] if told else path


def _in_folders(folder: Path) -> list[Clip]:
    parts = {part: split_named(part.name) for part in _folders(folder)}
    if "train" not in parts.values():
        parts = {folder: ""}
    elif other := next((part.name for part, split in parts.items() if not split), None):
        raise UserError(f"{folder} has {other} beside train: validation and test are expected")
    classes = [(c, split) for part, split in parts.items() for c in _folders(part)]
    found = [(file, c.name, split) for c, split in classes for file in _files(c)]
    wanted = {file.suffix.lower() for file, *_ in found} & _FILES
    if wanted & VIDEO_FILES:
        # Then texts are notes on them.
        wanted -= _SEQUENCE_FILES
    clips = [
        Clip(file, label, split, group_of(str(file.relative_to(folder))))
        for file, label, split in found
        if file.suffix.lower() in wanted
    ]
    _check_groups(folder, clips)
    _tell_left_out(folder, len(found) - len(clips), {c.name for c, _ in classes}, clips)
    return clips


def _check_groups(folder: Path, clips: list[Clip]) -> None:
    first: dict[str, Clip] = {}
    for clip in clips:
        other = first.setdefault(clip.group, clip)
        if other.split != clip.split:
            raise UserError(
                f"{folder} has the group {clip.group} in {other.split} and in {clip.split}, such "
                f"as {other.path.relative_to(folder)} and {clip.path.relative_to(folder)}: clips "
                "of one source must stay together"
            )


def _tell_left_out(folder: Path, others: int, names: set[str], clips: list[Clip]) -> None:
    if others:
        print(f"{folder}: left out what is no clip, {others} of its files", file=sys.stderr)
    if clips and (empty := sorted(names - {clip.label for clip in clips})):
        print(f"{folder}: no clips in {', '.join(empty)}", file=sys.stderr)


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _files(folder: Path) -> list[Path]:
    inside = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return [folder / path for path in inside if not any(p.startswith(".") for p in path.parts)]
