"""The phased LSTM."""

from typing import Any, NamedTuple

import keras
from keras import ops

from zoo.cells.base import DenseCell
from zoo.registry import register
from zoo.typing import Recur, Shape, Tensor


class PhasedLSTMState(NamedTuple):
    """Output `h` and memory `c`, both `[B, H]`, and the number of the step to come, `[B, 1]`."""

    h: Tensor
    c: Tensor
    step: Tensor


@register("cell", "phased_lstm", paper="Neil et al. 2016, arXiv:1610.09513")
class PhasedLSTMCell(DenseCell):
    """c_t = k c̃ + (1 - k) c_(t-1); h_t = k σ(o) tanh(c̃) + (1 - k) h_(t-1), k a clock.

    c̃ = σ(f) c_(t-1) + σ(i) tanh(g), and f, i, o, g = W x_t + U h_(t-1) + b as in an LSTM, without
    the optional peepholes. Each unit's clock has a period τ and a shift s, both trained: φ is the
    fractional part of (t - s) / τ. k rises from 0 to 1 and falls back to 0 while φ < r, the open
    ratio, and is leak · φ otherwise. t is the number of the step, from zero; half precision holds
    it exactly up to 2048 steps.

    Weights: `kernel` (W, `[D, 4H]`), `recurrent_kernel` (U, `[H, 4H]`), `bias` (`[4H]`, whose
    forget part starts at one), `log_period` (log τ, `[H]`, starts uniformly in 0..2) and `shift`
    (s, `[H]`, starts uniformly in 0..τ).

    Args:
        units: H.
        open_ratio: r, between 0 and 1.
        leak: how much of φ a closed unit lets through; at least 0.

    Raises:
        ValueError: open_ratio or leak is out of its range.

    Example:
        >>> from keras import ops
        >>> cell = PhasedLSTMCell(4)
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape, state.step.shape
        (TensorShape([2, 4]), TensorShape([2, 1]))

    Source: D. Neil, M. Pfeiffer and S.-C. Liu, "Phased LSTM: accelerating recurrent network
    training for long or event-based sequences" (2016).
    """

    State = PhasedLSTMState
    blocks = 4
    bias_start = (1, 0, 0, 0)
    gate_names = ("f", "i", "o")

    def __init__(
        self, units: int, open_ratio: float = 0.05, leak: float = 0.001, **kwargs: Any
    ) -> None:
        super().__init__(units, **kwargs)
        if not 0 < open_ratio < 1:
            raise ValueError(f"open_ratio is {open_ratio!r}, but one between 0 and 1 is needed")
        if leak < 0:
            raise ValueError(f"leak is {leak!r}, but one of at least 0 is needed")
        self.open_ratio = open_ratio
        self.leak = leak

    @property
    def state_size(self) -> list[int]:
        """H twice, and one number for the clock."""
        return [self.units, self.units, 1]

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of size `input_shape[-1]`."""
        super().build(input_shape)
        self.log_period = self.add_weight(
            name="log_period",
            shape=(self.units,),
            initializer=keras.initializers.RandomUniform(0.0, 2.0),
        )
        self.shift = self.add_weight(
            name="shift", shape=(self.units,), initializer=self._within_period
        )

    def update(
        self, z: Tensor, state: PhasedLSTMState, recur: Recur
    ) -> tuple[Tensor, PhasedLSTMState]:
        """An LSTM's step, taken as far as each unit's clock is open."""
        f, i, o, g = ops.split(z + recur(state.h), 4, axis=-1)
        proposed = ops.sigmoid(f) * state.c + ops.sigmoid(i) * ops.tanh(g)
        k = self._openness(state.step)
        c = k * proposed + (1 - k) * state.c
        h = k * ops.sigmoid(o) * ops.tanh(proposed) + (1 - k) * state.h
        return h, PhasedLSTMState(h, c, state.step + 1)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "open_ratio": self.open_ratio, "leak": self.leak}

    def _openness(self, step: Tensor) -> Tensor:
        """k at a time: `[B, 1] -> [B, H]`."""
        turns = (step - self.shift) / ops.exp(self.log_period)
        phase = turns - ops.floor(turns)
        rise = 2 * phase / self.open_ratio
        return ops.where(phase < self.open_ratio, ops.minimum(rise, 2 - rise), self.leak * phase)

    def _within_period(self, shape: tuple[int], dtype: Any = None) -> Tensor:
        fraction = keras.initializers.RandomUniform(0.0, 1.0)(shape, dtype)
        return fraction * ops.exp(ops.convert_to_tensor(self.log_period))
