"""Cells around a cell: zoneout, residual and highway connections, dropped weights and inputs."""

from typing import Any

import keras
from keras import ops

from zoo.cells.base import Cell, takes_training, with_training
from zoo.typing import Recur, Shape, Tensor
from zoo.typing import State as CellState


class CellWrapper(Cell):
    """Delegates every piece to `cell`; a subclass adds its own part.

    What a step needs besides the wrapped cell's projection is joined to the end of z by `project`,
    which runs once for a sequence. A subclass that writes `project` or `recurrent_weights` hands
    `training` on to the one here. `keras.layers.RNN` projects step by step, and so draws anew at
    each. A wrapped `LinearCell` runs step after step, too.

    Args:
        cell: the zoo cell that is wrapped; wrappers may be nested.
        **kwargs: those of `keras.layers.Layer`: name, and dtype, by default the cell's.

    Raises:
        ValueError: cell is not a zoo cell.
        TypeError: a subclass is defined whose `project` or `recurrent_weights` takes no `training`.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a wrapper inside of which nothing would ever be dropped."""
        super().__init_subclass__(**kwargs)
        for name in ("project", "recurrent_weights"):
            if not takes_training(getattr(cls, name)):
                raise TypeError(
                    f"{cls.__name__}.{name} takes no training: add training=False as its last "
                    "argument, and hand it on to the wrapped cell's, by super()"
                )

    def __init__(self, cell: Cell, **kwargs: Any) -> None:
        if not isinstance(cell, Cell):
            raise ValueError(f"cell is {cell!r}, but a zoo cell is needed")
        super().__init__(cell.units, **{"dtype": cell.dtype_policy, **kwargs})
        self.cell = cell

    @property
    def State(self) -> Any:
        """The wrapped cell's."""
        return self.cell.State

    @property
    def compiled(self) -> bool:
        """Whether XLA compiles the wrapped cell."""
        return self.cell.compiled

    @property
    def gate_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the wrapped cell's gates."""
        return self.cell.gate_names

    @property
    def plain_product(self) -> bool:
        """Whether the wrapped cell's product is plain."""
        return self.cell.plain_product

    @property
    def state_size(self) -> list[int]:
        """Size of each part of the wrapped cell's state."""
        return self.cell.state_size

    @property
    def output_size(self) -> int:
        """Size of the wrapped cell's output."""
        return self.cell.output_size

    def get_initial_state(self, batch_size: int | Tensor = None) -> CellState:
        """The wrapped cell's."""
        return self.cell.get_initial_state(batch_size)

    def build(self, input_shape: Shape) -> None:
        """Make the wrapped cell's weights."""
        if not self.cell.built:
            self.cell.build(input_shape)
            self.cell.built = True

    def project(self, x: Tensor, training: bool = False) -> Tensor:
        """The wrapped cell's projection."""
        return with_training(self.cell.project, training, x)

    def recurrent_weights(self, training: bool = False) -> tuple[Tensor, ...]:
        """The wrapped cell's."""
        return with_training(self.cell.recurrent_weights, training)

    def product(self, v: Tensor, weight: Tensor) -> Tensor:
        """The wrapped cell's."""
        return self.cell.product(v, weight)

    def update(self, z: Tensor, state: CellState, recur: Recur) -> tuple[Tensor, CellState]:
        """The wrapped cell's."""
        return self.cell.update(z, state, recur)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, the cell serialised."""
        config = {**super().get_config(), "cell": keras.saving.serialize_keras_object(self.cell)}
        del config["units"]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "CellWrapper":
        """Make the cell from `get_config`'s dict."""
        cell = keras.saving.deserialize_keras_object(config["cell"])
        return cls(**{**config, "cell": cell})


class _RandomWrapper(CellWrapper):
    """A wrapper that drops a share of something in training."""

    def __init__(self, cell: Cell, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"rate is {rate!r}, but a number from 0 to below 1 is needed")
        self.rate = rate
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, the cell serialised."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}

    def _chosen(self, shape: Shape, dtype: Any) -> Tensor:
        """Draw one with probability `rate`, else zero, for each entry."""
        return ops.cast(keras.random.uniform(shape, seed=self.seed_generator) < self.rate, dtype)


