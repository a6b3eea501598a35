"""Runs any cell over time."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.cells.base import Cell


@keras.saving.register_keras_serializable("zoo")
class Recurrence(keras.layers.Layer):
    """Any cell over a sequence: `[B, T, D]` to all outputs `[B, T, H]` and the final state.

    A zoo `Cell` runs with its inputs projected for all time steps at once and with a gradient of
    the whole sequence derived by hand: the backward loop carries only the gradient of the state,
    and the gradients of the recurrent weights are one large product after it. Any other Keras cell
    (and any cell under a mixed-precision policy) takes the ordinary differentiated loop.

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
        """Make the cell's weights for inputs of size `input_shape[-1]`."""
        if not self.cell.built:
            self.cell.build((input_shape[0], input_shape[-1]))
            self.cell.built = True

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
    ) -> tuple[Any, Any]:
        """Run the sequence.

        Args:
            inputs: `[B, T, D]`, floating.
            initial_state: a state as `initial_state(B)` gives it, which is the default.
            lengths: `[B]` integers in 0..T: row b ends after `lengths[b]` time steps. From there
                its outputs are zero and its state stays as it is.
            reset: `[B, T]` or `[B]`, boolean or integer: true where a row starts a new sequence,
                that is, where its state is set to the cell's initial state before the step; `[B]`
                speaks of the first time step only. Under `reverse` a sequence starts at its end,
                so that the state is reset on passing from its first step to the sequence before.
                Flags past the end of a row are not read.

        Returns:
            Outputs `[B, T, H]`, and the state after the last step of each row.

        Raises:
            ValueError: `initial_state`, `lengths` or `reset` has the wrong structure or shape, T
                is 0, or a length is outside 0..T (told from values outside a graph only).
        """
        batch_size, steps = inputs.shape[0], inputs.shape[1]
        if steps == 0:
            raise ValueError("the inputs have no time step; pass at least one")
        x = tf.transpose(tf.convert_to_tensor(inputs), [1, 0, 2])
        time, batch = tf.shape(x)[0], tf.shape(x)[1]
        fresh = self.initial_state(batch)
        state = fresh if initial_state is None else _checked_state(initial_state, fresh)
        lengths = None if lengths is None else _checked_lengths(lengths, batch_size, steps)
        resets = None if reset is None else _time_major_flags(reset, batch_size, steps, time)

        if self.reverse:
            x = _reverse(x, lengths)
            if resets is not None:
                starts = tf.roll(resets, -1, axis=0)
                resets = _reverse(starts, lengths) & (tf.range(time) > 0)[:, None]
        valid = None if lengths is None else tf.range(time)[:, None] < lengths
        if valid is not None and resets is not None:
            resets &= valid
        y, state = self._run(x, state, fresh, valid, resets)
        y.set_shape([steps, batch_size, None])
        if self.reverse:
            y = _reverse(y, lengths)
        return tf.transpose(y, [1, 0, 2]), state

    def _run(self, x: Any, state: Any, fresh: Any, valid: Any, resets: Any) -> tuple[Any, Any]:
        """Time-major: `x [T, B, D]`, flags `[T, B]` or None. Outputs `[T, B, H]`, final state."""
        dtypes = {self.compute_dtype, self.cell.compute_dtype, self.cell.variable_dtype}
        if isinstance(self.cell, Cell) and len(dtypes) == 1:
            z = self.cell.project(x)
            return _hand_derived(self.cell, z, state, fresh, valid, resets)

        # A Keras cell draws its dropout masks at its first call and keeps them for all time steps:
        # they must be drawn outside the loop, and anew for each sequence.
        cells = getattr(self.cell, "cells", [self.cell])
        dropping = [cell for cell in cells if hasattr(cell, "reset_dropout_mask")]
        if dropping:
            self.cell(x[0], state)
        flags = _Flags(valid, resets, fresh)
        steps = tf.TensorArray(x.dtype, tf.shape(x)[0]).unstack(x)

        def body(t: Any, state: Any, ys: Any) -> tuple[Any, Any, Any]:
            state = flags.start(t, state)
            y, new = flags.end(t, state, *self.step(steps.read(t), state))
            return t + 1, new, ys.write(t, y)

        ys = tf.TensorArray(self.cell.compute_dtype, tf.shape(x)[0])
        _, state, ys = _loop(body, (tf.constant(0), state, ys), tf.shape(x)[0])
        for cell in dropping:
            cell.reset_dropout_mask()
            cell.reset_recurrent_dropout_mask()
        return ys.stack(), state

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, the cell serialised."""
        cell = keras.saving.serialize_keras_object(self.cell)
        return {**super().get_config(), "cell": cell, "reverse": self.reverse}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Recurrence":
        """Make the layer from `get_config`'s dict."""
        cell = keras.saving.deserialize_keras_object(config["cell"])
        return cls(**{**config, "cell": cell})


