"""Forecasts in words, in the graph, so that an export says them too."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.readers.frequency import Frequency
from zoo.readers.series_text import (
    FINEST,
    MOST_DECIMALS,
    between,
    held_intervals,
    interval_levels,
    median_word,
    next_steps,
)


def quantile(quantiles: Any, levels: Sequence[float], level: float) -> Any:
    """Return one quantile of forecasts `[..., Q]`, see `zoo.readers.series_text.at_level`.

    Example:
        >>> quantile(tf.constant([[1.0, 2.0, 4.0]]), [0.1, 0.5, 0.9], 0.7).numpy().tolist()
        [3.0]
    """
    low, high, share = between(levels, level)
    return quantiles[..., low] * (1 - share) + quantiles[..., high] * share


def level_of(values: Any, quantiles: Any, levels: Sequence[float]) -> Any:
    """Return at which quantile values fall, on the line between two that are there.

    Args:
        values: `[N]`, float; NaN where missing.
        quantiles: `[N, Q]`, ascending; NaN where there is no forecast.
        levels: Q of them.

    Returns:
        `[N]`, 0 below the lowest quantile, 1 above the highest; NaN where either is missing, or
        where there is one quantile only, between which and the next nothing can lie.

    Example:
        >>> fan = tf.tile([[1.0, 2.0, 4.0]], [4, 1])
        >>> level_of(tf.constant([2.5, 1.0, 0.0, 9.0]), fan, [0.1, 0.5, 0.9]).numpy().round(3)
        array([0.6, 0.1, 0. , 1. ], dtype=float32)
    """
    if len(levels) == 1:
        return tf.fill(tf.shape(values), tf.constant(np.nan, quantiles.dtype))
    values = values[:, None]
    known = tf.constant(levels, quantiles.dtype)
    low, high = quantiles[:, :-1], quantiles[:, 1:]
    # Of a step without width the share is 1 from its place on: it is passed as a whole.
    width = tf.where(high > low, high - low, 1)
    share = tf.where(
        high > low,
        tf.clip_by_value((values - low) / width, 0, 1),
        tf.cast(values >= low, low.dtype),
    )
    inside = known[0] + tf.reduce_sum(share * (known[1:] - known[:-1]), axis=1)
    values = values[:, 0]
    level = tf.where(values < quantiles[:, 0], tf.zeros_like(inside), inside)
    level = tf.where(values > quantiles[:, -1], tf.ones_like(inside), level)
    is_missing = tf.math.is_nan(values) | tf.math.is_nan(quantiles[:, 0])
    return tf.where(is_missing, tf.constant(np.nan, inside.dtype), level)


def sentence(
    quantiles: Any, levels: Sequence[float], frequency: Frequency | None, unit: str = ""
) -> Any:
    """Return a sentence of each forecast, as `zoo.readers.series_text.answer_text` does.

    Args:
        quantiles: `[N, H, Q]`, float, H known and at least 1, ascending.
        levels: Q of them, 0 to 1, ascending.
        frequency: of the series; None for steps.
        unit: what stands behind a number, such as "%".

    Returns:
        Strings `[N]`.

    Example:
        >>> fan = tf.constant([[[8.0, 10.0, 12.0], [7.25, 11.0, 14.75]]])
        >>> sentence(fan, [0.1, 0.5, 0.9], Frequency("day", 1)).numpy()[0].decode()
        'next 2 days: median 10.0 to 11.0; at the end 11.0, 80% in 7.2 to 14.8'
    """
    quantiles = tf.cast(quantiles, tf.float64)
    median = quantile(quantiles, levels, 0.5)
    low, high = (quantile(quantiles[:, -1], levels, each) for each in interval_levels(80))
    last = median[:, -1]
    held = 80 in held_intervals(levels)
    lowest, highest = (find(median, axis=1) for find in (tf.reduce_min, tf.reduce_max))
    width = high - low if held else highest - lowest
    width = tf.maximum(width, tf.maximum(FINEST * tf.abs(last), 10.0**-MOST_DECIMALS))
    digits = tf.math.ceil(1 - tf.math.log(width) / np.log(10.0))
    digits = tf.where(tf.math.is_nan(digits), tf.zeros_like(digits), digits)
    decimals = tf.cast(tf.clip_by_value(digits, 0, MOST_DECIMALS), tf.int32)

    def written(values: Any) -> Any:
        forms = [tf.strings.as_string(values, precision=n) for n in range(MOST_DECIMALS + 1)]
        numbers = tf.gather(tf.stack(forms, axis=1), decimals, batch_dims=1)
        return tf.strings.regex_replace(numbers, r"^-(0(?:\.0*)?)$", r"\1") + unit

    steps = median.shape[1]
    start = f"{next_steps(steps, frequency)}: {median_word(levels)}"
    inside = [", 80% in ", written(low), " to ", written(high)] if held else []
    if steps == 1:
        return tf.strings.join([start, written(last), *inside])
    span = [written(lowest), " to ", written(highest)]
    return tf.strings.join([start, *span, "; at the end ", written(last), *inside])
