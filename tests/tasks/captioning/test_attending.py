import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from matplotlib.figure import Figure

import zoo
from tasks.captioning.captioner import Captioner
from tasks.captioning.photographs import PASSES
from tasks.captioning.task import Captioning
from tasks.captioning.windows import caption_windows, draw_captions
from tasks.common.searching import Search
from tasks.common.text import END, START
from zoo.catalog.config import RunConfig, resolve
from zoo.cli.predict import predict
from zoo.errors import UserError
from zoo.exporting.formats.saved_model import write_saved_model
from zoo.exporting.trained import Trained
from zoo.training.settings import Settings

SMALL = {"units": 12, "features": 8, "embedding": 8, "filters": (4, 4), "attention_units": 8}


@pytest.fixture(scope="module")
def task(shared_kaggle, tmp_path_factory):
    return Captioning(str(shared_kaggle[0]), str(tmp_path_factory.mktemp("data")), max_length=6)


@pytest.fixture(scope="module")
def model(task):
    return zoo.create("caption-lstm-attention", **task.model_options(), **SMALL)


@pytest.fixture(scope="module")
def served(task, model):
    return task.served(model)


def test_each_word_says_where_it_looked(task, model, served):
    pictures = task.examples()
    said = served["serve"](tf.constant(pictures))
    assert said["tokens"].shape[1] == said["alignment"].shape[1] <= 6
    for text, tokens, alignment in zip(*(said[k].numpy() for k in ("text", "tokens", "alignment"))):
        words = [token for token in tokens if token]
        assert b" ".join(words) == text
        assert np.allclose(alignment[: len(words)].sum(axis=-1), 1, atol=1e-5)
        # Shown its own words, the model looks at the same places again.
        ids = task.vocabulary.encode(tf.constant([text])).to_tensor()
        tokens = tf.concat([[[START]], tf.cast(ids, tf.int32)], axis=1)[:, : len(words)]
        image = tf.io.decode_png(pictures[0])[None]
        _, again = model({"image": image, "tokens": tokens}, return_alignments=True)
        assert np.allclose(again[0], alignment[: len(words)], atol=1e-5)
        break


def test_a_report_shows_where_each_word_looked(task, model, served):
    raw = task.examples()[0]
    text = served["serve"](tf.constant([raw]))["text"].numpy()[0].decode()
    shown = task.show(model, raw)
    assert re.findall(r'<span class="word" tabindex="0">([^<]*)<img', shown) == text.split()
    # The picture itself, and a map each.
    assert shown.count("<img") == 1 + len(text.split())


def test_a_caption_is_told_word_by_word_with_what_was_likely(task, model, served):
    raw = task.examples()[0]
    text = served["serve"](tf.constant([raw]))["text"].numpy()[0].decode()
    told = list(task.written_answer(model, raw))
    words = [token.text for token in told]
    assert words[: len(text.split())] == text.split() and len(words) <= len(text.split()) + 1
    ids = [START, *task.vocabulary.encode([text]).to_list()[0]][: len(words)]
    image = tf.io.decode_png(raw)[None]
    logits = model({"image": image, "tokens": tf.constant([ids], tf.int32)})[0]
    shares = tf.nn.softmax(logits).numpy()
    for place, token in enumerate(told):
        best = [share for _, share in token.likely]
        np.testing.assert_allclose(best, np.sort(shares[place])[::-1][: len(best)], atol=1e-5)
        assert token.added and len(token.state) == len(tf.nest.flatten(model.encode(image)))


@pytest.mark.slow
def test_the_export_looks_at_the_same_places_and_searches_with_beams(task, model, served, tmp_path):
    pictures, here = tf.constant(task.examples()), served
    write_saved_model(
        Trained(model, task, RunConfig("caption-lstm-attention", "captioning")), tmp_path / "export"
    )
    there = tf.saved_model.load(str(tmp_path / "export"))
    for key, value in here["serve"](pictures).items():
        other = there.serve(pictures)[key].numpy()
        assert np.array_equal(other, value) if key != "alignment" else np.allclose(other, value)
    # The command says the words alone, not where it looked.
    (tmp_path / "a.png").write_bytes(pictures[0].numpy())
    told = CliRunner().invoke(predict, [str(tmp_path / "export"), str(tmp_path / "a.png")])
    assert told.output == f"{there.serve(pictures)['text'][0].numpy().decode()}\n"
    how = (pictures, 4, 0.0, 0, 1.0)
    greedy, beams = (there.generate(*how, width) for width in (1, 4))
    assert np.array_equal(beams["text"], here["generate"](*how, 4)["text"])
    for said in (greedy, beams):
        assert max(len(text.split()) for text in said["text"].numpy()) <= 4


def _answering(monkeypatch, task, words, places):
    """Lets `serve` say these words of any picture, each looking at every place alike."""
    answer = {
        "text": tf.constant([" ".join(words)]),
        "tokens": tf.constant([words], tf.string, shape=[1, len(words)]),
        "alignment": tf.fill([1, len(words), places], 1 / places),
    }
    monkeypatch.setattr(task, "served", lambda model: {"serve": lambda images: answer})


