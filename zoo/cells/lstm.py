"""Long short-term memory."""

from typing import Any, NamedTuple

import keras
from keras import ops

from zoo.cells.base import Cell, block_values
from zoo.registry import register
from zoo.typing import Recur, Shape, Tensor


class LSTMState(NamedTuple):
    """Output `h` and memory `c`, both `[B, H]`."""

    h: Tensor
    c: Tensor


@register("cell", "lstm", paper="Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735")
class LSTMCell(Cell):
    """(f, i, o, g) = W (h_(t-1), x_t) + b; c_t = σ(f) c_(t-1) + σ(i) tanh(g); h_t = σ(o) tanh(c_t).

    One weight matrix over the joined (h, x): `kernel` (W, `[H + D, 4H]`, rows of h first, columns
    in the order f, i, o, g), and `bias` (`[4H]`), whose forget part starts at one, as Jozefowicz
    et al. (2015) advise. The forget gate is that of Gers et al. (2000).

    Example:
        >>> from keras import ops
        >>> cell = LSTMCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> state.c.shape, tuple(cell.kernel.shape)
        (TensorShape([2, 4]), (7, 16))

    Source: S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997).
    """

    State = LSTMState
    gate_names = ("f", "i", "o")

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        shape = (self.units + input_shape[-1], 4 * self.units)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=self._joined)
        self.bias = self.add_weight(
            name="bias", shape=(4 * self.units,), initializer=block_values(1, 0, 0, 0)
        )

    def project(self, x: Tensor) -> Tensor:
        """W_x x + b: `[..., D] -> [..., 4H]`."""
        return ops.matmul(x, ops.convert_to_tensor(self.kernel)[self.units :]) + self.bias

    def affine_projection(self) -> tuple[Tensor, Tensor] | None:
        """W_x, the rows of `kernel` that meet the input, and b."""
        own = type(self).project is not LSTMCell.project
        return None if own else (ops.convert_to_tensor(self.kernel)[self.units :], self.bias)

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """W_h, the rows of `kernel` that meet the state: `[H, 4H]`."""
        return (ops.convert_to_tensor(self.kernel)[: self.units],)

    def update(self, z: Tensor, state: LSTMState, recur: Recur) -> tuple[Tensor, LSTMState]:
        """The gates, then memory and output."""
        f, i, o, g = ops.split(z + recur(state.h), 4, axis=-1)
        c = ops.sigmoid(f) * state.c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, LSTMState(h, c)

    def _joined(self, shape: tuple[int, int], dtype: Any = None) -> Tensor:
        """Each part of W as Keras starts it: orthogonal rows for h, Glorot uniform for x."""
        recurrent = keras.initializers.Orthogonal()((self.units, shape[1]), dtype)
        kernel = keras.initializers.GlorotUniform()((shape[0] - self.units, shape[1]), dtype)
        return ops.concatenate([recurrent, kernel])
