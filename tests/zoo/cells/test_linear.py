"""The linear cells against their papers' equations, and their two forms against each other."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit as sigmoid

from zoo.cells.linear import LRUBlockCell, LRUCell, MinGRUCell, MinLSTMCell, SRUCell

D, H = 5, 4


def min_gru(x, state, kernel, bias):
    (h,) = state
    z = sigmoid(x @ kernel[:, :H] + bias[:H])
    candidate = x @ kernel[:, H:] + bias[H:]
    h = (1 - z) * h + z * candidate
    return h, [h]


def min_lstm(x, state, kernel, bias):
    (h,) = state
    f = sigmoid(x @ kernel[:, :H] + bias[:H])
    i = sigmoid(x @ kernel[:, H : 2 * H] + bias[H : 2 * H])
    candidate = x @ kernel[:, 2 * H :] + bias[2 * H :]
    h = f / (f + i) * h + i / (f + i) * candidate
    return h, [h]


def sru(x, state, kernel, bias):
    (c,) = state
    candidate, f, r, skip = (
        x @ kernel[:, k * H : (k + 1) * H] + bias[k * H : (k + 1) * H] for k in range(4)
    )
    f, r = sigmoid(f), sigmoid(r)
    c = f * c + (1 - f) * candidate
    return r * np.tanh(c) + (1 - r) * skip, [c]


def lru(u, state, nu, theta, gamma, kernel, readout):
    eigenvalues = np.exp(-np.exp(nu) + 1j * np.exp(theta))
    B_matrix = kernel[:, :H] + 1j * kernel[:, H : 2 * H]
    C_matrix = readout[:H] - 1j * readout[H:]
    x = state[0][:, :H] + 1j * state[0][:, H:]
    x = eigenvalues * x + np.exp(gamma) * (u @ B_matrix)
    y = (x @ C_matrix).real + u @ kernel[:, 2 * H :]
    return y, [np.concatenate([x.real, x.imag], axis=1)]


def lru_block(
    u,
    state,
    nu,
    theta,
    gamma,
    kernel,
    readout,
    gain,
    offset,
    gate_kernel,
    gate_bias,
    skip_kernel=None,
):
    centred = u - u.mean(axis=1, keepdims=True)
    v = gain * centred / np.sqrt(centred.var(axis=1, keepdims=True) + 1e-5) + offset
    y, state = lru(v, state, nu, theta, gamma, kernel, readout)
    s = y / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3)))
    value, gate = np.split(s @ gate_kernel + gate_bias, 2, axis=1)
    around = u if skip_kernel is None else u @ skip_kernel
    return around + value * sigmoid(gate), state


PAPERS = {
    MinGRUCell: min_gru,
    MinLSTMCell: min_lstm,
    SRUCell: sru,
    LRUCell: lru,
    LRUBlockCell: lru_block,
}


@pytest.mark.parametrize("cell", PAPERS)
def test_a_sequence_equals_the_paper(cell, assert_equals_paper):
    assert_equals_paper(cell(H, dtype="float64"), PAPERS[cell])


@pytest.mark.slow
@pytest.mark.parametrize("time", [1, 7, 1024])
@pytest.mark.parametrize("cell", PAPERS)
def test_the_parallel_form_equals_streaming(cell, time, random_recurrence):
    recurrence = random_recurrence(cell(H, dtype="float64"))
    x = tf.constant(np.random.default_rng(2).normal(size=(2, time, D)))
    y, final = recurrence(x)
    state, step = recurrence.initial_state(2), tf.function(recurrence.step)
    for t in range(time):
        y_t, state = step(x[:, t], state)
        np.testing.assert_allclose(y[:, t], y_t, atol=1e-9)
    np.testing.assert_allclose(final[0], state[0], atol=1e-9)


def test_min_lstm_survives_gates_that_are_both_shut():
    cell = MinLSTMCell(1)
    cell.build((1, 1))
    cell.kernel.assign([[-200.0, -200.0, 1.0]])
    y, _ = cell(tf.ones((1, 1)), cell.get_initial_state(1))
    assert y.numpy()[0, 0] == 0.5


def test_the_eigenvalues_of_lru_start_between_the_radii():
    cell = LRUCell(500)
    cell.build((1, 3))
    radius = np.exp(-np.exp(cell.nu.numpy()))
    assert 0.9 - 1e-6 <= radius.min() < 0.91 and 0.99 < radius.max() <= 0.999 + 1e-6
    np.testing.assert_allclose(np.exp(cell.gamma.numpy()), np.sqrt(1 - radius**2), rtol=1e-3)


def test_what_goes_around_a_block_is_its_input_where_the_sizes_agree():
    cell = LRUBlockCell(D)
    x = tf.random.normal((2, D))
    cell.build(x.shape)
    cell.gate_kernel.assign(tf.zeros((D, 2 * D)))
    y, _ = cell(x, cell.get_initial_state(2))
    np.testing.assert_array_equal(y, x)
