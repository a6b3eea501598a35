"""Self-critical training: what a model draws is made likelier where it beats the greedy answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import tensorflow as tf

from zoo.decoding import decode
from zoo.errors import UserError
from zoo.evaluation.loop import WindowLoop, row_sums
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.training.objectives.base import Losses, Objective, Update
from zoo.training.objectives.cross_entropy import CrossEntropy
from zoo.training.objectives.rewards import Bleu, Cider
from zoo.training.objectives.scheduled_sampling import ScheduledSampling, check_writing, start
from zoo.training.settings import Settings
from zoo.typing import State, Tensor, Window
from zoo.utils.fields import Choices, Range, documented
from zoo.utils.progress import progress

Reward = Callable[[Any, Any], Any]
"""Of sequences of tokens `[N]`, and of each one's references, to a number each, float32 `[N]`."""


class RewardedWindow(Window):
    """A window of what a model drew, and `advantage`: what each target is worth, float32."""

    advantage: Tensor


@register("objective", "self_critical")
@documented
@dataclass(frozen=True)
class SelfCritical(ScheduledSampling):
    """Scheduled sampling, and from an epoch on a reward of what the model itself draws."""

    reward: Annotated[
        str,
        Choices("", "bleu", "cider"),
        "train a model that writes to write what scores better than what it would write; the best "
        "weights then are those with the best `val_reward`. Nothing trains it on each next word.",
    ] = ""
    reward_from: Annotated[
        int,
        Range(1),
        "epoch, counted from 1, from which on it is trained so. From there on, loss and accuracy "
        "of training are those of what the model draws.",
    ] = 1

    @property
    def monitor(self) -> str:
        """Return `val_reward`, where there is a reward."""
        return "val_reward" if self.reward else ""

    def check(self, model: SequenceModel, settings: Settings) -> None:
        """Raise if a model is to be rewarded that writes nothing, or in a step of XLA's.

        Raises:
            UserError: it cannot be.
        """
        super().check(model, settings)
        check_writing(model, "reward", self.reward, "")
        if self.reward and settings.jit_compile:
            raise UserError(
                f"reward is {self.reward!r}, but what is written is scored outside of the graph: "
                "set jit_compile to False"
            )

    def begin(self, train: tf.data.Dataset) -> Objective:
        """Return the objective with its reward, which may read all references."""
        return Rewarded(make_reward(self.reward, train), self) if self.reward else self


@dataclass(frozen=True)
class Rewarded(Objective):
    """REINFORCE with the greedy answer as its baseline, from its epoch on.

    Attributes:
        reward: of what is written.
        before: the objective of the epochs before `reward_from`.
    """

    reward: Reward
    before: SelfCritical = SelfCritical()

    metrics: ClassVar[tuple[str, ...]] = CrossEntropy.metrics

    @property
    def monitor(self) -> str:
        """Return the mean reward of the greedy answers."""
        return "val_reward"

    def phase(self, epoch: int) -> Objective:
        """Return the objective before the reward, up to its epoch."""
        return self if epoch >= self.before.reward_from else self.before

    def prepare(
        self, model: SequenceModel, window: Window, seed: Tensor, update: Update
    ) -> RewardedWindow:
        """Return a window of what the model draws."""
        return rewarded(model, window, self.reward, seed)

    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Losses:
        """Return -advantage · log p in training, and the sums of each row."""
        scores, state = model.score(window, state, training=training)
        weights = window["weights"]
        counts = window["advantage"] if training else weights  # type: ignore[typeddict-item]
        loss = tf.reduce_sum(scores.loss * counts)
        return Losses({"model": loss}, row_sums(weights, scores.nll, scores.right), state)

    def results(self, sums: Any) -> dict[str, float]:
        """Return `loss` and `accuracy`."""
        return self.before.results(sums)

    def validate(self, model: SequenceModel, windows: Iterable[Window]) -> dict[str, float]:
        """Return the mean `reward` of the greedy answers."""
        return {"reward": mean_reward(model, windows, self.reward)}


def make_reward(name: str, windows: tf.data.Dataset) -> Reward:
    """Return the reward of that name; CIDEr reads all references in the windows once."""
    if name == "bleu":
        return Bleu()
    references = windows.map(lambda window: {key: window[key] for key in ("targets", "weights")})
    return Cider(
        truths
        for window in progress(references, "reading")
        for truths in _references(np.asarray(window["targets"]), np.asarray(window["weights"]))
        if truths
    )


