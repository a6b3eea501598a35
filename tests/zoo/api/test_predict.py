"""`zoo.predict` takes what people hold in their hands, and one answer does not hang on another."""

import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from tasks.language_modelling.task import LanguageModelling
from tasks.tagging.task import Tagging
from tasks.text_classification.task import TextClassification
from tasks.video_classification.task import VideoClassification
from zoo import UserError
from zoo.exporting.formats.saved_model import load_saved_model

TEXTS = ["the cat", "a", "dog and cat and dog"]


@pytest.fixture(scope="module")
def models(export_small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    words, letters = sorted({*" ".join(TEXTS).split()}), sorted({*"".join(TEXTS)})
    sensors = {"frame_shape": [2], "mean": [1.0, 2.0], "deviation": [1.0, 3.0]}
    tasks = {
        "char-lstm": LanguageModelling(tokens=letters),
        "highlight-gru": Tagging(characters=letters, delay=2),
        "text-lstm": TextClassification(classes=["a", "b"], tokens=words),
        "sequence-gru": VideoClassification(classes=["a", "b"], **sensors),
    }
    return {name: export_small(name, task, folder, units=6) for name, task in tasks.items()}


@pytest.fixture(scope="module", autouse=True)
def loaded_once():
    """Each export is loaded once, for all calls."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("zoo.api.predict.load_saved_model", cache(load_saved_model))
        yield


def calls(monkeypatch):
    """How many inputs each call of `serve` had."""
    sizes = []
    stack = zoo.api.predict.tf.stack
    monkeypatch.setattr(
        zoo.api.predict.tf, "stack", lambda raws: sizes.append(len(raws)) or stack(raws)
    )
    return sizes


@pytest.mark.parametrize(
    ("name", "sizes"),
    # Drawn texts and classes of as many characters as the longest text has would be others.
    [
        pytest.param("char-lstm", [1] * 3, marks=pytest.mark.slow),
        ("text-lstm", [2, 1]),
        pytest.param("highlight-gru", [1] * 3, marks=pytest.mark.slow),
    ],
)
def test_texts_are_answered_together_as_they_are_alone(
    models, assert_same_answers, monkeypatch, name, sizes
):
    alone = [zoo.predict(models[name], text)[0] for text in TEXTS]
    seen = calls(monkeypatch)
    assert_same_answers(zoo.predict(models[name], *TEXTS, batch_size=2), alone)
    assert seen == sizes


def test_arrays_of_one_shape_go_together_in_the_order_in_which_they_came(
    models, assert_same_answers, monkeypatch, tmp_path
):
    random = np.random.default_rng(1)
    clips = [random.normal(size=(length, 2)).astype("float32") for length in (5, 3, 5, 3, 5)]
    alone = [zoo.predict(models["sequence-gru"], clip)[0] for clip in clips]
    seen = calls(monkeypatch)
    assert_same_answers(zoo.predict(models["sequence-gru"], clips), alone)
    assert seen == [3, 2]
    np.save(tmp_path / "clip.npy", clips[0])
    handed_in = (tmp_path / "clip.npy", str(tmp_path / "clip.npy"), np.stack([clips[0]] * 2))
    assert_same_answers(zoo.predict(models["sequence-gru"], *handed_in), [alone[0]] * 4)


def test_pictures_are_files_bytes_or_pixels(export, assert_same_answers):
    path = Path(export) / "assets.extra" / "examples" / "0.png"
    pixels = np.asarray(Image.open(io.BytesIO(path.read_bytes())))
    answers = zoo.predict(export, path, str(path), path.read_bytes(), pixels, [pixels, path])
    assert_same_answers(answers, [answers[0]] * 6)


def test_what_cannot_be_predicted_is_refused_in_one_line(models, export):
    for model, source, message in (
        (
            models["sequence-gru"],
            np.zeros((4, 3), "float32"),
            r"the input is of the shape \[4, 3\], but the model takes \[any, 2\]",
        ),
        (models["sequence-gru"], np.array([["a"]]), "numbers are needed"),
        (models["text-lstm"], 3, "int is no text that can be read"),
        (export, np.zeros((4, 4)), "uint8"),
        (export, b"none", "not an image"),
    ):
        with pytest.raises(UserError, match=message) as refused:
            zoo.predict(model, source)
        assert "\n" not in str(refused.value)
    with pytest.raises(UserError, match="batch_size is 0"):
        zoo.predict(export, "a", batch_size=0)
