"""Cells against what PyTorch computed, stored by `tests/fixtures/make_torch.py`."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from zoo.cells.gru import GRUCell
from zoo.cells.lstm import LSTMCell
from zoo.cells.lstm_variants import ProjectedLSTMCell
from zoo.cells.vanilla_rnn import VanillaRNNCell
from zoo.recurrence import Recurrence

FIXTURE = Path(__file__).parents[2] / "fixtures" / "torch.npz"


def columns(rows, order):
    """PyTorch's stacked gates, one above the other, as columns in the order of ours."""
    gates = np.split(rows, len(order))
    return np.concatenate([gates[k] for k in order]).T


# PyTorch stacks i, f, g, o in an LSTM and r, z, n in a GRU; the numbers pick ours from these.
LSTM_ORDER, GRU_ORDER = (1, 0, 3, 2), (1, 0, 2)


def rnn(w):
    return {
        "kernel": w["weight_ih"].T,
        "recurrent_kernel": w["weight_hh"].T,
        "bias": w["bias_ih"] + w["bias_hh"],
    }


def gru(w):
    return {
        "kernel": columns(w["weight_ih"], GRU_ORDER),
        "recurrent_kernel": columns(w["weight_hh"], GRU_ORDER),
        "bias": columns(w["bias_ih"], GRU_ORDER),
        "recurrent_bias": columns(w["bias_hh"], GRU_ORDER),
    }


def lstm(w):
    joined = np.concatenate([w["weight_hh"], w["weight_ih"]], axis=1)
    return {
        "kernel": columns(joined, LSTM_ORDER),
        "bias": columns(w["bias_ih"] + w["bias_hh"], LSTM_ORDER),
    }


def projected_lstm(w):
    return {
        "kernel": columns(w["weight_ih"], LSTM_ORDER),
        "recurrent_kernel": columns(w["weight_hh"], LSTM_ORDER),
        "bias": columns(w["bias_ih"] + w["bias_hh"], LSTM_ORDER),
        "projection": w["weight_hr"].T,
    }


CASES = {
    "rnn": (lambda: VanillaRNNCell(4, dtype="float64"), rnn),
    "gru": (lambda: GRUCell(4, dtype="float64"), gru),
    "lstm": (lambda: LSTMCell(4, dtype="float64"), lstm),
    "projected_lstm": (lambda: ProjectedLSTMCell(4, memory=6, dtype="float64"), projected_lstm),
}


@pytest.mark.parametrize("name", CASES)
def test_outputs_states_and_input_gradient_are_those_of_pytorch(name):
    with np.load(FIXTURE) as stored:
        torch = {key.partition("/")[2]: stored[key] for key in stored if key.startswith(f"{name}/")}
    make, convert = CASES[name]
    recurrence = Recurrence(make())
    x = tf.constant(torch["x"])
    recurrence.build(x.shape)
    converted = convert(torch)
    recurrence.set_weights([converted[weight.name] for weight in recurrence.weights])
    initial = [torch[f"initial_{n}"] for n in range(len(recurrence.cell.state_size))]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, final = recurrence(x, initial_state=initial)
        loss = tf.reduce_sum(y**2)
    ours = [y, *final, tape.gradient(loss, x)]
    theirs = [torch["y"], *(torch[f"final_{n}"] for n in range(len(initial))), torch["gradient"]]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
