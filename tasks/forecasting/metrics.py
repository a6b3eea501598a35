"""Metrics of forecasts, each as sums over forecasts, so that a bootstrap can draw these anew."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tasks.forecasting.baselines import seasonal_errors

INTERVALS = {80: (0.1, 0.9), 95: (0.025, 0.975)}
"""Per cent that an interval is to cover, and the quantiles that it lies between."""

_STRETCHES = 6
"""Parts of the horizon of which each has its own coverage, at most."""
_FEW = 30
"""Series under which blocks of time are drawn anew, in place of series."""
_BLOCKS = 100


@dataclass(frozen=True)
class Scales:
    """What the errors of each series are measured in; arrays `[N]`.

    Attributes:
        absolute: mean absolute seasonal error of what came before; 0 where that is constant.
        squared: mean squared one.
        deviation: standard deviation of the values of the training part.
    """

    absolute: np.ndarray
    squared: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, before: list[np.ndarray], train: list[np.ndarray], season: int) -> "Scales":
        """Return the scales of series.

        Args:
            before: all values before the first that is forecast, NaN where missing.
            train: those of the training part.
            season: in steps.

        Example:
            >>> values = [np.array([1.0, 2.0, 4.0])]
            >>> scales = Scales.of(values, values, season=1)
            >>> scales.absolute.tolist(), scales.squared.tolist()
            ([1.5], [2.5])
        """
        errors = [seasonal_errors(part, season) for part in before]
        values = [part[~np.isnan(part)] for part in train]
        return cls(
            np.array([np.abs(each).mean() if len(each) else 0.0 for each in errors]),
            np.array([(each**2).mean() if len(each) else 0.0 for each in errors]),
            np.array([each.std() if len(each) else 0.0 for each in values]),
        )


class Forecasts(NamedTuple):
    """Forecasts of N origins.

    Attributes:
        point: `[N, H]`.
        quantiles: `[N, H, Q]`.
    """

    point: np.ndarray
    quantiles: np.ndarray


def pinball(actual: np.ndarray, quantiles: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the quantile loss `[..., Q]` of quantiles `[..., Q]`.

    Example:
        >>> pinball(np.array(1.0), np.array([0.0, 3.0]), np.array([0.1, 0.9])).round(2).tolist()
        [0.1, 0.2]
    """
    miss = actual[..., None] - quantiles
    return np.maximum(levels * miss, (levels - 1) * miss)


def interval_of(quantiles: np.ndarray, levels: np.ndarray, percent: int) -> np.ndarray | None:
    """Return the ends `[2, ...]` of a central interval; None if these are no quantiles here."""
    places = [np.flatnonzero(np.isclose(levels, level)) for level in INTERVALS[percent]]
    if not all(len(place) for place in places):
        return None
    low, high = (quantiles[..., place[0]] for place in places)
    return np.stack([low, high])


def stretches(horizon: int) -> dict[str, slice]:
    """Return the parts of a horizon whose coverage is told, by their first and last steps ahead.

    Example:
        >>> list(stretches(3)), list(stretches(13))
        (['1', '2', '3'], ['1-3', '4-5', '6-7', '8-9', '10-11', '12-13'])
    """
    parts = np.array_split(np.arange(1, horizon + 1), min(horizon, _STRETCHES))
    return {
        (f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}"): slice(part[0] - 1, part[-1])
        for part in parts
    }


