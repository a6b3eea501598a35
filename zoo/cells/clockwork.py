"""The clockwork recurrent network."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from zoo.cells.base import DenseCell, is_positive_integer
from zoo.registry import register
from zoo.typing import Recur, Tensor


class ClockworkState(NamedTuple):
    """Output `h`, `[B, H]`, and the number of the step to come, `step`, `[B, 1]`."""

    h: Tensor
    step: Tensor


@register("cell", "clockwork_rnn", paper="Koutnik et al. 2014, arXiv:1402.3511")
class ClockworkRNNCell(DenseCell):
    """h_t = tanh(W x_t + U h_(t-1) + b) in modules whose period divides t; others keep h_(t-1).

    The units fall into modules of equal size, one for each period p_i, in ascending order. A
    module reads the modules as slow as itself or slower: U is block triangular. t counts from zero
    and so wakes all modules at the first step. It is stored modulo the least common multiple of the
    periods, so that it stays exact in half precision, however long the sequence. Weights: `kernel`
    (W, `[D, H]`), `recurrent_kernel` (U, `[H, H]`, masked where it is used) and `bias` (`[H]`).

    Args:
        units: H, a multiple of the number of periods.
        periods: p_i, positive integers in ascending order.

    Raises:
        ValueError: the periods are not such integers, or H does not divide into modules.

    Example:
        >>> from keras import ops
        >>> cell = ClockworkRNNCell(4, periods=(1, 4))
        >>> y, state = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> y.shape, state.step.shape
        (TensorShape([2, 4]), TensorShape([2, 1]))

    Source: J. Koutník et al., "A clockwork RNN" (2014).
    """

    State = ClockworkState

    def __init__(self, units: int, periods: Sequence[int] = (1, 2), **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.periods = tuple(periods)
        positive = all(map(is_positive_integer, self.periods))
        if not self.periods or not positive or sorted(self.periods) != list(self.periods):
            raise ValueError(
                f"periods is {periods!r}, but positive integers in ascending order are needed"
            )
        if units % len(self.periods):
            raise ValueError(
                f"units is {units}, but a multiple of {len(self.periods)}, the number of periods, "
                "is needed"
            )

    @property
    def state_size(self) -> list[int]:
        """H, and one number for the clock."""
        return [self.units, 1]

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """U `[H, H]`, zero from faster modules (rows) to slower ones (columns)."""
        module = np.arange(self.units) * len(self.periods) // self.units
        slower = module[:, None] >= module
        return (ops.where(slower, ops.convert_to_tensor(self.recurrent_kernel), 0.0),)

    def update(
        self, z: Tensor, state: ClockworkState, recur: Recur
    ) -> tuple[Tensor, ClockworkState]:
        """New values in the modules that are awake."""
        periods = np.repeat(self.periods, self.units // len(self.periods))
        phase = state.step % ops.cast(periods, state.step.dtype)
        h = ops.where(phase < 1, ops.tanh(z + recur(state.h)), state.h)
        step = (state.step + 1) % math.lcm(*self.periods)
        return h, ClockworkState(h, step)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "periods": list(self.periods)}
