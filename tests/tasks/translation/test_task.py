import json
import subprocess
import sys
from itertools import chain

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from sacrebleu.metrics import BLEU, CHRF

import zoo
from tasks.common.splits import SPLITS
from tasks.common.text import END, START, split_tokens
from tasks.common.words import word_pattern
from tasks.translation.pairs import Pair, open_pairs
from tasks.translation.task import Translation
from zoo.errors import UserError
from zoo.training.settings import Settings

SMALL = {"units": 48, "embedding": 16, "jit_compile": False, "verbose": False}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """40 pairs; those of the numbers 18 and 38 are for validation, 19 and 39 for the test."""
    path = tmp_path_factory.mktemp("pairs") / "cats.tsv"
    splits = {18: "dev", 19: "test"}
    rows = [f"{n} cats\t{n} chats\t{splits.get(n % 20, 'train')}" for n in range(40)]
    path.write_text("\n".join(["source\ttarget\tsplit", *rows]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def task(file):
    return Translation(str(file))


@pytest.fixture(scope="module")
def run(file, tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    options = {"epochs": 10, "batch_size": 12, "learning_rate": 0.02, **SMALL}
    return zoo.fit("translate-gru", str(file), runs=runs, **options)


@pytest.fixture(scope="module")
def export(run, tmp_path_factory):
    return zoo.export(run, tmp_path_factory.mktemp("exports") / "cats")


@pytest.fixture(scope="module")
def served(export):
    return tf.saved_model.load(str(export))


@pytest.fixture(scope="module")
def answers(run):
    """Of the run, by the number of cats."""
    numbers = [n for n in range(40) if n % 20 < 18]
    texts = zoo.predict(run, *(f"{n} cats" for n in numbers))
    return {n: answer["text"] for n, answer in zip(numbers, texts, strict=True)}


def ids(vocabulary, *tokens):
    return [4 + vocabulary.tokens.index(token) for token in tokens]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("1 234,5 mètres", ["1", " 2", "3", "4", ",", "5", " mètres"]),
        ("Île-de-France", ["Île", "-", "de", "-", "France"]),
        ("l’été, d'où", ["l", "’", "été", ",", " d", "'", "où"]),
        ("2024年1月5日", ["2", "0", "2", "4", "年", "1", "月", "5", "日"]),
        ("  a\n b ", [" ", " a", "\n", " b", " "]),
        ("добрый день", ["добрый", " день"]),
    ],
)
def test_tokens_are_words_and_characters_that_joined_are_the_text(text, tokens):
    found = split_tokens(tf.constant([text]), word_pattern("exact")).to_list()[0]
    assert [token.decode() for token in found] == tokens
    assert "".join(tokens) == text


def test_a_window_holds_the_source_and_the_target_moved_by_one(task):
    (window,) = task.windows("validation", Settings(batch_size=2))
    sources = [ids(task.source, *"18", " cats"), ids(task.source, *"38", " cats")]
    targets = [ids(task.target, *"18", " chats"), ids(task.target, *"38", " chats")]
    assert window["inputs"]["source"].numpy().tolist() == sources
    assert window["inputs"]["tokens"].numpy().tolist() == [[START, *row] for row in targets]
    assert window["targets"].numpy().tolist() == [[*row, END] for row in targets]
    assert window["weights"].numpy().tolist() == np.ones((2, 4)).tolist()
    assert window["reset"].numpy().tolist() == [1, 1]


def test_padding_has_no_weight(task):
    (window,) = task.windows("train", Settings(batch_size=50))
    assert window["inputs"]["source"].shape == (50, 3)
    assert window["weights"].numpy().sum() == 10 * 3 + 26 * 4  # one digit, two digits
    assert (window["weights"].numpy() == (window["targets"].numpy() > 0))[:36].all()


def sources_of(windows, task):
    texts = []
    for window in windows:
        rows = window["weights"].numpy()[:, 0] > 0
        source = tf.boolean_mask(window["inputs"]["source"], rows)
        lengths = tf.math.count_nonzero(source, axis=1)
        texts += task.source.decode(source, lengths).numpy().tolist()
    return texts


def test_training_shows_each_pair_once_an_epoch_in_a_new_order_from_the_seed(task):
    settings = Settings(batch_size=4)
    windows = task.windows("train", settings, seed=1)
    first, second = sources_of(windows, task), sources_of(windows, task)
    again = sources_of(task.windows("train", settings, seed=1), task)
    expected = {f"{n} cats".encode() for n in range(40) if n % 20 < 18}
    assert len(first) == len(second) == 36
    assert set(first) == set(second) == expected
    assert first != second
    assert first == again


def test_training_windows_are_as_wide_as_their_own_pairs(task):
    windows = list(task.windows("train", Settings(batch_size=9), seed=1))
    assert [window["targets"].shape[0] for window in windows] == [9] * 5  # 10 pairs, 26 pairs
    assert sorted(window["inputs"]["source"].shape[1] for window in windows) == [2, 2, 3, 3, 3]


def test_longer_pairs_are_left_out_of_training_and_cut_elsewhere(file, capsys):
    task = Translation(str(file), max_length=2)
    assert set(sources_of(task.windows("train", Settings(batch_size=4), seed=1), task)) == {
        f"{n} cats".encode() for n in range(10)
    }
    assert (
        "left out 26 of 36 pairs of train, which have more than 2 tokens" in capsys.readouterr().err
    )
    windows = list(task.windows("train", Settings(batch_size=4)))
    assert len(sources_of(windows, task)) == 36
    assert {window["inputs"]["source"].shape[1] for window in windows} == {2}
    assert "cut 26 of 36 pairs of train" in capsys.readouterr().err
    with pytest.raises(UserError, match="more than 1 tokens: raise max_length"):
        Translation(str(file), max_length=1).windows("train", Settings(), seed=1)


def test_rare_tokens_are_unknown(file):
    task = Translation(str(file), minimum_count=10)
    assert task.target.tokens == [" chats", "2", "1", "3"]
    assert Translation(str(file), vocabulary_size=2).target.tokens == [" chats", "2"]


@pytest.mark.parametrize("unit", ["word", "character", "subword"])
def test_each_unit_gives_back_the_texts_and_its_config_the_task(file, unit):
    task = Translation(str(file), unit=unit, lowercase=unit == "subword", vocabulary_size=60)
    ids = task.target.encode(["12 chats", "7 chats"])
    texts = task.target.decode(ids.to_tensor(), ids.row_lengths()).numpy()
    assert [text.decode() for text in texts] == ["12 chats", "7 chats"]
    again = Translation(**json.loads(json.dumps(task.get_config())))
    assert again.get_config() == task.get_config()
    assert again.target.encode(["12 chats"]).to_list() == ids[:1].to_list()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": "syllable"}, "unit is 'syllable', but word, character or subword"),
        ({"beam_width": 0}, "beam_width is 0, but 1 to 64 is"),
        ({"source": "de"}, "is a table: name the columns of both source and target"),
        ({"columns": "1"}, "columns is '1', but two are needed"),
        ({"columns": "1,fr"}, "none is called fr: say with columns which one"),
        (
            {"unit": "subword", "vocabulary_size": 5},
            "is 5, but the texts have 15 different",
        ),
    ],
)
def test_an_option_that_cannot_be_is_refused(file, options, message):
    with pytest.raises(UserError, match=message):
        Translation(str(file), **options)


