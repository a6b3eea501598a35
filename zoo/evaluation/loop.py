"""The one loop that evaluates: a function of each window, with a state that is carried."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Protocol

import numpy as np
import tensorflow as tf

from zoo.evaluation.bootstrap import Evaluation, MetricSums
from zoo.recurrence.compiling import Compile, compiled
from zoo.topologies.base import SequenceModel
from zoo.typing import State, Tensor, Window


class Measure(Protocol):
    """What says how good a model's answers are, such as an objective of `zoo.training`.

    Attributes:
        metrics: names of the M sums.
    """

    metrics: ClassVar[tuple[str, ...]]

    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Any:
        """Return what has the attributes `sums`, `[B, M]`, of each row, and `state`."""

    def results(self, sums: Any) -> dict[str, float]:
        """Return metrics from sums `[M]` over any rows."""


class WindowLoop:
    """Run a function over windows, compiled once for all readings of them.

    The state starts from zero at each reading.

    Args:
        model: any model of the zoo.
        function: of a window and the state before it; gives any tensors, and the state after it.

    Example:
        >>> import zoo
        >>> model = zoo.create("digits-linear")
        >>> loop = WindowLoop(model, model.run_window)
        >>> images = np.zeros((2, 8, 8, 1), "uint8")
        >>> [logits.shape for _, logits in loop([{"inputs": images, "reset": np.ones(2)}])]
        [TensorShape([2, 10])]
    """

    def __init__(
        self, model: SequenceModel, function: Callable[[Window, State], tuple[Any, State]]
    ) -> None:
        self.model = model

        def run(window: Window, state: State) -> tuple[Any, State]:
            with compiled(Compile.ALWAYS):
                return function(window, state)

        self._run = tf.function(run, reduce_retracing=True, autograph=False)

    def __call__(self, windows: Iterable[Window]) -> Iterator[tuple[Window, Any]]:
        """Yield each window, and what the function gives for it."""
        state: State = None
        for window in windows:
            if state is None:
                state = self.model.initial_state(len(window["reset"]))
            result, state = self._run(window, state)
            yield window, result


class RowSums:
    """Compute what each row of windows adds to the sums of a measure.

    Args:
        model: any model of the zoo.
        measure: such as an objective.
    """

    def __init__(self, model: SequenceModel, measure: Measure) -> None:
        def sums(window: Window, state: State) -> tuple[Tensor, State]:
            losses = measure.losses(model, window, state, training=False)
            return losses.sums, losses.state

        self._loop, self._count = WindowLoop(model, sums), len(measure.metrics)

    def __call__(self, windows: Iterable[Window]) -> np.ndarray:
        """Return the sums of each row of each window, `[N, M]`.

        Rows without a weight, which only fill a window, are left out.
        """
        rows = [
            sums.numpy()[np.any(_by_row(window["weights"]) > 0, axis=1)]
            for window, sums in self._loop(windows)
        ]
        return np.concatenate([np.zeros((0, self._count), "float32"), *rows])


def evaluate(model: SequenceModel, windows: Iterable[Window], measure: Measure) -> Evaluation:
    """Return what windows say of a model, by the metrics of a measure.

    Args:
        model: any model of the zoo.
        windows: of any shapes; the state is carried from one to the next.
        measure: such as an objective.
    """
    return Evaluation([MetricSums(RowSums(model, measure)(windows), measure.results)])


def row_sums(weights: Tensor, *parts: Tensor) -> Tensor:
    """Return the weighted sums of each row, `[B, M]`: of the first part, of ones, of the others.

    Args:
        weights: `[B, ...]`, float32.
        parts: each of the shape of the weights.

    Example:
        >>> weights = tf.constant([[1.0, 1.0], [1.0, 0.0]])
        >>> row_sums(weights, tf.constant([[0.5, 0.25], [2.0, 9.0]])).numpy().tolist()
        [[0.75, 2.0], [2.0, 1.0]]
    """
    first, *others = parts
    axes = list(range(1, weights.shape.rank))
    every = (first, tf.ones_like(weights), *others)
    return tf.stack([tf.reduce_sum(part * weights, axes) for part in every], axis=1)


def _by_row(weights: Any) -> np.ndarray:
    array = np.asarray(weights)
    return array.reshape(len(array), -1)