@pytest.mark.parametrize("words", [["a", "red", "one"], [""], []])
def test_the_picture_has_a_map_for_each_word_or_says_that_there_is_none(
    task, model, served, monkeypatch, words
):
    picture = task.examples()[0]
    alignment = served["serve"](tf.constant([picture]))["alignment"]
    _answering(monkeypatch, task, words, alignment.shape[-1])
    figure = task.plot(model, picture)
    assert isinstance(figure, Figure)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == (["", *words] if words == ["a", "red", "one"] else ["no words"])


def test_a_model_that_does_not_attend_has_no_figure(task):
    blind = zoo.create("caption-lstm", **task.model_options(), units=8, filters=(4,))
    with pytest.raises(UserError, match="choose a model with attention"):
        task.plot(blind, task.examples()[0])


def test_the_picture_gap_is_the_loss_under_the_next_image(task, model, monkeypatch):
    data = task._data("train")
    answers = ["a red one"] * len(data.captions), [True] * len(data.captions)
    monkeypatch.setattr(Captioner, "caption_all", lambda captioner, images: answers)
    figures = task.score(model, "train", Settings(batch_size=4))

    def loss(images):
        ids = task.vocabulary.encode([c for captions in data.captions for c in captions])[:, :6]
        border = tf.ones_like(ids[:, :1])
        tokens = tf.concat([border * START, ids], axis=1).to_tensor()
        targets = tf.concat([ids, border * END], axis=1)
        chances = tf.nn.log_softmax(
            model({"image": np.repeat(images, 2, axis=0), "tokens": tokens})
        )
        told = tf.gather(chances, targets.to_tensor(), batch_dims=2)
        return -tf.reduce_mean(tf.ragged.boolean_mask(told, targets.to_tensor() > 0).flat_values)

    own = np.asarray(data.images)
    assert figures["loss"] == pytest.approx(float(loss(own)), abs=1e-4)
    expected = float(loss(np.roll(own, -1, axis=0)) - loss(own))
    assert abs(expected) > 1e-5
    assert figures["picture_gap"] == pytest.approx(expected, abs=1e-5)


def test_photographs_are_trained_by_their_number_and_seen_differently(task, monkeypatch):
    suited = task.suited_options()
    assert suited["flip"] and suited["augment"] and "filters" not in suited, "small pictures"
    assert suited["epochs"] == 4 * PASSES, "at most so many passes, of however few"
    data = task._data("train")
    many = data._replace(captions=data.captions * 2000, scenes=[None] * 8000)
    monkeypatch.setattr(task, "_data", lambda split: many)
    count = len(many.captions)
    assert task.suited_options()["epochs"] == round(PASSES * (2000 / count) ** 0.5)


def test_what_suits_the_data_leaves_alone_what_a_user_sets(task):
    config = resolve("caption-lstm-attention", {"epochs": 2, "dropout": 0.0})
    suited = config.suited_to(task, {"epochs", "dropout"})
    assert suited.training.epochs == 2 and suited.options["dropout"] == 0
    assert suited.options["flip"] and suited.training.average_from > 0
    assert replace(config, start_from="x").suited_to(task).options == config.options


def test_training_windows_are_as_long_as_their_captions():
    captions = [["a " * 3, "a " * 30], ["a " * 5, "a " * 9]]
    images = np.zeros((2, 1, 1, 1), "uint8")

    def encode(texts):
        return tf.ragged.constant([[7] * text.count("a") for text in texts], dtype=tf.int32)

    windows = caption_windows(images, captions, encode, 1, seed=1)
    drawn = [*draw_captions(windows.repeat(8), 1, seed=1)]
    longest = [int(window["weights"].numpy().sum(axis=-1).max()) for window in drawn]
    assert {*longest} == {4, 31, 6, 10}
    for window, length in zip(drawn, longest):
        shapes = [window[key].shape for key in ("targets", "weights")]
        shapes.append(window["inputs"]["tokens"].shape)
        assert {*shapes} == {(1, 1, min(8 * -(-length // 8), 31))}


def test_a_run_of_before_searches_as_it_did(task):
    values = RunConfig("caption-lstm-attention", "captioning", task_options=task.get_config())
    told = values.to_json()
    assert task.search == Search(5, 1.2, 3)
    for key in ("length_penalty", "no_repeat_ngram"):
        del told["task_config"][key]
    assert RunConfig.from_json(told, Path("config.json")).make_task().search == Search(5, 1.0, 0)


@pytest.mark.slow
def test_training_on_photographs_goes_on_bit_by_bit(shared_kaggle, tmp_path):
    sizes = {**SMALL, "batch_size": 3, "epochs": 3, "max_length": 6, "verbose": False}
    sizes["schedule"] = "constant"
    how = {"dataset": str(shared_kaggle[0]), "data_dir": str(tmp_path), **sizes, "average_from": 2}
    whole = zoo.fit("caption-lstm-attention", runs=tmp_path / "whole", **how)
    assert whole.config.options["flip"] and whole.config.options["naming"]
    run = zoo.fit("caption-lstm-attention", runs=tmp_path / "cut", steps=5, **how)
    assert run.history["loss"] != whole.history["loss"]
    run = zoo.resume(run, verbose=False, steps=0)
    assert run.history == whole.history
