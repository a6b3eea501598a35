"""Finds how often series have values, and puts their rows on a grid without holes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from zoo.errors import UserError
from zoo.readers.frequency import DAY, HOUR, Frequency, month_length
from zoo.readers.series_rows import SeriesRows

BUSINESS = Frequency("business_day", 1)

_MOST_STEPS = 20
"""Steps for each value there is, at most: what has fewer values has no common step."""
_REGULAR = 3
"""Equal steps from which on a series has a frequency of its own."""
_SET_FORWARD, _SET_BACK = (3, 4, 9, 10), (3, 4, 9, 10, 11)
"""The months in which clocks are changed, on either side of the equator."""
_SUNDAY = 3
"""Of days since 1970-01-01, a Thursday, modulo 7."""
_MONTH = 365.25 / 12
"""Days."""


class Placed(NamedTuple):
    """A series on its grid: times, values and other columns at each step, NaN where missing.

    Attributes:
        filled: how many steps had no row.
        clock_gaps: how many of those are the hour that is left out when clocks are set forward.
    """

    name: str
    times: np.ndarray | None
    values: np.ndarray
    others: np.ndarray
    static: tuple[str, ...]
    filled: int = 0
    clock_gaps: int = 0


def place_all(
    series: Sequence[SeriesRows],
) -> tuple[Frequency | None, list[Placed], list[str]]:
    """Put the rows of series on a grid of their common frequency.

    Returns:
        The frequency, None where there are no dates; each series; and notes of what was done.

    Raises:
        UserError: a time is there twice, or off the grid; there is no common step; or some series
            have dates and others none.
    """
    dated = {rows.stamps is not None and not rows.stamps.numbered for rows in series}
    if len(dated) > 1:
        raise UserError(
            f"{series[0].place}: some series have dates, others none: expected dates for all"
        )
    if all(rows.stamps is None for rows in series):
        undated = [Placed(r.name, None, r.values, r.others, r.static) for r in series]
        return None, undated, []
    ordered = [_sorted(rows) for rows in series]
    notes = ["the rows were not in the order of their dates, and were sorted"]
    notes = notes if any(rows is not old for rows, old in zip(ordered, series)) else []
    for rows in _distinct(ordered):
        _check_unique(rows)
    frequency = find_frequency(ordered)
    placed, sparse = _placed_all(ordered, frequency)
    notes += _notes(placed, sparse)
    if dated == {False}:
        return None, [each._replace(times=None) for each in placed], notes
    return frequency, placed, notes


def find_frequency(series: Sequence[SeriesRows]) -> Frequency:
    """Return the commonest step of series whose rows are sorted.

    Months are months where all times are of one day of the month, or all of its last one, or where
    each month has one at unequal steps of days, as last working days have. Days are business days
    where weekends are left out.

    Raises:
        UserError: no series has two rows, or some have another step than the others.
    """
    several = [rows for rows in _distinct(series) if len(rows.lines) > 1]
    if not several:
        raise UserError(
            f"{series[0].place}: no series has two dates, so that there is no step between them: "
            "expected a row for each step"
        )
    fixed = [rows for rows in several if not _is_monthly(rows)]
    if not fixed:
        frequency = Frequency("month", _commonest([_month_steps(rows.times) for rows in several]))
    else:
        frequency = Frequency("second", _commonest([_steps(rows.times) for rows in fixed]))
        if frequency == Frequency("day", 1) and _rest_at_weekends(several):
            frequency = BUSINESS
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


def _written(rows: SeriesRows, at: int) -> str:
    """Return the time of a row, or the number of its step."""
    assert rows.stamps is not None
    time = rows.times[at]
    return f"step {time.astype('int64')}" if rows.stamps.numbered else describe(time)


def _distinct(series: Sequence[SeriesRows]) -> list[SeriesRows]:
    """Return the series that do not share their times with one before, as those of columns do."""
    return list({id(rows.stamps): rows for rows in reversed(series)}.values())[::-1]


def _sorted(rows: SeriesRows) -> SeriesRows:
    if (rows.times[1:] >= rows.times[:-1]).all():
        return rows
    return rows.take(np.argsort(rows.times, kind="stable"))


def _check_unique(rows: SeriesRows) -> None:
    """Check that no time is there twice.

    Raises:
        UserError: one is. Both lines are named, and a change of clocks.
    """
    times = rows.times
    twice = np.flatnonzero(times[1:] == times[:-1])
    if not len(twice):
        return
    first, second = sorted(rows.lines[twice[0] : twice[0] + 2])
    where = f"{rows.place}, lines {first} and {second}: {rows.name} has {_written(rows, twice[0])}"
    if _are_set_back(times[twice]):
        raise UserError(
            f"{where} twice, in the hour that is repeated when clocks are set back: write the "
            "times in UTC or with their offset, such as 2024-10-27 02:00+01:00"
        )
    raise UserError(
        f"{where} twice: keep one of them, or name the columns that tell series apart, as in "
        "series=shop,item"
    )


def _are_set_back(times: np.ndarray) -> bool:
    """Return whether times are in an hour that a change of clocks may repeat, each only once."""
    days = times.astype("datetime64[D]")
    hours = (times - days).astype("int64") // HOUR
    return (
        bool(_may_change(times, _SET_BACK).all())
        and len(np.unique(times)) == len(times)
        and all(len(np.unique(hours[days == day])) == 1 for day in np.unique(days))
    )


def _may_change(times: np.ndarray, months: Sequence[int]) -> np.ndarray:
    """Return which times are early on a Sunday of some months, bool."""
    days = times.astype("datetime64[D]")
    month = times.astype("datetime64[M]").astype("int64") % 12 + 1
    early = (times - days).astype("int64") < 4 * HOUR
    return (days.astype("int64") % 7 == _SUNDAY) & early & np.isin(month, months)


def _day_of_month(times: np.ndarray) -> int | None:
    """Return the day of the month that all times are of, 31 for its end; None if they are not."""
    days = times.astype("datetime64[D]")
    clocks = times - days
    if (clocks != clocks[0]).any():
        return None
    months = times.astype("datetime64[M]")
    day = (days - months.astype("datetime64[D]")).astype("int64") + 1
    lengths = month_length(months)
    wanted = 31 if (day == lengths).all() else int(day.max())
    return wanted if (day == np.minimum(wanted, lengths)).all() else None


def _is_monthly(rows: SeriesRows) -> bool:
    assert rows.stamps is not None
    if rows.stamps.numbered:
        return False
    if _day_of_month(rows.times) is not None:
        return True
    steps, months = _steps(rows.times), _month_steps(rows.times)
    near = np.abs(steps / DAY - _MONTH * months) <= _MONTH / 5
    return bool((near & (months > 0)).all() and (steps != steps[0]).any())


def _month_steps(times: np.ndarray) -> np.ndarray:
    return np.diff(times.astype("datetime64[M]").astype("int64"))


def _steps(times: np.ndarray) -> np.ndarray:
    return np.diff(times.astype("int64"))


def _commonest(steps: Sequence[np.ndarray]) -> int:
    lengths, counts = np.unique(np.concatenate(steps), return_counts=True)
    return int(lengths[counts.argmax()])


def _rest_at_weekends(series: Sequence[SeriesRows]) -> bool:
    """Return whether no day is at a weekend, and some step of less than a week goes over one."""
    for rows in series:
        days = rows.times.astype("datetime64[D]")
        if not np.is_busday(days).all():
            return False
    return any(
        ((steps < 7) & (np.busday_count(days[:-1], days[1:]) < steps)).any()
        for days in (rows.times.astype("datetime64[D]") for rows in series)
        for steps in [np.diff(days).astype("int64")]
    )


def _check_common(series: Sequence[SeriesRows], frequency: Frequency) -> None:
    """Check that no series has a regular step of its own.

    Raises:
        UserError: one has.
    """
    for rows in series:
        monthly = _is_monthly(rows)
        steps = _month_steps(rows.times) if monthly else _steps(rows.times)
        if len(steps) < _REGULAR or (steps != steps[0]).any():
            continue
        own = Frequency("month" if monthly else "second", int(steps[0]))
        if own != frequency and {own, frequency} != {Frequency("day", 1), BUSINESS}:
            raise UserError(
                f"{rows.place}: the series {rows.name} is {own.name}, others are {frequency.name}: "
                "put series of one frequency into a file"
            )


def _placed_all(
    series: Sequence[SeriesRows], frequency: Frequency
) -> tuple[list[Placed], list[str]]:
    """Return series on their grid, and the names of those with a row at hardly any step.

    Raises:
        UserError: a row is off the grid, or all series are such.
    """
    placed, sparse = [], []
    for rows in series:
        places = _places(rows, frequency)
        count = int(places[-1]) + 1
        if count <= _MOST_STEPS * len(places):
            placed.append(_placed(rows, frequency, places))
            continue
        sparse.append(rows.name)
        if len(sparse) == len(series):
            raise UserError(
                f"{rows.place}: {rows.name} has {len(places)} rows, but {count} steps, as the "
                f"commonest is {frequency.name}: bring the values to a common step, a row for each"
            )
    return placed, sparse


def _notes(placed: Sequence[Placed], sparse: Sequence[str]) -> list[str]:
    notes = []
    if sparse:
        notes.append(f"series with rows at hardly any step are left out: {listed(sparse)}")
    if gaps := [each for each in placed if each.filled]:
        total = sum(each.filled for each in gaps)
        notes.append(f"missing rows, filled in: {total}, in {len(gaps)} of {len(placed)} series")
    if changes := sum(each.clock_gaps for each in placed):
        notes.append(f"hours left out as clocks are set forward: {changes}; times seem to be local")
    return notes


def listed(names: Sequence[str]) -> str:
    """Return some names for a note, five at most.

    Example:
        >>> listed(["a", "b"]), listed(list("abcdefg"))
        ('a, b', 'a, b, c, d, e and 2 others')
    """
    more = f" and {len(names) - 5} others" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _placed(rows: SeriesRows, frequency: Frequency, places: np.ndarray) -> Placed:
    """Put rows on the grid from their first time to their last."""
    count = int(places[-1]) + 1
    if count == len(places):
        return Placed(rows.name, rows.times, rows.values, rows.others, rows.static)
    values = np.full(count, np.nan)
    others = np.full((count, rows.others.shape[1]), np.nan)
    values[places], others[places] = rows.values, rows.others
    grid = _grid(rows.times, frequency, count)
    grid[places] = rows.times
    return Placed(
        rows.name,
        grid,
        values,
        others,
        rows.static,
        count - len(places),
        _clock_gaps(rows, places, frequency),
    )


def _clock_gaps(rows: SeriesRows, places: np.ndarray, frequency: Frequency) -> int:
    """Return how many gaps are the hour that is left out when clocks are set forward."""
    local = rows.stamps is not None and not rows.stamps.zoned
    if not local or frequency.unit != "second" or HOUR % frequency.count:
        return 0
    after = np.flatnonzero(np.diff(places) == HOUR // frequency.count + 1) + 1
    return int(_may_change(rows.times[after] - HOUR, _SET_FORWARD).sum())


def _grid(times: np.ndarray, frequency: Frequency, count: int) -> np.ndarray:
    """Return the times of all steps from the first on, datetime64[s] `[count]`."""
    steps = np.arange(count)
    if frequency.unit != "month" or (day := _day_of_month(times)) is None:
        return frequency.after(times[0], steps)
    months = times[0].astype("datetime64[M]") + steps * frequency.count
    days = months.astype("datetime64[D]") + (np.minimum(day, month_length(months)) - 1)
    return days.astype("datetime64[s]") + (times[0] - times[0].astype("datetime64[D]"))


def _places(rows: SeriesRows, frequency: Frequency) -> np.ndarray:
    """Return the step of the grid that each row is at, int64 `[R]`.

    Raises:
        UserError: a row is between two.
    """
    times = rows.times
    passed = (times - times[0]).astype("int64")
    if frequency.unit == "month":
        months = times.astype("datetime64[M]").astype("int64")
        places, rest = np.divmod(months - months[0], frequency.count)
    elif frequency == BUSINESS:
        days = times.astype("datetime64[D]")
        places, rest = np.busday_count(days[0], days), passed % DAY
    else:
        seconds = frequency.count * (DAY if frequency.unit == "day" else 1)
        places, rest = np.divmod(passed, seconds)
    if len(off := np.flatnonzero(rest)):
        at = off[0]
        raise UserError(
            f"{rows.place}, line {rows.lines[at]}: {rows.name} has {_written(rows, at)}, which is "
            f"no whole number of steps after {_written(rows, 0)}, as the commonest step is "
            f"{frequency.name}: bring the values to a common step"
        )
    return places