def level_sums(
    actual: np.ndarray,
    forecasts: Forecasts,
    levels: np.ndarray,
    scales: Scales,
    series: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return what each of N forecasts adds to the sums of the metrics, arrays `[N]`.

    A forecast counts by the mean over those of its steps that were observed. One of a series that
    was constant is left out of what is measured in its seasonal errors.

    Args:
        actual: `[N, H]`, NaN where missing; at least one of each row is there.
        forecasts: of these.
        levels: `[Q]`, of the quantiles.
        scales: of all series.
        series: `[N]`, the series of each.
    """
    there = ~np.isnan(actual)
    actual = np.where(there, actual, 0.0)
    count = there.sum(axis=1)

    def total(values: np.ndarray) -> np.ndarray:
        return np.sum(values, axis=1, where=there)

    def mean(values: np.ndarray) -> np.ndarray:
        return total(values) / count

    absolute, squared = scales.absolute[series], scales.squared[series]
    spread = scales.deviation[series]
    scaled, varied = absolute > 0, spread > 0

    def per(values: np.ndarray, unit: np.ndarray, counts: np.ndarray) -> np.ndarray:
        return np.where(counts, values / np.where(counts, unit, 1.0), 0.0)

    errors = actual - forecasts.point
    sizes = np.abs(actual) + np.abs(forecasts.point)
    # 0 forecast as 0 is no error.
    symmetric = 200 * np.abs(errors) / np.where(sizes > 0, sizes, 1.0)
    sums = {
        "mase": per(mean(np.abs(errors)), absolute, scaled),
        "rmsse": per(np.sqrt(mean(errors**2)), np.sqrt(squared), scaled),
        "smape": mean(symmetric),
        "standardised_mse": per(total(errors**2), spread**2, varied),
        "standardised_mae": per(total(np.abs(errors)), spread, varied),
    }
    if len(levels) > 1:
        losses = 2 * pinball(actual, forecasts.quantiles, levels)
        for place in range(len(levels)):
            sums[f"quantile {place}"] = total(losses[:, :, place])
    for percent in INTERVALS:
        ends = interval_of(forecasts.quantiles, levels, percent)
        if ends is None:
            continue
        inside = (ends[0] <= actual) & (actual <= ends[1]) & there
        sums[f"covered {percent}"] = inside.sum(axis=1)
        for name, part in stretches(actual.shape[1]).items():
            sums[f"covered {percent} {name}"] = inside[:, part].sum(axis=1)
        if percent == 95:
            outside = np.maximum(ends[0] - actual, 0) + np.maximum(actual - ends[1], 0)
            score = ends[1] - ends[0] + 2 / 0.05 * outside
            sums["msis"] = per(mean(score), absolute, scaled)
    return sums


def shared_sums(actual: np.ndarray, scales: Scales, series: np.ndarray) -> dict[str, np.ndarray]:
    """Return what forecasts of the same values have in common: how many of each there are."""
    there = ~np.isnan(actual)
    count, parts = there.sum(axis=1), stretches(actual.shape[1])
    return {
        "forecasts": np.ones(len(actual)),
        "scaled": (scales.absolute[series] > 0) * 1.0,
        "values": count,
        "varied": np.where(scales.deviation[series] > 0, count, 0),
        "size": np.abs(np.where(there, actual, 0.0)).sum(axis=1),
        **{f"values {name}": there[:, part].sum(axis=1) for name, part in parts.items()},
    }


def level_metrics(sums: Mapping[str, float], prefix: str = "") -> dict[str, float]:
    """Return metrics from sums over forecasts; one that nothing says anything of is left out.

    - `mase`: mean absolute error in units of the seasonal one, over what came before the split.
    - `rmsse`: the root of the mean squared error, in units of the root of that.
    - `smape`: 200 |y - f| / (|y| + |f|).
    - `msis`: the interval score of the 95 % interval, in the units of `mase`.
    - `wql`: weighted quantile loss, the mean over the quantiles of twice their loss, by the size of
      the values; `crps`: the same in units of the values. Both come near the continuous ranked
      probability score, and are left out where there is one quantile only.
    - `coverage_80`, `coverage_95`: share of the values inside the interval; of some steps
      ahead `coverage_80/1-3`.
    - `standardised_mse`, `standardised_mae`: of values in units of the standard deviation of the
      training part.

    Args:
        sums: by the names of `shared_sums`; and by those of `level_sums`, after the prefix.
        prefix: "" for the model, or such as "naive ".

    Source: S. Makridakis et al. 2020, doi:10.1016/j.ijforecast.2019.04.014 (MASE, sMAPE, MSIS); the
    same, 2022, doi:10.1016/j.ijforecast.2021.11.013 (RMSSE); the weighted quantile loss as in
    GluonTS, arXiv:1906.05264.
    """
    own = {key[len(prefix) :]: value for key, value in sums.items() if key.startswith(prefix)}
    units = {
        "mase": sums["scaled"],
        "smape": sums["forecasts"],
        "rmsse": sums["scaled"],
        "msis": sums["scaled"],
        "standardised_mse": sums["varied"],
        "standardised_mae": sums["varied"],
    }
    metrics = {key: own[key] / unit for key, unit in units.items() if key in own and unit > 0}
    if losses := [own[key] for key in own if key.startswith("quantile ")]:
        loss = sum(losses) / len(losses)
        if sums["size"] > 0:
            metrics["wql"] = loss / sums["size"]
        metrics["crps"] = loss / sums["values"]
    for percent in INTERVALS:
        if f"covered {percent}" in own:
            metrics[f"coverage_{percent}"] = own[f"covered {percent}"] / sums["values"]
    return {key: float(value) for key, value in metrics.items()}


def coverage_by_horizon(sums: Mapping[str, float]) -> dict[str, float]:
    """Return the coverage of each stretch of the horizon."""
    shares = {}
    for key, value in sums.items():
        kind, *rest = key.split(" ")
        if kind == "covered" and len(rest) == 2 and sums[f"values {rest[1]}"] > 0:
            shares[f"coverage_{rest[0]}/{rest[1]}"] = float(value / sums[f"values {rest[1]}"])
    return shares


def return_sums(
    actual: np.ndarray,
    there: np.ndarray,
    quantiles: np.ndarray,
    nll: np.ndarray | None,
    levels: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return what each of N forecasts of returns adds to the sums of their metrics, arrays `[N]`.

    Args:
        actual: `[N, H]`, any number where nothing came.
        there: bool `[N, H]`, where something did.
        quantiles: `[N, H, Q]`.
        nll: `[N, H]`, negative log-likelihoods; None where there is no distribution.
        levels: `[Q]`, of the quantiles.
    """
    sums = {}
    if len(levels) > 1:
        losses = 2 * pinball(actual, quantiles, levels).mean(axis=-1)
        sums["crps"] = np.sum(losses, axis=1, where=there)
    if nll is not None:
        sums["nll"] = np.sum(nll, axis=1, where=there)
    for percent in INTERVALS:
        ends = interval_of(quantiles, levels, percent)
        if ends is not None:
            inside = (ends[0] <= actual) & (actual <= ends[1]) & there
            sums[f"coverage_{percent}"] = inside.sum(axis=1)
            below = (actual < ends[0]) & there
            sums[f"below_{100 * INTERVALS[percent][0]:g}"] = below.sum(axis=1)
    return sums


def return_metrics(sums: Mapping[str, float], prefix: str = "") -> dict[str, float]:
    """Return the means of `return_sums` of all forecasts whose names begin with a prefix."""
    order = ("nll", "crps", "coverage_80", "coverage_95", "below_10", "below_2.5")
    present = (key for key in order if prefix + key in sums)
    return {key: float(sums[prefix + key] / sums["values"]) for key in present}


def named(names: list[str], metrics: Callable[[dict[str, float]], dict[str, float]]) -> Callable:
    """Return metrics of sums by name as those of an array `[K]` of them."""
    return lambda sums: metrics(dict(zip(names, sums.tolist())))


def groups_of(series: np.ndarray, steps: np.ndarray, horizon: int) -> np.ndarray:
    """Return which forecasts are drawn together in a bootstrap, `[N]`.

    With thirty series or more they are those of one series. With fewer, forecasts that begin in the
    same stretch of time, over all series, as their errors have much in common: of one horizon at
    least, and such that there are a hundred stretches at most; unless there are more series than
    such stretches.

    Args:
        series: of each forecast.
        steps: at which it is made.
        horizon: steps of a forecast.
    """
    count = len(np.unique(series))
    if count >= _FEW:
        return series
    begin = steps.min()
    length = max(horizon, -(-(steps.max() - begin + 1) // _BLOCKS))
    stretches = (steps - begin) // length
    return series if count > len(np.unique(stretches)) else stretches
