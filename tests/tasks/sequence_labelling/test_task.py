import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import f1_score

import zoo
from tasks.common.words import BETWEEN_SPACES
from tasks.common.words import cut as words_of
from tasks.sequence_labelling.task import SequenceLabelling, label_lines
from zoo.catalog.config import resolve
from zoo.errors import UserError
from zoo.training.settings import Settings

TINY = {"units": 16, "embedding": 16, "character_filters": 8, "batch_size": 5}
TINY |= {"cell": "vanilla_rnn", "layers": 1, "learning_rate": 0.02, "verbose": False}


@pytest.fixture(scope="module")
def tagger(tmp_path_factory, treebank):
    """A run on the toy treebank."""
    runs = tmp_path_factory.mktemp("runs")
    return zoo.fit("tagger-bilstm", dataset=str(treebank), runs=runs, epochs=2, **TINY)


@pytest.fixture
def chain(conll):
    """A fresh model with a linear chain, and its task."""
    task = SequenceLabelling(str(conll))
    sizes = {"units": 6, "embedding": 5, "character_filters": 4, "layers": 1}
    return zoo.create("tagger-bilstm-crf", **sizes, **task.model_options()), task


def of_all(windows, name):
    return [row for window in windows for row in window[name].numpy()]


def test_every_word_is_a_target_once_with_its_tag(treebank):
    task = SequenceLabelling(str(treebank), minimum_count=1)
    for seed in (None, 1):
        windows = list(task.windows("train", Settings(batch_size=4), seed))
        weights = np.concatenate([np.ravel(row) for row in of_all(windows, "weights")])
        targets = np.concatenate([np.ravel(row) for row in of_all(windows, "targets")])
        tags = [task.tags[n] for n in targets[weights > 0]]
        assert {tag: tags.count(tag) for tag in set(tags)} == {
            "DET": 60, "NOUN": 60, "VERB": 30, "PUNCT": 30
        }  # fmt: skip
    inputs = windows[0]["inputs"]
    words = [task.encoder.words.decode(inputs["words"][:1], [6]).numpy()[0].decode()]
    assert words[0].endswith(".") and int(inputs["lengths"][0]) == 6


def test_sentences_of_a_window_are_of_about_the_same_length(tmp_path):
    lengths = [1, 3, 30, 60] * 10
    sentences = [[f"w{n}x{word} O" for word in range(length)] for n, length in enumerate(lengths)]
    text = "\n\n".join("\n".join(words) for words in sentences)
    (tmp_path / "all.conll").write_text(text)
    task = SequenceLabelling(str(tmp_path))
    for window in task.windows("train", Settings(batch_size=2), seed=1):
        found = window["inputs"]["lengths"].numpy()
        width = window["inputs"]["words"].shape[1]
        assert found.max() <= width and (width - found).max() <= 2


def test_the_seed_orders_the_training_sentences(treebank):
    task = SequenceLabelling(str(treebank))

    def words(seed):
        return [
            w["inputs"]["words"].numpy().tolist() for w in task.windows("train", Settings(), seed)
        ]

    assert words(1) == words(1) != words(2)


def test_a_config_makes_the_same_task_without_the_data(treebank, tmp_path):
    task = SequenceLabelling(str(treebank), tag_column="xpos", longest_word=9)
    config = json.loads(json.dumps(task.get_config()))
    config["dataset"] = str(tmp_path / "gone.conllu")
    again = SequenceLabelling(**config)
    assert again.tags == ["XD", "XN", "XP", "XV"]
    assert again.model_options() == task.model_options()
    # As runs of before have it.
    config["column"] = config.pop("tag_column")
    assert SequenceLabelling(**config).tag_column == "xpos"


def test_a_column_may_be_given_as_a_number(conll):
    assert SequenceLabelling(str(conll), tag_column=2).tags[0] == "NNP"
    assert resolve("tagger-bilstm-crf", {"tag_column": 2}).task_options["tag_column"] == 2
    with pytest.raises(UserError, match="tag_column is True, but str or int is needed"):
        resolve("tagger-bilstm-crf", {"tag_column": True})


