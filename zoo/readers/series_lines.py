"""Series that come line by line: a step on each, with its time or without."""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np

from zoo.errors import UserError
from zoo.readers.dates import BadStamp, read_stamps
from zoo.readers.frames import plain_name
from zoo.readers.frequency import Frequency
from zoo.readers.series_rows import TIME, VALUE
from zoo.readers.tables import number
from zoo.readers.written_numbers import MISSING

_SEPARATORS = ";\t|,"
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
"""A number of thousands, or one with a decimal comma."""
_LONGEST_GAP = 100_000
"""Steps that may be missing between two lines."""


def series_rows(texts: Iterable[str], name: str, options: dict[str, Any]) -> Iterator[np.ndarray]:
    """Read the steps of a series as they come, raw rows `[N, 2 + K + P + S]`, see
    `zoo.readers.series_inputs.SeriesModality`.

    Args:
        texts: pieces of a text, cut anywhere.
        name: what to call it in errors.
        options: of the modality.

    Raises:
        UserError: a line is no step, see `SeriesLines`.

    Example:
        >>> [rows.tolist() for rows in series_rows(["1\\n2", ".5\\n"], "a test", {})]
        [[[nan, 1.0]], [[nan, 2.5]]]
    """
    lines, rest = SeriesLines(name, options), ""
    # What is left at the end is a line, too.
    for text in chain(texts, "\n"):
        *whole, rest = (rest + text).split("\n")
        if rows := [rows for rows in map(lines.read, whole) if len(rows)]:
            yield np.concatenate(rows)


