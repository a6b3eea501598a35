"""`keras.models.load_model` reads what the zoo has made, after `import zoo` alone."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from zoo import layers, registry
from zoo.cells import GRUCell, LSTMCell
from zoo.cells.wrappers import ZoneoutCell
from zoo.utils.keras_files import is_ours

ROOT = Path(__file__).parents[3]
X = np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    inputs = keras.Input((None, 3))
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(inputs)
    y = layers.RNN([ZoneoutCell(LSTMCell(4), 0.1), keras.layers.GRUCell(2)], True)(y)
    y, _ = zoo.Recurrence(GRUCell(3))(y)
    model = keras.Model(inputs, y)
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model.save(path)
    return path, model(X)


@pytest.mark.slow
@pytest.mark.parametrize(
    "imports",
    [
        "import zoo, keras",
        pytest.param("import keras, zoo", marks=pytest.mark.slow),
        pytest.param("import zoo, tensorflow, keras", marks=pytest.mark.slow),
    ],
)
def test_a_process_that_has_imported_nothing_else_reads_it(saved, imports):
    path, expected = saved
    code = (
        f"{imports}, numpy as np\n"
        f"y = keras.models.load_model({str(path)!r})(np.array({X.tolist()}, 'float32'))\n"
        "print(np.array(y).ravel().tolist())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    answer = np.array(eval(result.stdout.splitlines()[-1]))
    np.testing.assert_allclose(answer, np.array(expected).ravel(), atol=1e-6)


@pytest.mark.parametrize("name", sorted(registry.entries("cell")))
def test_every_cell_is_found_by_its_module(name):
    cell = registry.load("cell", name)
    if cell.__module__.startswith("zoo."):
        assert is_ours(keras.saving.get_registered_name(cell), cell.__module__)


@pytest.mark.parametrize("name", [name for name in dir(layers) if name[0].isupper()])
def test_every_layer_that_is_registered_is_found_by_its_module(name):
    layer = getattr(layers, name)
    assert is_ours(keras.saving.get_registered_name(layer), layer.__module__)


def test_what_is_not_there_is_told_by_keras(saved):
    config = keras.saving.serialize_keras_object(LSTMCell(4))
    for change in ({"module": "zoo.cells.gone"}, {"module": "os"}):
        config = {**config, "registered_name": "zoo>Gone", "class_name": "Gone", **change}
        with pytest.raises(TypeError, match="Could not locate class 'Gone'"):
            keras.saving.deserialize_keras_object(config)
