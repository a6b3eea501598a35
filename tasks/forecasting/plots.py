"""Pictures of forecasts: one over its past, and how calibrated those of a split are."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from tasks.forecasting.backtest import Answers
from tasks.forecasting.baselines import filled, returns_of, seasonal_naive
from tasks.forecasting.serving import SECONDS, VALUE
from zoo.evaluation.forecast_plots import calibration_figure, fan_figure

_FEWEST = 40
MOST = 4000
"""Forecasts of a split that are drawn, evenly spread."""


def fan(task: Any, model: Any, raw: np.ndarray) -> Figure:
    """Draw a forecast over its past, the naive one beside it.

    The past is two seasons or six horizons long, at least 40 steps and at most two look-backs, so
    that the forecast stays to be seen.

    Args:
        task: the `Forecasting` of the model.
        model: a built model.
        raw: float64 `[T, C]`, as `serve` takes it.
    """
    quantiles = task.served(model)["serve"](raw[None])["quantiles"].numpy()[0]
    last = int(np.flatnonzero(~np.isnan(raw[:, VALUE]))[-1])
    values, horizon = raw[: last + 1, VALUE], len(quantiles)
    naive = None
    if task.returns:
        values = returns_of(values)
    else:
        complete = filled(values, task.season)
        naive = seasonal_naive(complete, np.array([last]), horizon, task.season)[0]
    length = max(6 * horizon, 2 * task.season, _FEWEST)
    past = values[-min(length, 2 * task.look_back) :]
    times = _times(task.frequency, raw[: last + 1, SECONDS], len(past), horizon)
    figure = fan_figure(past, quantiles, task.quantiles, naive, times=times)
    if task.returns:
        figure.axes[0].set_ylabel("return in per cent")
    return figure


def _times(frequency: Any, seconds: np.ndarray, count: int, horizon: int) -> np.ndarray | None:
    """Return the times of the last steps and of the next ones, datetime64; None without dates."""
    if frequency is None or np.isnan(seconds[-count:]).any():
        return None
    times = seconds[-count:].astype("int64").astype("datetime64[s]")
    return np.concatenate([times, frequency.after(times[-1], np.arange(1, horizon + 1))])


def calibration(answers: Any, levels: Any, total: int) -> Figure:
    """Draw how often what came lies below each quantile, and in the intervals by horizon.

    Args:
        answers: of a split, in parts, see `tasks.forecasting.backtest.Answers`.
        levels: of their quantiles.
        total: how many there are, about.
    """
    every = max(1, -(-total // MOST))
    drawn: list[Answers] = []
    seen = 0
    for part in answers:
        chosen = (seen + np.arange(len(part.steps))) % every == 0
        seen += len(part.steps)
        drawn.append(part._replace(**{k: v[chosen] for k, v in part._asdict().items()}))
    quantiles, actual = (
        np.concatenate([getattr(part, name) for part in drawn]) for name in ("quantiles", "actual")
    )
    return calibration_figure(quantiles, actual, levels)
