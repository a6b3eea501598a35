"""Files and folders of series: text tables, Parquet, and files that continue each other."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from zoo.errors import UserError
from zoo.readers.frames import Frame, drop_columns, make_frame
from zoo.readers.series_columns import Chosen, read_columns
from zoo.readers.series_rows import Parts, SeriesRows, has_series_in_rows, read_series_in_rows
from zoo.readers.tables import read_rows

ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq")
"""How the names of files of series end, before `.gz`."""

_PARQUET = (".parquet", ".pq")
_SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val",
           "validation": "val", "dev": "val", "test": "test"}  # fmt: skip


def read_file(path: Path, chosen: Chosen, alone: str = "") -> Parts:
    """Read the series of a file.

    Args:
        path: of a text table, plain or gz, or of a Parquet file.
        chosen: the parts of columns that a person names.
        alone: what to call a series that the file has no name for.

    Raises:
        UserError: it cannot be read, or holds something else.
    """
    if _is_parquet(path):
        frame, notes = drop_columns(_read_parquet(path))
    else:
        table = read_rows(path, ragged=True)
        if has_series_in_rows(table.rows, chosen.target):
            return read_series_in_rows(path, table)
        frame, notes = make_frame(path, table)
    parts = read_columns(frame, chosen, alone)
    return replace(parts, notes=(*notes, *parts.notes))


def _read_parquet(path: Path) -> Frame:
    """Read a Parquet file, each cell as it would be written in a text.

    Raises:
        UserError: pyarrow is not installed; or it is no Parquet file, or a column holds lists.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UserError(
            f"{path} is a Parquet file, but pyarrow is not installed: install it by `pip install "
            "pyarrow`, or write csv"
        ) from error
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path} is no Parquet file: {str(error).splitlines()[0]}") from error
    columns = []
    for name, column in zip(table.column_names, table.columns):
        try:
            if pyarrow.types.is_timestamp(column.type):
                # What has a time zone is in UTC.
                column = column.cast(pyarrow.timestamp("s"))
            cells = column.cast(pyarrow.string()).to_pylist()
        except pyarrow.ArrowException as error:
            raise UserError(
                f"{path}: the column {name} holds {column.type}, but a number, a text or a time in "
                "whole seconds is needed in each row"
            ) from error
        columns.append([cell or "" for cell in cells])
    if not table.num_rows:
        raise UserError(f"{path} has no rows: expected one for each step")
    # There are no lines: rows are counted from 1 on.
    return Frame(path, list(table.column_names), np.arange(table.num_rows) + 1, columns)


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
    files = [file for file in sorted(folder.iterdir()) if _is_table(file)]
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
        files = [splits[split] for split in ("train", "val", "test") if split in splits]
        return _continued(folder, files, chosen, "test" in splits)
    return _side_by_side(files, chosen), False


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


def _side_by_side(files: Sequence[Path], chosen: Chosen) -> Parts:
    """Read a folder in which each file has series of its own, called by its name.

    Raises:
        UserError: they have other columns than the first.
    """
    series: list[SeriesRows] = []
    notes: dict[str, None] = {}
    first = Parts([])
    for file in files:
        stem = file.name.partition(".")[0]
        parts = read_file(file, chosen, stem)
        first = first if series else parts
        if (parts.others, parts.static) != (first.others, first.static):
            raise UserError(
                f"{file} has the covariates {', '.join((*parts.others, *parts.static)) or 'none'}, "
                f"but {files[0].name} {', '.join((*first.others, *first.static)) or 'none'}: "
                "expected the same columns in all files of a folder"
            )
        alone = len(parts.series) == 1
        series += [replace(s, name=stem if alone else f"{stem}/{s.name}") for s in parts.series]
        notes |= dict.fromkeys(parts.notes)
    return Parts(series, first.others, first.static, tuple(notes))


def _continued(
    folder: Path, files: Sequence[Path], chosen: Chosen, tested: bool
) -> tuple[Parts, bool]:
    """Read files each of which continues the series of the one before.

    Raises:
        UserError: they have other series or columns.
    """
    tables = [None if _is_parquet(file) else read_rows(file, ragged=True) for file in files]
    if all(table and has_series_in_rows(table.rows, chosen.target) for table in tables):
        all_parts = [read_series_in_rows(f, table) for f, table in zip(files, tables) if table]
        series = [_chained(folder, rows) for rows in _by_name(files, all_parts)]
        parts = replace(all_parts[0], series=series)
    else:
        read = [
            make_frame(file, table) if table else drop_columns(_read_parquet(file))
            for file, table in zip(files, tables)
        ]
        parts = read_columns(_stacked(folder, [frame for frame, _ in read]), chosen)
        parts = replace(parts, notes=(*read[0][1], *parts.notes))
    if tested:
        parts = replace(parts, series=[_flagged(rows, files[-1].name) for rows in parts.series])
    return parts, tested


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in _PARQUET


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
