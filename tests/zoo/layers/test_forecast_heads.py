"""Heads of a forecaster, beside scipy's distributions."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from zoo.layers.forecast_heads import LEVELS, Centre, make_head

HEADS = ["quantiles", "student_t", "negative_binomial"]
CENTRE = Centre(tf.constant([4.0, 9.0]), tf.constant(2.0))


def numbers_of(head, seed=0, scale=3.0):
    shape = (2, head.size)
    return tf.constant(np.random.default_rng(seed).normal(0, scale, shape), tf.float32)


@pytest.mark.parametrize("name", HEADS)
@settings(max_examples=25)
@given(
    st.lists(st.floats(-1e4, 1e4, width=32), min_size=11, max_size=11),
    st.floats(-1e6, 1e6, width=32),
    st.floats(2**-20, 2**20, width=32),
)
def test_quantiles_rise_whatever_the_network_says(name, values, naive, spread):
    head = make_head(name)
    numbers = tf.constant([values[: head.size]], tf.float32)
    quantiles = head.quantiles(numbers, Centre(tf.constant([naive]), tf.constant(spread))).numpy()
    assert np.isfinite(quantiles).all()
    assert (np.diff(quantiles, axis=-1) >= 0).all()


@pytest.mark.parametrize("name", ["quantiles", "student_t"])
def test_a_network_that_says_nothing_answers_with_the_naive_forecast(name):
    head = make_head(name)
    growth = np.array([1.0, 2.0])
    quantiles = head.quantiles(tf.constant(head.start(growth), tf.float32), CENTRE).numpy()
    np.testing.assert_allclose(quantiles[:, 5], CENTRE.naive, rtol=1e-6)
    width = quantiles[:, -1] - quantiles[:, 0]
    np.testing.assert_allclose(width[1] / width[0], 2, rtol=1e-3)
    assert 4 < width[0] / 2 < 6


def test_pinball_loss_is_that_of_its_definition():
    head = make_head("quantiles", (0.1, 0.5, 0.9))
    numbers, targets = numbers_of(head), np.array([3.0, 20.0])
    apart = targets[:, None] - head.quantiles(numbers, CENTRE).numpy()
    levels = np.array([0.1, 0.5, 0.9])
    wanted = np.where(apart > 0, levels * apart, (levels - 1) * apart).mean(-1) / 2
    np.testing.assert_allclose(head.losses(numbers, CENTRE, targets), wanted, rtol=1e-5)


def student(numbers):
    location, scale, freedom = numbers.numpy().astype(float).T
    scale, nu = np.log1p(np.exp(scale)) + 1e-4, 2.01 + np.log1p(np.exp(freedom))
    return stats.t(nu, CENTRE.naive.numpy() + 2 * location, 2 * scale)


def test_student_t_has_the_quantiles_and_the_density_of_scipy():
    head = make_head("student_t")
    for seed in range(5):
        numbers, targets = numbers_of(head, seed), np.array([3.0, 20.0], "float32")
        wanted = student(numbers)
        quantiles = np.stack([wanted.ppf(level) for level in LEVELS], -1)
        np.testing.assert_allclose(head.quantiles(numbers, CENTRE), quantiles, rtol=2e-3)
        losses = head.losses(numbers, CENTRE, targets)
        np.testing.assert_allclose(losses, -wanted.logpdf(targets), rtol=1e-3)


def test_draws_of_student_t_at_all_ranks_are_its_quantiles():
    head, paths = make_head("student_t"), 40
    numbers = tf.tile(numbers_of(head)[:1], [paths, 1])[:, None]
    centre = Centre(tf.fill([paths, 1], 4.0), tf.fill([paths], 2.0))
    drawn = head.draw(numbers, centre, tf.range(paths)[:, None], paths)[:, 0]
    levels = (np.arange(paths) + 0.5) / paths
    wanted = [student(numbers[0]).ppf(level)[0] for level in levels]
    np.testing.assert_allclose(drawn, wanted, rtol=5e-3)


def binomial(numbers, mean):
    total = 1 / (np.log1p(np.exp(numbers[..., 1].numpy().astype(float))) + 1e-4)
    return stats.nbinom(total, total / (total + mean.numpy()))


def test_counts_have_the_quantiles_and_the_probabilities_of_scipy():
    head = make_head("negative_binomial")
    for seed in range(5):
        numbers, targets = numbers_of(head, seed, 1.0), np.array([0.0, 11.0], "float32")
        wanted = binomial(numbers, head.point(numbers, CENTRE))
        quantiles = np.stack([wanted.ppf(level) for level in LEVELS], -1)
        np.testing.assert_array_equal(head.quantiles(numbers, CENTRE), quantiles)
        losses = head.losses(numbers, CENTRE, targets)
        np.testing.assert_allclose(losses, -wanted.logpmf(targets), rtol=1e-3)


def test_the_mean_of_counts_is_above_zero_and_near_a_naive_forecast_above_zero():
    head = make_head("negative_binomial")
    centre = Centre(tf.constant([0.0, 50.0, -3.0]), tf.constant(2.0))
    mean = head.point(tf.zeros([3, 2]), centre).numpy()
    assert (mean > 0).all()
    assert mean[1] == pytest.approx(50, rel=1e-3)


@pytest.mark.parametrize("levels", [(0.1, 0.9), (0.5, 0.4), (0.0, 0.5), ()])
def test_levels_without_a_median_or_out_of_order_are_refused(levels):
    for name in HEADS:
        with pytest.raises(ValueError, match="quantiles are"):
            make_head(name, levels)


def test_an_unknown_head_is_refused_and_quantiles_draw_no_paths():
    with pytest.raises(ValueError, match="head is 'gamma'"):
        make_head("gamma")
    with pytest.raises(ValueError, match="student_t"):
        make_head("quantiles").draw(tf.zeros([1, 11]), CENTRE, tf.zeros([1], tf.int32), 3)
