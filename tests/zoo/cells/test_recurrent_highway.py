"""The recurrent highway network against its equations, in numpy."""

import numpy as np
import pytest

from zoo.cells.recurrent_highway import RecurrentHighwayCell


@pytest.mark.parametrize("depth", [1, 3])
def test_a_step_is_a_highway_network_that_reads_the_input_in_its_first_layer(
    depth, assert_equals_paper
):
    def step(x, state, kernel, **layers):
        (s,) = state
        for layer in range(1, depth + 1):
            R, b = layers[f"recurrent_kernel_{layer}"], layers[f"bias_{layer}"]
            h = s @ R[:, :4] + b[:4]
            g = s @ R[:, 4:] + b[4:]
            if layer == 1:
                h, g = h + x @ kernel[:, :4], g + x @ kernel[:, 4:]
            transform = 1 / (1 + np.exp(-g))
            carry = 1 - transform
            s = np.tanh(h) * transform + s * carry
        return s, [s]

    assert_equals_paper(RecurrentHighwayCell(4, depth=depth, dtype="float64"), step)


def test_the_transform_gates_start_almost_closed():
    cell = RecurrentHighwayCell(2)
    cell.build((None, 3))
    for bias in cell.biases:
        np.testing.assert_array_equal(bias, [0, 0, -2, -2])


@pytest.mark.parametrize("depth", [0, 1.5])
def test_a_depth_that_is_not_a_positive_integer_is_refused(depth):
    with pytest.raises(ValueError, match=r"depth is .*, but a positive integer is needed"):
        RecurrentHighwayCell(4, depth=depth)
