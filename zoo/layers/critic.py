"""A critic of pictures: convolutions whose largest gain is one."""

import math
from typing import Any

import keras
import tensorflow as tf

from zoo.typing import Tensor

_ITERATIONS = 8


def spectral_norm(kernel: Tensor, iterations: int = _ITERATIONS) -> Tensor:
    """Return the largest singular value of a kernel, all its axes but the last as one.

    It is found by power iteration from a fixed vector, and so depends on the kernel alone: nothing
    has to be remembered from update to update. The gradient is that of u^T W v.

    Args:
        kernel: of any rank, its last axis the outputs.
        iterations: of the power method.

    Source: T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida 2018, arXiv:1802.05957.

    Example:
        >>> round(float(spectral_norm(tf.constant([[3.0, 0.0], [0.0, 4.0]]))), 3)
        4.0
    """
    matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])
    fixed = tf.stop_gradient(matrix)
    v = tf.ones([fixed.shape[1], 1])
    for _ in range(iterations):
        u = tf.math.l2_normalize(fixed @ v)
        v = tf.math.l2_normalize(tf.matmul(fixed, u, transpose_a=True))
    return tf.reduce_sum(u * (matrix @ v))


class Critic(keras.layers.Layer):
    """s = w · relu(V relu(conv(relu(conv(x))))): the higher, the more real a picture seems.

    Args:
        channels: of what it sees.
        height: of it.
        width: of it.
        filters: of the first convolution; the second has twice as many.
        spectral: whether each kernel is divided by its spectral norm.
        seed: of the first weights.

    Example:
        >>> critic = Critic(1, 8, 8, filters=2)
        >>> critic(tf.zeros([5, 8, 8, 1])).shape
        TensorShape([5])
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        filters: int = 24,
        spectral: bool = True,
        seed: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.spectral = spectral
        flat = 2 * filters * -(-height // 4) * -(-width // 4)
        shapes = [
            (4, 4, channels, filters),
            (4, 4, filters, 2 * filters),
            (flat, 4 * filters),
            (4 * filters, 1),
        ]
        self.kernels, self.biases = [], []
        for number, shape in enumerate(shapes):
            start = keras.initializers.RandomNormal(
                math.sqrt(2 / math.prod(shape[:-1])), seed=seed + number
            )
            kernel = self.add_weight(name=f"kernel_{number}", shape=shape, initializer=start)
            self.kernels.append(kernel)
            self.biases.append(
                self.add_weight(name=f"bias_{number}", shape=shape[-1:], initializer="zeros")
            )
        self.built = True

    def call(self, pictures: Tensor) -> Tensor:
        """Return the scores `[B]` of pictures `[B, h, w, c]`."""
        y = pictures
        kernels = [tf.convert_to_tensor(kernel) for kernel in self.kernels]
        if self.spectral:
            kernels = [kernel / spectral_norm(kernel) for kernel in kernels]
        for kernel, bias in zip(kernels[:2], self.biases):
            y = tf.nn.leaky_relu(tf.nn.conv2d(y, kernel, 2, "SAME") + bias, 0.2)
        y = tf.reshape(y, [-1, kernels[2].shape[0]])
        y = tf.nn.leaky_relu(y @ kernels[2] + self.biases[2], 0.2)
        return (y @ kernels[3] + self.biases[3])[:, 0]
