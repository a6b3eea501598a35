"""Squared error of real numbers."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import tensorflow as tf

from zoo.evaluation.loop import row_sums
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.training.objectives.base import Losses, Objective, loss_and_accuracy
from zoo.typing import State, Window
from zoo.utils.fields import Range, documented


@register("objective", "squared_error")
@documented
@dataclass(frozen=True)
class SquaredError(Objective):
    """Squared distance of the model's one output from the target.

    `loss` is its mean over all targets, and `accuracy` the share of targets that are missed by less
    than `near`.
    """

    near: Annotated[
        float, Range(above=0), "how far a number may be from its target and still be right."
    ] = 0.04

    metrics: ClassVar[tuple[str, ...]] = ("squared_error", "weight", "right")
    by_target: ClassVar[bool] = True

    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Losses:
        """Return the summed squares, and the sums of each row."""
        outputs, state = model.run_window(window, state, training)
        miss = tf.cast(outputs, tf.float32)[..., 0] - window["targets"]
        weights, right = window["weights"], tf.cast(tf.abs(miss) < self.near, tf.float32)
        loss = tf.reduce_sum(miss**2 * weights)
        return Losses({"model": loss}, row_sums(weights, miss**2, right), state)

    def results(self, sums: Any) -> dict[str, float]:
        """Return `loss` and `accuracy`."""
        return loss_and_accuracy(sums)
