"""Reads the dates and times of a column of a table, in the forms that people write them."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from zoo.readers.clocks import CLOCK, BadStamp, numbers_of, read_clocks, seconds_of
from zoo.readers.frequency import DAY, month_length

MONTHS = {name: at + 1 for at, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
)}  # fmt: skip
_NAME = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_SHORTEST_DATE = 6
_FORMS = [
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})",
        r"(?P<first>\d{1,2})(?P<mark>[-/.])(?P<then>\d{1,2})(?P=mark)(?P<year>\d{4})",
        rf"(?P<day>\d{{1,2}})[-/. ]*(?P<name>{_NAME})[-/., ]*(?P<year>\d{{4}})",
        rf"(?P<name>{_NAME})[-/. ]+(?P<day>\d{{1,2}})[, ]+(?P<year>\d{{4}})",
        rf"(?P<name>{_NAME})[-/., ]*(?P<year>\d{{4}})",
        rf"(?P<year>\d{{4}})[-/. ]*(?P<name>{_NAME})",
        r"(?P<year>\d{4})[-/: ]*Q(?P<quarter>[1-4])",
        r"Q(?P<quarter>[1-4])[-/: ]*(?P<year>\d{4})",
        r"(?P<year>\d{4})[- ]*W(?P<week>\d\d?)(?:-(?P<weekday>[1-7]))?",
        r"(?P<year>\d{4})(?:[-/.]|\s?M)(?P<month>\d{1,2})",
        r"(?P<month>\d{1,2})[-/](?P<year>\d{4})",
    )
]
_DIGITS = [
    re.compile(form)
    for form in (
        r"(?P<year>[12]\d{3})",
        r"(?P<year>[12]\d{3})(?P<month>0[1-9]|1[0-2])",
        r"(?P<year>[12]\d{3})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])",
        r"(?P<year>19\d\d|20\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])"
        r"(?P<hour>[01]\d|2[0-3])(?:(?P<minute>[0-5]\d)(?P<second>[0-5]\d)?)?",
    )
]
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?")
_ISO_UTC = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.0+)?(?:Z|[+-]00:?00)?")
_SHORT_YEAR = re.compile(
    rf"(\d{{1,2}}[-/.]\d{{1,2}}|(\d{{1,2}}[-/. ])?({_NAME}))[-/. ]\d\d( .*)?", re.IGNORECASE
)
_DECIMAL_YEAR = re.compile(r"(1[5-9]|20|21)\d\d(\.\d+)?")
_WHOLE = re.compile(r"(\d+)(?:\.0+)?")
_EXCEL_DAYS = re.compile(r"[2-5]\d{4}")
_EPOCHS = {10: 1, 13: 10**3, 16: 10**6, 19: 10**9}
"""How many digits there are in seconds, milliseconds and so on since 1970."""


class Stamps(NamedTuple):
    """The times of rows.

    Attributes:
        times: datetime64[s] `[R]`; for numbers of steps, as many seconds after 1970.
        numbered: whether they are numbers of steps.
        zoned: whether they are in UTC, and not perhaps the local times of a place.
        notes: what was taken for what.
    """

    times: np.ndarray
    numbered: bool = False
    zoned: bool = False
    notes: tuple[str, ...] = ()


def look_like_dates(cells: Sequence[str], digits: bool = False) -> bool:
    """Return whether the first cell that is not blank is a date.

    Args:
        cells: of a column.
        digits: whether one of digits alone counts.

    Example:
        >>> look_like_dates(["", "Q1 2024"]), look_like_dates(["2024"]), look_like_dates(["x"])
        (True, False, False)
        >>> look_like_dates(["2024"], digits=True)
        True
    """
    cell = next((cell for cell in cells if cell), "")
    date, _ = _split(cell)
    if any(form.fullmatch(date) for form in _FORMS) and not _is_number(cell):
        return True
    return bool(_SHORT_YEAR.fullmatch(cell)) or (digits and _is_number(cell))


def are_digits(cells: Sequence[str]) -> bool:
    """Return whether all cells are whole numbers, or years with a part as R writes months."""
    return all(map(_WHOLE.fullmatch, cells)) or all(map(_DECIMAL_YEAR.fullmatch, cells))


def read_stamps(cells: Sequence[str]) -> Stamps:
    """Return the times that cells say.

    All are written in one form: `2024-02-29 12:00`, also with an offset, which goes to UTC;
    `29.02.2024` or `29/02/2024`; `2/29/2024 1:00 PM`; `29 Feb 2024`, `Feb 29, 2024`; months as
    `2024-02`, `Feb 2024`, `2024 Feb`; quarters as `2024Q1`; weeks as `2024-W09`; years, also
    `2024.25`; digits as `20240229`; seconds since 1970; or numbers of steps. Whether days or months
    come first is told by a number over 12, dots, or else by which of the two gives equal steps.

    Raises:
        BadStamp: a cell is no date, or of another form than the first; or it cannot be told what
            it means.

    Example:
        >>> read_stamps(["2024Q1", "2024Q2"]).times.astype("datetime64[D]").astype(str).tolist()
        ['2024-01-01', '2024-04-01']
        >>> str(read_stamps(["2024-03-31T00:00+02:00"]).times[0])
        '2024-03-30T22:00:00'
    """
    distinct, places = _distinct(cells)
    stamps = _read(distinct)
    if len(distinct) == len(cells):
        return stamps
    return stamps._replace(times=stamps.times[places])


def _read(cells: list[str]) -> Stamps:
    if "" in cells:
        raise BadStamp("", "has no date")
    if all(map(_ISO.fullmatch, cells)) or all(map(_ISO_UTC.fullmatch, cells)):
        zones = {cell[19:].lstrip(".0") for cell in cells}
        try:
            if len(zones) == 1:
                times = np.array([cell[:19] for cell in cells], "datetime64[s]")
                return Stamps(times, zoned=zones != {""})
        except ValueError:
            pass  # Which one is no date is found below.
    if _is_number(cells[0]):
        return _read_digits(cells)
    date, _ = _split(cells[0])
    for form in _FORMS:
        if form.fullmatch(date):
            return _read_form(cells, form)
    if _SHORT_YEAR.fullmatch(cells[0]):
        raise BadStamp(cells[0], "has a year of two digits: write four, as in 2024-02-29")
    raise BadStamp(cells[0], "")


def _is_number(cell: str) -> bool:
    return bool(_WHOLE.fullmatch(cell) or _DECIMAL_YEAR.fullmatch(cell))


def _read_digits(cells: list[str]) -> Stamps:
    """Read digits: a date without marks between, seconds since 1970, or numbers of steps."""
    if bad := next((cell for cell in cells if not _is_number(cell)), None):
        raise BadStamp(bad, f"is no date like {cells[0]}")
    if not all(map(_WHOLE.fullmatch, cells)):
        return _read_decimal_years(cells)
    first, cells = cells[0], [cell.partition(".")[0] for cell in cells]
    for form in _DIGITS:
        if all(map(form.fullmatch, cells)):
            return Stamps(_read_dates(cells, form, np.asarray, []))
    if all(map(_EXCEL_DAYS.fullmatch, cells)):
        raise BadStamp(first, "seems to be Excel's number of a day: write dates as 2024-02-29")
    lengths = {len(cell) for cell in cells}
    if max(lengths) > max(_EPOCHS):
        raise BadStamp(first, "has too many digits for a date: write dates as 2024-02-29")
    numbers = np.array(cells, "int64")
    if len(lengths) == 1 and (scale := _EPOCHS.get(lengths.pop())):
        if (numbers % scale).any():
            raise BadStamp(cells[int((numbers % scale).argmax())], "is finer than a second")
        note = "times were read as seconds since 1970 in UTC"
        return Stamps((numbers // scale).astype("datetime64[s]"), zoned=True, notes=(note,))
    return Stamps(numbers.astype("datetime64[s]"), numbered=True)


def _read_decimal_years(cells: list[str]) -> Stamps:
    """Read years with a part, such as 1949.25, as R writes them: months, or quarters."""
    months = np.array(cells, float) * 12
    if len(whole := np.flatnonzero(np.abs(months - months.round()) > 0.05)):
        raise BadStamp(cells[whole[0]], "is no month of a year: expected dates as 2024-02-29")
    return Stamps((months.round().astype("int64") - 1970 * 12).astype("datetime64[M]").astype(
        "datetime64[s]"
    ))  # fmt: skip


def _split(cell: str) -> tuple[str, str]:
    """Return a date, and the time of the day after it; "" for none."""
    clock = CLOCK.search(cell, _SHORTEST_DATE)
    return (cell[: clock.start()], clock[0]) if clock else (cell, "")


def _distinct(cells: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Return the different ones among cells, and the place of each cell among them, int64."""
    places = {cell: at for at, cell in enumerate(dict.fromkeys(cells))}
    return list(places), np.fromiter(map(places.__getitem__, cells), np.int64, len(cells))


