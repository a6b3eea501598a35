"""Mixup: examples that are two at once, and of both their classes, in training."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from zoo.errors import UserError
from zoo.topologies.base import Scores, SequenceModel, scores
from zoo.typing import State, Tensor, Window

_LEVELS = 2048
"""How many shares are drawn from: so many quantiles of their distribution."""


class Partner(NamedTuple):
    """What each row of a window is mixed with.

    Attributes:
        targets: its classes, int32 `[B]`.
        share: float32 `[B]`, 0..0.5, how much of the row is its; 0 of one that is not mixed.
    """

    targets: Tensor
    share: Tensor


class MixedWindow(Window):
    """A window whose rows are each mixed with another one.

    Attributes:
        partner: what they are mixed with; `targets` are those of the larger part.
    """

    partner: Partner


def mixed_pairs(window: Window, steps_on: str, strength: float, seed: Tensor) -> MixedWindow:
    """Return a window whose rows x_i become (1 - s) x_i + s x_j, each with its own s and j.

    The shares 1 - s and s are drawn from Beta(a, a), the larger of the two for x_i: as each row is
    also the j of one, that mixes no other examples than s of up to 1 would. Of two sequences the
    mixed one has the greater length; the shorter adds nothing after its end, whatever stands there.

    Only what is whole in the window is mixed: rows that begin in it, and whose class is asked for.

    Args:
        window: one target a row. Its inputs are real numbers or pixels, and `lengths`, if any.
        steps_on: which of them the lengths are of, where they have names.
        strength: a, above 0; the larger, the more alike are the shares.
        seed: two integers, of all that is drawn.

    Source: H. Zhang, M. Cisse, Y. Dauphin, D. Lopez-Paz 2018, arXiv:1710.09412, section 2.

    Example:
        >>> window = {
        ...     "inputs": tf.constant([[0.0], [8.0]]), "targets": tf.constant([4, 5]),
        ...     "weights": tf.ones(2), "reset": tf.ones(2, tf.int32),
        ... }
        >>> both = mixed_pairs(window, "inputs", 9.0, tf.constant([2, 0]))
        >>> share = both["partner"].share[0]
        >>> bool(both["inputs"][0, 0] == share * 8), bool(0 < share < 0.5)
        (True, True)
    """
    rows = tf.shape(window["targets"])[0]
    # Whole numbers, as XLA draws other real ones from a seed, and cannot shuffle or draw a Gamma.
    draw = partial(tf.random.stateless_uniform, [rows], dtype=tf.int32, alg="philox")
    fold_in = partial(tf.random.experimental.stateless_fold_in, seed, alg="philox")
    order = tf.argsort(draw(fold_in(1), None, None))
    level = draw(fold_in(2), 0, _LEVELS)
    whole = (window["reset"] > 0) & (window["weights"] > 0)
    share = tf.gather(tf.constant(_shares(strength), tf.float32), level)
    share = tf.where(whole & tf.gather(whole, order), share, 0.0)
    inputs = _inputs(window["inputs"], steps_on, order, share)
    return MixedWindow(
        inputs=inputs,
        targets=window["targets"],
        weights=window["weights"],
        reset=window["reset"],
        partner=Partner(tf.gather(window["targets"], order), share),
    )


def scored(
    model: SequenceModel,
    window: Window,
    state: State,
    training: bool,
    smoothing: float = 0.0,
    factors: Sequence[float] = (),
) -> tuple[Scores, State]:
    """Return what `SequenceModel.score` does, of a mixed window as much of both targets as it has.

    Args:
        model: any model of the zoo.
        window: a mixed one, or any other.
        state: before it.
        training: whether dropout acts.
        smoothing: see `SequenceModel.score`.
        factors: how much the loss of each class counts; empty for alike.
    """

    def weighed(parts: Scores, targets: Tensor) -> Scores:
        if not len(factors):
            return parts
        return parts._replace(loss=parts.loss * tf.gather(tf.constant(factors), targets))

    if "partner" not in window:
        own, state = model.score(window, state, training=training, smoothing=smoothing)
        return weighed(own, window["targets"]), state
    logits, state = model.run_window(window, state, training)
    partner: Partner = window["partner"]  # type: ignore[typeddict-item]
    own, other = (
        weighed(scores(logits, targets, smoothing), targets)
        for targets in (window["targets"], partner.targets)
    )

    def both(one: Tensor, two: Tensor) -> Tensor:
        return (1 - partner.share) * one + partner.share * two

    return Scores(both(own.loss, other.loss), both(own.nll, other.nll), own.right), state


def check_model(strength: float, model: SequenceModel) -> None:
    """Raise if a model reads what cannot be mixed, or computes its loss in a way of its own.

    Raises:
        UserError: it does.
    """
    inputs = model.named_inputs(model.example_inputs(1))
    names = [name for name, part in inputs.items() if name != "lengths" and not _is_real(part)]
    timeless = "lengths" in inputs and model.steps_on not in inputs
    if names or timeless or type(model).score is not SequenceModel.score:
        raise UserError(
            f"mixup is {strength}, but this model reads {', '.join(names) or 'sequences'}: only "
            "pictures, clips and vectors of which a model names one class can be mixed, so leave "
            "it at 0"
        )


def check_windows(strength: float, windows: tf.data.Dataset) -> None:
    """Raise if the targets of windows are not one class for each example.

    Raises:
        UserError: they are not.
    """
    if windows.element_spec["targets"].shape.rank != 1:
        raise UserError(
            f"mixup is {strength}, but each example has many targets here: it is for models that "
            "name one class of each example, so leave it at 0"
        )


def _shares(strength: float) -> np.ndarray:
    """Return equally likely values of the smaller of two shares from Beta(a, a), ascending."""
    # Takes a quarter of a second.
    from scipy.special import betaincinv

    return betaincinv(strength, strength, (np.arange(_LEVELS) + 0.5) / (2 * _LEVELS))


def _inputs(inputs: Any, steps_on: str, order: Tensor, share: Tensor) -> Any:
    """Return inputs mixed with their partners, as real numbers."""
    if not isinstance(inputs, Mapping):
        return _blend(inputs, order, share)
    named = dict(inputs)
    lengths = named.pop("lengths", None)
    if lengths is None:
        return {name: _blend(part, order, share) for name, part in named.items()}
    steps = named[steps_on]
    inside = tf.sequence_mask(lengths, tf.shape(steps)[1])
    inside = tf.reshape(inside, [*tf.unstack(tf.shape(inside)), *[1] * (len(steps.shape) - 2)])
    named[steps_on] = tf.where(inside, steps, tf.zeros([], steps.dtype))
    longer = tf.maximum(lengths, tf.gather(lengths, order))
    return {
        **{name: _blend(part, order, share) for name, part in named.items()},
        "lengths": tf.where(share > 0, longer, lengths),
    }


def _blend(part: Tensor, order: Tensor, share: Tensor) -> Tensor:
    real = part if part.dtype.is_floating else tf.cast(part, tf.float32)
    share = tf.cast(tf.reshape(share, [-1, *[1] * (len(part.shape) - 1)]), real.dtype)
    return (1 - share) * real + share * tf.gather(real, order)


def _is_real(part: Any) -> bool:
    """Return whether an input is of real numbers or pixels, and not of tokens."""
    dtype = tf.as_dtype(part.dtype)
    return dtype.is_floating or dtype == tf.uint8