def test_the_config_makes_the_same_task_without_the_data(task):
    config = json.loads(json.dumps(task.get_config()))
    again = Translation(**{**config, "dataset": "/gone.tsv"})
    assert again.get_config() == {**config, "dataset": "/gone.tsv"}
    assert again.model_options() == task.model_options()


@pytest.mark.slow
def test_metrics_are_those_of_the_answers(run, answers):
    metrics = zoo.evaluate(run, "train")
    references = [f"{n} chats" for n in answers]
    answers = [*answers.values()]
    assert metrics["exact_match"] == pytest.approx(np.mean(np.equal(answers, references)))
    assert metrics["chrf"] == pytest.approx(CHRF().corpus_score(answers, [references]).score)
    assert metrics["bleu"] == pytest.approx(BLEU().corpus_score(answers, [references]).score)
    assert metrics["bleu_signature"].startswith("nrefs:1|case:mixed|")
    assert metrics["perplexity"] == pytest.approx(np.exp(metrics["loss"]))


@pytest.mark.slow
def test_serve_says_what_predict_says(answers, export, served):
    sources, expected = ["7 cats", "25 cats"], [answers[7], answers[25]]
    assert [answer["text"] for answer in zoo.predict(export, *sources)] == expected
    texts = served.serve(tf.constant(sources))["text"].numpy()
    assert [text.decode() for text in texts] == expected