def test_a_word_may_be_spelt_as_the_unknown_one(tmp_path):
    path = tmp_path / "all.conll"
    path.write_text("".join(f"w{n} O\n<unk> B-X\n\n" for n in range(10)))
    task = SequenceLabelling(str(path), minimum_count=1)
    assert "<unk>" not in task.encoder.words.tokens and "<" in task.encoder.characters.tokens
    window = next(iter(task.windows("test", Settings(batch_size=1))))
    assert window["inputs"]["words"].numpy().tolist() == [[4, 1]]


def test_a_tag_that_is_not_for_training_is_told_with_its_line(tmp_path, capsys):
    (tmp_path / "train.conll").write_text("a O\nb B-LOC\n\n" * 10)
    (tmp_path / "dev.conll").write_text("a O\n\nb B-PER\n")
    (tmp_path / "test.conll").write_text("a O\n")
    task = SequenceLabelling(str(tmp_path))
    assert task.tags == ["B-LOC", "O", "B-PER"]
    told = f"the sentence at line 3 of {tmp_path}/dev.conll has the tag B-PER, which is not in"
    assert told in capsys.readouterr().err


def test_other_data_with_a_tag_that_the_model_does_not_know_are_refused(treebank, tmp_path):
    config = SequenceLabelling(str(treebank)).get_config()
    (tmp_path / "all.conll").write_text("".join(f"dog{n} ANIMAL\n\n" for n in range(10)))
    other = SequenceLabelling(**{**config, "dataset": str(tmp_path)})
    with pytest.raises(UserError, match=r"at line 17 of .*all.conll has the tag ANIMAL, but the"):
        other.windows("validation", Settings())


def test_a_word_of_less_than_two_characters_is_refused():
    with pytest.raises(UserError, match="longest_word is 1, but at least 2 is needed"):
        SequenceLabelling(longest_word=1)


@pytest.mark.slow
def test_metrics_are_those_of_the_answers_and_of_each_tag(tagger, conllu):
    rows = [line.split("\t") for line in conllu(35, 40).splitlines() if line[:1].isdigit()]
    rows = [row for row in rows if row[0].isdigit()]
    texts = np.reshape([row[1] for row in rows], (5, 6))
    tags = np.array([row[3] for row in rows])
    answers = zoo.predict(tagger, *(" ".join(words) for words in texts))
    labels = np.concatenate([answer["labels"] for answer in answers])
    metrics = zoo.evaluate(tagger, split="test")
    assert metrics["accuracy"] == pytest.approx(np.mean(labels == tags))
    assert metrics["macro_f1"] == pytest.approx(f1_score(tags, labels, average="macro"))
    (noun,) = f1_score(tags, labels, labels=["NOUN"], average=None)
    assert metrics["f1/NOUN"] == pytest.approx(noun)
    # Each word has one tag.
    assert metrics["naive/accuracy"] == metrics["naive/macro_f1"] == 1


def test_the_naive_tag_is_the_commonest_of_a_word_as_it_is_written(tmp_path):
    sentences = {
        "train": "Ann B-PER\nsaw O\nBonn B-LOC\n\nBonn B-LOC\nsaw O\nBonn B-PER\n\nshe O\nsaw O\n",
        "dev": "she O\n",
        "test": "Bonn B-LOC\nsees O\nAnn B-PER\n\nNew B-LOC\nYork I-LOC\nsaw O\nbonn B-PER\n",
    }
    for part, text in sentences.items():
        (tmp_path / f"{part}.conll").write_text(text)
    naive = SequenceLabelling(str(tmp_path)).naive("test")
    # All four words that are new, "bonn" among them, are answered by O: right is one of them.
    metrics = {key: value for key, value in naive.metrics().items() if "/" not in key}
    assert metrics == {"accuracy": 4 / 7, "f1": 2 * 2 / (2 + 4), "precision": 1, "recall": 2 / 4}


@pytest.mark.slow
def test_entities_have_figures_of_their_own(chain):
    told = chain[1].score(chain[0], "test", Settings(batch_size=2))
    assert {"f1", "precision", "recall", "f1/PER", "f1/ORG", "f1/MISC", "accuracy"} <= set(told)


