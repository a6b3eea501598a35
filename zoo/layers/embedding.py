"""Tokens to vectors."""

import keras
import tensorflow as tf
from keras import ops

from zoo.typing import Tensor


@keras.saving.register_keras_serializable("zoo")
class Embedding(keras.layers.Embedding):
    """E x: each token's row of a table `[V, D]`; Keras' layer, but that -1 is no token.

    Keras lets negative tokens count from the end, which costs an eighth of a small model's step.

    Raises:
        tf.errors.InvalidArgumentError: a token is negative, or V or more (on a processor).

    Example:
        >>> layer = Embedding(5, 2)
        >>> layer(ops.ones((3, 4), "int32")).shape
        TensorShape([3, 4, 2])
    """

    def call(self, inputs: Tensor) -> Tensor:
        """Integers of any shape `[...]` to vectors `[..., D]`."""
        table = ops.convert_to_tensor(self.embeddings)
        return ops.cast(tf.gather(table, inputs), self.compute_dtype)
