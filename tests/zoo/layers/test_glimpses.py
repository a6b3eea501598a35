"""Windows of a picture: against what they are in numpy, at odd places, and in all gradients."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.glimpses import box_filters, gaussian_filters, read_window, write_window


def paper_filters(g, stride, sigma, pixels, length):
    """DRAW's equations 19 to 26 of one axis, as they stand there: all is counted from 1."""
    centre = (length + 1) / 2 * (g + 1)
    filters = np.zeros((pixels, length))
    for i in range(1, pixels + 1):
        mu = centre + (i - pixels / 2 - 0.5) * stride
        for a in range(1, length + 1):
            filters[i - 1, a - 1] = np.exp(-((a - mu) ** 2) / (2 * sigma**2))
    return filters / filters.sum(axis=1, keepdims=True)


def place(g, length):
    return tf.constant([(length + 1) / 2 * (g + 1) - 0.5])


@pytest.mark.parametrize("pixels", [4, 5])
@pytest.mark.parametrize("length", [8, 9])
def test_gaussian_filters_are_those_of_the_paper(pixels, length):
    for g, stride, sigma in [(0.0, 1.0, 1.0), (0.3, 1.7, 0.8), (-0.8, 0.4, 2.5)]:
        ours = gaussian_filters(place(g, length), stride, sigma, pixels, length)[0]
        np.testing.assert_allclose(
            ours, paper_filters(g, stride, sigma, pixels, length), atol=1e-5, rtol=1e-4
        )


@pytest.mark.parametrize("pixels", [4, 5])
@pytest.mark.parametrize("length", [8, 9])
def test_a_grid_in_the_middle_is_its_own_mirror_image(pixels, length):
    filters = gaussian_filters([length / 2], 1.3, 0.7, pixels, length)[0].numpy()
    np.testing.assert_allclose(filters, filters[::-1, ::-1], atol=1e-6)
    means = filters @ (np.arange(length) + 0.5)
    assert means.mean() == pytest.approx(length / 2, abs=1e-5)
    boxes = box_filters([length / 2], 5.0, pixels, length)[0].numpy()
    np.testing.assert_allclose(boxes, boxes[::-1, ::-1], atol=1e-6)


@pytest.mark.parametrize("sigma", [0.01, 0.5, 100.0])
def test_no_width_and_no_place_makes_a_filter_that_is_no_number(sigma):
    rng = np.random.default_rng(1)
    image = tf.constant(rng.uniform(size=(5, 12, 12, 1)), tf.float32)
    weights = tf.constant(rng.normal(size=(5, 6, 6, 1)), tf.float32)
    # Inside, between pixels, on the edge and far outside.
    centre = tf.constant([6.0, 6.25, 12.0, -30.0, 200.0])
    stride, width = tf.fill([5], 1.1), tf.fill([5], sigma)
    with tf.GradientTape() as tape:
        tape.watch([centre, stride, width])
        filters = gaussian_filters(centre, stride, width, 6, 12)
        loss = tf.reduce_sum(weights * read_window(image, filters, filters))
    np.testing.assert_allclose(tf.reduce_sum(filters, axis=-1), np.ones((5, 6)), atol=1e-5)
    for gradient in tape.gradient(loss, [centre, stride, width]):
        assert np.isfinite(gradient).all()


def test_each_row_has_its_own_stride_and_width():
    centre = tf.constant([3.0, 5.0])
    both = gaussian_filters(centre, tf.constant([1.0, 2.0]), tf.constant([0.5, 1.5]), 3, 8)
    for row, (stride, sigma) in enumerate([(1.0, 0.5), (2.0, 1.5)]):
        one = gaussian_filters(centre[row : row + 1], stride, sigma, 3, 8)
        np.testing.assert_allclose(both[row], one[0], atol=1e-6)
    boxes = box_filters(centre, tf.constant([2.0, 6.0]), 2, 8)
    for row, size in enumerate([2.0, 6.0]):
        np.testing.assert_allclose(boxes[row], box_filters(centre[row : row + 1], size, 2, 8)[0])


def averages(image, top, left, cell, pixels):
    """The mean over each cell of a window at a whole place, zeros around the image."""
    edge = 50
    padded = np.pad(image, [(edge, edge), (edge, edge), (0, 0)])
    part = padded[top + edge :, left + edge :][: cell * pixels, : cell * pixels]
    return part.reshape(pixels, cell, pixels, cell, -1).mean(axis=(1, 3))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("cell", [1, 2, 3])
def test_a_box_window_at_a_whole_place_has_the_mean_of_what_each_cell_covers(cell, channels):
    rng = np.random.default_rng(2)
    image = rng.uniform(size=(10, 13, channels)).astype("float32")
    pixels, size = 4, 4 * cell
    # Inside, over the edges, and wholly outside on all sides.
    for top, left in [(1, 2), (-1, -3), (8, 11), (-size, 2), (3, 13), (-40, 30)]:
        f_y = box_filters([top + size / 2], float(size), pixels, 10)
        f_x = box_filters([left + size / 2], float(size), pixels, 13)
        window = read_window(image[None], f_y, f_x)[0].numpy()
        np.testing.assert_allclose(window, averages(image, top, left, cell, pixels), atol=1e-6)
    assert not window.any()


def test_a_box_window_is_linear_between_whole_places_and_so_has_no_jumps():
    rng = np.random.default_rng(3)
    image = rng.uniform(size=(1, 9, 9, 1)).astype("float32")

    def window(centre):
        filters = box_filters([centre], 6.0, 3, 9)
        return read_window(image, filters, box_filters([4.0], 6.0, 3, 9)).numpy()

    for whole in range(-3, 12):
        for part in (0.1, 0.25, 0.5, 0.9):
            between = (1 - part) * window(whole) + part * window(whole + 1)
            np.testing.assert_allclose(window(whole + part), between, atol=1e-6)


def test_writing_is_the_transpose_of_reading():
    rng = np.random.default_rng(4)
    image = tf.constant(rng.normal(size=(2, 7, 6, 2)), tf.float32)
    patch = tf.constant(rng.normal(size=(2, 3, 4, 2)), tf.float32)
    f_y = gaussian_filters([3.0, 4.5], 1.2, 0.9, 3, 7)
    f_x = gaussian_filters([2.0, 1.5], 0.8, 0.6, 4, 6)
    read, written = read_window(image, f_y, f_x), write_window(patch, f_y, f_x)
    assert read.shape == patch.shape and written.shape == image.shape
    expected = np.einsum("bnh,bnmc,bmw->bhwc", f_y, patch, f_x)
    np.testing.assert_allclose(written, expected, atol=1e-5)
    np.testing.assert_allclose(
        tf.reduce_sum(read * patch), tf.reduce_sum(image * written), rtol=1e-4, atol=1e-4
    )
