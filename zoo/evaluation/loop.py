"""What each example of a split contributes to the loss and the accuracy."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.evaluation.bootstrap import Measured, Part
from zoo.topologies.base import Scores, SequenceModel
from zoo.training.step import figures


def row_sums(weights: Any, scores: Scores) -> Any:
    """`[B, 3]`: the sums of `zoo.training.step.sums` of each row."""
    parts = (scores.nll, tf.ones_like(weights), scores.right)
    axes = list(range(1, weights.shape.rank))
    return tf.stack([tf.reduce_sum(part * weights, axes) for part in parts], axis=1)


def measure_rows(model: SequenceModel, windows: Iterable[dict[str, Any]]) -> np.ndarray:
    """Negative log-likelihood, weight and right answers of each row of each window, `[N, 3]`.

    Rows without a weight, which only fill a window, are left out.

    Args:
        model: any model of the zoo.
        windows: as `zoo.training.windows` makes them; the state is carried from one to the next.
    """
    state, rows = None, []
    for window in windows:
        if state is None:
            state = model.initial_state(len(window["reset"]))
        state, told = _step(model)(window, state)
        rows.append(told.numpy())
    every = np.concatenate(rows)
    return every[every[:, 1] > 0]


def measured(rows: np.ndarray) -> Measured:
    """`loss` and `accuracy` of such rows.

    Example:
        >>> measured(np.array([[0.5, 2, 1], [0.25, 1, 1]])).score()
        {'loss': 0.25, 'accuracy': 0.6666666666666666}
    """
    return Measured([Part(rows, figures)])


def _step(model: SequenceModel) -> Any:
    """The compiled step, kept with the model, for each evaluation to use again."""
    if not hasattr(model, "_zoo_measuring_step"):

        def step(window: dict[str, Any], state: Any) -> tuple[Any, Any]:
            scores, state = model.score(window, state)
            return state, row_sums(window["weights"], scores)

        model._zoo_measuring_step = tf.function(step, reduce_retracing=True, autograph=False)
    return model._zoo_measuring_step
