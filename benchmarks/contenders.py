"""The zoo's and Keras' side of the benchmarks, and the matrix products alone."""

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from zoo import registry
from zoo.recurrence import Recurrence

KERAS = {
    "vanilla_rnn": keras.layers.SimpleRNN,
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
}
BLOCKS = {"lstm": 4, "gru": 3}
FIRST_CALLS = 6
# (B, T, D, H)
Size = tuple[int, int, int, int]


def zoo_layer(cell: str, units: int, **options: Any) -> Recurrence:
    return Recurrence(registry.load("cell", cell)(units, **options))


def keras_layer(cell: str, units: int) -> keras.layers.Layer:
    return KERAS[cell](units, return_sequences=True)


def outputs(layer: keras.layers.Layer, x: Any, training: bool) -> Any:
    y = layer(x, training=training)
    return y[0] if isinstance(layer, Recurrence) else y


def training_step(
    layer: keras.layers.Layer, size: Size, jit: bool = False, known: bool = True
) -> Callable[[], Any]:
    """Run a `gradient_step` on random inputs of one size."""
    step, x = gradient_step(layer, size, jit, known), tf.random.normal(size[:3])
    return lambda: step(x)[0].numpy()


def first_call(cell: str, size: Size) -> tuple[float, Callable[[], Any]]:
    """Return the longest of the first steps at a shape that is new to its graph, and that step.

    A shape is compiled once a graph has met it a few times.
    """
    step = gradient_step(zoo_layer(cell, size[-1]), size, known=False)
    x = tf.random.normal(size[:3])
    step(x[:3, :2])
    seconds = []
    for _ in range(FIRST_CALLS):
        start = time.perf_counter()
        step(x)[0].numpy()
        seconds.append(time.perf_counter() - start)
    return max(seconds), lambda: step(x)[0].numpy()


def gradient_step(
    layer: keras.layers.Layer, size: Size, jit: bool = False, known: bool = True
) -> Callable[[Any], Any]:
    """Forward and backward of a weighted sum of the outputs: gradients of inputs and weights.

    Args:
        layer: a recurrence, or a Keras layer that returns sequences.
        size: of the inputs.
        jit: compile the whole step.
        known: the graph knows the batch size and the number of steps beforehand.
    """
    small = tf.random.normal((1, 2, size[2]))
    weighting = tf.random.normal(outputs(layer, small, training=False).shape[2:])
    weights = [variable.value for variable in layer.trainable_variables]
    shape = size[:3] if known else (None, None, size[2])

    @tf.function(jit_compile=jit, input_signature=[tf.TensorSpec(shape, tf.float32)])
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(outputs(layer, x, training=True) * weighting)
        return tape.gradient(loss, [x, *weights])

    return step


def products(cell: str, size: Size) -> Callable[[], Any]:
    """The matrix products of a training step and nothing else, as the zoo runs them.

    Compiled, each half of the batch by itself, and the recurrent weights transposed once.
    """
    batch, steps, inputs, units = size
    wide = BLOCKS[cell] * units
    x = tf.random.normal((batch, steps, inputs))
    kernel, recurrent = tf.random.normal((inputs, wide)), tf.random.normal((units, wide)) * 0.01

    @tf.function(jit_compile=True)
    def half(x: Any) -> Any:
        rows = tf.reshape(x, (-1, inputs))
        z = tf.reshape(tf.matmul(rows, kernel), (steps, -1, wide))

        def forward(t: Any, h: Any) -> Any:
            return t + 1, tf.matmul(h, recurrent)[:, :units]

        turned = tf.transpose(recurrent)

        def backward(t: Any, dr: Any) -> Any:
            return t + 1, tf.tile(tf.matmul(dr, turned), (1, BLOCKS[cell]))

        h, dr = z[0, :, :units], z[0]
        for body, start in ((forward, h), (backward, dr)):
            _, end = tf.while_loop(
                lambda t, _: t < steps, body, (0, start), maximum_iterations=steps
            )
            h += end[:, :units]
        dz = tf.reshape(z, (-1, wide))
        dx = tf.matmul(dz, kernel, transpose_b=True)
        states = dz[:, :units]
        gradients = [tf.matmul(a, dz, transpose_a=True) for a in (rows, states)]
        return [h, dx, *gradients]

    @tf.function
    def step() -> Any:
        return [half(part) for part in tf.split(x, [batch // 2, batch - batch // 2])]

    return lambda: step()[0][0].numpy()