@pytest.mark.slow
def test_the_export_needs_neither_zoo_nor_keras(run, export):
    code = f"""
import sys
sys.modules["keras"] = sys.modules["zoo"] = None
import tensorflow as tf
model = tf.saved_model.load({str(export)!r})
out = model.signatures["serving_default"](sources=tf.constant(["7 cats"]))
sys.stdout.buffer.write(out["text"].numpy()[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.decode() == zoo.predict(run, "7 cats")[0]["text"]


@pytest.mark.slow
def test_any_text_gets_an_answer(served):
    odd = ["dogs?", "?", "1 2 3 4 5 6 7 8 9 " * 20, "7 cats"]
    texts = served.serve(tf.constant(odd))["text"].numpy()
    assert texts[3] == served.serve(tf.constant(odd[3:]))["text"].numpy()[0]
    # A model writes something even of nothing, which nobody has said.
    with pytest.raises(tf.errors.InvalidArgumentError, match="a text is empty"):
        served.serve(tf.constant(["7 cats", ""]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="give at least one input"):
        served.serve(tf.constant([], tf.string))


@pytest.mark.slow
def test_generate_draws_from_its_seed_and_is_greedy_at_temperature_zero(served):
    sources = tf.constant([f"{n} cats" for n in range(20)])

    def generate(temperature, seed):
        told = served.generate(sources, temperature=temperature, seed=tf.constant(seed))
        return told["text"].numpy().tolist()

    assert generate(0.0, [1, 2]) == served.serve(sources)["text"].numpy().tolist()
    assert generate(3.0, [1, 2]) == generate(3.0, [1, 2]) != generate(3.0, [1, 3])


def test_exact_match_is_the_share_of_right_texts_overall_and_by_kind(task, monkeypatch):
    pairs = [Pair("a", "A", "x"), Pair("b", "B", "x"), Pair("c", "c", "x"), Pair("d", "D", "y")]
    monkeypatch.setattr(task, "_pairs", lambda split: pairs)
    answers = ["A", "B", "?", "?"], [True, True, True, False]
    monkeypatch.setattr(task, "_translate", lambda model, sources: answers)
    model = zoo.create("translate-gru", units=4, embedding=4, **task.model_options())
    figures = task.score(model, "test", Settings(batch_size=4))
    assert figures["exact_match"] == 0.5 and figures["unended"] == 0.25
    assert figures["exact_match/x"] == pytest.approx(2 / 3)
    assert figures["exact_match/y"] == 0
    # Of the sources themselves, one is its own translation.
    assert figures["naive/exact_match"] == 0.25 and {"naive/bleu", "naive/chrf"} <= {*figures}
    assert not {"naive/exact_match/x", "naive/unended"} & {*figures}


def test_no_source_of_a_file_is_in_two_splits(tmp_path):
    path = tmp_path / "PAIRS.TSV"
    lines = [f"cat {n % 40}\tchat {n}\tan author {n}" for n in range(80)]
    path.write_text("\ufeff" + "\n\n".join([*lines, lines[0]]), encoding="utf-8")
    splits = [open_pairs(str(path), None)(split) for split in ("train", "validation", "test")]
    assert sorted(chain(*splits)) == sorted(Pair(f"cat {n % 40}", f"chat {n}") for n in range(80))
    assert sum(len({pair.source for pair in pairs}) for pairs in splits) == 40


def columns_of(n):
    return f"It is {n}, so.\teng\t{n}\tC'est {n}, oui.\t{n + 7}"


TABLES = {
    "manythings": (
        "fra.txt",
        [f"It is {n}, so.\tC'est {n}, oui.\tCC-BY {n}" for n in range(9)],
        "",
    ),
    "tatoeba": (
        "a.tsv",
        [f"{n}\tIt is {n}, so.\t{n + 7}\tC'est {n}, oui." for n in range(9)],
        "column 2 is the source, column 4 the target; columns=",
    ),
    "a column of one word": ("a.tsv", [columns_of(n) for n in range(9)], "column 1 is the source"),
    "csv with languages": (
        "a.csv",
        ["id;en;fr", *[f"{n};It is {n}, so.;C'est {n}, oui." for n in range(9)]],
        "column 2 (en) is the source",
    ),
    "csv with regions of languages, and what else is text": (
        "a.csv",
        ["topic;en-GB;fr_FR", *[f"{'ab'[n % 2]};It is {n}, so.;C'est {n}, oui." for n in range(9)]],
        "column 2 (en-GB) is the source, column 3 (fr_FR) the target",
    ),
    "csv with names of another language": (
        "a.csv",
        ["Ziel;Quelle", *[f"C'est {n}, oui.;It is {n}, so." for n in range(9)]],
        "its first row, Ziel, Quelle, names the columns and is no pair",
    ),
    "codes of three letters": (
        "a.tsv",
        ["eng\tfra", *[f"It is {n}, so.\tC'est {n}, oui." for n in range(9)]],
        "its first row, eng, fra, names the columns",
    ),
    "three columns of texts": (
        "a.tsv",
        [f"It is {n}, so.\tC'est {n}, oui.\tnote {n}" for n in range(9)],
        "column 1 is the source, column 2 the target; columns=",
    ),
    "csv with names": (
        "a.csv",
        ["Target,Source", *[f'"C\'est {n}, oui.","It is {n}, so."' for n in range(9)]],
        "",
    ),
}


@pytest.mark.parametrize("kind", TABLES)
def test_the_columns_of_source_and_target_are_found(tmp_path, kind, capsys):
    name, lines, message = TABLES[kind]
    path = tmp_path / name
    path.write_text("\n".join(lines), encoding="utf-8")
    pairs = [*chain(*(open_pairs(str(path), None)(s) for s in ("train", "validation", "test")))]
    assert {*pairs} == {Pair(f"It is {n}, so.", f"C'est {n}, oui.") for n in range(9)}
    assert message in capsys.readouterr().err


def test_a_first_pair_of_a_dictionary_is_no_header(tmp_path, capsys):
    rows = ["German\tDeutsch", "is\test", *[f"cat {n}\tKatze {n}" for n in range(9)]]
    path = tmp_path / "words.tsv"
    for first in (0, 1):
        path.write_text("\n".join(rows[first:]), encoding="utf-8")
        pairs = [*chain(*map(open_pairs(str(path), None), SPLITS))]
        assert Pair(*rows[first].split("\t")) in pairs
    assert "names the columns" not in capsys.readouterr().err


def test_columns_are_chosen_by_number_or_by_language(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("en\tfr\tde\n" + "\n".join(f"one {n}\tun {n}\teins {n}" for n in range(9)))
    for options in ({"columns": "3,1"}, {"columns": "de en"}, {"source": "de", "target": "en"}):
        assert Pair("eins 2", "one 2") in [
            *chain(*(open_pairs(str(path), None, **options)(s) for s in ("train", "test"))),
            *open_pairs(str(path), None, **options)("validation"),
        ]
    path.write_text("\n".join(f"1{n}\t2{n}\tein {n}" for n in range(9)))
    with pytest.raises(UserError, match=r"has 3 columns, 1 of texts .* such as columns=2,4"):
        open_pairs(str(path), None)("train")
    with pytest.raises(UserError, match="names no languages: leave out source and target"):
        open_pairs(str(path), None, source="de", target="en")("train")


GOOD = [f"{n} a\t{n} b" for n in range(20)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n".join([*GOOD, "no tab here"]).encode(), "line 21 .* 'no tab here': expected a source"),
        ("\n".join([*GOOD, "cat\t "]).encode(), "line 21 .* expected a source, a tab and its"),
        ("\n".join(GOOD[:2]).encode(), "2 different sources .* at least 3"),
        ("\n".join(f"{n}\t{n}" for n in range(20)).encode(), "2 columns, 0 of texts"),
        (b"caf\xe9\tcoffee\n", "not UTF-8"),
        (b" \n", "is empty"),
        (None, "there is no file"),
    ],
)
def test_a_bad_file_is_told_in_one_line(tmp_path, content, message):
    path = tmp_path / "bad.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        Translation(str(path))


def test_a_length_below_one_is_refused(file):
    with pytest.raises(UserError, match="max_length is 0"):
        Translation(str(file), max_length=0)


class Talks(tfds.core.GeneratorBasedBuilder):
    """Public translation sets look like this."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = tfds.features.Translation(languages=("en", "pt"))
        return tfds.core.DatasetInfo(builder=self, features=features, supervised_keys=("pt", "en"))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(30), "test": self._generate_examples(2)}

    def _generate_examples(self, count):
        for n in range(count):
            yield n, {"en": f"{n} eggs", "pt": f"{n} ovos"}


