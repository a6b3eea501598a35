"""What is wrong with an export, or with what it is given, is told in one line."""

import io
import json
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf

import zoo as public
from tasks.adding.task import Adding
from tasks.language_modelling.task import LanguageModelling
from zoo import UserError
from zoo.exporting.formats.saved_model import load_saved_model
from zoo.exporting.manifest import check_streamed

SHARD = "variables/variables.data-00000-of-00001"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bad-input")


@pytest.fixture(scope="module")
def writer(folder, export_small):
    task = LanguageModelling(tokens=list("abc "))
    return export_small("char-lstm", task, folder, units=16, embedding=8)


@pytest.fixture
def copy(writer, tmp_path):
    return shutil.copytree(writer, tmp_path / "copy")


def refused(answer, *said):
    code, out, err = answer
    assert code == 2 and out == "" and err.startswith("error: ") and err.count("\n") == 1, err
    assert len(err) < 700
    for words in said:
        assert words in err


def everywhere(zoo, path, *said):
    """Each command that reads an export, and what of it Python does."""
    refused(zoo("predict", path, "ab"), *said)
    refused(zoo("generate", path, "--prompt", "ab"), *said)
    refused(zoo("stream", path), *said)
    with pytest.raises(UserError) as error:
        public.load(path)
    assert "\n" not in str(error.value)


def unreadable(path):
    """Whether its graph is loaded, or its variables alone."""
    for use in (public.load, load_saved_model):
        with pytest.raises(UserError, match=r"damaged: .*; export the run again") as error:
            use(path)
        assert "\n" not in str(error.value)


def test_the_export_is_whole_to_begin_with(zoo, writer):
    for command in ("predict", "generate"):
        given = ["ab"] if command == "predict" else ["--prompt", "ab"]
        assert zoo(command, writer, *given)[0] == 0


def test_a_folder_that_is_half_written(zoo, copy):
    (copy / "saved_model.pb").unlink()
    refused(zoo("predict", copy, "ab"), "holds no SavedModel")
    refused(zoo("stream", copy), "holds no SavedModel")
    shutil.rmtree(copy / "variables")
    with pytest.raises(UserError, match="damaged"):
        public.load(copy)
    shutil.rmtree(copy / "assets.extra")
    everywhere(zoo, copy)


@pytest.mark.parametrize("size", [0, 1000])
def test_a_graph_that_is_cut_off(zoo, copy, size):
    (copy / "saved_model.pb").write_bytes((copy / "saved_model.pb").read_bytes()[:size])
    refused(zoo("predict", copy, "ab"), "damaged", "export the run again")
    refused(zoo("stream", copy), "damaged", "export the run again")


def test_variables_that_are_missing(zoo, copy):
    (copy / SHARD).unlink()
    everywhere(zoo, copy, "damaged", "export the run again")
    shutil.rmtree(copy / "variables")
    refused(zoo("predict", copy, "ab"), "damaged", "export the run again")


@pytest.mark.parametrize(
    ("file", "left"), [(SHARD, 0.0), (SHARD, 0.5), ("variables/variables.index", 0.5)]
)
def test_variables_that_are_cut_off(copy, file, left):
    content = (copy / file).read_bytes()
    (copy / file).write_bytes(content[: int(len(content) * left)])
    unreadable(copy)


def test_variables_that_were_changed(copy):
    content = (copy / SHARD).read_bytes()
    middle = len(content) // 2
    (copy / SHARD).write_bytes(content[:middle] + b"changed" + content[middle + 7 :])
    unreadable(copy)


NO_DICT = [b"no JSON", b"\xff\xfe", b"[]", b"null", b"", b"{}", b"[" * 100_000]


@pytest.mark.parametrize("content", NO_DICT)
def test_a_card_that_is_none(zoo, copy, content):
    (copy / "card.json").write_bytes(content)
    refused(zoo("verify", copy), "card.json")


@pytest.mark.parametrize("content", NO_DICT)
def test_a_description_that_is_none(copy, content):
    (copy / "assets.extra" / "zoo.json").write_bytes(content)
    for use in (public.load, load_saved_model, check_streamed):
        with pytest.raises(UserError, match=r"zoo\.json is damaged"):
            use(copy)


@pytest.mark.parametrize(
    "change",
    [
        {"input": 3},
        {"model": 3},
        {"endpoints": None},
        {"options": 3},
        {"config": None},
        {"format": "two"},
    ],
)
def test_a_description_of_something_else(copy, change):
    path = copy / "assets.extra" / "zoo.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    for use in (public.load, load_saved_model, check_streamed):
        with pytest.raises(UserError, match=r"zoo\.json is damaged"):
            use(copy)


