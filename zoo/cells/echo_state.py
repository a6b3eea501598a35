"""The echo state network."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.cells.base import DenseCell, HiddenState, draw_seed
from zoo.registry import register
from zoo.typing import Recur, Shape, Tensor


@register("cell", "echo_state", paper="Jaeger et al. 2007, doi:10.1016/j.neunet.2007.04.016")
class EchoStateCell(DenseCell):
    """h_t = (1 - a) h_(t-1) + a tanh(W x_t + U h_(t-1) + b), where W, U and b stay as drawn.

    A reservoir: the state echoes the inputs of the last time steps in many ways, and training is
    left to what reads it. Weights, none of them trainable: `kernel` (W, `[D, H]`, uniform in
    ±1/√D), `recurrent_kernel` (U, `[H, H]`) and `bias` (b, `[H]`, uniform in ±0.1). U is sparse,
    uniform where it is not zero, and scaled to its spectral radius, the largest absolute value of
    an eigenvalue. Besides the entries that are drawn, each unit feeds the next in a ring.

    Args:
        units: H.
        spectral_radius: that of U; positive. Below 1 old inputs are, as a rule, forgotten.
        connectivity: the share of entries of U that are drawn, from 0 (the ring alone) to 1.
        leak: a, above 0 and at most 1; the smaller, the slower the state.

    Raises:
        ValueError: one of them is out of its range.

    Example:
        >>> from keras import ops
        >>> cell = EchoStateCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape, len(cell.trainable_weights)
        (TensorShape([2, 4]), 0)

    Source: H. Jaeger, "The 'echo state' approach to analysing and training recurrent neural
    networks", GMD report 148 (2001); with the leak, H. Jaeger et al., "Optimization and
    applications of echo state networks with leaky-integrator neurons", Neural Networks 20 (2007).
    """

    def __init__(
        self,
        units: int,
        spectral_radius: float = 0.9,
        connectivity: float = 0.1,
        leak: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        if not 0 < spectral_radius < math.inf:
            raise ValueError(
                f"spectral_radius is {spectral_radius!r}, but a positive number is needed"
            )
        if not 0 <= connectivity <= 1:
            raise ValueError(f"connectivity is {connectivity!r}, but one from 0 to 1 is needed")
        if not 0 < leak <= 1:
            raise ValueError(f"leak is {leak!r}, but one above 0 and at most 1 is needed")
        self.spectral_radius = spectral_radius
        self.connectivity = connectivity
        self.leak = leak

    def build(self, input_shape: Shape) -> None:
        """Draw the weights for inputs of size `input_shape[-1]`."""
        size, H = input_shape[-1], self.units
        within = lambda bound: keras.initializers.RandomUniform(-bound, bound)  # noqa: E731
        self.kernel = self.add_weight(
            name="kernel", shape=(size, H), initializer=within(size**-0.5), trainable=False
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(H, H), initializer=self._reservoir, trainable=False
        )
        self.bias = self.add_weight(
            name="bias", shape=(H,), initializer=within(0.1), trainable=False
        )

    def update(self, z: Tensor, state: HiddenState, recur: Recur) -> tuple[Tensor, HiddenState]:
        """The new activation, as far as the old state leaks."""
        h = (1 - self.leak) * state.h + self.leak * ops.tanh(z + recur(state.h))
        return h, HiddenState(h)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "spectral_radius": self.spectral_radius,
            "connectivity": self.connectivity,
            "leak": self.leak,
        }

    def _reservoir(self, shape: tuple[int, int], dtype: Any = None) -> Tensor:
        # Without a cycle all eigenvalues are zero, which no scale would change: a sparse draw may
        # have none, but the ring is one.
        ring = np.roll(np.eye(shape[0]), 1, axis=1)
        drawn = keras.random.uniform(shape, seed=draw_seed()) < self.connectivity
        values = ops.cast(keras.random.uniform(shape, -1.0, 1.0, seed=draw_seed()), "float64")
        U = ops.where(drawn, values, 0.0) * (1 - ring) + ring
        radius = ops.max(ops.abs(ops.eig(U)[0]))
        return ops.cast(U * (self.spectral_radius / radius), dtype)
