"""REINFORCE: a model that looks learns from reward where to look."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import keras
import tensorflow as tf

from zoo.errors import UserError
from zoo.evaluation.loop import row_sums
from zoo.registry import register
from zoo.topologies.base import SequenceModel, scores
from zoo.topologies.looking import LookingModel, Path
from zoo.training.objectives.base import Losses, Player, Update
from zoo.training.objectives.cross_entropy import CrossEntropy
from zoo.training.settings import Settings
from zoo.typing import State, Tensor, Window
from zoo.utils.fields import Choices, Range, documented


class LookedAt(Window):
    """A window, and `noise`: how far each drawn glimpse lies beside the place that was meant.

    It is float32 `[B, copies, M, 2]`, of the M places that the model chooses; with several readers,
    of all of them beside one another.
    """

    noise: Tensor


@register("objective", "reinforce")
@documented
@dataclass(frozen=True)
class Reinforce(CrossEntropy):
    """Cross-entropy of the labels, and REINFORCE for the places of the glimpses.

    In training each picture is looked at several times, at places drawn around those that the model
    means. What a drawn path is worth say its labels. What says where to look is moved by
    (worth - baseline) · grad log N(place; meant, sigma²) alone, and the cross-entropy never reaches
    it. `loss` and `accuracy` of training are means over drawn paths; those of validation are of the
    one path that the model means.

    Of a picture with several labels, a place is worth the sum over the labels from its own on, each
    of which counts only as far as all labels before it are right, see `worth_from`.

    Source: R. Williams 1992, doi:10.1007/BF00992696; V. Mnih et al. 2014, arXiv:1406.6247; for
    several labels, J. Ba, V. Mnih, K. Kavukcuoglu 2015, arXiv:1412.7755.
    """

    copies: Annotated[int, Range(1), "drawn paths of each picture in training."] = 4
    sigma: Annotated[
        float,
        Range(above=0),
        "standard deviation of a drawn place; the picture is 2 wide and 2 high.",
    ] = 0.3
    worth: Annotated[
        str,
        Choices("probability", "right"),
        'what a label is worth: the "probability" of the class, or 1 if it is "right", else 0.',
    ] = "probability"
    subtract: Annotated[
        str,
        Choices("learned", "others"),
        'what a path has to be better than: "learned" is what the model expects after each '
        'glimpse; "others" is the mean of the picture\'s other copies.',
    ] = "learned"
    centre_weight: Annotated[
        float,
        Range(0),
        "weight of the squared distance of meant places from the middle. While nothing is "
        "recognised, rewards are noise, which moves places into a corner; a little, such as 0.01, "
        "holds them, and is nothing beside real rewards.",
    ] = 0.0
    reward_weight: Annotated[
        float,
        Range(0),
        "weight of the reward beside the cross-entropy for the layers that see and remember; 0 "
        "leaves these to the classes alone, as the source does.",
    ] = 0.1

    metrics: ClassVar[tuple[str, ...]] = CrossEntropy.metrics

    def __post_init__(self) -> None:
        super().__post_init__()
        check_copies(self.subtract, self.copies)

    def check(self, model: SequenceModel, settings: Settings) -> None:
        """Raise if a model looks nowhere.

        Raises:
            UserError: it does not.
        """
        if not isinstance(model, LookingModel):
            raise UserError(
                f"{type(model).__name__} looks at no places: reinforce is for models such as "
                "ram-digits"
            )

    def players(
        self,
        model: SequenceModel,
        settings: Settings,
        make_optimizer: Callable[[], keras.optimizers.Optimizer],
    ) -> dict[str, Player]:
        """Return who sees, who says where to look, and who expects a reward."""
        if not model.hard:
            return super().players(model, settings, make_optimizer)
        own = {
            "places": [each for reader in model.readers() for each in reader.locating],
            "baseline": [
                each for reader in model.readers() for each in reader.baseline.trainable_variables
            ],
        }
        others = {id(weight) for part in own.values() for weight in part}
        seeing = [weight for weight in model.trainable_variables if id(weight) not in others]
        return {
            name: Player(weights, make_optimizer(), clip_norm=settings.clip_norm)
            for name, weights in {"model": seeing, **own}.items()
        }

    def prepare(self, model: SequenceModel, window: Window, seed: Tensor, update: Update) -> Window:
        """Return the window with drawn noise; of soft attention as it is."""
        if not model.hard:
            return window
        shape = [window["targets"].shape[0], self.copies, model.chosen, 2 * len(model.readers())]
        # XLA would otherwise choose another generator.
        drawn = tf.random.stateless_normal(shape, seed, alg="philox")
        return LookedAt(**window, noise=self.sigma * drawn)

    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Losses:
        """Return the losses of all players in training, and the sums of each row."""
        if not (training and model.hard):
            return super().losses(model, window, state, training)
        noises = tf.split(window["noise"], len(model.readers()), -1)  # type: ignore[typeddict-item]
        parts = [
            self._of_reader(reader, window, noise, model.in_order_of(n, window["targets"]))
            for n, (reader, noise) in enumerate(zip(model.readers(), noises))
        ]
        by_player = {key: tf.add_n([losses[key] for losses, _ in parts]) for key in parts[0][0]}
        return Losses(by_player, tf.add_n([sums for _, sums in parts]) / len(parts), state)

    def _of_reader(
        self, model: LookingModel, window: Window, noise: Tensor, targets: Tensor
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the losses of the players of one reader, and the sums of each row."""
        weights = window["weights"]
        copies, labels = noise.shape[1], model.labels
        images = tf.repeat(window["inputs"], copies, axis=0)
        path = model.follow(images, tf.reshape(noise, [-1, *noise.shape[2:]]), training=True)

        def of_paths(part: Tensor) -> Tensor:
            return tf.repeat(tf.reshape(part, [-1, labels]), copies, axis=0)

        each = scores(model.labelled(path.logits), of_paths(targets), self.label_smoothing)
        shares = of_paths(weights)
        right = each.right if self.worth == "right" else tf.exp(-each.nll)
        worth = tf.stop_gradient(worth_from(right, shares))
        # The label that each chosen place serves.
        served = [n // model.glimpses for n in range(model.fixed, model.looks)]
        worth = tf.gather(worth, served, axis=1)
        counted = tf.gather(shares, served, axis=1) / copies
        expected = path.baselines if self.subtract == "learned" else mean_of_others(worth, copies)
        likelier = surrogate(path, worth - tf.stop_gradient(expected), self.sigma)
        places = tf.reduce_sum(likelier * counted)
        far = tf.reduce_sum(path.means**2, axis=-1)
        named = tf.reduce_sum(each.loss * shares) / copies

        def of_rows(part: Tensor) -> Tensor:
            mean = tf.reduce_mean(tf.reshape(part, [-1, copies, labels]), axis=1)
            return tf.reshape(mean, tf.shape(weights))

        losses = {
            "model": named + self.reward_weight * places,
            "places": places + self.centre_weight * tf.reduce_sum(far * counted),
            "baseline": tf.reduce_sum((worth - path.baselines) ** 2 * counted),
        }
        return losses, row_sums(weights, of_rows(each.nll), of_rows(each.right))


def worth_from(right: Tensor, weights: Tensor) -> Tensor:
    """Return what each label and those after it are worth, `[R, S]`.

    It is Σ_(j >= s) Π_(i <= j) right_i: a label counts as far as it and all before it are right.

    Args:
        right: `[R, S]`, 0..1.
        weights: `[R, S]`; labels of weight 0, after the end of a sequence, are worth nothing.

    Example:
        >>> right = tf.constant([[1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0]])
        >>> worth_from(right, tf.constant([[1.0, 1.0, 1.0, 0.0]] * 3)).numpy().tolist()
        [[2.0, 1.0, 0.0, 0.0], [3.0, 2.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """
    each = tf.math.cumprod(right, axis=1) * tf.cast(weights > 0, tf.float32)
    return tf.math.cumsum(each, axis=1, reverse=True)


def surrogate(path: Path, advantage: Tensor, sigma: float) -> Tensor:
    """Return -advantage · log N(place; meant, sigma²) of each chosen place, `[R, M]`.

    Its gradient is that of REINFORCE. Only what is meant gets one: what was drawn is a constant.

    Args:
        path: drawn, of R rows.
        advantage: `[R, M]` or `[R, 1]`, without a gradient.
        sigma: of the draws.
    """
    fixed = path.places.shape[1] - path.means.shape[1]
    drawn = tf.stop_gradient(path.places[:, fixed:])
    squares = tf.reduce_sum((drawn - path.means) ** 2, axis=-1)
    return advantage * squares / (2 * sigma**2)


def check_copies(subtract: str, copies: int) -> None:
    """Raise if a copy is to be better than others that there are none of.

    Raises:
        UserError: it is.
    """
    if subtract == "others" and copies < 2:
        raise UserError('subtract is "others", but copies is 1: at least 2 are needed')


def mean_of_others(worth: Tensor, copies: int) -> Tensor:
    """Return for each of `[R, M]`, `copies` rows of one picture together, the mean of the others.

    Example:
        >>> mean_of_others(tf.constant([[1.0], [0.0], [1.0]]), 3)[:, 0].numpy().tolist()
        [0.5, 1.0, 0.5]
    """
    groups = tf.reshape(worth, [-1, copies, worth.shape[1]])
    others = (tf.reduce_sum(groups, axis=1, keepdims=True) - groups) / (copies - 1)
    return tf.reshape(others, tf.shape(worth))
