"""The layer of `.keras` files that earlier versions wrote."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.cells.gru import GRUCell
from zoo.cells.quasi import QRNNCell
from zoo.cells.wrappers import ResidualCell
from zoo.layers.bidirectional import Bidirectional
from zoo.layers.keras_like import KerasLike
from zoo.recurrence import Recurrence

X = np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")
MASK = np.array([[0, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)


@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_the_last_outputs_of_both_directions(merge):
    inside = Bidirectional(ResidualCell(QRNNCell(3)), merge=merge)
    last = KerasLike(inside)(X, mask=MASK)
    ahead, _ = inside.forwards(X, mask=MASK)
    back, _ = inside.backwards(X, mask=MASK)
    ends = tf.stack([ahead[0, 2], ahead[1, 4]]), tf.stack([back[0, 1], back[1, 0]])
    expected = ends[0] + ends[1] if merge == "sum" else tf.concat(ends, axis=-1)
    np.testing.assert_array_equal(last, expected)


def test_a_file_with_it_is_read(tmp_path):
    layers = [
        KerasLike(Recurrence(GRUCell(4)), return_sequences=True, dropout=0.1),
        KerasLike(Bidirectional(GRUCell(2))),
    ]
    model = keras.Sequential([keras.Input((None, 3)), *layers])
    model.save(tmp_path / "model.keras")
    loaded = zoo.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(X), model(X))
