import subprocess
import sys

import h5py
import keras
import numpy as np
import pytest
from keras import layers
from keras.src.legacy.saving import legacy_h5_format

import zoo
from tasks.captioning.networks import Network
from tasks.captioning.task import Captioning
from tasks.common.images import encode_png
from zoo.catalog.config import RunConfig
from zoo.errors import UserError
from zoo.exporting.formats.saved_model import write_saved_model
from zoo.exporting.trained import Trained

SHAPE = (32, 32, 3)


def preprocess_input(images):
    return images / 127.5 - 1


def TinyNet(include_top=True, weights="imagenet", input_shape=(64, 64, 3), classes=1000):
    """Has the form of the networks in `keras.applications`."""
    assert weights is None
    images = keras.Input(input_shape)
    maps = layers.Conv2D(8, 3, 4, "same", activation="relu", name="first")(images)
    maps = layers.BatchNormalization(name="norm")(layers.Conv2D(6, 3, 2, "same", name="last")(maps))
    if include_top:
        maps = layers.Dense(classes, name="top")(layers.GlobalAveragePooling2D()(maps))
    return keras.Model(images, maps)


@pytest.fixture(autouse=True)
def tiny_network(monkeypatch):
    monkeypatch.setattr(keras.applications, "TinyNet", TinyNet, raising=False)


def bare_and_whole():
    whole = TinyNet(weights=None)
    bare = TinyNet(include_top=False, weights=None, input_shape=SHAPE)
    for mine, other in zip(bare.layers, whole.layers):
        mine.set_weights(other.get_weights())
    return bare, whole


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "tiny.weights.h5"
    bare_and_whole()[0].save_weights(path)
    return str(path)


def save(model, path):
    if path.suffix == ".keras":
        model.save(path)
    elif path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        # As those of keras.applications are published.
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)


FORMS = ["bare.weights.h5", "whole.weights.h5", "bare.h5", "whole.h5", "bare.keras", "whole.keras"]


@pytest.mark.parametrize("form", FORMS)
def test_weights_are_read_in_every_form(tmp_path, form):
    bare, whole = bare_and_whole()
    save(bare if "bare" in form else whole, tmp_path / form)
    network = Network("TinyNet", str(tmp_path / form), SHAPE)
    images = np.random.default_rng(1).integers(0, 255, (2, *SHAPE)).astype("uint8")
    expected = bare(images / 127.5 - 1, training=False)
    assert network.shape == [4, 4, 6]
    assert np.allclose(network.features(images), expected, atol=1e-5)


def test_a_real_network_gets_its_own_preprocessing(tmp_path):
    bare = keras.applications.MobileNet(include_top=False, weights=None, input_shape=SHAPE)
    bare.save_weights(tmp_path / "mobilenet.weights.h5")
    network = Network("MobileNet", str(tmp_path / "mobilenet.weights.h5"), SHAPE)
    images = np.full((1, *SHAPE), 200, "uint8")
    expected = bare(keras.applications.mobilenet.preprocess_input(200.0 * np.ones((1, *SHAPE))))
    assert np.allclose(network.features(images), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("MobileNett", "x.h5", "unknown network of keras.applications 'MobileNett'"),
        ("TinyNet", "", "TinyNet needs its weights: .* --set weights=FILE"),
        ("TinyNet", "gone.h5", "there is no file gone.h5 with the weights of TinyNet"),
        ("TinyNet", "other", "other.weights.h5 has no weights of TinyNet"),
        ("TinyNet", "damaged", "damaged.h5 has no weights of TinyNet"),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path, name, file, said):
    (tmp_path / "damaged.h5").write_bytes(b"no weights")
    other = keras.Sequential([keras.Input((3,)), layers.Dense(4)])
    other.save_weights(tmp_path / "other.weights.h5")
    files = {"other": str(tmp_path / "other.weights.h5"), "damaged": str(tmp_path / "damaged.h5")}
    with pytest.raises(UserError, match=said) as caught:
        Network(name, files.get(file, file), SHAPE)
    assert "\n" not in str(caught.value)


def test_weights_alone_are_refused(kaggle):
    with pytest.raises(UserError, match="weights are given, but no network"):
        Captioning(str(kaggle[0]), weights="x.h5")


@pytest.mark.slow
def test_a_network_sees_each_image_once_and_goes_with_the_export(kaggle, tmp_path, weights):
    task = Captioning(
        str(kaggle[0]), str(tmp_path / "data"), image_size=32, network="TinyNet", weights=weights
    )
    task = Captioning(**task.get_config())
    data = task._data("train")
    seen = task._images("train", data)
    assert seen.dtype == np.float16 and seen.shape == (len(data.captions), 4, 4, 6)
    assert np.allclose(seen, task.network.features(data.images), rtol=2e-3, atol=1e-3)
    again = Captioning(**task.get_config())
    again.network.features = None
    assert np.array_equal(again._images("train", data), seen)

    model = zoo.create("caption-lstm", units=8, embedding=8, **task.model_options())
    export = tmp_path / "export"
    write_saved_model(Trained(model, task, RunConfig("caption-lstm", "captioning")), export)
    picture = tmp_path / "picture.png"
    picture.write_bytes(encode_png(np.asarray(data.images[0])))
    said = task.endpoints(model)["serve"]([picture.read_bytes()])["text"][0].numpy().decode()
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('zoo', 'tasks', 'keras')))\n"
        "import tensorflow as tf; model = tf.saved_model.load(sys.argv[1])\n"
        "print(model.serve([open(sys.argv[2], 'rb').read()])['text'][0].numpy().decode())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(export), str(picture)], capture_output=True, text=True
    )
    assert done.stdout.strip("\n") == said, done.stderr[-500:]
