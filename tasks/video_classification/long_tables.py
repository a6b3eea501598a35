"""All sequences in one table, a time step on each row, as sensors are often written down."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from tasks.common.splits import split_written
from tasks.common.tables import GROUP, LABEL, SPLIT, Table, is_table, read_table
from tasks.video_classification.clip import Clip
from zoo.errors import UserError
from zoo.readers.dates import BadStamp, read_stamps
from zoo.readers.frames import counts_up, plain_name
from zoo.readers.numbers import SEQUENCE, SUBJECT
from zoo.readers.shards import shards_of
from zoo.readers.written_numbers import find_comma, read_numbers

_LABEL = (*LABEL, "activity", "gesture")
_GROUP = (*GROUP, *SUBJECT)
_TIME = ("time", "timestamp", "t", "ds", "datetime", "date", "step", "timestep", "frame", "index")
_UNNAMED = ("", "unnamed0")  # as pandas writes an index, and as it reads that again


@dataclass(frozen=True)
class LongTable:
    """What a table of sequences holds.

    Attributes:
        table: its rows.
        clips: each with its place in `rows`.
        rows: those of each sequence, in their order in time.
        measured: the columns of numbers.
        order: the column that the rows are in the order of; None for that of the file.
        named: the columns that say which rows are one sequence, and what sequences were taken from.
    """

    table: Table
    clips: list[Clip]
    rows: list[np.ndarray]
    measured: list[int]
    order: int | None
    named: list[int]


def is_long(path: Path) -> bool:
    """Return whether a file is a table in which a column says which rows are one sequence, and
    another the class."""
    if not path.is_file() or not is_table(path):
        return False
    table = _table(path, _changed(path))
    files = table.find(("path", "file_name")) is not None
    return not files and table.find(_LABEL) is not None and bool(_columns(table, SEQUENCE))


def long_clips(path: Path) -> list[Clip]:
    """Return the sequences of a table.

    - A column called `sequence`, `series`, `recording`, `trial` or `id`, as they are or with `_id`
      behind, says which rows are one sequence. It may count from one on in each group and split.
    - `label`, `class` or `activity` is the class, the same on all rows of a sequence.
    - Rows stand in the order of `time`, `timestamp`, `step` or `frame`; or, where there is none, as
      they are in the file.
    - `group`, `subject`, `person` or `user` says what sequences were taken from: those of one
      are never in two splits. Where no column does, equal sequences are one group.
    - `split`, if there is one. All other columns are what was measured.

    Args:
        path: of a table, see `zoo.readers.tables.read_rows`.

    Raises:
        UserError: a sequence has no label or two, or its order is not known; two columns may say
            which rows are one; a split is none; or a group is in two.
    """
    return _long(path, _changed(path)).clips


def measured_columns(path: Path, chosen: Sequence[str] = ()) -> list[str]:
    """Return the columns that are read, by their names or else numbers, and say which these are.

    Args:
        path: of the table.
        chosen: some by their names, or their numbers from 1 on; none for all that are left.

    Raises:
        UserError: there is none of a name, or one holds something else than numbers, or gives the
            class away.
    """
    changed = _changed(path)
    long = _long(path, changed)
    names = long.table.names
    places = _chosen(long, tuple(chosen))
    _check_constant(long, places, _numbers(path, changed, tuple(chosen)))
    by = " and ".join(names[at] for at in long.named)
    order = "as they stand" if long.order is None else f"in the order of {names[long.order]}"
    print(
        f"{long.table.path}: {len(long.clips)} sequences, told apart by {by}, their rows {order}; "
        f"of each row {', '.join(names[at] for at in places)}",
        file=sys.stderr,
    )
    # As `columns` are written, a comma would set names apart, and digits count.
    plain = all(names[at] and "," not in names[at] and not names[at].isdecimal() for at in places)
    return [names[at] if plain else str(at + 1) for at in places]


def load_sequence(clip: Clip, columns: Sequence[str] = ()) -> np.ndarray:
    """Return the numbers of a sequence, float64 `[T, D]`, see `measured_columns`."""
    assert clip.array
    changed = _changed(clip.path)
    rows = _long(clip.path, changed).rows[clip.array[1]]
    return _numbers(clip.path, changed, tuple(columns))[rows]


def _changed(path: Path) -> int:
    """Return when a table was last changed."""
    return max(file.stat().st_mtime_ns for file in shards_of(path))


@lru_cache(maxsize=2)
def _table(path: Path, changed: int) -> Table:
    return read_table(path, [*_LABEL, "path", "file_name"])


@lru_cache(maxsize=2)
def _long(path: Path, changed: int) -> LongTable:
    table = _table(path, changed)
    label, group, split = table.find(_LABEL), table.find(_GROUP), table.find(SPLIT)
    assert label is not None
    by = _sequence_column(table)
    splits = table.splits()
    groups = [""] * len(table.rows) if group is None else _filled(table, group)
    rows: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for at, key in enumerate(zip(_filled(table, by), groups, splits)):
        rows[key].append(at)
    times = _columns(table, _TIME)
    ordered = _ordered(table, by, rows.values(), times[0] if times else None)
    clips = [
        Clip(
            path,
            _label(table, label, key[0], own),
            split_written(key[2], table.place(table.rows[own[0]])),
            key[1],
            (key[0], n),
        )
        for n, (key, own) in enumerate(zip(rows, ordered))
    ]
    others = {label, group, split if any(splits) else None, *times, *_indices(table)}
    measured = [at for at in range(len(table.names)) if at not in {*others, by}]
    named = [by] if group is None else [by, group]
    long = LongTable(table, clips, ordered, measured, times[0] if times else None, named)
    if group is None:
        return replace(long, clips=_alike(long))
    _check_groups(table, group, clips)
    return long


def _columns(table: Table, names: Sequence[str]) -> list[int]:
    """Return the columns that have some names, those named first before the others."""
    plain = [plain_name(name) for name in table.names]
    return [at for name in names for at, own in enumerate(plain) if own == name]


def _indices(table: Table) -> list[int]:
    """Return the columns that number the rows, or have no name and do."""
    unnamed = [at for at in _columns(table, _UNNAMED) if counts_up(table.cells(at))]
    return unnamed + [at for at in _columns(table, SEQUENCE) if _differs(table, at)]


def _differs(table: Table, column: int) -> bool:
    cells = table.cells(column)
    return len({*cells}) == len(cells)


def _sequence_column(table: Table) -> int:
    """Return the column that says which rows are one sequence."""
    columns = _columns(table, SEQUENCE)
    left = [at for at in columns if not _differs(table, at)]
    if not left:
        raise UserError(
            f"{table.path}: {table.names[columns[0]]} is another on each row, but a column is "
            "needed that says which rows are one sequence, such as sequence or trial"
        )
    if len(left) > 1:
        names = " and ".join(table.names[at] for at in left)
        raise UserError(
            f"{table.path} has the columns {names}, of which each may say "
            "which rows are one sequence: rename or leave out all but one"
        )
    return left[0]


def _label(table: Table, column: int, name: str, rows: np.ndarray) -> str:
    """Return the class of a sequence, that of all its rows."""
    first = table.rows[rows[0]]
    for row in (table.rows[at] for at in rows):
        if not row.cells[column]:
            raise UserError(f"{table.place(row)}: the label of sequence {name} is empty")
        if row.cells[column] != first.cells[column]:
            raise UserError(
                f"{table.path}: sequence {name} has the label {first.cells[column]} in line "
                f"{first.line}, but {row.cells[column]} in line {row.line}: a sequence has one "
                "class, so give each stretch of a class an id of its own"
            )
    return first.cells[column]


def _ordered(
    table: Table, by: int, rows: Iterable[list[int]], time: int | None
) -> list[np.ndarray]:
    """Return the rows of each sequence in their order in time."""
    if time is None:
        return [_unbroken(table, by, np.array(own)) for own in rows]
    times = _times(table, time)
    return [_sorted(table, by, np.array(own), time, times) for own in rows]


def _unbroken(table: Table, by: int, rows: np.ndarray) -> np.ndarray:
    """Return the rows of a sequence as they stand, one after the other."""
    for at in np.flatnonzero(np.diff(rows) > 1).tolist():
        raise UserError(
            f"{_called(table, by, rows)} stands apart, such as in {_two(table, rows, at)}: if that "
            "is one sequence, a column time is needed that says its order, else an id for each"
        )
    return rows


def _sorted(table: Table, by: int, rows: np.ndarray, time: int, times: np.ndarray) -> np.ndarray:
    """Return the rows of a sequence in the order of their times; those that are stay as they are,
    as a clock may be coarser than the steps."""
    if (np.diff(times[rows]) >= 0).all():
        return rows
    rows = rows[np.argsort(times[rows], kind="stable")]
    for at in np.flatnonzero(np.diff(times[rows]) == 0).tolist():
        raise UserError(
            f"{_called(table, by, rows)} has one {table.names[time]} in {_two(table, rows, at)}, "
            "and is not in its order: are these two sequences of one id?"
        )
    return rows


def _called(table: Table, by: int, rows: np.ndarray) -> str:
    return f"{table.path}: {table.names[by]} {table.rows[rows[0]].cells[by]}"


def _two(table: Table, rows: np.ndarray, at: int) -> str:
    return f"lines {table.rows[rows[at]].line} and {table.rows[rows[at + 1]].line}"


def _times(table: Table, column: int) -> np.ndarray:
    """Return what a column says of the order of rows, float64 `[R]`: numbers, dates, times."""
    cells = _filled(table, column)
    lines = [row.line for row in table.rows]
    with suppress(UserError):
        comma = find_comma([(cells, lines)], str(table.path), table.separator)
        times, wrong = read_numbers(cells, comma)
        if not len(wrong) and not np.isnan(times).any():
            return times
    with suppress(ValueError):
        # Sensors tell fractions of a second.
        return np.array([cell.rstrip("Zz") for cell in cells], "datetime64[us]").astype("float64")
    try:
        return read_stamps(cells).times.astype("float64")
    except BadStamp as error:
        raise UserError(
            f"{table.path}: {table.names[column]} says the order of rows, but {error.cell!r} "
            f"{error.problem or 'is no number and no time'}"
        ) from error


def _filled(table: Table, column: int) -> list[str]:
    """Return the cells of a column.

    Raises:
        UserError: one is empty.
    """
    cells = table.cells(column)
    if "" in cells:
        row = table.rows[cells.index("")]
        raise UserError(f"{table.place(row)}: {table.names[column]} is empty")
    return cells


def _check_groups(table: Table, column: int, clips: Sequence[Clip]) -> None:
    """Check that no group is in two splits."""
    first: dict[str, str] = {}
    for clip in clips:
        if (other := first.setdefault(clip.group, clip.split)) != clip.split:
            raise UserError(
                f"{table.path} has the {table.names[column]} {clip.group} in {other or 'no split'} "
                f"and in {clip.split or 'no split'}: sequences of one source must stay together"
            )


def _alike(long: LongTable) -> list[Clip]:
    """Return the clips, those of the same cells in one group."""
    cells = [row.cells for row in long.table.rows]
    clips = []
    for clip, rows in zip(long.clips, long.rows):
        text = "\n".join("\t".join(cells[at][c] for c in long.measured) for at in rows)
        assert clip.array
        free = clip.split in ("", "train")
        key = sha256(text.encode()).hexdigest() if free else f"{clip.split} {clip.array[0]}"
        clips.append(clip._replace(group=key))
    return clips


def _check_constant(long: LongTable, columns: Sequence[int], numbers: np.ndarray) -> None:
    """Check that no column gives the class away, and tell which never change within a sequence.

    Raises:
        UserError: one does: its value is the same throughout each sequence, and of one class.
    """
    labels = [clip.label for clip in long.clips]
    starts = np.stack([numbers[rows[0]] for rows in long.rows])
    still = np.all([(numbers[rows] == numbers[rows[0]]).all(axis=0) for rows in long.rows], axis=0)
    names = [long.table.names[at] for at in columns]
    others = ",".join(name for name, stands in zip(names, still) if not stands)
    for at in np.flatnonzero(still):
        values = {*zip(starts[:, at].tolist(), labels)}
        if len({value for value, _ in values}) == len(values) == len({*labels}):
            raise UserError(
                f"{long.table.path}: {names[at]} is the same throughout each sequence, and another "
                f"in each class: leave the answer out with columns={others}"
            )
    if still.any():
        constant = " and ".join(names[at] for at in np.flatnonzero(still))
        print(
            f"{long.table.path}: {constant} never changes within a sequence: is it to be learned "
            "from? Else choose others with columns",
            file=sys.stderr,
        )


def _chosen(long: LongTable, columns: tuple[str, ...]) -> list[int]:
    """Return the columns that are read."""
    names = long.table.names
    chosen = []
    for column in columns:
        at = long.table.find([column])
        if at is None and column.isdecimal() and 1 <= int(column) <= len(names):
            at = int(column) - 1
        if at is None:
            raise UserError(
                f"{long.table.path} has the columns {', '.join(names)}, but no column {column}"
            )
        chosen.append(at)
    if not chosen and not long.measured:
        raise UserError(f"{long.table.path} has no columns of what was measured")
    return chosen or long.measured


@lru_cache(maxsize=2)
def _numbers(path: Path, changed: int, columns: tuple[str, ...]) -> np.ndarray:
    """Return what was measured, `[R, D]`."""
    long = _long(path, changed)
    table, chosen = long.table, _chosen(long, columns)
    lines = [row.line for row in table.rows]
    cells = {at: table.cells(at) for at in chosen}
    comma = find_comma(((own, lines) for own in cells.values()), str(path), table.separator)
    read = {at: read_numbers(own, comma) for at, own in cells.items()}
    right = [table.names[at] for at, (_, wrong) in read.items() if not len(wrong)]
    for at, (values, wrong) in read.items():
        if len(wrong):
            raise UserError(
                f"{path}, line {lines[wrong[0]]}: {table.names[at]} is {cells[at][wrong[0]]!r}, "
                f"which is no number: name the columns that are measured, such as "
                f"columns={','.join(right)}"
            )
        if np.isnan(values).any():
            line = lines[int(np.isnan(values).argmax())]
            raise UserError(
                f"{path}, line {line}: {table.names[at]} is empty: fill it in, or leave out the row"
            )
    return np.stack([values for values, _ in read.values()], axis=1)
