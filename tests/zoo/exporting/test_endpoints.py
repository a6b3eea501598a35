import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from absl import flags
from absl.testing import flagsaver
from tensorflow.python.tools import saved_model_cli

from zoo import UserError, predict
from zoo.utils.validation import reason

ASK = """
import sys
sys.modules.update(dict.fromkeys(("zoo", "tasks", "keras")))
import numpy as np, tensorflow as tf
for folder in sys.argv[1:]:
    loaded, told = tf.saved_model.load(folder), np.load(folder + "/../told.npz")
    parts = [key.split("|") for key in told]
    names = {endpoint for endpoint, _, _ in parts}
    assert set(loaded.signatures) == {*names, "serving_default"}, (folder, set(loaded.signatures))
    for name in names:
        sides = {"in": {}, "out": {}}
        for endpoint, side, key in parts:
            if endpoint == name:
                sides[side][key] = told["|".join((endpoint, side, key))]
        given = {key: tf.constant(value.tolist() if value.dtype.kind == "S" else value)
                 for key, value in sides["in"].items()}
        found = loaded.signatures[name](**given)
        assert found.keys() == sides["out"].keys(), (folder, name, found.keys())
        for key, expected in sides["out"].items():
            if expected.dtype.kind == "S":
                assert found[key].numpy().astype("S").tolist() == expected.tolist(), (name, key)
            else:
                np.testing.assert_allclose(found[key], expected, atol=1e-5, err_msg=name + key)
        if name == "serve":
            again = loaded.signatures["serving_default"](**given)
            assert (again["text"] == found["text"]).numpy().all()
        print(folder.split("/")[-2], name)
"""


