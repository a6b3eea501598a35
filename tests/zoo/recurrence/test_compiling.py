"""Which sequences are compiled, and that those of any shape answer as the plain loop does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import registry
from zoo.cells.lstm import LSTMCell
from zoo.recurrence import Recurrence, compiling
from zoo.recurrence.compiling import (
    Compile,
    FrequentShapes,
    compiled,
    when_to_compile,
)

pytestmark = pytest.mark.compiled
D, H = 8, 4


@pytest.fixture
def shapes(shape_counters, monkeypatch):
    """The counters that are made, all of which choose a shape when they first meet it."""
    monkeypatch.setattr(compiling, "CALLS_BEFORE", 0)
    return shape_counters


def make(name, dtype="float64"):
    recurrence = Recurrence(registry.load("cell", name)(H, dtype=dtype))
    recurrence.build((None, None, D))
    return recurrence


def inputs(batch, time, dtype="float64"):
    drawn = np.random.default_rng(batch * 100 + time)
    x = drawn.normal(size=(batch, time, D)).astype(dtype)
    lengths = drawn.integers(0, time + 1, batch).astype("int32")
    mask = drawn.random((batch, time)) > 0.3
    return x, lengths, drawn.random((batch, time)) > 0.7, mask


def results(recurrence, training, x, lengths, reset, mask, masked):
    """Outputs, final state, and the gradients of both in the inputs and all weights."""
    weights = [weight.value for weight in recurrence.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(x)
        chosen = {"mask": mask} if masked else {"lengths": lengths}
        y, state = recurrence(x, reset=reset, training=training, **chosen)
        values = [y, *tf.nest.flatten(state)]
        loss = tf.add_n([tf.reduce_sum(tf.sin(tf.cast(value, y.dtype))) for value in values])
    return [*values, *tape.gradient(loss, [x, *weights])]


def graph_of(recurrence, training, masked, dtype="float64"):
    specs = [
        tf.TensorSpec([None, None, D], dtype),
        tf.TensorSpec([None], "int32"),
        *[tf.TensorSpec([None, None], "bool")] * 2,
    ]
    return tf.function(
        lambda *tensors: results(recurrence, training, *tensors, masked=masked),
        input_signature=specs,
    )


def assert_equal(ones, others, **near):
    for one, other in zip(ones, others, strict=True):
        np.testing.assert_allclose(tf.cast(one, "float64"), tf.cast(other, "float64"), **near)


def assert_any_shape_answers(recurrence, sizes, shapes, masked=False):
    graph = graph_of(recurrence, True, masked)
    for batch, time in sizes:
        tensors = [tf.constant(each) for each in inputs(batch, time)]
        plain = results(recurrence, False, *tensors, masked=masked)
        assert_equal(graph(*tensors), plain, rtol=1e-9, atol=1e-11)
    assert shapes[0].chosen() == sizes


@pytest.mark.slow
def test_an_unknown_shape_answers_as_the_plain_loop(shapes):
    assert_any_shape_answers(make("lstm"), [(5, 7), (1, 1)], shapes, masked=True)


@pytest.mark.slow
def test_a_parallel_scan_of_an_unknown_shape_answers_so(shapes):
    assert_any_shape_answers(make("lru"), [(3, 4)], shapes)


# Two are above; conv_lstm is never compiled: on a CPU, XLA's convolutions are slow.
OTHERS = sorted(set(registry.entries("cell")) - {"lstm", "lru", "conv_lstm"})


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_every_other_cell_answers_so(name, shapes):
    assert_any_shape_answers(make(name), [(3, 4)], shapes)


@pytest.mark.slow
def test_an_unknown_shape_of_mixed_precision(shapes):
    recurrence = make("lstm", "mixed_float16")
    tensors = [tf.constant(each) for each in inputs(4, 5, "float16")]
    graph = graph_of(recurrence, True, False, "float16")
    plain = results(recurrence, False, *tensors, masked=False)
    assert_equal(graph(*tensors), plain, rtol=0.02, atol=0.01)
    assert shapes[0].chosen() == [(4, 5)]


def test_no_row_of_an_unknown_shape(shapes):
    tensors = [tf.constant(each) for each in inputs(0, 3)]
    y, *_ = graph_of(make("lstm"), True, False)(*tensors)
    assert y.shape == (0, 3, H)


@pytest.mark.slow
def test_inference_is_compiled_where_it_stays_in_the_process(shapes):
    recurrence = make("gru")
    tensors = [tf.constant(each) for each in inputs(5, 7)]
    with compiled(Compile.FREQUENT):
        graph = graph_of(recurrence, False, False)
        answers = graph(*tensors)
    assert_equal(answers, results(recurrence, False, *tensors, masked=False), rtol=1e-9, atol=1e-11)
    assert shapes[0].chosen() == [(5, 7)]


def test_a_shape_is_compiled_when_it_was_met_often(monkeypatch):
    shapes = FrequentShapes()
    frequent = tf.function(lambda batch, time: shapes.frequent(batch, time))
    met = [(2, 5), (3, 5)] * compiling.CALLS_BEFORE
    assert not any(frequent(*map(tf.constant, shape)) for shape in met)
    assert shapes.chosen() == []
    assert frequent(tf.constant(2), tf.constant(5))
    assert shapes.chosen() == [(2, 5)]
    monkeypatch.setattr(compiling, "MOST_SHAPES", 1)
    again = tf.function(lambda batch, time: shapes.frequent(batch, time))
    assert not again(tf.constant(3), tf.constant(5))
    assert again(tf.constant(2), tf.constant(5))


def test_when_a_sequence_is_compiled():
    cell, decided = LSTMCell(H), {}
    known, unknown = [2, 5, D], [None, 5, D]

    def decide(name, shape, training, jit_compile=None):
        @tf.function(input_signature=[tf.TensorSpec(shape)], jit_compile=jit_compile)
        def traced(x):
            decided[name] = when_to_compile(cell, x, training)
            return x

        traced(tf.zeros([2, 5, D]) if shape[1] == 5 else tf.zeros([2, 1, D]))

    decide("known", known, True)
    decide("unknown", unknown, True)
    decide("within XLA", known, True, jit_compile=True)
    decide("to be saved", unknown, False)
    with compiled(Compile.FREQUENT):
        decide("often", unknown, False)
        decide("often, in training", known, True)
        decide("a step", [None, 1, D], False)
    with compiled(Compile.ALWAYS):
        decide("at once", unknown, False)
    decided["eager"] = when_to_compile(cell, tf.zeros(known), True)
    never = dict.fromkeys(["within XLA", "to be saved", "a step", "eager"], Compile.NEVER)
    frequent = dict.fromkeys(["unknown", "often", "often, in training"], Compile.FREQUENT)
    always = dict.fromkeys(["known", "at once"], Compile.ALWAYS)
    assert decided == {**always, **frequent, **never}


@pytest.mark.slow
def test_keras_own_loops_and_what_it_saves(shapes, tmp_path):
    """Batches of 4 and a last one of 1, of a batch size that Keras' graphs do not know."""
    x = keras.Input((3, D))
    y, _ = Recurrence(LSTMCell(H))(x)
    model = keras.Model(x, y)
    model.compile("sgd", "mse", jit_compile=False)
    drawn = np.random.default_rng(0)
    arrays = drawn.normal(size=(9, 3, D)), drawn.normal(size=(9, 3, H))
    model.fit(*arrays, batch_size=4, verbose=0)
    assert shapes[-1].chosen() == [(4, 3), (1, 3)]
    counted = len(shapes)
    answers = model.predict(arrays[0][:8], batch_size=4, verbose=0)
    assert {(4, 3)} <= {shape for each in shapes[counted:] for shape in each.chosen()}
    np.testing.assert_allclose(answers, model(arrays[0][:8]), atol=1e-6)
    model.export(tmp_path, verbose=False)
    saved = (tmp_path / "saved_model.pb").read_bytes()
    assert b"_XlaMustCompile" not in saved and b"zoo_shapes" not in saved
