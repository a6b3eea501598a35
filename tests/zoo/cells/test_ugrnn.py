"""The update gate recurrent network against its equations, in numpy."""

import numpy as np

from zoo.cells.ugrnn import UGRNNCell
from zoo.recurrence import Recurrence


def test_the_gate_chooses_between_the_old_state_and_the_candidate():
    rng = np.random.default_rng(0)
    recurrence = Recurrence(UGRNNCell(4, dtype="float64"))
    x = rng.normal(size=(2, 6, 3))
    recurrence.build(x.shape)
    W, U, b = rng.normal(size=(3, 8)), rng.normal(size=(4, 8)), rng.normal(size=8)
    recurrence.set_weights([W, U, b])
    y, state = recurrence(x)
    h = np.zeros((2, 4))
    for t in range(6):
        c = np.tanh(x[:, t] @ W[:, :4] + h @ U[:, :4] + b[:4])
        g = 1 / (1 + np.exp(-(x[:, t] @ W[:, 4:] + h @ U[:, 4:] + b[4:])))
        h = g * h + (1 - g) * c
        np.testing.assert_allclose(y[:, t], h, rtol=1e-10)
    np.testing.assert_allclose(state.h, h, rtol=1e-10)


def test_the_gate_bias_starts_at_one():
    cell = UGRNNCell(2)
    cell.build((None, 3))
    np.testing.assert_array_equal(cell.bias, [0, 0, 1, 1])
