import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tasks.tagging import task as module
from tasks.tagging.dataset import CLASSES, label_characters
from tasks.tagging.task import Tagging, cut_text, label_folder, mark_up
from zoo.errors import UserError
from zoo.evaluation.loop import evaluate
from zoo.training.settings import Settings

PROGRAMS = ["def f(x):\n    return x\n", "x = 10  # ten\n", '"""Two\nlines."""\n']
TINY = {"epochs": 1, "batch_size": 2, "window": 8, "units": 16, "jit_compile": False}


@pytest.fixture
def programs(monkeypatch):
    """Three programs in place of each split."""
    examples = [
        {"text": program.encode(), "labels": label_characters(program)} for program in PROGRAMS
    ]
    monkeypatch.setattr(module, "load_split", lambda name, split, data_dir: examples)


def read_on(windows):
    """Each row's inputs, targets and weights, all windows joined."""
    windows = list(windows.as_numpy_iterator())
    return {key: np.concatenate([w[key] for w in windows], axis=1) for key in windows[0]}


@pytest.mark.usefixtures("programs")
def test_the_target_is_the_class_of_the_character_read_delay_steps_ago():
    task = Tagging(delay=2)
    rows = read_on(task.windows("test", Settings(batch_size=3, window=4)))
    row = next(i for i in range(3) if rows["weights"][i].sum() == len(PROGRAMS[1]))
    length = len(PROGRAMS[1])
    (characters,) = task.vocabulary.encode(PROGRAMS[1:2]).to_list()
    assert rows["inputs"][row, : length + 2].tolist() == [*characters, 0, 0]
    assert rows["weights"][row, : length + 2].tolist() == [0, 0] + [1] * length
    labels = [CLASSES[target] for target in rows["targets"][row, 2 : length + 2]]
    assert labels[:6] == ["name", "whitespace", "operator", "whitespace", "number", "number"]
    assert labels[8:] == ["comment"] * 5 + ["whitespace"]
    assert rows["reset"][row].tolist() == [1] + [0] * (len(rows["reset"][row]) - 1)


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("seed", [None, 1])
def test_every_character_is_labelled_once(seed):
    rows = read_on(Tagging().windows("train", Settings(batch_size=2, window=5), seed))
    assert rows["weights"].sum() == sum(map(len, PROGRAMS))


@pytest.mark.usefixtures("programs")
def test_without_carry_each_window_starts_anew():
    settings = Settings(batch_size=2, window=5)
    carried, reset = (Tagging(carry=c).windows("test", settings) for c in (True, False))
    assert all(window["reset"][:, 0].numpy().all() for window in reset)
    assert not all(window["reset"][:, 0].numpy().all() for window in carried)
    for one, other in zip(carried, reset, strict=True):
        assert np.array_equal(one["targets"], other["targets"])
        assert np.array_equal(one["reset"][:, 1:], other["reset"][:, 1:])


@pytest.mark.usefixtures("programs")
def test_without_carry_what_is_new_starts_anew_after_its_context():
    settings = Settings(batch_size=2, window=5, truncation=9)
    for window in Tagging(carry=False).windows("train", settings, seed=1):
        assert window["reset"].shape == (2, 9) and window["reset"][:, 4].numpy().all()


@pytest.mark.usefixtures("programs")
def test_the_seed_orders_the_training_texts():
    def inputs(seed):
        windows = Tagging().windows("train", Settings(batch_size=1, window=100), seed)
        return next(iter(windows))["inputs"].numpy().tolist()

    assert inputs(1) == inputs(1) != inputs(4)


def test_training_texts_are_cut_between_lines_and_never_inside_a_string():
    program = 'x = """\n1\n"""\n' * 200
    parts = cut_text(program, label_characters(program), np.random.default_rng(1))
    assert 1 < len(parts) < 20
    assert "".join(text for text, _ in parts) == program
    assert np.array_equal(np.concatenate([row for _, row in parts]), label_characters(program))
    assert all(text.startswith("x = ") for text, _ in parts)


@pytest.mark.usefixtures("programs")
def test_serving_puts_each_class_at_its_own_character():
    task = Tagging(delay=3)
    digits = task.vocabulary.encode(["10"]).to_list()[0]

    def oracle(ids):
        """Three steps later: is it a digit?"""
        seen = tf.pad(ids[:, :-3], [[0, 0], [3, 0]])
        is_digit = tf.reduce_any(seen[..., None] == digits, axis=-1)
        label = tf.where(is_digit, CLASSES.index("number"), CLASSES.index("whitespace"))
        return tf.one_hot(label, len(CLASSES))

    out = task.endpoints(oracle)["serve"](tf.constant(["f 10", "1", ""]))
    assert out["classes"].numpy().astype(str).tolist() == [
        ["whitespace", "whitespace", "number", "number"],
        ["number", "", "", ""],
        [""] * 4,
    ]
    assert out["text"].numpy().astype(str).tolist() == [
        "whitespace: f\nnumber: 10",
        "number: 1",
        "",
    ]
    spans = [out[f"span_{part}"].numpy().tolist() for part in ("begins", "ends", "labels")]
    assert spans == [
        [[0, 2], [0, -1], [-1, -1]],
        [[1, 4], [1, -1], [-1, -1]],
        [[b"whitespace", b"number"], [b"number", b""], [b"", b""]],
    ]


def test_markup_separates_runs_and_keeps_each_on_one_line():
    letters = {"k": "keyword", "n": "name", " ": "whitespace", "l": "long_string", "": ""}
    code, kinds = "if a a\n'''\n'''", "kk n n lllllll"
    classes = tf.constant([[letters[kind] for kind in kinds]])
    (text,) = mark_up(tf.constant([list(code)]), classes).numpy()
    assert text.decode() == "keyword: if\nname: a\nname: a\nlong_string: '''\\n'''"


