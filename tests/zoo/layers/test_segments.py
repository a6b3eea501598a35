"""The reader of segments, beside the equations of its paper in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.segments import SegmentReader


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru(x, h, cell):
    kernel, recurrent, bias, more = (
        part.numpy()
        for part in (cell.kernel, cell.recurrent_kernel, cell.bias, cell.recurrent_bias)
    )
    z, r, n = np.split(x @ kernel + bias, 3, axis=-1)
    u, q, m = np.split(h @ recurrent + more, 3, axis=-1)
    z, r = sigmoid(z + u), sigmoid(r + q)
    return (1 - z) * np.tanh(n + r * m) + z * h


def made(**options):
    reader = SegmentReader(horizon=5, segment=2, outputs=1, units=6, **options)
    reader((tf.zeros([1, 4]), tf.zeros([1, 3])))
    rng = np.random.default_rng(1)
    for weight in reader.trainable_variables:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return reader


@pytest.mark.parametrize("halves", [False, True])
def test_it_computes_the_equations_of_the_paper(halves):
    reader = made(halves=halves)
    rng = np.random.default_rng(2)
    past, context = rng.normal(size=(2, 4)).astype("f4"), np.eye(3, dtype="f4")[:2]
    answer = reader((past, context)).numpy()[..., 0]
    cell = reader.stack.recurrences[0].cell
    around = context @ reader.around.kernel.numpy()
    kernel, bias = reader.embedding.kernel.numpy(), reader.embedding.bias.numpy()
    for row in range(2):
        h = np.zeros(6)
        for segment in past[row].reshape(2, 2):
            h = gru(np.maximum(segment @ kernel + bias, 0), h, cell)
        values = []
        for place in reader.place.numpy():
            own = np.concatenate([place, around[row]]) if halves else place + around[row]
            values += np.ravel(gru(own, h, cell) @ reader.head.kernel + reader.head.bias).tolist()
        np.testing.assert_allclose(answer[row], values[:5], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("options", [{"cell": "slstm"}, {"cell": "lstm", "layers": 2}])
def test_any_cell_gives_each_row_an_answer_of_its_own(options):
    reader = made(**options)
    past = np.random.default_rng(3).normal(size=(3, 4)).astype("f4")
    context = np.eye(3, dtype="f4")
    together = reader((past, context)).numpy()
    alone = [reader((past[n : n + 1], context[n : n + 1])).numpy()[0] for n in range(3)]
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)
    assert np.abs(together - reader((past, context[::-1])).numpy()).max() > 1e-3


def test_without_a_context_a_segment_reads_all_of_its_place():
    reader = SegmentReader(horizon=3, segment=2, outputs=1, units=6, halves=True)
    assert reader((tf.zeros([2, 4]), tf.zeros([2, 0]))).shape == (2, 3, 1)
    assert reader.place.shape == (2, 6)