def test_a_description_of_another_model(copy):
    path = copy / "assets.extra" / "zoo.json"
    said = json.loads(path.read_text())
    whole = said["config"]
    said["config"] = {**whole, "options": {**whole["options"], "units": 17}}
    path.write_text(json.dumps(said))
    with pytest.raises(UserError, match="damaged"):
        public.load(copy)
    said["config"] = {"model": "char-lstm"}
    path.write_text(json.dumps(said))
    with pytest.raises(UserError, match="damaged or of another version"):
        public.load(copy)
    said["config"] = {**whole, "model": "char-lstmm"}
    path.write_text(json.dumps(said))
    with pytest.raises(UserError, match="char-lstmm"):
        public.load(copy)


def test_a_model_of_a_newer_zoo(zoo, copy):
    path = copy / "assets.extra" / "zoo.json"
    path.write_text(json.dumps({"format": 2, "zoo": "9.1", "all": "is different"}))
    everywhere(zoo, copy, "sequence-zoo 9.1", "newer than this one")


def test_an_endpoint_tells_a_wrong_dtype_rank_and_name(writer):
    loaded, _ = load_saved_model(writer)
    served = loaded.signatures["serving_default"]
    for wrong in (tf.constant([1.0]), tf.constant([["a"]]), tf.constant("a")):
        with pytest.raises((TypeError, ValueError), match=r"shape=\(None,\), dtype=tf.string"):
            loaded.serve(wrong)
        with pytest.raises((TypeError, ValueError, tf.errors.InvalidArgumentError)):
            served(prompts=wrong)
    with pytest.raises(TypeError, match="texts"):
        served(texts=tf.constant(["a"]))
    with pytest.raises((TypeError, ValueError)):
        loaded.step(tf.constant([1.0]), loaded.initial_state(1))


def test_numbers_of_another_width_are_told(zoo, folder, export_small):
    path = export_small("adding-lstm", Adding(), folder, units=4)
    np.save(folder / "wide.npy", np.zeros((4, 3)))
    refused(zoo("predict", path, folder / "wide.npy"), "wide.npy", "but the model takes")
    refused(zoo("stream", path, "--input", folder / "wide.npy"), "[3], but the model takes [2]")


def test_a_state_of_the_wrong_batch(writer):
    loaded, _ = load_saved_model(writer)
    with pytest.raises(tf.errors.InvalidArgumentError, match="same number of rows"):
        loaded.step(tf.constant([4, 5]), loaded.initial_state(3))
    with pytest.raises((TypeError, ValueError)):
        loaded.step(tf.constant([4]), loaded.initial_state(1)[:1])


@pytest.mark.slow
def test_a_prompt_of_a_hundred_thousand_characters(zoo, writer, tmp_path):
    (tmp_path / "long.txt").write_text("ab " * 33_334)
    refused(zoo("predict", writer, "ab " * 33_334), "20,000")
    refused(zoo("predict", writer, tmp_path / "long.txt"), "20,000")
    refused(zoo("generate", writer, "--prompt", tmp_path / "long.txt"), "20,000")


def test_an_empty_prompt(zoo, writer, tmp_path):
    assert zoo("generate", writer, "--prompt", "", "--length", 3)[0] == 0
    code, out, _ = zoo("predict", writer, "")
    assert code == 0 and out.strip()
    (tmp_path / "empty.txt").touch()
    refused(zoo("predict", writer, tmp_path / "empty.txt"), "empty")
    refused(zoo("generate", writer, "--prompt", tmp_path / "empty.txt"), "empty")
    code, out, err = zoo("stream", writer, "--input", tmp_path / "empty.txt")
    assert (code, out, err) == (0, "", "")


def test_bytes_that_are_not_utf8(zoo, writer, tmp_path, monkeypatch):
    (tmp_path / "text.txt").write_bytes(b"a\xffb")
    for command, option in (("predict", []), ("generate", ["--prompt"])):
        refused(zoo(command, writer, *option, tmp_path / "text.txt"), "not UTF-8")
        refused(zoo(command, writer, *option, "a\udcffb"), "not UTF-8")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\xff")))
    refused(zoo("generate", writer, "--prompt", "-"), "not UTF-8")
    loaded, _ = load_saved_model(writer)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not UTF-8"):
        loaded.serve(tf.constant([b"a\xff"]))
