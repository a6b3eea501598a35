"""The closed-form cell against its paper, written out in numpy."""

import numpy as np
import pytest

from zoo.cells.closed_form import ClosedFormCell

H = 4


def test_cfc_equals_the_paper_at_unit_time(assert_equals_paper):
    def step(x, state, kernel, recurrent_kernel, bias, heads, heads_bias):
        W, U, b, V, c, time = kernel, recurrent_kernel, bias, heads, heads_bias, 1.0
        u = np.tanh(np.concatenate([x, *state], axis=1) @ np.concatenate([W, U]) + b)
        f = u @ V[:, :H] + c[:H]
        g = np.tanh(u @ V[:, H : 2 * H] + c[H : 2 * H])
        h = np.tanh(u @ V[:, 2 * H :] + c[2 * H :])
        open_ = 1 / (1 + np.exp(f * time))
        y = open_ * g + (1 - open_) * h
        return y, [y]

    assert_equals_paper(ClosedFormCell(H, backbone=7, dtype="float64"), step)


@pytest.mark.parametrize("backbone", [0, 2.5])
def test_a_backbone_that_is_no_size_is_refused(backbone):
    with pytest.raises(ValueError, match=f"backbone is {backbone}, but a positive integer"):
        ClosedFormCell(H, backbone=backbone)
