"""The two cells of xLSTM, with exponential gates."""

from typing import Any, NamedTuple

from keras import ops

from zoo.cells.base import Cell, block_values, is_positive_integer
from zoo.registry import register
from zoo.typing import Recur, Shape, Tensor


class ScalarState(NamedTuple):
    """Output `h`, memory `c`, normaliser `n` and stabiliser `m`, each `[B, H]`."""

    h: Tensor
    c: Tensor
    n: Tensor
    m: Tensor


class MatrixState(NamedTuple):
    """Memory `c` `[B, N d d]`, row after row, normaliser `n` `[B, H]`, stabiliser `m` `[B, N]`."""

    c: Tensor
    n: Tensor
    m: Tensor


class _HeadedCell(Cell):
    """N heads of d = H / N units each."""

    def __init__(self, units: int, heads: int = 1, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        if not is_positive_integer(heads) or units % heads:
            raise ValueError(
                f"heads is {heads!r}, but a positive integer that divides units {units} is needed"
            )
        self.heads, self.size = heads, units // heads

    def _make_projection(self, inputs: int, wide: int, forget: int) -> None:
        """`kernel` and `bias` of `wide` columns, of which the first `forget` are forget gates."""
        self.kernel = self.add_weight(
            name="kernel", shape=(inputs, wide), initializer="glorot_uniform"
        )
        ones_first = block_values(1, *[0] * (wide // forget - 1))
        self.bias = self.add_weight(name="bias", shape=(wide,), initializer=ones_first)

    def project(self, x: Tensor) -> Tensor:
        """W x + b: `[..., D] -> [..., G]`."""
        return ops.matmul(x, self.kernel) + self.bias

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "heads": self.heads}


@register("cell", "slstm", paper="Beck et al. 2024, arXiv:2405.04517")
class SLSTMCell(_HeadedCell):
    """c_t = σ(f) c_(t-1) + exp(i) tanh(g); h_t = σ(o) c_t / n_t.

    f, i, o, g = W x_t + U h_(t-1) + b, and the normaliser is n_t = σ(f) n_(t-1) + exp(i). Memory
    and normaliser are stored divided by exp(m), m_t = max(log σ(f) + m_(t-1), i), which cancels in
    h and keeps them in range. Weights: `kernel` (W, `[D, 4H]`, columns f, i, o, g),
    `recurrent_kernel` (U, `[N, d, 4d]`, one block a head, the same columns in each) and `bias` (b,
    `[4H]`), whose forget part starts at one.

    Args:
        units: H.
        heads: N, groups of d = H / N units that see the output of their own group alone.

    Raises:
        ValueError: `heads` is not a positive integer that divides `units`.

    Example:
        >>> from keras import ops
        >>> cell = SLSTMCell(4, heads=2)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> state.n.shape, tuple(cell.recurrent_kernel.shape)
        (TensorShape([2, 4]), (2, 2, 8))

    Source: M. Beck et al., "xLSTM: extended long short-term memory" (2024), section 2.2.
    """

    State = ScalarState
    gate_names = ("o",)

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        self._make_projection(input_shape[-1], 4 * self.units, forget=self.units)
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.heads, self.size, 4 * self.size),
            initializer="orthogonal",
        )

    def product(self, v: Tensor, weight: Tensor) -> Tensor:
        """Each head's part of v times its own block: `[B, H] -> [B, 4H]`."""
        parts = ops.reshape(v, (-1, self.heads, self.size))
        blocks = ops.einsum("bnd,nde->bne", parts, weight)
        gates = ops.reshape(blocks, (-1, self.heads, 4, self.size))
        return ops.reshape(ops.transpose(gates, (0, 2, 1, 3)), (-1, 4 * self.units))

    def update(self, z: Tensor, state: ScalarState, recur: Recur) -> tuple[Tensor, ScalarState]:
        """The gates in logarithms, then memory, normaliser and output."""
        f, i, o, g = ops.split(z + recur(state.h), 4, axis=-1)
        past = ops.log_sigmoid(f) + state.m
        # An empty memory has no scale yet: the first entry sets it, so that n is never below one
        # and the division is safe however small exp(i) is.
        m = ops.where(state.n == 0, i, ops.maximum(past, i))
        # An empty memory is not multiplied by exp(past - i), which may overflow.
        forget, enter = ops.exp(ops.minimum(past - m, 0)), ops.exp(i - m)
        c = forget * state.c + enter * ops.tanh(g)
        n = forget * state.n + enter
        h = ops.sigmoid(o) * c / n
        return h, ScalarState(h, c, n, m)


