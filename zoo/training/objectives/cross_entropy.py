"""Cross-entropy of classes."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import tensorflow as tf

from zoo.errors import UserError
from zoo.evaluation.loop import row_sums
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.training.objectives.balanced import balanced
from zoo.training.objectives.base import Losses, Objective, Update, loss_and_accuracy
from zoo.training.objectives.mixup import check_model, check_windows, mixed_pairs, scored
from zoo.training.settings import Settings
from zoo.typing import State, Tensor, Window
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

    mixup: Annotated[
        float,
        Range(0),
        "a, of examples that are two at once in training, and of both their classes, in shares "
        "drawn from Beta(a, a) (Zhang et al. 2018, arXiv:1710.09412): 0.2 mixes some, 1 all; 0 for "
        "none. `loss` while training then is of both, `accuracy` of the larger share. For models "
        "that name one class of a picture, a clip or a sequence of vectors.",
    ] = 0.0

    metrics: ClassVar[tuple[str, ...]] = ("nll", "weight", "right")
    by_target: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, plain in (("class_weight", "none"), ("mixup", 0)):
            value = getattr(self, name)
            if value != plain and type(self) is not CrossEntropy:
                raise UserError(
                    f"{name} is {value}, but this model is trained by another loss: leave it out"
                )

    @property
    def monitor(self) -> str:
        """Return the mean of the classes' accuracies, where they count alike."""
        return "val_balanced_accuracy" if self.class_weight == "balanced" else ""

    def check(self, model: SequenceModel, settings: Settings) -> None:
        """Raise if examples are to be mixed that cannot be.

        Raises:
            UserError: they cannot.
        """
        if self.mixup:
            check_model(self.mixup, model)

    def begin(self, train: tf.data.Dataset) -> Objective:
        """Return the objective that knows how many examples each class has, if it is to."""
        if self.mixup:
            check_windows(self.mixup, train)
        if self.class_weight == "none":
            return self
        return balanced(train, self.label_smoothing, self.mixup)

    def prepare(self, model: SequenceModel, window: Window, seed: Tensor, update: Update) -> Window:
        """Return the window with examples that are mixed, if they are to be."""
        return mixed_pairs(window, model.steps_on, self.mixup, seed) if self.mixup else window

    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Losses:
        """Return the smoothed cross-entropy in training, and the sums of each row."""
        smoothing = self.label_smoothing if training else 0.0
        scores, state = scored(model, window, state, training, smoothing)
        weights = window["weights"]
        loss = tf.reduce_sum(scores.loss * weights)
        return Losses({"model": loss}, row_sums(weights, scores.nll, scores.right), state)

    def results(self, sums: Any) -> dict[str, float]:
        """Return `loss` and `accuracy`."""
        return loss_and_accuracy(sums)
