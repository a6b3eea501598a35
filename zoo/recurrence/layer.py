"""Runs any cell over time."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.cells.base import Cell, LinearCell
from zoo.cells.wrappers import CellWrapper
from zoo.recurrence.backprop import Sequence, differentiated, loop
from zoo.recurrence.cell_checks import check_cell
from zoo.recurrence.masking import Flags
from zoo.recurrence.parallel_scan import LinearSequence
from zoo.recurrence.tracing import Reads
from zoo.recurrence.xla import CompiledSequence

_NO_STEP = "the inputs have no time step; pass at least one"


@keras.saving.register_keras_serializable("zoo")
class Recurrence(keras.layers.Layer):
    """Any cell over a sequence: `[B, T, D]` to all outputs `[B, T, H]` and the final state.

    A zoo `Cell` runs with its inputs projected for all time steps at once and with a gradient of
    the whole sequence derived by hand: the backward loop carries only the gradient of the state,
    and the gradients of the recurrent weights are one large product after it. In training, inside
    a `tf.function` that knows the batch size and the number of steps, XLA compiles both loops,
    once for each such shape, and on a CPU the halves of the batch run side by side. Any other
    Keras cell takes the ordinary differentiated loop.

    Args:
        cell: a zoo cell, or any Keras cell: `call(x_t, states) -> (y_t, new_states)`.
        reverse: run each row from its last time step to its first. Outputs stay aligned with the
            inputs: `y[:, t]` then has seen `x[:, t:]`.
        **kwargs: those of `keras.layers.Layer`: name, and dtype, by default the cell's.

    Example:
        >>> from keras import ops
        >>> from zoo.cells.gru import GRUCell
        >>> y, state = Recurrence(GRUCell(4))(ops.ones((2, 5, 3)), lengths=[5, 2])
        >>> y.shape, state.h.shape
        (TensorShape([2, 5, 4]), TensorShape([2, 4]))
    """

    def __init__(self, cell: Any, reverse: bool = False, **kwargs: Any) -> None:
        super().__init__(**{"dtype": cell.dtype_policy, **kwargs})
        self.cell = cell
        self.reverse = reverse
        self.input_spec = keras.InputSpec(ndim=3)

    def initial_state(self, batch_size: Any) -> Any:
        """The cell's initial state for that many rows."""
        return self.cell.get_initial_state(batch_size=batch_size)

    def build(self, input_shape: Any) -> None:
        """Make the cell's weights for inputs of size `input_shape[-1]`.

        Raises:
            ValueError: `update` or `project` of a zoo cell cannot be run over a sequence.
        """
        self.input_spec = keras.InputSpec(ndim=3, axes={-1: input_shape[-1]})
        if not self.cell.built:
            self.cell.build((input_shape[0], input_shape[-1]))
            self.cell.built = True
        if isinstance(self.cell, Cell):
            check_cell(self.cell, input_shape[-1])
            self._reads = Reads.of(self.cell, input_shape[-1])

    def step(self, x_t: Any, state: Any) -> tuple[Any, Any]:
        """One time step: `[B, D]` and a state give `[B, H]` and the new state."""
        y, new_state = self.cell(x_t, state)
        return y, tf.nest.pack_sequence_as(state, tf.nest.flatten(new_state))

    def call(
        self,
        inputs: Any,
        initial_state: Any = None,
        lengths: Any = None,
        reset: Any = None,
        training: bool | None = None,
    ) -> tuple[Any, Any]:
        """Run the sequence.

        Args:
            inputs: `[B, T, D]`, floating. T is at least 1; of no row, outputs and state are empty.
            initial_state: a state as `initial_state(B)` gives it, which is the default.
            lengths: `[B]` integers in 0..T: row b ends after `lengths[b]` time steps. From there
                its outputs are zero and its state stays as it is; of 0, that is all of the row.
            reset: `[B, T]` or `[B]`, boolean or integer: true where a row starts a new sequence,
                that is, where its state is set to the cell's initial state before the step; `[B]`
                speaks of the first time step only. Under `reverse` a sequence starts at its end,
                so that the state is reset on passing from its first step to the sequence before.
                Flags past the end of a row are not read.
            training: whether a cell that drops or keeps at random does so, and whether a gradient
                is expected: it is there without, too, but the sequence is not compiled as said
                above, and backward computes again what forward did not keep.

        Returns:
            Outputs `[B, T, H]`, and the state after the last step of each row.

        Raises:
            ValueError: `initial_state`, `lengths` or `reset` has the wrong structure or shape, T
                is 0, or a length is outside 0..T (told from values outside a graph only).
            tf.errors.InvalidArgumentError: T is 0 in a graph that was traced without knowing it.
        """
        batch_size, steps = inputs.shape[0], inputs.shape[1]
        if steps == 0:
            raise ValueError(_NO_STEP)
        if isinstance(self.cell, CellWrapper):
            self.cell.training = bool(training)
        x = tf.convert_to_tensor(inputs)
        if steps is None:
            with tf.control_dependencies([tf.debugging.assert_positive(tf.shape(x)[1], _NO_STEP)]):
                x = tf.identity(x)
        batch, time = tf.shape(x)[0], tf.shape(x)[1]
        fresh = self.initial_state(batch)
        state = fresh if initial_state is None else _checked_state(initial_state, fresh)
        lengths = None if lengths is None else _checked_lengths(lengths, batch_size, steps)
        resets = None if reset is None else _time_major_flags(reset, batch_size, steps, time)

        if self.reverse:
            x = _reverse(x, lengths, time_axis=1)
            if resets is not None:
                starts = tf.roll(resets, -1, axis=0)
                resets = _reverse(starts, lengths) & (tf.range(time) > 0)[:, None]
        valid = None if lengths is None else tf.range(time)[:, None] < lengths
        if valid is not None and resets is not None:
            resets &= valid
        y, state = self._run(x, state, Flags(valid, resets, tf.nest.flatten(fresh)), training)
        y.set_shape([batch_size, steps, None])
        return _reverse(y, lengths, time_axis=1) if self.reverse else y, state

    def _run(self, x: Any, state: Any, flags: Flags, training: bool | None) -> tuple[Any, Any]:
        """Outputs `[B, T, H]` and final state of `x [B, T, D]`."""
        if not isinstance(self.cell, Cell) or self.compute_dtype != self.cell.compute_dtype:
            return self._run_ordinary(x, state, flags)
        projected = isinstance(self.cell, CellWrapper)
        kind = LinearSequence if isinstance(self.cell, LinearCell) else Sequence
        sequence = kind(self.cell, self._reads, projected, remember=bool(training))
        weights = sequence.weights()
        if projected:
            # What a wrapper draws at random must be the same forward and backward.
            x = tf.transpose(self.cell.project(tf.transpose(x, [1, 0, 2])), [1, 0, 2])
        known = tf.inside_function() and x.shape.is_fully_defined()
        runs = (
            CompiledSequence(sequence, x) if training and known and self.cell.compiled else sequence
        )
        return differentiated(runs.forward, runs.backward, x, state, flags, weights)

    def _run_ordinary(self, x: Any, state: Any, flags: Flags) -> tuple[Any, Any]:
        if x.shape[0] == 0:
            # Keras' own cells cannot add a bias to no row.
            y = tf.zeros([0, tf.shape(x)[1], self.cell.output_size], self.cell.compute_dtype)
            return y, state
        # A Keras cell draws its dropout masks at its first call and keeps them for all time steps:
        # they must be drawn outside the loop, and anew for each sequence.
        cells = getattr(self.cell, "cells", [self.cell])
        dropping = [cell for cell in cells if hasattr(cell, "reset_dropout_mask")]
        if dropping:
            self.cell(x[:, 0], state)
        time = tf.shape(x)[1]
        steps = tf.TensorArray(x.dtype, time).unstack(tf.transpose(x, [1, 0, 2]))

        def body(t: Any, parts: Any, ys: Any) -> tuple[Any, Any, Any]:
            parts = flags.start(t, parts)
            y, new = self.step(steps.read(t), tf.nest.pack_sequence_as(state, parts))
            y, parts = flags.end(t, parts, y, tf.nest.flatten(new))
            return t + 1, parts, ys.write(t, y)

        ys = tf.TensorArray(self.cell.compute_dtype, time)
        _, parts, ys = loop(body, (tf.constant(0), tf.nest.flatten(state), ys), time)
        for cell in dropping:
            cell.reset_dropout_mask()
            cell.reset_recurrent_dropout_mask()
        return tf.transpose(ys.stack(), [1, 0, 2]), tf.nest.pack_sequence_as(state, parts)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, the cell serialised."""
        cell = keras.saving.serialize_keras_object(self.cell)
        return {**super().get_config(), "cell": cell, "reverse": self.reverse}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Recurrence":
        """Make the layer from `get_config`'s dict."""
        cell = keras.saving.deserialize_keras_object(config["cell"])
        return cls(**{**config, "cell": cell})


