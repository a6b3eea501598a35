import gzip
import json
import math
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tasks.common.data import load_split
from tasks.common.text import START, UNKNOWN
from tasks.common.words import commonest
from tasks.language_modelling.task import LanguageModelling
from tasks.language_modelling.text import tokens_of
from zoo.errors import UserError
from zoo.evaluation.loop import evaluate
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings

TEXT = 'The cat sat on a mat.\nThe dog\'s (a "big" one) sat on the cat, too.\n' * 8
TINY = {"epochs": 1, "batch_size": 2, "window": 16, "units": 16, "jit_compile": False}


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "cats.txt"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


def model_for(task):
    model = zoo.create("char-lstm", units=16, layers=2, **task.model_options())
    model.set_weights([3 * weight for weight in model.get_weights()])
    return model


def test_each_token_is_predicted_from_those_before_it(tmp_path):
    (tmp_path / "train.txt").write_text("cabbcabbcabbcabbca")
    for split in ("valid", "test"):
        (tmp_path / f"{split}.txt").write_text("b")
    task = LanguageModelling(str(tmp_path))
    assert task.vocabulary.tokens == ["b", "a", "c"]
    b, a, c = 4, 5, 6
    settings = Settings(batch_size=1, window=10)
    first, second = task.windows("train", settings, seed=1).as_numpy_iterator()
    assert first["inputs"].tolist() == [[START, c, a, b, b, c, a, b, b, c]]
    assert first["targets"].tolist() == [[c, a, b, b, c, a, b, b, c, a]]
    assert second["targets"][0, :8].tolist() == [b, b, c, a, b, b, c, a]
    assert second["weights"].tolist() == [[1] * 8 + [0] * 2]
    (last,) = task.windows("test", settings).as_numpy_iterator()
    assert last["inputs"][0, 0] == START
    assert last["targets"][0, 0] == b


@pytest.mark.parametrize("unit", ["character", "word", "token"])
def test_tokens_are_those_of_the_baseline(unit, data_dir):
    task = LanguageModelling(data_dir=data_dir, unit=unit)
    train, test = (
        [
            token
            for example in load_split("python_docs", name, data_dir)
            for token in tokens_of(example["text"].decode(), unit)
        ]
        for name in ("train", "test")
    )
    minimum = {"character": 1, "word": 2, "token": 1}[unit]
    assert task.vocabulary.tokens == commonest(train, minimum)
    windows = task.windows("test", Settings(batch_size=8, window=64))
    targets = np.concatenate([w["targets"][w["weights"] == 1] for w in windows])
    index = {token: 4 + place for place, token in enumerate(task.vocabulary.tokens)}
    expected = [index.get(token, 1) for token in test]
    assert sorted(targets) == sorted(expected)


def test_text_that_is_tokenised_already_keeps_its_tokens(tmp_path):
    (tmp_path / "ptb.train.txt").write_text(" the <unk> sat \n the dog 's N mat \n")
    (tmp_path / "ptb.valid.txt").write_text(" a dog \n")
    (tmp_path / "ptb.test.txt").write_text(" the 's cat \n")
    task = LanguageModelling(str(tmp_path), unit="token")
    assert task.vocabulary.tokens == ["\n", "the", "'s", "N", "dog", "mat", "sat"]
    (window,) = task.windows("train", Settings(batch_size=1, window=10), 1).as_numpy_iterator()
    assert window["targets"].tolist() == [[5, 1, 10, 4, 5, 8, 6, 7, 9, 4]]
    (window,) = task.windows("test", Settings(batch_size=1, window=4)).as_numpy_iterator()
    assert window["targets"].tolist() == [[5, 6, 1, 4]]
    commonest = LanguageModelling(str(tmp_path), unit="token", vocabulary_size=2)
    assert commonest.vocabulary.tokens == ["\n", "the"]
    with pytest.raises(UserError, match="vocabulary_size is -1"):
        LanguageModelling(str(tmp_path), vocabulary_size=-1)


