"""Folders of series: a file for each, parts of one table, or files that continue each other."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from zoo.errors import UserError
from zoo.readers.frames import Frame
from zoo.readers.series_columns import Chosen, read_columns
from zoo.readers.series_files import ENDINGS, load_file
from zoo.readers.series_rows import NAME, Parts, SeriesRows
from zoo.readers.shards import first_shards, unsharded_name

_SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val",
           "validation": "val", "dev": "val", "test": "test"}  # fmt: skip


def read_folder(folder: Path, chosen: Chosen) -> tuple[Parts, bool]:
    """Read a folder with a file for each series, or with a train and a test file.

    Files belong together where their names have the words train and test, and validation if there
    is one: each continues the series of the one before. A column that the test file lacks, such as
    the values, is missing in it.

    Args:
        folder: whose files are read, but for hidden ones and those with other endings.
        chosen: the parts of columns that a person names.

    Returns:
        The series; and whether there is a test file. If so, `others` of the series have one column
        more than they are named, the last: 1 in rows of it, 0 in others.

    Raises:
        UserError: there is no file of series, one cannot be read, or they do not fit together.
    """
    files = first_shards(file for file in sorted(folder.iterdir()) if _is_table(file))
    if not files:
        raise UserError(f"{folder} has no file of series: expected {', '.join(ENDINGS)}")
    splits: dict[str, Path] = {}
    for file in files:
        if split := _split(file):
            if split in splits:
                raise UserError(
                    f"{folder} has {splits[split].name} and {file.name}: give the folder of one "
                    f"{split} file"
                )
            splits[split] = file
    if "train" in splits and len(splits) > 1:
        chain = [splits[split] for split in ("train", "val", "test") if split in splits]
        parts, tested = _continued(folder, chain, chosen, "test" in splits)
        if aside := [file.name for file in files if file not in chain]:
            parts = _noted(parts, f"not read, beside train and test: {', '.join(aside)}")
        return parts, tested
    return _side_by_side(folder, files, chosen), False


def _is_table(path: Path) -> bool:
    """Return whether a file is one of series by its name."""
    name = path.name.lower().removesuffix(".gz")
    return path.is_file() and name.endswith(ENDINGS) and not name.startswith((".", "readme"))


def _split(path: Path) -> str:
    """Return which part of the series a file holds by the words of its name; "" for all.

    Example:
        >>> _split(Path("Weekly-train.csv.gz")), _split(Path("sales.csv"))
        ('train', '')
    """
    words = re.split(r"[^a-z]+", path.name.lower())
    return next((_SPLITS[word] for word in words if word in _SPLITS), "")


def _side_by_side(folder: Path, files: Sequence[Path], chosen: Chosen) -> Parts:
    """Read a folder in which each file has series of its own, called by its name.

    Files whose rows say which series they are of are parts of one table.

    Raises:
        UserError: they have other columns than the first.
    """
    loaded = [load_file(file, chosen) for file in files]
    frames = [each for each in loaded if isinstance(each, Frame)]
    named = all(chosen.series or frame.find(NAME) is not None for frame in frames)
    if len(frames) == len(loaded) > 1 and named:
        parts = read_columns(_stacked(folder, frames), chosen)
        return _noted(parts, f"the {len(files)} files were read as parts of one table")
    all_parts, series = [], []
    for file, each in zip(files, loaded):
        stem = unsharded_name(file).partition(".")[0]
        parts = each if isinstance(each, Parts) else read_columns(each, chosen, stem)
        all_parts.append(parts)
        _check_alike(file, parts, files[0], all_parts[0])
        alone = len(parts.series) == 1
        series += [replace(s, name=stem if alone else f"{stem}/{s.name}") for s in parts.series]
    notes = tuple(dict.fromkeys(note for parts in all_parts for note in parts.notes))
    whole = replace(all_parts[0], series=series, notes=notes)
    if len(series) == len(files) > 1:
        return _noted(whole, f"each of the {len(files)} files was read as a series")
    return whole


def _noted(parts: Parts, note: str) -> Parts:
    return replace(parts, notes=(note, *parts.notes))


def _check_alike(file: Path, parts: Parts, other: Path, first: Parts) -> None:
    """Check that two files have the same covariates.

    Raises:
        UserError: they have not.
    """
    mine, others = ((*each.others, *each.static) for each in (parts, first))
    if mine != others:
        raise UserError(
            f"{file} has the covariates {', '.join(mine) or 'none'}, but {other.name} "
            f"{', '.join(others) or 'none'}: expected the same columns in all files of a folder"
        )


def _continued(
    folder: Path, files: Sequence[Path], chosen: Chosen, tested: bool
) -> tuple[Parts, bool]:
    """Read files each of which continues the series of the one before.

    Raises:
        UserError: they have other series or columns.
    """
    loaded = [load_file(file, chosen) for file in files]
    frames = [each for each in loaded if isinstance(each, Frame)]
    in_rows = [each for each in loaded if isinstance(each, Parts)]
    if frames and in_rows:
        raise UserError(
            f"{folder}: {files[0].name} and {files[-1].name} are tables of different kinds: "
            "expected the same columns in both"
        )
    if in_rows:
        series = [_chained(folder, rows) for rows in _by_name(files, in_rows)]
        parts = replace(in_rows[0], series=series)
    else:
        parts = read_columns(_stacked(folder, frames), chosen)
    if tested:
        parts = replace(parts, series=[_flagged(rows, files[-1].name) for rows in parts.series])
    return parts, tested


def _lines_of(lines: np.ndarray, path: Path) -> np.ndarray:
    """Return lines with the name of their file, for messages on several files."""
    return np.array([f"{line} of {path.name}" for line in lines.tolist()], object)


def _by_name(files: Sequence[Path], all_parts: Sequence[Parts]) -> list[list[SeriesRows]]:
    """Return the parts of each series in the order of the files.

    Raises:
        UserError: a series is not in all files.
    """
    tables = [
        {rows.name: replace(rows, lines=_lines_of(rows.lines, file)) for rows in parts.series}
        for file, parts in zip(files, all_parts)
    ]
    for file, table in zip(files[1:], tables[1:]):
        if odd := sorted(table.keys() ^ tables[0].keys()):
            raise UserError(
                f"{odd[0]} is in only one of {files[0].name} and {file.name}: expected the same "
                "series in both"
            )
    return [[table[name] for table in tables] for name in tables[0]]


def _chained(folder: Path, parts: Sequence[SeriesRows]) -> SeriesRows:
    """Return one series of parts, the blank end of each left out."""
    parts = [rows.take(np.arange(_length(rows.values))) for rows in parts]
    stamps = parts[0].stamps
    if stamps:
        stamps = stamps._replace(times=np.concatenate([rows.times for rows in parts]))
    return replace(
        parts[0],
        place=str(folder),
        lines=np.concatenate([rows.lines for rows in parts]),
        stamps=stamps,
        values=np.concatenate([rows.values for rows in parts]),
        others=np.concatenate([rows.others for rows in parts]),
    )


def _length(values: np.ndarray) -> int:
    observed = np.flatnonzero(~np.isnan(values))
    return int(observed[-1]) + 1 if len(observed) else 0


def _stacked(folder: Path, frames: Sequence[Frame]) -> Frame:
    """Return the rows of several tables as those of one; a column that one lacks is blank there.

    Raises:
        UserError: one has a column that the first lacks.
    """
    first = frames[0]
    for frame in frames[1:]:
        if odd := [name for name in frame.names if name not in first.names]:
            raise UserError(
                f"{frame.path} has the column {odd[0]}, but {first.path.name} has none: expected "
                "the same columns in both"
            )
    columns = [
        [
            cell
            for frame in frames
            for cell in (
                frame.columns[frame.names.index(name)]
                if name in frame.names
                else [""] * len(frame.lines)
            )
        ]
        for name in first.names
    ]
    lines = np.concatenate([_lines_of(frame.lines, frame.path) for frame in frames])
    return replace(first, path=folder, lines=lines, columns=columns)


def _flagged(rows: SeriesRows, name: str) -> SeriesRows:
    """Return rows with a column that says which are of the last file."""
    flags = np.array([str(line).endswith(f" of {name}") for line in rows.lines], float)
    return replace(rows, others=np.column_stack([rows.others, flags]))
