"""The vanilla recurrent network against the lecture's equation, in numpy."""

import numpy as np
import pytest

from zoo.cells.vanilla_rnn import VanillaRNNCell
from zoo.recurrence import Recurrence

FUNCTIONS = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "linear": lambda a: a}


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_each_step_is_f_of_input_and_previous_state(activation):
    f = FUNCTIONS[activation]
    recurrence = Recurrence(VanillaRNNCell(4, activation=activation))
    x = np.random.normal(size=(2, 6, 3)).astype("float32")
    recurrence.build(x.shape)
    W_xh, W_hh, b = np.random.normal(size=(3, 4)), np.random.normal(size=(4, 4)), np.arange(4.0)
    recurrence.set_weights([W_xh, W_hh / 4, b / 4])
    y, state = recurrence(x)
    h = np.zeros((2, 4))
    for t in range(6):
        h = f(x[:, t] @ W_xh + h @ W_hh / 4 + b / 4)
        np.testing.assert_allclose(y[:, t], h, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(state.h, h, rtol=1e-5, atol=1e-5)


def test_the_activation_is_kept_in_the_config():
    config = VanillaRNNCell(4, activation="relu").get_config()
    assert VanillaRNNCell.from_config(config).get_config() == config
    assert config["activation"] == "relu"
