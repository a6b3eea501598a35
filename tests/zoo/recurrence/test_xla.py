"""The compiled sequence against the plain one: uneven halves, pieces, and when it is used."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import registry
from zoo.cells.lstm import LSTMCell
from zoo.recurrence import Recurrence, xla

pytestmark = pytest.mark.compiled
T, D, H = 7, 8, 4
# One product or several, kept as a sum or apart, weights in the pointwise part.
KINDS = ["lstm", "gru_reset_before", "layer_norm_gru", "peephole_lstm"]


def random(*shape):
    return tf.constant(np.random.default_rng(shape).normal(size=shape))


def make(name):
    recurrence = Recurrence(registry.load("cell", name)(H, dtype="float64"))
    recurrence.build((None, None, D))
    for weight in recurrence.weights:
        weight.assign(random(*weight.shape))
    return recurrence


def results(recurrence, batch, training, reset=True):
    """Outputs, final state, and the gradients of all of them in everything."""
    x, parts = random(batch, T, D), tf.nest.flatten(recurrence.initial_state(batch))
    parts = [random(*part.shape) for part in parts]
    arguments = {"lengths": np.arange(batch) % (T + 1), "reset": random(batch, T) > 1}
    sources = [x, *parts, *[weight.value for weight in recurrence.weights]]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        state = tf.nest.pack_sequence_as(recurrence.initial_state(batch), parts)
        y, final = recurrence(x, state, training=training, **(arguments if reset else {}))
        values = [y, *tf.nest.flatten(final)]
        loss = tf.add_n([tf.reduce_sum(value * random(*value.shape)) for value in values])
    return [*values, *tape.gradient(loss, sources)]


def assert_compiled_equals_plain(recurrence, batch, **arguments):
    graph = tf.function(lambda: results(recurrence, batch, True, **arguments))
    for a, b in zip(graph(), results(recurrence, batch, False, **arguments), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    ("name", "batch", "reset"),
    [("lstm", 5, True), ("lstm", 1, True)]
    + [
        pytest.param(*case, marks=pytest.mark.slow)
        for case in [(name, 5, True) for name in KINDS if name != "lstm"] + [("lstm", 5, False)]
    ],
)
def test_a_single_row_and_uneven_halves(name, batch, reset):
    assert_compiled_equals_plain(make(name), batch, reset=reset)


def in_pieces(monkeypatch):
    monkeypatch.setattr(xla, "WHOLE_BYTES", 0)
    monkeypatch.setattr(xla, "PIECE_BYTES", 1)
    monkeypatch.setattr(xla, "MOST_PIECES", 4)
    assert xla.piece_lengths(2, T, 8) == [2, 2, 2, 1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "reset"),
    [("gru_reset_before", True)]
    + [
        pytest.param(*case, marks=pytest.mark.slow)
        for case in (
            ("layer_norm_gru", True),
            ("lstm", True),
            ("peephole_lstm", True),
            ("lstm", False),
        )
    ],
)
def test_pieces_whose_products_are_computed_again(name, reset, monkeypatch):
    in_pieces(monkeypatch)
    assert_compiled_equals_plain(make(name), 2, reset=reset)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(registry.entries("cell")) - set(KINDS)))
def test_every_other_cell_in_pieces(name, monkeypatch):
    in_pieces(monkeypatch)
    assert_compiled_equals_plain(make(name), 2)


def test_only_a_long_sequence_is_cut():
    assert xla.piece_lengths(64, 35, 4 * 2048) == [35]
    assert xla.piece_lengths(32, 512, 4 * 1024) == [64] * 8
    lengths = xla.piece_lengths(32, 4001, 4 * 1024)
    assert len(lengths) == xla.MOST_PIECES and sum(lengths) == 4001


@pytest.mark.parametrize("jit_compile", [pytest.param(False, marks=pytest.mark.slow), True])
def test_keras_fit_learns_with_it(jit_compile):
    keras.utils.set_random_seed(1)
    x = keras.Input((T, D))
    y, _ = Recurrence(LSTMCell(16))(x)
    model = keras.Model(x, keras.layers.Dense(1)(y[:, -1]))
    model.compile(keras.optimizers.Adam(0.03), "mse", jit_compile=jit_compile)
    inputs = np.random.default_rng(1).normal(size=(64, T, D)).astype("float32")
    targets = inputs[:, :, 0].sum(axis=1, keepdims=True)
    before = model.evaluate(inputs, targets, verbose=0)
    model.fit(inputs, targets, batch_size=32, epochs=20, verbose=0)
    assert model.evaluate(inputs, targets, verbose=0) < 0.5 * before


def test_what_is_saved_for_inference_asks_for_no_compiler(tmp_path):
    recurrence = Recurrence(LSTMCell(H))
    recurrence.build((None, None, D))
    serve = tf.function(
        lambda x: recurrence(x, training=False)[0], input_signature=[tf.TensorSpec([2, T, D])]
    )
    module = tf.Module()
    module.serve, module.variables_ = serve, [weight.value for weight in recurrence.weights]
    tf.saved_model.save(module, tmp_path)
    assert b"_XlaMustCompile" not in (tmp_path / "saved_model.pb").read_bytes()
