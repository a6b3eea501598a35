"""Pictures of forecasts: the fan over the past, coverage by horizon, and calibration."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoo.evaluation.plots import message_figure
from zoo.readers.series_text import LEVELS, at_level, held_intervals, interval_levels

_COLOUR = "tab:blue"


def fan_figure(
    past: Any,
    quantiles: Any,
    levels: Sequence[float],
    naive: Any = None,
    actual: Any = None,
    times: Any = None,
    title: str = "",
) -> Figure:
    """Draw a forecast over the past: the median, and bands that hold 80 and 95 per cent.

    Args:
        past: `[T]`, NaN where a value is missing.
        quantiles: `[H, Q]` of the H steps after it.
        levels: Q of them, 0 to 1, ascending.
        naive: `[H]`, the forecast to compare with, drawn dashed; None for none.
        actual: `[H]`, what came, NaN where it is not known; None for none.
        times: datetime64 `[T + H]`; None for steps, of which 0 is the last of the past.
        title: what stands above.

    Example:
        >>> figure = fan_figure([1.0, 2.0], [[1.0, 2.0, 3.0]], [0.025, 0.5, 0.975], naive=[2.0])
        >>> [line.get_label() for line in figure.axes[0].lines]
        ['past', 'median', 'naive']
    """
    past, quantiles = np.asarray(past, "float64"), np.asarray(quantiles, "float64")
    if not len(quantiles) or not np.isfinite(quantiles).any():
        return message_figure("no forecast")
    count, ahead = len(past), len(quantiles)
    places = np.arange(1 - count, ahead + 1) if times is None else np.asarray(times)
    before, after = places[:count], places[count : count + ahead]
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(before, past, color="black", linewidth=1, label="past")
    # The fan of a single step would be a line of no width.
    style: dict[str, Any] = {"marker": "_", "markersize": 12} if ahead == 1 else {}
    alphas = dict(zip(sorted(LEVELS, reverse=True), (0.2, 0.35)))
    for per_cent in sorted(held_intervals(levels), reverse=True):
        low, high = (at_level(quantiles, levels, level) for level in interval_levels(per_cent))
        how: dict[str, Any] = {"color": _COLOUR, "alpha": alphas[per_cent], "label": f"{per_cent}%"}
        if ahead == 1:
            axes.vlines(after, low, high, linewidth=10, **how)
        else:
            axes.fill_between(after, low, high, linewidth=0, **how)
    median = at_level(quantiles, levels, 0.5)
    axes.plot(
        after,
        median,
        color=_COLOUR,
        label="median" if len(levels) > 1 else "forecast",
        zorder=3,
        **style,
    )
    if naive is not None:
        how = {"color": "tab:orange", "linestyle": "--", "linewidth": 1, "label": "naive"}
        axes.plot(after, naive, **how, **style)
    if actual is not None:
        axes.plot(after, actual, color="black", linewidth=1, linestyle=":", label="actual", **style)
    axes.set(title=title, xlabel="step" if times is None else "")
    figure.legend(loc="outside right upper")
    if times is not None:
        for label in axes.get_xticklabels():
            label.set(rotation=30, ha="right")
    return figure


def calibration_figure(quantiles: Any, actual: Any, levels: Sequence[float]) -> Figure:
    """Draw how often what came lies below each quantile, and in the intervals by horizon.

    Args:
        quantiles: `[N, H, Q]` of N forecasts, ascending.
        actual: `[N, H]`, what came; NaN where it is not known, which counts nowhere.
        levels: Q of them, 0 to 1, ascending.

    Example:
        >>> quantiles = np.tile([[-1.0, 0.0, 1.0]], (2, 1, 1))
        >>> figure = calibration_figure(quantiles, [[0.5], [-0.5]], [0.1, 0.5, 0.9])
        >>> figure.axes[0].lines[1].get_ydata().tolist()
        [0.0, 0.5, 1.0]
    """
    quantiles, actual = np.asarray(quantiles, "float64"), np.asarray(actual, "float64")
    known = np.isfinite(actual)
    if not known.any():
        return message_figure("no values to compare forecasts with")
    if len(levels) == 1:
        return message_figure("forecasts of one number each: there are no intervals to judge")
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    below = (actual[known][:, None] <= quantiles[known]).mean(axis=0)
    left.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--", label="calibrated")
    left.plot(levels, below, color=_COLOUR, marker=".", label="model")
    left.set(xlabel="quantile", ylabel="share of values below it", xlim=(0, 1), ylim=(0, 1))
    left.set_aspect("equal")
    left.legend()
    steps = np.arange(1, actual.shape[1] + 1)
    colours = dict(zip(LEVELS, ("tab:blue", "tab:green")))
    for per_cent in held_intervals(levels):
        colour = colours[per_cent]
        low, high = (at_level(quantiles, levels, level) for level in interval_levels(per_cent))
        inside = np.where(known, (low <= actual) & (actual <= high), np.nan)
        share = [np.nanmean(each) if np.isfinite(each).any() else np.nan for each in inside.T]
        right.plot(steps, share, color=colour, marker=".", label=f"{per_cent}% interval")
        right.axhline(per_cent / 100, color=colour, linewidth=1, linestyle="--")
    right.set(xlabel="step of the horizon", ylabel="share of values inside", ylim=(0, 1.03))
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    if held_intervals(levels):
        right.legend(loc="lower right")
    return figure
