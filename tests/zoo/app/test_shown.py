"""A model on the page answers as `zoo.predict` does, and tells nothing of the machine."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest

import zoo
from tasks.video_classification.task import VideoClassification
from zoo.app.shown import LONGEST_TEXT, Shown
from zoo.catalog.config import RunConfig, resolve
from zoo.decoding.options import SamplingOptions
from zoo.errors import UserError
from zoo.exporting.formats.saved_model import write_saved_model
from zoo.exporting.trained import Trained
from zoo.readers.panel import Movement, Panel
from zoo.registry import register


@pytest.fixture(scope="module")
def digits():
    return Shown("digits-mlp")


def test_a_picture_is_answered_as_predict_answers_it(digits):
    about = digits.about()
    assert (about["name"], about["input"], about["writes"]) == ("digits-mlp", "image", False)
    name, content = digits.example(0)
    assert digits.answer(content, name) == zoo.predict("digits-mlp", content)[0]


@register("task", "own-strokes", topology="many_to_one", dataset="none", input="sequence")
class OwnStrokes(VideoClassification):
    """Names a stroke of the pen."""

    def panel(self):
        drawn = Movement(9, low=(-1.0, -2.0), high=(1.0, 2.0))
        return Panel("movement", drawn, "Draw one stroke.")


@pytest.fixture(scope="module")
def strokes(tmp_path_factory):
    """A model of a person's own task, which was never trained."""
    sizes = {"frame_shape": [2], "mean": [0.0, 0.0], "deviation": [1.0, 1.0]}
    task = OwnStrokes(classes=["up", "down"], **sizes)
    task.examples = lambda: [np.ones((9, 2), "float32")]
    options = {**resolve("sequence-gru").options, "units": 4, **task.model_options()}
    config = RunConfig("sequence-gru", "own-strokes", options, task.get_config())
    folder = tmp_path_factory.mktemp("shown") / "strokes"
    write_saved_model(Trained(zoo.create("sequence-gru", **options), task, config), folder)
    return Shown(folder)


def test_a_task_of_ones_own_says_how_its_inputs_are_made(strokes):
    about = strokes.about()
    assert (about["task"], strokes.model()) == ("own-strokes", "sequence-gru")
    panel = about["panel"]
    assert (panel["made"], panel["note"]) == ("movement", "Draw one stroke.")
    assert panel["movement"]["steps"] == 9 and panel["movement"]["high"] == (1.0, 2.0)


def test_steps_are_shown_with_their_state(strokes):
    about = strokes.about()
    assert about["steps"] and not about["writes"] and about["cell"] == "gru"
    assert [(part["name"], part["layer"], part["units"]) for part in about["state"]][:2] == [
        ("h", 1, 4), ("h", 2, 4)
    ]  # fmt: skip
    name, raw = strokes.example(0)
    steps = [json.loads(line) for line in strokes.steps(raw, name)]
    answer = strokes.answer(raw, name)
    assert len(steps) == 9 and all(step["numbers"] == [1, 1] for step in steps)
    assert steps[-1]["text"] == answer["text"]
    assert dict(steps[-1]["likely"])[answer["text"]] == pytest.approx(answer["probability"], 1e-3)
    for step in steps:
        assert len(step["state"]) == len(about["state"])
        for (scale, coded), part in zip(step["state"], about["state"]):
            units = np.frombuffer(base64.b64decode(coded), "int8")
            assert scale > 0 and len(units) == part["units"]
            assert np.abs(units).max() == 127 or not units.any()


def test_what_has_no_steps_says_so(digits):
    assert digits.about()["steps"] is False
    name, content = digits.example(0)
    with pytest.raises(UserError, match="no time steps"):
        next(digits.steps(content, name))


def test_errors_name_no_path(digits):
    for raw, name in ((b"no picture", "a.png"), (b"", "../../etc/passwd"), (b"x", "a." + "b" * 99)):
        with pytest.raises(UserError) as told:
            digits.answer(raw, name)
        assert "the file" in str(told.value) and "/" not in str(told.value)
    with pytest.raises(UserError, match="no example 99"):
        digits.example(99)


@pytest.mark.slow
def test_a_text_that_names_a_file_is_a_text(tmp_path):
    (tmp_path / "secret.txt").write_text("de enero y de febrero, también")
    model = Shown("text-lstm")
    path = str(tmp_path / "secret.txt")
    assert model.answer(path.encode()) != zoo.predict("text-lstm", Path(path))[0]


@pytest.mark.slow
def test_what_is_written_is_what_generate_writes():
    model, options = Shown("char-lstm"), {"length": 20, "temperature": 0.9, "seed": 5}
    sampling = SamplingOptions(**options)
    lines = list(model.write("The fun", sampling))
    tokens = [json.loads(line) for line in lines]
    written = "".join(zoo.generate("char-lstm", "The fun", **options))
    assert "".join(token["text"] for token in tokens) == written
    assert [token["added"] for token in tokens] == [False] * 7 + [True] * 20
    assert all(0 < sum(share for _, share in token["likely"]) <= 1.001 for token in tokens)
    with pytest.raises(UserError, match="at most"):
        next(model.write("", SamplingOptions(length=LONGEST_TEXT + 1)))
