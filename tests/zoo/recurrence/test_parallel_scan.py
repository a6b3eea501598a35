"""The parallel scan against the plain loop."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.recurrence.parallel_scan import linear_scan


def plain(a, b):
    h, hs = np.zeros_like(b[0]), []
    for a_t, b_t in zip(a, b, strict=True):
        h = a_t * h + b_t
        hs.append(h)
    return np.stack(hs)


def random(kind, *shape):
    real, imaginary = np.random.default_rng(1).normal(size=(2, *shape))
    return real if kind == "real" else real + 1j * imaginary


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("time", [1, 2, 7, 16, 17, 1024])
def test_the_scan_equals_the_plain_loop(kind, time):
    a, b = 0.6 * random(kind, time, 2, 3), random(kind, time, 2, 3)[::-1].copy()
    np.testing.assert_allclose(linear_scan(tf.constant(a), tf.constant(b)), plain(a, b), atol=1e-9)


@pytest.mark.parametrize("kind", ["real", "complex"])
def test_the_gradient_of_the_scan_equals_that_of_the_plain_loop(kind):
    a, b = tf.constant(0.7 * random(kind, 7, 2)), tf.constant(random(kind, 7, 2) + 1)

    def loss(h):
        return tf.reduce_sum(tf.sin(tf.abs(h + 2)))

    with tf.GradientTape(persistent=True) as tape:
        tape.watch([a, b])
        ours = loss(linear_scan(a, b))
        h, hs = tf.zeros_like(b[0]), []
        for t in range(7):
            h = a[t] * h + b[t]
            hs.append(h)
        theirs = loss(tf.stack(hs))
    for one, other in zip(tape.gradient(ours, [a, b]), tape.gradient(theirs, [a, b]), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("jit", [False, True])
def test_one_graph_serves_every_length(jit):
    scan = tf.function(linear_scan, input_signature=[tf.TensorSpec([None, 2], "float64")] * 2)
    if jit:
        scan = tf.function(linear_scan, jit_compile=True)
    for time in (1, 5, 30):
        a, b = random("real", time, 2), random("real", time, 2) + 1
        np.testing.assert_allclose(
            scan(tf.constant(a), tf.constant(b)), plain(a, b), rtol=1e-9, atol=1e-9
        )
