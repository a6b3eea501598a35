"""Strokes of a brush on a small canvas, as distance fields: plain operations, of static sizes.

Places are rows and columns in pixels, counted from the middle of the canvas, so that a brush in the
middle is at zeros; the middle of pixel a, counted from 0, lies at a + 0.5 - length / 2.
"""

import numpy as np
import tensorflow as tf

from zoo.typing import Tensor

SEGMENTS = 10


def stroke_coverage(
    start: Tensor,
    control: Tensor,
    end: Tensor,
    radius: Tensor,
    height: int,
    width: int,
    segments: int = SEGMENTS,
) -> Tensor:
    """Return how much of each pixel quadratic Bezier strokes cover, `[B, height, width]`, 0..1.

    The curve (1 - t)² start + 2 t (1 - t) control + t² end is cut into straight pieces. With d the
    distance of a pixel's middle to the nearest of them, the pixel is covered by
    min(max(radius + 1/2 - d, 0), 1), so that an edge fades over one pixel.

    Args:
        start: `[B, 2]`, where the brush is, row and column in pixels from the middle.
        control: `[B, 2]`, the point that the curve bends to.
        end: `[B, 2]`, where it ends.
        radius: `[B]`, half of a stroke's width in pixels; 1/2 or more.
        height: of the canvas.
        width: of the canvas.
        segments: straight pieces.

    Example:
        >>> middle = tf.zeros([1, 2])
        >>> stroke_coverage(middle, middle, middle, tf.constant([1.0]), 3, 3)[0].numpy().round(2)
        array([[0.09, 0.5 , 0.09],
               [0.5 , 1.  , 0.5 ],
               [0.09, 0.5 , 0.09]], dtype=float32)
    """
    t = np.linspace(0, 1, segments + 1, dtype="float32")
    weights = np.stack([(1 - t) ** 2, 2 * t * (1 - t), t**2])
    points = tf.stack([start, control, end], axis=2) @ weights
    rows, columns = points[:, 0], points[:, 1]
    begin_y, begin_x = rows[:, :-1], columns[:, :-1]
    along_y, along_x = rows[:, 1:] - begin_y, columns[:, 1:] - begin_x
    # Of a piece without a length, every pixel is nearest to its one point.
    squared = tf.maximum(along_y**2 + along_x**2, 1e-6)
    down = _middles(height) - begin_y[..., None]
    across = _middles(width) - begin_x[..., None]
    share_y, share_x = along_y / squared, along_x / squared
    reached = (down * share_y[..., None])[..., None] + (across * share_x[..., None])[:, :, None]
    reached = tf.clip_by_value(reached, 0.0, 1.0)
    away_y = down[..., None] - reached * along_y[..., None, None]
    away_x = across[:, :, None] - reached * along_x[..., None, None]
    nearest = tf.reduce_min(away_y**2 + away_x**2, axis=1)
    # The root has no gradient at 0, where the pixel is covered anyway.
    distance = tf.sqrt(tf.maximum(nearest, 1e-6))
    return tf.clip_by_value(radius[:, None, None] + 0.5 - distance, 0.0, 1.0)


def over(canvas: Tensor, ink: Tensor) -> Tensor:
    """Return a canvas 0..1 after ink 0..1 was laid over it: canvas + ink (1 - canvas).

    Example:
        >>> over(tf.constant([0.0, 0.5, 1.0]), tf.constant([0.5, 0.5, 0.5])).numpy().tolist()
        [0.5, 0.75, 1.0]
    """
    return canvas + ink * (1 - canvas)


def _middles(length: int) -> np.ndarray:
    """Return where the middles of pixels lie along an axis, `[length]`."""
    return np.arange(length, dtype="float32") + 0.5 - np.float32(length / 2)
