"""The clockwork recurrent network against its equations, in numpy."""

import numpy as np
import pytest

from zoo.cells.clockwork import ClockworkRNNCell
from zoo.recurrence import Recurrence


def random_recurrence(units, periods):
    rng = np.random.default_rng(0)
    recurrence = Recurrence(ClockworkRNNCell(units, periods=periods, dtype="float64"))
    recurrence.build((2, 6, 3))
    W, U, b = rng.normal(size=(3, units)), rng.normal(size=(units, units)), rng.normal(size=units)
    recurrence.set_weights([W, U, b])
    return recurrence, rng.normal(size=(2, 6, 3)), W, U, b


def test_each_module_wakes_at_its_period_and_reads_none_that_is_faster():
    periods = (1, 2, 3)
    recurrence, x, W, U, b = random_recurrence(6, periods)
    y, state = recurrence(x)
    h = np.zeros((2, 6))
    for t in range(6):
        new = h.copy()
        for i, period in enumerate(periods):
            if t % period == 0:
                own = slice(2 * i, 2 * i + 2)
                new[:, own] = x[:, t] @ W[:, own] + b[own]
                for j in range(i, len(periods)):
                    source = slice(2 * j, 2 * j + 2)
                    new[:, own] += h[:, source] @ U[source, own]
                new[:, own] = np.tanh(new[:, own])
        h = new
        np.testing.assert_allclose(y[:, t], h, rtol=1e-10)
    np.testing.assert_allclose(state.h, h, rtol=1e-10)
    np.testing.assert_array_equal(state.step, [[0], [0]])


def test_a_sequence_goes_on_where_its_state_left_off():
    recurrence, x, *_ = random_recurrence(4, (1, 4))
    whole, _ = recurrence(x)
    _, state = recurrence(x[:, :3])
    rest, _ = recurrence(x[:, 3:], initial_state=state)
    np.testing.assert_allclose(rest, whole[:, 3:], rtol=1e-12)


@pytest.mark.parametrize("periods", [(), (2, 1), (0, 1), (1, 1.5)])
def test_periods_that_are_no_ascending_positive_integers_are_refused(periods):
    with pytest.raises(ValueError, match=r"periods is .*, but positive integers in ascending"):
        ClockworkRNNCell(4, periods=periods)


def test_units_that_do_not_divide_into_modules_are_refused():
    with pytest.raises(ValueError, match="units is 4, but a multiple of 3"):
        ClockworkRNNCell(4, periods=(1, 2, 4))
