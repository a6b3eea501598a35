import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.stack import RecurrentStack

pytestmark = pytest.mark.compiled


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


@pytest.mark.parametrize("cell", [pytest.param("lstm", marks=pytest.mark.slow), "min_gru"])
@pytest.mark.slow
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


def test_a_bidirectional_stack_gives_each_layer_both_outputs_of_the_one_below():
    stack = RecurrentStack("gru", units=4, layers=2, bidirectional=True)
    x = np.random.default_rng(1).normal(size=(3, 5, 2)).astype("float32")
    y, state = stack(x, lengths=[5, 2, 3])
    assert y.shape == (3, 5, 8) and stack.output_size == 8
    below, above = stack.recurrences
    expected, final = above(below(x, lengths=[5, 2, 3])[0], lengths=[5, 2, 3])
    np.testing.assert_allclose(y, expected, atol=1e-6)
    np.testing.assert_allclose(state[1][1].h, final[1].h, atol=1e-6)
    # The two directions have weights of their own.
    kernels = below.forwards.cell.kernel, below.backwards.cell.kernel
    assert not np.allclose(*(keras.ops.convert_to_numpy(kernel) for kernel in kernels))
    with pytest.raises(ValueError, match="no steps"):
        stack.step(x[:, 0], state)


def test_a_cell_takes_its_own_options():
    stack = RecurrentStack("conv_lstm", units=3, cell_options={"image_shape": (4, 5)})
    y, _ = stack(np.ones((2, 3, 4 * 5 * 2), "float32"))
    assert y.shape == (2, 3, 4 * 5 * 3) and stack.output_size == 60
