"""Shapes are known before a layer is called, and a summary shows them."""

import keras
import pytest

import zoo
from zoo import layers
from zoo.cells import GRUCell, LSTMCell
from zoo.layers.bidirectional import Bidirectional

VECTORS = {
    "recurrence": lambda: zoo.Recurrence(LSTMCell(4)),
    "both ways": lambda: Bidirectional(LSTMCell(4), GRUCell(3)),
    "sum of both ways": lambda: Bidirectional(GRUCell(4), merge="sum"),
    "stack": lambda: layers.RecurrentStack("lstm", 4, layers=2),
    "stack of both ways": lambda: layers.RecurrentStack("gru", 4, bidirectional=True),
    "pooled": lambda: layers.PooledStack("gru", 4, pool="attention"),
    "lstm": lambda: layers.LSTM(4, return_state=True),
    "gru": lambda: layers.GRU(4, return_sequences=True),
    "rnn": lambda: layers.RNN([LSTMCell(4), GRUCell(3)]),
    "bidirectional": lambda: layers.Bidirectional(layers.SimpleRNN(4)),
}


def known(tree):
    shapes = [getattr(part, "shape", part) for part in keras.tree.flatten(tree)]
    return [tuple(shape) if isinstance(shape, tuple) else shape for shape in shapes]


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("name", VECTORS)
def test_shapes_are_those_of_a_call(name, batch):
    layer, inputs = VECTORS[name](), keras.Input((7, 3), batch_size=batch)
    before = layer.compute_output_shape((batch, 7, 3))
    outputs = layer(inputs)
    flat = keras.tree.map_shape_structure(keras.KerasTensor, before)
    assert known(flat) == known(outputs)
    lines = []
    keras.Model(inputs, keras.tree.flatten(outputs)).summary(print_fn=lines.append)
    assert "?" not in "".join(lines)


@pytest.mark.parametrize(
    ("layer", "shapes", "expected"),
    [
        (lambda: layers.CharacterEncoder(9, 5, 4, (2, 3)), [(None, 6)], (None, 8)),
        (lambda: layers.LinearChain(4), [(None, 7, 4), (None,)], (None, 7, 4)),
        (lambda: layers.ConvLSTM2D(3, 2), [(None, 7, 5, 5, 2)], (None, 4, 4, 3)),
    ],
    ids=["characters", "chain", "frames"],
)
def test_shapes_of_other_layers(layer, shapes, expected):
    made = layer()
    if isinstance(made, keras.layers.RNN):
        # Keras' own method asks the cell, which knows the frames once it is built.
        made.build(*shapes)
    assert made.compute_output_shape(*shapes) == expected
