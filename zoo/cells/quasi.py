"""The quasi-recurrent network."""

from typing import NamedTuple

from keras import ops

from zoo.cells.base import LinearCell
from zoo.registry import register
from zoo.typing import Shape, Tensor


class QuasiState(NamedTuple):
    """Memory `c` `[B, H]` and what the input before adds to this step's gates, `past` `[B, 3H]`."""

    c: Tensor
    past: Tensor


@register("cell", "qrnn", paper="Bradbury et al. 2016, arXiv:1611.01576")
class QRNNCell(LinearCell):
    """c_t = f c_(t-1) + (1 - f) tanh(z); h_t = σ(o) c_t; z, f, o = W_1 x_(t-1) + W_2 x_t + b.

    Here f is taken through σ. The gates are a convolution over the inputs, two steps wide, and see
    no state: only the fo-pooling is recurrent. Before the first step the input counts as zero.
    Weights: `kernel` (W_2 beside W_1, `[D, 6H]`, columns z, f, o of each) and `bias` (`[3H]`).

    Example:
        >>> from keras import ops
        >>> cell = QRNNCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> state.past.shape
        TensorShape([2, 12])

    Source: J. Bradbury et al., "Quasi-recurrent neural networks" (2016), equations 2 and 4.
    """

    State = QuasiState
    gate_names = ("f", "", "o")

    @property
    def state_size(self) -> list[int]:
        """Sizes of memory and past projection."""
        return [self.units, 3 * self.units]

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], 6 * self.units), initializer="glorot_uniform"
        )
        self.bias = self.add_weight(name="bias", shape=(3 * self.units,), initializer="zeros")

    def project(self, x: Tensor) -> Tensor:
        """W_2 x, then W_1 x for the next step: `[..., D] -> [..., 6H]`."""
        return ops.matmul(x, self.kernel)

    def passed(self, z: Tensor) -> tuple[Tensor, ...]:
        """W_1 x."""
        return (z[..., 3 * self.units :],)

    def joined(self, z: Tensor, *before: Tensor) -> Tensor:
        """The convolution: `[..., 3H]`."""
        return z[..., : 3 * self.units] + before[0] + self.bias

    def coefficients(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """f and (1 - f) z."""
        candidate, f, _ = ops.split(z, 3, axis=-1)
        return ops.sigmoid(f), ops.sigmoid(-f) * ops.tanh(candidate)

    def output(self, z: Tensor, h: Tensor) -> Tensor:
        """σ(o) c."""
        return ops.sigmoid(z[..., 2 * self.units :]) * h
