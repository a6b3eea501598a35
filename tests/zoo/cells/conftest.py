import numpy as np
import pytest

from zoo.recurrence import Recurrence

B, T, D = 3, 6, 5


@pytest.fixture
def random_recurrence():
    """Makes the recurrence of a cell with all its weights random, biases too."""

    def make(cell, seed=0):
        recurrence = Recurrence(cell)
        recurrence.build((None, None, D))
        rng = np.random.default_rng(seed)
        for weight in recurrence.weights:
            weight.assign(0.7 * rng.normal(size=weight.shape))
        return recurrence

    return make


@pytest.fixture
def assert_equals_paper(random_recurrence):
    """Runs a float64 cell beside its paper, from the zero state and from a random one.

    The paper's equations are a function of numpy arrays: `step(x_t, state, **weights)`, which
    returns y_t and the new state.
    """

    def check(cell, step):
        recurrence = random_recurrence(cell)
        weights = {weight.name: weight.numpy() for weight in recurrence.weights}
        rng = np.random.default_rng(1)
        x = rng.normal(size=(B, T, D))
        sizes = recurrence.cell.state_size
        start = [rng.normal(size=(B, size)) for size in sizes]
        for given, state in ((None, [np.zeros((B, size)) for size in sizes]), (start, start)):
            y, final = recurrence(x, initial_state=given)
            for t in range(T):
                expected, state = step(x[:, t], state, **weights)
                np.testing.assert_allclose(y[:, t], expected, rtol=1e-10)
            for ours, theirs in zip(final, state, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-10)

    return check
