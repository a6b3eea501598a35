"""Windows of a picture, read and written as matrix products: F_Y image F_X^T.

Each filter bank is `[B, N, length]`: N cells of the window along one axis, and how much each of
that axis' pixels counts in them. Places are in pixels and real: the image goes from 0 to `length`,
and the middle of its pixel a, counted from 0, lies at a + 0.5.
"""

import tensorflow as tf

from zoo.typing import Tensor


def box_filters(centre: Tensor, size: Tensor, pixels: int, length: int) -> Tensor:
    """Return filters of a window whose cells are averages over what they cover; 0 is outside.

    F[i, a] is the share of cell i that pixel a covers. It is linear in the place piece by piece,
    so the window has no jumps as it moves.

    Args:
        centre: of the window, `[B]`, in pixels.
        size: of the window, in pixels: a scalar, or `[B]`.
        pixels: N, cells of the window.
        length: pixels of the image along the axis.

    Returns:
        `[B, N, length]`, float32. A row sums to 1, or to less where its cell is partly outside.

    Example:
        >>> box_filters(tf.constant([2.0]), 4.0, pixels=2, length=5).numpy().tolist()
        [[[0.5, 0.5, 0.0, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5, 0.0]]]
    """
    centre, size = tf.cast(centre, tf.float32), tf.cast(size, tf.float32)
    cell = (tf.zeros_like(centre) + size)[:, None] / pixels
    begin = centre[:, None] + (tf.range(pixels, dtype=tf.float32) - pixels / 2) * cell
    left = tf.range(length, dtype=tf.float32)
    begin, cell = begin[..., None], cell[..., None]
    covered = tf.minimum(begin + cell, left + 1) - tf.maximum(begin, left)
    return tf.maximum(covered, 0.0) / cell


def gaussian_filters(
    centre: Tensor, stride: Tensor, sigma: Tensor, pixels: int, length: int
) -> Tensor:
    """Return the filters of DRAW: a grid of Gaussians, each normalised over the image's pixels.

    With i from 1 to N, mu_i = centre + (i - N / 2 - 0.5) stride, and

        F[i, a] = exp(-(a - mu_i)² / 2 sigma²) / Z_i,

    with Z_i so that each row sums to 1. It is a softmax, which never divides by 0: of a narrow
    filter between two pixels, or far outside, the nearest one is left.

    Args:
        centre: of the grid, `[B]`, in pixels as they are counted here. In the paper the first pixel
            lies at 1, so that for its g in [-1, 1] this is (A + 1) / 2 · (g + 1) - 0.5.
        stride: distance of the Gaussians, in pixels: a scalar, or `[B]`.
        sigma: their standard deviation, in pixels, above 0: a scalar, or `[B]`.
        pixels: N, Gaussians along the axis.
        length: A, pixels of the image along the axis.

    Returns:
        `[B, N, length]`, float32.

    Source: K. Gregor et al. 2015, arXiv:1502.04623, equations 19 to 26.

    Example:
        >>> filters = gaussian_filters(tf.constant([1.5]), 1.0, 0.01, pixels=2, length=4)
        >>> filters.numpy().round(3).tolist()
        [[[0.5, 0.5, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0]]]
    """
    centre, stride, sigma = (tf.cast(part, tf.float32) for part in (centre, stride, sigma))
    stride, sigma = ((tf.zeros_like(centre) + part)[:, None] for part in (stride, sigma))
    steps = tf.range(1, pixels + 1, dtype=tf.float32) - pixels / 2 - 0.5
    mu = centre[:, None] + steps * stride
    apart = tf.range(length, dtype=tf.float32) + 0.5 - mu[..., None]
    return tf.nn.softmax(-((apart / sigma[..., None]) ** 2) / 2, axis=-1)


def read_window(image: Tensor, f_y: Tensor, f_x: Tensor) -> Tensor:
    """Return F_Y image F_X^T, the window `[B, N, M, C]` of images `[B, h, w, C]`.

    Args:
        image: `[B, h, w, C]`, float32.
        f_y: filters along the height, `[B, N, h]`.
        f_x: filters along the width, `[B, M, w]`.

    Example:
        >>> image = tf.reshape(tf.range(16.0), [1, 4, 4, 1])
        >>> filters = box_filters(tf.constant([2.0]), 4.0, pixels=2, length=4)
        >>> read_window(image, filters, filters)[0, ..., 0].numpy().tolist()
        [[2.5, 4.5], [10.5, 12.5]]
    """
    return _through(image, f_y, f_x)


def write_window(patch: Tensor, f_y: Tensor, f_x: Tensor) -> Tensor:
    """Return F_Y^T patch F_X, the image `[B, h, w, C]` of a window `[B, N, M, C]` at its place.

    Args:
        patch: `[B, N, M, C]`, float32.
        f_y: filters along the height, `[B, N, h]`.
        f_x: filters along the width, `[B, M, w]`.

    Example:
        >>> filters = box_filters(tf.constant([2.0]), 2.0, pixels=2, length=4)
        >>> write_window(tf.ones([1, 2, 2, 1]), filters, filters)[0, ..., 0].numpy().tolist()
        [[0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """
    return _through(patch, tf.linalg.matrix_transpose(f_y), tf.linalg.matrix_transpose(f_x))


def _through(image: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return rows image columns^T of each channel: `[B, N, M, C]` of `[B, h, w, C]`.

    All channels are one matrix in the first product, so that none has more than three axes.
    """
    height, width, channels = image.shape[1:]
    count = rows.shape[1]
    tall = tf.matmul(rows, tf.reshape(image, [-1, height, width * channels]))
    wide = tf.reshape(tall, [-1, count, width, channels])
    if channels == 1:
        both = tf.matmul(wide[..., 0], columns, transpose_b=True)
        return both[..., None]
    wide = tf.reshape(tf.transpose(wide, [0, 1, 3, 2]), [-1, count * channels, width])
    both = tf.matmul(wide, columns, transpose_b=True)
    both = tf.reshape(both, [-1, count, channels, columns.shape[1]])
    return tf.transpose(both, [0, 1, 3, 2])
