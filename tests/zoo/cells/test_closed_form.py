"""The reset-before GRU and the closed-form cell against their papers, written out in numpy."""

import numpy as np
import pytest

from zoo.cells.closed_form import ClosedFormCell
from zoo.recurrence import Recurrence

B, T, D, H, M = 3, 6, 5, 4, 7


def test_cfc_equals_the_paper_at_unit_time():
    recurrence = Recurrence(ClosedFormCell(H, backbone=M, dtype="float64"))
    recurrence.build((None, None, D))
    rng = np.random.default_rng(0)
    W, U, b = rng.normal(size=(D, M)), rng.normal(size=(H, M)), rng.normal(size=M)
    V, c = rng.normal(size=(M, 3 * H)), rng.normal(size=3 * H)
    recurrence.set_weights([W, U, b, V, c])
    x = rng.normal(size=(B, T, D))
    y, final = recurrence(x)
    state, time = np.zeros((B, H)), 1.0
    for t in range(T):
        u = np.tanh(np.concatenate([x[:, t], state], axis=1) @ np.concatenate([W, U]) + b)
        f = u @ V[:, :H] + c[:H]
        g = np.tanh(u @ V[:, H : 2 * H] + c[H : 2 * H])
        h = np.tanh(u @ V[:, 2 * H :] + c[2 * H :])
        open_ = 1 / (1 + np.exp(f * time))
        state = open_ * g + (1 - open_) * h
        np.testing.assert_allclose(y[:, t], state, atol=1e-12)
    np.testing.assert_allclose(final.h, state, atol=1e-12)


@pytest.mark.parametrize("backbone", [0, 2.5])
def test_a_backbone_that_is_no_size_is_refused(backbone):
    with pytest.raises(ValueError, match=f"backbone is {backbone}, but a positive integer"):
        ClosedFormCell(H, backbone=backbone)
