"""The cell that neural architecture search found, against its tree, in numpy."""

import numpy as np
from scipy.special import expit as sigmoid

from zoo.cells.nas import NASCell


def relu(a):
    return np.maximum(a, 0)


LEAVES = [
    (np.add, sigmoid),
    (np.add, relu),
    (np.add, sigmoid),
    (np.multiply, relu),
    (np.add, np.tanh),
    (np.add, sigmoid),
    (np.add, np.tanh),
    (np.add, sigmoid),
]


def test_the_tree_joins_eight_leaves_and_the_memory(assert_equals_paper):
    def step(x, state, kernel, recurrent_kernel):
        h, c = state
        a = []
        for n, (join, f) in enumerate(LEAVES):
            part = slice(4 * n, 4 * n + 4)
            a.append(f(join(x @ kernel[:, part], h @ recurrent_kernel[:, part])))
        b1, b2 = np.tanh(a[0] * a[1]), np.tanh(a[2] + a[3])
        b3, b4 = np.tanh(a[4] * a[5]), sigmoid(a[6] + a[7])
        c = np.tanh(b1 + c) * b2
        h = np.tanh(c * np.tanh(b3 + b4))
        return h, [h, c]

    assert_equals_paper(NASCell(4, dtype="float64"), step)