@pytest.mark.slow
def test_what_is_answered_keeps_to_bio(chain):
    """Also of a model whose weights say otherwise."""
    model, task = chain
    inside = [tag.startswith("I-") for tag in task.tags]
    model.head.bias.assign(np.where(inside, 50.0, 0.0))
    for constrain, first in ((True, "B"), (False, "I")):
        task.constrain = constrain
        labels = task.endpoints(model)["serve"](tf.constant(["one two three"]))["labels"][0]
        assert "".join(label.decode()[0] for label in labels.numpy()) == f"{first}II"


def test_spans_are_where_entities_stand_in_the_text(chain):
    """With weights that say `I-` always: one entity from the first word to the last."""
    model, task = chain
    kinds = [tag.partition("-")[2] for tag in task.tags]
    inside = [tag == "I-" + max(kinds) for tag in task.tags]
    model.head.bias.assign(np.where(inside, 50.0, 0.0))
    told = task.endpoints(model)["serve"](tf.constant([" Zoë  left. ", ""]))
    assert told["span_begins"].numpy().tolist() == [[1], [-1]]
    assert told["span_ends"].numpy().tolist() == [[11], [-1]]
    assert told["span_labels"].numpy().tolist() == [[max(kinds).encode()], [b""]]


@pytest.mark.slow
def test_spans_of_words_are_the_words(tagger):
    text = " the  dög's, (a) "
    (told,) = zoo.predict(tagger, text)
    places = zip(told["span_begins"], told["span_ends"], strict=True)
    assert [text[begin:end] for begin, end in places] == told["words"]
    assert told["words"] == ["the", "dög's", ",", "(", "a", ")"]
    assert told["span_labels"] == told["labels"]


