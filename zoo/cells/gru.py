"""The gated recurrent unit."""

from keras import ops

from zoo.cells.base import DenseCell, HiddenState
from zoo.registry import register
from zoo.typing import Recur, Shape, Tensor


def reset_after(z: Tensor, r: Tensor, h: Tensor) -> Tensor:
    """The new state from both sides of the sums, `[..., 3H]` in the columns z, r, h."""
    z_update, z_reset, z_candidate = ops.split(z, 3, axis=-1)
    r_update, r_reset, r_candidate = ops.split(r, 3, axis=-1)
    update = ops.sigmoid(z_update + r_update)
    reset = ops.sigmoid(z_reset + r_reset)
    candidate = ops.tanh(z_candidate + reset * r_candidate)
    return update * h + (1 - update) * candidate


@register("cell", "gru", paper="Cho et al. 2014, arXiv:1406.1078")
class GRUCell(DenseCell):
    """z, r = σ(W x_t + U h_(t-1) + b); h̃ = tanh(W_h x_t + b_h + r (U_h h_(t-1) + c_h)).

    Then h_t = z h_(t-1) + (1 - z) h̃. The reset gate r acts after the product with the state, the
    variant that cuDNN, Keras (`reset_after=True`) and PyTorch compute. Weights: `kernel`
    (`[D, 3H]`, columns z, r, h), `recurrent_kernel` (`[H, 3H]`), `bias` (b, `[3H]`) and
    `recurrent_bias` (c, `[3H]`).

    Example:
        >>> from keras import ops
        >>> cell = GRUCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape
        TensorShape([2, 4])

    Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation" (2014).
    """

    blocks = 3
    gate_names = ("z", "r")

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        super().build(input_shape)
        self.recurrent_bias = self.add_weight(
            name="recurrent_bias", shape=(3 * self.units,), initializer="zeros"
        )

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """U `[H, 3H]` with c `[3H]`."""
        return ((self.recurrent_kernel, self.recurrent_bias),)

    def update(self, z: Tensor, state: HiddenState, recur: Recur) -> tuple[Tensor, HiddenState]:
        """The gates, then the new state between the old one and the candidate."""
        h = reset_after(z, recur(state.h), state.h)
        return h, HiddenState(h)


@register("cell", "gru_reset_before", paper="Cho et al. 2014, arXiv:1406.1078")
class ResetBeforeGRUCell(DenseCell):
    """z, r = σ(W x_t + U h_(t-1) + b); h̃ = tanh(W_h x_t + U_h (r h_(t-1)) + b_h).

    Then h_t = z h_(t-1) + (1 - z) h̃. The reset gate acts before the product with the state, as the
    paper has it. Weights: `kernel` (`[D, 3H]`, columns z, r, h), `recurrent_kernel` (`[H, 3H]`) and
    `bias` (`[3H]`), those of `keras.layers.GRU(reset_after=False)`.

    Example:
        >>> from keras import ops
        >>> cell = ResetBeforeGRUCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape
        TensorShape([2, 4])

    Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation" (2014), equations 5-8.
    """

    blocks = 3
    gate_names = ("z r",)

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """U of both gates `[H, 2H]` and of the candidate `[H, H]`."""
        U = ops.convert_to_tensor(self.recurrent_kernel)
        return U[:, : 2 * self.units], U[:, 2 * self.units :]

    def update(self, z: Tensor, state: HiddenState, recur: Recur) -> tuple[Tensor, HiddenState]:
        """The gates, then the candidate from what the reset gate leaves."""
        gates = ops.sigmoid(z[..., : 2 * self.units] + recur(state.h))
        update, reset = ops.split(gates, 2, axis=-1)
        candidate = ops.tanh(z[..., 2 * self.units :] + recur(reset * state.h, 1))
        h = update * state.h + (1 - update) * candidate
        return h, HiddenState(h)
