"""The cell that neural architecture search found."""

from keras import ops

from zoo.cells.base import Cell
from zoo.cells.lstm import LSTMState
from zoo.registry import register
from zoo.typing import Recur, Shape, Tensor


@register("cell", "nas", paper="Zoph and Le 2016, arXiv:1611.01578")
class NASCell(Cell):
    """x_1..x_8 = W x_t; h_1..h_8 = U h_(t-1); a tree of three layers joins them to h_t and c_t.

    The leaves: a_1 = σ(x_1 + h_1), a_2 = relu(x_2 + h_2), a_3 = σ(x_3 + h_3),
    a_4 = relu(x_4 h_4), a_5 = tanh(x_5 + h_5), a_6 = σ(x_6 + h_6), a_7 = tanh(x_7 + h_7) and
    a_8 = σ(x_8 + h_8). Then c_t = tanh(c_(t-1) + tanh(a_1 a_2)) tanh(a_3 + a_4) and
    h_t = tanh(c_t tanh(tanh(a_5 a_6) + σ(a_7 + a_8))). Weights, without biases as in the paper:
    `kernel` (W, `[D, 8H]`) and `recurrent_kernel` (U, `[H, 8H]`).

    Example:
        >>> from keras import ops
        >>> cell = NASCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> state.c.shape, tuple(cell.kernel.shape)
        (TensorShape([2, 4]), (3, 32))

    Source: B. Zoph and Q. V. Le, "Neural architecture search with reinforcement learning" (2016),
    the cell found on Penn Treebank.
    """

    State = LSTMState

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        wide = 8 * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], wide), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, wide), initializer="orthogonal"
        )

    def project(self, x: Tensor) -> Tensor:
        """W x: `[..., D] -> [..., 8H]`."""
        return ops.matmul(x, self.kernel)

    def update(self, z: Tensor, state: LSTMState, recur: Recur) -> tuple[Tensor, LSTMState]:
        """The leaves, joined in pairs; the memory enters at the first pair."""
        x, h = ops.split(z, 8, axis=-1), ops.split(recur(state.h), 8, axis=-1)
        write = ops.tanh(ops.sigmoid(x[0] + h[0]) * ops.relu(x[1] + h[1]))
        scale = ops.tanh(ops.sigmoid(x[2] + h[2]) + ops.relu(x[3] * h[3]))
        content = ops.tanh(ops.tanh(x[4] + h[4]) * ops.sigmoid(x[5] + h[5]))
        gate = ops.sigmoid(ops.tanh(x[6] + h[6]) + ops.sigmoid(x[7] + h[7]))
        c = ops.tanh(write + state.c) * scale
        new_h = ops.tanh(c * ops.tanh(content + gate))
        return new_h, LSTMState(new_h, c)
