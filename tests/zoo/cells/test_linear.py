"""The linear cells against their papers' equations, and their two forms against each other."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.cells.linear import LRUCell, MinGRUCell, MinLSTMCell, SRUCell
from zoo.recurrence import Recurrence

B, T, D, H = 3, 6, 5, 4


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def random_recurrence(cell, seed=0):
    recurrence = Recurrence(cell(H, dtype="float64"))
    recurrence.build((None, None, D))
    rng = np.random.default_rng(seed)
    for weight in recurrence.weights:
        weight.assign(0.7 * rng.normal(size=weight.shape))
    return recurrence


def min_gru(x, h, kernel, bias):
    z = sigmoid(x @ kernel[:, :H] + bias[:H])
    candidate = x @ kernel[:, H:] + bias[H:]
    h = (1 - z) * h + z * candidate
    return h, h


def min_lstm(x, h, kernel, bias):
    f = sigmoid(x @ kernel[:, :H] + bias[:H])
    i = sigmoid(x @ kernel[:, H : 2 * H] + bias[H : 2 * H])
    candidate = x @ kernel[:, 2 * H :] + bias[2 * H :]
    h = f / (f + i) * h + i / (f + i) * candidate
    return h, h


def sru(x, c, kernel, bias):
    candidate, f, r, skip = (
        x @ kernel[:, k * H : (k + 1) * H] + bias[k * H : (k + 1) * H] for k in range(4)
    )
    f, r = sigmoid(f), sigmoid(r)
    c = f * c + (1 - f) * candidate
    return r * np.tanh(c) + (1 - r) * skip, c


def lru(u, state, nu, theta, gamma, kernel, readout):
    eigenvalues = np.exp(-np.exp(nu) + 1j * np.exp(theta))
    B_matrix = kernel[:, :H] + 1j * kernel[:, H : 2 * H]
    C_matrix = readout[:H] - 1j * readout[H:]
    x = state[:, :H] + 1j * state[:, H:]
    x = eigenvalues * x + np.exp(gamma) * (u @ B_matrix)
    y = (x @ C_matrix).real + u @ kernel[:, 2 * H :]
    return y, np.concatenate([x.real, x.imag], axis=1)


PAPERS = {MinGRUCell: min_gru, MinLSTMCell: min_lstm, SRUCell: sru, LRUCell: lru}


@pytest.mark.parametrize("cell", PAPERS)
def test_a_sequence_equals_the_paper(cell):
    recurrence = random_recurrence(cell)
    weights = {weight.name: weight.numpy() for weight in recurrence.weights}
    rng = np.random.default_rng(1)
    x = rng.normal(size=(B, T, D))
    state = rng.normal(size=(B, recurrence.cell.state_size[0]))
    y, final = recurrence(x, initial_state=[state])
    for t in range(T):
        expected, state = PAPERS[cell](x[:, t], state, **weights)
        np.testing.assert_allclose(y[:, t], expected, atol=1e-12)
    np.testing.assert_allclose(final[0], state, atol=1e-12)


@pytest.mark.parametrize("time", [1, 7, 1024])
@pytest.mark.parametrize("cell", PAPERS)
def test_the_parallel_form_equals_streaming(cell, time):
    recurrence = random_recurrence(cell)
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
