"""Settings that must stand before TensorFlow is imported, and the same seed for every test."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")

import keras
import pytest


@pytest.fixture(autouse=True)
def same_seed():
    keras.utils.set_random_seed(1)


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """Where the bundled data sets are prepared, once for all tests."""
    return str(tmp_path_factory.mktemp("tensorflow_datasets"))
