"""The quasi-recurrent network against its paper's equations, in numpy."""

import numpy as np
from scipy.special import expit as sigmoid

from zoo.cells.quasi import QRNNCell
from zoo.recurrence import Recurrence

B, T, D, H = 3, 6, 5, 4


def test_qrnn_is_a_convolution_two_steps_wide_and_fo_pooling():
    recurrence = Recurrence(QRNNCell(H, dtype="float64"))
    recurrence.build((None, None, D))
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(D, 6 * H)), rng.normal(size=3 * H)
    recurrence.set_weights([W, b])
    x = rng.normal(size=(B, T, D))
    y, final = recurrence(x)
    padded = np.concatenate([np.zeros((B, 1, D)), x], axis=1)
    now, before = W[:, : 3 * H], W[:, 3 * H :]
    a = x @ now + padded[:, :-1] @ before + b
    z, f, o = np.tanh(a[..., :H]), sigmoid(a[..., H : 2 * H]), sigmoid(a[..., 2 * H :])
    c = np.zeros((B, H))
    for t in range(T):
        c = f[:, t] * c + (1 - f[:, t]) * z[:, t]
        np.testing.assert_allclose(y[:, t], o[:, t] * c, atol=1e-12)
    np.testing.assert_allclose(final.c, c, atol=1e-12)
    np.testing.assert_allclose(final.past, x[:, -1] @ before, atol=1e-12)
