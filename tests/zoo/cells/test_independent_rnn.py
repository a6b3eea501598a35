"""The activation of the independently recurrent network."""

import numpy as np

from zoo.cells.independent_rnn import IndRNNCell


def test_another_activation_takes_the_place_of_relu_and_survives_the_config(assert_equals_paper):
    def step(x, state, kernel, recurrent_kernel, bias):
        h = np.tanh(x @ kernel + recurrent_kernel * state[0] + bias)
        return h, [h]

    cell = IndRNNCell.from_config(IndRNNCell(4, activation="tanh", dtype="float64").get_config())
    assert_equals_paper(cell, step)
