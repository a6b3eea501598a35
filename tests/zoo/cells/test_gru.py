"""The gated recurrent unit against its equations, in numpy."""

import numpy as np

from zoo.cells.gru import GRUCell
from zoo.recurrence import Recurrence


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def test_the_reset_gate_acts_after_the_product_with_the_state():
    recurrence = Recurrence(GRUCell(4))
    x = np.random.normal(size=(2, 6, 3)).astype("float32")
    recurrence.build(x.shape)
    W, U = np.random.normal(size=(3, 12)), np.random.normal(size=(4, 12))
    b, c = np.random.normal(size=12), np.random.normal(size=12)
    recurrence.set_weights([W, U, b, c])
    y, _ = recurrence(x)
    h = np.zeros((2, 4))
    for t in range(6):
        from_input, from_state = x[:, t] @ W + b, h @ U + c
        z = sigmoid(from_input[:, :4] + from_state[:, :4])
        r = sigmoid(from_input[:, 4:8] + from_state[:, 4:8])
        candidate = np.tanh(from_input[:, 8:] + r * from_state[:, 8:])
        h = z * h + (1 - z) * candidate
        np.testing.assert_allclose(y[:, t], h, rtol=1e-5, atol=1e-5)
