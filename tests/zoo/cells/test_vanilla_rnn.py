"""The vanilla recurrent network against the lecture's equation, in numpy."""

import numpy as np
import pytest

from zoo.cells.vanilla_rnn import VanillaRNNCell

FUNCTIONS = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "linear": lambda a: a}


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_each_step_is_f_of_input_and_previous_state(activation, assert_equals_paper):
    def step(x, state, kernel, recurrent_kernel, bias):
        h = FUNCTIONS[activation](x @ kernel + state[0] @ recurrent_kernel + bias)
        return h, [h]

    assert_equals_paper(VanillaRNNCell(4, activation=activation, dtype="float64"), step)


def test_the_activation_is_kept_in_the_config():
    config = VanillaRNNCell(4, activation="relu").get_config()
    assert VanillaRNNCell.from_config(config).get_config() == config
    assert config["activation"] == "relu"
