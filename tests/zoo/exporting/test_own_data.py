"""What an export of a person's own few clips and sensors says and takes."""

import re
import shlex
import shutil

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import zoo as public
from zoo import UserError, registry
from zoo.api.load import restore
from zoo.exporting.card.card import usage, write_card
from zoo.exporting.checksums import read_card
from zoo.exporting.endpoints import numeric_endpoints
from zoo.exporting.formats.saved_model import write_saved_model
from zoo.exporting.parity import measure_parity

MEAN = [100.0, -40.0, 0.5]


def write_clips(folder, count):
    random = np.random.default_rng(0)
    for label in ("sit", "walk"):
        (folder / label).mkdir(parents=True)
        for n in range(count):
            shift = 30 if label == "walk" else 0
            clip = random.normal(MEAN, [20, 5, 0.1], size=(6, 3)) + shift
            np.save(folder / label / f"{n}.npy", clip.astype("float32"))
    return folder


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A run on four clips, none of which is for the test."""
    folder = tmp_path_factory.mktemp("few")
    clips = write_clips(folder / "clips", 2)
    how = {"epochs": 1, "units": 4, "epoch_windows": 1, "verbose": False}
    return public.fit("sequence-gru", dataset=str(clips), runs=folder / "runs", **how)


@pytest.fixture(scope="module")
def sensors(few, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sensors") / "model"
    return public.export(few, folder, formats=["litert"], metrics=False)


def raw_and_classes(model):
    """Clips as they were measured, and what `serve` says of each."""
    random = np.random.default_rng(5)
    clips = random.normal(MEAN, [20, 5, 0.1], size=(8, 6, 3)).astype("float32")
    return clips, [text.decode() for text in model.serve(clips)["text"].numpy()]


@pytest.mark.slow
def test_step_and_forward_take_what_a_sensor_measures(sensors, few):
    loaded, task = tf.saved_model.load(str(sensors)), restore(few).task
    clips, classes = raw_and_classes(loaded)
    confidence = loaded.serve(clips)["confidence"].numpy()
    lengths, state = np.full(8, 6, "int32"), loaded.initial_state(8)
    logits, _ = loaded.forward(clips, lengths, state)
    np.testing.assert_allclose(tf.nn.softmax(logits), confidence[:, -1], atol=1e-5)
    for t in range(6):
        outputs, state = loaded.step(clips[:, t], state)
    np.testing.assert_allclose(tf.nn.softmax(outputs), confidence[:, -1], atol=1e-5)
    lite = Interpreter(str(sensors / "litert" / "model.tflite"))
    step, start = (lite.get_signature_runner(name) for name in ("step", "initial_state"))
    for clip, name in zip(clips, classes):
        state = start(batch_size=np.array(1, "int32"))
        for row in clip:
            state = step(x=row[None], **state)
            logits = state.pop("outputs")
        assert task.classes[logits.argmax()] == name
    # A stream reads the same numbers.
    rows = list(public.open_stream(sensors).predict([clips[0]]))
    np.testing.assert_allclose(
        [row["probability"] for row in rows], confidence[0].max(-1), rtol=1e-4
    )
    assert "normalised inside" in (sensors / "README.md").read_text()


@pytest.mark.slow
def test_what_has_no_test_split_is_compared_on_another_and_not_measured(
    zoo, few, sensors, tmp_path
):
    code, out, err = zoo("export", few.path, tmp_path / "model")
    assert code == 0 and out.strip() == str(tmp_path / "model")
    lines = [line for line in err.splitlines() if "left out of the card" in line]
    assert len(lines) == 1 and "has no test split" in lines[0]
    for folder, why in ((tmp_path / "model", "has no test split"), (sensors, "--no-metrics")):
        card = read_card(folder)
        assert card["certificate"]["split"] in ("validation", "train")
        assert card["metrics"] == {} and card["examples"] == [] and card["measured"] is False
        text = (folder / "README.md").read_text()
        assert why in text and f"rows of the {card['certificate']['split']} split" in text
        assert public.verify(folder).holds


@pytest.mark.slow
def test_an_export_of_before_takes_prepared_numbers_and_is_compared_so(few, tmp_path):
    trained = restore(few)
    trained.__dict__["numeric"] = numeric_endpoints(trained.model)
    write_saved_model(trained, tmp_path / "model")
    measure_parity(trained, tmp_path / "model", raw=False)
    with pytest.raises(UserError, match="SavedModel forward differ"):
        measure_parity(trained, tmp_path / "model", raw=True)


def commands(folder):
    """The command and the Python of a card, as a person copies them."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^zoo (predict .*)$", text, re.MULTILINE)
    return shlex.split(command), re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]


@pytest.mark.parametrize(
    "name",
    [
        "digits-linear",
        "text-lstm",
        *(
            pytest.param(n, marks=pytest.mark.slow)
            for n in ("video-gru", "char-lstm", "tagger-bilstm")
        ),
    ],
)
def test_a_card_s_own_commands_work_where_it_lies(
    zoo, small_exports, export, name, tmp_path, monkeypatch
):
    folder = shutil.copytree(small_exports[name].folder, tmp_path / "model")
    card = {**read_card(export), "name": name, "examples": []}
    write_card({**card, "use": usage(small_exports[name].task, folder)}, folder)
    monkeypatch.chdir(folder)
    command, code = commands(folder)
    # The card is another model's, so that its checksums are not those of the files.
    (folder / "card.json").unlink()
    assert zoo(*command)[0] == 0
    exec(code, {})


@pytest.mark.slow
def test_a_card_s_own_commands_work_for_a_person_s_sensors(zoo, sensors, monkeypatch):
    monkeypatch.chdir(sensors)
    command, code = commands(sensors)
    assert zoo(*command)[0] == 0 and "assets.extra/examples/0.npy" in command
    exec(code, {})


def test_a_card_without_examples_of_a_text_quotes_for_a_shell():
    kind = registry.load("modality", "text")("text")
    assert kind.use("0.txt", "it's $5 `a`\nmore") == (
        """'it'"'"'s $5 `a`'""",
        '["it\'s $5 `a`"]',
        [],
    )
    for awkward in ("", "--help", "-", "a\tb", None):
        assert kind.use("0.txt", awkward)[0] == "0.txt"
