"""Paintings that are rewarded as a set: what strokes gain, and what is refused."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.errors import UserError
from zoo.training.objectives import SketchReward, StrokeReward, Update
from zoo.training.settings import Settings

SIZES = {"image_shape": (6, 6, 1), "strokes": 2, "grid": 3, "units": 6, "filters": 2, "latent": 3}
FIRST = Update(tf.constant(0), 4)
SEED = tf.constant([3, 4])
ROWS = 8


@pytest.fixture(scope="module")
def model():
    return zoo.create("spiral-sketch", **SIZES)


@pytest.fixture(scope="module")
def window():
    """Pictures whose upper half is ink."""
    images = np.zeros((ROWS, 6, 6, 1), "int32")
    images[:, :3] = 255
    return {
        "inputs": {"noise": tf.zeros([ROWS, 3]), "strokes": tf.zeros([ROWS, 2, 5], tf.int32)},
        "targets": tf.constant(images),
        "weights": tf.ones([ROWS]),
        "reset": tf.ones([ROWS], tf.int32),
    }


def test_noise_and_strokes_are_drawn_anew_for_each_update(model, window):
    objective = SketchReward(copies=2)
    one, same = (objective.prepare(model, window, SEED, FIRST) for _ in range(2))
    other = objective.prepare(model, window, SEED + 1, FIRST)
    assert one["painting"].canvases.shape == (2 * ROWS, 3, 6, 6, 1)
    for part in (lambda w: w["inputs"]["noise"], lambda w: w["painting"].tokens):
        np.testing.assert_array_equal(part(one), part(same))
        assert np.any(part(one) != part(other))
    assert np.abs(one["inputs"]["noise"]).min() > 0


@pytest.mark.parametrize("copies", [1, 2])
def test_rows_without_weight_teach_nothing(model, window, copies):
    objective = SketchReward(copies=copies)
    prepared = objective.prepare(model, window, SEED, FIRST)
    weights = tf.constant([1.0] * (ROWS - 2) + [0, 0])
    targets = tf.concat([window["targets"][:-2], tf.zeros([2, 6, 6, 1], tf.int32)], axis=0)
    full = {**prepared, "weights": weights}
    losses = [
        objective.losses(model, each, (), training=True)
        for each in (full, {**full, "targets": targets})
    ]
    one, other = (float(each.by_player["model"]) for each in losses)
    assert np.isfinite(one) and one == pytest.approx(other, rel=1e-5)
    assert not losses[0].sums[-2:].numpy().any()


@pytest.mark.slow
def test_paintings_come_nearer_to_the_pictures(window):
    """All ink above the middle: a model soon paints there and not below."""
    model = zoo.create("spiral-sketch", **SIZES)
    objective = SketchReward(entropy_weight=0.1, copies=8)
    optimizer = tf.keras.optimizers.Adam(0.02)

    @tf.function(autograph=False)
    def update(number):
        prepared = objective.prepare(model, window, tf.stack([number, 1]), FIRST)
        with tf.GradientTape() as tape:
            losses = objective.losses(model, prepared, (), training=True)
            loss = losses.by_player["model"] / ROWS
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return tf.reduce_mean(losses.sums[:, 0])

    distances = [float(update(tf.constant(number))) for number in range(60)]
    assert np.mean(distances[-10:]) < 0.85 * np.mean(distances[:10])
    drawn = objective.prepare(model, window, SEED, FIRST)["painting"].canvases[:, -1].numpy()
    assert drawn[:, :3].mean() > 2 * drawn[:, 3:].mean()


def test_what_is_evaluated_is_drawn_alike_each_time(model, window):
    sums = [SketchReward().losses(model, window, (), training=False).sums for _ in range(2)]
    np.testing.assert_array_equal(*sums)
    metrics = SketchReward().results(np.sum(sums[0], axis=0))
    assert set(metrics) == {"loss", "entropy"} and metrics["loss"] > 0


def test_a_model_of_the_other_kind_is_refused(model):
    painter = zoo.create("spiral-digits", units=4, filters=2, strokes=2)
    with pytest.raises(UserError, match="set latent to more than 0"):
        SketchReward().check(painter, Settings())
    with pytest.raises(UserError, match="is shown no picture to paint"):
        StrokeReward().check(model, Settings())
    with pytest.raises(UserError, match="batch_size is 1, but paintings are compared"):
        SketchReward().check(model, Settings(batch_size=1))
    with pytest.raises(UserError, match="paints no strokes"):
        SketchReward().check(zoo.create("char-lstm", vocab_size=9), Settings())
