"""The gated recurrent unit against its equations, in numpy."""

import numpy as np
from scipy.special import expit as sigmoid

from zoo.cells.gru import GRUCell


def test_the_reset_gate_acts_after_the_product_with_the_state(assert_equals_paper):
    def step(x, state, kernel, recurrent_kernel, bias, recurrent_bias):
        (h,) = state
        from_input, from_state = x @ kernel + bias, h @ recurrent_kernel + recurrent_bias
        z = sigmoid(from_input[:, :4] + from_state[:, :4])
        r = sigmoid(from_input[:, 4:8] + from_state[:, 4:8])
        candidate = np.tanh(from_input[:, 8:] + r * from_state[:, 8:])
        h = z * h + (1 - z) * candidate
        return h, [h]

    assert_equals_paper(GRUCell(4, dtype="float64"), step)