@pytest.mark.slow
def test_an_export_tags_texts_without_keras(tagger, tmp_path):
    export = zoo.export(tagger, tmp_path / "export")
    code = (
        "import sys; sys.modules['keras'] = None; import tensorflow as tf;"
        "model = tf.saved_model.load(sys.argv[1]);"
        "found = model.serve(tf.constant(['The dog sees  a cat.', '', 'trees']));"
        "print(found['text'][0].numpy().decode());"
        "print(*[found[key].shape for key in ('words', 'labels', 'probabilities')]);"
        "print(found['words'][2].numpy()[:2], found['labels'][1].numpy()[:2]);"
    )
    command = [sys.executable, "-c", code, str(export)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    (answer,) = zoo.predict(tagger, "The dog sees  a cat.")
    words = ["The", "dog", "sees", "a", "cat", "."]
    assert found.stdout.splitlines() == [
        *(f"{label}: {word}" for label, word in zip(answer["labels"], words, strict=True)),
        "(3, 6) (3, 6) (3, 6)", "[b'trees' b''] [b'' b'']",
    ]  # fmt: skip


@pytest.mark.slow
def test_an_answer_does_not_depend_on_its_neighbours_in_the_batch(tagger):
    task = SequenceLabelling(**tagger.config.task_options)
    serve = task.endpoints(zoo.load(tagger.path))["serve"]
    alone, both = (serve(tf.constant(t)) for t in (["a dog"], ["a dog", "the cat sees a tree ."]))
    assert alone["text"][0] == both["text"][0]
    np.testing.assert_allclose(alone["probabilities"][0], both["probabilities"][0, :2], atol=1e-6)
    assert not both["probabilities"][0, 2:].numpy().any()
    with pytest.raises(tf.errors.InvalidArgumentError, match="give at least one input"):
        serve(tf.constant([], tf.string))
    (answer,) = zoo.predict(tagger, "a dog")
    said = [f"{label}: {word}" for label, word in zip(answer["labels"], ["a", "dog"], strict=True)]
    assert "\n".join(said).encode() == alone["text"][0].numpy()
    assert len(answer["probabilities"]) == 2


@pytest.mark.slow
def test_the_report_shows_what_was_taken_for_what(tagger):
    task = SequenceLabelling(**tagger.config.task_options)
    figure = task.plot_split(zoo.load(tagger.path), "test", Settings(batch_size=4))
    numbers = [text.get_text() for text in figure.axes[0].texts]
    assert numbers.count("10") == 2 and numbers.count("5") == 2


def test_lines_for_a_reader_join_the_words_of_an_entity():
    words = tf.constant([list("abcde")])
    labels = tf.constant([["B-X", "I-X", "B-X", "O", "I-Y"]])
    (found,) = label_lines(words, labels, True).numpy()
    assert found.decode() == "X: a b\nX: c\nY: e"


@pytest.mark.slow
def test_sentences_are_measured_one_by_one(chain, check_measured):
    model, task = chain
    _, cases, _ = check_measured(task, model, Settings(batch_size=2))
    assert not cases[0].is_right("")


SPACELESS = {
    "zh": "我们 PRON\n喜欢 VERB\n图书馆 NOUN\n。 PUNCT\n",
    "ja": "私たち PRON\nは ADP\nジョン・スミス PROPN\n行きました VERB\n。 PUNCT\n",
    "th": "ฉัน PRON\nชอบ VERB\nโรงเรียน NOUN\n",
}
"""A sentence of each language, as a treebank cuts it."""


@pytest.fixture(params=SPACELESS)
def spaceless(request, tmp_path):
    """A file of sentences in a script without spaces, and the words of one."""
    sentence = SPACELESS[request.param]
    path = tmp_path / f"{request.param}.conll"
    path.write_text("\n".join(f"{sentence}{n} NUM\n" for n in range(12)), encoding="utf-8")
    return path, [line.split()[0] for line in sentence.splitlines()]


@pytest.mark.slow
def test_words_of_scripts_without_spaces_are_whole_in_texts_too(spaceless, capsys):
    path, words = spaceless
    task = SequenceLabelling(str(path))
    assert "are split at spaces instead" in capsys.readouterr().err
    config = json.loads(json.dumps(task.get_config()))
    assert config["spaced"] is True and "apart by spaces" in task.numbers()
    again = SequenceLabelling(**{**config, "dataset": "gone"})
    sizes = {"units": 4, "embedding": 4, "character_filters": 4, "layers": 1}
    model = zoo.create("tagger-bilstm", **sizes, **again.model_options())
    texts = [" ".join(words), f"\u3000{words[0]}  {words[1]}\n", "".join(words)]
    answer = again.endpoints(model)["serve"](tf.constant(texts))
    cut = [[word.decode() for word in row if word] for row in answer["words"].numpy()]
    assert cut == [words, words[:2], ["".join(words)]]
    assert cut == [words_of(text, BETWEEN_SPACES) for text in texts]
    places = zip(answer["span_begins"][1].numpy(), answer["span_ends"][1].numpy())
    assert [texts[1][begin:end] for begin, end in places if end > 0] == words[:2]


def test_a_tagger_of_before_keeps_its_rule(spaceless):
    path, _ = spaceless
    config = SequenceLabelling(str(path)).get_config()
    del config["spaced"]
    assert SequenceLabelling(**config).spaced is False
    assert SequenceLabelling(str(path), spaced=False).spaced is False


@pytest.mark.slow
def test_an_export_splits_at_spaces_where_training_did(spaceless, tmp_path):
    path, words = spaceless
    run = zoo.fit("tagger-bilstm", dataset=str(path), runs=tmp_path, epochs=1, **TINY)
    export = zoo.export(run, tmp_path / "export")
    text = " ".join(words)
    both = [zoo.predict(each, text)[0] for each in (run, export)]
    assert both[0]["words"] == both[1]["words"] == words
    tuned = zoo.fit("tagger-bilstm", dataset=str(path), start_from=export, runs=tmp_path, epochs=1)
    assert tuned.config.task_options["spaced"] is True


def test_words_that_spaces_are_in_are_told(tmp_path, capsys):
    path = tmp_path / "vi.conll"
    path.write_text(
        "".join(f"thành phố\tNOUN\nHà Nội\tPROPN\n{n}\tNUM\n\n" for n in range(9)),
        encoding="utf-8",
    )
    assert SequenceLabelling(str(path)).spaced is False
    assert "such as thành phố into thành phố: answers to texts are" in capsys.readouterr().err


def test_words_as_texts_are_cut_are_told_nothing_of(treebank, capsys):
    assert SequenceLabelling(str(treebank)).spaced is False
    assert "cut" not in capsys.readouterr().err
