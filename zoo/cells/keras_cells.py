"""Keras' own cells in the three pieces that the engine runs, on the weights that they have."""

import math
from typing import Any, ClassVar

import keras
from keras import ops

from zoo.cells.base import Cell, HiddenState
from zoo.cells.lstm import LSTMState
from zoo.cells.wrappers import CellWrapper
from zoo.typing import Recur, Tensor
from zoo.typing import State as CellState
from zoo.utils.keras_internals import is_conv_lstm_cell


class KerasCell(Cell):
    """The pieces of a Keras cell, which is held and whose variables are read; it has no weights.

    Args:
        cell: the Keras cell, built.

    Attributes:
        gates: for each recurrent weight, how many gates its columns are for.
    """

    gates: ClassVar[tuple[int, ...]] = (1,)

    def __init__(self, cell: Any, units: int | None = None) -> None:
        super().__init__(int(units or cell.units), dtype=cell.dtype_policy)
        self.cell = cell
        self.built = True

    def project(self, x: Tensor) -> Tensor:
        """W x + b: `[..., D] -> [..., G]`."""
        return self.with_bias(self.linear(x, self.cell.kernel))

    def project_each(self, xs: list[Tensor]) -> Tensor:
        """W x + b, where each gate has an x of its own, `[..., D]`."""
        kernels = ops.split(ops.convert_to_tensor(self.cell.kernel), len(xs), axis=-1)
        return self.with_bias(self.joined([self.linear(x, w) for x, w in zip(xs, kernels)]))

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """U: `[H, G]`."""
        return (ops.convert_to_tensor(self.cell.recurrent_kernel),)

    def linear(self, x: Tensor, kernel: Tensor) -> Tensor:
        """W x: `[..., D] -> [..., G]`."""
        return ops.matmul(x, kernel)

    def with_bias(self, z: Tensor) -> Tensor:
        """Add b, where the cell has one."""
        return z if self.cell.bias is None else z + self.cell.bias

    def joined(self, gates: list[Tensor]) -> Tensor:
        """Join what is of each gate, as the columns of the kernel are joined."""
        return ops.concatenate(gates, axis=-1)


class KerasSimpleRNNCell(KerasCell):
    """`keras.layers.SimpleRNNCell`."""

    def update(self, z: Tensor, state: HiddenState, recur: Recur) -> tuple[Tensor, HiddenState]:
        """h = f(W x + b + U h)."""
        h = self.cell.activation(z + recur(state.h))
        return h, HiddenState(h)


class KerasLSTMCell(KerasCell):
    """`keras.layers.LSTMCell`."""

    State = LSTMState
    gates = (4,)

    def update(self, z: Tensor, state: LSTMState, recur: Recur) -> tuple[Tensor, LSTMState]:
        """The gates, then memory and output."""
        return self.activate(ops.split(z + recur(state.h), 4, axis=-1), state.c)

    def activate(self, gates: list[Tensor], c: Tensor) -> tuple[Tensor, LSTMState]:
        """Memory and output from the sums of the gates i, f, g, o, each of c's shape."""
        activation, gated = self.cell.activation, self.cell.recurrent_activation
        i, f, g, o = gates
        c = gated(f) * c + gated(i) * activation(g)
        h = gated(o) * activation(c)
        return h, LSTMState(h, c)


class KerasGRUCell(KerasCell):
    """`keras.layers.GRUCell` with `reset_after=True`."""

    gates = (3,)

    def with_bias(self, z: Tensor) -> Tensor:
        """Add the first row of b, where the cell has one."""
        return z if self.cell.bias is None else z + ops.convert_to_tensor(self.cell.bias)[0]

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """U `[H, 3H]`, with the second row of b where the cell has one."""
        (kernel,) = super().recurrent_weights()
        if self.cell.bias is None:
            return (kernel,)
        return ((kernel, ops.convert_to_tensor(self.cell.bias)[1]),)

    def update(self, z: Tensor, state: HiddenState, recur: Recur) -> tuple[Tensor, HiddenState]:
        """The gates, then the new state between the old one and the candidate."""
        z_update, z_reset, z_candidate = ops.split(z, 3, axis=-1)
        r_update, r_reset, r_candidate = ops.split(recur(state.h), 3, axis=-1)
        update = self.cell.recurrent_activation(z_update + r_update)
        reset = self.cell.recurrent_activation(z_reset + r_reset)
        candidate = self.cell.activation(z_candidate + reset * r_candidate)
        h = update * state.h + (1 - update) * candidate
        return h, HiddenState(h)