class SeriesLines:
    """Reads a series line by line: `time,value` or `value`, then the model's covariates.

    - After the value come the covariates that are known ahead, those of the past, and the
      categories, in the model's order; or a first line names the columns, in any order.
    - A semicolon, tab, bar or comma sets cells apart. One is empty, or `NA`, where it is missing.
    - Blank lines are left out.
    - Of a model with a frequency, steps between two times are filled in as missing.

    Args:
        name: where the lines come from, for errors.
        options: of the modality.

    Example:
        >>> hourly = {"frequency": {"unit": "second", "count": 3600}}
        >>> lines = SeriesLines("a test", hourly)
        >>> rows = [lines.read(f"2024-01-01 {time}") for time in ("00:00,5", "02:00,6")]
        >>> [row[:, 1].tolist() for row in rows]
        [[5.0], [nan, 6.0]]
    """

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.name, self.line = name, 0
        parts = [[*options.get(part, ())] for part in ("known", "past", "static")]
        known, past, static = parts
        self._numbers, self._static = [*known, *past], static
        self._ids = category_ids(options)
        self._target = options.get("target", "")
        frequency = options.get("frequency")
        self._frequency = Frequency.from_json(frequency) if frequency else None
        self._separator, self._width, self._places = "", 0, [0]
        self._is_dated = False
        self._before: np.datetime64 | None = None

    def read(self, line: str) -> np.ndarray:
        """Return the steps of the next line, float64 `[N, 2 + K + P + S]`.

        There is none where it is blank or has names, one, or more where steps are missing before.

        Raises:
            UserError: it is no step: a number or a time cannot be read, there are more or fewer
                cells, or its time does not follow on the one before.
        """
        self.line += 1
        if not line.strip():
            return self._none
        if not self._width:
            self._separator = next(filter(line.__contains__, _SEPARATORS), "")
            cells = self._cells(line)
            self._width = len(cells)
            if self._is_heading(cells):
                self._take_names(cells)
                return self._none
            self._take_order(len(cells))
        cells = self._cells(line)
        if len(cells) != self._width:
            raise self._refusal(f"has {len(cells)} cells, but the first line has {self._width}")
        time, *others = ([""] if not self._is_dated else []) + [cells[at] for at in self._places]
        row = self._row(others)
        if not self._is_dated:
            return np.concatenate([[np.nan], row])[None]
        return self._dated(time, row)

    @property
    def _none(self) -> np.ndarray:
        return np.zeros((0, 2 + len(self._numbers) + len(self._static)))

    def _cells(self, line: str) -> list[str]:
        if not self._separator:
            return [line.strip().strip('"')]
        if '"' in line:
            return [cell.strip() for cell in next(csv.reader([line], delimiter=self._separator))]
        return [cell.strip() for cell in line.split(self._separator)]

    def _is_heading(self, cells: list[str]) -> bool:
        """Return whether no cell is a number, a date or missing."""
        return not any(
            cell.lower() in MISSING or number(cell, ";") is not None or _is_time(cell)
            for cell in cells
        )

    def _take_order(self, count: int) -> None:
        """Find the columns of lines without names."""
        undated = 1 + len(self._numbers) + len(self._static)
        if count not in (undated, undated + 1):
            wanted = ", ".join(["value", *self._numbers, *self._static])
            raise self._refusal(
                f"has {count} cells, but {undated} are needed ({wanted}), or {undated + 1} with "
                "the time before them"
            )
        self._is_dated, self._places = count > undated, list(range(count))

    def _take_names(self, cells: list[str]) -> None:
        """Find the columns by the names of the first line."""
        lower = [cell.lower() for cell in cells]
        wanted = [name.lower() for name in (*self._numbers, *self._static)]
        if missing := [name for name in wanted if name not in lower]:
            raise self._refusal(f"names no column {', '.join(missing)}, which the model needs")
        rest = [name for name in lower if name not in wanted]
        times = [name for name in rest if plain_name(name) in TIME]
        usual = [name for name in rest if plain_name(name) in VALUE]
        targets = [self._target.lower()] if self._target else usual
        values = [name for name in rest if name in targets]
        # A name of one's own, where no other column can be meant.
        values = values or [name for name in rest if name not in times]
        if not self._target and len(rest) == 2 and not times and len(values) == 2:
            times, values = values[:1], values[1:]
        if not values or (len(values) > 1 and values[0] not in targets):
            raise self._refusal(f"names {', '.join(cells)}: which is the value cannot be told")
        names = [*times[:1], values[0], *wanted]
        self._is_dated, self._places = bool(times), [lower.index(name) for name in names]

    def _row(self, cells: list[str]) -> np.ndarray:
        """Return the value, the covariates and the ids of categories."""
        count = 1 + len(self._numbers)
        ids = [known.get(cell, 0) for known, cell in zip(self._ids, cells[count:])]
        return np.array([*map(self._number, cells[:count]), *ids], "float64")

    def _number(self, cell: str) -> float:
        value = np.nan if cell.lower() in MISSING else number(cell, self._separator or ";")
        if _EITHER.fullmatch(cell):
            raise self._refusal(f"has {cell!r}: write no mark between thousands")
        if value is None or np.isinf(value):
            raise self._refusal(
                f"has {cell!r}, but a finite number is needed, or nothing where it is missing"
            )
        return float(value)

    def _dated(self, cell: str, row: np.ndarray) -> np.ndarray:
        """Return a step with its time, and before it those that were left out."""
        time = self._time(cell)
        steps = self._missing_times(time, cell)
        self._before = time
        seconds = np.array([*steps, time], "datetime64[s]").astype("int64")
        rows = np.full((len(seconds), 1 + len(row)), np.nan)
        rows[:, 0], rows[-1, 1:] = seconds, row
        # A category does not change with time.
        first = len(row) + 1 - len(self._static)
        rows[:, first:] = rows[-1, first:]
        return rows

    def _time(self, cell: str) -> np.datetime64:
        try:
            stamps = read_stamps([cell])
        except BadStamp as error:
            problem = error.problem or "is no time"
            raise self._refusal(f"has {cell!r}, which {problem}: write 2024-02-29 12:00") from error
        if stamps.numbered:
            raise self._refusal(f"has {cell!r}, which is no time: write 2024-02-29 12:00")
        return stamps.times[0]

    def _missing_times(self, time: np.datetime64, cell: str) -> np.ndarray:
        """Return the times between the line before and this one.

        Raises:
            UserError: this one is no later, or no whole number of steps later, or too much later.
        """
        if self._before is None or self._frequency is None:
            return np.zeros(0, "datetime64[s]")
        if time <= self._before:
            raise self._refusal(f"has {cell}, which is not after the time of the line before it")
        ahead = 1
        while (last := self._frequency.after(self._before, ahead)) < time and ahead < _LONGEST_GAP:
            ahead *= 2
        times = self._frequency.after(self._before, np.arange(1, ahead + 1))
        if last < time or time not in times:
            raise self._refusal(
                f"has {cell}, which is no whole number of steps after the line before it, of a "
                f"series that is {self._frequency.name}"
            )
        return times[times < time]

    def _refusal(self, problem: str) -> UserError:
        return UserError(f"{self.name}, line {self.line} {problem}")


def category_ids(options: dict[str, Any]) -> list[dict[str, int]]:
    """Return the ids of the known categories of each static column; 0 is any other.

    Example:
        >>> category_ids({"categories": [["north", "south"]]})
        [{'north': 1, 'south': 2}]
    """
    categories = options.get("categories", ())
    return [{name: at + 1 for at, name in enumerate(names)} for names in categories]


def _is_time(cell: str) -> bool:
    try:
        return bool(len(read_stamps([cell]).times))
    except BadStamp as error:
        # Of what is like a date, but is none, the reading of the line says what is wrong.
        return bool(error.problem)
