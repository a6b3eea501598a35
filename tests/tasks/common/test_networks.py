import h5py
import keras
import numpy as np
import pytest
from keras import layers
from keras.src.legacy.saving import legacy_h5_format

from tasks.common.networks import Network, open_network
from zoo.errors import UserError

SHAPE = (32, 32, 3)


@pytest.fixture
def bare_and_whole(tiny_network):
    whole = tiny_network(weights=None)
    bare = tiny_network(include_top=False, weights=None, input_shape=SHAPE)
    for mine, other in zip(bare.layers, whole.layers):
        mine.set_weights(other.get_weights())
    return bare, whole


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
def test_weights_are_read_in_every_form(tmp_path, form, bare_and_whole):
    bare, whole = bare_and_whole
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
def test_what_cannot_be_used_is_one_line(tmp_path, tiny_network, name, file, said):
    (tmp_path / "damaged.h5").write_bytes(b"no weights")
    other = keras.Sequential([keras.Input((3,)), layers.Dense(4)])
    other.save_weights(tmp_path / "other.weights.h5")
    files = {"other": str(tmp_path / "other.weights.h5"), "damaged": str(tmp_path / "damaged.h5")}
    with pytest.raises(UserError, match=said) as caught:
        Network(name, files.get(file, file), SHAPE)
    assert "\n" not in str(caught.value)


def test_weights_alone_are_refused():
    assert open_network("", "", SHAPE) is None
    with pytest.raises(UserError, match="weights are given, but no network"):
        open_network("", "x.h5", SHAPE)


def test_features_are_computed_once_and_told_with_minutes(tiny_weights, tmp_path, capsys):
    network = open_network("TinyNet", tiny_weights, SHAPE)
    images = np.random.default_rng(1).integers(0, 255, (3, *SHAPE)).astype("uint8")
    seen = network.cached(images, ["three"], "train", str(tmp_path))
    assert "TinyNet has looked at train, 3 images, in 0.0 minutes" in capsys.readouterr().err
    assert seen.dtype == np.float16 and seen.shape == (3, 4, 4, 6)
    assert np.allclose(seen, network.features(images), rtol=2e-3, atol=1e-3)
    again = open_network("TinyNet", tiny_weights, SHAPE)
    again.features = None
    assert np.array_equal(again.cached(images, ["three"], "train", str(tmp_path)), seen)