class _Flags:
    """Where rows start and end; both flags `[T, B]` or None."""

    def __init__(self, valid: Any, resets: Any, fresh: Any) -> None:
        self.valid, self.resets, self.fresh = valid, resets, fresh

    def start(self, t: Any, state: Any) -> Any:
        """The state before step t: fresh where a row starts a new sequence."""
        return state if self.resets is None else _where(self.resets[t], self.fresh, state)

    def end(self, t: Any, old: Any, y: Any, new: Any) -> tuple[Any, Any]:
        """Output and state after step t: zero, and the old state, where a row has ended."""
        if self.valid is None:
            return y, new
        return _where(self.valid[t], y, tf.zeros_like(y)), _where(self.valid[t], new, old)

    def end_gradient(self, t: Any, dy: Any, dnew: Any) -> tuple[Any, Any, Any]:
        """Gradients that reach the step's own output and state, and those that pass it by."""
        if self.valid is None:
            return dy, dnew, None
        zero = tf.nest.map_structure(tf.zeros_like, dnew)
        valid = self.valid[t]
        return (
            _where(valid, dy, tf.zeros_like(dy)),
            _where(valid, dnew, zero),
            _where(valid, zero, dnew),
        )

    def start_gradient(self, t: Any, dstate: Any) -> tuple[Any, Any]:
        """The gradients that cross the start of step t, and that reach the fresh state there."""
        if self.resets is None:
            return dstate, None
        zero = tf.nest.map_structure(tf.zeros_like, dstate)
        return _where(self.resets[t], zero, dstate), _where(self.resets[t], dstate, zero)


def _hand_derived(
    cell: Cell, z: Any, state: Any, fresh: Any, valid: Any, resets: Any
) -> tuple[Any, Any]:
    """The loop over `update(z_t, recur(state))` with its whole-sequence gradient.

    Forward keeps the state before each step, S, and the recurrent products, R. Backward runs one
    loop for the gradients of z and R, and takes the weights' gradient from all of S and dR at once.
    """
    weights = [tf.identity(keras.ops.convert_to_tensor(w)) for w in cell.recurrent_weights()]
    time = tf.shape(z)[0]
    flat_state, flat_fresh = tf.nest.flatten(state), tf.nest.flatten(fresh)
    parts = len(flat_state)

    def pack(flat: Any) -> Any:
        return tf.nest.pack_sequence_as(state, flat)

    @tf.custom_gradient
    def run(z: Any, *tensors: Any) -> Any:
        state, weights = tensors[:parts], tensors[2 * parts :]
        flags = _Flags(valid, resets, pack(tensors[parts : 2 * parts]))
        zs = tf.TensorArray(z.dtype, time).unstack(z)

        def forward(t: Any, state: Any, ys: Any, states: Any, rs: Any) -> tuple[Any, ...]:
            state = flags.start(t, pack(state))
            r = cell.recur(state, *weights)
            y, new = flags.end(t, state, *cell.update(zs.read(t), r, state))
            states = [a.write(t, part) for a, part in zip(states, tf.nest.flatten(state))]
            return t + 1, tf.nest.flatten(new), ys.write(t, y), states, rs.write(t, r)

        keep = [tf.TensorArray(part.dtype, time) for part in state]
        ys, rs = tf.TensorArray(z.dtype, time), tf.TensorArray(z.dtype, time)
        _, final, ys, keep, rs = _loop(forward, (tf.constant(0), list(state), ys, keep, rs), time)
        y, S, R = ys.stack(), [part.stack() for part in keep], rs.stack()

        def gradient(dy: Any, *dfinal: Any) -> Any:
            dz, dR, dstate, dfresh = _backward(
                cell, flags, pack, time, (z, R, S, weights), dy, list(dfinal)
            )
            flat = pack([tf.reshape(part, [-1, *part.shape[2:]]) for part in S])
            dr = tf.reshape(dR, [-1, dR.shape[-1]])
            dweights = _vjp(lambda *w: cell.recur(flat, *w), list(weights), dr)
            return (dz, *dstate, *dfresh, *dweights)

        return (y, *final), gradient

    y, *final = run(z, *flat_state, *flat_fresh, *weights)
    return y, pack(final)