@register("cell", "mlstm", paper="Beck et al. 2024, arXiv:2405.04517")
class MLSTMCell(_HeadedCell):
    """C_t = σ(f) C_(t-1) + exp(i) v kᵀ; h_t = σ(o) C_t q / max(|n_tᵀ q|, 1).

    The normaliser is n_t = σ(f) n_(t-1) + exp(i) k. All of f, i, q, k, v and o are W x_t + b, the
    keys divided by √d, and each head has one f and one i. C and n are stored divided by exp(m), so
    that the 1 reads exp(-m), with m_t = max(log σ(f) + m_(t-1), i, 0). Weights: `kernel` (W,
    `[D, 2N + 4H]`, columns f, i, q, k, v, o) and `bias` (`[2N + 4H]`), whose forget part starts at
    one.

    Args:
        units: H.
        heads: N, memories of d x d numbers, d = H / N.

    Raises:
        ValueError: `heads` is not a positive integer that divides `units`.

    Example:
        >>> from keras import ops
        >>> cell = MLSTMCell(4, heads=2)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> state.c.shape, state.m.shape
        (TensorShape([2, 8]), TensorShape([2, 2]))

    Source: M. Beck et al., "xLSTM: extended long short-term memory" (2024), section 2.3.
    """

    State = MatrixState
    gate_names = ("o",)

    @property
    def state_size(self) -> list[int]:
        """Sizes of memory, normaliser and stabiliser."""
        return [self.units * self.size, self.units, self.heads]

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        wide = 2 * self.heads + 4 * self.units
        self._make_projection(input_shape[-1], wide, forget=self.heads)

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """None: the state meets no weight."""
        return ()

    def update(self, z: Tensor, state: MatrixState, recur: Recur) -> tuple[Tensor, MatrixState]:
        """Store one association in each head, then ask for another."""
        heads, size = (-1, self.heads, 1), (-1, self.heads, self.size)
        f, i = z[:, : self.heads], z[:, self.heads : 2 * self.heads]
        q, k, v, o = ops.split(z[:, 2 * self.heads :], 4, axis=-1)
        q, k, v = (ops.reshape(part, size) for part in (q, k / self.size**0.5, v))
        past = ops.log_sigmoid(f) + state.m
        # The paper's m without the 0 may sink without end, until exp(-m) overflows.
        m = ops.maximum(ops.maximum(past, i), 0)
        forget = ops.reshape(ops.exp(past - m), heads)
        enter = ops.reshape(ops.exp(i - m), heads)
        stored = v[..., None] * k[:, :, None, :]
        c = ops.reshape(state.c, (*size, self.size))
        c = forget[..., None] * c + enter[..., None] * stored
        n = forget * ops.reshape(state.n, size) + enter * k
        retrieved = ops.sum(c * q[:, :, None, :], axis=-1)
        weight = ops.abs(ops.sum(n * q, axis=-1, keepdims=True))
        answer = retrieved / ops.maximum(weight, ops.reshape(ops.exp(-m), heads))
        h = ops.sigmoid(o) * ops.reshape(answer, (-1, self.units))
        c, n = (ops.reshape(part, (-1, total)) for part, total in zip((c, n), self.state_size))
        return h, MatrixState(c, n, m)
