"""The xLSTM cells against the paper's equations, without stabiliser, in numpy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit as sigmoid

from zoo.cells.xlstm import MLSTMCell, SLSTMCell
from zoo.recurrence import Recurrence

B, T, D, H = 3, 6, 5, 4


@pytest.fixture
def sequence(random_recurrence):
    """Inputs, weights, outputs and final state of a cell whose weights are all random."""

    def run(cell):
        recurrence = random_recurrence(cell)
        x = np.random.default_rng(1).normal(size=(B, T, D))
        y, final = recurrence(x)
        return x, {weight.name: weight.numpy() for weight in recurrence.weights}, y, final

    return run


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_slstm_equals_the_paper(heads, sequence):
    x, w, y, final = sequence(SLSTMCell(H, heads=heads, dtype="float64"))
    d = H // heads
    h, c, n = np.zeros((3, B, H))
    for t in range(T):
        gates = []
        for gate in range(4):
            columns = slice(gate * H, (gate + 1) * H)
            a = x[:, t] @ w["kernel"][:, columns] + w["bias"][columns]
            for head in range(heads):
                own = slice(head * d, (head + 1) * d)
                block = w["recurrent_kernel"][head][:, gate * d : (gate + 1) * d]
                a[:, own] += h[:, own] @ block
            gates.append(a)
        f, i, o, g = gates
        c = sigmoid(f) * c + np.exp(i) * np.tanh(g)
        n = sigmoid(f) * n + np.exp(i)
        h = sigmoid(o) * c / n
        np.testing.assert_allclose(y[:, t], h, atol=1e-12)
    np.testing.assert_allclose(final.h, h, atol=1e-12)
    np.testing.assert_allclose(final.c * np.exp(final.m), c, rtol=1e-10)
    np.testing.assert_allclose(final.n * np.exp(final.m), n, rtol=1e-10)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_mlstm_equals_the_paper(heads, sequence):
    x, w, y, final = sequence(MLSTMCell(H, heads=heads, dtype="float64"))
    d = H // heads
    C, n = np.zeros((B, heads, d, d)), np.zeros((B, heads, d))
    for t in range(T):
        a = x[:, t] @ w["kernel"] + w["bias"]
        for b in range(B):
            for head in range(heads):
                f, i = sigmoid(a[b, head]), np.exp(a[b, heads + head])
                q, k, v, o = (
                    a[b, start : start + d] for start in 2 * heads + head * d + H * np.arange(4)
                )
                k = k / np.sqrt(d)
                C[b, head] = f * C[b, head] + i * np.outer(v, k)
                n[b, head] = f * n[b, head] + i * k
                h = sigmoid(o) * (C[b, head] @ q) / max(abs(n[b, head] @ q), 1)
                np.testing.assert_allclose(y[b, t, head * d : (head + 1) * d], h, atol=1e-12)
    scale = np.exp(final.m)[:, :, None]
    np.testing.assert_allclose(np.reshape(final.n, n.shape) * scale, n, rtol=1e-10)
    memory = np.reshape(final.c, C.shape) * scale[..., None]
    np.testing.assert_allclose(memory, C, rtol=1e-10)


@pytest.mark.parametrize("bias", [-300.0, 300.0])
@pytest.mark.parametrize("cell", [SLSTMCell, MLSTMCell])
def test_gates_far_out_give_finite_outputs_and_gradients_from_the_zero_state(cell, bias):
    recurrence = Recurrence(cell(H))
    recurrence.build((None, None, D))
    recurrence.cell.bias.assign(tf.fill(recurrence.cell.bias.shape, bias))
    x = tf.constant(np.random.default_rng(0).normal(size=(B, T, D)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, final = recurrence(x)
        loss = tf.reduce_sum(y) + tf.add_n([tf.reduce_sum(part) for part in final])
    gradients = tape.gradient(loss, [x, *[w.value for w in recurrence.weights]])
    assert all(np.all(np.isfinite(part)) for part in (y, *final, *gradients))


@pytest.mark.parametrize("cell", [SLSTMCell, MLSTMCell])
def test_the_forget_gate_starts_open(cell):
    cell = cell(H, heads=2)
    cell.build((None, D))
    gates = H if isinstance(cell, SLSTMCell) else 2
    assert np.all(cell.bias[:gates] == 1) and not np.any(cell.bias[gates:])


@pytest.mark.parametrize("heads", [0, 3, 1.0])
@pytest.mark.parametrize("cell", [SLSTMCell, MLSTMCell])
def test_heads_that_do_not_divide_the_units_are_refused(cell, heads):
    with pytest.raises(ValueError, match=r"heads is .* divides units 4 is needed"):
        cell(H, heads=heads)
