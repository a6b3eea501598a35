"""What a forecaster carries, sees and predicts."""

from typing import NamedTuple

import tensorflow as tf

from zoo.layers.forecast_heads import Centre
from zoo.layers.series_columns import Columns
from zoo.layers.series_register import Frames, Register, Summary
from zoo.typing import State, Tensor


class ForecastState(NamedTuple):
    """The state: of the cell, the last values, and the last covariates that were known ahead.

    Attributes:
        read: the recurrent layers'; `()` without.
        register: the last values, which scale the next ones.
        known: float32 `[B, m + 1, K]`, those of the last m steps and the next; `()` without.
        last: float32 `[B, D]`, the last step's inputs, and
        ahead: float32 `[B, P + 2]`, the head's numbers for the next step, its naive forecast and
            the spread, of a model that draws paths from there; else `()`.
    """

    read: State
    register: Register
    known: Tensor = ()
    last: Tensor = ()
    ahead: Tensor = ()


class Prediction(NamedTuple):
    """What a head's loss is computed from.

    Attributes:
        numbers: float32 `[..., H, P]`, see `zoo.layers.forecast_heads`.
        centre: the naive forecast and the spread, from which and by which they are measured.
        varied: float32 `[...]`, 1 where there is a spread: where all values so far are the same,
            there is no unit to measure in.
    """

    numbers: Tensor
    centre: Centre
    varied: Tensor

    def at(self, places: Tensor, shape: Tensor) -> "Prediction":
        """Return predictions `[B, T]`, these at some places of them; elsewhere nothing varies.

        Args:
            places: integers `[N, 2]` of these `[N]`, rows and steps.
            shape: `[B, T]`.
        """

        def spread_out(part: Tensor) -> Tensor:
            whole = tf.concat([tf.cast(shape, places.dtype), part.shape[1:]], axis=0)
            return tf.ensure_shape(
                tf.scatter_nd(places, part, whole), [None, None, *part.shape[1:]]
            )

        numbers, (naive, spread), varied = tf.nest.map_structure(spread_out, self)
        # There is nothing to divide by elsewhere.
        spread = tf.where(spread > 0, spread, 1.0)
        return Prediction(numbers, Centre(naive, spread), varied)


class Look(NamedTuple):
    """What is seen at each step `[...]`.

    Attributes:
        columns: of the inputs.
        frames: the register's.
        summary: of these.
        own: covariates of the last m steps `[..., m, K]`; `()` without.
        around: what is known beside the values `[..., C]`: ratios, calendar, covariates.
    """

    columns: Columns
    frames: Frames
    summary: Summary
    own: Tensor
    around: Tensor
