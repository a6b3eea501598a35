import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.embedding import Embedding


def test_tokens_get_their_rows_as_from_keras_layer():
    layer, own = Embedding(7, 3), keras.layers.Embedding(7, 3)
    tokens = np.random.default_rng(1).integers(0, 7, (4, 5)).astype("int32")
    found = layer(tokens)
    own.build(None)
    own.set_weights(layer.get_weights())
    np.testing.assert_array_equal(found, layer.get_weights()[0][tokens])
    np.testing.assert_array_equal(found, own(tokens))


def test_its_gradient_is_that_of_the_rows():
    layer = Embedding(4, 2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(np.array([1, 1, 3], "int32")) * [[1.0, 2.0]])
    found = tf.convert_to_tensor(tape.gradient(loss, layer.embeddings.value))
    np.testing.assert_array_equal(found, [[0, 0], [2, 4], [0, 0], [1, 2]])


@pytest.mark.parametrize("token", [-1, 4])
def test_what_is_no_token_is_refused(token):
    with pytest.raises(tf.errors.InvalidArgumentError, match=str(token)):
        Embedding(4, 2)(np.array([0, token], "int32"))


def test_half_precision_gives_half_precision():
    layer = Embedding(4, 2, dtype="mixed_bfloat16")
    assert layer(np.array([1], "int32")).dtype == tf.bfloat16
    assert layer.embeddings.dtype == "float32"
