"""The cell that neural architecture search found, against its tree, in numpy."""

import numpy as np

from zoo.cells.nas import NASCell
from zoo.recurrence import Recurrence


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def relu(a):
    return np.maximum(a, 0)


def test_the_tree_joins_eight_leaves_and_the_memory():
    rng = np.random.default_rng(0)
    recurrence = Recurrence(NASCell(4, dtype="float64"))
    x = rng.normal(size=(2, 6, 3))
    recurrence.build(x.shape)
    W, U = rng.normal(size=(3, 32)), rng.normal(size=(4, 32))
    recurrence.set_weights([W, U])
    y, state = recurrence(x)
    h, c = np.zeros((2, 4)), np.zeros((2, 4))
    leaves = [
        (np.add, sigmoid),
        (np.add, relu),
        (np.add, sigmoid),
        (np.multiply, relu),
        (np.add, np.tanh),
        (np.add, sigmoid),
        (np.add, np.tanh),
        (np.add, sigmoid),
    ]
    for t in range(6):
        a = []
        for n, (join, f) in enumerate(leaves):
            part = slice(4 * n, 4 * n + 4)
            a.append(f(join(x[:, t] @ W[:, part], h @ U[:, part])))
        b1, b2 = np.tanh(a[0] * a[1]), np.tanh(a[2] + a[3])
        b3, b4 = np.tanh(a[4] * a[5]), sigmoid(a[6] + a[7])
        c = np.tanh(b1 + c) * b2
        h = np.tanh(c * np.tanh(b3 + b4))
        np.testing.assert_allclose(y[:, t], h, rtol=1e-10)
    np.testing.assert_allclose(state.h, h, rtol=1e-10)
    np.testing.assert_allclose(state.c, c, rtol=1e-10)
