"""What the choices of a stroke mean on a canvas."""

import numpy as np
import pytest

from zoo.layers.brush import Brush


@pytest.fixture
def brush():
    return Brush((7, 6, 1), 5, radii=(0.6, 1.0, 2.0), pressures=(0.5, 1.0))


@pytest.fixture
def tokens(brush):
    drawn = np.random.default_rng(2).integers(0, brush.parts, (3, 4, 5), "int32")
    return brush.proper(drawn)


def test_choices_are_brought_into_their_ranges_and_a_move_has_only_its_end(brush):
    strokes = brush.proper(np.array([[9, 99, -3, 9, 9], [-1, 7, 7, 1, 1]])).numpy()
    assert strokes.tolist() == [[1, 24, 0, 2, 1], [0, 7, 0, 0, 0]]


def test_strokes_are_described_in_pixels_from_the_corner(brush, tokens):
    described = brush.described(tokens).numpy()
    np.testing.assert_allclose(described[:, 0, :2], [[3.5, 3]] * 3)
    np.testing.assert_allclose(described[:, 1:, :2], described[:, :-1, 4:6])
    paints = tokens.numpy()[..., 0] > 0
    assert paints.any() and not paints.all()
    np.testing.assert_array_equal(described[..., 7] > 0, paints)
    middle = (described[..., :2] + described[..., 4:6]) / 2
    np.testing.assert_allclose(described[..., 2:4][~paints], middle[~paints], atol=1e-5)


def test_a_canvas_is_painted_from_where_the_brush_is(brush, tokens):
    first = np.array([[1.0, -2.0]] * 3, "float32")
    canvas = np.full((3, 7, 6, 1), 0.25, "float32")
    starts = brush.starts(tokens, first)
    canvases = brush.painted(tokens, starts, canvas).numpy()
    np.testing.assert_array_equal(starts[:, 0], first)
    np.testing.assert_array_equal(canvases[:, 0], canvas)
    for t in range(4):
        ink = brush.render(tokens[:, t], starts[:, t]).numpy()
        after = canvases[:, t] + ink * (1 - canvases[:, t])
        np.testing.assert_allclose(canvases[:, t + 1], after, atol=1e-6)