class Pictures(tfds.core.GeneratorBasedBuilder):
    """Nothing to translate."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict({"title": tfds.features.Text()})
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        yield 0, {"title": "A"}


def test_a_set_of_translations_goes_from_its_supervised_source_to_its_target(tmp_path):
    Talks(data_dir=tmp_path).download_and_prepare()
    task = Translation("talks", str(tmp_path))
    assert " ovos" in task.source.tokens
    assert " eggs" in task.target.tokens
    assert all(example.endswith(" ovos") for example in task.examples())


def test_a_set_without_pairs_is_refused(tmp_path):
    Pictures(data_dir=tmp_path).download_and_prepare()
    with pytest.raises(UserError, match="pictures has title: choose one with `source` and"):
        Translation("pictures", str(tmp_path))


@pytest.mark.slow
def test_the_bundled_pairs_have_kinds(data_dir):
    task = Translation(data_dir=data_dir)
    assert {pair.kind for pair in task._pairs("test[:100]")} > {"date", "country"}
    assert len(task.examples()) == 3


@pytest.mark.slow
def test_translations_are_measured_one_by_one(task, run, check_measured):
    model = zoo.load(run)
    score, cases, _ = check_measured(task, model, Settings(batch_size=4))
    translated, ended = task._translate(model, [pair.source for pair in task._pairs("test")])
    references = [[pair.target for pair in task._pairs("test")]]
    assert score["unended"] == 1 - sum(ended) / len(ended)
    assert score["bleu"] == BLEU().corpus_score(translated, references).score
    assert score["chrf"] == CHRF().corpus_score(translated, references).score
    assert [case.expected for case in cases] == references[0][:4]


def test_digits_may_come_again_and_words_may_not(file, tmp_path):
    assert Translation(str(file)).search.no_repeat_ngram == 4
    sums = tmp_path / "sums.tsv"
    rows = "".join(f"{n} and {n}\t{'1' * 9} {n}\n" for n in range(10, 40))
    sums.write_text(f"source\ttarget\n{rows}")
    task = Translation(str(sums), unit="character")
    assert task.search.no_repeat_ngram == 12, "longer than any sum"
    told = task.get_config()
    del told["no_repeat_ngram"]
    assert Translation(**told).search.no_repeat_ngram == 0, "as before there was the option"


@pytest.mark.slow
def test_an_evaluation_may_search_in_another_way(run):
    metrics = zoo.evaluate(run, beam_width=1, no_repeat_ngram=2)
    assert metrics["repeating"] == 0 <= metrics["unended"] <= 1
    with pytest.raises(UserError, match="unknown option of searching 'beams'"):
        zoo.evaluate(run, beams=3)
    with pytest.raises(UserError, match="beam_width is 'x', but int is needed"):
        zoo.evaluate(run, beam_width="x")
    with pytest.raises(UserError, match="beam_width is 0"):
        zoo.evaluate(run, beam_width=0)
