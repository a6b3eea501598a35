"""`seasonal`: hourly series that are made up, so that the best possible forecast is known."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from zoo.readers.frequency import Frequency
from zoo.readers.series import Series, SeriesTable

HOURS = 53 * 168
"""Steps with values: a year."""
AHEAD = 168
"""Steps after them of which holidays are known."""
KINDS = ("office", "home", "shop")
SERIES = 24
DEGREES = 5.0
"""Degrees of freedom of the noise."""

_SEED = 17
_START = np.datetime64("2023-01-02T00:00:00", "s")
_OUTLIERS = 0.003
_LOST = 0.01


class Truth(NamedTuple):
    """What a series was drawn from: at each step, and independent of all others, a Student t.

    Attributes:
        mean: float64 `[T + F]`.
        spread: float64 `[T + F]`, by which the noise is multiplied.
        degrees: of freedom.
    """

    mean: np.ndarray
    spread: np.ndarray
    degrees: float

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        """Return the quantiles of each step, float64 `[T + F, Q]`.

        Args:
            levels: `[Q]`, between 0 and 1.

        Example:
            >>> truth = Truth(np.array([1.0]), np.array([2.0]), 5.0)
            >>> truth.quantiles(np.array([0.5, 0.975])).round(3).tolist()
            [[1.0, 6.141]]
        """
        return self.mean[:, None] + self.spread[:, None] * stats.t.ppf(levels, self.degrees)


def seasonal() -> tuple[SeriesTable, tuple[Truth, ...]]:
    """Draw the series, the same each time.

    Each has a level, a trend, a day and a week in the shape of its kind, another shape on holidays,
    which are known ahead, and a spread that changes over the day and over six weeks. Of the values,
    rounded to hundredths, some are missing, alone or for hours to days, and three in a thousand are
    outliers, which the truth does not know of.

    Returns:
        The series, and what each was drawn from.
    """
    rng = np.random.default_rng(_SEED)
    steps = HOURS + AHEAD
    holidays = _holidays(rng, steps // 24)
    times = _START + np.arange(steps) * 3600
    series, truths = [], []
    for number in range(SERIES):
        kind = number % len(KINDS)
        truth = _truth(rng, kind, np.repeat(holidays, 24))
        values = truth.mean + truth.spread * rng.standard_t(DEGREES, steps)
        values = np.round(_spoilt(rng, values[:HOURS], truth.spread), 2)
        known = np.repeat(holidays, 24)[:, None].astype("float64")
        name = f"{KINDS[kind]} {number // len(KINDS) + 1}"
        past = np.zeros((HOURS, 0))
        series.append(Series(name, values, times, known, past, (KINDS[kind],)))
        truths.append(truth)
    table = SeriesTable(
        tuple(series), Frequency("second", 3600), known=("holiday",), static=("kind",)
    )
    return table, tuple(truths)


def _holidays(rng: np.random.Generator, days: int) -> np.ndarray:
    """Return which days are holidays, bool: a working day in each three weeks.

    One is in the last week, of which no values are known.
    """
    weeks = rng.integers(0, 3, days // 21)
    weeks[-1] = 2
    holidays = np.zeros(days, bool)
    holidays[21 * np.arange(len(weeks)) + 7 * weeks + rng.integers(0, 5, len(weeks))] = True
    return holidays


def _truth(rng: np.random.Generator, kind: int, holidays: np.ndarray) -> Truth:
    """Draw the mean and spread of a series of a kind."""
    steps = np.arange(len(holidays))
    hour, day = steps % 24, steps // 24 % 7
    size = np.exp(rng.normal(3, 0.7))
    level = size * rng.uniform(3, 8)
    trend = size * rng.uniform(-1, 1) * steps / HOURS
    rest = holidays | (day >= 5)
    shape = np.where(rest, _day(kind, hour, resting=True), _day(kind, hour, resting=False))
    week = 0.3 * np.sin(2 * np.pi * (steps / 168 - rng.random()))
    mean = level + trend + size * (shape * rng.uniform(0.8, 1.2) + week)
    of_day = 0.4 * np.sin(2 * np.pi * (hour - 9) / 24)
    slow = 0.3 * np.sin(2 * np.pi * (steps / (6 * 168) - rng.random()))
    return Truth(mean, 0.35 * size * np.exp(of_day + slow), DEGREES)


def _day(kind: int, hour: np.ndarray, resting: bool) -> np.ndarray:
    """Return the shape of a day: one or two bumps, low on days of rest, or high."""

    def bump(at: float, width: float) -> np.ndarray:
        away = (hour - at + 12) % 24 - 12
        return np.exp(-0.5 * (away / width) ** 2)

    if KINDS[kind] == "office":
        return (0.2 if resting else 2.0) * bump(13, 4)
    if KINDS[kind] == "home":
        return bump(12, 5) + bump(20, 3) if resting else bump(7, 2) + 1.5 * bump(20, 3)
    return (2.2 if resting else 1.2) * bump(16, 3)


def _spoilt(rng: np.random.Generator, values: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return values with outliers, and with gaps as NaN."""
    outliers = rng.random(len(values)) < _OUTLIERS
    jumps = rng.choice([-1, 1], len(values)) * rng.uniform(8, 15, len(values))
    values = np.where(outliers, values + jumps * spread[: len(values)], values)
    lost = rng.random(len(values)) < _LOST
    for start in rng.integers(0, len(values) - 100, 4):
        lost[start : start + int(rng.integers(6, 72))] = True
    lost[[0, -1]] = False
    return np.where(lost, np.nan, values)
