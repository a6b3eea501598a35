"""The objective of forecasters."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.errors import UserError
from zoo.topologies.forecaster import Forecaster
from zoo.training.objectives import Forecast

SMALL = {"horizon": 3, "look_back": 8, "season": 4, "seasons": (4,), "units": 8}


def window(model, values):
    """A window of all steps whose next three values are there; the first season has no weight."""
    rows, steps = values.shape
    inputs = model.example_inputs(rows, steps)
    inputs[..., 0] = values
    targets = np.zeros((rows, steps, 3), "float32")
    weights = np.zeros((rows, steps, 3), "float32")
    for ahead in range(1, 4):
        targets[:, : steps - ahead, ahead - 1] = values[:, ahead:]
        weights[:, 4 : steps - ahead, ahead - 1] = 1
    return {"inputs": inputs, "targets": targets, "weights": weights, "reset": np.ones(rows)}


def waves(rows=8, steps=40, seed=0):
    """A season of 4 whose sign turns each time: where the naive forecast is wrong."""
    rng = np.random.default_rng(seed)
    season = np.tile(rng.normal(0, 3, (rows, 4)), (1, steps // 4))
    turns = np.where(np.arange(steps) // 4 % 2, -1, 1)
    return (season * turns + 10 + rng.normal(0, 0.1, (rows, steps))).astype("float32")


@pytest.mark.parametrize("head", ["quantiles", pytest.param("student_t", marks=pytest.mark.slow)])
def test_an_untrained_model_has_no_skill_and_a_trained_one_has(head):
    model, objective = Forecaster(**SMALL, head=head), Forecast()
    optimizer = keras.optimizers.Adam(0.02)
    part = window(model, waves())
    variables = model.trainable_variables

    @tf.function
    def update():
        with tf.GradientTape() as tape:
            losses = objective.losses(model, part, model.initial_state(8), training=True)
            loss = losses.by_player["model"] / tf.reduce_sum(part["weights"])
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        optimizer.apply(gradients, variables)
        return losses.sums

    before = objective.results(np.sum(update(), axis=0))
    for _ in range(80):
        sums = update()
    after = objective.results(np.sum(sums, axis=0))
    assert before["skill"] == pytest.approx(0, abs=1e-6)
    assert after["skill"] > 0.5
    assert after["loss"] < before["loss"]


def test_skill_is_that_of_errors_in_units_of_the_larger_spread():
    model, values = Forecaster(**SMALL), waves(2, 20)
    model.bias.assign_add(np.full(model.bias.shape, 0.3))
    part = window(model, values)
    losses = Forecast().losses(model, part, model.initial_state(2), training=False)
    numbers, centre, _ = model.predict_parameters(part, model.initial_state(2))[0]
    spread = centre.spread.numpy()[..., None]
    unit = np.maximum(spread, spread.mean(axis=1, keepdims=True))
    point = model.head.point(numbers, centre).numpy()
    error = np.abs(part["targets"] - point) / unit
    naive = np.abs(part["targets"] - centre.naive.numpy()) / unit
    weights = part["weights"]
    skill = 1 - (error * weights).sum() / (naive * weights).sum()
    metrics = Forecast().results(losses.sums.numpy().sum(0))
    assert metrics["skill"] == pytest.approx(skill, rel=1e-4)


def test_a_series_that_never_varied_counts_nothing():
    model = Forecaster(**SMALL)
    values = np.full((1, 20), 5.0, "float32")
    values[0, 15:] = 9
    losses = Forecast().losses(model, window(model, values), model.initial_state(1), True)
    assert np.isfinite(float(losses.by_player["model"]))
    assert float(losses.sums[0, 1]) == 3 + 3 + 2 + 1


def test_nothing_at_all_gives_zeros():
    assert Forecast().results([0.0, 0.0, 0.0, 0.0]) == {"loss": 0.0, "skill": 0.0}


@pytest.mark.parametrize("encoder", ["steps", "segments", "none"])
def test_targets_may_be_those_of_the_last_steps_only(encoder):
    model = Forecaster(**SMALL, encoder=encoder, segment=2, head="student_t")
    part = window(model, waves(3, 20))
    part["weights"][:, :12] = 0
    late = {**part, "targets": part["targets"][:, 12:], "weights": part["weights"][:, 12:]}
    state = model.initial_state(3)
    every, last = (Forecast().losses(model, each, state, True) for each in (part, late))
    np.testing.assert_allclose(last.sums[:, :2], every.sums[:, :2], rtol=1e-5)
    for one, other in zip(tf.nest.flatten(last.state), tf.nest.flatten(every.state)):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_skill_of_the_validation_part_may_choose_the_best_weights():
    assert Forecast().monitor == "val_loss" and Forecast(selection="skill").monitor == "val_skill"
    with pytest.raises(UserError, match="selection is 'mase'"):
        Forecast(selection="mase")


def test_squared_errors_count_in_the_square_of_the_unit_of_their_row():
    head = {"head": "mean", "quantiles": [0.5]}
    model = Forecaster(horizon=2, look_back=4, season=1, seasons=(), units=4, **head)
    x = model.example_inputs(1, 8)
    x[0, :, 0] = [0, 1, 0, 1, 0, 8, 0, 8]
    targets = np.full((1, 8, 2), 4.0, "float32")
    window = {
        "inputs": x,
        "targets": targets,
        "weights": np.ones((1, 8, 2), "float32"),
        "reset": np.ones(1, "int32"),
    }
    prediction, _ = model.predict_parameters(window, None)
    spread = prediction.centre.spread.numpy()[0]
    unit = np.maximum(spread, spread.mean())
    varied = prediction.varied.numpy()[0]
    apart = ((4.0 - x[0, :, :1]) / unit[:, None]) ** 2 * varied[:, None]
    loss = Forecast().losses(model, window, None, False).by_player["model"]
    assert float(loss) == pytest.approx(float(2 * apart.sum()), rel=1e-4)
