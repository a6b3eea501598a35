"""The phased LSTM against its equations, in numpy."""

import numpy as np
import pytest
from scipy.special import expit as sigmoid

from zoo.cells.phased_lstm import PhasedLSTMCell
from zoo.recurrence import Recurrence


def openness(t, period, shift, ratio, leak):
    phase = np.mod(t - shift, period) / period
    if phase < ratio / 2:
        return 2 * phase / ratio
    if phase < ratio:
        return 2 - 2 * phase / ratio
    return leak * phase


@pytest.mark.parametrize("ratio", [0.05, 0.7])
def test_a_unit_takes_an_lstm_step_as_far_as_its_clock_is_open(ratio):
    rng = np.random.default_rng(0)
    cell = PhasedLSTMCell(4, open_ratio=ratio, leak=0.01, dtype="float64")
    recurrence = Recurrence(cell)
    x = rng.normal(size=(2, 6, 3))
    recurrence.build(x.shape)
    W, U, b = rng.normal(size=(3, 16)), rng.normal(size=(4, 16)), rng.normal(size=16)
    log_period, shift = rng.normal(size=4), rng.normal(size=4)
    recurrence.set_weights([W, U, b, log_period, shift])
    y, state = recurrence(x)
    h, c = np.zeros((2, 4)), np.zeros((2, 4))
    for t in range(6):
        a = x[:, t] @ W + h @ U + b
        f, i, o = sigmoid(a[:, :4]), sigmoid(a[:, 4:8]), sigmoid(a[:, 8:12])
        proposed = f * c + i * np.tanh(a[:, 12:])
        k = np.array(
            [openness(t, np.exp(p), s, ratio, 0.01) for p, s in zip(log_period, shift, strict=True)]
        )
        c = k * proposed + (1 - k) * c
        h = k * o * np.tanh(proposed) + (1 - k) * h
        np.testing.assert_allclose(y[:, t], h, rtol=1e-9)
    np.testing.assert_allclose(state.h, h, rtol=1e-9)
    np.testing.assert_allclose(state.c, c, rtol=1e-9)
    np.testing.assert_array_equal(state.step, [[6], [6]])


def test_shifts_start_within_their_period():
    cell = PhasedLSTMCell(64)
    cell.build((None, 3))
    fraction = np.array(cell.shift) / np.exp(cell.log_period)
    assert fraction.min() >= 0 and fraction.max() <= 1


@pytest.mark.parametrize("arguments", [{"open_ratio": 0}, {"open_ratio": 1.5}, {"leak": -0.1}])
def test_a_ratio_out_of_range_is_refused(arguments):
    with pytest.raises(ValueError, match=r"(open_ratio|leak) is .*, but one .* is needed"):
        PhasedLSTMCell(4, **arguments)
