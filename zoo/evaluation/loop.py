"""The one loop that evaluates: a function of each window, with a state that is carried."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Protocol

import numpy as np
import tensorflow as tf

from zoo.evaluation.bootstrap import Evaluation, MetricSums
from zoo.evaluation.joined import Joining
from zoo.recurrence.compiling import Compile, compiled
from zoo.topologies.base import SequenceModel
from zoo.typing import State, Tensor, Window


class Measure(Protocol):
    """What says how good a model's answers are, such as an objective of `zoo.training`.

    Attributes:
        metrics: names of the M sums.
        by_target: whether the sums are over targets, and `losses` asks a model for nothing but
            `run_window` or `score`. Windows that follow one another may then be read as one, with
            the same sums of each row.
    """

    metrics: ClassVar[tuple[str, ...]]
    by_target: ClassVar[bool]

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
        self.model, self.measure = model, measure
        self._loops: dict[tuple[int, ...], WindowLoop] = {}

    def __call__(
        self,
        windows: Iterable[Window],
        shown: Callable[[Iterable[Any]], Iterable[Any]] = iter,
    ) -> np.ndarray:
        """Return the sums of each row of each window, `[N, M]`.

        Rows without a weight, which only fill a window, are left out.

        Args:
            windows: of any shapes. Those of a data set that are short and of few streams are
                joined, see `zoo.evaluation.joined`.
            shown: from what is read, one after the other, to the same, such as `progress`.
        """
        joining = Joining.of(windows) if self.measure.by_target else None
        key: tuple[int, ...] = ()
        if joining:
            windows = joining.groups(windows)
            key = (joining.rows, joining.time, joining.joined, joining.group)
        if key not in self._loops:
            function = self._of_groups(joining) if joining else self._of_window
            self._loops[key] = WindowLoop(self.model, function)
        parts = [sums.numpy()[used.numpy()] for _, (sums, used) in self._loops[key](shown(windows))]
        return np.concatenate([np.zeros((0, len(self.measure.metrics)), "float32"), *parts])

    def _of_window(self, window: Window, state: State) -> tuple[tuple[Tensor, Tensor], State]:
        """Return the sums of a window's rows, which of them have a weight, and the state after."""
        sums, state = self._sums(self.model, window, state)
        weights = window["weights"]
        used = tf.reduce_any(weights > 0, axis=list(range(1, weights.shape.rank)))
        return (sums, used), state

    def _of_groups(self, joining: Joining) -> Callable[[Window, State], tuple[Any, State]]:
        def sums(group: Window, state: State) -> tuple[tuple[Tensor, Tensor], State]:
            rows, state = joining.sums(self._sums, self.model, group, state)
            return (rows, joining.used(group["weights"])), state

        return sums

    def _sums(self, model: Any, window: Window, state: State) -> tuple[Tensor, State]:
        losses = self.measure.losses(model, window, state, training=False)
        return losses.sums, losses.state


def evaluate(
    model: SequenceModel,
    windows: Iterable[Window],
    measure: Measure,
    shown: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> Evaluation:
    """Return what windows say of a model, by the metrics of a measure.

    Args:
        model: any model of the zoo.
        windows: of any shapes; the state is carried from one to the next.
        measure: such as an objective.
        shown: see `RowSums`.
    """
    return Evaluation([MetricSums(RowSums(model, measure)(windows, shown), measure.results)])


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
