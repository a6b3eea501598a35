"""Runs any cell over time."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.cells.base import Cell
from zoo.recurrence.backprop import loop
from zoo.recurrence.cell_checks import check_cell
from zoo.recurrence.masking import PackedSteps, StepMasks
from zoo.recurrence.run import run_cell
from zoo.recurrence.tracing import CellTrace
from zoo.typing import Shape, State, Tensor
from zoo.utils.keras_internals import mask_of

_NO_STEP = "the inputs have no time step; pass at least one"


@keras.saving.register_keras_serializable("zoo")
class Recurrence(keras.layers.Layer):
    """Any cell over a sequence: `[B, T, D]` to all outputs `[B, T, H]` and the final state.

    A zoo `Cell` runs with its inputs projected for all time steps at once and with a gradient of
    the whole sequence derived by hand: the backward loop carries only the gradient of the state,
    and the gradients of the recurrent weights are one large product after it. Inside a
    `tf.function`, XLA compiles both loops, for each batch size and number of steps that it meets
    (`zoo.recurrence.compiling` decides when), and on a CPU the halves of the batch run side by
    side. Any other Keras cell takes the ordinary differentiated loop.

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

    def initial_state(self, batch_size: int | Tensor) -> State:
        """Return the cell's initial state for that many rows."""
        return self.cell.get_initial_state(batch_size=batch_size)

    def build(self, input_shape: Shape) -> None:
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
            self._trace = CellTrace.of(self.cell, input_shape[-1])

    def step(self, x_t: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one time step: `[B, D]` and a state give `[B, H]` and the new state."""
        y, new_state = self.cell(x_t, state)
        return y, tf.nest.pack_sequence_as(state, tf.nest.flatten(new_state))

    def call(
        self,
        inputs: Tensor,
        initial_state: State = None,
        lengths: Tensor = None,
        reset: Tensor = None,
        mask: Tensor = None,
        training: bool | None = None,
    ) -> tuple[Tensor, State]:
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
            mask: `[B, T]` booleans: a step where it is false is left out. Its output is zero, and
                the state passes it by. The default is the mask that a layer such as
                `keras.layers.Embedding(mask_zero=True)` attached to the inputs. `lengths` cost
                less.
            training: whether a cell that drops or keeps at random does so, and whether a gradient
                is expected: it is there without, too, but then what may be saved is not compiled,
                and backward computes again what forward did not store.

        Returns:
            Outputs `[B, T, H]`, and the state after the last step of each row.

        Raises:
            ValueError: `initial_state`, `lengths`, `reset` or `mask` has the wrong structure or
                shape, T is 0, or a length is outside 0..T (known outside a graph only).
            tf.errors.InvalidArgumentError: T is 0 in a graph that was traced without knowing it.
        """
        batch_size, steps = inputs.shape[0], inputs.shape[1]
        if steps == 0:
            raise ValueError(_NO_STEP)
        x = tf.convert_to_tensor(inputs)
        if steps is None:
            with tf.control_dependencies([tf.debugging.assert_positive(tf.shape(x)[1], _NO_STEP)]):
                x = tf.identity(x)
        batch, time = tf.shape(x)[0], tf.shape(x)[1]
        fresh = self.initial_state(batch)
        state = fresh if initial_state is None else _checked_state(initial_state, fresh)
        lengths = None if lengths is None else _checked_lengths(lengths, batch_size, steps)
        resets = None if reset is None else _time_major_flags(reset, batch_size, steps, time)
        mask = mask_of(inputs) if mask is None else mask
        if mask is not None:
            counted = _checked_mask(mask, batch_size, steps)
            if lengths is not None:
                counted &= tf.sequence_mask(lengths, time)
            packed = PackedSteps.of(counted, None if resets is None else tf.transpose(resets))
            y, state = self.call(
                packed.pack(x), state, packed.lengths, packed.resets, training=training
            )
            return packed.unpack(y), state

        if self.reverse:
            x = _reverse(x, lengths, time_axis=1)
            if resets is not None:
                starts = tf.roll(resets, -1, axis=0)
                resets = _reverse(starts, lengths) & (tf.range(time) > 0)[:, None]
        valid = None if lengths is None else tf.range(time)[:, None] < lengths
        if valid is not None and resets is not None:
            resets &= valid
        y, state = self._run(x, state, StepMasks(valid, resets, tf.nest.flatten(fresh)), training)
        y.set_shape([batch_size, steps, None])
        return _reverse(y, lengths, time_axis=1) if self.reverse else y, state

    def _run(
        self, x: Tensor, state: State, masks: StepMasks, training: bool | None
    ) -> tuple[Tensor, Tensor]:
        """Return outputs `[B, T, H]` and final state of `x [B, T, D]`."""
        if not isinstance(self.cell, Cell) or self.compute_dtype != self.cell.compute_dtype:
            return self._run_ordinary(x, state, masks)
        return run_cell(self.cell, self._trace, x, state, masks, bool(training))

    def _run_ordinary(self, x: Tensor, state: State, masks: StepMasks) -> tuple[Tensor, Tensor]:
        """Return outputs and final state of a cell that has no pieces, by the plain loop."""
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

        def body(t: Tensor, parts: Any, ys: tf.TensorArray) -> tuple[Tensor, Tensor, Tensor]:
            parts = masks.start(t, parts)
            y, new = self.step(steps.read(t), tf.nest.pack_sequence_as(state, parts))
            y, parts = masks.end(t, parts, y, tf.nest.flatten(new))
            return t + 1, parts, ys.write(t, y)

        ys = tf.TensorArray(self.cell.compute_dtype, time)
        _, parts, ys = loop(body, (tf.constant(0), tf.nest.flatten(state), ys), time)
        for cell in dropping:
            cell.reset_dropout_mask()
            cell.reset_recurrent_dropout_mask()
        return tf.transpose(ys.stack(), [1, 0, 2]), tf.nest.pack_sequence_as(state, parts)

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor) -> list[Tensor]:
        """Return the mask of the outputs, which is that of the inputs; a state has none."""
        return [previous_mask]

    def compute_output_shape(self, input_shape: Shape, **_: Shape) -> tuple[Shape, State]:
        """Return the shapes of outputs and state for inputs of shape `[B, T, D]`."""
        batch, time, _features = input_shape
        return (batch, time, self.cell.output_size), state_shapes(self, batch)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Trace a call: unlike shapes, that also gives the parts of a state their types."""
        return keras.Operation.compute_output_spec(self, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, the cell serialised."""
        cell = keras.saving.serialize_keras_object(self.cell)
        return {**super().get_config(), "cell": cell, "reverse": self.reverse}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Recurrence":
        """Make the layer from `get_config`'s dict."""
        cell = keras.saving.deserialize_keras_object(config["cell"])
        return cls(**{**config, "cell": cell})