def _reverse(x: Any, lengths: Any, time_axis: int = 0) -> Any:
    """`x [T, B, ...]`, or `[B, T, ...]`, with each row's first `lengths[b]` steps turned around."""
    if lengths is None:
        return tf.reverse(x, [time_axis])
    return tf.reverse_sequence(x, lengths, seq_axis=time_axis, batch_axis=1 - time_axis)


def _time_major_flags(reset: Any, batch: int | None, steps: int | None, time: Any) -> Any:
    """`[B]` or `[B, T]` of any dtype to booleans `[T, B]`."""
    flags = tf.cast(tf.convert_to_tensor(reset), tf.bool)
    if flags.shape.is_compatible_with([batch]):
        return flags[None, :] & (tf.range(time) == 0)[:, None]
    if flags.shape.is_compatible_with([batch, steps]):
        return tf.transpose(flags)
    raise ValueError(
        f"reset has shape {flags.shape}, but the batch has {batch} rows of {steps} time steps; "
        "pass [B] or [B, T]"
    )


def _checked_lengths(lengths: Any, batch: int | None, steps: int | None) -> Any:
    """Integers `[B]`; what is known of them outside a graph is checked."""
    lengths = tf.cast(tf.convert_to_tensor(lengths), tf.int32)
    if not lengths.shape.is_compatible_with([batch]):
        raise ValueError(
            f"lengths has shape {lengths.shape}, but the batch has {batch} rows; pass [B]"
        )
    known = tf.get_static_value(lengths)
    if known is None:
        return lengths
    for row in np.flatnonzero(known < 0):
        raise ValueError(f"lengths[{row}] is {known[row]}; pass lengths >= 0")
    for row in np.flatnonzero(known > (np.inf if steps is None else steps)):
        raise ValueError(
            f"lengths[{row}] is {known[row]}, but the batch has {steps} time steps; "
            f"pass lengths <= {steps}"
        )
    return lengths


def _checked_state(state: Any, fresh: Any) -> Any:
    """The tensors of `state` in the structure of `fresh`."""
    given, needed = (
        [tf.TensorShape(getattr(part, "shape", ())) for part in tf.nest.flatten(tree)]
        for tree in (state, fresh)
    )
    if len(given) != len(needed) or not all(map(tf.TensorShape.is_compatible_with, given, needed)):
        raise ValueError(
            f"initial_state has shapes {', '.join(map(str, given))}, but the cell's state has "
            f"{', '.join(map(str, needed))}; pass a state as initial_state(batch_size) gives it"
        )
    return tf.nest.pack_sequence_as(fresh, tf.nest.flatten(state))