def _backward(
    cell: Cell, flags: _Flags, pack: Callable, time: Any, saved: Any, dy: Any, dfinal: list[Any]
) -> tuple[Any, Any, list[Any], list[Any]]:
    """From the last time step to the first: gradients of z and r `[T, B, ...]`, and of the states
    that the sequence started from and was reset to.

    `saved` is z, all recurrent products, all states before a step, and the recurrent weights.
    """
    z, R, S, weights = saved
    zs, rs, dys = (tf.TensorArray(a.dtype, time).unstack(a) for a in (z, R, dy))
    states = [tf.TensorArray(part.dtype, time).unstack(part) for part in S]

    def body(n: Any, dstate: Any, dfresh: Any, dzs: Any, drs: Any) -> tuple[Any, ...]:
        t = time - 1 - n
        state = [part.read(t) for part in states]
        dy_t, dnew, past = flags.end_gradient(t, dys.read(t), dstate)

        def update(z: Any, r: Any, *flat: Any) -> list[Any]:
            y, new = cell.update(z, r, pack(flat))
            return [y, *tf.nest.flatten(new)]

        dz, dr, *through = _vjp(update, [zs.read(t), rs.read(t), *state], [dy_t, *dnew])
        back = _vjp(lambda *flat: cell.recur(pack(flat), *weights), state, dr)
        dstate = [a + b for a, b in zip(through, back)]
        if past is not None:
            dstate = [a + b for a, b in zip(dstate, past)]
        dstate, at_reset = flags.start_gradient(t, dstate)
        if at_reset is not None:
            dfresh = [a + b for a, b in zip(dfresh, at_reset)]
        return n + 1, dstate, dfresh, dzs.write(t, dz), drs.write(t, dr)

    dzs, drs = tf.TensorArray(z.dtype, time), tf.TensorArray(z.dtype, time)
    dfresh = [tf.zeros_like(part) for part in dfinal]
    _, dstate, dfresh, dzs, drs = _loop(body, (tf.constant(0), dfinal, dfresh, dzs, drs), time)
    return dzs.stack(), drs.stack(), dstate, dfresh


def _vjp(function: Callable, arguments: list[Any], cotangents: Any) -> list[Any]:
    """Gradients of `function(*arguments)` in each argument, weighted by `cotangents`."""
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        values = function(*arguments)
    return tape.gradient(
        values, arguments, cotangents, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )


def _loop(body: Callable, variables: tuple, time: Any) -> Any:
    """`body` for each time step; the first variable counts them."""
    return tf.while_loop(lambda t, *_: t < time, body, variables, maximum_iterations=time)


def _where(rows: Any, yes: Any, no: Any) -> Any:
    """Choose row by row, `rows [B]`, in every part of a nested value."""

    def choose(yes: Any, no: Any) -> Any:
        return tf.where(tf.reshape(rows, [-1] + [1] * (len(no.shape) - 1)), yes, no)

    return tf.nest.map_structure(choose, yes, no)


def _reverse(x: Any, lengths: Any) -> Any:
    """Time-major `x [T, B, ...]` with each row's first `lengths[b]` steps turned around."""
    if lengths is None:
        return tf.reverse(x, [0])
    return tf.reverse_sequence(x, lengths, seq_axis=0, batch_axis=1)


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
