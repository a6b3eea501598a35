"""The LSTM against the lecture's equations, in numpy."""

import numpy as np
from scipy.special import expit as sigmoid

from zoo.cells.lstm import LSTMCell


def test_one_matrix_over_the_joined_state_and_input_gives_the_gates_f_i_o_g(assert_equals_paper):
    def step(x, state, kernel, bias):
        h, c = state
        gates = np.concatenate([h, x], axis=1) @ kernel + bias
        f, i, o, g = gates[:, 0:4], gates[:, 4:8], gates[:, 8:12], gates[:, 12:16]
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        return h, [h, c]

    assert_equals_paper(LSTMCell(4, dtype="float64"), step)


def test_only_the_forget_gate_starts_with_a_bias_of_one():
    cell = LSTMCell(3)
    cell.build((None, 2))
    np.testing.assert_array_equal(cell.bias, [1] * 3 + [0] * 9)


def test_the_rows_that_meet_the_state_start_orthogonal():
    cell = LSTMCell(3)
    cell.build((None, 2))
    recurrent = np.array(cell.kernel)[:3]
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(3), atol=1e-6)
