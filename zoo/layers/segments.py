"""Reads the past of a series in segments, and writes its future in segments, all at once."""

from functools import partial
from typing import Any

import keras
import tensorflow as tf

from zoo.cells.base import DenseCell
from zoo.layers.stack import RecurrentStack
from zoo.typing import Shape, State, Tensor

_FAN_IN = partial(keras.initializers.VarianceScaling, 1 / 3, "fan_in", "uniform")
"""Numbers within one over the root of the inputs, as PyTorch starts, which was published."""
_NORMAL = partial(keras.initializers.RandomNormal, stddev=1.0)


@keras.saving.register_keras_serializable("zoo")
class SegmentReader(keras.layers.Layer):
    """A recurrence over the segments of the past, and one step of it for each future segment.

    Each future segment starts from what the past has left, and reads only its own place and the
    context: no answer waits for another. The past is filled up with zeros in front to whole
    segments.

    Args:
        horizon: H, steps of the future.
        segment: steps of a segment.
        outputs: P, numbers for each step of the future.
        cell: the registered name of the cell.
        units: size of the state, and of what stands for a segment.
        layers: recurrent layers.
        dropout: share dropped before the outputs, in training.
        halves: as published: half of what a future segment reads is its place and half the context,
            where there is one, and weights start larger; else it is their sum.

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
        halves: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.halves = halves
        self.horizon, self.segment, self.outputs = horizon, segment, outputs
        self.places = -(-horizon // segment)
        start = _FAN_IN() if halves else "glorot_uniform"
        self.embedding = keras.layers.Dense(
            units, "relu", kernel_initializer=start, dtype=self.dtype_policy
        )
        self.stack = RecurrentStack(cell, units, layers, dtype=self.dtype_policy)
        self.dropout = keras.layers.Dropout(dropout)
        self.head = keras.layers.Dense(
            segment * outputs, kernel_initializer="zeros", dtype=self.dtype_policy
        )
        self.units = units

    def build(self, input_shape: Shape) -> None:
        """Make all weights for a past `[N, L]` and a context `[N, C]`; C may be 0."""
        _, (*_, context) = input_shape
        self.embedding.build((None, None, self.segment))
        self.stack.build((None, None, self.units))
        own = self.units // 2 if self.halves else self.units
        self.around: Any = None
        if context:
            start = _NORMAL() if self.halves else "glorot_uniform"
            self.around = keras.layers.Dense(
                own, use_bias=False, kernel_initializer=start, dtype=self.dtype_policy
            )
            self.around.build((None, context))
        self.head.build((None, None, self.units))
        self.place = self.add_weight(
            name="place",
            shape=(self.places, self.units - own if self.halves and context else self.units),
            initializer=_NORMAL() if self.halves else "glorot_uniform",
        )

    def call(self, inputs: tuple[Tensor, Tensor], training: bool | None = None) -> Tensor:
        """Compute numbers `[N, H, P]` of the future.

        Args:
            inputs: the past `[N, L]`, and what else is known now `[N, C]`.
            training: whether dropout acts.
        """
        past, context = inputs
        past = tf.pad(past, [[0, 0], [-past.shape[-1] % self.segment, 0]])
        segments = tf.reshape(past, [-1, past.shape[-1] // self.segment, self.segment])
        _, state = self.stack(self.embedding(segments), training=training)
        y = self._ahead(state, *self._own_inputs(context, tf.shape(past)[0]))
        numbers = self.head(self.dropout(y, training=training))
        numbers = tf.reshape(numbers, [-1, self.places * self.segment, self.outputs])
        return numbers[:, : self.horizon]

    def _own_inputs(self, context: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the parts of the inputs of future segments, whose sum these are.

        Args:
            context: as `call` takes it.
            rows: N.

        Returns:
            That of each place `[M, U]`, and that of each row `[N, U]`, zeros without a context.
        """
        place = self.place.value
        if self.around is None:
            # A context without numbers has lost its rows in ONNX.
            return place, tf.zeros([rows, self.units], place.dtype)
        around = self.around(context)
        if self.halves:
            sizes = place.shape[-1], around.shape[-1]
            place = tf.pad(place, [[0, 0], [0, sizes[1]]])
            around = tf.pad(around, [[0, 0], [sizes[0], 0]])
        return place, around

    def _ahead(self, state: State, place: Tensor, around: Tensor) -> Tensor:
        """Return outputs `[N, M, U]` of one step from a state, at each place."""
        cell = self.stack.recurrences[0].cell
        shared = len(self.stack.recurrences) == 1 and isinstance(cell, DenseCell)
        if shared and (affine := cell.affine_projection()):
            # All places begin at one state: it, they and the context are multiplied once each.
            kernel, bias = affine
            z = (place @ kernel + bias)[None] + (around @ kernel)[:, None]
            y, _ = cell.update_from(z, [part[:, None] for part in state[0]])
            return y
        own = tf.reshape(place[None] + around[:, None], [-1, self.units])
        state = tf.nest.map_structure(lambda part: tf.repeat(part, self.places, axis=0), state)
        y, _ = self.stack.step(own, state)
        return tf.reshape(y, [-1, self.places, self.stack.output_size])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `[N, H, P]`."""
        return (input_shape[0][0], self.horizon, self.outputs)
