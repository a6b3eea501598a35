"""What a forecast is held against: the seasonal naive one, and for returns, an average of squares.

All in float64.
"""

import numpy as np
from scipy.special import ndtri

EWMA_SHARES = (0.9, 0.94, 0.97, 0.99)


def filled(values: np.ndarray, season: int) -> np.ndarray:
    """Return values `[T]` in which what is missing is what it was a season ago.

    Within the first season it is the value before it, and at the very beginning 0.

    Example:
        >>> filled(np.array([1.0, 2.0, np.nan, 4.0, np.nan]), 2).tolist()
        [1.0, 2.0, 1.0, 4.0, 1.0]
    """
    first = _carried(values[:season].reshape(-1, 1)).reshape(-1)
    rest = values[season:]
    rows = np.full((-(-len(rest) // season), season), np.nan)
    rows.reshape(-1)[: len(rest)] = rest
    if not rows.size:
        return first
    whole = _carried(np.concatenate([first[None], rows]))
    return whole.reshape(-1)[: len(values)]


def _carried(rows: np.ndarray) -> np.ndarray:
    """Return rows `[N, M]` in which what is missing is what it was in the row before; else 0."""
    places = np.where(np.isnan(rows), -1, np.arange(len(rows))[:, None])
    latest = np.maximum.accumulate(places, axis=0)
    return np.where(latest < 0, 0.0, np.take_along_axis(rows, latest.clip(0), axis=0))


def seasonal_naive(
    complete: np.ndarray, steps: np.ndarray, horizon: int, season: int
) -> np.ndarray:
    """Return at each of some steps what the next values would be if the last season came again.

    Args:
        complete: values `[T]` without a gap, see `filled`.
        steps: `[N]`, each at least `season - 1`.
        horizon: how many values.
        season: in steps; 1 says the last value again.

    Example:
        >>> seasonal_naive(np.array([1.0, 2.0, 3.0]), np.array([2]), horizon=3, season=2).tolist()
        [[2.0, 3.0, 2.0]]
    """
    ahead = np.arange(1, horizon + 1)
    return complete[steps[:, None] + ahead - season * seasons_ahead(horizon, season)]


class NaiveForecasts:
    """The seasonal naive forecasts of any series at any steps.

    Args:
        values: `[T]` of each series, NaN where missing.
        horizon: steps of a forecast.
        season: in steps.
    """

    def __init__(self, values: list[np.ndarray], horizon: int, season: int) -> None:
        self.complete = [filled(each, season) for each in values]
        self.horizon, self.season = horizon, season

    def __call__(self, series: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Return forecasts `[N, H]` of series `[N]` at steps `[N]`."""
        forecasts = np.empty((len(series), self.horizon))
        for one in np.unique(series):
            own = series == one
            complete = self.complete[one]
            forecasts[own] = seasonal_naive(complete, steps[own], self.horizon, self.season)
        return forecasts


def seasons_ahead(horizon: int, season: int) -> np.ndarray:
    """Return in which season ahead each of the next steps lies, `[H]`, counted from 1."""
    return -(-np.arange(1, horizon + 1) // season)


def seasonal_errors(values: np.ndarray, season: int) -> np.ndarray:
    """Return by how much values differ from those a season before, where both were observed."""
    errors = values[season:] - values[:-season]
    return errors[~np.isnan(errors)]


def naive_quantiles(
    forecast: np.ndarray, deviation: np.ndarray, season: int, levels: np.ndarray
) -> np.ndarray:
    """Return quantiles of naive forecasts, normal ones that widen from season to season.

    Args:
        forecast: `[N, H]`.
        deviation: `[N]`, the root of the mean square of seasonal errors.
        season: in steps.
        levels: `[Q]`, of the quantiles.

    Source: R. Hyndman and G. Athanasopoulos, Forecasting: principles and practice, third edition,
    section 5.5, benchmark methods.
    """
    widths = np.sqrt(seasons_ahead(forecast.shape[1], season))
    return forecast[:, :, None] + deviation[:, None, None] * widths[:, None] * ndtri(levels)


def returns_of(prices: np.ndarray) -> np.ndarray:
    """Return by how many per cent of a logarithm each price `[T]` is above the last one before it.

    It is NaN where there is no price, and of the first.

    Example:
        >>> returns_of(np.array([1.0, np.nan, np.e])).round(6).tolist()
        [nan, nan, 100.0]
    """
    returns = 100 * np.diff(np.log(_carried(prices[:, None])[:, 0]), prepend=np.nan)
    return np.where(np.isnan(prices), np.nan, returns)


def spreads(values: np.ndarray, returns: bool) -> np.ndarray:
    """Return how far values are from their mean, on average, `[N]`; 1 where they do not differ.

    Args:
        values: `[N, T]`, NaN where missing.
        returns: whether they are prices, of whose returns it is asked.

    Example:
        >>> spreads(np.array([[1.0, 3.0, np.nan], [2.0, 2.0, 2.0]]), returns=False).tolist()
        [1.0, 1.0]
    """
    values = values.astype("float64")
    if returns:
        # A window that is filled up has zeros.
        prices = np.where(values > 0, values, np.nan)
        values = 100 * np.diff(np.log(prices), axis=1)
    there = ~np.isnan(values)
    count = np.maximum(there.sum(axis=1, keepdims=True), 1)
    apart = np.abs(values - np.sum(values, axis=1, where=there, keepdims=True) / count)
    mean = np.sum(apart, axis=1, where=there) / count[:, 0]
    return np.where(mean > 0, mean, 1.0)


def ewma_variance(returns: np.ndarray, share: float, start: float) -> np.ndarray:
    """Return the variance that is expected of the step after each, `[T]`.

    Args:
        returns: `[T]`, NaN where there is none, which changes nothing.
        share: of the variance that is kept from step to step.
        start: the variance before the first step.

    Source: J.P. Morgan and Reuters 1996, RiskMetrics technical document, section 5.2.
    """
    variance, latest = np.empty(len(returns)), start
    for place, value in enumerate(returns):
        if not np.isnan(value):
            latest = share * latest + (1 - share) * value**2
        variance[place] = latest
    return variance


def normal_nll(values: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return the negative log-likelihood of values under normal distributions around 0.

    Example:
        >>> round(float(normal_nll(np.array(0.0), np.array(1.0))), 4)
        0.9189
    """
    variance = np.maximum(variance, 1e-12)
    return 0.5 * (np.log(2 * np.pi * variance) + values**2 / variance)


def best_season(parts: list[np.ndarray], seasons: tuple[int, ...], horizon: int) -> int:
    """Return the season whose naive forecast errs the least over a horizon.

    Each series counts the same: its errors are in units of its mean step from value to value. A
    season is tried on what has seen two of the longest one that can be tried at all.

    Args:
        parts: the training part of each series.
        seasons: in steps; 1 is tried, too.
        horizon: steps of a forecast.
    """
    seasons = tuple(m for m in sorted({1, *seasons}) if any(len(p) >= 2 * m + 1 for p in parts))
    if len(seasons) < 2:
        return 1
    totals = np.zeros(len(seasons))
    for part in parts:
        steps = np.arange(2 * seasons[-1] - 1, len(part) - 1)
        unit = np.abs(seasonal_errors(part, 1)).mean() if len(part) > 1 else 0.0
        if not len(steps) or not unit > 0:
            continue
        totals += [_naive_error(part, steps, horizon, season) / unit for season in seasons]
    return seasons[int(np.argmin(totals))]


def _naive_error(part: np.ndarray, steps: np.ndarray, horizon: int, season: int) -> float:
    """Return the mean absolute error of the naive forecasts at some steps, as far as values go."""
    steps = steps[:: max(1, len(steps) * horizon // 1_000_000)]
    places = steps[:, None] + np.arange(1, horizon + 1)
    actual = np.where(places < len(part), part[places.clip(max=len(part) - 1)], np.nan)
    errors = np.abs(actual - seasonal_naive(filled(part, season), steps, horizon, season))
    return float(np.nanmean(errors)) if not np.isnan(errors).all() else 0.0