class KerasResetBeforeGRUCell(KerasCell):
    """`keras.layers.GRUCell` with `reset_after=False`."""

    gates = (2, 1)

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """U of both gates `[H, 2H]` and of the candidate `[H, H]`."""
        (kernel,) = super().recurrent_weights()
        return kernel[:, : 2 * self.units], kernel[:, 2 * self.units :]

    def update(self, z: Tensor, state: HiddenState, recur: Recur) -> tuple[Tensor, HiddenState]:
        """The gates, then the candidate from what the reset gate leaves."""
        gates = ops.split(z[..., : 2 * self.units] + recur(state.h), 2, axis=-1)
        # One by one, as Keras does: softmax, say, looks at all columns.
        update, reset = map(self.cell.recurrent_activation, gates)
        candidate = self.cell.activation(z[..., 2 * self.units :] + recur(reset * state.h, 1))
        h = update * state.h + (1 - update) * candidate
        return h, HiddenState(h)


class KerasConvLSTMCell(KerasLSTMCell):
    """The cell of `keras.layers.ConvLSTM1D`, `ConvLSTM2D` and `ConvLSTM3D`, on flattened frames.

    Attributes:
        input_frame: the shape of a frame of the inputs.
        frame: the shape of a frame of outputs and state.
    """

    # On a CPU, XLA's convolutions are slower than TensorFlow's.
    compiled = False

    def __init__(self, cell: Any) -> None:
        super().__init__(cell, cell.filters)
        channels, space = (cell.input_dim,), tuple(cell.spatial_dims)
        self.channels_last = cell.data_format == "channels_last"
        self.input_frame = space + channels if self.channels_last else channels + space
        self.frame = tuple(cell.compute_output_shape((1, *self.input_frame))[0][1:])

    @property
    def state_size(self) -> list[int]:
        """The size of a flattened frame, twice."""
        return [math.prod(self.frame)] * 2

    @property
    def output_size(self) -> int:
        """The size of a flattened frame."""
        return math.prod(self.frame)

    def linear(self, x: Tensor, kernel: Tensor) -> Tensor:
        """W * x, with strides, dilation and padding as the cell has them."""
        frames = ops.reshape(x, (-1, *self.input_frame))
        maps = self.cell.input_conv(frames, kernel, padding=self.cell.padding)
        return ops.reshape(maps, (*ops.shape(x)[:-1], math.prod(maps.shape[1:])))

    def with_bias(self, z: Tensor) -> Tensor:
        """Add b to each channel, where the cell has one."""
        if self.cell.bias is None:
            return z
        maps = self._maps(z)
        shape = [1] * len(maps.shape)
        shape[self._axis] = -1
        return ops.reshape(maps + ops.reshape(self.cell.bias, shape), ops.shape(z))

    def product(self, v: Tensor, weight: Tensor) -> Tensor:
        """U * v."""
        maps = self.cell.recurrent_conv(ops.reshape(v, (-1, *self.frame)), weight)
        return ops.reshape(maps, (-1, math.prod(maps.shape[1:])))

    def update(self, z: Tensor, state: LSTMState, recur: Recur) -> tuple[Tensor, LSTMState]:
        """The gates at each pixel, then memory and output."""
        gates = ops.split(self._maps(z + recur(state.h)), 4, axis=self._axis)
        return self.activate([ops.reshape(gate, (-1, self.output_size)) for gate in gates], state.c)

    def joined(self, gates: list[Tensor]) -> Tensor:
        """Join the channels of each gate, `[..., height · width · F]`."""
        maps = [self._maps(gate) for gate in gates]
        size = len(maps) * gates[0].shape[-1]
        shape = (*ops.shape(gates[0])[:-1], size)
        return ops.reshape(ops.concatenate(maps, axis=self._axis), shape)

    @property
    def _axis(self) -> int:
        return -1 if self.channels_last else 1

    def _maps(self, z: Tensor) -> Tensor:
        """Flattened maps of any number of channels as `[N, height, width, channels]`."""
        space = self.frame[:-1] if self.channels_last else self.frame[1:]
        channels = z.shape[-1] // math.prod(space)
        return ops.reshape(
            z, (-1, *space, channels) if self.channels_last else (-1, channels, *space)
        )


