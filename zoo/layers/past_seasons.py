"""Past seasons, of which a context says how much each one counts."""

from typing import Any

import keras
import tensorflow as tf

from zoo.layers.series_columns import in_rows
from zoo.typing import Shape, Tensor


@keras.saving.register_keras_serializable("zoo")
class PastSeasons(keras.layers.Layer):
    """A sum over the values at the same phase in past seasons, with weights made of a context.

    The h-th answer is the sum over k of c_hk · r_(t + h - m k), k counting the seasons from the
    last one on that has that phase. c_hk is linear in a context, and in what is known of step
    t + h: so, for tomorrow, the same hour of those days can count that were like tomorrow. The
    kernels start at zero, as do the answers.

    Args:
        season: m, steps of the season.
        count: K, past seasons, as many as the register holds.
        horizon: H, steps ahead that are answered.

    Example:
        >>> layer = PastSeasons(season=2, count=3, horizon=5)
        >>> layer((tf.ones([4, 7]), tf.ones([4, 8]), ())).shape
        TensorShape([4, 5])
    """

    def __init__(self, season: int, count: int, horizon: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.season, self.count, self.horizon = season, count, horizon
        self.of_context = from_zero(horizon * count)
        self.of_step = from_zero(count)

    def build(self, input_shape: Shape) -> None:
        """Make the kernels, for a context `[..., C]` and perhaps the known `[..., H, U]`."""
        _, context, known = input_shape
        self.of_context.build((None, context[-1]))
        if known:
            self.of_step.build((None, None, known[-1]))

    def call(self, inputs: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Compute answers `[..., H]`.

        Args:
            inputs: a register `[..., L]`, the newest value last, L at least `season · count`; a
                context `[..., C]`; and what is known of the steps ahead `[..., H, U]`, or `()`.
        """
        register, context, known = inputs
        first = int(register.shape[-1]) - self.count * self.season
        phases = [first + h % self.season for h in range(self.horizon)]
        places = [[k * self.season + h for k in range(self.count)] for h in phases]
        past = tf.gather(register, places, axis=-1)
        weights = in_rows(self.of_context(context), self.horizon, self.count)
        if self.of_step.built:
            weights += self.of_step(known)
        return tf.reduce_sum(weights * past, axis=-1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `[..., H]`."""
        return (*input_shape[1][:-1], self.horizon)


def from_zero(size: int) -> keras.layers.Dense:
    """Return a linear layer that answers 0 until it has learned."""
    return keras.layers.Dense(size, kernel_initializer="zeros", use_bias=False, dtype="float32")
