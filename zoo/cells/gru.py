"""The gated recurrent unit."""

from typing import Any

from keras import ops

from zoo.cells.base import Cell, HiddenState
from zoo.registry import register


@register("cell", "gru", paper="Cho et al. 2014, arXiv:1406.1078")
class GRUCell(Cell):
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

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        wide = 3 * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], wide), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, wide), initializer="orthogonal"
        )
        self.bias = self.add_weight(name="bias", shape=(wide,), initializer="zeros")
        self.recurrent_bias = self.add_weight(
            name="recurrent_bias", shape=(wide,), initializer="zeros"
        )

    def project(self, x: Any) -> Any:
        """W x + b: `[..., D] -> [..., 3H]`."""
        return ops.matmul(x, self.kernel) + self.bias

    def recurrent_weights(self) -> tuple[Any, ...]:
        """U `[H, 3H]` and c `[3H]`."""
        return self.recurrent_kernel, self.recurrent_bias

    def recur(self, state: HiddenState, *weights: Any) -> Any:
        """U h + c: `[B, H] -> [B, 3H]`."""
        recurrent_kernel, recurrent_bias = weights
        return ops.matmul(state.h, recurrent_kernel) + recurrent_bias

    def update(self, z: Any, r: Any, state: HiddenState) -> tuple[Any, HiddenState]:
        """The gates, then the new state between the old one and the candidate."""
        z_update, z_reset, z_candidate = ops.split(z, 3, axis=-1)
        r_update, r_reset, r_candidate = ops.split(r, 3, axis=-1)
        update = ops.sigmoid(z_update + r_update)
        reset = ops.sigmoid(z_reset + r_reset)
        candidate = ops.tanh(z_candidate + reset * r_candidate)
        h = update * state.h + (1 - update) * candidate
        return h, HiddenState(h)
