"""Relatives of the LSTM: peepholes, coupled gates, projection, multiplicative state."""

from typing import Any

from keras import ops

from zoo.cells.base import DenseCell, positive_integer
from zoo.cells.lstm import LSTMState
from zoo.registry import register
from zoo.typing import Recur, Shape, Tensor


@register("cell", "peephole_lstm", paper="Gers et al. 2002, doi:10.1162/153244303768966139")
class PeepholeLSTMCell(DenseCell):
    """f, i = σ(W x_t + U h_(t-1) + p c_(t-1) + b); c_t = f c_(t-1) + i tanh(g); o sees p_o c_t.

    The gates look at the memory through the diagonal weights p; h_t = σ(o) tanh(c_t). Weights:
    `kernel` (`[D, 4H]`, columns f, i, o, g), `recurrent_kernel` (`[H, 4H]`), `bias` (`[4H]`) and
    `peephole` (`[3, H]`, rows f, i, o; zero at the start).

    Example:
        >>> from keras import ops
        >>> cell = PeepholeLSTMCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> tuple(cell.peephole.shape)
        (3, 4)

    Source: F. Gers, N. Schraudolph and J. Schmidhuber, "Learning precise timing with LSTM recurrent
    networks" (2002); the form with tanh is that of Graves (2013, arXiv:1308.0850).
    """

    State = LSTMState
    blocks = 4
    bias_start = (1, 0, 0, 0)
    gate_names = ("f", "i", "o")

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        super().build(input_shape)
        self.peephole = self.add_weight(name="peephole", shape=(3, self.units), initializer="zeros")

    def update(self, z: Tensor, state: LSTMState, recur: Recur) -> tuple[Tensor, LSTMState]:
        """Gates, memory, and the output gate's look at it."""
        f, i, o, g = ops.split(z + recur(state.h), 4, axis=-1)
        p = ops.convert_to_tensor(self.peephole)
        f = ops.sigmoid(f + p[0] * state.c)
        i = ops.sigmoid(i + p[1] * state.c)
        c = f * state.c + i * ops.tanh(g)
        h = ops.sigmoid(o + p[2] * c) * ops.tanh(c)
        return h, LSTMState(h, c)


@register("cell", "coupled_lstm", paper="Greff et al. 2015, arXiv:1503.04069")
class CoupledLSTMCell(DenseCell):
    """f, o = σ(W x_t + U h_(t-1) + b); c_t = f c_(t-1) + (1 - f) tanh(g); h_t = o tanh(c_t).

    The input gate is what the forget gate leaves (CIFG). Weights: `kernel` (`[D, 3H]`, columns f,
    o, g), `recurrent_kernel` (`[H, 3H]`) and `bias` (`[3H]`).

    Example:
        >>> from keras import ops
        >>> cell = CoupledLSTMCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> state.c.shape
        TensorShape([2, 4])

    Source: K. Greff et al., "LSTM: a search space odyssey" (2015).
    """

    State = LSTMState
    blocks = 3
    bias_start = (1, 0, 0)
    gate_names = ("f", "o")

    def update(self, z: Tensor, state: LSTMState, recur: Recur) -> tuple[Tensor, LSTMState]:
        """The gates, then memory and output."""
        f, o, g = ops.split(z + recur(state.h), 3, axis=-1)
        f = ops.sigmoid(f)
        c = f * state.c + (1 - f) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, LSTMState(h, c)


