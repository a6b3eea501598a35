"""Finds when the rows of a table were: the column of dates, or several."""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from zoo.errors import UserError
from zoo.readers.dates import BadStamp, Stamps, are_digits, look_like_dates, read_stamps
from zoo.readers.frames import Frame, plain_name
from zoo.readers.series_rows import TIME
from zoo.readers.written_numbers import read_numbers

_CLOCK = re.compile(r"\d{1,2}([:.]\d\d){1,2}( ?[AaPp][Mm])?")
_CLOCK_NAMES = ("time", "hour", "zeit", "uhrzeit", "heure", "hora", "ora")
_HOUR = re.compile(r"[01]?\d|2[0-3]")
_HOUR_NAMES = ("hour", "hr", "hourofday")
_HAS_CLOCK = re.compile(r"[T ]\d{1,2}[:.]\d\d")
_NUMBERED = (
    "ds", "timestamp", "time", "date", "year", "month", "week", "day", "hour", "period", "step",
)  # fmt: skip
"""Columns of digits that may be years, seconds or numbers of steps."""


def find_stamps(
    frame: Frame, taken: Iterable[int | None], notes: list[str]
) -> tuple[Stamps | None, set[int]]:
    """Return the times of the rows, and the columns that hold them.

    Raises:
        UserError: a cell is no date. Its line is named.
    """
    parts = [frame.find([name]) for name in ("year", "month", "day", "hour")]
    if parts[0] is not None and parts[1] is not None and not set(parts[:2]) & set(taken):
        held = [at for at in parts if at is not None]
        if all(map(frame.are_numbers, held)) and _usual_time(frame, (*held, *taken)) is None:
            return _read_stamps(frame, [_joined(cells) for cells in zip(
                *(frame.columns[at] for at in held)
            )], notes), set(held)  # fmt: skip
    time = _usual_time(frame, taken)
    steps = frame.find(_NUMBERED)
    if time is None and steps not in (None, *taken) and _are_equal_steps(frame, steps or 0):
        notes.append(f"{frame.names[steps or 0]} has equal steps, but no dates, and was left out")
        return None, {steps or 0}
    if time is None:
        notes.append("there is no column of dates: the rows were taken in their order")
        return None, set()
    cells, used = frame.columns[time], {time}
    clock = _clock(frame, {time, *taken})
    if clock is not None and not _HAS_CLOCK.search(cells[0]):
        cells = [f"{day} {hour}" for day, hour in zip(cells, frame.columns[clock])]
        used.add(clock)
    return _read_stamps(frame, cells, notes, frame.names[time]), used


def _clock(frame: Frame, taken: set[int | None]) -> int | None:
    """Return the column of the times of the day: with colons, or called so; or of hours."""
    for at, cells in enumerate(frame.columns):
        name = plain_name(frame.names[at])
        if at in taken:
            continue
        if _CLOCK.fullmatch(cells[0]) and (":" in cells[0] or name in _CLOCK_NAMES):
            return at
        if name in _HOUR_NAMES and all(map(_HOUR.fullmatch, cells)):
            return at
    return None


def _are_equal_steps(frame: Frame, column: int) -> bool:
    """Return whether a column has numbers that increase by equal steps, as seconds do."""
    values = read_numbers(frame.columns[column])[0]
    steps = np.diff(values)
    return len(steps) > 1 and steps[0] > 0 and bool(np.allclose(steps, steps[0], rtol=1e-3))


def _joined(cells: Sequence[str]) -> str:
    """Return a date of its numbers.

    Example:
        >>> _joined(("2024", "2", "29", "7"))
        '2024-02-29 07:00'
    """
    date = "-".join(cell.zfill(2) for cell in cells[:3])
    return f"{date} {cells[3].zfill(2)}:00" if len(cells) > 3 else date


def _usual_time(frame: Frame, taken: Iterable[int | None]) -> int | None:
    """Return the column of dates, by its name, or else by what it holds.

    Raises:
        UserError: a column is called so, but holds none, and no other does.
    """
    free = [at for at in range(len(frame.names)) if at not in set(taken)]
    named = [at for name in TIME if (at := frame.find([name])) in free and at is not None]
    for at in named:
        if look_like_dates(frame.columns[at]):
            return at
    if dated := [at for at in free if look_like_dates(frame.columns[at])]:
        return dated[0]
    for at in named:
        cells = frame.columns[at]
        if frame.names[at].lower() in _NUMBERED and are_digits(cells):
            return at
    if wrong := [at for at in named if not frame.are_numbers(at)]:
        raise UserError(
            f"{frame.place(0)}: {frame.names[wrong[0]]} is {frame.columns[wrong[0]][0]!r}, which "
            "is no date: write dates such as 2024-02-29, or call the column something else"
        )
    return None


def _read_stamps(frame: Frame, cells: list[str], notes: list[str], name: str = "date") -> Stamps:
    try:
        stamps = read_stamps(cells)
    except BadStamp as error:
        problem = error.problem or "is no date"
        cell = f"is {error.cell!r}, which {problem}" if error.cell else problem
        raise UserError(f"{frame.place(cells.index(error.cell))}: {name} {cell}") from error
    if stamps.numbered:
        notes.append(f"{name} was read as numbers of steps, not as dates")
    notes += stamps.notes
    return stamps
