"""What the data decide of a forecast where nobody sets it: horizon, season and look-back."""

from typing import NamedTuple

import numpy as np

from tasks.forecasting.baselines import best_season
from tasks.forecasting.splits import (
    Sizes,
    check_fits,
    longest_horizon,
    split_ends,
    usable,
)
from zoo.errors import UserError
from zoo.readers.series import SeriesTable

UNDATED_SEASONS = (4, 5, 7, 12, 24, 48, 52, 96, 168, 336)
"""Seasons that are tried where no dates say how often there is a value."""
_UNDATED_HORIZON, _UNDATED_LOOK_BACK = 24, 32


class Decided(NamedTuple):
    """What a forecast is of.

    Attributes:
        horizon: steps that are forecast.
        season: steps of the season that the naive forecast goes back.
        look_back: values that the model's register holds.
    """

    horizon: int
    season: int
    look_back: int


def seasons_of(table: SeriesTable) -> tuple[int, ...]:
    """Return the seasons that series of a frequency may have; of an unknown one, usual ones."""
    return table.frequency.seasons if table.frequency else UNDATED_SEASONS


def decide(
    table: SeriesTable,
    asked: tuple[int | None, int | None, int | None],
    sizes: Sizes,
    returns: bool = False,
) -> Decided:
    """Return horizon, season and look-back.

    The horizon is that of a test file, or the usual one of the frequency, or less if the series are
    short. The season is that of the frequency whose naive forecast errs the least over the training
    part, or 1. The look-back is what is usual for the frequency; without dates, four horizons.

    Args:
        table: the series.
        asked: horizon, season and look-back that a person set.
        sizes: of the splits.
        returns: whether returns are forecast, which have no season.

    Raises:
        UserError: the series are too short for what was set.
    """
    horizon, season, look_back = asked
    for name, value in (("horizon", horizon), ("season", season), ("look_back", look_back)):
        if value is not None and value < 1:
            raise UserError(f"{name} is {value}, but a number of steps of 1 or more is needed")
    if horizon is None:
        fits = longest_horizon(table, season or 1, sizes)
        horizon = max(1, min(_usual_horizon(table), fits))
    ends = split_ends(table, horizon, sizes)
    if season is None:
        season = 1 if returns else _season(table, ends, horizon)
    check_fits(table, horizon, season, sizes, ends)
    if look_back is None:
        undated = max(_UNDATED_LOOK_BACK, 4 * horizon)
        usual = table.frequency.look_back if table.frequency else undated
        look_back = min(usual, int(ends[:, 0].max()))
    return Decided(horizon, season, max(look_back, 2 * season, 2))


def _usual_horizon(table: SeriesTable) -> int:
    """Return the horizon of a test file, or that of the frequency, or a fifth of short series."""
    if table.held_out is not None:
        return table.held_out
    lengths = [len(each.values) for each in table.series]
    if table.frequency:
        return min(table.frequency.horizon, max(lengths) // 5)
    return min(_UNDATED_HORIZON, int(np.median(lengths)) // 10)


def _season(table: SeriesTable, ends: np.ndarray, horizon: int) -> int:
    """Return the season that errs least, of those that leave most series something to learn."""
    most = usable(ends, 1).sum()
    fitting = tuple(m for m in seasons_of(table) if 2 * usable(ends, m).sum() > most)
    parts = [each.values[:end] for each, end in zip(table.series, ends[:, 0])]
    return best_season(parts, fitting, horizon)
