"""Names are imported from the packages that hold them, and bring TensorFlow only when used."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
import zoo.cells
import zoo.layers
from zoo import registry
from zoo.cells.quasi import QRNNCell
from zoo.cells.wrappers import ResidualCell
from zoo.layers import GRU, LSTM, RNN

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(registry.entries("cell")))
def test_every_cell_is_imported_from_the_face(name):
    made = registry.load("cell", name)
    if made.__module__.startswith("zoo."):
        assert getattr(zoo.cells, made.__name__) is made
        assert made.__name__ in dir(zoo.cells)


@pytest.mark.parametrize(
    "package", [zoo, zoo.cells, zoo.layers], ids=lambda package: package.__name__
)
def test_every_name_of_a_face_is_there(package):
    assert dir(package)
    for name in dir(package):
        assert getattr(package, name).__name__ == name
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'no'"):
        package.no  # noqa: B018


@pytest.mark.parametrize("face", ["zoo.cells", "zoo.layers"])
def test_a_face_brings_no_tensorflow(face):
    code = f"import sys, {face}; dir({face}); print('tensorflow' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


# Layers that are called like Keras' own

X = np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")
MASK = np.array([[0, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)


@pytest.mark.parametrize("mask", [None, MASK], ids=["", "masked"])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("cell", [lambda: ResidualCell(QRNNCell(3)), lambda: QRNNCell(4)])
def test_the_last_output_is_that_of_any_cell(cell, go_backwards, mask):
    ours = RNN(cell(), go_backwards=go_backwards)
    theirs = keras.layers.RNN(cell(), go_backwards=go_backwards)
    ours(X), theirs(X)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(X, mask=mask), theirs(X, mask=mask), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("make", [LSTM, pytest.param(GRU, marks=pytest.mark.slow)])
def test_a_sequential_model_of_them_trains_and_survives_its_file(make, tmp_path):
    model = keras.Sequential([make(4, return_sequences=True), make(4, dropout=0.1)])
    model.compile("sgd", "mse")
    model.fit(X, np.ones((2, 4)), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = zoo.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(X), model(X))
    assert type(loaded.layers[0]) is make
