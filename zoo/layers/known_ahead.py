"""What is known of future steps, beside the same of the steps that a naive forecast repeats."""

from typing import Any

import keras
import tensorflow as tf

from zoo.typing import Shape, Tensor


@keras.saving.register_keras_serializable("zoo")
class KnownAhead(keras.layers.Layer):
    """One small network for each future step: of its own covariates, and of a context.

    A naive forecast repeats values that had covariates of their own, such as a holiday a week ago:
    those are shown beside the future's. They are held in the state `[B, m + 1, K]`: of the last m
    steps, and the next.

    Args:
        season: m, steps that the naive forecast goes back.
        covariates: K.
        horizon: H, steps ahead that are answered.
        outputs: P, numbers for each of them, which start at 0.
        units: size of the hidden layer.

    Example:
        >>> layer = KnownAhead(season=2, covariates=1, horizon=3, outputs=4)
        >>> ahead, context = tf.ones([5, 3, 1]), tf.ones([5, 6])
        >>> layer((ahead, layer.initial_state(5)[:, 1:], context)).shape
        TensorShape([5, 3, 4])
    """

    def __init__(
        self,
        season: int,
        covariates: int,
        horizon: int,
        outputs: int,
        units: int = 16,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.season, self.covariates, self.horizon = season, covariates, horizon
        self.hidden = keras.layers.Dense(units, dtype=self.dtype_policy)
        self.around = keras.layers.Dense(units, use_bias=False, dtype=self.dtype_policy)
        self.head = keras.layers.Dense(
            outputs, kernel_initializer="zeros", use_bias=False, dtype="float32"
        )

    def build(self, input_shape: Shape) -> None:
        """Make all weights for a context `[..., C]`."""
        *_, context = input_shape
        self.hidden.build((None, None, 2 * self.covariates))
        self.around.build((None, context[-1]))
        self.head.build((None, None, self.hidden.units))

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

    def call(self, inputs: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Compute numbers `[..., H, P]`.

        Args:
            inputs: covariates ahead, of H steps or more, `[..., H, K]`; those that `own` gives,
                `[..., m, K]`; and a context `[..., C]`.
        """
        ahead, own, context = inputs
        repeated = tf.gather(own, [h % self.season for h in range(self.horizon)], axis=-2)
        pairs = tf.concat([ahead[..., : self.horizon, :], repeated], axis=-1)
        return self.head(tf.nn.relu(self.hidden(pairs) + self.around(context)[..., None, :]))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `[..., H, P]`."""
        return (*input_shape[2][:-1], self.horizon, self.head.units)
