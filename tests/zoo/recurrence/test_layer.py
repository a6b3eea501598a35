"""What `Recurrence` promises beyond what the conformance tests ask of every cell."""

from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from zoo.cells.base import Cell, HiddenState
from zoo.cells.gru import GRUCell
from zoo.cells.lstm import LSTMCell
from zoo.recurrence import Recurrence

B, T, D, H = 3, 7, 2, 4
ZERO = tf.UnconnectedGradients.ZERO


def random(*shape):
    return tf.constant(np.random.normal(size=shape))


def lstm(**kwargs):
    return Recurrence(LSTMCell(H, dtype="float64"), **kwargs)


# Resets, chunks, gradients


def test_resetting_one_row_leaves_the_others_bit_identical():
    recurrence, x = lstm(), random(B, T, D)
    reset = np.zeros((B, T), bool)
    reset[1, 3] = True
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, state = recurrence(x)
        y_reset, state_reset = recurrence(x, reset=reset)
    dx, dx_reset = tape.gradient(y, x), tape.gradient(y_reset, x)
    for before, after in [(y, y_reset), (dx, dx_reset), *zip(state, state_reset, strict=True)]:
        before, after = before.numpy(), after.numpy()
        np.testing.assert_array_equal(before[[0, 2]], after[[0, 2]])
        assert np.any(before[1] != after[1])


def test_a_reset_row_starts_as_if_nothing_had_been():
    recurrence, x = lstm(), random(B, T, D)
    state = recurrence(random(B, T, D))[1]
    y, _ = recurrence(x, initial_state=state, reset=[True, False, True])
    expected, _ = recurrence(x)
    np.testing.assert_array_equal(y.numpy()[[0, 2]], expected.numpy()[[0, 2]])
    assert np.any(y[1] != expected[1])


