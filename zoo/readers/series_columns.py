"""Which columns of a table are dates, values, covariates and names of series."""

from dataclasses import dataclass, field, replace
from itertools import pairwise, repeat
from typing import Any

import numpy as np

from zoo.errors import UserError
from zoo.readers.dates import MONTHS, Stamps
from zoo.readers.frames import Frame, plain_name
from zoo.readers.series_rows import NAME, VALUE, Parts, SeriesRows
from zoo.readers.series_times import find_stamps
from zoo.readers.written_numbers import comma_notes

_CALENDAR = frozenset((
    "timestamp", "unixtimestamp", "unixtime", "epoch", "year", "month", "day", "hour", "minute",
    "quarter", "week", "weekday", "dow", "dayofweek", "dayofmonth", "dayofyear", "weekofyear",
    "monthofyear", "hourofday",
))  # fmt: skip
"""Columns that say no more than the date, where there is one."""


@dataclass(frozen=True)
class Chosen:
    """The columns that a person names for a part.

    Attributes:
        target: the values; "" for what is usual.
        known: what is known ahead.
        past: of which only the past is known.
        static: categories.
        series: which series a row is of; none for what is usual.
    """

    target: str = ""
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    series: tuple[str, ...] = ()


@dataclass
class _Columns:
    """The places of columns that are no values."""

    others: list[int] = field(default_factory=list)
    static: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_columns(frame: Frame, chosen: Chosen, alone: str = "") -> Parts:
    """Read a table whose rows are a step of one series (long), or of all (wide).

    Args:
        frame: the table.
        chosen: the parts of columns that a person names.
        alone: what to call a series that the table has no name for; "" for that of its column.

    Raises:
        UserError: it is neither, or there is no column of a name that is chosen.
    """
    columns = _Columns(
        [frame.index(each) for each in (*chosen.known, *chosen.past)],
        [frame.index(each) for each in chosen.static],
        list(frame.notes),
    )
    value = frame.index(chosen.target) if chosen.target else frame.find(VALUE)
    named = [frame.index(each) for each in chosen.series]
    _check_once(frame, [*columns.others, *columns.static, *([value] if chosen.target else [])])
    taken = {value, *named, *columns.others, *columns.static}
    stamps, used = find_stamps(frame, taken, columns.notes)
    name = frame.find(NAME)
    if not named and name is not None and name not in taken | used:
        named = [name]
    rest = [at for at in range(len(frame.names)) if at not in taken | used | set(named)]
    rest = _without_content(frame, rest, stamps is not None, columns.notes)
    if named == [name] and not chosen.series and _number_rows(frame, stamps, named[0]):
        columns.notes.append(f"the column {frame.names[named[0]]} is left out: it numbers the rows")
        named = []
    texts = [at for at in sorted((*rest, *columns.static)) if not frame.are_numbers(at)]
    if not named and stamps and texts and not _are_unique(stamps, frame, []):
        named = _names_of_series(frame, stamps, texts)
        rest = [at for at in rest if at not in named]
        title = ", ".join(frame.names[at] for at in named)
        columns.notes.append(f"dates come more than once: series are told apart by {title}")
    if value is None and named:
        value = _only_number(frame, rest)
        rest.remove(value)
    if value is None:
        parts = _wide(frame, stamps, columns, rest)
    else:
        parts = _long(frame, stamps, value, named, columns, rest, alone)
    return replace(parts, notes=(*parts.notes, *comma_notes(frame.comma)))


def _check_once(frame: Frame, places: list[int | None]) -> None:
    """Check that no column is chosen for two parts.

    Raises:
        UserError: one is.
    """
    for at in places:
        if at is not None and places.count(at) > 1:
            raise UserError(
                f"the column {frame.names[at]} cannot be two of target, known, past and static: "
                "name it once"
            )


def _without_content(frame: Frame, places: list[int], dated: bool, notes: list[str]) -> list[int]:
    """Return columns without those that are empty, or say the time where dates do; note which."""
    remaining = []
    for at in places:
        if dated and plain_name(frame.names[at]) in _CALENDAR:
            notes.append(f"the column {frame.names[at]} is left out: it says the time once more")
        elif frame.are_empty(at):
            notes.append(f"the column {frame.names[at]} is left out: it has no value")
        else:
            remaining.append(at)
    return remaining


def _are_unique(stamps: Stamps, frame: Frame, named: list[int]) -> bool:
    """Return whether each date comes once for each combination of cells of some columns."""
    cells = zip(stamps.times.tolist(), *(frame.columns[at] for at in named))
    return len(set(cells)) == len(stamps.times)


def _number_rows(frame: Frame, stamps: Stamps | None, column: int) -> bool:
    """Return whether a column has another cell in each row, of one series by its dates."""
    cells = frame.columns[column]
    return (
        stamps is not None and 1 < len(cells) == len(set(cells)) and _are_unique(stamps, frame, [])
    )


def _names_of_series(frame: Frame, stamps: Stamps, texts: list[int]) -> list[int]:
    """Return the fewest columns of texts by which each date comes once, as far as there are any."""
    for at in texts:
        if _are_unique(stamps, frame, [at]):
            return [at]
    named = list(texts)
    for at in reversed(texts):
        fewer = [other for other in named if other != at]
        if _are_unique(stamps, frame, fewer):
            named = fewer
    return named


