"""The minimal gated unit."""

from keras import ops

from zoo.cells.base import DenseCell, HiddenState
from zoo.registry import register
from zoo.typing import Recur, Tensor


@register("cell", "mgu", paper="Zhou et al. 2016, arXiv:1603.09420")
class MGUCell(DenseCell):
    """f = σ(W x_t + U h_(t-1) + b); h_t = (1 - f) h_(t-1) + f tanh(W_h x_t + U_h (f h) + b_h).

    One forget gate f does the work of the GRU's two: it hides parts of the state from the
    candidate, and it says how much of the candidate the new state takes. h in the candidate is
    h_(t-1). Weights: `kernel` (`[D, 2H]`, columns f, h), `recurrent_kernel` (`[H, 2H]`, likewise)
    and `bias` (`[2H]`), whose forget part starts at one, as the paper advises.

    Example:
        >>> from keras import ops
        >>> cell = MGUCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape, tuple(cell.recurrent_kernel.shape)
        (TensorShape([2, 4]), (4, 8))

    Source: G.-B. Zhou et al., "Minimal gated unit for recurrent neural networks" (2016).
    """

    blocks = 2
    bias_start = (1, 0)
    gate_names = ("f",)

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """U and U_h, both `[H, H]`: the second product waits for the gate."""
        return tuple(ops.split(ops.convert_to_tensor(self.recurrent_kernel), 2, axis=-1))

    def update(self, z: Tensor, state: HiddenState, recur: Recur) -> tuple[Tensor, HiddenState]:
        """The gate, then the candidate from what it lets through."""
        z_forget, z_candidate = ops.split(z, 2, axis=-1)
        forget = ops.sigmoid(z_forget + recur(state.h, 0))
        candidate = ops.tanh(z_candidate + recur(forget * state.h, 1))
        h = (1 - forget) * state.h + forget * candidate
        return h, HiddenState(h)
