"""What strokes are worth, how they are drawn, and what they leave of a picture."""

import math
from typing import Any

import tensorflow as tf

from zoo.layers.glimpses import gaussian_filters, read_window
from zoo.topologies.stroke_policy import StrokePolicy
from zoo.training.objectives.reinforce import mean_of_others
from zoo.typing import Tensor

BLUR = 0.5
"""Standard deviation in pixels of the blur through which errors are seen."""


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


def means_of_others(worth: Tensor, copies: int) -> Tensor:
    """Return the means of the other copies, for each stroke of `[R, T]`."""
    strokes = tf.unstack(worth, axis=1)
    means = [mean_of_others(stroke[:, None], copies)[:, 0] for stroke in strokes]
    return tf.stack(means, axis=1)


def in_spreads(seen: Tensor, shares: Tensor) -> Tensor:
    """Return what canvases are worth, in spreads of what whole paintings gain: `[R, T + 1]`.

    So gains stay as large, however large the numbers are.

    Args:
        seen: what each canvas of a painting is worth, `[R, T + 1]`.
        shares: what each painting counts, `[R]`.

    Example:
        >>> in_spreads(tf.constant([[0.0, 1.0], [0.0, 3.0]]), tf.ones([2]))[:, 1].numpy().round(2)
        array([1., 3.], dtype=float32)
    """
    _, variance = tf.nn.weighted_moments(seen[:, -1] - seen[:, 0], 0, shares)
    return seen / (tf.sqrt(variance) + 1e-3)


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
        apart, images = blurred(apart), blurred(images)
    left, empty = (tf.reduce_sum(part**2, axis=[1, 2, 3]) for part in (apart, images))
    return tf.reshape(left, [-1, count]) / tf.maximum(empty, 1.0)[:, None]


def blurred(pictures: Tensor) -> Tensor:
    """Return pictures `[R, h, w, 1]` as seen through a Gaussian of half a pixel."""
    f_y, f_x = (
        gaussian_filters(tf.constant([n / 2]), 1.0, BLUR, n, n) for n in pictures.shape[1:3]
    )
    return read_window(pictures, f_y, f_x)
