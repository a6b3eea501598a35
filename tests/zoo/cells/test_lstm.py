"""The LSTM against the lecture's equations, in numpy."""

import numpy as np

from zoo.cells.lstm import LSTMCell
from zoo.recurrence import Recurrence


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def test_one_matrix_over_the_joined_state_and_input_gives_the_gates_f_i_o_g():
    recurrence = Recurrence(LSTMCell(4))
    x = np.random.normal(size=(2, 6, 3)).astype("float32")
    recurrence.build(x.shape)
    W, b = np.random.normal(size=(7, 16)), np.random.normal(size=16)
    recurrence.set_weights([W, b])
    y, state = recurrence(x)
    h, c = np.zeros((2, 4)), np.zeros((2, 4))
    for t in range(6):
        gates = np.concatenate([h, x[:, t]], axis=1) @ W + b
        f, i, o, g = gates[:, 0:4], gates[:, 4:8], gates[:, 8:12], gates[:, 12:16]
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        np.testing.assert_allclose(y[:, t], h, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(state.h, h, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(state.c, c, rtol=1e-5, atol=1e-5)


def test_only_the_forget_gate_starts_with_a_bias_of_one():
    cell = LSTMCell(3)
    cell.build((None, 2))
    np.testing.assert_array_equal(cell.bias, [1] * 3 + [0] * 9)


def test_the_rows_that_meet_the_state_start_orthogonal():
    cell = LSTMCell(3)
    cell.build((None, 2))
    recurrent = np.array(cell.kernel)[:3]
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(3), atol=1e-6)
