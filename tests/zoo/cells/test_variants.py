"""Relatives of LSTM and GRU, each against its paper's equations written out in numpy."""

import numpy as np
import pytest
from scipy.special import expit as sigmoid

from zoo.cells.independent_rnn import IndRNNCell
from zoo.cells.layer_norm import LayerNormGRUCell, LayerNormLSTMCell
from zoo.cells.lstm_variants import (
    CoupledLSTMCell,
    MultiplicativeLSTMCell,
    PeepholeLSTMCell,
    ProjectedLSTMCell,
)

H = 4


def gate(k, x, h, w, size=H):
    """Columns of the k-th gate: W_k x + U_k h + b_k."""
    columns = slice(k * size, (k + 1) * size)
    kernel, recurrent, bias = w["kernel"], w["recurrent_kernel"], w["bias"]
    return x @ kernel[:, columns] + h @ recurrent[:, columns] + bias[columns]


def layer_norm(v, gain):
    return gain * (v - v.mean(1, keepdims=True)) / np.sqrt(v.var(1, keepdims=True) + 1e-5)


def ind_rnn(x, state, **w):
    h = np.maximum(0, x @ w["kernel"] + w["recurrent_kernel"] * state[0] + w["bias"])
    return h, [h]


def peephole(x, state, **w):
    h, c = state
    f = sigmoid(gate(0, x, h, w) + w["peephole"][0] * c)
    i = sigmoid(gate(1, x, h, w) + w["peephole"][1] * c)
    c = f * c + i * np.tanh(gate(3, x, h, w))
    o = sigmoid(gate(2, x, h, w) + w["peephole"][2] * c)
    h = o * np.tanh(c)
    return h, [h, c]


def coupled(x, state, **w):
    h, c = state
    f, o, g = sigmoid(gate(0, x, h, w)), sigmoid(gate(1, x, h, w)), np.tanh(gate(2, x, h, w))
    c = f * c + (1 - f) * g
    h = o * np.tanh(c)
    return h, [h, c]


def projected(x, state, **w):
    h, c = state
    f, i, o = (sigmoid(gate(k, x, h, w, 2 * H)) for k in range(3))
    c = f * c + i * np.tanh(gate(3, x, h, w, 2 * H))
    h = (o * np.tanh(c)) @ w["projection"]
    return h, [h, c]


def multiplicative(x, state, **w):
    h, c = state
    m = (x @ w["factor_kernel"]) * (h @ w["factor_recurrent_kernel"])
    f, i, o = (sigmoid(gate(k, x, m, w)) for k in range(3))
    c = f * c + i * np.tanh(gate(3, x, m, w))
    h = o * np.tanh(c)
    return h, [h, c]


def layer_norm_lstm(x, state, **w):
    h, c = state
    a = layer_norm(x @ w["kernel"], w["gain"]) + w["bias"]
    a += layer_norm(h @ w["recurrent_kernel"], w["recurrent_gain"])
    f, i, o, g = a[:, :H], a[:, H : 2 * H], a[:, 2 * H : 3 * H], a[:, 3 * H :]
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(layer_norm(c, w["memory_gain"]) + w["memory_bias"])
    return h, [h, c]


def layer_norm_gru(x, state, **w):
    (h,) = state
    gates, candidate = slice(None, 2 * H), slice(2 * H, None)

    def both(v, kernel, gain, part):
        return layer_norm(v @ w[kernel][:, part], w[gain][part])

    a = both(x, "kernel", "gain", gates) + both(h, "recurrent_kernel", "recurrent_gain", gates)
    z, r = np.split(sigmoid(a + w["bias"][gates]), 2, axis=1)
    seen = both(x, "kernel", "gain", candidate) + w["bias"][candidate]
    new = np.tanh(seen + r * both(h, "recurrent_kernel", "recurrent_gain", candidate))
    h = z * h + (1 - z) * new
    return h, [h]


PAPERS = {
    IndRNNCell: ind_rnn,
    PeepholeLSTMCell: peephole,
    CoupledLSTMCell: coupled,
    ProjectedLSTMCell: projected,
    MultiplicativeLSTMCell: multiplicative,
    LayerNormLSTMCell: layer_norm_lstm,
    LayerNormGRUCell: layer_norm_gru,
}


@pytest.mark.parametrize("cell", PAPERS)
def test_a_sequence_equals_the_paper(cell, assert_equals_paper):
    assert_equals_paper(cell(H, dtype="float64"), PAPERS[cell])


@pytest.mark.parametrize("cell", [PeepholeLSTMCell, CoupledLSTMCell, MultiplicativeLSTMCell])
def test_the_forget_gate_starts_open(cell):
    cell = cell(H)
    cell.build((None, 5))
    bias = cell.bias.numpy()
    assert np.all(bias[:H] == 1) and not np.any(bias[H:])


@pytest.mark.parametrize("memory", [0, True])
def test_a_memory_that_is_no_size_is_refused(memory):
    with pytest.raises(ValueError, match=f"memory is {memory}, but a positive integer is needed"):
        ProjectedLSTMCell(4, memory=memory)
