"""Layers in Keras' place whose loops XLA compiles, as it does for users, train as Keras' do."""

import keras
import numpy as np
import pytest

from zoo import layers

pytestmark = pytest.mark.compiled
B, T = 4, 6
TOKENS = np.array([[1, 2, 3, 4, 0, 0], [0, 0, 3, 2, 1, 4], [1, 0, 2, 0, 3, 0], [4, 3, 2, 1, 1, 1]])


@pytest.mark.parametrize(
    "reads",
    [
        lambda of: of.Bidirectional(of.LSTM(3, return_sequences=True, dropout=0.2, seed=1)),
        pytest.param(
            lambda of: of.GRU(3, return_sequences=True, recurrent_dropout=0.3, seed=2),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["both directions", "recurrent dropout"],
)
@pytest.mark.slow
def test_fit_trains_as_keras_does_under_a_mask(reads):
    histories = []
    for of in (keras.layers, layers):
        keras.utils.set_random_seed(1)
        inputs = keras.Input(batch_shape=(B, T), dtype="int32")
        y = keras.layers.Embedding(5, 3, mask_zero=True)(inputs)
        model = keras.Model(inputs, keras.layers.Dense(1)(reads(of)(y)))
        model.compile(keras.optimizers.SGD(0.1), "mse")
        targets = (TOKENS[..., None] % 3).astype("float32")
        history = model.fit(TOKENS, targets, batch_size=B, epochs=3, verbose=0)
        histories.append(history.history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-5)
