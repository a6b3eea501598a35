"""Paths that a forecaster draws, value by value."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.topologies.forecaster import Forecaster
from zoo.topologies.sampled_paths import (
    drawn_ranks,
    fixed_paths,
    fixed_ranks,
    forecast_ahead,
    quantiles_of,
    rolled,
)

SMALL = {"horizon": 3, "look_back": 6, "season": 1, "seasons": (), "units": 4}


@pytest.fixture(scope="module")
def model():
    return Forecaster(**SMALL, head="student_t", paths=200)


@pytest.fixture(scope="module")
def after(model):
    """The state after a few steps of two series."""
    x = model.example_inputs(2, 6)
    x[..., 0] = np.random.default_rng(1).normal(0, 1, (2, 6)).cumsum(1)
    window = {"inputs": x, "targets": x[..., :1], "reset": np.ones(2, "int32")}
    return model.predict_parameters(window, model.initial_state(2))[1], x


@pytest.mark.slow
def test_a_seed_draws_the_same_paths_and_another_one_others(model, after):
    draw = tf.function(lambda seed: model.sample_paths(after[0], 40, seed))
    one, same, other = (draw(tf.constant(seed)) for seed in ([1, 2], [1, 2], [1, 3]))
    assert one.shape == (2, 40, 3)
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0


def test_each_step_of_all_paths_holds_each_part_of_the_distribution_once(model, after):
    paths = model.sample_paths(after[0], 40, tf.constant([1, 2])).numpy()
    others = model.sample_paths(after[0], 40, tf.constant([5, 6])).numpy()
    first = [np.sort(each[..., 0], axis=1) for each in (paths, others)]
    np.testing.assert_allclose(*first, rtol=1e-6)


def test_errors_add_up_along_the_paths_of_a_walk(model, after):
    paths = model.sample_paths(after[0], 2000, tf.constant([1, 2])).numpy()
    start = after[1][:, -1, 0]
    spread = np.quantile(np.abs(paths - start[:, None, None]), 0.5, axis=1)
    assert (np.diff(spread, axis=1) > 0).all()
    np.testing.assert_allclose(spread[:, 2] / spread[:, 0], 1.8, rtol=0.2)
    np.testing.assert_allclose(np.median(paths, axis=1), start[:, None] + [0, 0, 0], atol=0.3)


def test_only_where_a_forecast_is_wanted_is_one_made(model, after):
    origins = np.zeros((2, 6), bool)
    origins[0, 4] = True
    run = tf.function(lambda x, origins: model(x, origins=origins))
    answers, all_of_them = run(after[1], origins), tf.function(model)(after[1])
    np.testing.assert_allclose(answers[0, 4], all_of_them[0, 4], rtol=1e-5, atol=1e-6)
    assert not np.any(answers[:, :4]) and not np.any(answers[1])


@pytest.mark.slow
def test_a_forecast_past_the_horizon_is_that_of_a_model_of_a_longer_one():
    options = {**SMALL, "head": "student_t", "paths": 50, "known_covariates": 2}
    short, long = Forecaster(**options), Forecaster(**{**options, "horizon": 7})
    rng = np.random.default_rng(2)
    for weight, same in zip(short.trainable_variables, long.trainable_variables):
        same.assign(weight + rng.normal(0, 0.3, weight.shape))
        weight.assign(same)
    known = rng.normal(0, 1, (2, 20, 2)).astype("float32")
    states = []
    for model in (short, long):
        x = model.example_inputs(2, 8)
        x[..., 0] = known[:, :8].sum(-1)
        ahead = np.arange(8)[:, None] + np.arange(1, model.horizon + 1)
        x[..., 3:] = known[:, ahead].reshape(2, 8, -1)
        window = {"inputs": x, "targets": x[..., :1], "reset": np.ones(2, "int32")}
        states.append(model.predict_parameters(window, model.initial_state(2))[1])
    further = tf.constant(known[:, 11:18])
    ahead = tf.function(lambda steps: forecast_ahead(short, states[0], steps, further))(7).numpy()
    ranks = tf.concat([fixed_ranks(3, 50), drawn_ranks(4, 50, tf.constant([1, 2]))], axis=0)
    wanted = quantiles_of(rolled(long, states[1], ranks), long.head.levels)
    np.testing.assert_allclose(ahead, wanted, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ahead[:, :3], fixed_paths(short, states[0]), rtol=1e-5, atol=1e-5)
    other = forecast_ahead(short, states[0], tf.constant(7), further + 1)
    # What is known of a step counts from the forecast of it on, and no earlier.
    np.testing.assert_allclose(other[:, :3], ahead[:, :3], rtol=1e-5, atol=1e-5)
    assert np.abs(other[:, 3] - ahead[:, 3]).max() > 1e-3


def test_ranks_are_orders_and_always_the_same():
    np.testing.assert_array_equal(np.sort(fixed_ranks(3, 20)), np.arange(20)[None].repeat(3, 0))


def test_quantiles_of_paths_are_those_of_numpy():
    values = np.random.default_rng(1).normal(size=(2, 50, 3)).astype("float32")
    wanted = np.quantile(values, [0.1, 0.5, 0.9], axis=1, method="hazen")
    quantiles = quantiles_of(tf.constant(values), (0.1, 0.5, 0.9))
    np.testing.assert_allclose(quantiles, wanted.transpose(1, 2, 0), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"paths": 1}, "paths is 1"),
        ({"paths": 9, "head": "quantiles"}, "head is quantiles"),
        ({"paths": 9, "encoder": "none"}, "leave encoder"),
        ({"paths": 9, "returns": True}, "leave encoder"),
    ],
)
def test_paths_without_what_they_need_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Forecaster(**{**SMALL, "head": "student_t", **options})


def test_a_model_that_forecasts_all_steps_at_once_draws_none():
    model = Forecaster(**SMALL)
    with pytest.raises(ValueError, match="paths is 0"):
        model.sample_paths(model.initial_state(1), 5, tf.constant([1, 2]))
