"""The update gate recurrent network."""

from typing import Any

from keras import ops

from zoo.cells.base import Cell, HiddenState
from zoo.registry import register


@register("cell", "ugrnn", paper="Collins et al. 2016, arXiv:1611.09913")
class UGRNNCell(Cell):
    """c, g = W x_t + U h_(t-1) + b; h_t = σ(g) h_(t-1) + (1 - σ(g)) tanh(c).

    A vanilla network with one gate, which chooses between the old state and the new. Weights:
    `kernel` (`[D, 2H]`, columns c, g), `recurrent_kernel` (`[H, 2H]`) and `bias` (`[2H]`), whose
    gate part starts at one, so that the state is remembered at first.

    Example:
        >>> from keras import ops
        >>> cell = UGRNNCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape, tuple(cell.kernel.shape)
        (TensorShape([2, 4]), (3, 8))

    Source: J. Collins, J. Sohl-Dickstein and D. Sussillo, "Capacity and trainability in recurrent
    neural networks" (2016).
    """

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        wide = 2 * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], wide), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, wide), initializer="orthogonal"
        )
        self.bias = self.add_weight(name="bias", shape=(wide,), initializer=self._gate_one)

    def project(self, x: Any) -> Any:
        """W x + b: `[..., D] -> [..., 2H]`."""
        return ops.matmul(x, self.kernel) + self.bias

    def update(self, z: Any, state: HiddenState, recur: Any) -> tuple[Any, HiddenState]:
        """The new state between the old one and the candidate."""
        c, g = ops.split(z + recur(state.h), 2, axis=-1)
        gate = ops.sigmoid(g)
        h = gate * state.h + (1 - gate) * ops.tanh(c)
        return h, HiddenState(h)

    def _gate_one(self, shape: tuple[int], dtype: Any = None) -> Any:
        return ops.concatenate([ops.zeros((self.units,), dtype), ops.ones((self.units,), dtype)])
