"""The rows of series, and tables with a series in each row, as those of the M4 competition."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from zoo.errors import UserError
from zoo.readers.dates import BadStamp, Stamps, look_like_dates, read_stamps
from zoo.readers.frames import counts_up, plain_name
from zoo.readers.tables import Row, Rows
from zoo.readers.written_numbers import MISSING, comma_notes, find_comma, is_number, read_numbers

NAME = ("uniqueid", "itemid", "seriesid", "series", "id", "tsid", "seriesname")
TIME = (
    "ds", "timestamp", "datetime", "date", "time", "month", "quarter", "week", "day", "year",
    "period", "observationdate", "timehour", "datum", "fecha", "zeit",
)  # fmt: skip
VALUE = ("y", "target", "value")
"""What columns may be called, as `zoo.readers.frames.plain_name` has it: the first there is."""

_LOOKED_AT = 100
_LIKE_A_DATE = re.compile(r"\b(19|20)\d\d\b|\b\d{1,2}[-/.:]\d\d")


@dataclass(frozen=True)
class SeriesRows:
    """The rows of one series as a file has them.

    Attributes:
        name: of the series.
        place: of its file, for messages.
        lines: int64 `[R]`.
        stamps: the times of the rows; None where there are none.
        values: float64 `[R]`, NaN where missing.
        others: float64 `[R, C]`, of the columns `Parts.others`.
        static: categories, as written.
    """

    name: str
    place: str
    lines: np.ndarray
    stamps: Stamps | None
    values: np.ndarray
    others: np.ndarray
    static: tuple[str, ...] = ()

    @property
    def times(self) -> np.ndarray:
        """Return the times, datetime64[s] `[R]`."""
        assert self.stamps is not None
        return self.stamps.times

    def take(self, order: np.ndarray) -> "SeriesRows":
        """Return some of the rows, or all in another order."""
        stamps = self.stamps and self.stamps._replace(times=self.stamps.times[order])
        return replace(
            self,
            lines=self.lines[order],
            stamps=stamps,
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

    series: list[SeriesRows]
    others: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def has_series_in_rows(rows: list[Row], target: str = "") -> bool:
    """Return whether each row is a series: first texts, a name of its own, and then numbers."""
    width = _texts(rows)
    first = [plain_name(cell) for cell in rows[0].cells]
    if not width or target.lower() in (name.lower() for name in rows[0].cells):
        return False
    if first[0] in TIME or any(name in VALUE for name in first):
        return False
    names = [row.cells[0] for row in rows]
    return len(set(names)) == len(names)


def read_series_in_rows(path: Path, table: Rows) -> Parts:
    """Read a table with a series in each row, of any length.

    The first column has names, further ones of texts before the numbers hold categories. The first
    row may say what the columns are called: dates are the times of the values. Blank cells at the
    end of a row are no part of it.

    Raises:
        UserError: a cell is no number; or only some names of columns are dates.
    """
    separator, rows = table.separator, table.rows
    width = _texts(rows)
    head = rows[0].cells
    named = _are_names(head, width)
    body = rows[named:]
    cells_and_lines = ((row.cells[width:], [row.line] * len(row.cells)) for row in body)
    comma = find_comma(cells_and_lines, str(path), separator)
    stamps = _header_times(path, head[width:]) if named else None
    if 2 * sum(bool(_LIKE_A_DATE.search(row.cells[0])) for row in body) > len(body):
        raise UserError(
            f"{path}, line {body[0].line}: {body[0].cells[0]!r} looks like a date, but is none "
            "that can be read: write dates such as 2024-02-29"
        )
    series = []
    for row in body:
        cells = row.cells[width:]
        values, wrong = read_numbers(cells, comma)
        if len(wrong):
            raise UserError(
                f"{path}, line {row.line}: the value {wrong[0] + 1} of {row.cells[0]} is "
                f"{cells[wrong[0]]!r}, but a finite number is needed, or nothing"
            )
        if stamps and len(values) > len(stamps.times):
            raise UserError(
                f"{path}, line {row.line} has {len(values)} values, but the first row "
                f"{len(stamps.times)} dates"
            )
        times = stamps and stamps._replace(times=stamps.times[: len(values)])
        series.append(
            SeriesRows(
                row.cells[0],
                str(path),
                np.full(len(values), row.line),
                times,
                values,
                np.zeros((len(values), 0)),
                tuple(row.cells[1:width]),
            )
        )
    static = tuple(head[1:width]) if named else tuple(str(at + 1) for at in range(1, width))
    notes = (
        "each row was read as a series",
        *(stamps.notes if stamps else ()),
        *comma_notes(comma),
    )
    return Parts(series, static=static, notes=notes)


def _texts(rows: list[Row]) -> int:
    """Return how many columns of texts there are before those of numbers; 0 if it is no such table.

    A first row of names says nothing.
    """
    sample = rows[1:_LOOKED_AT] or rows
    widths = {_leading_texts(row.cells) for row in sample}
    width = min(widths)
    if not width or any(not _are_numbers(row.cells[width:]) for row in sample):
        return 0
    return width


def _leading_texts(cells: list[str]) -> int:
    return next(
        (
            at
            for at, cell in enumerate(cells)
            if cell.lower() in MISSING or is_number(cell) or look_like_dates([cell])
        ),
        len(cells),
    )


def _are_numbers(cells: list[str]) -> bool:
    present = [cell for cell in cells[:_LOOKED_AT] if cell.lower() not in MISSING]
    return all(map(is_number, present)) and any(cell for cell in cells)


def _are_names(head: Sequence[str], width: int) -> bool:
    """Return whether the first row names columns: it has no numbers, years, or counts up."""
    cells = [cell for cell in head[width:] if cell]
    if not all(map(is_number, cells)) or counts_up(cells):
        return True
    if len(cells) < 2 or not all(map(str.isdecimal, cells)):
        return False
    steps = {int(after) - int(before) for before, after in pairwise(cells)}
    names_rows = plain_name(head[0]) in ("", "name", *NAME)
    return steps == {1} and (names_rows or all(len(cell) == 4 for cell in cells))


def _header_times(path: Path, cells: Sequence[str]) -> Stamps | None:
    """Return the dates of a first row; None if it has none.

    Raises:
        UserError: only some of its cells are dates.
    """
    cells = [cell for cell in cells if cell]
    if not cells or not look_like_dates(cells, digits=True):
        return None
    try:
        stamps = read_stamps(cells)
    except BadStamp as error:
        raise UserError(
            f"{path}, line 1: the name of a column is {error.cell!r}, which "
            f"{error.problem or 'is no date'}: expected dates over all values"
        ) from error
    return None if stamps.numbered else stamps
