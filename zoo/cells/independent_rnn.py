"""The independently recurrent network."""

from typing import Any

import keras

from zoo.cells.base import HiddenState
from zoo.cells.vanilla_rnn import VanillaRNNCell
from zoo.registry import register
from zoo.typing import Recur, Shape, Tensor


@register("cell", "ind_rnn", paper="Li et al. 2018, arXiv:1803.04831")
class IndRNNCell(VanillaRNNCell):
    """h_t = f(W x_t + u ⊙ h_(t-1) + b).

    Each unit sees itself alone in the step before. Weights: `kernel` (W, `[D, H]`),
    `recurrent_kernel` (u, `[H]`, uniform in -1..1 at the start) and `bias` (`[H]`).

    Args:
        units: H.
        activation: f, a name that Keras knows or a function.

    Example:
        >>> from keras import ops
        >>> cell = IndRNNCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape
        TensorShape([2, 4])

    Source: S. Li et al., "Independently recurrent neural network (IndRNN): building a longer and
    deeper RNN" (2018).
    """

    def __init__(self, units: int, activation: Any = "relu", **kwargs: Any) -> None:
        super().__init__(units, activation, **kwargs)

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], self.units), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units,),
            initializer=keras.initializers.RandomUniform(-1.0, 1.0),
        )
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """None: u is used pointwise."""
        return ()

    def update(self, z: Tensor, state: HiddenState, recur: Recur) -> tuple[Tensor, HiddenState]:
        """h = f(z + u h)."""
        h = self.activation(z + self.recurrent_kernel * state.h)
        return h, HiddenState(h)
