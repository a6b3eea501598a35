"""A sequence read to one vector: recurrent layers, and a pooling of their outputs."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from zoo.layers.pooling import AttentionPooling, pooling
from zoo.layers.stack import RecurrentStack
from zoo.recurrence.layer import state_shapes
from zoo.recurrence.masking import refuse_mask
from zoo.typing import Shape, State, Tensor


class ReadState(NamedTuple):
    """One state a recurrent layer, and what the outputs so far come to."""

    layers: tuple[State, ...]
    pool: State


@keras.saving.register_keras_serializable("zoo")
class PooledStack(keras.layers.Layer):
    """v = pool(h_1, ..., h_T) of a `RecurrentStack`: vectors `[B, T, D]` to one, `[B, size]`.

    Args:
        cell: as `RecurrentStack` takes it, and so are the next four.
        units: size of each layer.
        layers: how many.
        dropout: share dropped before each layer, in training.
        bidirectional: read from both ends.
        pool: "last", "mean", "max" or "attention", see `zoo.layers.pooling`. The last output of a
            bidirectional layer is that of the last step forwards, and of the first one backwards.
        image_shape: height and width of maps, where the vectors are flattened maps and the cell is
            a convolutional one; what it puts out is averaged over all places.

    Attributes:
        size: of the vector.

    Raises:
        ValueError: `pool` is none of these, or the cell does not take `image_shape`, or needs it.

    Example:
        >>> read = PooledStack("gru", 8, pool="mean")
        >>> v, state = read(ops.ones((2, 5, 3)), lengths=ops.array([5, 2]))
        >>> again, _ = read(ops.ones((2, 4, 3)), state, lengths=ops.array([4, 1]))
        >>> v.shape, again.shape
        (TensorShape([2, 8]), TensorShape([2, 8]))
    """

    def __init__(
        self,
        cell: str,
        units: int,
        layers: int = 1,
        dropout: float = 0.0,
        bidirectional: bool = False,
        pool: str = "last",
        image_shape: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        options = {"image_shape": tuple(image_shape)} if image_shape else {}
        self.stack = RecurrentStack(
            cell, units, layers, dropout, bidirectional=bidirectional, cell_options=options
        )
        self.bidirectional = bidirectional
        self.places = math.prod(image_shape or (1,))
        self.size = units * (2 if bidirectional else 1)
        if self.stack.output_size != self.size * self.places:
            raise ValueError(
                f"{cell} gives {self.stack.output_size} numbers a step where {self.size} are "
                "needed: it reads the maps of frames, which encoder=maps gives"
            )
        self.pool = pooling(pool, self.size, backwards=units if bidirectional else 0)

    def build(self, input_shape: Shape) -> None:
        """Make all weights for inputs of size `input_shape[-1]`."""
        self.stack.build(input_shape)

    def initial_state(self, batch_size: int | Tensor) -> State:
        """The state before a sequence; `()` of a bidirectional one, which reads it as a whole."""
        if self.bidirectional:
            return ()
        return ReadState(self.stack.initial_state(batch_size), self.pool.initial_state(batch_size))

    def call(
        self,
        inputs: Tensor,
        state: State = None,
        lengths: Tensor = None,
        reset: Tensor = None,
        training: bool | None = None,
    ) -> tuple[Tensor, State]:
        """The vector of what each row has read since it last started, and the state after it.

        Args:
            inputs: `[B, T, D]`.
            state: as `initial_state` gives it; None for the start of a sequence.
            lengths: `[B]`, 0..T; None for T.
            reset: `[B]` or `[B, T]`, true where a row starts a new sequence.
            training: whether dropout acts.
        """
        refuse_mask(self, inputs)
        batch, time = ops.shape(inputs)[0], ops.shape(inputs)[1]
        before = state if state else self.initial_state(batch)
        y, layers = self._outputs(inputs, before, lengths, reset, training)
        read = marks(lengths, batch, time)
        starts = read & start_marks(reset, batch, time)
        # Of a row that starts anew within the window, what came before does not count.
        later = ops.flip(ops.cumsum(ops.flip(ops.cast(starts, "int32"), axis=1), axis=1), axis=1)
        latest = later - ops.cast(starts, "int32") == 0
        latest_state = self.pool.of(y, read & latest)
        if self.bidirectional:
            return ops.cast(self.pool.read(latest_state), self.compute_dtype), ()
        fresh = self.pool.initial_state(batch)
        anew = ops.any(starts, axis=1)[:, None]
        earlier = tf.nest.map_structure(lambda a, b: ops.where(anew, a, b), fresh, before.pool)
        pool = self.pool.join(earlier, latest_state)
        return ops.cast(self.pool.read(pool), self.compute_dtype), ReadState(layers, pool)

    def compute_output_shape(self, input_shape: Shape, **_: Shape) -> tuple[Shape, State]:
        """Return the shapes of vector and state for inputs of shape `[B, T, D]`."""
        return (input_shape[0], self.size), state_shapes(self, input_shape[0])

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Trace a call: unlike shapes, that also gives the parts of a state their types."""
        return keras.Operation.compute_output_spec(self, *args, **kwargs)

    def step(self, x_t: Tensor, state: ReadState) -> tuple[Tensor, ReadState]:
        """One time step `[B, D]`: the vector of all that was read so far, and the new state."""
        y, layers = self.stack.step(x_t, state.layers)
        y = self._averaged(y)[:, None]
        pool = self.pool.join(state.pool, self.pool.of(y, ops.ones_like(y[..., 0], "bool")))
        return ops.cast(self.pool.read(pool), self.compute_dtype), ReadState(layers, pool)

    def time_weights(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """How much each step counts `[B, T]`, where the pooling is "attention"; rows sum to 1.

        Raises:
            ValueError: the pooling is another one.
        """
        if not isinstance(self.pool, AttentionPooling):
            raise ValueError("all steps count alike: only the pooling 'attention' has weights")
        batch, time = ops.shape(inputs)[0], ops.shape(inputs)[1]
        y, _ = self._outputs(inputs, self.initial_state(batch), lengths, None, False)
        return self.pool.shares(y, marks(lengths, batch, time))

    def _outputs(
        self, inputs: Tensor, before: Tensor, lengths: Tensor, reset: Tensor, training: bool | None
    ) -> tuple[Tensor, Tensor]:
        y, layers = self.stack(
            inputs,
            initial_state=before.layers if before else None,
            lengths=lengths,
            reset=reset,
            training=training,
        )
        return self._averaged(y), layers

    def _averaged(self, y: Tensor) -> Tensor:
        """Flattened maps `[..., places · units]` to their means `[..., units]`."""
        if self.places == 1:
            return y
        maps = ops.reshape(y, (*ops.shape(y)[:-1], self.places, self.size))
        return ops.mean(maps, axis=-2)


def marks(lengths: Tensor, batch: Tensor, time: Tensor) -> Tensor:
    """True `[B, T]` where a step is inside its row; everywhere, where `lengths` is None."""
    ends = ops.full((batch,), time, "int32") if lengths is None else ops.cast(lengths, "int32")
    return ops.arange(time)[None] < ends[:, None]


def start_marks(reset: Tensor, batch: Tensor, time: Tensor) -> Tensor:
    """True `[B, T]` where a row starts a new sequence, from `[B]`, `[B, T]` or None."""
    if reset is None:
        return ops.zeros((batch, time), "bool")
    reset = ops.cast(reset, "bool")
    if len(reset.shape) == 1:
        return reset[:, None] & (ops.arange(time) == 0)[None]
    return reset
