"""How well a forecaster says what comes next, beside the naive forecast."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import tensorflow as tf

from zoo.evaluation.loop import row_sums
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.training.objectives.base import Losses, Objective
from zoo.typing import State, Tensor, Window
from zoo.utils.fields import Choices, documented


@register("objective", "forecast")
@documented
@dataclass(frozen=True)
class Forecast(Objective):
    """The loss of a forecaster's head: pinball loss, squared error, or negative log-likelihood.

    `loss` is its mean over all targets: pinball loss or squared error in units of the spread, or of
    the mean spread of the row's steps where that is more; or nats of raw values. `skill` is 1 - the
    summed absolute errors of the medians, by those of the naive forecast, both in these units: 0
    for a model that is no better than naive. Targets of a step before which all values are the same
    do not count, as there is no such unit.

    Example:
        >>> Forecast().results([3.0, 2.0, 1.0, 4.0])
        {'loss': 1.5, 'skill': 0.75}
    """

    selection: Annotated[
        str,
        Choices("loss", "skill"),
        "the metric of the validation part that chooses the best weights.",
    ] = "loss"

    metrics: ClassVar[tuple[str, ...]] = ("loss", "weight", "error", "naive_error")

    @property
    def monitor(self) -> str:
        """Return the metric that chooses the best weights."""
        return f"val_{self.selection}"

    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Losses:
        """Return the summed loss of the head, and the sums of each row."""
        prediction, state = model.predict_parameters(window, state, training)
        numbers, centre, varied = prediction
        # A model that is trained one step ahead has no numbers for the others.
        ahead = numbers.shape[-2]
        targets, weights = window["targets"][..., :ahead], window["weights"][..., :ahead]
        weights *= varied[..., None]
        calm = _calm(centre.spread)[..., None]
        each = model.head.losses(numbers, centre, targets)
        each *= calm**model.head.degree
        apart = centre.standardised(targets) * calm
        missed = tf.abs(apart - centre.standardised(model.head.point(numbers, centre)) * calm)
        share = window["targets"].shape[-1] / ahead
        loss = share * tf.reduce_sum(each * weights)
        return Losses({"model": loss}, row_sums(weights, each, missed, tf.abs(apart)), state)

    def results(self, sums: Any) -> dict[str, float]:
        """Return `loss` and `skill`; of no target, both are 0."""
        loss, weight, error, naive = (float(part) for part in sums)
        skill = 1 - error / naive if naive else 0.0
        return {"loss": loss / max(weight, 1.0), "skill": skill}


def _calm(spread: Tensor) -> Tensor:
    """Return weights `[B, T]`: below 1 where a series moves less than it does elsewhere in its row.

    Where it stands still for a while, errors in units of that spread would outweigh all others.
    """
    return spread / tf.maximum(spread, tf.reduce_mean(spread, axis=1, keepdims=True))
