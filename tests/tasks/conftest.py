import json
import sys
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def check_measured():
    """That each figure lies in its interval, and that the answer of the data is right."""

    def check(task, model, settings):
        told = task.measure(model, "test", settings)
        score, ends = told.metrics(), told.intervals()
        assert {key for key, value in score.items() if not isinstance(value, str)} == set(ends)
        for key, (low, high) in ends.items():
            assert low <= score[key] <= high, key
        cases = task.cases(4)
        assert cases and all(
            case.is_right is None or case.is_right(case.expected) for case in cases
        )
        card = task.data_card()
        assert {"name", "version", "licence", "description"} <= set(card)
        return score, cases, card

    return check


@pytest.fixture(scope="session")
def write_json_lines():
    """Writes an object on each line of a file, and returns its path."""

    def write(path, *objects):
        path.write_text("".join(f"{json.dumps(each)}\n" for each in objects), encoding="utf-8")
        return path

    return write


@pytest.fixture
def tiny_network(monkeypatch):
    """A small network in the form of those in `keras.applications`, where it is called TinyNet."""
    import keras
    from keras import layers

    def build(include_top=True, weights="imagenet", input_shape=(64, 64, 3), classes=1000):
        assert weights is None
        images = keras.Input(input_shape)
        maps = layers.Conv2D(8, 3, 4, "same", activation="relu", name="first")(images)
        maps = layers.Conv2D(6, 3, 2, "same", name="last")(maps)
        maps = layers.BatchNormalization(name="norm")(maps)
        if include_top:
            maps = layers.Dense(classes, name="top")(layers.GlobalAveragePooling2D()(maps))
        return keras.Model(images, maps)

    module = ModuleType("tiny_network")
    module.preprocess_input = lambda images: images / 127.5 - 1
    build.__module__ = module.__name__
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(keras.applications, "TinyNet", build, raising=False)
    return build


@pytest.fixture
def tiny_weights(tiny_network, tmp_path):
    """A file of weights of it."""
    path = tmp_path / "tiny.weights.h5"
    tiny_network(include_top=False, weights=None, input_shape=(32, 32, 3)).save_weights(path)
    return str(path)