def state_shapes(layer: Any, batch: int | None) -> Any:
    """Return the shapes of a layer's state, in its structure, for `batch` rows."""
    state = layer.initial_state(1)
    return tf.nest.map_structure(lambda part: (batch, *part.shape[1:]), state)


def _reverse(x: Tensor, lengths: Tensor, time_axis: int = 0) -> Tensor:
    """Turn around the first `lengths[b]` steps of each row of `[T, B, ...]` or `[B, T, ...]`."""
    if lengths is None:
        return tf.reverse(x, [time_axis])
    return tf.reverse_sequence(x, lengths, seq_axis=time_axis, batch_axis=1 - time_axis)


def _time_major_flags(reset: Tensor, batch: int | None, steps: int | None, time: Tensor) -> Tensor:
    """Return `[B]` or `[B, T]` of any dtype as booleans `[T, B]`."""
    masks = tf.cast(tf.convert_to_tensor(reset), tf.bool)
    if masks.shape.is_compatible_with([batch]):
        return masks[None, :] & (tf.range(time) == 0)[:, None]
    if masks.shape.is_compatible_with([batch, steps]):
        return tf.transpose(masks)
    raise ValueError(
        f"reset has shape {masks.shape}, but the batch has {batch} rows of {steps} time steps; "
        "pass [B] or [B, T]"
    )


def _checked_mask(mask: Tensor, batch: int | None, steps: int | None) -> Tensor:
    """Return booleans `[B, T]`."""
    mask = tf.cast(tf.convert_to_tensor(mask), tf.bool)
    if not mask.shape.is_compatible_with([batch, steps]):
        raise ValueError(
            f"mask has shape {mask.shape}, but the batch has {batch} rows of {steps} time steps; "
            "pass [B, T]"
        )
    return mask


def _checked_lengths(lengths: Tensor, batch: int | None, steps: int | None) -> Tensor:
    """Return integers `[B]`; what is known of them outside a graph is checked."""
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


def _checked_state(state: State, fresh: State) -> Tensor:
    """Return the tensors of `state` in the structure of `fresh`."""
    shapes, needed = (
        [tf.TensorShape(getattr(part, "shape", ())) for part in tf.nest.flatten(tree)]
        for tree in (state, fresh)
    )
    fits = tf.TensorShape.is_compatible_with
    if len(shapes) != len(needed) or not all(map(fits, shapes, needed)):
        raise ValueError(
            f"initial_state has shapes {', '.join(map(str, shapes))}, but the cell's state has "
            f"{', '.join(map(str, needed))}; pass a state as initial_state(batch_size) gives it"
        )
    return tf.nest.pack_sequence_as(fresh, tf.nest.flatten(state))
