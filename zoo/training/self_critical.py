"""Self-critical training: what a model draws is made likelier where it beats the greedy answer."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.decoding import decode
from zoo.topologies.base import SequenceModel
from zoo.training.rewards import Bleu, Cider
from zoo.training.scheduled_sampling import start
from zoo.utils.progress import progress

Window = dict[str, Any]
Reward = Callable[[Any, Any], Any]


def make_reward(name: str, windows: tf.data.Dataset) -> Reward | None:
    """The reward of that name, None of none; CIDEr reads all references in the windows once."""
    if name != "cider":
        return Bleu() if name else None
    references = windows.map(lambda window: {key: window[key] for key in ("targets", "weights")})
    return Cider(
        truths
        for window in progress(references, "reading")
        for truths in _references(np.asarray(window["targets"]), np.asarray(window["weights"]))
        if truths
    )


def rewarded(model: SequenceModel, window: Window, reward: Reward, seed: Any) -> Window:
    """A window of what the model itself writes, and what that is worth.

    For each reference a sequence is drawn from the model, without gradient and dropout. Its
    advantage is r(drawn) - r(greedy), each against all references of its row. The loss
    -advantage · log p(drawn) then has the gradient of REINFORCE with the greedy answer as its
    baseline (Rennie et al. 2017, arXiv:1612.00563, equation 8).

    Args:
        model: a conditional one.
        window: with `tokens` and targets `[B, T]` or `[B, k, T]`, of weight 0 after the end.
        reward: of sequences beside references.
        seed: two integers; the same seed draws the same sequences.

    Returns:
        The window with drawn `tokens`, `targets` and `weights`, and each target's `advantage`.
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
    first = tf.reshape(window["inputs"]["tokens"], tf.shape(tokens))[:, :1]
    parts = {
        "tokens": tf.concat([first, tokens[:, :-1]], axis=1),
        "targets": tokens,
        "weights": weights,
        "advantage": weights * tf.reshape(worth, [-1, 1]),
    }
    shaped = {
        name: tf.stop_gradient(tf.ensure_shape(tf.reshape(part, tf.shape(targets)), targets.shape))
        for name, part in parts.items()
    }
    inputs = {**window["inputs"], "tokens": shaped.pop("tokens")}
    return {**window, **shaped, "inputs": inputs}


def mean_reward(model: SequenceModel, windows: Iterable[Window], reward: Reward) -> float:
    """What the greedy answers are worth, on the average."""

    worth: list[float] = []
    for window in windows:
        told = _cut(*(part.numpy() for part in _compiled(model)(window)))
        truths = _references(window["targets"].numpy(), window["weights"].numpy())
        worth += _worth(reward, told, truths)[[bool(one) for one in truths]].tolist()
    return float(np.mean(worth)) if worth else 0.0


def _compiled(model: SequenceModel) -> Any:
    """`_greedy`, kept with the model, for each evaluation to use again."""
    if not hasattr(model, "_zoo_greedy"):
        write = partial(_greedy, model)
        model._zoo_greedy = tf.function(write, reduce_retracing=True, autograph=False)
    return model._zoo_greedy


def _greedy(model: SequenceModel, window: Window) -> tuple[Any, Any]:
    return _written(model, window, start(model, window), 1, 0.0, (0, 0))


def _drawn(model: SequenceModel, window: Window, copies: Any, seed: Any) -> tuple[Any, Any]:
    return _written(model, window, start(model, window, copies), copies, 1.0, seed)


def _written(
    model: SequenceModel, window: Window, state: Any, copies: Any, temperature: float, seed: Any
) -> tuple[Any, Any]:
    """Token ids `[R, T]` with the end, 0 after it, and how many they are in each row."""
    targets, weights = window["targets"], window["weights"]
    time = targets.shape[-1] or tf.shape(targets)[-1]
    rows = tf.reshape(window["inputs"]["tokens"], [tf.shape(targets)[0], -1])[:, 0]
    # The end is the last target of each row.
    counts = tf.reshape(weights, [-1, time]) > 0
    last = counts & ~tf.concat([counts[:, 1:], tf.zeros_like(counts[:, :1])], axis=1)
    end = tf.reduce_max(tf.where(last, tf.reshape(targets, [-1, time]), 0))
    told = decode(
        model.step, state, tf.repeat(rows, copies), time, end, temperature=temperature, seed=seed
    )
    tokens = tf.where(tf.range(time) == told.lengths[:, None], end, told.tokens)
    return tokens, tf.minimum(told.lengths + 1, time)


def _advantages(
    reward: Reward,
    drawn: np.ndarray,
    drawn_lasts: np.ndarray,
    written: np.ndarray,
    written_lasts: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """r(drawn) - r(written) `[R]`; what has no references, to fill up a window, is worth 0."""
    truths = _references(targets, weights)
    copies = len(drawn) // len(truths)
    baseline = np.repeat(_worth(reward, _cut(written, written_lasts), truths), copies)
    each = [one for one in truths for _ in range(copies)]
    return _worth(reward, _cut(drawn, drawn_lasts), each) - baseline


def _worth(reward: Reward, told: list[list[int]], truths: list[list[list[int]]]) -> np.ndarray:
    real = [n for n, one in enumerate(truths) if one]
    rewards = np.zeros(len(told), "float32")
    if real:
        rewards[real] = reward([told[n] for n in real], [truths[n] for n in real])
    return rewards


def _references(targets: np.ndarray, weights: np.ndarray) -> list[list[list[int]]]:
    """Of each row its references, those of weight 0 left out."""
    time = targets.shape[-1]
    rows = zip(targets.reshape(len(targets), -1, time), weights.reshape(len(targets), -1, time))
    return [[ids[heavy > 0].tolist() for ids, heavy in zip(*row) if heavy.any()] for row in rows]


def _cut(tokens: np.ndarray, lasts: np.ndarray) -> list[list[int]]:
    return [row[:last].tolist() for row, last in zip(tokens, lasts)]