@pytest.mark.parametrize("cut", [1, 4])
def test_chunks_with_carried_state_equal_the_whole(cut):
    recurrence, x = lstm(), random(B, T, D)
    reset = np.random.default_rng(0).random((B, T)) < 0.3
    first, state = recurrence(x[:, :cut], reset=reset[:, :cut])
    second, state = recurrence(x[:, cut:], initial_state=state, reset=reset[:, cut:])
    whole, final = recurrence(x, reset=reset)
    np.testing.assert_allclose(tf.concat([first, second], axis=1), whole, atol=1e-12)
    np.testing.assert_allclose(state, final, atol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
def test_no_gradient_flows_across_a_reset(reverse):
    recurrence, x = lstm(reverse=reverse), random(B, T, D)
    reset = np.zeros((B, T), bool)
    reset[:, 3] = True
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, _ = recurrence(x, reset=reset)
        before, after = y[:, :3], y[:, 3:]
    assert not np.any(tape.gradient(before, x)[:, 3:])
    assert not np.any(tape.gradient(after, x)[:, :3])
    assert np.all(tape.gradient(after, x)[:, 3:])


def test_no_gradient_reaches_the_initial_state_of_a_row_reset_at_once():
    recurrence = lstm()
    state = tf.nest.map_structure(lambda part: part + 1, recurrence.initial_state(B))
    with tf.GradientTape() as tape:
        tape.watch(state)
        y, _ = recurrence(random(B, T, D), initial_state=state, reset=[0, 1, 0])
    for gradient in tape.gradient(y, state):
        assert np.all(gradient.numpy()[[0, 2]]) and not np.any(gradient[1])


@pytest.mark.parametrize("reverse", [False, True])
def test_flags_past_the_end_of_a_row_change_nothing(reverse):
    recurrence, x, lengths = lstm(reverse=reverse), random(B, T, D), [0, 3, 6]
    state = tf.nest.map_structure(lambda part: part + 1, recurrence.initial_state(B))
    past = np.arange(T) >= np.array(lengths)[:, None]
    y, final = recurrence(x, initial_state=state, lengths=lengths)
    y_flagged, final_flagged = recurrence(x, initial_state=state, lengths=lengths, reset=past)
    np.testing.assert_array_equal(y, y_flagged)
    np.testing.assert_array_equal(final, final_flagged)


def test_padding_never_reaches_outputs_state_or_gradient():
    recurrence, lengths = lstm(), tf.constant([0, 3, 6])
    x = random(B, T, D)
    padding = np.arange(T)[:, None] >= np.array(lengths)[:, None, None]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, state = recurrence(x, lengths=lengths)
    y_other, state_other = recurrence(tf.where(padding, 1e6, x), lengths=lengths)
    np.testing.assert_array_equal(y, y_other)
    np.testing.assert_array_equal(state, state_other)
    assert not np.any(np.where(padding, y, 0))
    assert not np.any(np.where(padding, tape.gradient(y, x), 0))


@pytest.mark.parametrize("part", ["outputs", "h", "c"])
def test_a_loss_on_one_result_alone_has_a_gradient(part):
    recurrence, x = lstm(), random(B, T, D)
    cell = recurrence.cell
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, state = recurrence(x)
        loss = {"outputs": y, "h": state.h, "c": state.c}[part]
        step_state, ys = cell.get_initial_state(B), []
        for t in range(T):
            h, step_state = cell(x[:, t], step_state)
            ys.append(h)
        expected = {"outputs": tf.stack(ys, 1), "h": step_state.h, "c": step_state.c}[part]
    np.testing.assert_allclose(tape.gradient(loss, x), tape.gradient(expected, x), atol=1e-12)


def test_the_second_derivative_equals_that_of_the_ordinary_loop():
    recurrence, x = lstm(), random(B, T, D)
    recurrence.build(x.shape)

    def second(function):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = function(x)
            gradient = inner.gradient(y, x)
        return outer.gradient(gradient, x)

    rnn = keras.layers.RNN(recurrence.cell, return_sequences=True, dtype="float64")
    np.testing.assert_allclose(second(lambda x: recurrence(x)[0]), second(rnn), atol=1e-12)


# Cells of other kinds

KERAS_CELLS = {
    "SimpleRNNCell": lambda: keras.layers.SimpleRNNCell(H),
    "LSTMCell": lambda: keras.layers.LSTMCell(H),
    "GRUCell": lambda: keras.layers.GRUCell(H),
    "stacked": lambda: keras.layers.StackedRNNCells(
        [keras.layers.LSTMCell(H), keras.layers.GRUCell(5)]
    ),
    "stacked zoo cells": lambda: keras.layers.StackedRNNCells([LSTMCell(H), GRUCell(5)]),
    "dropout": lambda: keras.layers.LSTMCell(H, dropout=0.5, recurrent_dropout=0.5, seed=3),
    "stacked dropout": lambda: keras.layers.StackedRNNCells(
        [keras.layers.GRUCell(H, dropout=0.5, seed=n) for n in (3, 4)]
    ),
}


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("make_cell", KERAS_CELLS.values(), ids=list(KERAS_CELLS))
def test_a_keras_cell_equals_keras_rnn(make_cell, training):
    lengths, x = [7, 0, 4], tf.cast(random(B, T, D), "float32")
    ours = Recurrence(make_cell())
    theirs = keras.layers.RNN(
        make_cell(), return_sequences=True, return_state=True, zero_output_for_mask=True
    )
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights([0.5 * np.random.normal(size=w.shape) for w in theirs.weights])
    ours.set_weights(theirs.get_weights())

    def results(y, *state):
        return [y, *tf.nest.flatten(state)]

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        a = results(*ours(x, lengths=lengths, training=training))
        b = results(*theirs(x, mask=tf.sequence_mask(lengths, T), training=training))
        loss_a, loss_b = (sum(tf.reduce_sum(part**2) for part in parts) for parts in (a, b))
    a += tape.gradient(loss_a, [x, *[w.value for w in ours.trainable_weights]])
    b += tape.gradient(loss_b, [x, *[w.value for w in theirs.trainable_weights]])
    for left, right in zip(a, b, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-5)


def test_a_keras_cell_draws_new_dropout_masks_for_each_sequence():
    recurrence = Recurrence(keras.layers.LSTMCell(H, dropout=0.5))
    run = tf.function(lambda x: recurrence(x, training=True)[0])
    x = tf.ones((B, T, D))
    assert np.any(run(x) != run(x))
    assert run(x[:2]).shape == (2, T, H)


class MatrixState(NamedTuple):
    memory: Any
    clock: dict


class MatrixMemoryCell(Cell):
    """M_t = M_(t-1) / 2 + k_t v_tᵀ; y_t = tanh(M_t q_t + U y_(t-1)); k, v, q = W x_t."""

    State = MatrixState

    def get_initial_state(self, batch_size=None):
        shape = (batch_size, self.units)
        zeros = ops.zeros(shape, self.compute_dtype)
        return MatrixState(ops.zeros((*shape, self.units), self.compute_dtype), {"y": zeros})

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], 3 * self.units), name="kernel")
        self.recurrent_kernel = self.add_weight(shape=(self.units, self.units), name="recurrent")

    def project(self, x):
        return ops.matmul(x, self.kernel)

    def update(self, z, state, recur):
        k, v, q = ops.split(z, 3, axis=-1)
        memory = state.memory / 2 + k[:, :, None] * v[:, None, :]
        y = ops.tanh(ops.sum(memory * q[:, None, :], axis=-1) + recur(state.clock["y"]))
        return y, MatrixState(memory, {"y": y})


