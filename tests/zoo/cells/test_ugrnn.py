"""The update gate recurrent network against its equations, in numpy."""

import numpy as np

from zoo.cells.ugrnn import UGRNNCell


def test_the_gate_chooses_between_the_old_state_and_the_candidate(assert_equals_paper):
    def step(x, state, kernel, recurrent_kernel, bias):
        (h,), W, U, b = state, kernel, recurrent_kernel, bias
        c = np.tanh(x @ W[:, :4] + h @ U[:, :4] + b[:4])
        g = 1 / (1 + np.exp(-(x @ W[:, 4:] + h @ U[:, 4:] + b[4:])))
        h = g * h + (1 - g) * c
        return h, [h]

    assert_equals_paper(UGRNNCell(4, dtype="float64"), step)


def test_the_gate_bias_starts_at_one():
    cell = UGRNNCell(2)
    cell.build((None, 3))
    np.testing.assert_array_equal(cell.bias, [0, 0, 1, 1])
