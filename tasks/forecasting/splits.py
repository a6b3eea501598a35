"""Splits of series by time: the same dates for all, and which steps forecasts are made at."""

from typing import Any, NamedTuple

import numpy as np

from zoo.errors import UserError
from zoo.readers.frequency import Frequency
from zoo.readers.series import SeriesTable

TEST, VALIDATION = 0.2, 0.1
"""Shares of the last steps, at least one horizon each."""

_SEEN = 8
"""Steps that a series is read for at least before a forecast of it counts, if it is not short."""


class Sizes(NamedTuple):
    """How many steps the splits have.

    Attributes:
        train: counted from the beginning, and with it the others; 0 counts from the end.
        validation: 0 for a tenth, at least one horizon.
        test: 0 for a fifth, at least one horizon; or for what came as a test file.
    """

    train: int = 0
    validation: int = 0
    test: int = 0


def split_ends(table: SeriesTable, horizon: int, sizes: Sizes = Sizes()) -> np.ndarray:  # noqa: B008
    """Return after which step each split of each series ends, `[N, 3]`: train, validation, test.

    With dates, the splits have the same ones in all series, of which some may have a part of a
    split, or nothing: the test begins where a fifth of all values are left, the validation where a
    tenth more are. Without, each series is counted from its end.

    Args:
        table: series of T steps each.
        horizon: steps of a forecast.
        sizes: what a person set.

    Example:
        >>> from zoo.readers.series import Series
        >>> nothing = np.zeros((30, 0))
        >>> one = Series("a", np.arange(30.0), None, nothing, nothing, ())
        >>> split_ends(SeriesTable((one,), None), horizon=4).tolist()
        [[20, 24, 30]]
    """
    series = table.series
    lengths = np.array([len(each.values) for each in series])
    if table.held_out is not None and not sizes.train:
        sizes = sizes._replace(test=sizes.test or table.held_out)
        return np.array([_ends(length, horizon, sizes) for length in lengths])
    if table.frequency is None or series[0].times is None:
        return np.array([_ends(length, horizon, sizes) for length in lengths])
    times = [each.times[:length] for each, length in zip(series, lengths)]  # type: ignore[index]
    dates = _dates(np.sort(np.concatenate(times)), table.frequency, horizon, sizes)
    ends = np.stack([np.searchsorted(own, dates) for own in times])
    if not sizes.train:
        ends[:, 2] = lengths
    return ends


def _dates(pooled: np.ndarray, frequency: Frequency, horizon: int, sizes: Sizes) -> np.ndarray:
    """Return the first dates that are no longer in each split.

    Args:
        pooled: the date of each value of all series, in order.
        frequency: of the series.
        horizon: steps of a forecast.
        sizes: what a person set.
    """
    if sizes.train:
        steps = [sizes.train, sizes.validation or horizon, sizes.test or horizon]
        return frequency.after(pooled[0], np.cumsum(steps))

    def before(date: Any, steps: int, share: float) -> Any:
        if steps:
            return frequency.after(date, -steps)
        place = len(pooled) - round(share * len(pooled))
        return min(pooled[place], frequency.after(date, -horizon))

    end = frequency.after(pooled[-1], 1)
    test = before(end, sizes.test, TEST)
    return np.array([before(test, sizes.validation, TEST + VALIDATION), test, end])


def _ends(length: int, horizon: int, sizes: Sizes) -> list[int]:
    """Return the ends of the splits of one series, from 0 to its length."""
    if sizes.train:
        steps = np.cumsum([sizes.train, sizes.validation or horizon, sizes.test or horizon])
        ends = steps.tolist()
    else:
        test = sizes.test or max(horizon, round(TEST * length))
        validation = sizes.validation or max(horizon, round(VALIDATION * length))
        ends = [length - test - validation, length - test, length]
    return [min(max(end, 0), length) for end in ends]


def first_steps(ends: np.ndarray, season: int) -> np.ndarray:
    """Return how many steps of each series are read before its forecasts count, `[N]`.

    It is a season; at least eight steps, or a sixth of a series that is shorter than 48.
    """
    return np.maximum(season, np.minimum(_SEEN, ends[:, 2] // 6)).clip(1)


def usable(ends: np.ndarray, season: int) -> np.ndarray:
    """Return which series can be learnt from, bool `[N]`: of a step more than are read before."""
    return ends[:, 0] > first_steps(ends, season)


def learnt_ends(ends: np.ndarray, season: int) -> np.ndarray:
    """Return where the training part of each series ends, `[N]`; 0 of one that is not usable."""
    return np.where(usable(ends, season), ends[:, 0], 0)


def origins(
    ends: np.ndarray, split: int, horizon: int, season: int, count: int = 0, most: int = 0
) -> list[np.ndarray]:
    """Return the steps at whose end forecasts are judged, for each series; of some, none.

    All of the forecast lies in the split, so that the first origin is the step before the split.

    Args:
        ends: of the splits.
        split: 0, 1 or 2.
        horizon: steps of a forecast.
        season: see `first_steps`.
        count: of each series, evenly spread, the last one always among them; 0 for all.
        most: origins of all series, if `count` is 0; 0 for any number.

    Example:
        >>> [steps.tolist() for steps in origins(np.array([[20, 24, 30]]), 2, 4, 1)]
        [[23, 24, 25]]
    """
    begin = ends[:, split - 1] if split else np.zeros(len(ends), int)
    first = np.maximum(begin, first_steps(ends, season)) - 1
    last = ends[:, split] - 1 - horizon
    sizes = np.maximum(last - first + 1, 0)
    if not count and most and sizes.sum() > most:
        count = max(1, most // int((sizes > 0).sum()))
    return [
        last_ - _spread(int(size), count or int(size))[::-1] for last_, size in zip(last, sizes)
    ]


def _spread(total: int, count: int) -> np.ndarray:
    """Return up to `count` places among `total`, evenly spread, 0 always among them."""
    count = min(total, count)
    if count < 2:
        return np.arange(count)
    return np.round(np.linspace(0, total - 1, count)).astype(int)


def check_fits(
    table: SeriesTable, horizon: int, season: int, sizes: Sizes, ends: np.ndarray
) -> None:
    """Raise if there is nothing to learn from, or nothing to judge by.

    Raises:
        UserError: the series are too short; it says what fits.
    """
    if _fits(ends, horizon, season):
        return
    length = max(len(each.values) for each in table.series)
    asked = f"a horizon of {horizon} with a season of {season}"
    most = longest_horizon(table, season, sizes)
    if most:
        raise UserError(
            f"the series have up to {length:,} steps, too few for {asked} in train, validation and "
            f"test: set horizon={most} or less"
        )
    raise UserError(
        f"the series have up to {length:,} steps, too few to learn from with a season of {season}: "
        "give longer ones, or set a shorter season"
    )


def _fits(ends: np.ndarray, horizon: int, season: int) -> bool:
    """Return whether there is something to learn from, and to judge by in each other split."""
    judged = all(any(map(len, origins(ends, split, horizon, season, 1))) for split in (1, 2))
    return judged and bool(usable(ends, season).any())


def longest_horizon(table: SeriesTable, season: int, sizes: Sizes = Sizes()) -> int:  # noqa: B008
    """Return the longest horizon that leaves something for each split; 0 if none does."""
    low, high = 0, max(len(each.values) for each in table.series) // 2
    while low < high:
        middle = (low + high + 1) // 2
        fits = _fits(split_ends(table, middle, sizes), middle, season)
        low, high = (middle, high) if fits else (low, middle - 1)
    return low