PLAIN_TENSORFLOW = """
import sys
sys.modules["keras"] = None
import tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
print(repr(loaded.serve(tf.constant(sys.argv[2:]))["text"].numpy()[0].decode()))
"""


@pytest.mark.usefixtures("programs")
@pytest.mark.slow
def test_a_run_answers_as_its_export_does_without_keras(tmp_path):
    run = zoo.fit("highlight-gru", runs=tmp_path / "runs", verbose=False, **TINY)
    metrics = zoo.evaluate(run)
    kinds = [kind for program in PROGRAMS for kind in label_characters(program)]
    answers = [kind for answer in zoo.predict(run, *PROGRAMS) for kind in answer["classes"]]
    right = [CLASSES[kind] == answer for kind, answer in zip(kinds, answers, strict=True)]
    assert metrics["accuracy"] == pytest.approx(np.mean(right))
    export = zoo.export(run, tmp_path / "export")
    command = [sys.executable, "-c", PLAIN_TENSORFLOW, str(export), PROGRAMS[0]]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (answer,) = zoo.predict(run, PROGRAMS[0])
    assert eval(printed.strip()) == answer["text"]
    assert len(answer["classes"]) == len(PROGRAMS[0])
    assert zoo.predict(export, PROGRAMS[0]) == [answer]


@pytest.mark.usefixtures("programs")
def test_the_configuration_predicts_where_the_data_are_not(monkeypatch):
    task = Tagging(delay=3, carry=False)
    config = json.loads(json.dumps(task.get_config()))
    monkeypatch.delattr(module, "load_split")
    moved = Tagging(**config)
    assert moved.get_config() == task.get_config()
    assert moved.model_options() == {"vocab_size": task.vocabulary.size, "outputs": 10}


def test_a_folder_of_programs_is_split_by_path(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "empty.py").touch()
    for index in range(20):
        (tmp_path / "deep" / f"{index:02}.py").write_text(f"x = {index}\n")
    found = {
        split: [text for text, _ in label_folder(tmp_path, split)]
        for split in ("train", "validation", "test")
    }
    assert sum(map(len, found.values())) == 20 and all(found.values())
    for index in range(20, 60):
        (tmp_path / f"{index:02}.py").write_text(f"y = {index}\n")
    for split, texts in found.items():
        after = {text for text, _ in label_folder(tmp_path, split)}
        assert {*texts} <= after, "a program stays where it was"
    task = Tagging(str(tmp_path))
    rows = read_on(task.windows("test", Settings(batch_size=2, window=8)))
    assert rows["weights"].sum() == len("".join(t for t, _ in label_folder(tmp_path, "test")))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has 0 Python programs, but at least 10 are needed"),
        (b"x = '''\n", "0.py is not a Python program: "),
        (b"if x:\n    1\n  2\n", "0.py is not a Python program: "),
        (b"# \xe9\n", "0.py is not UTF-8 text (byte 2)"),
    ],
)
def test_a_folder_that_holds_no_programs_gets_one_clear_line(content, message, tmp_path):
    for index in range(10) if content else ():
        (tmp_path / f"{index}.py").write_bytes(content)
    with pytest.raises(UserError) as error:
        Tagging(str(tmp_path))
    assert message in str(error.value)


def test_a_data_set_without_labels_names_what_it_has(data_dir):
    import tasks.language_modelling.dataset  # noqa: F401

    with pytest.raises(UserError, match="python_docs has text: choose one with `text` and"):
        Tagging("python_docs", data_dir)


def test_a_negative_delay_is_refused():
    with pytest.raises(UserError, match="delay is -1, but it must not be negative"):
        Tagging(delay=-1)


@pytest.mark.usefixtures("programs")
def test_rows_of_windows_are_measured_one_by_one():
    task = Tagging(delay=1)
    model = zoo.create("highlight-gru", units=4, **task.model_options())
    told = task.measure(model, "test", Settings(batch_size=2, window=5))
    count = sum(map(len, PROGRAMS))
    assert told.sums[0].rows[:, 1].sum() == count and len(told.sums[0].rows) >= count / 5
    windows = task.windows("test", Settings(batch_size=1, window=40))
    whole = evaluate(model, windows, task.objective()).metrics()
    metrics = told.metrics()
    assert 0.4 < metrics.pop("naive/accuracy") < 1
    assert metrics == pytest.approx(whole, rel=1e-5)
    cases = task.cases(3)
    assert all(case.is_right(case.expected) for case in cases)


def test_the_naive_class_is_the_commonest_of_a_character(monkeypatch):
    parts = {"train": ("aaab", [1, 1, 2, 3]), "test": ("abz", [1, 2, 1])}

    def load(name, split, data_dir):
        text, labels = parts[split]
        return [{"text": text.encode(), "labels": np.array(labels)}]

    monkeypatch.setattr(module, "load_split", load)
    # Of "b" it says 3, and of "z", which is new, as of most characters 1.
    assert Tagging().naive("test").metrics() == {"accuracy": 2 / 3}


def test_what_is_naive_is_left_out_where_nothing_was_for_training(monkeypatch, capsys):
    def load(name, split, data_dir):
        if split == "train":
            raise UserError("the data set x has no train")
        return [{"text": b"ab", "labels": np.array([1, 2])}]

    monkeypatch.setattr(module, "load_split", load)
    task = Tagging(characters=["a", "b"], delay=0)
    model = zoo.create("highlight-gru", units=2, **task.model_options())
    assert {*task.score(model, "test", Settings(batch_size=1, window=2))} == {"loss", "accuracy"}
    assert "naive answer are left out: the data set x has no train" in capsys.readouterr().err
