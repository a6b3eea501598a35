"""Strokes without a picture to paint: reward for paintings that are like real pictures as a set."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import tensorflow as tf

from zoo.errors import UserError
from zoo.evaluation.loop import row_sums
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.topologies.stroke_policy import Painting
from zoo.training.objectives.base import Losses, Update
from zoo.training.objectives.kernel_distance import kernel_distances, witness
from zoo.training.objectives.stroke_learning import StrokeLearning
from zoo.training.objectives.stroke_worth import gumbel, in_spreads
from zoo.training.settings import Settings
from zoo.typing import State, Tensor, Window
from zoo.utils.fields import Range, documented

_SEED = (1, 2)


@register("objective", "sketches")
@documented
@dataclass(frozen=True)
class SketchReward(StrokeLearning):
    """What each stroke adds to how real a painting looks beside the others, by actor-critic.

    A stroke gains what the witness of a kernel two-sample test rises by, see
    `zoo.training.objectives.kernel_distance`: canvases are worth more the more they look like real
    pictures, and less the more they look like what the model paints already. So that which is
    painted too rarely is worth most, and no critic has to be learned meanwhile. The gains of an
    update are divided by the spread of what whole paintings gain, so that they stay as large while
    the two sets become alike.

    `loss` is the squared distance of the two sets, windows of paintings and of real pictures; about
    0 where they are of one kind. In validation strokes are drawn, too, always the same way.
    `entropy` is that of a stroke's choices, 1 where all are equally likely.

    Source: A. Gretton et al. 2012, see `kernel_distance`, for the witness; Y. Li, K. Swersky,
    R. Zemel 2015, arXiv:1502.02761, for learning from the distance, there by its gradient; Y. Ganin
    et al. 2018, arXiv:1804.01118, for painting from reward, there from that of a learned critic.
    """

    copies: Annotated[int, Range(1), "drawn paintings of each row of noise in training."] = 1
    entropy_weight: Annotated[
        float,
        Range(0),
        "what an entropy of 1 is worth at the beginning, for each stroke, in spreads.",
    ] = 0.7

    metrics: ClassVar[tuple[str, ...]] = ("distance", "weight", "entropy", "drawn")

    def check(self, model: SequenceModel, settings: Settings) -> None:
        """Raise if a model does not paint from nothing.

        Raises:
            UserError: it does not, or there are too few paintings to be told apart.
        """
        super().check(model, settings)
        if model.condition != "noise":
            raise UserError(
                "the model paints the picture that it is shown: set latent to more than 0, or "
                "train it with the objective strokes, as spiral-digits"
            )
        if settings.batch_size < 2:
            raise UserError(
                f"batch_size is {settings.batch_size}, but paintings are compared with each other: "
                "at least 2 is needed"
            )

    def prepare(self, model: SequenceModel, window: Window, seed: Tensor, update: Update) -> Window:
        """Return the window with noise that was drawn for this update, and paintings of it."""
        inputs = window["inputs"]
        own = tf.random.experimental.stateless_fold_in(seed, 1)
        # XLA would otherwise choose another generator.
        noise = tf.random.stateless_normal(inputs["noise"].shape, own, alg="philox")
        window = {**window, "inputs": {**inputs, "noise": noise}}
        return super().prepare(model, window, seed, update)

    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Losses:
        """Return the loss of actor and critic in training, and the sums of each row."""
        copies = self.copies if training else 1
        weights, noise = window["weights"], window["inputs"]["noise"]
        real = tf.cast(window["targets"], tf.float32) / 255
        if training:
            noise = tf.repeat(noise, copies, axis=0)
            painting: Painting = window["painting"]  # type: ignore[typeddict-item]
        else:
            drawn = gumbel([tf.shape(noise)[0], model.strokes, sum(model.parts)], _SEED)
            painting = model.paint(model.encode(noise), drawn)
        # What was painted is a constant of the density that it was drawn from.
        painting = Painting(*map(tf.stop_gradient, painting))
        canvases = painting.canvases
        scored = self.scored(model, painting, noise)
        entropy = tf.reduce_mean(tf.reshape(scored.entropy, [-1, copies * model.strokes]), axis=1)
        distances = kernel_distances(canvases[::copies, -1], real, weights)
        in_training = tf.ones_like(weights) if training else tf.zeros_like(weights)
        sums = row_sums(weights, distances, entropy, in_training)
        if not training:
            return Losses({"model": tf.constant(0.0)}, sums, state)
        shares = tf.repeat(weights, copies)
        seen = witness(canvases, canvases[:, -1], real, shares, weights)
        gains = self.gains(-in_spreads(seen, shares), canvases)
        return Losses({"model": self.policy_loss(scored, gains, window)}, sums, state)