def _read_form(cells: list[str], form: re.Pattern[str]) -> Stamps:
    """Read cells whose dates are of one form, with or without a time of the day.

    Raises:
        BadStamp: one is not.
    """
    split = [_split(cell) for cell in cells]
    dates, date_at = _distinct([date for date, _ in split])
    clocks, clock_at = _distinct([clock for _, clock in split])
    notes: list[str] = []
    with _named(cells, clocks, clock_at):
        seconds, offsets = read_clocks(clocks)

    def whole(days: np.ndarray) -> np.ndarray:
        return days[date_at] + seconds[clock_at]

    with _named(cells, dates, date_at):
        times = whole(_read_dates(dates, form, whole, notes))
    if offsets is None:
        return Stamps(times, notes=tuple(notes))
    return _with_offsets(times, offsets[clock_at], notes)


@contextmanager
def _named(cells: list[str], parts: list[str], at: np.ndarray) -> Iterator[None]:
    """Name the whole cell in an error that names a part of it."""
    try:
        yield
    except BadStamp as error:
        first = int(np.flatnonzero(at == parts.index(error.cell))[0])
        raise BadStamp(cells[first], error.problem) from error


def _read_dates(
    cells: list[str],
    form: re.Pattern[str],
    whole: Callable[[np.ndarray], np.ndarray],
    notes: list[str],
) -> np.ndarray:
    """Return the days of different dates of one form, datetime64[s]; with the hours of digits.

    Args:
        cells: the dates.
        form: of all.
        whole: gives the times of all rows from those of the dates.
        notes: to which one is added of what was taken for what.

    Raises:
        BadStamp: one is of another form, or is no date.
    """
    matches = [form.fullmatch(cell) for cell in cells]
    if None in matches:
        raise BadStamp(cells[matches.index(None)], f"is no date like {cells[0]}")
    parts = [match.groupdict() for match in matches if match]
    years = numbers_of(parts, "year")
    if "first" in parts[0]:
        return _day_or_month_first(cells, parts, whole, notes)
    if "week" in parts[0]:
        return _weeks(cells, years, numbers_of(parts, "week"), numbers_of(parts, "weekday", 1))
    days = numbers_of(parts, "day", 1)
    if "quarter" in parts[0]:
        months = 3 * numbers_of(parts, "quarter") - 2
    elif "name" in parts[0]:
        months = np.array([MONTHS[part["name"][:3].lower()] for part in parts])
    else:
        months = numbers_of(parts, "month", 1)
    return _dates(cells, years, months, days) + seconds_of(cells, parts)


