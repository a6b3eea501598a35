"""REINFORCE of strokes: a model that paints learns from what each stroke gains."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import tensorflow as tf

from zoo.errors import UserError
from zoo.evaluation.loop import row_sums
from zoo.layers.glimpses import gaussian_filters, read_window
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.topologies.stroke_policy import Painting, StrokePolicy
from zoo.training.objectives.base import Losses, Objective, Update
from zoo.training.objectives.reinforce import mean_of_others
from zoo.training.settings import Settings
from zoo.typing import State, Tensor, Window
from zoo.utils.fields import Choices, Range, documented

BLUR = 0.5
"""Standard deviation in pixels of the blur through which errors are seen."""
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


@register("objective", "strokes")
@documented
@dataclass(frozen=True)
class StrokeReward(Objective):
    """What each stroke takes away of the error of a painting, learned by advantage actor-critic.

    In training each picture is painted several times, with strokes that are drawn. A stroke gains
    what the error falls by, so that all gains of a painting sum to what the error falls by in all;
    it is worth its gain and the discounted gains of those after it. Strokes that were worth more
    than expected are made likelier: no gradient goes through what is painted.

    `loss` is the error that a painting leaves: the squared difference of the blurred pictures, as a
    share of that of an empty canvas. In training it is of drawn strokes, in validation of the
    likeliest. `entropy` is that of a stroke's choices, 1 where all are equally likely.

    Source: V. Mnih et al. 2016, arXiv:1602.01783, for the learning; Y. Ganin et al. 2018,
    arXiv:1804.01118, and J. Mellor et al. 2019, arXiv:1910.01007, for gains of each stroke.
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

    metrics: ClassVar[tuple[str, ...]] = ("error", "weight", "entropy", "drawn")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.subtract == "others" and self.copies < 2:
            raise UserError('subtract is "others", but copies is 1: at least 2 are needed')

    def check(self, model: SequenceModel, settings: Settings) -> None:
        """Raise if a model paints no strokes.

        Raises:
            UserError: it paints none.
        """
        if not isinstance(model, StrokePolicy):
            raise UserError(
                f"{type(model).__name__} paints no strokes: the objective strokes is for models "
                "such as spiral-digits"
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

    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Losses:
        """Return the loss of actor and critic in training, and the sums of each row."""
        copies = self.copies if training else 1
        weights, images = window["weights"], window["inputs"]["image"]
        wanted = window["inputs"][model.condition]
        if training:
            images, wanted = (tf.repeat(part, copies, axis=0) for part in (images, wanted))
            painting: Painting = window["painting"]  # type: ignore[typeddict-item]
        else:
            painting = model.paint(model.encode(wanted), likeliest(model, tf.shape(wanted)[0]))
        # What was painted is a constant of the density that it was drawn from.
        painting = Painting(*map(tf.stop_gradient, painting))
        errors = picture_errors(painting.canvases, images)
        outputs = model.score_painting(painting, wanted)
        likelihood, entropy = log_probability(model, outputs, painting.tokens)
        row_entropy = tf.reduce_mean(entropy, axis=1)

        def of_row(part: Tensor) -> Tensor:
            return tf.reduce_mean(tf.reshape(part, [-1, copies]), axis=1)

        drawn = tf.ones_like(weights) if training else tf.zeros_like(weights)
        sums = row_sums(weights, of_row(errors[:, -1]), of_row(row_entropy), drawn)
        if not training:
            return Losses({"model": tf.constant(0.0)}, sums, state)
        gains = self._gains(errors, painting.canvases)
        worth = discounted(gains, self.discount)
        expected = outputs[..., -1]
        better = worth - tf.stop_gradient(expected)
        if self.subtract == "others":
            better = worth - _others(worth, copies)
        each = self.expected_weight * (worth - expected) ** 2 - better * likelihood
        each -= window["entropy_weight"] * entropy  # type: ignore[typeddict-item]
        shares = tf.repeat(weights, copies) / copies
        return Losses({"model": tf.reduce_sum(each * shares[:, None])}, sums, state)

    def _gains(self, errors: Tensor, canvases: Tensor) -> Tensor:
        """Return what each stroke gains `[R, T]`, of errors `[R, T + 1]`."""
        gains = errors[:, :-1] - errors[:, 1:]
        empty = tf.reduce_mean(canvases[:, -1], axis=[1, 2, 3]) < _INK
        lost = self.empty_penalty * tf.cast(empty, tf.float32)
        return gains - lost[:, None] * tf.one_hot(gains.shape[1] - 1, gains.shape[1])

    def results(self, sums: Any) -> dict[str, float]:
        """Return `loss` and `entropy`.

        Raises:
            UserError: the sums are of a training in which next to nothing is tried out any more.
        """
        error, weight, entropy, drawn = (float(part) for part in sums)
        count = max(weight, 1.0)
        if drawn and entropy / count < self.least_entropy:
            raise UserError(
                f"the strokes were drawn with an entropy of {entropy / count:.2g} of 1, so nothing "
                f"else is tried any more: set entropy_weight higher than {self.entropy_weight:g}, "
                f"entropy_decay nearer to 1, or least_entropy lower than {self.least_entropy:g}"
            )
        return {"loss": error / count, "entropy": entropy / count}


def gumbel(shape: Any, seed: Tensor) -> Tensor:
    """Return numbers of Gumbel's distribution: logits and they are largest as softmax would draw.

    Example:
        >>> gumbel([2, 3], tf.constant([1, 2])).shape
        TensorShape([2, 3])
    """
    # XLA would otherwise choose another generator.
    drawn = tf.random.stateless_uniform(shape, seed, alg="philox")
    # Drawn from 0 on, without 1: of both ends, neither has a logarithm of a logarithm.
    drawn = tf.clip_by_value(drawn, 1e-20, 1 - 2.0**-24)
    return -tf.math.log(-tf.math.log(drawn))


def likeliest(model: StrokePolicy, rows: int | Tensor) -> Tensor:
    """Return the noise `[rows, T, L]` with which the likeliest choice is made each time."""
    return tf.zeros([rows, model.strokes, sum(model.parts)])


def log_probability(model: StrokePolicy, outputs: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return log p of strokes, and the entropy of their choices, both `[R, T]`.

    The entropy is the mean over the parts of a stroke, each as a share of the most that it can be:
    else the flag, of two values, would hardly count beside places, and nobody tried to move the
    brush for long. A move has no choices but its flag and its end.

    Args:
        model: whose outputs they are.
        outputs: `[R, T, L + 1]`, what the model gives for these strokes.
        tokens: proper ones, int32 `[R, T, 5]`.
    """
    paints = tf.cast(tokens[..., 0], tf.float32)
    likelihood, entropy = tf.zeros_like(paints), tf.zeros_like(paints)
    for part, logits in enumerate(tf.split(outputs[..., :-1], model.parts, axis=-1)):
        logs = tf.nn.log_softmax(logits)
        chosen = tf.gather(logs, tokens[..., part], batch_dims=2)
        counts = paints if part > 1 else tf.ones_like(paints)
        likelihood += counts * chosen
        nats = -tf.reduce_sum(tf.exp(logs) * logs, axis=-1)
        entropy += counts * nats / math.log(max(model.parts[part], 2))
    return likelihood, entropy / len(model.parts)


def discounted(gains: Tensor, discount: float) -> Tensor:
    """Return what each of `[R, T]` is worth with those after it.

    Example:
        >>> discounted(tf.constant([[1.0, 2.0, 4.0]]), 0.5).numpy().tolist()
        [[3.0, 4.0, 4.0]]
    """
    worth = [gains[:, -1]]
    for gain in reversed(tf.unstack(gains[:, :-1], axis=1)):
        worth.append(gain + discount * worth[-1])
    return tf.stack(worth[::-1], axis=1)


def _others(worth: Tensor, copies: int) -> Tensor:
    """Return the means of the other copies, for each stroke of `[R, T]`."""
    strokes = tf.unstack(worth, axis=1)
    means = [mean_of_others(stroke[:, None], copies)[:, 0] for stroke in strokes]
    return tf.stack(means, axis=1)


def picture_errors(canvases: Tensor, images: Tensor, blur: bool = True) -> Tensor:
    """Return the error that canvases leave, as a share of that of an empty one: `[R, N]`.

    It is Σ (blurred canvas - blurred picture)² / Σ (blurred picture)², both sums over all pixels,
    with a Gaussian blur of half a pixel. Of a picture with next to no ink, the divisor is 1.

    Args:
        canvases: `[R, N, h, w, 1]`, 0..1.
        images: `[R, h, w, 1]`, 0..255.
        blur: whether there is one.

    Example:
        >>> image = 255 * tf.ones([1, 4, 4, 1])
        >>> canvases = tf.stack([tf.zeros([1, 4, 4, 1]), tf.ones([1, 4, 4, 1])], axis=1)
        >>> picture_errors(canvases, image).numpy().tolist()
        [[1.0, 0.0]]
    """
    count, shape = canvases.shape[1], canvases.shape[2:]
    images = tf.cast(images, tf.float32) / 255
    apart = tf.reshape(canvases - images[:, None], [-1, *shape])
    if blur:
        apart, images = _blurred(apart), _blurred(images)
    left, empty = (tf.reduce_sum(part**2, axis=[1, 2, 3]) for part in (apart, images))
    return tf.reshape(left, [-1, count]) / tf.maximum(empty, 1.0)[:, None]


def _blurred(pictures: Tensor) -> Tensor:
    """Return pictures `[R, h, w, 1]` seen through a Gaussian."""
    f_y, f_x = (
        gaussian_filters(tf.constant([n / 2]), 1.0, BLUR, n, n) for n in pictures.shape[1:3]
    )
    return read_window(pictures, f_y, f_x)
