"""Finds how often series have values, and puts their rows on a grid without holes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from zoo.errors import UserError
from zoo.readers.frequency import DAY, HOUR, Frequency, month_length
from zoo.readers.series_columns import Rows

BUSINESS = Frequency("business_day", 1)

_DENSEST_GAPS = 20
"""Steps for each value there is, at most: what has fewer has no common step."""
_REGULAR = 3
"""Equal steps from which on a series has a frequency of its own."""
_CLOCK_MONTHS = (3, 4, 9, 10, 11)
_SUNDAY = 3
"""Of days since 1970-01-01, a Thursday, modulo 7."""


class Placed(NamedTuple):
    """A series on its grid, `R` steps: times, values and other columns, NaN where missing."""

    name: str
    times: np.ndarray | None
    values: np.ndarray
    others: np.ndarray
    static: tuple[str, ...]
    missing_rows: int


def place_all(all_rows: Sequence[Rows]) -> tuple[Frequency | None, list[Placed], bool]:
    """Put the rows of series on a grid of their common frequency.

    Returns:
        The frequency, None where there are no dates; each series; and whether rows were unsorted.

    Raises:
        UserError: a time is there twice, or off the grid; or there is no common step.
    """
    if all(rows.times is None for rows in all_rows):
        return (
            None,
            [Placed(r.name, None, r.values, r.others, r.static, 0) for r in all_rows],
            False,
        )
    ordered = [_sorted(rows) for rows in all_rows]
    unsorted = any(rows is not before for rows, before in zip(ordered, all_rows))
    for rows in ordered:
        _check_unique(rows)
    frequency = find_frequency(ordered)
    return frequency, [_placed(rows, frequency) for rows in ordered], unsorted


def find_frequency(all_rows: Sequence[Rows]) -> Frequency:
    """Return the commonest step of series whose rows are sorted.

    Months are months where all times are of one day of the month, or all of its last one. Days are
    business days where there is no weekend but in between.

    Raises:
        UserError: no series has two rows, or some have other steps than the others.
    """
    several = [rows for rows in all_rows if len(rows.lines) > 1]
    if not several:
        raise UserError(
            f"{all_rows[0].place}: no series has two dates, so that there is no step between them: "
            "expected a row a step"
        )
    monthly = [rows for rows in several if _day_of_month(_times(rows)) is not None]
    fixed = [rows for rows in several if _day_of_month(_times(rows)) is None]
    if not fixed:
        frequency = Frequency("month", _commonest([_month_steps(rows) for rows in monthly]))
    else:
        frequency = Frequency("second", _commonest([_steps(rows) for rows in fixed]))
        if frequency == Frequency("day", 1) and _rest_at_weekends(several):
            frequency = Frequency("business_day", 1)
    _check_common(several, frequency)
    return frequency


def describe(time: np.datetime64) -> str:
    """Return a time as people write it.

    Example:
        >>> describe(np.datetime64("2024-05-01T00:00:00")), describe(np.datetime64("2024-05-01T12"))
        ('2024-05-01', '2024-05-01 12:00')
    """
    date, _, clock = str(time.astype("datetime64[s]")).partition("T")
    clock = clock.removesuffix(":00")
    return date if clock == "00:00" else f"{date} {clock}"


def _times(rows: Rows) -> np.ndarray:
    assert rows.times is not None
    return rows.times


def _sorted(rows: Rows) -> Rows:
    times = _times(rows)
    if (times[1:] >= times[:-1]).all():
        return rows
    return rows.take(np.argsort(times, kind="stable"))


def _check_unique(rows: Rows) -> None:
    times = _times(rows)
    twice = np.flatnonzero(times[1:] == times[:-1])
    if not len(twice):
        return
    first, second = sorted(rows.lines[twice[0] : twice[0] + 2])
    where = f"{rows.place}, lines {first} and {second}: {rows.name} has {describe(times[twice[0]])}"
    if _are_clock_changes(times[twice]):
        raise UserError(
            f"{where} twice, in the hour that is repeated when clocks are set back: write the "
            "times in UTC or with their offset, such as 2024-10-27 02:00+01:00"
        )
    raise UserError(
        f"{where} twice: keep one of them, or name the columns that tell series apart, as in "
        "series=shop,item"
    )


def _are_clock_changes(times: np.ndarray) -> bool:
    """Return whether times are in the hour that a change of clocks may repeat, each only once."""
    days = times.astype("datetime64[D]")
    months = times.astype("datetime64[M]").astype("int64") % 12 + 1
    hours = (times - days).astype("int64") // HOUR
    return bool(
        (days.astype("int64") % 7 == _SUNDAY).all()
        and np.isin(months, _CLOCK_MONTHS).all()
        and (hours < 4).all()
        and len(np.unique(times)) == len(times)
        and all(len(np.unique(hours[days == day])) == 1 for day in np.unique(days))
    )


def _day_of_month(times: np.ndarray) -> int | None:
    """Return the day of the month that all times are of, 31 for its end; None if they are not."""
    days = times.astype("datetime64[D]")
    if len(np.unique(times - days)) > 1:
        return None
    months = times.astype("datetime64[M]")
    day = (days - months.astype("datetime64[D]")).astype("int64") + 1
    lengths = month_length(months)
    wanted = 31 if (day == lengths).all() else int(day.max())
    return wanted if (day == np.minimum(wanted, lengths)).all() else None


def _month_steps(rows: Rows) -> np.ndarray:
    return np.diff(_times(rows).astype("datetime64[M]").astype("int64"))


def _steps(rows: Rows) -> np.ndarray:
    return np.diff(_times(rows).astype("int64"))


def _commonest(steps: Sequence[np.ndarray]) -> int:
    lengths, counts = np.unique(np.concatenate(steps), return_counts=True)
    return int(lengths[counts.argmax()])


def _rest_at_weekends(all_rows: Sequence[Rows]) -> bool:
    days = [_times(rows).astype("datetime64[D]") for rows in all_rows]
    return all(np.is_busday(each).all() for each in days) and any(
        np.busday_count(each[0], each[-1]) < (each[-1] - each[0]).astype("int64") for each in days
    )


def _check_common(all_rows: Sequence[Rows], frequency: Frequency) -> None:
    """Check that no series has a regular step of its own.

    Raises:
        UserError: one does.
    """
    for rows in all_rows:
        if _day_of_month(_times(rows)) is not None:
            steps, unit = _month_steps(rows), "month"
        else:
            steps, unit = _steps(rows), "second"
        if len(steps) < _REGULAR or (steps != steps[0]).any():
            continue
        own = Frequency(unit, int(steps[0]))
        if own != frequency and {own, frequency} != {Frequency("day", 1), BUSINESS}:
            raise UserError(
                f"{rows.place}: the series {rows.name} is {own.name}, others are {frequency.name}: "
                "put series of one frequency into a file"
            )


def _placed(rows: Rows, frequency: Frequency) -> Placed:
    times = _times(rows)
    places = _places(rows, frequency)
    count = int(places[-1]) + 1
    if count > _DENSEST_GAPS * len(places):
        raise UserError(
            f"{rows.place}: {rows.name} has {len(places)} rows, but {count} steps, as the "
            f"commonest is {frequency.name}: bring the values to a common step, a row for each"
        )
    values = np.full(count, np.nan)
    others = np.full((count, rows.others.shape[1]), np.nan)
    values[places], others[places] = rows.values, rows.others
    grid = _grid(times, frequency, count)
    return Placed(rows.name, grid, values, others, rows.static, count - len(places))


def _grid(times: np.ndarray, frequency: Frequency, count: int) -> np.ndarray:
    """Return all times from the first on."""
    steps = np.arange(count)
    if frequency.unit != "month":
        return frequency.after(times[0], steps)
    months = times[0].astype("datetime64[M]") + steps * frequency.count
    day = np.minimum(_day_of_month(times) or 1, month_length(months))
    clock = times[0] - times[0].astype("datetime64[D]")
    return (months.astype("datetime64[D]") + (day - 1)).astype("datetime64[s]") + clock


def _places(rows: Rows, frequency: Frequency) -> np.ndarray:
    """Return the step of the grid that each row is at.

    Raises:
        UserError: a row is between two.
    """
    times = _times(rows)
    passed = (times - times[0]).astype("int64")
    if frequency.unit == "month":
        months = times.astype("datetime64[M]").astype("int64")
        places, rest = np.divmod(months - months[0], frequency.count)
        if _day_of_month(times) is None:
            rest = (
                times
                != _grid(times[:1], Frequency("month", 1), int(months[-1] - months[0]) + 1)[
                    months - months[0]
                ]
            )
    elif frequency == BUSINESS:
        days = times.astype("datetime64[D]")
        places, rest = np.busday_count(days[0], days), passed % DAY
    else:
        seconds = frequency.count * (DAY if frequency.unit == "day" else 1)
        places, rest = np.divmod(passed, seconds)
    if (off := np.flatnonzero(rest)).size:
        at = off[0]
        raise UserError(
            f"{rows.place}, line {rows.lines[at]}: {rows.name} has {describe(times[at])}, but is "
            f"{frequency.name} from {describe(times[0])} on, by its commonest step: bring the "
            "values to common steps"
        )
    return places
