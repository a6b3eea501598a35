"""The Legendre memory unit."""

from typing import Any, NamedTuple

import numpy as np
from keras import ops
from scipy.linalg import expm

from zoo.cells.base import Cell, positive_integer
from zoo.registry import register
from zoo.typing import Recur, Shape, Tensor


class LegendreState(NamedTuple):
    """Output `h` `[B, H]` and memory `m` `[B, M]`, the window's Legendre coefficients."""

    h: Tensor
    m: Tensor


@register("cell", "lmu", paper="Voelker et al. 2019, NeurIPS 32; doi:10.1162/neco_a_01046")
class LegendreMemoryCell(Cell):
    """m_t = A m_(t-1) + B u_t; h_t = tanh(W_x x_t + W_h h_(t-1) + W_m m_t).

    The number that is written is u_t = e_x x_t + e_h h_(t-1) + e_m m_(t-1). A and B are constants
    for which m holds the last theta steps of u as a sum of Legendre polynomials; u counts as
    constant during a step. Weights: `kernel` (`[D, 1 + H]`, columns e_x, W_x), `recurrent_kernel`
    (`[H, 1 + H]`, columns e_h, W_h), `memory_encoder` (e_m, `[M, 1]`, zero at first) and
    `memory_kernel` (W_m, `[M, H]`).

    Args:
        units: H.
        order: M, how many polynomials; by default `units`.
        theta: the window's length in time steps.

    Raises:
        ValueError: `order` is not a positive integer or `theta` is not positive.

    Example:
        >>> from keras import ops
        >>> cell = LegendreMemoryCell(4, order=6)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape, state.m.shape
        (TensorShape([2, 4]), TensorShape([2, 6]))

    Source: A. Voelker, I. Kajić and C. Eliasmith, "Legendre memory units: continuous-time
    representation in recurrent neural networks", NeurIPS (2019); A and B come from A. Voelker and
    C. Eliasmith, "Improving spiking dynamical networks", Neural Computation 30 (2018), at the doi.
    """

    State = LegendreState

    def __init__(
        self, units: int, order: int | None = None, theta: float = 64.0, **kwargs: Any
    ) -> None:
        super().__init__(units, **kwargs)
        if not isinstance(theta, int | float) or not theta > 0:
            raise ValueError(f"theta is {theta!r}, but a positive number is needed")
        self.order = units if order is None else positive_integer("order", order)
        self.theta = theta

    @property
    def state_size(self) -> list[int]:
        """Sizes of output and memory."""
        return [self.units, self.order]

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`, and A and B."""
        wide = 1 + self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], wide), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, wide), initializer="orthogonal"
        )
        self.memory_encoder = self.add_weight(
            name="memory_encoder", shape=(self.order, 1), initializer="zeros"
        )
        self.memory_kernel = self.add_weight(
            name="memory_kernel", shape=(self.order, self.units), initializer="glorot_uniform"
        )
        self.A, self.B = _legendre(self.order, self.theta)

    def project(self, x: Tensor) -> Tensor:
        """e_x x and W_x x: `[..., D] -> [..., 1 + H]`."""
        return ops.matmul(x, self.kernel)

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """e_h with W_h `[H, 1 + H]`, e_m with A `[M, 1 + M]`, and W_m `[M, H]`."""
        encoder = ops.convert_to_tensor(self.memory_encoder)
        memory = ops.concatenate([encoder, ops.cast(self.A.T, encoder.dtype)], axis=1)
        return self.recurrent_kernel, memory, self.memory_kernel

    def update(self, z: Tensor, state: LegendreState, recur: Recur) -> tuple[Tensor, LegendreState]:
        """Write one number into the memory, then read all of it."""
        sums, memory = z + recur(state.h), recur(state.m, 1)
        u = sums[:, :1] + memory[:, :1]
        m = memory[:, 1:] + u * ops.cast(self.B, u.dtype)
        h = ops.tanh(sums[:, 1:] + recur(m, 2))
        return h, LegendreState(h, m)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "order": self.order, "theta": self.theta}


def _legendre(order: int, theta: float) -> tuple[np.ndarray, np.ndarray]:
    """A `[M, M]` and B `[M]` of one time step, the input held for its length."""
    i, j = np.arange(order)[:, None], np.arange(order)
    signs = np.where(i < j, -1.0, (-1.0) ** (i - j + 1))
    # The last row and column stand for the held input, whose derivative is zero.
    rates = np.zeros((order + 1, order + 1))
    rates[:order, :order] = (2 * i + 1) * signs / theta
    rates[:order, order] = (2 * j + 1) * (-1.0) ** j / theta
    step = expm(rates)
    return step[:order, :order], step[:order, order]
