import json

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import f1_score

import zoo
from tasks.common.text import split_tokens
from tasks.common.tokenizers import Words
from tasks.common.words import word_pattern
from tasks.text_classification.task import SHOWN, TextClassification
from tasks.text_classification.words import TextEncoder
from zoo.catalog.config import resolve
from zoo.errors import UserError
from zoo.exporting.checksums import read_card
from zoo.training.settings import Settings

GOOD = ("good", "fine", "lovely")
BAD = ("bad", "dull", "awful")
SMALL = {"embedding": 12, "units": 12}


def sentences(count):
    """Each of five or ten words, one of which says it all, at any place."""
    rng = np.random.default_rng(1)
    for n in range(count):
        words = list(rng.choice(["the", "film", "plot", "was", "so"], rng.choice([4, 9])))
        words.insert(rng.integers(len(words)), rng.choice(GOOD if n % 2 else BAD))
        yield " ".join(words), "pos" if n % 2 else "neg"


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    path = tmp_path_factory.mktemp("reviews") / "reviews.csv"
    splits = {1: "test", 2: "dev"}
    lines = ["text,label,split"]
    for n, pair in enumerate(sentences(200)):
        lines.append(",".join([*pair, splits.get(n // 2 % 10, "train")]))
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def task(reviews):
    return TextClassification(reviews)


@pytest.fixture(scope="module")
def run(reviews, tmp_path_factory):
    return zoo.fit(
        "text-bilstm-attention",
        dataset=reviews,
        runs=tmp_path_factory.mktemp("runs"),
        epochs=1,
        batch_size=16,
        learning_rate=0.03,
        jit_compile=False,
        verbose=False,
        **SMALL,
    )


@pytest.fixture(scope="module")
def metrics(run):
    return zoo.evaluate(run)


def test_a_window_holds_texts_of_about_the_same_length(task):
    windows = list(task.windows("train", Settings(batch_size=16), seed=1))
    rows = [
        (tuple(tokens[:length]), label)
        for window in windows
        for tokens, length, label, weight in zip(
            *(window["inputs"][key].numpy() for key in ("tokens", "lengths")),
            window["targets"].numpy(),
            window["weights"].numpy(),
        )
        if weight
    ]
    encoded = task.encoder.encode([each.text for each in task._examples("train")])
    labels = [task.classes.index(each.label) for each in task._examples("train")]
    assert sorted(rows) == sorted(zip(map(tuple, encoded.to_list()), labels))
    padding = [
        1 - window["inputs"]["lengths"].numpy().mean() / window["inputs"]["tokens"].shape[1]
        for window in windows
    ]
    assert max(padding) < 0.3


def test_a_long_text_loses_its_middle_and_it_is_said(reviews, capsys):
    task = TextClassification(reviews, max_length=8)
    window = next(iter(task.windows("test", Settings(batch_size=20))))
    assert window["inputs"]["tokens"].shape[1] <= 8
    long = sum(len(each.text.split()) > 8 for each in task._examples("test"))
    said = capsys.readouterr().err
    assert f"{long} of 20 texts of test have more than 8 words: of these the first 2 and" in said
    split = task.encoder.split(["a b c d e f g h i j", "a b"]).to_list()
    assert split == [[b"a", b"b", b"e", b"f", b"g", b"h", b"i", b"j"], [b"a", b"b"]]


def test_words_are_found_in_any_script():
    text = "Don't stop<br />the café—電影 10/10 привет!"
    found = [token.decode() for token in split_tokens([text], word_pattern("markup"))[0].numpy()]
    assert found == ["Don't", "stop", "<br />", "the", "café", "—", "電", "影",
                     *"10/10", "привет", "!"]  # fmt: skip


def test_characters_and_capital_letters_are_told_apart_if_asked(reviews):
    task = TextClassification(reviews, unit="character")
    assert set("godbau ") <= set(task.encoder.vocabulary.tokens)
    folds, keeps = (TextEncoder(Words(["a", "b"], lowercase=fold), 10) for fold in (True, False))
    assert folds.encode(["A b"]).to_list() == [[4, 5]]
    assert keeps.encode(["A b"]).to_list() == [[1, 5]]


def test_names_are_read_by_character_unless_asked_otherwise(tmp_path, capsys):
    rng = np.random.default_rng(1)
    names = ["".join(rng.choice([*"aeiklmnorst"], 6)) for _ in range(60)]
    path = tmp_path / "names.csv"
    rows = [f"{name},{'ab'[n % 2]}" for n, name in enumerate(names)]
    path.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    task = TextClassification(str(path))
    assert task.unit == "character"
    assert "100% of all words occur once: texts are read by character" in capsys.readouterr().err
    assert TextClassification(**task.get_config()).unit == "character"
    assert TextClassification(str(path), unit="word").unit == "word"
    assert "occur once" not in capsys.readouterr().err


def test_sentences_are_read_by_word(task):
    assert task.unit == "word"


def test_few_texts_are_shown_more_often_and_learnt_less_by_heart(task, reviews, monkeypatch):
    config = resolve("text-bilstm-attention", {"dropout": 0.3}, dataset=reviews)
    suited = config.suited_to(task, {"dropout"})
    count = len(task._examples("train"))
    assert suited.training.epochs == min(-(-SHOWN // count), 60) > config.training.epochs
    assert suited.training.average_from == suited.training.epochs // 3
    assert suited.objective["label_smoothing"] == 0.1 and suited.options["word_dropout"] == 0.2
    assert suited.options["dropout"] == 0.3, "what was asked for stays"
    assert suited.options["ngrams"] == 2
    monkeypatch.setattr("tasks.text_classification.task.FEW", count)
    many = config.suited_to(task, {"dropout", "ngrams"})
    assert many == config, "as the catalog has it, for many texts"
    by_character = TextClassification(reviews, unit="character")
    assert config.suited_to(by_character).options["ngrams"] == 4


def test_pieces_of_words_are_learnt_and_found(reviews):
    task = TextClassification(reviews, unit="subword", vocabulary_size=40)
    pieces = [piece.decode() for piece in task.encoder.split(["the lovely filmplot"])[0].numpy()]
    assert "".join(pieces) == " the lovely filmplot" and " the" in pieces
    assert task.encoder.encode(["the lovely filmplot"]).row_lengths()[0] == len(pieces)
    again = TextClassification(**task.get_config())
    assert again.encoder.encode(["so dull"]).to_list() == task.encoder.encode(["so dull"]).to_list()


def test_the_vocabulary_is_of_the_commonest(reviews):
    tokens = TextClassification(reviews, vocabulary_size=4).encoder.vocabulary.tokens
    assert len(tokens) == 4 and set(tokens) <= {"the", "film", "plot", "was", "so"}


@pytest.mark.slow
def test_metrics_are_those_of_the_answers_and_of_each_class(run, metrics):
    texts, labels = zip(*(pair for n, pair in enumerate(sentences(200)) if n // 2 % 10 == 1))
    answers = np.array([answer["text"] for answer in zoo.predict(run, *texts)])
    labels = np.array(labels)
    assert metrics["accuracy"] == pytest.approx(np.mean(answers == labels))
    assert metrics["macro_f1"] == pytest.approx(f1_score(labels, answers, average="macro"))
    recalls = [np.mean(answers[labels == label] == label) for label in ("neg", "pos")]
    assert [metrics["recall/neg"], metrics["recall/pos"]] == pytest.approx(recalls)
    assert metrics["balanced_accuracy"] == pytest.approx(np.mean(recalls))


@pytest.mark.slow
def test_run_and_export_say_the_same_of_any_text(run, tmp_path):
    export = zoo.export(run, tmp_path / "export", metrics=False)
    texts = ["the plot was lovely", "AWFUL", "?", "日本語 🙂", "so " * 600 + "bad"]
    said, again = zoo.predict(run, *texts), zoo.predict(export, *texts)
    assert [answer["text"] for answer in said] == [answer["text"] for answer in again]
    for answer in said:
        assert set(answer["labels"]) == {"neg", "pos"} and answer["labels"][0] == answer["text"]
        assert answer["probabilities"][0] == answer["probability"] >= answer["probabilities"][1]
        assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)
    endpoints = json.loads((export / "assets.extra" / "zoo.json").read_text())["endpoints"]
    assert endpoints == ["forward", "serve"]
    # Any class would be made up.
    with pytest.raises(UserError, match="a text is empty"):
        zoo.predict(export, "")


@pytest.mark.slow
def test_the_card_of_an_export_has_its_metrics_and_examples(run, tmp_path):
    card = read_card(zoo.export(run, tmp_path / "export"))
    values = {key: each["value"] for key, each in card["metrics"]["values"].items()}
    assert values | card["metrics"]["told"] == pytest.approx(zoo.evaluate(run))
    assert card["examples"]


@pytest.mark.slow
def test_pictures_show_what_was_taken_for_what_and_which_words_count(run, metrics, task):
    model = zoo.load(run)
    matrix = [int(text.get_text()) for text in
              task.plot_split(model, "test", Settings(batch_size=16)).axes[0].texts]  # fmt: skip
    assert sum(matrix) == 20
    assert (matrix[0] + matrix[3]) / 20 == pytest.approx(metrics["accuracy"])
    axes = task.plot(model, "the plot was lovely so so").axes[0]
    words = [text.get_text() for text in axes.texts]
    shades = [patch.get_alpha() for patch in axes.patches]
    assert words == ["the", "plot", "was", "lovely", "so", "so"]
    weights = model.token_weights(task._inputs(tf.constant(["the plot was lovely so so"])))[0]
    np.testing.assert_allclose(shades, weights[:6] / np.max(weights), rtol=1e-4)
    answer = task.served(model)["serve"](tf.constant(["the plot was lovely so so"]))
    assert axes.get_title(loc="left").startswith(f"{answer['text'][0].numpy().decode()}, ")
    plain = zoo.create("text-lstm", **task.model_options(), **SMALL)
    with pytest.raises(UserError, match="nothing to draw"):
        task.plot(plain, "the plot")


def test_the_configuration_needs_no_data(task):
    again = TextClassification(**{**task.get_config(), "dataset": "/nowhere/reviews.csv"})
    assert again.model_options() == task.model_options()
    with pytest.raises(UserError, match=r"no file or folder /nowhere/reviews\.csv"):
        again.windows("test", Settings())


def test_labels_that_the_model_does_not_know_are_named(task, tmp_path):
    path = tmp_path / "other.csv"
    rows = "a,x,train\nb,y,train\nc,x,test\nd,y,dev\n"
    path.write_text(f"text,label,split\n{rows}", encoding="utf-8")
    other = TextClassification(**{**task.get_config(), "dataset": str(path)})
    with pytest.raises(UserError, match=r"other\.csv, line 4 has the label 'x', but the"):
        other.windows("test", Settings())


@pytest.mark.parametrize(
    ("options", "message"),
    [({"unit": "sentence"}, "word, character or subword"), ({"max_length": 3}, "at least 4")],
)
def test_options_out_of_range_are_refused_before_any_text_is_read(tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        TextClassification(str(tmp_path / "missing.csv"), **options)


def test_numbers_as_labels_are_in_order(tmp_path):
    path = tmp_path / "stars.csv"
    path.write_text("text,label\n" + "".join(f"t{n},{n % 11}\n" for n in range(44)))
    assert TextClassification(str(path)).classes == [str(n) for n in range(11)]


def test_a_text_may_spell_out_the_unknown_token_and_labels_be_no_numbers(tmp_path):
    path = tmp_path / "odd.csv"
    lines = [f"the <unk> film {n},{('1', '--1', '2')[n % 3]}" for n in range(30)]
    path.write_text("\n".join(["text,label", *lines]))
    task = TextClassification(str(path))
    assert task.classes == ["--1", "1", "2"]
    assert task.encoder.vocabulary.tokens[0] == "film"
    encoded = task.encoder.encode(tf.constant(["the <unk>"])).to_list()
    assert encoded == [[task.encoder.vocabulary.tokens.index("the") + 4, 1]]


def test_a_causal_model_tells_the_class_after_each_word(task):
    model = zoo.create("text-lstm", **task.model_options(), **SMALL)
    ids = task.encoder.encode(["the film was so bad"]).to_tensor()
    state, told = model.initial_state(1), []
    for t in range(ids.shape[1]):
        logits, state = model.step(ids[:, t], state)
        told.append(logits)
    for t in range(ids.shape[1]):
        whole = model({"tokens": ids[:, : t + 1], "lengths": tf.constant([t + 1])})
        np.testing.assert_allclose(told[t], whole, atol=1e-5)


@pytest.mark.slow
def test_texts_are_measured_one_by_one(task, check_measured):
    model = zoo.create("text-lstm", units=4, embedding=4, **task.model_options())
    _, cases, card = check_measured(task, model, Settings(batch_size=8))
    assert not cases[0].is_right("neither")
    # Of a person's own files the path is nobody's business.
    assert card["name"] == "reviews.csv" and len(card["files"]) == 64