def rewarded(model: SequenceModel, window: Window, reward: Reward, seed: Tensor) -> RewardedWindow:
    """Return a window of what the model itself writes, and what that is worth.

    For each reference a sequence is drawn from the model, without gradient and dropout. Its
    advantage is r(drawn) - r(greedy), each against all references of its row. The loss
    -advantage · log p(drawn) then has the gradient of REINFORCE with the greedy answer as its
    baseline (Rennie et al. 2017, arXiv:1612.00563, equation 8).

    Args:
        model: a conditional one.
        window: with what `step` takes, tokens, and with targets `[B, T]` or `[B, k, T]`, of weight
            0 after the end.
        reward: of sequences beside references.
        seed: two integers; the same seed draws the same sequences.

    Returns:
        The window with drawn tokens, `targets` and `weights`, and each target's `advantage`.
    """
    targets = window["targets"]
    copies = 1 if len(targets.shape) == 2 else tf.shape(targets)[1]
    drawn, written = _drawn(model, window, copies, seed), _greedy(model, window)
    counts = tf.reduce_max(tf.reshape(window["weights"], [tf.shape(drawn[0])[0], -1]), axis=1)
    worth = tf.numpy_function(
        lambda *arrays: _advantages(reward, *arrays),
        [*drawn, *written, targets, window["weights"]],
        tf.float32,
    )
    tokens, lasts = drawn
    time = targets.shape[-1] or tf.shape(targets)[-1]
    weights = tf.sequence_mask(lasts, time, tf.float32) * counts[:, None]
    first = tf.reshape(window["inputs"][model.steps_on], tf.shape(tokens))[:, :1]
    parts = {
        "fed": tf.concat([first, tokens[:, :-1]], axis=1),
        "targets": tokens,
        "weights": weights,
        "advantage": weights * tf.reshape(worth, [-1, 1]),
    }
    shaped = {
        name: tf.stop_gradient(tf.ensure_shape(tf.reshape(part, tf.shape(targets)), targets.shape))
        for name, part in parts.items()
    }
    return RewardedWindow(
        inputs={**window["inputs"], model.steps_on: shaped["fed"]},
        targets=shaped["targets"],
        weights=shaped["weights"],
        reset=window["reset"],
        advantage=shaped["advantage"],
    )


def mean_reward(model: SequenceModel, windows: Iterable[Window], reward: Reward) -> float:
    """Return the mean reward of the greedy answers to windows."""
    loop = WindowLoop(model, lambda window, state: (_greedy(model, window), state))
    worth: list[float] = []
    for window, (tokens, lasts) in loop(windows):
        written = _cut(tokens.numpy(), lasts.numpy())
        truths = _references(window["targets"].numpy(), window["weights"].numpy())
        worth += _worth(reward, written, truths)[[bool(one) for one in truths]].tolist()
    return float(np.mean(worth)) if worth else 0.0


def _greedy(model: SequenceModel, window: Window) -> tuple[Tensor, Tensor]:
    return _written(model, window, start(model, window), 1, 0.0, (0, 0))


def _drawn(
    model: SequenceModel, window: Window, copies: int | Tensor, seed: Tensor
) -> tuple[Tensor, Tensor]:
    return _written(model, window, start(model, window, copies), copies, 1.0, seed)


def _written(
    model: SequenceModel,
    window: Window,
    state: State,
    copies: int | Tensor,
    temperature: float,
    seed: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return token ids `[R, T]` with the end, 0 after it, and how many they are in each row."""
    targets, weights = window["targets"], window["weights"]
    time = targets.shape[-1] or tf.shape(targets)[-1]
    rows = tf.reshape(window["inputs"][model.steps_on], [tf.shape(targets)[0], -1])[:, 0]
    # The end is the last target of each row.
    counts = tf.reshape(weights, [-1, time]) > 0
    last = counts & ~tf.concat([counts[:, 1:], tf.zeros_like(counts[:, :1])], axis=1)
    end = tf.reduce_max(tf.where(last, tf.reshape(targets, [-1, time]), 0))
    decoded = decode(
        model.step, state, tf.repeat(rows, copies), time, end, temperature=temperature, seed=seed
    )
    tokens = tf.where(tf.range(time) == decoded.lengths[:, None], end, decoded.tokens)
    return tokens, tf.minimum(decoded.lengths + 1, time)


def _advantages(
    reward: Reward,
    drawn: np.ndarray,
    drawn_lasts: np.ndarray,
    written: np.ndarray,
    written_lasts: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """Return r(drawn) - r(written) `[R]`; what only fills up a window is worth 0."""
    truths = _references(targets, weights)
    copies = len(drawn) // len(truths)
    baseline = np.repeat(_worth(reward, _cut(written, written_lasts), truths), copies)
    each = [one for one in truths for _ in range(copies)]
    return _worth(reward, _cut(drawn, drawn_lasts), each) - baseline


def _worth(reward: Reward, written: list[list[int]], truths: list[list[list[int]]]) -> np.ndarray:
    """Return the reward of each row `[R]`, 0 for one without references."""
    real = [n for n, one in enumerate(truths) if one]
    rewards = np.zeros(len(written), "float32")
    if real:
        rewards[real] = reward([written[n] for n in real], [truths[n] for n in real])
    return rewards


def _references(targets: np.ndarray, weights: np.ndarray) -> list[list[list[int]]]:
    """Return the references of each row, those of weight 0 left out."""
    time = targets.shape[-1]
    rows = zip(targets.reshape(len(targets), -1, time), weights.reshape(len(targets), -1, time))
    return [[ids[heavy > 0].tolist() for ids, heavy in zip(*row) if heavy.any()] for row in rows]


def _cut(tokens: np.ndarray, lasts: np.ndarray) -> list[list[int]]:
    return [row[:last].tolist() for row, last in zip(tokens, lasts)]
