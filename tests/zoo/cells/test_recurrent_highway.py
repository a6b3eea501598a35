"""The recurrent highway network against its equations, in numpy."""

import numpy as np
import pytest

from zoo.cells.recurrent_highway import RecurrentHighwayCell
from zoo.recurrence import Recurrence


@pytest.mark.parametrize("depth", [1, 3])
def test_a_step_is_a_highway_network_that_reads_the_input_in_its_first_layer(depth):
    rng = np.random.default_rng(depth)
    recurrence = Recurrence(RecurrentHighwayCell(4, depth=depth, dtype="float64"))
    x = rng.normal(size=(2, 6, 3))
    recurrence.build(x.shape)
    W = rng.normal(size=(3, 8))
    R = [rng.normal(size=(4, 8)) for _ in range(depth)]
    b = [rng.normal(size=8) for _ in range(depth)]
    recurrence.set_weights([W, *R, *b])
    y, state = recurrence(x)
    s = np.zeros((2, 4))
    for t in range(6):
        for layer in range(depth):
            h = s @ R[layer][:, :4] + b[layer][:4]
            g = s @ R[layer][:, 4:] + b[layer][4:]
            if layer == 0:
                h, g = h + x[:, t] @ W[:, :4], g + x[:, t] @ W[:, 4:]
            transform = 1 / (1 + np.exp(-g))
            carry = 1 - transform
            s = np.tanh(h) * transform + s * carry
        np.testing.assert_allclose(y[:, t], s, rtol=1e-10)
    np.testing.assert_allclose(state.h, s, rtol=1e-10)


def test_the_transform_gates_start_almost_closed():
    cell = RecurrentHighwayCell(2)
    cell.build((None, 3))
    for bias in cell.biases:
        np.testing.assert_array_equal(bias, [0, 0, -2, -2])


@pytest.mark.parametrize("depth", [0, 1.5])
def test_a_depth_that_is_not_a_positive_integer_is_refused(depth):
    with pytest.raises(ValueError, match=r"depth is .*, but a positive integer is needed"):
        RecurrentHighwayCell(4, depth=depth)
