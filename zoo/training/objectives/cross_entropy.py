"""Cross-entropy of classes."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import tensorflow as tf

from zoo.evaluation.loop import row_sums
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.training.objectives.base import Losses, Objective
from zoo.typing import State, Window
from zoo.utils.fields import Range, documented


@register("objective", "cross_entropy")
@documented
@dataclass(frozen=True)
class CrossEntropy(Objective):
    """Negative log-likelihood of the right classes, in nats.

    `loss` is its mean over all targets, without smoothing, and `accuracy` the share of targets that
    are the likeliest class.

    Example:
        >>> CrossEntropy().results([3.0, 2.0, 1.0])
        {'loss': 1.5, 'accuracy': 0.5}
    """

    label_smoothing: Annotated[
        float,
        Range(0, below=1),
        "share of the target's probability that all classes have in common while training. "
        "Metrics are computed without it.",
    ] = 0.0

    metrics: ClassVar[tuple[str, ...]] = ("nll", "weight", "right")
    by_target: ClassVar[bool] = True

    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Losses:
        """Return the smoothed cross-entropy in training, and the sums of each row."""
        smoothing = self.label_smoothing if training else 0.0
        scores, state = model.score(window, state, training=training, smoothing=smoothing)
        weights = window["weights"]
        loss = tf.reduce_sum(scores.loss * weights)
        return Losses({"model": loss}, row_sums(weights, scores.nll, scores.right), state)

    def results(self, sums: Any) -> dict[str, float]:
        """Return `loss` and `accuracy`."""
        nll, weight, right = (float(part) for part in sums)
        return {"loss": nll / max(weight, 1.0), "accuracy": right / max(weight, 1.0)}
