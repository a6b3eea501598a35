"""The minimal gated unit against its equations, in numpy."""

import numpy as np
from scipy.special import expit as sigmoid

from zoo.cells.minimal_gated import MGUCell


def test_one_gate_hides_the_state_and_mixes_in_the_candidate(assert_equals_paper):
    def step(x, state, kernel, recurrent_kernel, bias):
        (h,), W, U, b = state, kernel, recurrent_kernel, bias
        f = sigmoid(x @ W[:, :4] + h @ U[:, :4] + b[:4])
        candidate = np.tanh(x @ W[:, 4:] + (f * h) @ U[:, 4:] + b[4:])
        h = (1 - f) * h + f * candidate
        return h, [h]

    assert_equals_paper(MGUCell(4, dtype="float64"), step)


def test_the_forget_bias_starts_at_one():
    cell = MGUCell(2)
    cell.build((None, 3))
    np.testing.assert_array_equal(cell.bias, [1, 1, 0, 0])
