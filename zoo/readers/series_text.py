"""Forecasts in words, and as columns of a table."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.readers.frequency import HOUR, Frequency

LEVELS = (80, 95)
"""Of the intervals that are written and drawn, in per cent."""

_STEPS = {
    ("second", 1): "second",
    ("second", 60): "minute",
    ("second", 1800): "half hour",
    ("second", HOUR): "hour",
    ("day", 1): "day",
    ("business_day", 1): "business day",
    ("day", 7): "week",
    ("month", 1): "month",
    ("month", 3): "quarter",
    ("month", 12): "year",
}
MOST_DECIMALS = 6
_SAME = 1e-6
"""Levels that differ by less are one."""
FINEST = 1e-4
"""Of the level: an interval that is narrower is written as if it were so wide."""


def interval_levels(per_cent: int) -> tuple[float, float]:
    """Return the quantiles between which an interval lies that holds so many per cent.

    Example:
        >>> interval_levels(80), interval_levels(95)
        ((0.1, 0.9), (0.025, 0.975))
    """
    outside = (100 - per_cent) / 2
    return outside / 100, (100 - outside) / 100


def held_intervals(levels: Sequence[float]) -> list[int]:
    """Return which intervals of `LEVELS` lie between quantiles, in per cent.

    Example:
        >>> held_intervals([0.1, 0.5, 0.9]), held_intervals([0.5])
        ([80], [])
    """
    ends = {per_cent: interval_levels(per_cent) for per_cent in LEVELS}
    return [
        per_cent
        for per_cent, (low, high) in ends.items()
        if levels[0] <= low + _SAME and levels[-1] >= high - _SAME
    ]


def at_level(quantiles: Any, levels: Sequence[float], level: float) -> np.ndarray:
    """Return one quantile of forecasts, between two that are there on the line through them.

    Args:
        quantiles: `[..., Q]`, ascending.
        levels: Q of them, 0 to 1, ascending.
        level: beyond the outermost ones it is these.

    Example:
        >>> at_level([[1.0, 2.0, 4.0]], [0.1, 0.5, 0.9], 0.7).tolist()
        [3.0]
    """
    values = np.asarray(quantiles, "float64")
    low, high, share = between(levels, level)
    return values[..., low] * (1 - share) + values[..., high] * share


def between(levels: Sequence[float], level: float) -> tuple[int, int, float]:
    """Return the places of two levels that one lies between, and its share of the way.

    Example:
        >>> between([0.25, 0.5, 1.0], 0.75)
        (1, 2, 0.5)
        >>> between([0.5], 0.7)
        (0, 0, 0.0)
    """
    known = np.asarray(levels, "float64")
    if len(known) == 1:
        return 0, 0, 0.0
    above = int(np.clip(np.searchsorted(known, level - _SAME), 1, len(known) - 1))
    share = np.clip((level - known[above - 1]) / (known[above] - known[above - 1]), 0, 1)
    return above - 1, above, float(share)


def interval_columns(quantiles: Any, levels: Sequence[float]) -> dict[str, list[float]]:
    """Return the ends of the intervals, `lo-80` and so on, that quantiles `[H, Q]` hold.

    Example:
        >>> columns = interval_columns([[1.0, 2.0, 3.0, 4.0]], [0.025, 0.1, 0.9, 0.975])
        >>> columns["lo-80"], columns["hi-95"]
        ([2.0], [4.0])
        >>> interval_columns([[2.0]], [0.5])
        {}
    """
    columns = {}
    for per_cent in held_intervals(levels):
        for side, level in zip(("lo", "hi"), interval_levels(per_cent)):
            columns[f"{side}-{per_cent}"] = at_level(quantiles, levels, level).tolist()
    return columns


def next_steps(count: int, frequency: Frequency | None) -> str:
    """Return what so many steps ahead are called.

    Example:
        >>> next_steps(48, Frequency("second", 3600)), next_steps(1, Frequency("day", 7))
        ('next 48 hours', 'next week')
        >>> next_steps(12, None), next_steps(2, Frequency("second", 900))
        ('next 12 steps', 'next 2 steps')
    """
    noun = _STEPS.get((frequency.unit, frequency.count), "step") if frequency else "step"
    return f"next {count} {noun}s" if count > 1 else f"next {noun}"


def decimals_for(width: float, level: float) -> int:
    """Return with how many decimals the ends of an interval are written: its width has two digits.

    Args:
        width: of the interval, 0 or more.
        level: about where it lies.

    Example:
        >>> decimals_for(46.0, 231.0), decimals_for(1.26, 0.02), decimals_for(0.0, 5.0)
        (0, 1, 5)
    """
    width = max(width, FINEST * abs(level), 10.0**-MOST_DECIMALS)
    return int(np.clip(math.ceil(1 - math.log10(width)), 0, MOST_DECIMALS))


def values_text(values: Any, unit: str = "") -> str:
    """Return what came in the words of a forecast: the range of values, and the last.

    Args:
        values: `[H]`, NaN where missing.
        unit: what stands behind a number, such as "%".

    Example:
        >>> values_text([8.25, 14.0, 11.0]), values_text([0.5]), values_text([float("nan")])
        ('8.2 to 14.0; at the end 11.0', '0.5000', 'missing')
    """
    values = np.asarray(values, "float64")
    if np.isnan(values).all():
        return "missing"
    low, high, last = float(np.nanmin(values)), float(np.nanmax(values)), float(values[-1])
    decimals = decimals_for(high - low or abs(high) / 100, high)
    ends = [f"{value:z.{decimals}f}{unit}" for value in (low, high, last)]
    end = "missing" if math.isnan(last) else ends[2]
    return end if len(values) == 1 else f"{ends[0]} to {ends[1]}; at the end {end}"


def answer_text(
    quantiles: Any, levels: Sequence[float], frequency: Frequency | None, unit: str = ""
) -> str:
    """Return a sentence of a forecast: the range of its medians, and where it ends.

    Numbers have so many decimals that the width of the last interval has two digits; where no
    interval is held, that of the range.

    Args:
        quantiles: `[H, Q]`, H at least 1, ascending.
        levels: Q of them, 0 to 1, ascending.
        frequency: of the series; None for steps.
        unit: what stands behind a number, such as "%".

    Example:
        >>> fan = [[8.0, 10.0, 12.0], [7.25, 11.0, 14.75]]
        >>> answer_text(fan, [0.1, 0.5, 0.9], Frequency("day", 1))
        'next 2 days: median 10.0 to 11.0; at the end 11.0, 80% in 7.2 to 14.8'
        >>> answer_text(fan[:1], [0.1, 0.5, 0.9], None)
        'next step: median 10.0, 80% in 8.0 to 12.0'
        >>> answer_text([[10.0], [11.0]], [0.5], Frequency("day", 1))
        'next 2 days: 10.0 to 11.0; at the end 11.0'
    """
    median = at_level(quantiles, levels, 0.5)
    low, high = (float(at_level(quantiles, levels, each)[-1]) for each in interval_levels(80))
    last = float(median[-1])
    held = 80 in held_intervals(levels)
    decimals = decimals_for(high - low if held else float(np.ptp(median)), last)

    def written(value: Any) -> str:
        return f"{float(value):z.{decimals}f}{unit}"

    start = f"{next_steps(len(median), frequency)}: {median_word(levels)}"
    inside = f", 80% in {written(low)} to {written(high)}" if held else ""
    if len(median) == 1:
        return f"{start}{written(last)}{inside}"
    span = f"{written(median.min())} to {written(median.max())}"
    return f"{start}{span}; at the end {written(last)}{inside}"


def median_word(levels: Sequence[float]) -> str:
    """Return what stands before a median; of a single number, which may be a mean, nothing."""
    return "median " if len(levels) > 1 else ""
