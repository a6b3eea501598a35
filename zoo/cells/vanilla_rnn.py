"""The vanilla recurrent network."""

from typing import Any

import keras

from zoo.cells.base import DenseCell, HiddenState
from zoo.registry import register
from zoo.typing import Recur, Tensor


@register("cell", "vanilla_rnn", paper="Elman 1990, doi:10.1207/s15516709cog1402_1")
class VanillaRNNCell(DenseCell):
    """h_t = f(W_xh x_t + W_hh h_(t-1) + b).

    The output is h_t. Weights: `kernel` (W_xh, `[D, H]`), `recurrent_kernel` (W_hh, `[H, H]`),
    `bias` (`[H]`). The initial state is zero.

    Args:
        units: H.
        activation: f, a name that Keras knows or a function.

    Example:
        >>> from keras import ops
        >>> cell = VanillaRNNCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape, state.h.shape
        (TensorShape([2, 4]), TensorShape([2, 4]))

    Source: J. L. Elman, "Finding structure in time", Cognitive Science 14 (1990).
    """

    def __init__(self, units: int, activation: Any = "tanh", **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)

    def update(self, z: Tensor, state: HiddenState, recur: Recur) -> tuple[Tensor, HiddenState]:
        """h = f(z + W_hh h)."""
        h = self.activation(z + recur(state.h))
        return h, HiddenState(h)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
        }


@register("cell", "irnn", paper="Le et al. 2015, arXiv:1504.00941")
class IdentityRNNCell(VanillaRNNCell):
    """h_t = relu(W_xh x_t + W_hh h_(t-1) + b), where W_hh starts as the identity.

    At the start a state that no input disturbs stays as it is, and so does its gradient. Weights as
    in `vanilla_rnn`.

    Args:
        units: H.
        activation: by default relu.

    Example:
        >>> from keras import ops
        >>> cell = IdentityRNNCell(2)
        >>> _ = cell(ops.ones((1, 3)), cell.get_initial_state(1))
        >>> cell.recurrent_kernel.numpy().tolist()
        [[1.0, 0.0], [0.0, 1.0]]

    Source: Q. Le, N. Jaitly and G. Hinton, "A simple way to initialize recurrent networks of
    rectified linear units" (2015).
    """

    recurrent_start = "identity"

    def __init__(self, units: int, activation: Any = "relu", **kwargs: Any) -> None:
        super().__init__(units, activation, **kwargs)
