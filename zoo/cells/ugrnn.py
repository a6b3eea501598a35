"""The update gate recurrent network."""

from keras import ops

from zoo.cells.base import DenseCell, HiddenState
from zoo.registry import register
from zoo.typing import Recur, Tensor


@register("cell", "ugrnn", paper="Collins et al. 2016, arXiv:1611.09913")
class UGRNNCell(DenseCell):
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

    blocks = 2
    bias_start = (0, 1)
    gate_names = ("g",)

    def update(self, z: Tensor, state: HiddenState, recur: Recur) -> tuple[Tensor, HiddenState]:
        """The new state between the old one and the candidate."""
        c, g = ops.split(z + recur(state.h), 2, axis=-1)
        gate = ops.sigmoid(g)
        h = gate * state.h + (1 - gate) * ops.tanh(c)
        return h, HiddenState(h)
