"""`.keras` files: layers of Keras and the zoo are read, and no program."""

import json
import zipfile

import keras
import numpy as np
import pytest

import zoo
from zoo import UserError
from zoo.cells.gru import GRUCell
from zoo.importing.paths import check_paths
from zoo.recurrence import Recurrence


@pytest.fixture(scope="module")
def model():
    inputs = keras.Input((None, 3))
    y, _ = Recurrence(GRUCell(4))(keras.layers.Dense(2, activation="relu")(inputs))
    return keras.Model(inputs, y * 2)


@pytest.fixture
def saved(model, tmp_path):
    model.save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def rewrite(path, change):
    """The same file with another config."""
    with zipfile.ZipFile(path) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    files["config.json"] = change(files["config.json"].decode()).encode()
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)


def test_a_folder_is_named_for_what_it_is(tmp_path):
    (tmp_path / "saved").mkdir()
    with pytest.raises(UserError, match=r"saved is a folder with no Keras layers to read"):
        check_paths(tmp_path / "saved", tmp_path / "out.keras")
    (tmp_path / "saved" / "saved_model.pb").touch()
    with pytest.raises(UserError, match=r"saved is a SavedModel, which has no Keras layers"):
        check_paths(tmp_path / "saved", tmp_path / "out.keras")


def test_layers_of_keras_and_the_zoo_are_read(model, saved):
    x = np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")
    np.testing.assert_array_equal(zoo.load(saved)(x), model(x))
    assert zoo.load(str(saved)).count_params() == model.count_params()


def test_a_model_of_the_zoo_is_read(tmp_path):
    model = zoo.create("char-rnn", vocab_size=9, units=4)
    model.save(tmp_path / "model.keras")
    tokens = np.array([[1, 2, 3]])
    np.testing.assert_array_equal(zoo.load(tmp_path / "model.keras")(tokens), model(tokens))


def test_a_lambda_layer_is_refused(tmp_path):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs))
    model.save(tmp_path / "model.keras")
    with pytest.raises(UserError, match="its Lambda is a program"):
        zoo.load(tmp_path / "model.keras")


def test_what_is_of_another_package_is_refused(tmp_path):
    @keras.saving.register_keras_serializable("elsewhere")
    class Mine(keras.layers.Layer):
        def call(self, x):
            return x

    inputs = keras.Input((3,))
    keras.Model(inputs, Mine()(inputs)).save(tmp_path / "model.keras")
    with pytest.raises(UserError, match=r"its Mine of .* is neither Keras' nor the zoo's"):
        zoo.load(tmp_path / "model.keras")


@pytest.mark.parametrize("module", ["os", "subprocess", "zoo.cli", "tests.evil", "keras2", "zoo"])
def test_a_config_that_names_another_module_imports_nothing(saved, module):
    rewrite(saved, lambda config: config.replace("zoo.recurrence.layer", module))
    with pytest.raises(UserError, match="neither Keras' nor the zoo's"):
        zoo.load(saved)


def test_a_layer_that_is_not_there_is_told(saved):
    rewrite(saved, lambda config: config.replace("zoo.cells.gru", "zoo.cells.gone"))
    with pytest.raises(UserError, match="another version of the zoo"):
        zoo.load(saved)
    rewrite(saved, lambda config: config.replace("zoo.cells.gone", "zoo.cells.gru"))
    rewrite(saved, lambda config: config.replace("Dense", "Densest"))
    with pytest.raises(UserError, match="damaged"):
        zoo.load(saved)


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "no config", "no json", "deep"])
def test_a_damaged_file_is_told_in_one_line(saved, damage):
    whole = saved.read_bytes()
    if damage == "cut":
        saved.write_bytes(whole[: len(whole) // 2])
    elif damage == "changed":
        place = whole.index(b"\x89HDF") + 1000
        saved.write_bytes(whole[:place] + b"damaged" + whole[place + 7 :])
    elif damage == "empty":
        saved.write_bytes(b"")
    elif damage == "no config":
        with zipfile.ZipFile(saved, "w") as packed:
            packed.writestr("something", "else")
    else:
        rewrite(saved, lambda _: "{" if damage == "no json" else "[" * 100_000)
    with pytest.raises(UserError, match="is damaged") as error:
        zoo.load(saved)
    assert "\n" not in str(error.value)


def test_weights_that_do_not_fit_are_told(saved):
    rewrite(saved, lambda config: config.replace('"units": 4', '"units": 5'))
    assert json.loads(zipfile.ZipFile(saved).read("config.json"))
    with pytest.raises(UserError, match="damaged"):
        zoo.load(saved)


def test_a_file_that_is_missing():
    with pytest.raises(UserError, match="there is no file"):
        zoo.load("none.keras")
