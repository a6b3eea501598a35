"""Strokes against Pillow, which draws them sixteen times as large, and their gradient."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageDraw

from zoo.layers.strokes import over, stroke_coverage

TIMES, SIZE = 16, 16


def pillow(start, control, end, radius):
    """The same curve of round brush marks, averaged over each pixel."""
    large = Image.new("L", (SIZE * TIMES, SIZE * TIMES))
    draw = ImageDraw.Draw(large)
    wide = radius * TIMES
    for t in np.linspace(0, 1, 300):
        y, x = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
        # The middle of a first pixel of the large picture is half of it from the edge.
        y, x = ((part + SIZE / 2) * TIMES - 0.5 for part in (y, x))
        draw.ellipse([x - wide, y - wide, x + wide, y + wide], fill=255)
    pixels = np.asarray(large, "float64") / 255
    return pixels.reshape(SIZE, TIMES, SIZE, TIMES).mean(axis=(1, 3))


def test_strokes_cover_what_pillow_draws():
    rng = np.random.default_rng(0)
    start, control, end = rng.uniform(-7, 7, (3, 20, 2)).astype("float32")
    radius = rng.choice([0.6, 1.0, 1.5, 2.0], 20).astype("float32")
    # A point, a line, one that turns back on itself, and ten that bend without a narrow turn.
    control[0], end[0] = start[0], start[0]
    control[1] = (start[1] + end[1]) / 2
    end[2] = start[2]
    control[10:] = (start[10:] + end[10:]) / 2 + rng.uniform(-2, 2, (10, 2))
    ours = stroke_coverage(start, control, end, radius, SIZE, SIZE).numpy()
    drawn = [pillow(*stroke) for stroke in zip(start, control, end, radius)]
    assert np.mean(drawn) > 0.08
    apart = np.abs(ours - drawn)
    assert apart.mean() < 0.006 and apart[10:].max() < 0.15
    # Within a narrow turn, two edges may each cover a half of the same pixel.
    assert apart.max() < 0.4


def test_a_canvas_that_is_not_square_has_its_middle_at_zero():
    middle = tf.zeros([1, 2])
    covered = stroke_coverage(middle, middle, middle, tf.constant([1.0]), 5, 8)[0].numpy()
    np.testing.assert_allclose(covered, covered[::-1])
    np.testing.assert_allclose(covered, covered[:, ::-1])
    assert covered.shape == (5, 8) and covered[2, 3] == covered[2, 4] == covered.max() == 1


def test_ink_is_laid_over_ink_and_never_more_than_full():
    canvas, ink = np.meshgrid(np.linspace(0, 1, 5), np.linspace(0, 1, 5))
    laid = over(canvas, ink)
    assert (laid >= np.maximum(canvas, ink) - 1e-12).all() and laid.max() == 1
    np.testing.assert_allclose(laid, 1 - (1 - canvas) * (1 - ink))


@pytest.mark.parametrize("still", [False, True])
def test_the_gradient_is_that_of_finite_differences(still):
    rng = np.random.default_rng(3)
    places = rng.uniform(-3, 3, (3, 1, 2)).astype("float32")
    if still:
        places[:] = places[0]
    weights = rng.normal(size=(8, 8)).astype("float32")

    def seen(places):
        covered = stroke_coverage(*tf.unstack(places), tf.constant([1.2]), 8, 8)
        return tf.reduce_sum(weights * covered)

    places = tf.Variable(places)
    with tf.GradientTape() as tape:
        sum_ = seen(places)
    gradient = tape.gradient(sum_, places).numpy()
    assert np.isfinite(gradient).all()
    if still:
        return
    step = 1e-2
    moves = step * np.eye(6, dtype="float32").reshape(6, 3, 1, 2)
    exact = [(seen(places + move) - seen(places - move)) / (2 * step) for move in moves]
    np.testing.assert_allclose(gradient.ravel(), exact, atol=0.05)
