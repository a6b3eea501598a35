"""How a model that paints learns from what each stroke gains: advantage actor-critic."""

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import tensorflow as tf

from zoo.errors import UserError
from zoo.topologies.base import SequenceModel
from zoo.topologies.stroke_policy import Painting, StrokePolicy
from zoo.training.objectives.base import Objective, Update
from zoo.training.objectives.reinforce import check_copies
from zoo.training.objectives.stroke_worth import (
    discounted,
    gumbel,
    log_probability,
    means_of_others,
)
from zoo.training.settings import Settings
from zoo.typing import Tensor, Window
from zoo.utils.fields import Choices, Range

_INK = 0.01
"""A canvas with less ink than this, in the mean of its pixels, is empty."""


class PaintedWindow(Window):
    """A window, and what was painted for it.

    Attributes:
        painting: of `copies` rows for each of the window, one after the other.
        entropy_weight: of this update, a scalar.
    """

    painting: Painting
    entropy_weight: Tensor


class Scored(NamedTuple):
    """What a model says of strokes, each `[R, T]`.

    Attributes:
        likelihood: log p of each.
        entropy: of its choices, 0..1.
        expected: what the model expects to gain from there on.
    """

    likelihood: Tensor
    entropy: Tensor
    expected: Tensor


@dataclass(frozen=True)
class StrokeLearning(Objective):
    """What objectives of strokes have in common: paintings are drawn, and strokes that gained more
    than was expected of them become likelier.

    A subclass says what a stroke gains. No gradient goes through what is painted.

    Source: V. Mnih et al. 2016, arXiv:1602.01783.
    """

    copies: Annotated[int, Range(1), "drawn paintings of each picture in training."] = 4
    discount: Annotated[
        float, Range(0, 1), "what the gain of the next stroke counts for the stroke before it."
    ] = 1.0
    subtract: Annotated[
        str,
        Choices("learned", "others"),
        'what a stroke has to be better than: "learned" is what the model expects before it; '
        '"others" is the mean of the same stroke of the picture\'s other copies.',
    ] = "learned"
    expected_weight: Annotated[
        float, Range(0), "weight of the squared error of what the model expects."
    ] = 0.5
    entropy_weight: Annotated[
        float, Range(0), "what an entropy of 1 is worth at the beginning, for each stroke."
    ] = 0.1
    entropy_decay: Annotated[
        float, Range(above=0, most=1), "the share of it that is left at the end of the training."
    ] = 0.03
    least_entropy: Annotated[
        float, Range(0), "training stops where the strokes of an epoch had less entropy than this."
    ] = 0.01
    empty_penalty: Annotated[
        float, Range(0), "what the last stroke loses where the canvas is still empty."
    ] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_copies(self.subtract, self.copies)

    def check(self, model: SequenceModel, settings: Settings) -> None:
        """Raise if a model paints no strokes.

        Raises:
            UserError: it paints none.
        """
        if not isinstance(model, StrokePolicy):
            raise UserError(
                f"{type(model).__name__} paints no strokes: the objective is for models such as "
                "spiral-digits"
            )

    def prepare(self, model: SequenceModel, window: Window, seed: Tensor, update: Update) -> Window:
        """Return the window with paintings whose strokes are drawn, `copies` of each row."""
        wanted = tf.repeat(window["inputs"][model.condition], self.copies, axis=0)
        noise = gumbel([wanted.shape[0], model.strokes, sum(model.parts)], seed)
        done = tf.cast(update.number, tf.float32) / max(update.total, 1)
        return PaintedWindow(
            **window,
            painting=model.paint(model.encode(wanted), noise),
            entropy_weight=self.entropy_weight * self.entropy_decay**done,
        )

    def scored(self, model: SequenceModel, painting: Painting, wanted: Tensor) -> Scored:
        """Return what a model says of the strokes of paintings.

        Args:
            model: one that paints.
            painting: a constant of the density that it was drawn from.
            wanted: what `encode` takes.
        """
        outputs = model.score_painting(painting, wanted)
        return Scored(*log_probability(model, outputs, painting.tokens), outputs[..., -1])

    def policy_loss(self, scored: Scored, gains: Tensor, window: Window) -> Tensor:
        """Return the loss of actor and critic, summed over a window's rows, each by its weight.

        Args:
            scored: of drawn strokes.
            gains: of these, `[R, T]`.
            window: a prepared one.
        """
        worth = discounted(gains, self.discount)
        if self.subtract == "others":
            better = worth - means_of_others(worth, self.copies)
        else:
            better = worth - tf.stop_gradient(scored.expected)
        each = self.expected_weight * (worth - scored.expected) ** 2 - better * scored.likelihood
        each -= window["entropy_weight"] * scored.entropy  # type: ignore[typeddict-item]
        shares = tf.repeat(window["weights"], self.copies) / self.copies
        return tf.reduce_sum(each * shares[:, None])

    def gains(self, wrong: Tensor, canvases: Tensor) -> Tensor:
        """Return what each stroke gains `[R, T]`: what falls of `wrong`, `[R, T + 1]`."""
        gains = wrong[:, :-1] - wrong[:, 1:]
        empty = tf.reduce_mean(canvases[:, -1], axis=[1, 2, 3]) < _INK
        lost = self.empty_penalty * tf.cast(empty, tf.float32)
        return gains - lost[:, None] * tf.one_hot(gains.shape[1] - 1, gains.shape[1])

    def results(self, sums: Any) -> dict[str, float]:
        """Return `loss`, the mean of the first of the `metrics`, and `entropy`.

        Raises:
            UserError: the sums are of a training in which next to nothing is tried out any more.
        """
        loss, weight, entropy, drawn = (float(part) for part in sums)
        count = max(weight, 1.0)
        if drawn:
            self._check_entropy(entropy / count)
        return {"loss": loss / count, "entropy": entropy / count}

    def _check_entropy(self, entropy: float) -> None:
        if entropy < self.least_entropy:
            raise UserError(
                f"the strokes were drawn with an entropy of {entropy:.2g} of 1, so nothing "
                f"else is tried any more: set entropy_weight higher than {self.entropy_weight:g}, "
                f"entropy_decay nearer to 1, or least_entropy lower than {self.least_entropy:g}"
            )