def _dates(cells: list[str], years: np.ndarray, months: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return dates, datetime64[s].

    Raises:
        BadStamp: there is no such day.
    """
    right = (months >= 1) & (months <= 12) & (years >= 1)
    starts = ((years - 1970) * 12 + np.where(right, months, 1) - 1).astype("datetime64[M]")
    right &= (days >= 1) & (days <= month_length(starts))
    if not right.all():
        raise BadStamp(cells[int(right.argmin())], "is no date")
    return (starts.astype("datetime64[D]") + (days - 1)).astype("datetime64[s]")


def _weeks(
    cells: list[str], years: np.ndarray, weeks: np.ndarray, weekdays: np.ndarray
) -> np.ndarray:
    """Return days of weeks as ISO 8601 counts them, datetime64[s].

    Raises:
        BadStamp: there is no such week.
    """

    def first(year: np.ndarray) -> np.ndarray:
        # The week of 4 January, from its Monday on; 1970-01-01 was a Thursday.
        fourth = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]") + 3
        return fourth - (fourth.astype("int64") + 3) % 7

    monday = first(years) + 7 * (weeks - 1)
    right = (weeks >= 1) & (monday < first(years + 1))
    if not right.all():
        raise BadStamp(cells[int(right.argmin())], "is no week of that year")
    return (monday + (weekdays - 1)).astype("datetime64[s]")


def _day_or_month_first(
    cells: list[str],
    parts: list[dict[str, str]],
    whole: Callable[[np.ndarray], np.ndarray],
    notes: list[str],
) -> np.ndarray:
    """Return dates such as 29/02/2024, once it is clear what comes first.

    Raises:
        BadStamp: it is not.
    """
    years, first, then = (numbers_of(parts, name) for name in ("year", "first", "then"))
    if (first > 12).any() and (then > 12).any():
        other = cells[int(((then > 12) if first[0] > 12 else (first > 12)).argmax())]
        raise BadStamp(other, "has day and month in another order than others")
    if (first > 12).any() or parts[0]["mark"] == ".":
        return _dates(cells, years, then, first)
    if (then > 12).any():
        return _dates(cells, years, first, then)
    days, months = _dates(cells, years, then, first), _dates(cells, years, first, then)
    day_first, month_first = _is_regular(whole(days)), _is_regular(whole(months))
    if day_first == month_first:
        raise BadStamp(
            cells[0], "may have the day or the month first: write 2024-02-29, the year first"
        )
    notes.append(
        f"dates such as {cells[0]} were read with the {'day' if day_first else 'month'} first, as "
        "their steps are equal then"
    )
    return days if day_first else months


def _is_regular(times: np.ndarray) -> bool:
    """Return whether times have equal steps, in seconds or in months."""
    times = np.unique(times)
    months = times.astype("datetime64[M]")
    within = times - months.astype("datetime64[s]")
    return any(
        len(steps) > 1 and bool((steps == steps[0]).all()) and bool(steps[0])
        for steps in (
            np.diff(times.astype("int64")),
            np.diff(months.astype("int64")) if (within == within[:1]).all() else np.zeros(0),
        )
    )


def _with_offsets(times: np.ndarray, offsets: np.ndarray, notes: list[str]) -> Stamps:
    """Bring times with an offset to UTC; but days that begin at the same local time stay days."""
    clocks = np.unique(times.astype("int64") % DAY)
    if len(np.unique(offsets)) > 1 and len(clocks) == 1 and len(np.unique(times)) == len(times):
        notes.append("offsets from UTC were left out, as all times are the same time of a day")
        return Stamps(times, notes=tuple(notes))
    if offsets.any():
        notes.append("times were brought to UTC by their offsets")
    return Stamps(times - offsets, zoned=True, notes=tuple(notes))