@pytest.mark.parametrize(
    "models",
    [
        # Every endpoint that there is; and the other topologies.
        ["char-lstm", "translate-gru-attention", "video-gru"],
        pytest.param(
            ["digits-linear", "caption-lstm-attention", "tagger-bilstm", "text-lstm"],
            marks=pytest.mark.slow,
        ),
    ],
    ids=["every endpoint", "every other topology"],
)
@pytest.mark.slow
def test_a_process_without_keras_and_zoo_gets_the_models_answers_from_each_signature(
    small_exports, models
):
    folders = [str(small_exports[name].folder) for name in models]
    done = subprocess.run([sys.executable, "-c", ASK, *folders], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found = {}
    for model, endpoint in map(str.split, done.stdout.splitlines()):
        found.setdefault(model, set()).add(endpoint)
    steps = {"serve", "forward", "initial_state", "step", "read", "tell"}
    conditional = {"serve", "generate", "forward", "encode", "step"}
    expected = {
        "digits-linear": {"serve", "forward"},
        "caption-lstm-attention": conditional,
        "video-gru": {*steps, "serve_part"},
        "char-lstm": {*steps, "generate", "margins"},
        "tagger-bilstm": {"serve", "forward"},
        "text-lstm": steps,
        "translate-gru-attention": conditional,
    }
    assert found == {name: expected[name] for name in models}
    for name in models:
        said = json.loads((small_exports[name].folder / "assets.extra/zoo.json").read_text())
        assert set(said["endpoints"]) == found[name]


@pytest.fixture(scope="module")
def loaded(small_exports):
    return {
        name: tf.saved_model.load(str(small_exports[name].folder))
        for name in ("char-lstm", "text-lstm", "translate-gru-attention")
    }


def test_the_functions_of_the_loaded_object_carry_a_state_as_a_list(loaded):
    model = loaded["char-lstm"]
    tokens, state = tf.constant([[4, 5, 6]]), model.initial_state(1)
    whole, after = model.forward(tokens, state)
    for t in range(3):
        y, state = model.step(tokens[:, t], state)
        np.testing.assert_allclose(y, whole[:, t], atol=1e-5)
    for one, other in zip(state, after, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.slow
def test_all_that_is_generated_can_be_left_to_the_defaults_of_the_signature(loaded, small_exports):
    """As servers do it: what is not fed has a default in the graph."""
    for name, given in (("char-lstm", "prompts"), ("translate-gru-attention", "sources")):
        export = small_exports[name]
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            graph = tf.compat.v1.saved_model.load(session, ["serve"], str(export.folder))
            signature = graph.signature_def["generate"]
            names = {key: info.name for key, info in signature.inputs.items()}
            fed = {names[given]: export.raw}
            text = session.run(signature.outputs["text"].name, fed)
        assert text.tolist() == loaded[name].generate(export.raw)["text"].numpy().tolist()
        assert {*signature.defaults} == {*names} - {given}


def test_a_language_models_beams_find_a_likelier_text_than_the_likeliest_tokens(loaded):
    model = loaded["char-lstm"]

    def worth(text):
        """Log-probability, token by token, by another endpoint."""
        letters = sorted({*"a dogRome sees a dog"})
        ids = [2, *(4 + letters.index(letter) for letter in text)]
        logits, _ = model.forward(tf.constant([ids[:-1]]), model.initial_state(1))
        logits = logits.numpy()[0]
        logits -= np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        return sum(row[i] for row, i in zip(logits, ids[1:]))

    texts = [
        model.generate([""], max_length=6, beam_width=width)["text"].numpy()[0].decode()
        for width in (1, 32)
    ]
    assert len(texts[0]) == len(texts[1]) == 6
    assert worth(texts[1]) >= worth(texts[0])


def test_a_prompt_is_continued_from_its_end_by_beams_as_well(loaded):
    for width in (1, 3):
        told = loaded["char-lstm"].generate(["a dog", ""], max_length=5, beam_width=width)["text"]
        first, second = (text.decode() for text in told.numpy())
        assert first.startswith("a dog") and len(first) == 10 and len(second) == 5


@pytest.mark.parametrize(
    ("model", "endpoint", "change", "said"),
    [
        ("char-lstm", "serve", {"prompts": ["x" * 100_000]}, "20,000 characters"),
        ("char-lstm", "serve", {"prompts": [b"caf\xe9"]}, "not UTF-8"),
        ("char-lstm", "generate", {"max_length": 0}, "max_length must be 1 to 10,000, but is 0"),
        ("char-lstm", "generate", {"beam_width": 65}, "beam_width must be 1 to 64, but is 65"),
        ("char-lstm", "step", {"x": [4, 4, 4]}, "same number of rows, 1 or more, but have 3 2 2"),
        ("char-lstm", "forward", {"tokens": [[4]]}, "same number of rows, 1 or more, but have 1 2"),
        ("char-lstm", "initial_state", {"batch_size": 0}, "batch_size must be 1 or more"),
        ("text-lstm", "serve", {"texts": np.zeros([0], "S")}, "give at least one input"),
        ("text-lstm", "forward", {"lengths": [0, 1]}, "lengths must be 1 to the time steps"),
        ("text-lstm", "forward", {"lengths": [1, 4]}, "lengths must be 1 to the time steps"),
        ("translate-gru-attention", "serve", {"sources": [b"\xff"]}, "not UTF-8"),
        (
            "translate-gru-attention",
            "encode",
            {"source": np.zeros([0, 2], "int32")},
            "at least one",
        ),
        ("translate-gru-attention", "step", {"x": [4]}, "have the same number of rows"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_a_reason(
    loaded, small_exports, model, endpoint, change, said
):
    given = {**_asked(small_exports[model], endpoint), **change}
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        loaded[model].signatures[endpoint](**{key: tf.constant(v) for key, v in given.items()})
    told = reason(error.value)
    assert said in told and "\n" not in told


def test_a_wrong_dtype_rank_or_name_is_named(loaded, small_exports):
    model = loaded["char-lstm"]
    state = model.initial_state(2)
    for x in (tf.constant([4.0, 4.0]), tf.constant([[4], [4]])):
        with pytest.raises(
            (TypeError, ValueError),
            match=r"signature: \(x: TensorSpec",
        ):
            model.step(x, state)
    step = model.signatures["step"]
    given = {f"state_{index}": part for index, part in enumerate(state)}
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Shape of tensor .* \[2,1\]"):
        step(x=tf.constant([[4], [4]]), **given)
    with pytest.raises(tf.errors.InvalidArgumentError, match="to be a int32 tensor"):
        step(x=tf.constant([4.0, 4.0]), **given)
    with pytest.raises(TypeError, match="tokens"):
        step(tokens=tf.constant([4, 4]), **given)


@pytest.mark.parametrize("text", ["x" * 20_001, "\udcff"])
def test_predict_tells_it_in_one_line(small_exports, text):
    if "\udcff" in text:
        # What is not UTF-8 does not get as far as a model.
        with pytest.raises((UserError, UnicodeEncodeError)):
            predict(small_exports["text-lstm"].folder, text)
        return
    with pytest.raises(UserError, match="give a shorter one; it has 20001") as error:
        predict(small_exports["text-lstm"].folder, text)
    assert "\n" not in str(error.value) and len(str(error.value)) < 200


def test_the_command_of_tensorflow_shows_and_runs_it(small_exports, capfd, tmp_path):
    export = small_exports["char-lstm"]
    where = ["--dir", str(export.folder), "--tag_set", "serve", "--signature_def"]
    _cli("show", *where, "generate")
    shown = capfd.readouterr().out
    for name in ("prompts", "max_length", "temperature", "top_k", "top_p", "beam_width", "seed"):
        assert f"inputs['{name}']" in shown
    asked, expected = _asked(export, "step"), _asked(export, "step", "out")
    np.savez(tmp_path / "asked.npz", **asked)
    inputs = ";".join(f"{key}={tmp_path}/asked.npz[{key}]" for key in asked)
    _cli("run", *where, "step", "--inputs", inputs, "--outdir", str(tmp_path))
    for key, value in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{key}.npy"), value, atol=1e-5)


def _cli(command, *arguments):
    with flagsaver.flagsaver():
        flags.FLAGS(["saved_model_cli", *arguments])
        getattr(saved_model_cli, command)()


def _asked(export, endpoint, side="in"):
    told = np.load(export.told)
    start = f"{endpoint}|{side}|"
    found = {key.removeprefix(start): told[key] for key in told if key.startswith(start)}
    return {key: v.tolist() if v.dtype.kind == "S" else v for key, v in found.items()}
