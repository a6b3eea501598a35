"""What `Recurrence` refuses, and what it makes of no row and of rows without a step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.cells.linear import MinGRUCell
from zoo.cells.lstm import LSTMCell
from zoo.cells.wrappers import ZoneoutCell
from zoo.recurrence import Recurrence

B, T, D, H = 3, 7, 2, 4


def random(*shape):
    return tf.constant(np.random.normal(size=shape))


def lstm():
    return Recurrence(LSTMCell(H, dtype="float64"))


# What is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lengths": [1, 12, 3]}, r"lengths\[1\] is 12, but the batch has 7 time steps; pass"),
        ({"lengths": [1, 2, -1]}, r"lengths\[2\] is -1; pass lengths >= 0"),
        ({"lengths": [1, 2]}, r"lengths has shape \(2,\), but the batch has 3 rows"),
        ({"reset": np.ones((B, T, 1))}, r"reset has shape \(3, 7, 1\), .* pass \[B\] or \[B, T\]"),
        ({"reset": np.ones((B, T + 1))}, r"reset has shape \(3, 8\), .* 7 time steps"),
        ({"reset": np.ones(T)}, r"reset has shape \(7,\), but the batch has 3 rows"),
        ({"reset": True}, r"reset has shape \(\), but the batch has 3 rows"),
        ({"lengths": 3}, r"lengths has shape \(\), but the batch has 3 rows; pass \[B\]"),
        ({"initial_state": np.ones((B, H))}, r"shapes \(3, 4\), but .* \(3, 4\), \(3, 4\); pass"),
        ({"initial_state": [np.ones((B, H))] * 3}, r"\(3, 4\), \(3, 4\), but .*; pass a state as"),
        ({"initial_state": [np.ones((B, H))]}, r"shapes \(3, 4\), but .* \(3, 4\), \(3, 4\); pass"),
        ({"initial_state": [np.ones((B, 5))] * 2}, r"initial_state has shapes \(3, 5\), \(3, 5\)"),
        ({"initial_state": [np.ones((2, H))] * 2}, r"initial_state has shapes \(2, 4\), \(2, 4\)"),
    ],
)
def test_a_wrong_argument_gets_one_clear_line(arguments, message):
    with pytest.raises(ValueError, match=message):
        lstm()(random(B, T, D), **arguments)


@pytest.mark.parametrize("shape", [(B, D), (B, T, D, 1), (T,)])
def test_inputs_of_another_rank_are_refused(shape):
    with pytest.raises(ValueError, match=f"expected ndim=3, found ndim={len(shape)}"):
        lstm()(random(*shape))


def test_inputs_of_another_size_than_the_first_are_refused():
    recurrence = lstm()
    recurrence(random(B, T, D))
    with pytest.raises(ValueError, match=r"axis -1 .* to have value 2, .* shape \(3, 7, 3\)$"):
        recurrence(random(B, T, D + 1))


def test_inputs_without_a_time_step_are_refused():
    with pytest.raises(ValueError, match="no time step; pass at least one"):
        lstm()(random(B, 0, D))


def test_inputs_without_a_time_step_are_refused_when_only_the_run_shows_it():
    graph = tf.function(lstm(), input_signature=[tf.TensorSpec([None, None, D], "float64")])
    with pytest.raises(tf.errors.InvalidArgumentError, match="no time step; pass at least one"):
        graph(random(B, 0, D))


# What is empty

ENGINES = {
    "loop": lambda: LSTMCell(H),
    "linear": lambda: MinGRUCell(H),
    "wrapper": lambda: ZoneoutCell(LSTMCell(H), 0.5),
    "Keras": lambda: keras.layers.LSTMCell(H),
    "Keras dropout": lambda: keras.layers.GRUCell(H, dropout=0.5),
}
WAYS = {
    "eager": lambda function: function,
    "graph": tf.function,
    "unknown shape": lambda function: tf.function(
        function, input_signature=[tf.TensorSpec([None, None, D])]
    ),
}
every_engine = pytest.mark.parametrize("make_cell", ENGINES.values(), ids=list(ENGINES))
every_way = pytest.mark.parametrize(
    ("way", "training"),
    [
        pytest.param(WAYS["eager"], False, id="eager-inference"),
        pytest.param(WAYS["graph"], True, id="graph-training", marks=pytest.mark.slow),
        pytest.param(WAYS["unknown shape"], True, id="unknown shape-training"),
    ],
)


@every_way
@every_engine
def test_a_batch_without_rows_gives_empty_outputs_and_states(make_cell, way, training):
    recurrence = Recurrence(make_cell())
    recurrence.build((None, None, D))

    def run(x):
        batch, time = tf.shape(x)[0], tf.shape(x)[1]
        flags = {"lengths": tf.fill([batch], time), "reset": tf.fill([batch, time], False)}
        with tf.GradientTape() as tape:
            y, state = recurrence(x, training=training)
            flagged, _ = recurrence(x, training=training, **flags)
            loss = tf.reduce_sum(y) + tf.reduce_sum(flagged)
        weights = [weight.value for weight in recurrence.trainable_weights]
        zero = tf.UnconnectedGradients.ZERO
        return y, tf.nest.flatten(state), tape.gradient(loss, weights, unconnected_gradients=zero)

    y, state, gradients = way(run)(tf.zeros((0, T, D)))
    assert y.shape == (0, T, H)
    assert all(part.shape == (0, H) for part in state)
    assert gradients and not any(map(np.any, gradients))


@every_way
@every_engine
def test_a_row_of_length_zero_has_zero_outputs_and_keeps_its_state(make_cell, way, training):
    recurrence = Recurrence(make_cell())
    x = tf.cast(random(B, T, D), "float32")
    _, start = recurrence(x)
    run = lambda x: recurrence(x, start, lengths=[T, 0, 3], reset=[0, 1, 0], training=training)  # noqa: E731
    y, final = way(run)(x)
    assert np.any(y[0, -1]) and not np.any(y[1])
    for before, after in zip(tf.nest.flatten(start), tf.nest.flatten(final), strict=True):
        np.testing.assert_array_equal(before[1], after[1])
        assert np.any(before[2] != after[2])
