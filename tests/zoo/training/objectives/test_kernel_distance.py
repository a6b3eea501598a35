"""Distances of sets of pictures, against sums written from the papers in numpy."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.training.objectives.kernel_distance import kernel, kernel_distances, witness
from zoo.training.objectives.stroke_worth import BLUR

SIDE = 5


def pictures(seed, count):
    return np.random.default_rng(seed).random((count, SIDE, SIDE, 1)).astype("float32")


def blurring():
    """Rows of weights of a Gaussian over pixels, each of which sums to 1."""
    apart = np.subtract.outer(np.arange(SIDE), np.arange(SIDE)).astype("float64")
    weights = np.exp(-(apart**2) / (2 * BLUR**2))
    return weights / weights.sum(axis=1, keepdims=True)


def expected_kernel(one, other):
    difference = (one - other).astype("float64")[..., 0]
    apart = np.mean((blurring() @ difference @ blurring().T) ** 2)
    return np.mean([1 / (1 + apart / (2 * width / 256)) for width in (1, 4, 16)])


def table(ones, others):
    return np.array([[expected_kernel(one, other) for other in others] for one in ones])


def test_the_kernel_is_that_of_the_paper():
    ones, others = pictures(1, 3), pictures(2, 4)
    np.testing.assert_allclose(kernel(ones, others), table(ones, others), rtol=1e-4)


def test_the_distance_is_the_unbiased_one_and_rows_without_weight_do_not_count():
    painted, real = pictures(1, 4), 0.5 * pictures(2, 4)
    inner = [table(part, part) for part in (painted, real)]
    alike = sum((part.sum() - np.trace(part)) / (4 * 3) for part in inner)
    exact = alike - 2 * table(painted, real).mean()
    weights = np.ones(4, "float32")
    assert np.mean(kernel_distances(painted, real, weights)) == pytest.approx(exact, abs=1e-5)
    more = [np.concatenate([part, pictures(9, 2)]) for part in (painted, real)]
    rows = kernel_distances(*more, np.float32([1, 1, 1, 1, 0, 0])).numpy()
    assert rows[:4].mean() == pytest.approx(exact, abs=1e-5) and not rows[4:].any()
    # Of one row alone nothing can be compared with another.
    assert np.isfinite(kernel_distances(painted[:1], real[:1], weights[:1])).all()


def test_two_parts_of_one_set_are_not_apart_in_the_mean():
    drawn = [
        np.mean(kernel_distances(pictures(seed, 20), pictures(seed + 99, 20), np.ones(20, "f")))
        for seed in range(20)
    ]
    assert abs(np.mean(drawn)) < 3 * np.std(drawn) / np.sqrt(20)
    assert min(drawn) < 0 < max(drawn)


def test_the_witness_leaves_out_what_a_canvas_became():
    canvases = pictures(3, 6).reshape(3, 2, SIDE, SIDE, 1)
    painted, real = canvases[:, -1], pictures(4, 5)
    seen = witness(canvases, painted, real, tf.ones([3]), tf.constant([1.0, 1, 1, 1, 0])).numpy()
    for row in range(3):
        others = np.delete(painted, row, axis=0)
        for column in range(2):
            one = canvases[row, column : column + 1]
            exact = table(one, real[:4]).mean() - table(one, others).mean()
            assert seen[row, column] == pytest.approx(exact, abs=1e-5)