class ZoneoutCell(_RandomWrapper):
    """s_t = m_t s_(t-1) + (1 - m_t) s̃_t, where s̃_t is the wrapped cell's new state.

    m_t is drawn for each row, time step and entry of the state: one with probability `rate`. At
    inference it is `rate` itself, the expectation. An output that is a part of the state, such as
    an LSTM's h, is that part of s_t; any other stays as the cell gives it.

    Args:
        cell: the zoo cell that is wrapped.
        rate: share of entries that keep their old value, from 0 to below 1.
        seed: of the masks; None for one at random.

    Example:
        >>> from keras import ops
        >>> from zoo.cells.lstm import LSTMCell
        >>> cell = ZoneoutCell(LSTMCell(4), 0.1)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape
        TensorShape([2, 4])

    Source: D. Krueger et al., "Zoneout: regularizing RNNs by randomly preserving hidden
    activations" (2016), arXiv:1606.01305.
    """

    def project(self, x: Tensor, training: bool = False) -> Tensor:
        """The cell's projection and m: `[..., D] -> [..., G + S]`, S the size of the state."""
        z = super().project(x, training)
        shape = (*ops.shape(z)[:-1], sum(self.state_size))
        keep = self._chosen(shape, z.dtype) if training else ops.full(shape, self.rate, z.dtype)
        return ops.concatenate([z, keep], axis=-1)

    def update(self, z: Tensor, state: CellState, recur: Recur) -> tuple[Tensor, CellState]:
        """The cell's step, then a choice between the old and the new state."""
        z, *keeps = _split_off(z, self.state_size)
        y, new = self.cell.update(z, state, recur)
        mixed = self.State(*(m * old + (1 - m) * s for m, old, s in zip(keeps, state, new)))
        for s, part in zip(new, mixed):
            if y is s:
                return part, mixed
        return y, mixed


class _SkipWrapper(CellWrapper):
    """A wrapper that joins the input to the output, which must have its size."""

    def build(self, input_shape: Shape) -> None:
        """Make the wrapped cell's weights; inputs must have the size of the output."""
        if input_shape[-1] != self.output_size:
            raise ValueError(
                f"the input has size {input_shape[-1]}, but the size of the output is needed: "
                f"{self.output_size}"
            )
        super().build(input_shape)


class ResidualCell(_SkipWrapper):
    """y_t = ỹ_t + x_t, where ỹ_t is the wrapped cell's output; the state is the cell's.

    Example:
        >>> from keras import ops
        >>> from zoo.cells.lstm import LSTMCell
        >>> cell = ResidualCell(LSTMCell(3))
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape
        TensorShape([2, 3])

    Source: K. He et al., "Deep residual learning for image recognition" (2015), arXiv:1512.03385.
    """

    def project(self, x: Tensor, training: bool = False) -> Tensor:
        """The cell's projection and x: `[..., D] -> [..., G + D]`."""
        return ops.concatenate([super().project(x, training), x], axis=-1)

    def update(self, z: Tensor, state: CellState, recur: Recur) -> tuple[Tensor, CellState]:
        """The cell's step, with x added to its output."""
        z, x = _split_off(z, [self.output_size])
        y, new = self.cell.update(z, state, recur)
        return y + x, new


class HighwayCell(_SkipWrapper):
    """y_t = t ỹ_t + (1 - t) x_t; t = σ(W x_t + b), where ỹ_t is the wrapped cell's output.

    The state is the cell's. Weights besides the cell's: `gate_kernel` (W, `[D, D]`) and
    `gate_bias` (b, `[D]`), which starts at minus one, so that the input is carried at first.

    Example:
        >>> from keras import ops
        >>> from zoo.cells.lstm import LSTMCell
        >>> cell = HighwayCell(LSTMCell(3))
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape
        TensorShape([2, 3])

    Source: R. K. Srivastava, K. Greff and J. Schmidhuber, "Highway networks" (2015),
    arXiv:1505.00387.
    """

    def build(self, input_shape: Shape) -> None:
        """Make all weights; inputs must have the size of the output."""
        super().build(input_shape)
        size = input_shape[-1]
        self.gate_kernel = self.add_weight(
            name="gate_kernel", shape=(size, size), initializer="glorot_uniform"
        )
        self.gate_bias = self.add_weight(
            name="gate_bias", shape=(size,), initializer=keras.initializers.Constant(-1.0)
        )

    def project(self, x: Tensor, training: bool = False) -> Tensor:
        """The cell's projection, t and (1 - t) x: `[..., D] -> [..., G + 2D]`."""
        gate = ops.matmul(x, self.gate_kernel) + self.gate_bias
        parts = [super().project(x, training), ops.sigmoid(gate), ops.sigmoid(-gate) * x]
        return ops.concatenate(parts, axis=-1)

    def update(self, z: Tensor, state: CellState, recur: Recur) -> tuple[Tensor, CellState]:
        """The cell's step, its output gated."""
        z, gate, carried = _split_off(z, [self.output_size] * 2)
        y, new = self.cell.update(z, state, recur)
        return gate * y + carried, new


