"""The closed-form continuous-time network."""

from typing import Any

from keras import ops

from zoo.cells.base import DenseCell, HiddenState, positive_integer
from zoo.registry import register
from zoo.typing import Recur, Shape, Tensor


@register("cell", "cfc", paper="Hasani et al. 2022, arXiv:2106.13898")
class ClosedFormCell(DenseCell):
    """u = tanh(W x_t + U h_(t-1) + b); h_t = σ(-f(u)) tanh(g(u)) + (1 - σ(-f(u))) tanh(k(u)).

    The closed-form continuous-time cell for steps of equal length, t = 1: the gate that time opens
    goes over from one head of the backbone u to the other. The heads f, g and k (the paper's h) are
    linear maps of u. Weights: `kernel` (W, `[D, M]`), `recurrent_kernel` (U, `[H, M]`), `bias` (b,
    `[M]`), `heads` (`[M, 3H]`, columns f, g, k) and `heads_bias` (`[3H]`).

    Args:
        units: H.
        backbone: M, by default `units`.

    Raises:
        ValueError: `backbone` is not a positive integer.

    Example:
        >>> from keras import ops
        >>> cell = ClosedFormCell(4, backbone=6)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape, tuple(cell.heads.shape)
        (TensorShape([2, 4]), (6, 12))

    Source: R. Hasani et al., "Closed-form continuous-time neural networks" (2022).
    """

    def __init__(self, units: int, backbone: int | None = None, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.backbone = units if backbone is None else positive_integer("backbone", backbone)

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        self.make_weights(input_shape[-1], self.backbone)
        self.heads = self.add_weight(
            name="heads", shape=(self.backbone, 3 * self.units), initializer="glorot_uniform"
        )
        self.heads_bias = self.add_weight(
            name="heads_bias", shape=(3 * self.units,), initializer="zeros"
        )

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """U `[H, M]` and the heads `[M, 3H]`."""
        return self.recurrent_kernel, self.heads

    def update(self, z: Tensor, state: HiddenState, recur: Recur) -> tuple[Tensor, HiddenState]:
        """The backbone, then from one head to the other."""
        u = ops.tanh(z + recur(state.h))
        f, g, k = ops.split(recur(u, 1) + self.heads_bias, 3, axis=-1)
        gate = ops.sigmoid(-f)
        h = gate * ops.tanh(g) + (1 - gate) * ops.tanh(k)
        return h, HiddenState(h)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "backbone": self.backbone}
