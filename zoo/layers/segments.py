"""Reads the past of a series in segments, and writes its future in segments, all at once."""

from typing import Any

import keras
import tensorflow as tf

from zoo.layers.stack import RecurrentStack
from zoo.typing import Shape, Tensor


@keras.saving.register_keras_serializable("zoo")
class SegmentReader(keras.layers.Layer):
    """A recurrence over the segments of the past, and one step of it for each future segment.

    Each future segment starts from what the past has left, and reads only its own place: no answer
    waits for another. The past is filled up with zeros in front to whole segments.

    Args:
        horizon: H, steps of the future.
        segment: steps of a segment.
        outputs: P, numbers for each step of the future.
        cell: the registered name of the cell.
        units: size of the state, and of what stands for a segment.
        layers: recurrent layers.
        dropout: share dropped before the outputs, in training.

    Example:
        >>> reader = SegmentReader(horizon=5, segment=3, outputs=2, units=4)
        >>> reader((tf.ones([6, 8]), tf.ones([6, 1]))).shape
        TensorShape([6, 5, 2])

    Source: S. Lin et al., "SegRNN: segment recurrent neural network for long-term time series
    forecasting" (2023, arXiv:2308.11200).
    """

    def __init__(
        self,
        horizon: int,
        segment: int,
        outputs: int,
        cell: str = "gru",
        units: int = 128,
        layers: int = 1,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.horizon, self.segment, self.outputs = horizon, segment, outputs
        self.places = -(-horizon // segment)
        self.embedding = keras.layers.Dense(units, "relu", dtype=self.dtype_policy)
        self.stack = RecurrentStack(cell, units, layers, dtype=self.dtype_policy)
        self.around = keras.layers.Dense(units, use_bias=False, dtype=self.dtype_policy)
        self.dropout = keras.layers.Dropout(dropout)
        self.head = keras.layers.Dense(
            segment * outputs, kernel_initializer="zeros", dtype=self.dtype_policy
        )
        self.units = units

    def build(self, input_shape: Shape) -> None:
        """Make all weights for a past `[N, L]` and a context `[N, C]`."""
        _, context = input_shape
        self.embedding.build((None, None, self.segment))
        self.stack.build((None, None, self.units))
        self.around.build((None, context[-1]))
        self.head.build((None, None, self.units))
        self.place = self.add_weight(
            name="place", shape=(self.places, self.units), initializer="glorot_uniform"
        )

    def call(self, inputs: tuple[Tensor, Tensor], training: bool | None = None) -> Tensor:
        """Compute numbers `[N, H, P]` of the future.

        Args:
            inputs: the past `[N, L]`, and what else is known now `[N, C]`.
            training: whether dropout acts.
        """
        past, context = inputs
        rows = tf.shape(past)[0]
        past = tf.pad(past, [[0, 0], [-past.shape[-1] % self.segment, 0]])
        segments = tf.reshape(past, [-1, past.shape[-1] // self.segment, self.segment])
        _, state = self.stack(self.embedding(segments), training=training)
        place = self.place.value[None] + self.around(context)[:, None]
        place = tf.reshape(place, [-1, self.units])
        state = tf.nest.map_structure(lambda part: tf.repeat(part, self.places, axis=0), state)
        y, _ = self.stack.step(place, state)
        y = tf.reshape(y, [rows, self.places, self.stack.output_size])
        numbers = self.head(self.dropout(y, training=training))
        numbers = tf.reshape(numbers, [-1, self.places * self.segment, self.outputs])
        return numbers[:, : self.horizon]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `[N, H, P]`."""
        return (input_shape[0][0], self.horizon, self.outputs)
