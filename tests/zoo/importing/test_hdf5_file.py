"""Files of Keras' older format: read in safe mode, as Keras 3 and Keras 2 wrote them."""

import json

import h5py
import keras
import numpy as np
import pytest

import zoo
from zoo import UserError

X = np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")


@pytest.fixture
def model():
    both = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True))
    return keras.Sequential([keras.Input((None, 3)), both, keras.layers.GRU(2)])


@pytest.fixture
def saved(model, tmp_path):
    model.save(tmp_path / "model.h5")
    return tmp_path / "model.h5"


def rewrite(path, change):
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(change(json.loads(file.attrs["model_config"])))


def of_keras_2(config):
    """The config as Keras 2 wrote it: no modules, and an option that Keras 3 has not."""
    if isinstance(config, list):
        return [of_keras_2(value) for value in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return "float32"
    left_out = {"module", "registered_name", "build_config", "zero_output_for_mask"}
    config = {key: of_keras_2(value) for key, value in config.items() if key not in left_out}
    return {**config, "time_major": False} if "units" in config else config


def test_what_keras_3_wrote_is_read_whatever_its_name(model, saved):
    path = saved.rename(saved.with_name("model.hdf5"))
    np.testing.assert_array_equal(zoo.load(path)(X), model(X))


def test_what_keras_2_wrote_is_read(model, saved):
    rewrite(saved, of_keras_2)
    np.testing.assert_array_equal(zoo.load(saved)(X), model(X))


@pytest.mark.parametrize("name", ["Lambda", "other>Layer"])
def test_a_program_and_what_is_of_others_are_refused(saved, name):
    def change(config):
        config["config"]["layers"].append({"class_name": name, "config": {"name": "x"}})
        return config

    rewrite(saved, change)
    with pytest.raises(UserError, match=r"is a program|neither Keras' nor the zoo's"):
        zoo.load(saved)


def test_weights_alone_are_told_from_a_model(model, tmp_path):
    model.save_weights(tmp_path / "model.weights.h5")
    with pytest.raises(UserError, match="holds weights and no model: build the model in Keras"):
        zoo.load(tmp_path / "model.weights.h5")


def test_what_leads_out_of_the_file_is_refused(saved, tmp_path):
    with h5py.File(saved, "r+") as file:
        file["model_weights/elsewhere"] = h5py.ExternalLink("other.h5", "/")
    with pytest.raises(UserError, match="model_weights/elsewhere is a link"):
        zoo.load(saved)


def test_what_lies_in_another_file_is_refused(saved, tmp_path):
    with h5py.File(saved, "r+") as file:
        other = [(str(tmp_path / "secret"), 0, 8)]
        file["model_weights"].create_dataset("w", (2,), "float32", external=other)
    with pytest.raises(UserError, match="model_weights/w lies in another file"):
        zoo.load(saved)


def test_what_would_fill_the_memory_is_refused(saved):
    with h5py.File(saved, "r+") as file:
        file["model_weights"].create_dataset("w", (10**9,), "float32", chunks=(10**6,))
    with pytest.raises(UserError, match="over a hundred times its size"):
        zoo.load(saved)


@pytest.mark.parametrize("damage", ["cut", "empty", "no json"])
def test_a_damaged_file_is_told_in_one_line(saved, damage):
    if damage == "no json":
        with h5py.File(saved, "r+") as file:
            file.attrs["model_config"] = "{"
    else:
        whole = saved.read_bytes()
        saved.write_bytes(whole[: len(whole) // 2] if damage == "cut" else whole[:8] + bytes(100))
    with pytest.raises(UserError, match="is damaged") as error:
        zoo.load(saved)
    assert "\n" not in str(error.value)
