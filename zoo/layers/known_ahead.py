"""What is known of future steps, beside the same of the steps that a naive forecast repeats."""

from typing import Any

import keras
import tensorflow as tf

from zoo.layers.past_seasons import from_zero
from zoo.layers.series_columns import in_rows
from zoo.typing import Shape, Tensor


@keras.saving.register_keras_serializable("zoo")
class KnownAhead(keras.layers.Layer):
    """One small network for each future step: of its own covariates, and of a context.

    A forecast repeats values that had covariates of their own, such as a holiday a week ago: those
    of the same phase in past seasons are shown beside the future's. They are held in the state
    `[B, m + 1, K]`: of the last m steps, and the next.

    Args:
        season: m, steps of the season that the naive forecast goes back.
        phases: steps of the shortest season.
        covariates: K.
        horizon: H, steps ahead that are answered.
        outputs: P, numbers for each of them, which start at 0.
        units: U, size of the hidden layer.

    Example:
        >>> layer = KnownAhead(season=2, phases=2, covariates=1, horizon=3, outputs=4)
        >>> ahead, context = tf.ones([5, 3, 1]), tf.ones([5, 6])
        >>> numbers, hidden = layer((ahead, layer.initial_state(5)[:, 1:], context))
        >>> numbers.shape, hidden.shape
        (TensorShape([5, 3, 4]), TensorShape([5, 3, 8]))
    """

    def __init__(
        self,
        season: int,
        phases: int,
        covariates: int,
        horizon: int,
        outputs: int,
        units: int = 8,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.season, self.phases = season, phases
        self.covariates, self.horizon, self.units = covariates, horizon, units
        self.of_step = keras.layers.Dense(units, dtype=self.dtype_policy)
        # The context says when it is, but only with the horizon when it will be.
        self.of_context = keras.layers.Dense(
            horizon * units, use_bias=False, dtype=self.dtype_policy
        )
        self.head = from_zero(outputs)

    def build(self, input_shape: Shape) -> None:
        """Make all weights for a context `[..., C]`."""
        *_, context = input_shape
        self.of_step.build((None, None, (1 + self.season // self.phases) * self.covariates))
        self.of_context.build((None, context[-1]))
        self.head.build((None, None, self.units))

    def initial_state(self, batch_size: int | Tensor) -> Tensor:
        """Return covariates of no step: zeros, their mean."""
        return tf.zeros([batch_size, self.season + 1, self.covariates])

    def step(self, known: Tensor, state: Tensor) -> Tensor:
        """Return the state `[B, m + 1, K]` after a step with covariates ahead `[B, H, K]`."""
        return tf.concat([state[:, 1:], known[:, :1]], axis=1)

    def whole(self, known: Tensor, state: Tensor) -> Tensor:
        """Return the states `[B, T, m + 1, K]` after each step, of covariates `[B, T, H, K]`."""
        line = tf.concat([state[:, 1:], known[:, :, 0]], axis=1)
        steps = known.shape[1] or tf.shape(known)[1]
        return tf.gather(line, tf.range(steps)[:, None] + tf.range(self.season + 1), axis=1)

    def own(self, state: Tensor, seen: Tensor) -> Tensor:
        """Return covariates of the last m steps `[..., m, K]`; 0 where nothing was seen `[...]`."""
        age = tf.range(self.season - 1, -1, -1, dtype=tf.float32)
        return state[..., :-1, :] * tf.cast(age < seen[..., None] - 1, tf.float32)[..., None]

    def call(self, inputs: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Compute numbers `[..., H, P]`, and the hidden layer `[..., H, U]`.

        Args:
            inputs: covariates ahead, of H steps or more, `[..., H, K]`; those that `own` gives,
                `[..., m, K]`; and a context `[..., C]`.
        """
        ahead, own, context = inputs
        parts = [ahead[..., : self.horizon, :]]
        for start in range(self.season % self.phases, self.season, self.phases):
            places = [start + h % self.phases for h in range(self.horizon)]
            parts.append(tf.gather(own, places, axis=-2))
        around = in_rows(self.of_context(context), self.horizon, self.units)
        hidden = tf.nn.relu(self.of_step(tf.concat(parts, axis=-1)) + around)
        return self.head(hidden), hidden

    def compute_output_shape(self, input_shape: Shape) -> tuple[Shape, Shape]:
        """Return `[..., H, P]` and `[..., H, U]`."""
        shape = (*input_shape[2][:-1], self.horizon)
        return (*shape, self.head.units), (*shape, self.units)