@register("cell", "projected_lstm", paper="Sak et al. 2014, arXiv:1402.1128")
class ProjectedLSTMCell(DenseCell):
    """h_t = P (σ(o) tanh(c_t)); c_t = σ(f) c_(t-1) + σ(i) tanh(g); f, i, o, g as in the LSTM.

    A memory of M numbers behind an output of H. Weights: `kernel` (`[D, 4M]`, columns f, i, o, g),
    `recurrent_kernel` (`[H, 4M]`), `bias` (`[4M]`) and `projection` (P, `[M, H]`).

    Args:
        units: H.
        memory: M, by default twice `units`.

    Raises:
        ValueError: `memory` is not a positive integer.

    Example:
        >>> from keras import ops
        >>> cell = ProjectedLSTMCell(4, memory=6)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape, state.c.shape
        (TensorShape([2, 4]), TensorShape([2, 6]))

    Source: H. Sak, A. Senior and F. Beaufays, "Long short-term memory based recurrent neural
    network architectures for large vocabulary speech recognition" (2014).
    """

    State = LSTMState
    blocks = 4
    bias_start = (1, 0, 0, 0)
    gate_names = ("f", "i", "o")

    def __init__(self, units: int, memory: int | None = None, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.memory = 2 * units if memory is None else positive_integer("memory", memory)

    @property
    def state_size(self) -> list[int]:
        """Sizes of h and c."""
        return [self.units, self.memory]

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        self.make_weights(input_shape[-1], self.blocks * self.memory)
        self.projection = self.add_weight(
            name="projection", shape=(self.memory, self.units), initializer="glorot_uniform"
        )

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """U `[H, 4M]` and P `[M, H]`."""
        return self.recurrent_kernel, self.projection

    def update(self, z: Tensor, state: LSTMState, recur: Recur) -> tuple[Tensor, LSTMState]:
        """The gates, then memory and projected output."""
        f, i, o, g = ops.split(z + recur(state.h), 4, axis=-1)
        c = ops.sigmoid(f) * state.c + ops.sigmoid(i) * ops.tanh(g)
        h = recur(ops.sigmoid(o) * ops.tanh(c), 1)
        return h, LSTMState(h, c)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "memory": self.memory}


@register("cell", "multiplicative_lstm", paper="Krause et al. 2016, arXiv:1609.07959")
class MultiplicativeLSTMCell(DenseCell):
    """m_t = (W_m x_t) ⊙ (U_m h_(t-1)); f, i, o, g = W x_t + U m_t + b; then as in the LSTM.

    c_t = σ(f) c_(t-1) + σ(i) tanh(g) and h_t = σ(o) tanh(c_t). Each input so chooses a transition
    of its own. Weights: `kernel` (`[D, 4H]`, columns f, i, o, g),
    `recurrent_kernel` (U, `[H, 4H]`), `bias` (`[4H]`), `factor_kernel` (W_m, `[D, H]`) and
    `factor_recurrent_kernel` (U_m, `[H, H]`).

    Example:
        >>> from keras import ops
        >>> cell = MultiplicativeLSTMCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape
        TensorShape([2, 4])

    Source: B. Krause et al., "Multiplicative LSTM for sequence modelling" (2016).
    """

    State = LSTMState
    blocks = 4
    bias_start = (1, 0, 0, 0)
    gate_names = ("f", "i", "o")

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        super().build(input_shape)
        self.factor_kernel = self.add_weight(
            name="factor_kernel",
            shape=(input_shape[-1], self.units),
            initializer="glorot_uniform",
        )
        self.factor_recurrent_kernel = self.add_weight(
            name="factor_recurrent_kernel",
            shape=(self.units, self.units),
            initializer="orthogonal",
        )

    def project(self, x: Tensor) -> Tensor:
        """W x + b, then W_m x: `[..., D] -> [..., 5H]`."""
        return ops.concatenate([super().project(x), ops.matmul(x, self.factor_kernel)], axis=-1)

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """U_m `[H, H]` and U `[H, 4H]`."""
        return self.factor_recurrent_kernel, self.recurrent_kernel

    def update(self, z: Tensor, state: LSTMState, recur: Recur) -> tuple[Tensor, LSTMState]:
        """The intermediate state m, the gates, then memory and output."""
        m = z[..., 4 * self.units :] * recur(state.h)
        f, i, o, g = ops.split(z[..., : 4 * self.units] + recur(m, 1), 4, axis=-1)
        c = ops.sigmoid(f) * state.c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, LSTMState(h, c)
