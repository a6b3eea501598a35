"""How far painted pictures are from real ones, as two sets: a kernel two-sample test."""

import math

import tensorflow as tf

from zoo.training.objectives.stroke_worth import blurred
from zoo.typing import Tensor

_WIDTHS = (1 / 256, 4 / 256, 16 / 256)
"""Squared widths of the kernels, of mean squared differences of pixels."""


def kernel(ones: Tensor, others: Tensor) -> Tensor:
    """Return how alike pictures are, 0..1, each of one set beside each of another: `[N, M]`.

    It is the mean of rational quadratic kernels 1 / (1 + d / 2w), where d is the mean squared
    difference of the pixels of two pictures, seen through a Gaussian blur of half a pixel.

    Args:
        ones: `[N, h, w, 1]`, 0..1.
        others: `[M, h, w, 1]`, likewise.

    Source: M. Bińkowski, D. J. Sutherland, M. Arbel, A. Gretton 2018, arXiv:1801.01401.

    Example:
        >>> pictures = tf.stack([tf.zeros([8, 8, 1]), tf.ones([8, 8, 1])])
        >>> kernel(pictures, pictures).numpy().astype(float).round(3).tolist()
        [[1.0, 0.05], [0.05, 1.0]]
    """
    u, v = (_flat(pictures) for pictures in (ones, others))
    squares = tf.reduce_sum(u * u, axis=1)[:, None] + tf.reduce_sum(v * v, axis=1)
    apart = tf.maximum(squares - 2 * tf.matmul(u, v, transpose_b=True), 0.0)
    return tf.add_n([1 / (1 + apart / (2 * width)) for width in _WIDTHS]) / len(_WIDTHS)


def _flat(pictures: Tensor) -> Tensor:
    """Return pictures `[N, h, w, 1]` blurred, `[N, D]`, of differences whose squares sum to d."""
    size = math.prod(pictures.shape[1:])
    return tf.reshape(blurred(pictures), [-1, size]) / math.sqrt(size)


def witness(
    canvases: Tensor, painted: Tensor, real: Tensor, painted_weights: Tensor, real_weights: Tensor
) -> Tensor:
    """Return how much more canvases look like real pictures than like what is painted, `[R, N]`.

    It is the mean of k(canvas, real) less that of k(canvas, painted), where the painting that a
    canvas became does not count: the function that tells the two sets apart best.

    Args:
        canvases: `[R, N, h, w, 1]`, 0..1, on the way to each of the paintings.
        painted: what became of them, `[R, h, w, 1]`.
        real: `[M, h, w, 1]`, 0..1.
        painted_weights: `[R]`, 0 for what does not count.
        real_weights: `[M]`, likewise.

    Source: A. Gretton, K. M. Borgwardt, M. J. Rasch, B. Schölkopf, A. Smola 2012, "A kernel
    two-sample test", Journal of Machine Learning Research 13, section 2.3.
    """
    rows, count = canvases.shape[:2]
    flat = tf.reshape(canvases, [-1, *canvases.shape[2:]])
    others = painted_weights * (1 - tf.repeat(tf.eye(rows), count, axis=0))
    score = _mean(kernel(flat, real), real_weights) - _mean(kernel(flat, painted), others)
    return tf.reshape(score, [rows, count])


def kernel_distances(painted: Tensor, real: Tensor, weights: Tensor) -> Tensor:
    """Return what each row adds to the squared distance of two sets, `[N]`; their mean is that.

    It is the unbiased estimate of the squared maximum mean discrepancy: 0 in the mean where both
    sets are of one kind, and so less than 0 about as often as more.

    Args:
        painted: `[N, h, w, 1]`, 0..1.
        real: as many, likewise.
        weights: `[N]`, 0 for rows that do not count, of both.

    Source: see `witness`, its lemma 6.

    Example:
        >>> black, white = tf.zeros([4, 8, 8, 1]), tf.ones([4, 8, 8, 1])
        >>> float(tf.reduce_mean(kernel_distances(black, black, tf.ones([4]))))
        0.0
        >>> round(float(tf.reduce_mean(kernel_distances(black, white, tf.ones([4])))), 2)
        1.9
    """
    others = weights * (1 - tf.eye(tf.shape(weights)[0]))
    alike = [_mean(kernel(part, part), others) for part in (painted, real)]
    across = kernel(painted, real)
    mixed = [_mean(part, weights[None]) for part in (across, tf.transpose(across))]
    return weights * (tf.add_n(alike) - tf.add_n(mixed))


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted means of rows `[N, M]`; 0 of a row without a weight."""
    total = tf.reduce_sum(weights + tf.zeros_like(values), axis=1)
    return tf.reduce_sum(values * weights, axis=1) / tf.maximum(total, 1.0)
