import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.stack import RecurrentStack


@pytest.fixture
def ones_through_dropout():
    """What the first layer is given for inputs of one, in training."""
    stack = RecurrentStack("vanilla_rnn", units=4, dropout=0.5)
    return np.array(stack.dropout(np.ones((8, 5, 16), "float32"), training=True))


def test_dropout_spares_or_drops_an_entry_at_all_time_steps(ones_through_dropout):
    assert set(np.unique(ones_through_dropout)) == {0, 2}
    assert np.array_equal(ones_through_dropout, ones_through_dropout[:, :1].repeat(5, axis=1))


def test_dropout_draws_for_each_row_anew(ones_through_dropout):
    assert len(np.unique(ones_through_dropout[:, 0], axis=0)) == 8


@pytest.mark.parametrize("cell", ["lstm", "min_gru"])
def test_a_compiled_training_step_equals_the_plain_one(cell):
    stack = RecurrentStack(cell, units=4, layers=2, dtype="float64")
    stack.build((3, 5, 2))
    for weight in stack.weights:
        weight.assign(np.random.normal(size=weight.shape))
    x = tf.constant(np.random.normal(size=(3, 5, 2)))
    flags = {"lengths": [5, 0, 3], "reset": [[0, 1, 0, 0, 1]] * 3}

    def results(training):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y, state = stack(x, training=training, **flags)
            values = [y, *tf.nest.flatten(state)]
            loss = tf.add_n([tf.reduce_sum(tf.sin(value + n)) for n, value in enumerate(values)])
        return [*values, *tape.gradient(loss, [x, *[weight.value for weight in stack.weights]])]

    compiled = tf.function(results, autograph=False)
    for a, b in zip(compiled(True), results(False), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
    # Compiled indeed: the layers hand `training` on to the recurrences inside.
    graph = compiled.get_concrete_function(True).graph.as_graph_def()
    assert b"_XlaMustCompile" in graph.SerializeToString()
