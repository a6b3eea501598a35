"""Cross-entropy in which each class counts as much as any other."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import tensorflow as tf

from zoo.errors import UserError
from zoo.evaluation.loop import WindowLoop, row_sums
from zoo.topologies.base import SequenceModel
from zoo.training.objectives.base import Losses, Objective, Update, loss_and_accuracy
from zoo.training.objectives.mixup import mixed_pairs, scored
from zoo.typing import State, Tensor, Window
from zoo.utils.progress import progress


@dataclass(frozen=True)
class Balanced(Objective):
    """Cross-entropy, each example times N / (C n) of its class, which has n of all N.

    C is the number of classes that there are examples of, so that the mean factor is 1. Metrics are
    computed without it. `val_balanced_accuracy`, the mean of the classes' accuracies, chooses the
    best weights.

    Attributes:
        factors: by class; 0 for one that has no examples.
        label_smoothing: see `CrossEntropy`.
        mixup: likewise.
    """

    factors: tuple[float, ...]
    label_smoothing: float = 0.0
    mixup: float = 0.0
    _loops: dict[int, WindowLoop] = field(default_factory=dict, compare=False, repr=False)

    metrics: ClassVar[tuple[str, ...]] = ("nll", "weight", "right")
    by_target: ClassVar[bool] = False

    def prepare(self, model: SequenceModel, window: Window, seed: Tensor, update: Update) -> Window:
        """Return the window with examples that are mixed, if they are to be."""
        return mixed_pairs(window, model.steps_on, self.mixup, seed) if self.mixup else window

    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Losses:
        """Return the weighted cross-entropy, and the sums of each row."""
        # Validation may have classes that training has not.
        smoothing, factors = (self.label_smoothing, self.factors) if training else (0.0, ())
        scores, state = scored(model, window, state, training, smoothing, factors)
        weights = window["weights"]
        loss = tf.reduce_sum(scores.loss * weights)
        return Losses({"model": loss}, row_sums(weights, scores.nll, scores.right), state)

    def results(self, sums: Tensor) -> dict[str, float]:
        """Return `loss` and `accuracy`."""
        return loss_and_accuracy(sums)

    def validate(self, model: SequenceModel, windows: Iterable[Window]) -> dict[str, float]:
        """Return `balanced_accuracy`, over the classes that validation has."""

        def right(window: Window, state: State) -> tuple[Tensor, State]:
            scores, state = model.score(window, state, training=False)
            return scores.right, state

        # Traced once for all epochs.
        loop = self._loops.setdefault(id(model), WindowLoop(model, right))
        targets, hits, weights = (
            np.concatenate(parts)
            for parts in zip(
                *((window["targets"], hits, window["weights"]) for window, hits in loop(windows)),
                strict=True,
            )
        )
        counts = np.bincount(targets, weights)
        there = counts > 0
        return {
            "balanced_accuracy": float(
                np.mean(np.bincount(targets, hits * weights)[there] / counts[there])
            )
        }


def balanced(windows: tf.data.Dataset, label_smoothing: float, mixup: float = 0.0) -> Balanced:
    """Return the objective whose factors are those of the training windows.

    Raises:
        UserError: targets are not one class for each example.
    """
    if windows.element_spec["targets"].shape.rank != 1:
        raise UserError(
            "class_weight is balanced, but each example has many targets here: it is for models "
            "that name one class of each example, such as text-lstm"
        )
    counts = np.zeros(0)
    for window in progress(windows, "counting classes"):
        targets = window["targets"].numpy()[window["weights"].numpy() > 0]
        size = max(len(counts), int(targets.max(initial=-1)) + 1)
        counts = np.pad(counts, (0, size - len(counts))) + np.bincount(targets, minlength=size)
    there = counts > 0
    factors = np.divide(counts.sum() / there.sum(), counts, out=np.zeros_like(counts), where=there)
    return Balanced(tuple(factors.tolist()), label_smoothing, mixup)
