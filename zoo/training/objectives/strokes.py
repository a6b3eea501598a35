"""REINFORCE of strokes: a model that paints learns from what each stroke gains."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from zoo.errors import UserError
from zoo.evaluation.loop import row_sums
from zoo.layers.critic import Critic
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.topologies.stroke_policy import Painting
from zoo.training.objectives.base import Losses, Objective, Player, Update
from zoo.training.objectives.stroke_learning import PaintedWindow, StrokeLearning
from zoo.training.objectives.stroke_worth import (
    blurred,
    in_spreads,
    likeliest,
    picture_errors,
)
from zoo.training.settings import Settings
from zoo.typing import State, Tensor, Window
from zoo.utils.fields import Choices, Range, documented

_PENALTY = 10.0
_SPREAD = 0.2
"""Of what whole paintings gain from a critic: about that of the error of their pictures."""


@register("objective", "strokes")
@documented
@dataclass(frozen=True)
class StrokeReward(StrokeLearning):
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

    reward: Annotated[
        str,
        Choices("picture", "critic"),
        'what a stroke gains: what the error to the "picture" falls by, or what the score of a '
        '"critic" rises by, which learns meanwhile to tell paintings from pictures. It has an '
        "optimizer of its own, and is no part of an export. What a critic gives is divided by the "
        "spread of what whole paintings gain.",
    ] = "picture"
    complement: Annotated[
        bool,
        "whether the critic sees a half of the canvas beside the other half of the picture (Mellor "
        "et al. 2019); else it sees the canvas and the picture.",
    ] = True
    critic_loss: Annotated[
        str,
        Choices("hinge", "wasserstein"),
        '"hinge" with spectral normalisation, or "wasserstein" with a gradient penalty '
        "(Gulrajani et al. 2017, arXiv:1704.00028).",
    ] = "hinge"
    critic_updates: Annotated[int, Range(1), "updates of the critic for each of the model."] = 3
    critic_rate: Annotated[float, Range(above=0), "learning rate of the critic, by Adam."] = 2e-3

    metrics: ClassVar[tuple[str, ...]] = ("error", "weight", "entropy", "drawn")

    def check(self, model: SequenceModel, settings: Settings) -> None:
        """Raise if a model paints no strokes, or is shown no picture.

        Raises:
            UserError: it is not such a model.
        """
        super().check(model, settings)
        if model.condition != "image":
            raise UserError(
                "the model is shown no picture to paint: leave out latent, or train it with the "
                "objective sketches, as spiral-sketch"
            )

    def begin(self, train: tf.data.Dataset) -> Objective:
        """Return the objective, with a new critic if there is to be one."""
        if self.reward == "picture":
            return self
        height, width, _ = train.element_spec["inputs"]["image"].shape[1:]
        channels, spectral = 1 if self.complement else 2, self.critic_loss == "hinge"
        # Of the same name in a run and when it goes on: graphs are ordered by names.
        critic = Critic(channels, height, width, spectral=spectral, name="critic")
        return Judged(critic, self)

    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Losses:
        """Return the loss of actor and critic in training, and the sums of each row."""
        return self.losses_of(picture_errors, model, window, state, training)

    def losses_of(
        self,
        wrong: Callable[[Tensor, Tensor], Tensor],
        model: SequenceModel,
        window: Window,
        state: State,
        training: bool,
    ) -> Losses:
        """Return what `losses` does, where strokes gain what this falls by.

        Args:
            wrong: of canvases `[R, T + 1, h, w, 1]` and pictures `[R, h, w, 1]`, to `[R, T + 1]`.
            model: see `losses`.
            window: likewise.
            state: likewise.
            training: likewise.
        """
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
        scored = self.scored(model, painting, wanted)
        row_entropy = tf.reduce_mean(scored.entropy, axis=1)

        def of_row(part: Tensor) -> Tensor:
            return tf.reduce_mean(tf.reshape(part, [-1, copies]), axis=1)

        drawn = tf.ones_like(weights) if training else tf.zeros_like(weights)
        sums = row_sums(weights, of_row(errors[:, -1]), of_row(row_entropy), drawn)
        if not training:
            return Losses({"model": tf.constant(0.0)}, sums, state)
        gains = self.gains(tf.stop_gradient(wrong(painting.canvases, images)), painting.canvases)
        return Losses({"model": self.policy_loss(scored, gains, window)}, sums, state)


class JudgedWindow(PaintedWindow):
    """A painted window, and what is drawn for its critic.

    Attributes:
        half: int32 `[R]`, which half of a canvas is seen, 0 to 3.
        share: `[R, 1, 1, 1]`, 0..1, of the picture where the critic's gradient is measured.
    """

    half: Tensor
    share: Tensor


@dataclass(frozen=True)
class Judged(Objective):
    """Strokes gain what a critic's score rises by; the critic learns to tell paintings apart.

    Attributes:
        critic: of canvases.
        before: the settings, and what is learned of gains.
    """

    critic: Critic
    before: StrokeReward

    metrics: ClassVar[tuple[str, ...]] = (*StrokeReward.metrics, "critic")

    def players(
        self,
        model: SequenceModel,
        settings: Settings,
        make_optimizer: Callable[[], keras.optimizers.Optimizer],
    ) -> dict[str, Player]:
        """Return the model and its critic."""
        critic = Player(
            self.critic.trainable_variables,
            keras.optimizers.Adam(self.before.critic_rate, beta_1=0.5, beta_2=0.9),
            updates=self.before.critic_updates,
            clip_norm=0.0,
            network=self.critic,
        )
        return {**super().players(model, settings, make_optimizer), "critic": critic}

    def prepare(self, model: SequenceModel, window: Window, seed: Tensor, update: Update) -> Window:
        """Return the window with drawn paintings, and what is drawn for the critic."""
        painted = self.before.prepare(model, window, seed, update)
        rows = painted["painting"].tokens.shape[0]  # type: ignore[typeddict-item]
        seeds = [tf.random.experimental.stateless_fold_in(seed, number) for number in (1, 2)]
        half = tf.random.stateless_uniform([rows], seeds[0], 0, 4, tf.int32, alg="philox")
        share = tf.random.stateless_uniform([rows, 1, 1, 1], seeds[1], alg="philox")
        return JudgedWindow(**painted, half=half, share=share)  # type: ignore[typeddict-item]

    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Losses:
        """Return the losses of both players in training, and the sums of each row."""
        if not training:
            part = self.before.losses(model, window, state, training)
            nothing = tf.zeros_like(part.sums[:, :1])
            by_player = {**part.by_player, "critic": tf.constant(0.0)}
            return Losses(by_player, tf.concat([part.sums, nothing], axis=1), state)
        copies, half = self.before.copies, window["half"]  # type: ignore[typeddict-item]
        shares = tf.repeat(window["weights"], copies)

        def wrong(canvases: Tensor, images: Tensor) -> Tensor:
            count = canvases.shape[1]
            flat = tf.reshape(canvases, [-1, *canvases.shape[2:]])
            many = [tf.repeat(part, count, axis=0) for part in (images, half)]
            scores = tf.reshape(self.critic(self.seen(flat, *many)), [-1, count])
            return -_SPREAD * in_spreads(scores, shares)

        part = self.before.losses_of(wrong, model, window, state, training)
        canvases = window["painting"].canvases[:, -1]  # type: ignore[typeddict-item]
        images = tf.repeat(window["inputs"]["image"], copies, axis=0)
        painted = self.seen(tf.stop_gradient(canvases), images, half)
        real = self.seen(tf.cast(images, tf.float32) / 255, images, half)
        each = self._apart(real, painted, window["share"])  # type: ignore[typeddict-item]
        of_row = tf.reduce_mean(tf.reshape(each, [-1, copies]), axis=1)
        loss = tf.reduce_sum(of_row * window["weights"])
        sums = tf.concat([part.sums, (of_row * window["weights"])[:, None]], axis=1)
        return Losses({**part.by_player, "critic": loss}, sums, state)

    def seen(self, canvases: Tensor, images: Tensor, half: Tensor) -> Tensor:
        """Return what the critic sees of canvases, 0..1, and pictures, 0..255: `[R, h, w, c]`.

        It sees them through the blur of `picture_errors`: else it would tell them apart by the
        edges of a brush, which no stroke can do anything about.

        Args:
            canvases: `[R, h, w, 1]`.
            images: likewise.
            half: `[R]`, the half that is of the canvas: the left, right, upper or lower one.
        """
        canvases, images = blurred(canvases), blurred(tf.cast(images, tf.float32) / 255)
        if not self.before.complement:
            return tf.concat([canvases, images], axis=-1)
        height, width = canvases.shape[1:3]
        left = np.broadcast_to(np.arange(width) < width // 2, (height, width))
        upper = np.broadcast_to((np.arange(height) < height // 2)[:, None], (height, width))
        halves = np.stack([left, ~left, upper, ~upper]).astype("float32")[..., None]
        own = tf.gather(tf.constant(halves), half)
        return own * canvases + (1 - own) * images

    def _apart(self, real: Tensor, painted: Tensor, share: Tensor) -> Tensor:
        """Return the loss of the critic for each pair `[R]`."""
        if self.before.critic_loss == "hinge":
            return tf.nn.relu(1 - self.critic(real)) + tf.nn.relu(1 + self.critic(painted))
        between = share * real + (1 - share) * painted
        with tf.GradientTape() as tape:
            tape.watch(between)
            score = tf.reduce_sum(self.critic(between))
        squared = tf.reduce_sum(tape.gradient(score, between) ** 2, axis=[1, 2, 3])
        penalty = _PENALTY * (tf.sqrt(squared + 1e-12) - 1) ** 2
        return self.critic(painted) - self.critic(real) + penalty

    def results(self, sums: Any) -> dict[str, float]:
        """Return `loss`, `entropy` and, of a training, `critic`, the loss of the critic."""
        *plain, critic = sums
        metrics = self.before.results(plain)
        if float(plain[-1]):
            metrics["critic"] = float(critic) / max(float(plain[1]), 1.0)
        return metrics
