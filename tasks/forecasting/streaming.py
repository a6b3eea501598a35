"""Series read on and on: what came is held against the forecast of it, and the next one made.

See `tasks.common.streams` for what `read` and `tell` are.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from tasks.forecasting.answers import level_of, quantile, sentence
from tasks.forecasting.serving import VALUE, Server, checked_numbers, restored
from zoo.readers.frequency import Frequency
from zoo.readers.series_text import held_intervals, interval_levels
from zoo.typing import Tensor

_ORIGIN = tf.TensorSpec([2], tf.float64)
"""The first value, and how many steps there were from it on; NaN before there is one."""


def stream_endpoints(server: Server, frequency: Frequency | None) -> dict[str, Any]:
    """Return `read` and `tell` of a model of series.

    Args:
        server: that of the model.
        frequency: of the series; None where they have no dates.
    """
    levels, layout = server.model.head.levels, server.layout
    is_shifted = not (server.model.returns or server.counts)
    outputs = tf.TensorSpec([None, layout.horizon, len(levels)], tf.float32)
    steps = tf.TensorSpec([1, None, server.columns], tf.float64)
    x = tf.TensorSpec([None, layout.size], tf.float32)

    @tf.function(input_signature=[steps, _ORIGIN], autograph=False)
    def read(series: Tensor, origin: Tensor) -> dict[str, Tensor]:
        series = checked_numbers(series)
        value = series[0, :, VALUE]
        there = tf.cast(value == value, tf.int32)
        begins = _is_missing(origin[0]) & (tf.reduce_max(there) > 0)
        at = tf.argmax(there, output_type=tf.int32)
        first = value[at] if is_shifted else tf.constant(0.0, tf.float64)
        steps = tf.cast(tf.shape(value)[0], tf.float64)
        new = tf.stack([first, steps - tf.cast(at, tf.float64)])
        origin = tf.where(begins, new, origin + tf.stack([tf.constant(0.0, tf.float64), steps]))
        # Until there is a first value there is nothing to take it off.
        shift = tf.where(_is_missing(origin[:1]), tf.constant(0.0, tf.float64), origin[:1])
        return {"x": server.raw_inputs(series, shift)[0], "origin": origin}

    @tf.function(input_signature=[outputs, x, _ORIGIN], autograph=False)
    def tell(outputs: Tensor, x: Tensor, origin: Tensor) -> dict[str, Tensor]:
        value = tf.cast(x[:, 0], tf.float64)
        came = value[1:]
        if server.model.returns:
            came = 100 * tf.math.log(value[1:] / value[:-1])
        seen = origin[1] - tf.cast(tf.range(tf.shape(x)[0])[::-1], tf.float64)
        # What has seen less than `serve` asks for is no forecast.
        enough = (seen >= server.needed)[:, None, None]
        fans = tf.where(enough, tf.cast(outputs, tf.float64), tf.constant(np.nan, tf.float64))
        level = level_of(came, fans[:-1, 0], levels)
        fans = restored(fans[1:], origin[0])
        ends = [quantile(fans[:, 0], levels, each) for each in interval_levels(80)]
        held = {"interval": tf.stack(ends, axis=1)} if 80 in held_intervals(levels) else {}
        return {
            "value": restored(came, origin[0]),
            "quantile": level,
            **held,
            "text": _line(level, sentence(fans[:, :1], levels, frequency, server.unit), fans),
            "forecast": quantile(fans, levels, 0.5),
            "quantiles": fans,
        }

    return {"read": read, "tell": tell}


def _line(level: Tensor, ahead: Tensor, fans: Tensor) -> Tensor:
    """Return what is printed of steps `[N]`: at which quantile a value fell, and what is next."""
    ahead = tf.where(_is_missing(fans[:, 0, 0]), "too few values for a forecast", ahead)
    place = tf.strings.join(["at quantile ", tf.strings.as_string(level, precision=2), "; "])
    return tf.strings.join([tf.where(_is_missing(level), "", place), ahead])


def _is_missing(numbers: Tensor) -> Tensor:
    return tf.math.is_nan(numbers)
