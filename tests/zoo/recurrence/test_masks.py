"""Steps that a mask leaves out: wherever they stand, the others give what they give alone."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.cells.gru import GRUCell
from zoo.cells.linear import MinGRUCell
from zoo.cells.lstm import LSTMCell
from zoo.cells.quasi import QRNNCell
from zoo.cells.wrappers import ZoneoutCell
from zoo.layers.attending import AttendingStack
from zoo.layers.bidirectional import Bidirectional
from zoo.layers.keras_like import KerasLike
from zoo.layers.reading import PooledStack
from zoo.layers.stack import RecurrentStack
from zoo.recurrence import Recurrence

B, T, D, H = 5, 6, 3, 4
MASK = np.array(
    [
        [1, 1, 1, 0, 0, 0],
        [0, 0, 1, 1, 1, 1],
        [1, 0, 0, 1, 0, 1],
        [0, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 1],
    ],
    bool,
)
CELLS = {
    "lstm": lambda: LSTMCell(H, dtype="float64"),
    "scan": lambda: MinGRUCell(H, dtype="float64"),
    "scan that looks back": lambda: QRNNCell(H, dtype="float64"),
    "wrapped": lambda: ZoneoutCell(GRUCell(H, dtype="float64"), 0.3),
    "of Keras": lambda: keras.layers.GRUCell(H, dtype="float64"),
}
every_cell = pytest.mark.parametrize("make_cell", CELLS.values(), ids=list(CELLS))


@pytest.fixture(autouse=True)
def nothing_is_dropped_with_a_warning():
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*does not support mask")
        yield


def random(*shape):
    return np.random.default_rng(shape).normal(size=shape)


@pytest.mark.parametrize("reset", [None, random(B, T) > 0.4], ids=["", "reset"])
@pytest.mark.parametrize("reverse", [False, True], ids=["", "reversed"])
@every_cell
def test_a_row_gives_what_its_steps_give_alone(make_cell, reverse, reset):
    recurrence, x = Recurrence(make_cell(), reverse=reverse), random(B, T, D)
    y, state = recurrence(x, mask=MASK, reset=reset)
    np.testing.assert_array_equal(np.array(y)[~MASK], 0)
    for b, steps in enumerate(MASK):
        parts = [part[b] for part in tf.nest.flatten(state)]
        if not steps.any():
            alone = tf.nest.flatten(recurrence.initial_state(1))
        else:
            again = None
            if reset is not None:
                # What starts at a step that is left out starts at the next one.
                number = np.cumsum(reset[b])[steps]
                again = (np.diff(number, prepend=0) > 0)[None]
            row, alone = recurrence(x[b : b + 1, steps], reset=again)
            np.testing.assert_allclose(y[b][steps], row[0], atol=1e-12)
        for part, expected in zip(parts, tf.nest.flatten(alone), strict=True):
            np.testing.assert_allclose(part, expected[0], atol=1e-12)


@pytest.mark.parametrize("run", [lambda f: f, tf.function], ids=["plain", "compiled"])
@pytest.mark.parametrize("mask", [MASK, MASK[:, ::-1]], ids=["", "turned"])
def test_outputs_and_gradients_are_those_of_keras(run, mask):
    x, start = tf.constant(random(B, T, D)), [tf.constant(random(B, H))] * 2
    cell = keras.layers.LSTMCell(H, dtype="float64")
    theirs = keras.layers.RNN(
        cell, return_sequences=True, return_state=True, zero_output_for_mask=True, dtype="float64"
    )
    ours = Recurrence(LSTMCell(H, dtype="float64"))
    theirs(x), ours(x)
    i, f, g, o = np.split(random(H + D + 1, 4 * H), 4, axis=1)
    ours.set_weights([np.hstack([f, i, o, g])[:-1], np.hstack([f, i, o, g])[-1]])
    theirs_ = np.hstack([i, f, g, o])
    theirs.set_weights([theirs_[H:-1], theirs_[:H], theirs_[-1]])

    def results(layer):
        with tf.GradientTape() as tape:
            tape.watch([x, *start])
            y, *state = tf.nest.flatten(
                layer(x, initial_state=start, mask=tf.constant(mask), training=True)
            )
            values = [y, *state]
            loss = tf.add_n([tf.reduce_sum(value * random(*value.shape)) for value in values])
        return [*values, *tape.gradient(loss, [x, *start])]

    for a, b in zip(run(lambda: results(ours))(), results(theirs), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-11)


def test_of_a_mask_and_lengths_what_both_leave_counts():
    recurrence, x, lengths = Recurrence(GRUCell(H)), random(B, T, D), [2, 3, 6, 4, 0]
    both = MASK & (np.arange(T) < np.array(lengths)[:, None])
    y, state = recurrence(x, mask=MASK, lengths=lengths)
    expected, expected_state = recurrence(x, mask=both)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(state.h, expected_state.h)


@pytest.mark.parametrize("mask", [np.ones((B, T + 1)), np.ones(T), np.ones((B, T, 1))])
def test_a_mask_of_another_shape_is_refused(mask):
    with pytest.raises(ValueError, match=r"mask has shape .* rows of 6 time steps; pass \[B, T\]"):
        Recurrence(GRUCell(H))(random(B, T, D), mask=mask)


# What Keras' layers hand on

TOKENS = np.array([[3, 1, 2, 0, 0], [0, 0, 1, 1, 0], [4, 0, 3, 0, 2]])
LAYERS = {
    "recurrence": lambda: Recurrence(GRUCell(H)),
    "reversed": lambda: Recurrence(GRUCell(H), reverse=True),
    "bidirectional": lambda: Bidirectional(GRUCell(H)),
    "stack": lambda: RecurrentStack("gru", units=H, layers=2),
}


def embedding():
    layer = keras.layers.Embedding(5, D, mask_zero=True)
    layer.build(())
    return layer


@pytest.mark.parametrize("beside", [{}, {"lengths": [4, 5, 5]}, {"reset": [1, 1, 0]}], ids=str)
@pytest.mark.parametrize("make", LAYERS.values(), ids=list(LAYERS))
def test_the_mask_of_an_embedding_is_taken_whatever_stands_beside_it(make, beside):
    embed, layer = embedding(), make()
    y, _ = layer(embed(TOKENS), **beside)
    plain, _ = layer(tf.gather(embed.embeddings.value, TOKENS), mask=TOKENS > 0, **beside)
    np.testing.assert_array_equal(y, plain)
    np.testing.assert_array_equal(np.array(y)[TOKENS == 0], 0)
    np.testing.assert_array_equal(y._keras_mask, TOKENS > 0)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, id=name, marks=[] if name == "stack" else pytest.mark.slow)
        for name, make in LAYERS.items()
    ],
)
def test_a_functional_model_takes_it_too(make):
    embed, layer = embedding(), make()
    tokens, lengths = keras.Input((None,), dtype="int32"), keras.Input((), dtype="int32")
    y, _ = layer(embed(tokens))
    cut, _ = layer(embed(tokens), lengths=lengths)
    model = keras.Model([tokens, lengths], [y, cut])
    expected = [layer(embed(TOKENS))[0], layer(embed(TOKENS), lengths=[4, 5, 5])[0]]
    for run in (model, tf.function(model), model.predict):
        for a, b in zip(run([TOKENS, np.array([4, 5, 5])]), expected, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", [pytest.param(False, marks=pytest.mark.slow), True])
def test_fit_trains_as_keras_trains_its_own_layer(jit_compile):
    targets, losses = np.array([0, 1, 1]), []
    start = random(D, 3 * H), random(H, 3 * H), random(2, 3 * H)
    for make in (lambda: KerasLike(Recurrence(GRUCell(H))), lambda: keras.layers.GRU(H)):
        keras.utils.set_random_seed(1)
        layer, embed = make(), embedding()
        embed.set_weights([random(5, D)])
        head = keras.layers.Dense(2, kernel_initializer="ones")
        model = keras.Sequential([embed, layer, head])
        model.build((None, None))
        if isinstance(layer, KerasLike):
            cell = layer.recurrence.cell
            values = [start[0], start[1], start[2][0], start[2][1]]
            for weight, value in zip(
                [cell.kernel, cell.recurrent_kernel, cell.bias, cell.recurrent_bias], values
            ):
                weight.assign(value)
        else:
            layer.set_weights(start)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.5), loss, jit_compile=jit_compile)
        history = model.fit(TOKENS, targets, epochs=3, verbose=0, shuffle=False)
        losses.append(history.history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-4)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_the_keras_like_layer_gives_what_keras_gives(sequences, reverse):
    ours = KerasLike(Recurrence(LSTMCell(H), reverse=reverse), return_sequences=sequences)
    theirs = keras.layers.RNN(
        LSTMCell(H),
        return_sequences=sequences,
        go_backwards=reverse,
        zero_output_for_mask=sequences,
    )
    x = random(B, T, D).astype("float32")
    ours(x), theirs(x)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(x, mask=MASK), theirs(x, mask=MASK), atol=1e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: PooledStack("gru", H)(x),
        lambda x: (s := AttendingStack("gru", H, 2))(x, s.initial_state(3)),
    ],
)
def test_layers_without_masks_refuse_them_in_one_line(call):
    with pytest.raises(ValueError, match=r"carry a mask, which \w+ does not take; pass lengths"):
        call(embedding()(TOKENS))


def test_the_shape_of_outputs_is_known_without_a_call():
    recurrence = Recurrence(LSTMCell(H))
    y, state = recurrence.compute_output_shape((None, 7, D))
    assert y == (None, 7, H) and state == ((None, H), (None, H))
    y, state = recurrence(keras.Input((7, D)))
    assert y.shape == (None, 7, H) and state.c.shape == (None, H)
