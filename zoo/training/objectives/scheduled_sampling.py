"""Scheduled sampling: a model is fed some of its own words in training, more and more of them."""

from dataclasses import dataclass
from typing import Annotated, Any

import tensorflow as tf

from zoo.decoding import decode
from zoo.errors import UserError
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.training.objectives.base import Update
from zoo.training.objectives.cross_entropy import CrossEntropy
from zoo.training.settings import Settings
from zoo.typing import State, Tensor, Window
from zoo.utils.fields import Choices, Range, documented

_STEEP = 10.0
_LEAST = 0.01


@register("objective", "scheduled_sampling")
@documented
@dataclass(frozen=True)
class ScheduledSampling(CrossEntropy):
    """Cross-entropy of a model that writes, and reads some of its own words in training.

    The share of true tokens falls from 1 at the first update to its end at the last one, as one of
    the curves of Bengio et al. (2015, arXiv:1506.03099, section 2.4), each of them brought to these
    ends.

    Example:
        >>> halfway = ScheduledSampling(teacher_forcing=0.2)
        >>> [round(float(halfway.true_share(Update(n, 5))), 2) for n in range(6)]
        [1.0, 0.8, 0.6, 0.4, 0.2, 0.2]
    """

    teacher_forcing: Annotated[
        float,
        Range(0, 1),
        "share of true tokens among those that the model is fed at the end of training; for the "
        "others it is fed its own. 1 feeds all true ones, throughout.",
    ] = 1.0
    forcing_schedule: Annotated[
        str,
        Choices("linear", "exponential", "inverse_sigmoid"),
        "how that share falls from 1 over all updates.",
    ] = "linear"

    def check(self, model: SequenceModel, settings: Settings) -> None:
        """Raise if the model is to read its own words, but writes none.

        Raises:
            UserError: it writes none.
        """
        check_writing(model, "teacher_forcing", self.teacher_forcing, 1.0)

    def prepare(self, model: SequenceModel, window: Window, seed: Tensor, update: Update) -> Window:
        """Return the window with some of the model's own words."""
        if self.teacher_forcing == 1:
            return window
        return mixed(model, window, self.true_share(update), seed)

    def true_share(self, update: Update) -> Tensor:
        """Return how many of the tokens are true at an update, 0..1, float32."""
        place = tf.cast(update.number, tf.float32) / max(1, update.total - 1)
        place = tf.minimum(place, 1.0)
        if self.forcing_schedule == "exponential":
            height = (_LEAST**place - _LEAST) / (1 - _LEAST)
        elif self.forcing_schedule == "inverse_sigmoid":
            start, end = (tf.sigmoid(sign * _STEEP / 2) for sign in (1.0, -1.0))
            height = (tf.sigmoid(_STEEP * (0.5 - place)) - end) / (start - end)
        else:
            height = 1 - place
        least = self.teacher_forcing
        return least + (1 - least) * height


def check_writing(model: SequenceModel, name: str, value: Any, plain: Any) -> None:
    """Raise if a field asks for what the model writes, but it writes nothing.

    Raises:
        UserError: it writes nothing.
    """
    if value != plain and not model.conditional:
        raise UserError(
            f"{name} is {value!r}, but this is for models that caption or translate: leave it at "
            f"{plain!r}"
        )


def mixed(model: SequenceModel, window: Window, share: Tensor, seed: Tensor) -> Window:
    """Return a window in which the model reads some of its own words.

    The model runs through the window step by step, without gradient and dropout. Before each step
    a coin decides whether the true token goes in, or the likeliest one of the step before, but no
    padding. What went in is then trained on by ordinary teacher forcing; as no gradient flows
    through a choice of tokens, that is the same as training while they are chosen. Targets stay as
    they are.

    Args:
        model: a conditional one.
        window: with what `step` takes, tokens `[B, T]` or `[B, k, T]`, among its inputs; the first
            one is true always.
        share: how many are true, 0..1.
        seed: two integers; the same seed tosses the same coins.

    Returns:
        The window with other tokens.
    """
    tokens = window["inputs"][model.steps_on]
    shape = tf.shape(tokens)
    time = tokens.shape[-1] or shape[-1]
    rows = tf.reshape(tokens, [-1, time])
    state = start(model, window, 1 if len(tokens.shape) == 2 else shape[1])
    # XLA would otherwise choose another generator.
    coins = tf.random.stateless_uniform(tf.shape(rows[:, 1:]), seed, alg="philox")
    true = coins < share
    prefix = tf.where(true, rows[:, 1:], 0)
    # 0 is padding, which no model reads at its work.
    written = decode(model.step, state, rows[:, 0], time - 1, banned=(0,), prefix=prefix).tokens
    # After the end of a row nothing counts.
    counts = tf.reshape(window["weights"], [-1, time])[:, 1:] > 0
    written = tf.where(counts, written, rows[:, 1:])
    fed = tf.reshape(tf.concat([rows[:, :1], written], axis=1), shape)
    fed = tf.stop_gradient(tf.ensure_shape(fed, tokens.shape))
    return {**window, "inputs": {**window["inputs"], model.steps_on: fed}}


def start(model: SequenceModel, window: Window, copies: int | Tensor = 1) -> State:
    """Return the state before the first token, `copies` rows for each row of a window."""
    state = model.encode(window["inputs"][model.condition])
    if isinstance(copies, int) and copies == 1:
        return state
    return tf.nest.map_structure(lambda part: tf.repeat(part, copies, axis=0), state)
