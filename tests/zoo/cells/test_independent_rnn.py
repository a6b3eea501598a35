"""The activation of the independently recurrent network."""

import numpy as np

from zoo.cells.independent_rnn import IndRNNCell
from zoo.recurrence import Recurrence


def test_another_activation_takes_the_place_of_relu_and_survives_the_config():
    cell = IndRNNCell.from_config(IndRNNCell(4, activation="tanh", dtype="float64").get_config())
    recurrence = Recurrence(cell)
    recurrence.build((None, None, 3))
    rng = np.random.default_rng(0)
    W, u, b = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=4)
    recurrence.set_weights([W, u, b])
    x, h = rng.normal(size=(2, 6, 3)), np.zeros((2, 4))
    y, final = recurrence(x)
    for t in range(6):
        h = np.tanh(x[:, t] @ W + u * h + b)
        np.testing.assert_allclose(y[:, t], h, atol=1e-12)
    np.testing.assert_allclose(final.h, h, atol=1e-12)
