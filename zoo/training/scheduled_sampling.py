"""Scheduled sampling: a model is fed some of its own words in training, more and more of them."""

from typing import Any

import tensorflow as tf

from zoo.decoding import decode
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings

_STEEP = 10.0
_LEAST = 0.01


def true_share(settings: Settings, update: Any, updates: int) -> Any:
    """How many of the tokens are true at an update, 0..1, float32.

    It falls from 1 at the first update to `Settings.teacher_forcing` at the last one, as one of
    the curves of Bengio et al. (2015, arXiv:1506.03099, section 2.4), each of them brought to
    these ends.

    Args:
        settings: which curve, and where it ends.
        update: counted from 0, an integer or a tensor.
        updates: in all.

    Example:
        >>> halfway = Settings(teacher_forcing=0.2)
        >>> [round(float(true_share(halfway, n, 5)), 2) for n in range(6)]
        [1.0, 0.8, 0.6, 0.4, 0.2, 0.2]
    """
    place = tf.minimum(tf.cast(update, tf.float32) / max(1, updates - 1), 1.0)
    if settings.forcing_schedule == "exponential":
        height = (_LEAST**place - _LEAST) / (1 - _LEAST)
    elif settings.forcing_schedule == "inverse_sigmoid":
        start, end = (tf.sigmoid(sign * _STEEP / 2) for sign in (1.0, -1.0))
        height = (tf.sigmoid(_STEEP * (0.5 - place)) - end) / (start - end)
    else:
        height = 1 - place
    least = settings.teacher_forcing
    return least + (1 - least) * height


def mixed(model: SequenceModel, window: dict[str, Any], share: Any, seed: Any) -> dict[str, Any]:
    """A window in which the model reads some of its own words.

    The model runs through the window step by step, without gradient and dropout. Before each step
    a coin decides whether the true token goes in, or the likeliest one of the step before, but no
    padding. What went in is then trained on by ordinary teacher forcing; as no gradient flows
    through a choice of tokens, that is the same as training while they are chosen. Targets stay as
    they are.

    Args:
        model: a conditional one.
        window: with `tokens` `[B, T]` or `[B, k, T]` among its inputs, the first one true always.
        share: how many are true, 0..1.
        seed: two integers; the same seed tosses the same coins.

    Returns:
        The window with other tokens.
    """
    tokens = window["inputs"]["tokens"]
    shape = tf.shape(tokens)
    time = tokens.shape[-1] or shape[-1]
    rows = tf.reshape(tokens, [-1, time])
    state = start(model, window, 1 if len(tokens.shape) == 2 else shape[1])
    # XLA would otherwise choose another generator.
    coins = tf.random.stateless_uniform(tf.shape(rows[:, 1:]), seed, alg="philox")
    true = coins < share
    prefix = tf.where(true, rows[:, 1:], 0)
    # 0 is padding, which no model reads at its work.
    told = decode(model.step, state, rows[:, 0], time - 1, banned=(0,), prefix=prefix).tokens
    # After the end of a row nothing counts.
    counts = tf.reshape(window["weights"], [-1, time])[:, 1:] > 0
    told = tf.where(counts, told, rows[:, 1:])
    told = tf.reshape(tf.concat([rows[:, :1], told], axis=1), shape)
    told = tf.stop_gradient(tf.ensure_shape(told, tokens.shape))
    return {**window, "inputs": {**window["inputs"], "tokens": told}}


def start(model: SequenceModel, window: dict[str, Any], copies: Any = 1) -> Any:
    """The state before the first token, `copies` rows for each row of a window."""
    state = model.encode(window["inputs"][model.condition])
    if isinstance(copies, int) and copies == 1:
        return state
    return tf.nest.map_structure(lambda part: tf.repeat(part, copies, axis=0), state)
