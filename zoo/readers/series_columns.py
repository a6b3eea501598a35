"""Which columns of a table are dates, values, covariates and names of series."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from zoo.errors import UserError
from zoo.readers.dates import read_stamps
from zoo.readers.frames import Frame

NAME = ("unique_id", "item_id", "series", "id")
TIME = ("ds", "timestamp", "date", "time", "datetime", "month")
VALUE = ("y", "target", "value")
"""What columns may be called, in any case: the first that there is."""


@dataclass(frozen=True)
class Rows:
    """The rows of one series as a file has them.

    Attributes:
        name: of the series.
        place: of its file, for messages.
        lines: int64 `[R]`.
        times: datetime64[s] `[R]`, or None.
        values: float64 `[R]`, NaN where missing.
        others: float64 `[R, C]`, of the columns `Parts.others`.
        static: categories, as written.
    """

    name: str
    place: str
    lines: np.ndarray
    times: np.ndarray | None
    values: np.ndarray
    others: np.ndarray
    static: tuple[str, ...] = ()

    def take(self, order: np.ndarray) -> "Rows":
        """Return some of the rows, or all in another order."""
        times = None if self.times is None else self.times[order]
        return replace(
            self,
            lines=self.lines[order],
            times=times,
            values=self.values[order],
            others=self.others[order],
        )


@dataclass(frozen=True)
class Parts:
    """What the columns of a file are.

    Attributes:
        series: the rows of each.
        others: names of the columns of numbers beside the values.
        static: names of the columns of categories.
        notes: what was taken for what.
    """

    series: list[Rows]
    others: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chosen:
    """The columns that a person names for a part.

    Attributes:
        target: the values; "" for what is usual.
        known: what is known ahead.
        past: of which only the past is known.
        static: categories.
    """

    target: str = ""
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    static: tuple[str, ...] = ()


@dataclass
class _Columns:
    """The places of columns that are no values."""

    others: list[int] = field(default_factory=list)
    static: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_parts(frame: Frame, chosen: Chosen) -> Parts:
    """Read a table whose rows are a step of one series (long), or of all (wide).

    Raises:
        UserError: it is neither, or there is no column of a name that is chosen.
    """
    time = frame.find(TIME)
    times = None if time is None else read_stamps(frame.columns[time])
    if time is not None and times is None:
        raise UserError(f"{frame.path}: the column {frame.names[time]} holds no dates")
    value = frame.index(chosen.target) if chosen.target else frame.find(VALUE)
    name = frame.find(NAME)
    columns = _Columns(
        [frame.index(each) for each in (*chosen.known, *chosen.past)],
        [frame.index(each) for each in chosen.static],
    )
    used = {time, value, name, *columns.others, *columns.static}
    rest = [at for at in range(len(frame.names)) if at not in used]
    if value is None:
        return _wide(frame, times, columns, rest)
    groups = _groups(frame.columns[name]) if name is not None else {}
    groups = groups or {frame.names[value]: np.arange(len(frame.lines))}
    return _long(frame, times, value, groups, columns, rest)


def _wide(frame: Frame, times: np.ndarray | None, columns: _Columns, rest: list[int]) -> Parts:
    """Return a series a column; covariates are of all of them."""
    covariates = frame.matrix(columns.others)
    series = [
        Rows(frame.names[at], str(frame.path), frame.lines, times, frame.numbers(at), covariates)
        for at in rest
        if frame.are_numbers(at)
    ]
    if not series:
        raise UserError(f"{frame.path} has no column of numbers: expected one at least")
    notes = [
        f"the column {frame.names[at]} is left out: it holds no numbers"
        for at in rest
        if not frame.are_numbers(at)
    ]
    return Parts(series, tuple(frame.names[at] for at in columns.others), notes=tuple(notes))


def _long(
    frame: Frame,
    times: np.ndarray | None,
    value: int,
    groups: dict[str, np.ndarray],
    columns: _Columns,
    rest: list[int],
) -> Parts:
    """Return the rows of each series, with what else the columns hold."""
    for at in rest:
        _sort_out(frame, at, groups, columns)
    whole = Rows(
        "",
        str(frame.path),
        frame.lines,
        times,
        frame.numbers(value),
        frame.matrix(columns.others),
    )
    series = [
        replace(
            whole.take(rows),
            name=name,
            static=tuple(_category(frame, at, rows, name) for at in columns.static),
        )
        for name, rows in groups.items()
    ]
    others, static = (
        tuple(frame.names[at] for at in part) for part in (columns.others, columns.static)
    )
    return Parts(series, others, static, tuple(columns.notes))


def _sort_out(frame: Frame, at: int, groups: dict[str, np.ndarray], columns: _Columns) -> None:
    """Find out what a column is that nobody has named."""
    cells = np.array(frame.columns[at], object)
    constant = all((cells[rows] == cells[rows[0]]).all() for rows in groups.values())
    numbers = frame.are_numbers(at)
    if constant and len(groups) > 1:
        columns.static.append(at)
    elif numbers and not constant:
        columns.others.append(at)
    else:
        why = "is the same in all rows" if constant else "holds texts that vary within a series"
        columns.notes.append(f"the column {frame.names[at]} is left out: it {why}")


def _category(frame: Frame, at: int, rows: np.ndarray, name: str) -> str:
    """Return the category of a series.

    Raises:
        UserError: it has several.
    """
    cells = [frame.columns[at][row] for row in rows]
    if other := next((row for row, cell in enumerate(cells) if cell != cells[0]), None):
        raise UserError(
            f"{frame.place(rows[other])}: {frame.names[at]} is {cells[other]!r}, but was "
            f"{cells[0]!r} before for {name}: a static column has one value a series"
        )
    return cells[0]


def _groups(names: list[str]) -> dict[str, np.ndarray]:
    """Return the rows of each series, in the order in which they come first."""
    ids: dict[str, int] = {}
    codes = np.array([ids.setdefault(name, len(ids)) for name in names])
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(ids) + 1))
    return dict(zip(ids, (order[a:b] for a, b in pairwise(bounds))))
