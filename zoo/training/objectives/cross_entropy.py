"""Cross-entropy of classes."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import tensorflow as tf

from zoo.errors import UserError
from zoo.evaluation.loop import row_sums
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.training.objectives.balanced import balanced
from zoo.training.objectives.base import Losses, Objective, loss_and_accuracy
from zoo.typing import State, Window
from zoo.utils.fields import Choices, Range, documented


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

    class_weight: Annotated[
        str,
        Choices("none", "balanced"),
        '"balanced": in training each class counts as much as any other, however few examples it '
        "has, and the best weights are those of the best balanced accuracy. For models that name "
        "one class of each example.",
    ] = "none"

    metrics: ClassVar[tuple[str, ...]] = ("nll", "weight", "right")
    by_target: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.class_weight != "none" and type(self) is not CrossEntropy:
            raise UserError(
                f"class_weight is {self.class_weight}, but this model is trained by another loss: "
                "leave it out"
            )

    @property
    def monitor(self) -> str:
        """Return the mean of the classes' accuracies, where they count alike."""
        return "val_balanced_accuracy" if self.class_weight == "balanced" else ""

    def begin(self, train: tf.data.Dataset) -> Objective:
        """Return the objective that knows how many examples each class has, if it is to."""
        if self.class_weight == "none":
            return self
        return balanced(train, self.label_smoothing)

    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Losses:
        """Return the smoothed cross-entropy in training, and the sums of each row."""
        smoothing = self.label_smoothing if training else 0.0
        scores, state = model.score(window, state, training=training, smoothing=smoothing)
        weights = window["weights"]
        loss = tf.reduce_sum(scores.loss * weights)
        return Losses({"model": loss}, row_sums(weights, scores.nll, scores.right), state)

    def results(self, sums: Any) -> dict[str, float]:
        """Return `loss` and `accuracy`."""
        return loss_and_accuracy(sums)
