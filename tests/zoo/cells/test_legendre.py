"""The Legendre memory unit against its paper's equations, in numpy."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import eval_legendre

from zoo.cells.legendre import LegendreMemoryCell
from zoo.recurrence import Recurrence

B, T, D, H, M, THETA = 3, 6, 5, 4, 6, 10.0


def rates():
    """A and B of the paper's differential equation θ m' = A m + B u."""
    A, b = np.zeros((M, M)), np.zeros(M)
    for i in range(M):
        b[i] = (2 * i + 1) * (-1) ** i
        for j in range(M):
            A[i, j] = (2 * i + 1) * (-1 if i < j else (-1) ** (i - j + 1))
    return A, b


def test_lmu_equals_the_paper(random_recurrence):
    cell = LegendreMemoryCell(H, order=M, theta=THETA, dtype="float64")
    recurrence = random_recurrence(cell)
    w = {weight.name: weight.numpy() for weight in recurrence.weights}
    x = np.random.default_rng(1).normal(size=(B, T, D))
    y, final = recurrence(x)
    A, b = rates()
    for row in range(B):
        h, m = np.zeros(H), np.zeros(M)
        for t in range(T):
            u = x[row, t] @ w["kernel"][:, 0] + h @ w["recurrent_kernel"][:, 0]
            u += m @ w["memory_encoder"][:, 0]
            held = lambda _, m, u=u: (A @ m + b * u) / THETA  # noqa: E731
            m = solve_ivp(held, (0, 1), m, method="DOP853", rtol=1e-12, atol=1e-12).y[:, -1]
            h = x[row, t] @ w["kernel"][:, 1:] + h @ w["recurrent_kernel"][:, 1:]
            h = np.tanh(h + m @ w["memory_kernel"])
            np.testing.assert_allclose(y[row, t], h, atol=1e-8)
        np.testing.assert_allclose(final.h[row], h, atol=1e-8)
        np.testing.assert_allclose(final.m[row], m, atol=1e-8)


def test_the_memory_holds_the_window():
    recurrence = Recurrence(LegendreMemoryCell(1, order=8, theta=100.0, dtype="float64"))
    recurrence.build((None, None, 1))
    for weight in recurrence.weights:
        weight.assign(np.zeros(weight.shape))
    recurrence.cell.kernel.assign([[1.0, 0.0]])
    wave = np.sin(2 * np.pi * np.arange(400) / 150)
    _, final = recurrence(wave[None, :, None])
    for ago in (25, 50, 75):
        shifted = eval_legendre(np.arange(8), 2 * ago / 100 - 1)
        assert abs(final.m[0].numpy() @ shifted - wave[-1 - ago]) < 0.05


@pytest.mark.parametrize("argument", [{"order": 0}, {"order": 2.5}, {"theta": 0}, {"theta": "8"}])
def test_a_bad_window_is_refused(argument):
    (name,) = argument
    with pytest.raises(ValueError, match=f"{name} is .*, but a positive"):
        LegendreMemoryCell(H, **argument)
