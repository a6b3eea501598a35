"""The recurrent highway network."""

from typing import Any

from keras import ops

from zoo.cells.base import Cell, HiddenState, block_values, positive_integer
from zoo.registry import register
from zoo.typing import Recur, Shape, Tensor


@register("cell", "recurrent_highway", paper="Zilly et al. 2016, arXiv:1607.03474")
class RecurrentHighwayCell(Cell):
    """h, g = [l = 1] W x_t + R_l s_(l-1) + b_l; s_l = σ(g) tanh(h) + (1 - σ(g)) s_(l-1).

    A time step is a highway network of l = 1 to L layers: s_0 is the state before and s_L the new
    one, which is also the output. The input enters the first layer only. The gate that carries the
    state on is coupled to the transform gate: one minus it. Weights: `kernel` (W, `[D, 2H]`,
    columns h, g), and for each layer `recurrent_kernel_l` (R_l, `[H, 2H]`) and `bias_l` (`[2H]`),
    whose gate part starts at -2, so that layers at first carry most of the state on.

    Args:
        units: H.
        depth: L, positive.

    Raises:
        ValueError: depth is not a positive integer.

    Example:
        >>> from keras import ops
        >>> cell = RecurrentHighwayCell(4, depth=5)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape, len(cell.recurrent_weights())
        (TensorShape([2, 4]), 5)

    Source: J. G. Zilly et al., "Recurrent highway networks" (2016), equations 6-9.
    """

    def __init__(self, units: int, depth: int = 3, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.depth = positive_integer("depth", depth)

    @property
    def gate_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The gate of each layer."""
        return tuple(f"g_{layer}" for layer in range(1, self.depth + 1))

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        wide = 2 * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], wide), initializer="glorot_uniform"
        )
        self.recurrent_kernels = [
            self.add_weight(
                name=f"recurrent_kernel_{layer}",
                shape=(self.units, wide),
                initializer="orthogonal",
            )
            for layer in range(1, self.depth + 1)
        ]
        self.biases = [
            self.add_weight(name=f"bias_{layer}", shape=(wide,), initializer=block_values(0, -2))
            for layer in range(1, self.depth + 1)
        ]

    def project(self, x: Tensor) -> Tensor:
        """W x: `[..., D] -> [..., 2H]`."""
        return ops.matmul(x, self.kernel)

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """R_l `[H, 2H]` with b_l `[2H]` for each layer."""
        return tuple(zip(self.recurrent_kernels, self.biases))

    def update(self, z: Tensor, state: HiddenState, recur: Recur) -> tuple[Tensor, HiddenState]:
        """The layers, one on the other."""
        s = state.h
        for layer in range(self.depth):
            r = recur(s, layer)
            candidate, transform = ops.split(z + r if layer == 0 else r, 2, axis=-1)
            gate = ops.sigmoid(transform)
            s = gate * ops.tanh(candidate) + (1 - gate) * s
        return s, HiddenState(s)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "depth": self.depth}