class LearnedStartCell(GRUCell):
    """A GRU whose initial state is a weight."""

    def build(self, input_shape):
        super().build(input_shape)
        self.start = self.add_weight(shape=(self.units,), initializer="ones", name="start")

    def get_initial_state(self, batch_size=None):
        return HiddenState(ops.tile(ops.convert_to_tensor(self.start)[None], (batch_size, 1)))


class GainCell(GRUCell):
    """A GRU with a weight, a constant and a second and third product in its pointwise part."""

    def build(self, input_shape):
        super().build(input_shape)
        self.gain = self.add_weight(shape=(self.units,), initializer="ones", name="gain")
        half = keras.initializers.Constant(0.5)
        self.half = self.add_weight(shape=(), initializer=half, name="half", trainable=False)
        self.out = self.add_weight(shape=(self.units, self.units), name="out")

    def recurrent_weights(self):
        return (*super().recurrent_weights(), self.out)

    def product(self, v, weight):
        return super().product(v, weight) if isinstance(weight, tuple) else ops.matmul(v, weight)

    def update(self, z, state, recur):
        y, new = super().update(z, state, recur)
        y = self.half * recur(self.gain * y, 1)
        return recur(y * state.h, 1), new


@pytest.mark.parametrize("cell", [MatrixMemoryCell, LearnedStartCell, GainCell])
@pytest.mark.parametrize("reverse", [False, True])
def test_matrix_nested_and_learned_states_have_the_gradient_of_a_plain_loop(cell, reverse):
    recurrence = Recurrence(cell(H, dtype="float64"), reverse)
    recurrence.build((B, T, D))
    lengths, x = [7, 0, 4], random(B, T, D)
    reset = np.random.default_rng(1).random((B, T)) < 0.4

    def plain(x):
        rows = []
        for b, length in enumerate(lengths):
            state, ys = recurrence.initial_state(1), [tf.zeros((1, H), "float64")] * T
            for t in reversed(range(length)) if reverse else range(length):
                if reset[b, t] if not reverse else t + 1 < length and reset[b, t + 1]:
                    state = recurrence.initial_state(1)
                ys[t], state = recurrence.cell(x[b : b + 1, t], state)
            rows.append((tf.stack(ys, axis=1), state))
        return tf.nest.map_structure(lambda *parts: tf.concat(parts, 0), *rows)

    sources = [x, *[weight.value for weight in recurrence.trainable_weights]]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        ours = tf.nest.flatten(recurrence(x, lengths=lengths, reset=reset))
        theirs = tf.nest.flatten(plain(x))
        loss_ours, loss_theirs = (
            tf.add_n([tf.reduce_sum(tf.sin(part + 1)) for part in parts])
            for parts in (ours, theirs)
        )
    ours += tape.gradient(loss_ours, sources)
    theirs += tape.gradient(loss_theirs, sources)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


# Number types and graphs


def test_the_recurrence_computes_in_the_type_of_its_cell():
    y, state = lstm()(np.ones((B, T, D), "float32"))
    assert y.dtype == state.h.dtype == tf.float64


def test_a_half_precision_cell_inside_a_single_precision_recurrence_runs():
    y, _ = Recurrence(GRUCell(H, dtype="mixed_float16"), dtype="float32")(np.ones((B, T, D)))
    assert y.shape == (B, T, H)


def test_a_graph_with_unknown_shapes_takes_a_state_of_known_shape():
    recurrence = lstm()
    recurrence.build((None, None, D))
    state = recurrence.initial_state(B)

    @tf.function(input_signature=[tf.TensorSpec([None, None, D], "float64")])
    def run(x):
        return recurrence(x, initial_state=state, reset=tf.zeros_like(x[:, 0, 0]))[0]

    x = random(B, T, D)
    np.testing.assert_allclose(run(x), recurrence(x)[0], atol=1e-12)
