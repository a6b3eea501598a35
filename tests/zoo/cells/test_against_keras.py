"""The classic cells against `keras.layers.SimpleRNN`, `LSTM` and `GRU`, weights converted."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.cells.gru import GRUCell, ResetBeforeGRUCell
from zoo.cells.lstm import LSTMCell
from zoo.cells.vanilla_rnn import VanillaRNNCell
from zoo.recurrence import Recurrence

B, T, D, H = 4, 9, 5, 6
MASK = np.arange(T) < np.array([[9], [4], [0], [1]])


def unchanged(kernel, recurrent_kernel, bias):
    return kernel, recurrent_kernel, bias


def from_joined(kernel, bias):
    """One matrix over (h, x) with columns f, i, o, g, to two matrices with i, f, g, o."""
    f, i, o, g = np.split(np.concatenate([kernel, bias[None]]), 4, axis=1)
    rows = np.concatenate([i, f, g, o], axis=1)
    return rows[H:-1], rows[:H], rows[-1]


def stacked_biases(kernel, recurrent_kernel, bias, recurrent_bias):
    return kernel, recurrent_kernel, np.stack([bias, recurrent_bias])


PAIRS = {
    "vanilla_rnn": (VanillaRNNCell, keras.layers.SimpleRNN, unchanged),
    "lstm": (LSTMCell, keras.layers.LSTM, from_joined),
    "gru": (GRUCell, keras.layers.GRU, stacked_biases),
    "gru_reset_before": (
        ResetBeforeGRUCell,
        partial(keras.layers.GRU, reset_after=False),
        unchanged,
    ),
}
MODES = {
    "eager": lambda function: function,
    "graph": tf.function,
    "xla": tf.function(jit_compile=True),
}


def random(*shape):
    return tf.constant(np.random.normal(size=shape).astype("float32"))


def pair(name):
    """Our recurrence and Keras' layer with the same weights, and how to convert ours."""
    cell, layer, convert = PAIRS[name]
    ours = Recurrence(cell(H))
    ours.build((None, None, D))
    for weight in ours.weights:
        weight.assign(0.5 * random(*weight.shape))
    theirs = layer(H, return_sequences=True, return_state=True)
    theirs.zero_output_for_mask = True
    theirs.build((None, None, D))
    theirs.set_weights(convert(*ours.get_weights()))
    return ours, theirs, convert


def derivatives(values, tape, x, state, weights):
    """Gradients of a fixed mixture of all values: in x, the initial state and the weights."""
    loss = tf.add_n([tf.reduce_sum(tf.sin(3.0 * value + n)) for n, value in enumerate(values)])
    sources = [x, *state, *weights]
    return tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def compare(name, mode, state=(), mask=None):
    ours, theirs, convert = pair(name)
    x = random(B, T, D)
    lengths = None if mask is None else tf.constant(mask.sum(axis=1), "int32")

    @mode
    def run_ours(x, state):
        weights = [weight.value for weight in ours.weights]
        with tf.GradientTape() as tape:
            tape.watch([x, *state])
            y, final = ours(x, initial_state=list(state) or None, lengths=lengths)
            values = [y, *final]
        return values, derivatives(values, tape, x, state, weights)

    with tf.GradientTape() as tape:
        tape.watch([x, *state])
        expected = theirs(x, initial_state=list(state) or None, mask=mask)
    weights = [weight.value for weight in theirs.weights]
    expected_gradients = derivatives(expected, tape, x, state, weights)

    values, gradients = run_ours(x, state)
    split = 1 + len(state)
    converted = convert(*[gradient.numpy() for gradient in gradients[split:]])
    for a, b in zip(
        [*values, *gradients[:split], *converted], [*expected, *expected_gradients], strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def state_of(name):
    return tuple(random(B, H) for _ in range(2 if name == "lstm" else 1))


every_pair = pytest.mark.parametrize("name", PAIRS)
every_mode = pytest.mark.parametrize("mode", MODES.values(), ids=list(MODES))


@every_mode
@every_pair
def test_padded_rows_from_a_given_state_equal_keras_with_a_mask(name, mode):
    compare(name, mode, state_of(name), MASK)


@every_mode
@every_pair
def test_whole_rows_from_the_zero_state_equal_keras(name, mode):
    compare(name, mode)


@every_pair
def test_whole_rows_from_a_given_state_equal_keras(name):
    compare(name, MODES["eager"], state_of(name))


@every_pair
def test_reverse_equals_going_backwards_in_keras(name):
    ours, theirs, _ = pair(name)
    ours.reverse = theirs.go_backwards = True
    x = random(B, T, D)
    y, state = ours(x)
    expected, *expected_state = theirs(x)
    np.testing.assert_allclose(y[:, ::-1], expected, atol=1e-5)
    np.testing.assert_allclose(state, expected_state, atol=1e-5)
