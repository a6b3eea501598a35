"""How many nats a picture costs a model that paints, with several draws of each."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from zoo.evaluation.loop import WindowLoop
from zoo.topologies.draw import Draw
from zoo.training.objectives.elbo import (
    gaussian_kl,
    importance_bound,
    log_weights,
    reconstruction,
)
from zoo.typing import State, Tensor, Window

SAMPLES = 50
"""Draws of z for each picture, as in Burda et al. 2015."""
_AT_ONCE = 5


class Bounds(NamedTuple):
    """What pictures cost, each `[B]` in nats, but for `kl`, `[B, T]`, of each stroke.

    Attributes:
        reconstruction: -log p(x | z), its mean over the draws.
        kl: of q(z_t) from the prior, likewise.
        importance: -log of the mean weight of the draws.
    """

    reconstruction: Tensor
    kl: Tensor
    importance: Tensor

    @property
    def bound(self) -> Tensor:
        """The evidence lower bound, with its sign turned."""
        return self.reconstruction + tf.reduce_sum(self.kl, axis=-1)


def bounds(
    model: Draw,
    images: Tensor,
    seed: Tensor,
    samples: int = SAMPLES,
    at_once: int = _AT_ONCE,
) -> Bounds:
    """Return what pictures cost, in the graph.

    Args:
        model: a built one.
        images: `[B, h, w, c]`, 0 or 255.
        seed: two integers, of the noise. All pictures have the same, so that each costs beside
            others what it costs alone.
        samples: draws of each, a multiple of `at_once`.
        at_once: how many are painted at once.
    """
    rows = tf.shape(images)[0]
    repeated = tf.repeat(images, at_once, axis=0)
    start = model.encode(repeated)

    def draws(number: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        own = tf.random.experimental.stateless_fold_in(seed, number)
        shape = [at_once, model.glimpses, model.latent]
        noise = tf.random.stateless_normal(shape, own, alg="philox")
        strokes, _ = model.strokes(tf.tile(noise, [rows, 1, 1]), start)
        wrong, weights = reconstruction(strokes, repeated), log_weights(strokes, repeated)
        divergence = gaussian_kl(strokes.mean, strokes.log_sigma)
        by_row = [rows, at_once]
        return (
            tf.reduce_mean(tf.reshape(wrong, by_row), axis=1),
            tf.reduce_mean(tf.reshape(divergence, [*by_row, model.glimpses]), axis=1),
            importance_bound(tf.reshape(weights, by_row)),
        )

    parts = tf.map_fn(draws, tf.range(samples // at_once), fn_output_signature=(tf.float32,) * 3)
    wrong, divergence, importance = parts
    # Of equally many draws each, the bounds are joined as the draws themselves are.
    joined = importance_bound(-tf.transpose(importance))
    return Bounds(tf.reduce_mean(wrong, axis=0), tf.reduce_mean(divergence, axis=0), joined)


def rows_of_bounds(
    model: Draw,
    windows: Iterable[Window],
    shown: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> np.ndarray:
    """Return reconstruction, importance-weighted bound and each stroke's KL, `[N, 2 + T]`.

    Rows without a weight, which only fill a window, are left out.
    """

    def measure(window: Window, state: State) -> tuple[tuple[Tensor, Tensor], State]:
        costs = bounds(model, window["inputs"]["image"], tf.constant([1, 0]))
        first = tf.stack([costs.reconstruction, costs.importance], axis=1)
        return (tf.concat([first, costs.kl], axis=1), window["weights"] > 0), state

    loop = WindowLoop(model, measure)
    parts = [rows.numpy()[used.numpy()] for _, (rows, used) in loop(shown(windows))]
    return np.concatenate(parts)