class RecurrentWeightDrop(_RandomWrapper):
    """U' = m U / (1 - rate), DropConnect on the wrapped cell's recurrent weights U.

    m is drawn once for a sequence (m_t is the same for all t) and shared by all rows. Biases among
    the recurrent weights lose nothing; at inference U' = U.

    Args:
        cell: the zoo cell that is wrapped.
        rate: share of weights that are dropped in training, from 0 to below 1.
        seed: of the masks; None for one at random.

    Raises:
        ValueError: the cell has no recurrent weights (raised when it is built).

    Example:
        >>> from keras import ops
        >>> from zoo.cells.lstm import LSTMCell
        >>> cell = RecurrentWeightDrop(LSTMCell(4), 0.5)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape
        TensorShape([2, 4])

    Source: S. Merity, N. S. Keskar and R. Socher, "Regularizing and optimizing LSTM language
    models" (2017), arXiv:1708.02182.
    """

    def build(self, input_shape: Shape) -> None:
        """Make the wrapped cell's weights."""
        super().build(input_shape)
        if not self.cell.recurrent_weights():
            raise ValueError(f"{self.cell.name} has no recurrent weights, but some are needed")

    def recurrent_weights(self, training: bool = False) -> tuple[Tensor, ...]:
        """The cell's, in training with entries dropped."""
        weights = super().recurrent_weights(training)
        return keras.tree.map_structure(self._drop, weights) if training else weights

    def _drop(self, weight: Tensor) -> Tensor:
        weight = ops.convert_to_tensor(weight)
        if len(weight.shape) < 2:
            return weight
        dropped = self._chosen(weight.shape, weight.dtype)
        return weight * (1 - dropped) / (1 - self.rate)


class VariationalDropoutCell(_RandomWrapper):
    """x'_t = m_x x_t / (1 - rate); h'_t = m_h h_t / (1 - rate), with m the same for all t.

    x' is what the wrapped cell projects, and h' is what it multiplies by its recurrent weights,
    while gates act on the whole state. The masks are drawn for each row of a sequence: one for the
    inputs, and one for all recurrent operands of one size, which must be that of a part of the
    state. At inference nothing is dropped.

    Args:
        cell: the zoo cell that is wrapped.
        rate: share of entries that are dropped in training, from 0 to below 1.
        seed: of the masks; None for one at random.
        inputs: whether x loses entries, too.

    Example:
        >>> from keras import ops
        >>> from zoo.cells.lstm import LSTMCell
        >>> cell = VariationalDropoutCell(LSTMCell(4), 0.2)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape
        TensorShape([2, 4])

    Source: Y. Gal and Z. Ghahramani, "A theoretically grounded application of dropout in recurrent
    neural networks" (2016), arXiv:1512.05287.
    """

    def __init__(
        self,
        cell: Cell,
        rate: float,
        seed: int | None = None,
        inputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(cell, rate, seed, **kwargs)
        self.inputs = inputs

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, the cell serialised."""
        return {**super().get_config(), "inputs": self.inputs}

    @property
    def mask_sizes(self) -> list[int]:
        """Sizes of the masks for recurrent operands."""
        return sorted(set(self.state_size))

    def project(self, x: Tensor, training: bool = False) -> Tensor:
        """The projection of x' and the masks for h: `[..., D] -> [..., G + S]`."""
        if training and self.inputs:
            x = x * self._mask(x, x.shape[-1])
        z = super().project(x, training)
        wide = (*ops.shape(z)[:-1], sum(self.mask_sizes))
        mask = self._mask(z, wide[-1]) if training else ops.ones((wide[-1],), z.dtype)
        return ops.concatenate([z, ops.broadcast_to(mask, wide)], axis=-1)

    def update(self, z: Tensor, state: CellState, recur: Recur) -> tuple[Tensor, CellState]:
        """The cell's step, with each recurrent operand masked."""
        z, *masks = _split_off(z, self.mask_sizes)
        by_size = dict(zip(self.mask_sizes, masks))

        def masked(v: Tensor, k: int = 0) -> Tensor:
            size = 1
            for axis in v.shape[1:]:
                size *= axis
            if size not in by_size:
                raise ValueError(
                    f"{self.cell.name} multiplies a vector of size {size}, but the size of a part "
                    f"of its state is needed: {', '.join(map(str, by_size))}"
                )
            return recur(v * ops.reshape(by_size[size], (-1, *v.shape[1:])), k)

        return self.cell.update(z, state, masked)

    def _mask(self, like: Tensor, size: int) -> Tensor:
        """Draw a mask `[B, size]` for `[..., B, n]`, to be broadcast over the leading axes."""
        rows = ops.shape(like)[-2]
        return (1 - self._chosen((rows, size), like.dtype)) / (1 - self.rate)


def _split_off(z: Tensor, sizes: list[int]) -> list[Tensor]:
    """Return z without the pieces of these sizes that `project` joined to its end, and those."""
    ends = [-sum(sizes[n:]) for n in range(len(sizes))]
    starts = [None, *ends]
    return [z[..., start:end] for start, end in zip(starts, [*ends, None])]
