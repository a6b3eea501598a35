"""Generated sequences that ask for memory: the diagnostics that cells are compared by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.typing import Tensor

_SYMBOLS, _RECALLED = 8, 5


@dataclass(frozen=True)
class MemoryTask:
    """A diagnostic that can be drawn without end.

    Attributes:
        name: what users call it.
        summary: what is asked, in one line.
        input_size: D, the size of the inputs.
        output_size: how many logits are needed, 1 for a real number.
        least: the shortest sequence there is.
        free: at how many of the first answers no memory is needed; these are not scored.
        draw: from a generator, a batch size B and a length T to inputs `[B, T, D]` and targets
            `[B, S]` of the last S time steps, integers for classes.
    """

    name: str
    summary: str
    input_size: int
    output_size: int
    least: int
    free: int
    draw: Callable[[np.random.Generator, int, int], tuple[Any, Any]]

    def metric(self, outputs: Tensor, targets: Tensor) -> float:
        """Compute the mean squared error of a real number; else the share of right classes.

        All answers count but those that need no memory.
        """
        outputs, targets = outputs[:, self.free :], targets[:, self.free :]
        if self.output_size == 1:
            return float(np.mean((outputs[..., 0] - targets) ** 2))
        return float(np.mean(np.argmax(outputs, axis=-1) == targets))

    def score(self, metric: float, targets: Tensor) -> float:
        """Return 0 for what needs no memory, 1 for no mistake; 0 as well for what is no number."""
        if self.output_size == 1:
            score = 1 - metric / float(np.var(targets))
        else:
            chance = 1 / (2 if self.output_size == 2 else _SYMBOLS)
            score = (metric - chance) / (1 - chance)
        return max(0.0, score) if np.isfinite(score) else 0.0


def adding(rng: np.random.Generator, batch: int, length: int) -> tuple[Any, Any]:
    """Return the sum of the two marked numbers, one of each half of the sequence.

    Example:
        >>> x, target = adding(np.random.default_rng(1), batch=2, length=6)
        >>> numbers, marks = x[..., 0], x[..., 1]
        >>> bool(np.allclose((numbers * marks).sum(axis=1), target[:, 0]))
        True

    Source: Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735.
    """
    numbers = rng.random((batch, length), dtype="float32")
    marks, rows = np.zeros_like(numbers), np.arange(batch)
    marks[rows, rng.integers(0, length // 2, batch)] = 1
    marks[rows, rng.integers(length // 2, length, batch)] = 1
    return np.stack([numbers, marks], axis=-1), (numbers * marks).sum(axis=1, keepdims=True)


def copy_memory(rng: np.random.Generator, batch: int, length: int) -> tuple[Any, Any]:
    """Return the first five symbols again at the last five time steps, with blanks in between.

    Inputs are one-hot: eight symbols, the blank, and the sign to recall.

    Source: Arjovsky et al. 2016, arXiv:1511.06464.
    """
    symbols = rng.integers(0, _SYMBOLS, (batch, _RECALLED))
    shown = np.full((batch, length), _SYMBOLS)
    shown[:, :_RECALLED] = symbols
    shown[:, -_RECALLED:] = _SYMBOLS + 1
    return np.eye(_SYMBOLS + 2, dtype="float32")[shown], symbols.astype("int32")


def parity(rng: np.random.Generator, batch: int, length: int) -> tuple[Any, Any]:
    """Ask at every time step whether the ones so far are odd in number; inputs are -1 and 1.

    Source: Graves 2016, arXiv:1603.08983.
    """
    bits = rng.integers(0, 2, (batch, length), dtype="int32")
    inputs = (2 * bits - 1).astype("float32")[..., None]
    return inputs, np.cumsum(bits, axis=1, dtype="int32") % 2


TASKS = {
    task.name: task
    for task in (
        MemoryTask(
            name="adding",
            summary="add two marked numbers",
            input_size=2,
            output_size=1,
            least=2,
            free=0,
            draw=adding,
        ),
        MemoryTask(
            name="copy",
            summary="repeat five symbols after a delay, all five scored",
            input_size=_SYMBOLS + 2,
            output_size=_SYMBOLS,
            least=2 * _RECALLED,
            free=0,
            draw=copy_memory,
        ),
        MemoryTask(
            name="parity",
            summary="tell odd from even at every step, scored after the first",
            input_size=1,
            output_size=2,
            least=2,
            free=1,
            draw=parity,
        ),
    )
}