class DroppingKerasCell(CellWrapper):
    """A `KerasCell` in training, with the masks that the Keras cell has drawn for this sequence.

    Each gate may have masks of its own, for its input and for the state that it reads. They are the
    same at all time steps.
    """

    def __init__(self, cell: KerasCell) -> None:
        super().__init__(cell)
        self.built = True
        self.dropout, self.recurrent_dropout = (
            0 < rate < 1 for rate in (cell.cell.dropout, cell.cell.recurrent_dropout)
        )

    def project(self, x: Tensor, training: bool = False) -> Tensor:
        """The projection of what the masks leave, and the recurrent masks: `[..., D -> G + R]`."""
        drawn = self.cell.cell.get_dropout_mask(x[0]) if training and self.dropout else None
        if drawn is None:
            z = self.cell.project(x)
        elif isinstance(drawn, list):
            z = self.cell.project_each([x * _flat(mask, x.dtype) for mask in drawn])
        else:
            z = self.cell.project(x * _flat(drawn, x.dtype))
        if not self.recurrent_dropout:
            return z
        wide = (*ops.shape(z)[:-1], sum(self._mask_sizes))
        masks = ops.ones((1,), z.dtype)
        if training:
            drawn = self.cell.cell.get_recurrent_dropout_mask(None)
            drawn = drawn if isinstance(drawn, list) else [drawn]
            masks = ops.concatenate([_flat(mask, x.dtype) for mask in drawn], axis=-1)
        return ops.concatenate([z, ops.broadcast_to(masks, wide)], axis=-1)

    def recurrent_weights(self, training: bool = False) -> tuple[Tensor, ...]:
        """U of each gate by itself."""
        weights = super().recurrent_weights(training)
        if not self.recurrent_dropout:
            return weights
        by_gate = [_gates(weight, gates) for weight, gates in zip(weights, self.cell.gates)]
        return tuple(part for parts in by_gate for part in parts)

    def update(self, z: Tensor, state: CellState, recur: Recur) -> tuple[Tensor, CellState]:
        """The cell's step, with each operand masked anew for each gate."""
        if not self.recurrent_dropout:
            return self.cell.update(z, state, recur)
        size = sum(self._mask_sizes)
        z, joined = z[..., :-size], z[..., -size:]
        masks = ops.split(joined, sum(self.cell.gates), axis=-1)
        first = [sum(self.cell.gates[:k]) for k in range(len(self.cell.gates))]

        def masked(v: Tensor, k: int = 0) -> Tensor:
            own = range(first[k], first[k] + self.cell.gates[k])
            return self.cell.joined([recur(v * masks[n], n) for n in own])

        return self.cell.update(z, state, masked)

    @property
    def _mask_sizes(self) -> list[int]:
        return [self.cell.output_size] * sum(self.cell.gates)


def keras_cell(cell: Any) -> Cell | None:
    """Return a built Keras cell in the engine's pieces, a zoo cell as it is; None for another.

    Example:
        >>> type(keras_cell(keras.layers.SimpleRNNCell(4))).__name__
        'KerasSimpleRNNCell'
        >>> keras_cell(keras.layers.Dense(4)) is None
        True
    """
    if isinstance(cell, Cell):
        return cell
    kind = _KINDS.get(type(cell))
    if kind is KerasGRUCell and not cell.reset_after:
        return KerasResetBeforeGRUCell(cell)
    if is_conv_lstm_cell(cell):
        kind = KerasConvLSTMCell
    return kind and kind(cell)


_KINDS: dict[Any, Any] = {
    keras.layers.SimpleRNNCell: KerasSimpleRNNCell,
    keras.layers.LSTMCell: KerasLSTMCell,
    keras.layers.GRUCell: KerasGRUCell,
}


def _flat(mask: Tensor, dtype: Any) -> Tensor:
    """A mask `[B, ...]` as `[B, D]`."""
    return ops.cast(ops.reshape(mask, (-1, math.prod(mask.shape[1:]))), dtype)


def _gates(weight: Tensor, gates: int) -> list[Any]:
    """A recurrent weight, which may be a pair of kernel and bias, gate by gate."""
    if isinstance(weight, tuple):
        return list(zip(*(ops.split(part, gates, axis=-1) for part in weight)))
    return ops.split(weight, gates, axis=-1)