def _only_number(frame: Frame, rest: list[int]) -> int:
    """Return the only column of numbers.

    Raises:
        UserError: there are several, or none.
    """
    numbers = [at for at in rest if frame.are_numbers(at)]
    if len(numbers) != 1:
        names = ", ".join(frame.names[at] for at in numbers) or "no column of numbers"
        raise UserError(
            f"{frame.path} has a row for each step of each series, and {names}: say which column "
            "holds the values, as in target=sales"
        )
    return numbers[0]


def _wide(frame: Frame, stamps: Stamps | None, columns: _Columns, rest: list[int]) -> Parts:
    """Return a series a column; covariates are of all of them."""
    if columns.static:
        raise UserError(
            f"{frame.path} has a column a series, in which {frame.names[columns.static[0]]} cannot "
            "be a category of one: name the column of the values, as in target=sales"
        )
    covariates = frame.matrix(columns.others)
    numbers = [at for at in rest if frame.are_numbers(at)]
    for at in rest:
        if at not in numbers:
            columns.notes.append(f"the column {frame.names[at]} is left out: it holds no numbers")
    if not numbers:
        raise UserError(f"{frame.path} has no column of numbers: expected one at least")
    if {frame.names[at][:3].lower() for at in numbers} >= set(MONTHS):
        raise UserError(
            f"{frame.path} has a column for each month of a year: write a row for each month"
        )
    place = str(frame.path)
    series = [
        SeriesRows(frame.names[at], place, frame.lines, stamps, frame.numbers(at), covariates)
        for at in numbers
    ]
    if len(series) > 1:
        columns.notes.append(
            f"each of the {len(series)} columns was read as a series; to forecast one from the "
            f"others, name it, as in target={series[-1].name}"
        )
        columns.notes += _half_filled(series)
    return Parts(series, tuple(frame.names[at] for at in columns.others), (), tuple(columns.notes))


def _half_filled(series: list[SeriesRows]) -> list[str]:
    """Return a note of columns that run on where all others have ended together."""
    ends = np.array([np.flatnonzero(~np.isnan(each.values))[-1] for each in series])
    last = [each.name for each, end in zip(series, ends) if end == ends.max()]
    if len(np.unique(ends)) != 2:
        return []
    return [
        f"{', '.join(last[:5])} run on for {ends.max() - ends.min()} rows after the others: if "
        f"they are known ahead, say so, as in known={last[0]}"
    ]


def _long(
    frame: Frame,
    stamps: Stamps | None,
    value: int,
    named: list[int],
    columns: _Columns,
    rest: list[int],
    alone: str,
) -> Parts:
    """Return the rows of each series, with what else the columns hold."""
    names = ["/".join(cells) for cells in zip(*(frame.columns[at] for at in named))]
    groups = _groups(names) if named else {alone or frame.names[value]: slice(None)}
    if len(named) > 1:
        columns.static += [at for at in named if at not in columns.static]
    for at in rest:
        _sort_out(frame, at, groups, columns)
    values, others = frame.numbers(value), frame.matrix(columns.others)
    whole = SeriesRows("", str(frame.path), frame.lines, stamps, values, others)
    static = zip(*(_categories(frame, at, groups) for at in columns.static))
    series = [
        replace(whole.take(rows), name=name, static=texts)
        for (name, rows), texts in zip(groups.items(), static if columns.static else repeat(()))
    ]
    other_names, static_names = (
        tuple(frame.names[at] for at in part) for part in (columns.others, columns.static)
    )
    return Parts(series, other_names, static_names, tuple(columns.notes))


def _sort_out(frame: Frame, at: int, groups: dict[str, Any], columns: _Columns) -> None:
    """Find out what a column is that nobody has named."""
    cells = np.array(frame.columns[at], object)
    constant = all((cells[rows] == cells[rows][0]).all() for rows in groups.values())
    if constant and len(groups) > 1:
        columns.static.append(at)
    elif frame.are_numbers(at) and not constant:
        columns.others.append(at)
    else:
        why = "is the same in all rows" if constant else "holds texts that vary within a series"
        columns.notes.append(f"the column {frame.names[at]} is left out: it {why}")


def _categories(frame: Frame, at: int, groups: dict[str, Any]) -> list[str]:
    """Return the category of each series.

    Raises:
        UserError: one has several.
    """
    column, categories = np.array(frame.columns[at], object), []
    for name, rows in groups.items():
        cells = column[rows]
        if len(other := np.flatnonzero(cells != cells[0])):
            line = frame.lines[rows][other[0]]
            raise UserError(
                f"{frame.path}, line {line}: {frame.names[at]} is {cells[other[0]]!r}, but was "
                f"{cells[0]!r} before for {name}: a static column has one value a series"
            )
        categories.append(cells[0])
    return categories


def _groups(names: list[str]) -> dict[str, Any]:
    """Return the rows of each series, in the order in which they come first."""
    ids: dict[str, int] = {}
    codes = np.array([ids.setdefault(name, len(ids)) for name in names])
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(ids) + 1))
    return dict(zip(ids, (order[a:b] for a, b in pairwise(bounds))))