def test_every_article_starts_anew_and_every_token_of_it_counts(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("".join(f" \n = {n} = \n \n the text of {n} \n" for n in range(40)))
    for split in ("valid", "test"):
        (tmp_path / f"{split}.txt").write_text("text\n")
    task = LanguageModelling(str(path), unit="token")
    tokens = path.read_text().replace("\n", " \n ").split(" ")
    for settings in (Settings(batch_size=1, window=7), Settings(batch_size=8, window=100)):
        windows = list(task.windows("train", settings))
        assert sum(window["reset"].numpy().sum() for window in windows) == 40
        assert sum(window["weights"].numpy().sum() for window in windows) == len(
            [token for token in tokens if token]
        )


def test_a_run_meets_another_text_with_its_own_vocabulary(text_file, tmp_path):
    task = LanguageModelling(text_file)
    letter = task.vocabulary.tokens.index("a")
    task.dataset = str(tmp_path / "train.txt")
    for split in ("train", "valid", "test"):
        (tmp_path / f"{split}.txt").write_text("aaß" * 5)
    (window,) = task.windows("test", Settings(batch_size=1, window=15)).as_numpy_iterator()
    assert window["targets"].tolist() == [[4 + letter, 4 + letter, UNKNOWN] * 5]


def test_a_gradient_that_goes_back_further_gets_longer_training_windows(text_file):
    task = LanguageModelling(text_file)
    settings = Settings(batch_size=2, window=10, truncation=25)
    shapes = [
        task.windows("train", settings, seed).element_spec["inputs"].shape for seed in (1, None)
    ]
    assert shapes == [(2, 25), (2, 10)]


def test_the_seed_orders_the_training_texts(data_dir):
    task = LanguageModelling(data_dir=data_dir)

    def first_targets(seed):
        windows = task.windows("train", Settings(batch_size=2, window=50), seed)
        return next(iter(windows))["targets"].numpy().tolist()

    assert first_targets(1) == first_targets(1) != first_targets(2)


def test_a_model_that_knows_nothing_is_as_perplexed_as_there_are_tokens(text_file):
    task = LanguageModelling(text_file)
    model = model_for(task)
    model.set_weights([0 * weight for weight in model.get_weights()])
    figures = task.score(model, "test", Settings(batch_size=2, window=16))
    assert figures["perplexity"] == pytest.approx(task.vocabulary.size, rel=1e-4)
    assert figures["bits_per_character"] == pytest.approx(math.log2(task.vocabulary.size))
    # How often letters are is something to know.
    assert figures["naive/perplexity"] < figures["perplexity"]


def test_the_naive_text_has_each_token_as_often_as_that_for_training(tmp_path):
    for split, text in (("train", "aaab"), ("valid", "a"), ("test", "abz")):
        (tmp_path / f"{split}.txt").write_text(text)
    task = LanguageModelling(str(tmp_path / "train.txt"))
    metrics = task.naive("test", window=2).metrics()
    # One more than it occurs, of each of the six ids: a, b, and four that stand for others.
    loss = -(math.log(4 / 10) + math.log(2 / 10) + math.log(1 / 10)) / 3
    assert metrics["loss"] == pytest.approx(loss) and metrics["accuracy"] == 1 / 3
    assert metrics["perplexity"] == pytest.approx(math.exp(loss))
    assert metrics["bits_per_character"] == pytest.approx(loss / math.log(2))


def test_of_a_long_text_the_beginning_says_how_often_tokens_are(text_file, monkeypatch):
    monkeypatch.setattr("tasks.language_modelling.sources.BEGINNING", 10)
    source = LanguageModelling(text_file, unit="word")._source()
    counts = source.beginning().counts()
    whole = source.corpus("train").counts()
    assert 0 < sum(counts.values()) < sum(whole.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", ["word", *(pytest.param(u, marks=pytest.mark.slow) for u in ("character", "token"))]
)
def test_greedy_generation_equals_running_the_whole_text_again_for_each_token(unit, text_file):
    task = LanguageModelling(text_file, unit=unit)
    model = model_for(task)
    prompts = ["The dog", "", "a big one sat on", "\n"]
    generate = task.endpoints(model)["generate"]
    texts = generate(prompts, 6)["text"].numpy()
    for prompt, text in zip(prompts, texts, strict=True):
        ids = [START, *task.vocabulary.encode(tf.constant([prompt])).to_list()[0]]
        for _ in range(6):
            logits = model(np.array([ids])).numpy()[0, -1]
            ids.append(4 + int(logits[4:].argmax()))
        added = [task.vocabulary.tokens[index - 4] for index in ids[-6:]]
        assert tokens_of(text.decode(), unit)[-6:] == added
        assert text.decode().startswith(prompt)


def test_the_seed_decides_what_is_drawn(text_file):
    task = LanguageModelling(text_file)
    generate = task.endpoints(model_for(task))["generate"]

    def draw(*seed):
        return generate(["The "], 30, 1.0, seed=tf.constant(seed))["text"].numpy()[0]

    assert draw(1, 2) == draw(1, 2) != draw(3, 4)


class Parrot:
    """Says the same tokens whatever it is given."""

    attends, steps_from = False, SequenceModel.steps_from

    def __init__(self, tokens, size):
        self.tokens, self.size = tokens, size

    def __call__(self, ids, lengths, return_state):
        return None, tf.zeros([tf.shape(ids)[0]], tf.int32)

    def step(self, token, state):
        return tf.one_hot(tf.gather(self.tokens, state), self.size), state + 1


@pytest.fixture(scope="module")
def parrot(tmp_path_factory):
    """A task, the tokens that a parrot says, and what writes them."""
    path = tmp_path_factory.mktemp("parrot") / "cats.txt"
    path.write_text(TEXT, encoding="utf-8")
    task = LanguageModelling(str(path), unit="word")
    tokens = tf.Variable([0], shape=[None])
    return task, tokens, task.endpoints(Parrot(tokens, task.vocabulary.size))["generate"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prompt", "said", "expected"),
    [
        ("The", "cat sat", "The cat sat"),
        ("The", ", too", "The, too"),
        ("The ", "cat", "The cat"),
        ("", "The cat", "The cat"),
        ("a dog (", "big", "a dog (big"),
        ("a dog", "( big ) .", "a dog (big)."),
        ("sat", ". \n The", "sat.\nThe"),
        ("The", '" big " dog\'s mat', 'The "big" dog\'s mat'),
    ],
)
def test_words_are_spaced_as_in_print(prompt, said, expected, parrot):
    task, tokens, generate = parrot
    tokens.assign(task.vocabulary.encode(tf.constant([said]))[0])
    text = generate([prompt], len(tokens.value()))["text"]
    assert text.numpy()[0].decode() == expected


SCRIPTS = {
    "лодка плыла по озеру": "Маленькая лодка плыла по озеру утром.",
    "schön fährt es": "Das Boot fährt schön, es fa\u0308hrt.",
    "हिन्दी में लिखा है": "यह हिन्दी में लिखा है।",
    "我 们 喜 欢 2 本 书 。": "我们喜欢2本书。",
    "ภ า ษ า": "ภาษา",
}


@pytest.mark.parametrize(
    "words",
    [pytest.param(w, marks=[] if n in (1, 3) else pytest.mark.slow) for n, w in enumerate(SCRIPTS)],
)
def test_words_of_any_script_are_learnt_and_written_as_their_script_is(words, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(f"{SCRIPTS[words]}\n" * 40, encoding="utf-8")
    task = LanguageModelling(str(path), unit="word")
    assert {*words.split(" ")} <= {*task.vocabulary.tokens}
    tokens = task.vocabulary.encode(tf.constant([words]))[0]
    assert UNKNOWN not in tokens.numpy()
    generate = task.endpoints(Parrot(tokens[1:], task.vocabulary.size))["generate"]
    text = generate([words.split(" ")[0]], len(tokens) - 1)["text"].numpy()[0].decode()
    spaces = "我" not in words and "ภ" not in words
    assert text == (words if spaces else words.replace(" ", ""))


def test_what_was_trained_before_cuts_words_as_it_did(text_file):
    config = {"dataset": text_file, "unit": "word", "tokens": ["don", "t", "don't"]}
    encoded = {
        rule: LanguageModelling(**config, **rule_option).vocabulary.encode(["don't"]).to_list()
        for rule, rule_option in (("old", {}), ("new", {"tokenizer": 2}))
    }
    assert encoded == {"old": [[4, 1, 5]], "new": [[6]]}
    task = LanguageModelling(**config)
    assert LanguageModelling(**task.get_config()).vocabulary.pattern == task.vocabulary.pattern


PLAIN_TENSORFLOW = """
import sys
sys.modules["keras"] = None
import tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
for text in loaded.serve(tf.constant(sys.argv[2:]))["text"].numpy():
    print(repr(text.decode()))
"""


@pytest.mark.slow
def test_a_run_answers_as_its_export_does_without_keras(text_file, tmp_path):
    run = zoo.fit("word-lstm", dataset=text_file, runs=tmp_path / "runs", verbose=False, **TINY)
    metrics = zoo.evaluate(run)
    assert metrics["perplexity"] == pytest.approx(np.exp(metrics["loss"]))
    export = zoo.export(run, tmp_path / "export")
    command = [sys.executable, "-c", PLAIN_TENSORFLOW, str(export), "The cat"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (answer,) = zoo.predict(run, "The cat")
    assert eval(printed.strip()) == answer["text"] != "The cat"
    assert zoo.predict(export, "The cat") == [answer]


def test_the_configuration_predicts_where_the_data_are_not(text_file):
    task = LanguageModelling(text_file, unit="word")
    config = json.loads(json.dumps(task.get_config()))
    moved = LanguageModelling(**{**config, "dataset": "/nowhere.txt"})
    assert moved.vocabulary.tokens == task.vocabulary.tokens
    assert moved.get_config() == {**task.get_config(), "dataset": "/nowhere.txt"}


def test_examples_begin_the_test_texts(data_dir):
    examples = LanguageModelling(data_dir=data_dir).examples()
    assert len(examples) == 3
    assert all(0 < len(example) < 60 for example in examples)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no file"),
        (b"", "is empty: expected text"),
        (b"caf\xe9 au lait", "is not UTF-8 text (byte 3)"),
        (gzip.compress(b"a text", mtime=0)[:-3], "is a damaged gz file"),
    ],
)
def test_a_file_that_is_no_text_gets_one_clear_line(content, message, tmp_path):
    path = tmp_path / "mine.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as error:
        LanguageModelling(str(path))
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_a_file_too_short_to_split_says_so(tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("abc")
    with pytest.raises(UserError, match=r"short.txt is too short to take validation and test from"):
        LanguageModelling(str(path))


def test_a_data_set_without_text_names_what_it_has(data_dir):
    import tasks.image_classification.dataset  # noqa: F401

    with pytest.raises(UserError, match="digits has image, label: choose one that has text"):
        LanguageModelling("digits", data_dir)


def test_an_unknown_unit_names_the_known_ones():
    with pytest.raises(UserError, match="unit is 'line', but character, word or token is needed"):
        LanguageModelling(unit="line")


@pytest.mark.slow
def test_the_bundled_source_code_is_a_text_too(data_dir):
    """In a process of its own, which has seen no other task."""
    code = (
        "import sys; from tasks.language_modelling.task import LanguageModelling\n"
        "print(LanguageModelling('python_source', sys.argv[1]).vocabulary.size)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, data_dir], capture_output=True, text=True, check=True
    )
    assert int(told.stdout) > 90


@pytest.mark.slow
def test_rows_of_windows_are_measured_one_by_one(text_file, check_measured):
    task = LanguageModelling(text_file)
    model, settings = model_for(task), Settings(batch_size=2, window=16)
    score, cases, _ = check_measured(task, model, settings)
    windows = task.windows("test", Settings(batch_size=1, window=50))
    whole = evaluate(model, windows, task.objective()).metrics()
    assert {key: score[key] for key in whole} == pytest.approx(whole, rel=1e-5)
    assert cases[0].expected.startswith(cases[0].raw) and cases[0].is_right is None
