"""The minimal gated unit against its equations, in numpy."""

import numpy as np

from zoo.cells.minimal_gated import MGUCell
from zoo.recurrence import Recurrence


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def test_one_gate_hides_the_state_and_mixes_in_the_candidate():
    rng = np.random.default_rng(0)
    recurrence = Recurrence(MGUCell(4, dtype="float64"))
    x = rng.normal(size=(2, 6, 3))
    recurrence.build(x.shape)
    W, U, b = rng.normal(size=(3, 8)), rng.normal(size=(4, 8)), rng.normal(size=8)
    recurrence.set_weights([W, U, b])
    y, state = recurrence(x)
    h = np.zeros((2, 4))
    for t in range(6):
        f = sigmoid(x[:, t] @ W[:, :4] + h @ U[:, :4] + b[:4])
        candidate = np.tanh(x[:, t] @ W[:, 4:] + (f * h) @ U[:, 4:] + b[4:])
        h = (1 - f) * h + f * candidate
        np.testing.assert_allclose(y[:, t], h, rtol=1e-10)
    np.testing.assert_allclose(state.h, h, rtol=1e-10)


def test_the_forget_bias_starts_at_one():
    cell = MGUCell(2)
    cell.build((None, 3))
    np.testing.assert_array_equal(cell.bias, [1, 1, 0, 0])
