import math
import platform
import re
from dataclasses import replace
from functools import partial

import pytest

from tasks.text_classification.dataset import LANGUAGES as PHRASE_LANGUAGES
from tasks.translation.dataset import LANGUAGES as TARGETS
from zoo import registry
from zoo.api.load import config_of, restore
from zoo.exporting.card.card import facts, write_card
from zoo.exporting.card.examples import show_examples
from zoo.exporting.card.markdown import flat, number, readme
from zoo.exporting.card.provenance import training
from zoo.exporting.checksums import hash_files, read_card
from zoo.exporting.trained import Trained
from zoo.task import Case


@pytest.fixture(scope="module")
def card(export):
    return read_card(export)


def test_the_card_says_what_the_model_is(card, run):
    model = restore(run).model
    assert card["name"] == "digits-mlp" and card["summary"] and card["limits"]
    assert (card["task"], card["topology"]) == ("image_classification", "one_to_one")
    assert card["cell"] is None and card["licence"] == "Apache-2.0"
    matrices = [v.shape for v in model.trainable_variables if len(v.shape) == 2]
    assert card["multiply_adds"] == sum(rows * columns for rows, columns in matrices)
    assert card["parameters"] == sum(v.numpy().size for v in model.weights)
    assert card["versions"]["python"] == platform.python_version()
    assert {"tensorflow", "keras", "numpy", "sequence-zoo"} <= set(card["versions"])


def test_the_card_says_how_it_was_trained(card, run):
    made = card["training"]
    assert made["command"] == "zoo fit digits-mlp --seed 1 --epochs 2"
    assert made["seed"] == 1 and made["epochs"] == 2 and made["seconds"] > 0
    lines = run.metrics_file.read_text().splitlines()
    assert [str(epoch["val_loss"]) in line for epoch, line in zip(made["curve"], lines[1:])] == [
        True,
        True,
    ]
    data = card["data"]
    assert data["name"] == "digits" and data["version"] == "1.0.0" and data["licence"]
    assert {split: told["examples"] for split, told in data["splits"].items()} == {
        "train": 1258,
        "validation": 180,
        "test": 359,
    }
    assert len({told["sha256"] for told in data["splits"].values()}) == 3


def test_an_export_of_an_export_was_trained_as_that_was(card, export):
    task = restore(export).task
    assert training(config_of(export), task, export) == card["training"]
    assert set(training(config_of(export), task, None)) == {"command", "seed"}


def test_the_card_says_what_the_model_is_worth(card, run):
    trained = restore(run)
    model, task, settings = trained.model, trained.task, trained.settings
    figures = card["metrics"]
    score = task.score(model, "test", settings)
    assert {key: told["value"] for key, told in figures["values"].items()} == score
    assert all(told["low"] <= told["value"] <= told["high"] for told in figures["values"].values())
    assert figures["examples"] == 359 and figures["counted"] == "images"


def test_the_card_shows_right_and_wrong_answers(card, export):
    shown = card["examples"]
    assert [example["right"] for example in shown[:3]] == [True] * 3 and shown[-1]["right"] is False
    for example in shown:
        assert (example["answer"] == example["expected"]) == example["right"]
        assert (export / example["file"]).read_bytes().startswith(b"\x89PNG")


def test_what_is_naive_stands_beside(card):
    values = {
        "mase": {"value": 0.75, "low": 0.5, "high": 0.8},
        "skill": {"value": 0.25, "low": 0.2, "high": 0.3},
        "naive/mase": {"value": 1.0, "low": 1.0, "high": 1.0},
        "oracle/mase": {"value": 0.7, "low": 0.6, "high": 0.8},
        "coverage_80/1-6": {"value": 0.8, "low": 0.7, "high": 0.9},
    }
    text = readme({**card, "metrics": {**card["metrics"], "values": values}})
    for line in (
        "| metric | value | 95% interval | naive | oracle |",
        "| mase | 0.7500 | 0.5000 to 0.8000 | 1.0000 | 0.7000 |",
        "| skill | 0.2500 | 0.2000 to 0.3000 |  |  |",
        "| 1-6 | 0.8000 (0.7000 to 0.9000) |",
    ):
        assert f"\n{line}\n" in text
    assert "naive/mase" not in text


def test_a_picture_of_an_answer_and_the_unit_of_the_certificate_are_shown(card):
    example = {"file": "examples/1.npy", "picture": "examples/1.png"}
    shown = {**example, "answer": "next step: 1", "expected": "2", "right": None}
    certificate = {**card["certificate"], "unit": "the spread of each series"}
    text = readme({**card, "examples": [shown], "certificate": certificate})
    assert "| ![answer](examples/1.png) [examples/1.npy](examples/1.npy) | next step: 1 |" in text
    assert "All in units of the spread of each series. With a difference over" in text


class Rare:
    """One wrong answer of a thousand."""

    input_kind, draws_examples = "text", False

    def served(self, model):
        return {"serve": lambda raw: {"text": raw}}

    def cases(self, count):
        texts = [f"text {n}" for n in range(1000)][:count]
        return [Case(t, t, ("nothing" if t == "text 876" else t).__eq__) for t in texts]


def test_a_wrong_answer_is_looked_for_among_many_right_ones(tmp_path):
    shown = show_examples(Trained(None, Rare(), None), tmp_path)
    assert [(each["text"], each["right"]) for each in shown] == [
        ("text 0", True), ("text 1", True), ("text 2", True), ("text 876", False)
    ]  # fmt: skip


def test_each_file_has_its_size_and_its_checksum(card, export):
    files = {p.relative_to(export).as_posix() for p in export.rglob("*") if p.is_file()}
    assert set(card["files"]) == files - {"card.json", "README.md"}
    assert card["sizes"]["saved_model"] + card["sizes"]["beside"] == sum(
        (export / name).stat().st_size for name in card["files"]
    )
    assert (export / "learning_curve.png").stat().st_size < 30_000


def test_the_readme_says_what_the_card_says_and_no_other_figure(card, export):
    text = (export / "README.md").read_text(encoding="utf-8")
    for key in ("loss", "accuracy", "macro_f1"):
        told = card["metrics"]["values"][key]
        assert f"| {key} | {number(told['value'])} | {number(told['low'])} to " in text
    assert f"| 3 | {number(card['metrics']['values']['precision/3']['value'])} (" in text
    for said in (card["summary"], card["limits"], card["training"]["command"], "CC BY"):
        assert said in text
    known = {number(value) for _, value in flat(card) if isinstance(value, float)}
    assert set(re.findall(r"\b\d\.\d{4}\b", text)) <= known


def test_an_answer_stays_in_its_cell_and_as_it_is(card):
    text = "a | b\n<unk> *c*"
    example = {"text": text, "answer": text, "expected": "", "right": None}
    shown = readme({**card, "examples": [example]})
    cell = r"a \| b<br>&lt;unk&gt; \*c\*"
    assert f"| {cell} | {cell} |  |\n" in shown


def test_the_readme_shows_how_to_use_the_model_in_lines_that_run(export, card, monkeypatch, capsys):
    monkeypatch.chdir(export)
    code = (export / "README.md").read_text().split("```python\n")[1].split("```")[0]
    exec(code, {})
    assert f"b'{card['examples'][0]['answer']}'" in capsys.readouterr().out


def test_a_card_tells_how_a_text_was_written_and_marks_it_neither_right_nor_wrong(card):
    example = {"text": "a", "answer": "ab", "expected": "ac", "right": None}
    text = readme({**card, "examples": [example], "decoding": "At temperature 0.5."})
    table = "| input | answer | expected |\n|---|---|---|\n| a | ab | ac |\n"
    assert f"Of the test split. At temperature 0.5.\n\n{table}" in text


def test_a_card_of_a_persons_own_files_is_no_licence_of_theirs(card, run):
    trained = restore(run)
    photos = {**run.config.task_options, "dataset": "/home/someone/photos"}
    own = replace(run.config, task_options=photos)
    tuned = replace(run.config, start_from="runs/digits-mlp/1")
    assert [facts(replace(trained, config=c))["licence"] for c in (run.config, own, tuned)] == [
        "Apache-2.0", "not stated", "not stated"
    ]  # fmt: skip
    data = {"name": "new.txt", "version": "", "description": "A person's own files."}
    made = {**card["training"], "epochs": 1, "seconds": 2.5}
    text = readme({**card, "data": data, "training": made})
    assert "Data: new.txt. A person's" in text and "\n1 epoch in 2.5 seconds." in text


CERTIFICATE = {
    "rows": 64,
    "litert_rows": 4,
    "steps": 32,
    "tolerance": 1e-4,
    "largest_output": 11.25,
    "differences": {"whole against steps": 1.5e-7, "SavedModel forward": 0.0},
    "quantised": {"litert/step-quantised.tflite step": {"probabilities": 0.0123, "same": 0.9922}},
}


def test_the_readme_tells_the_certificate(card):
    text = readme({**card, "certificate": CERTIFICATE})
    for said in ("64 rows", "32 time steps", "11.2500", "0.0001", "0.0123", "0.9922"):
        assert said in text
    assert "| whole against steps | 1.5e-07 |" in text and "| SavedModel forward | 0 |" in text
    assert "LiteRT" not in text
    sizes = {"saved_model": 10, "litert/step-quantised.tflite": 5}
    assert "LiteRT: the first 4 rows." in readme(
        {**card, "certificate": CERTIFICATE, "sizes": sizes}
    )


def test_a_card_without_figures_needs_no_data(card, tmp_path):
    bare = {**card, "metrics": {}, "examples": [], "data": {"name": "digits"}}
    write_card({**bare, "training": {"command": "zoo fit digits-mlp", "seed": 1}}, tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "not measured" in text and "learning curve" not in text
    assert hash_files(tmp_path) == {}


def test_the_command_tells_what_was_asked_for_and_not_what_the_data_decided(run):
    task = restore(run).task
    config = replace(
        run.config.with_limits({"learning_rate": 0.5, "epochs": 9}),
        seed=7,
        start_from="/home/someone/runs/digits-mlp/1",
        task_options={**run.config.task_options, "dataset": "/home/someone/photos and more"},
    )
    assert training(config, task, None)["command"] == (
        "zoo fit digits-mlp --seed 7 --dataset 'photos and more' --from 1 --epochs 9 "
        "--set learning_rate=0.5"
    )


def test_a_card_of_before_has_no_front_matter(card):
    before = {key: value for key, value in card.items() if key != "hub"}
    assert readme(before).startswith("# digits-mlp\n")
    assert readme(card).startswith("---\n") and readme(card).endswith(readme(before))


def test_a_card_without_metrics_has_none_in_its_front_matter(card):
    bare = readme(
        {**card, "metrics": {}, "examples": [], "measured": False, "licence": "not stated"}
    )
    matter = bare.split("---\n")[1]
    assert "model-index" not in matter and "license" not in matter
    assert 'pipeline_tag: "image-classification"' in matter


def test_what_is_no_number_stays_out_of_the_front_matter(card):
    values = {"loss": {"value": math.nan, "low": None, "high": None}}
    values["accuracy"] = {"value": 1e-9, "low": None, "high": None}
    matter = readme({**card, "metrics": {**card["metrics"], "values": values}}).split("---\n")[1]
    assert 'type: "accuracy"\n' in matter and 'type: "loss"' not in matter
    assert "value: 1.0e-09\n" in matter and 'name: "accuracy"' in matter


def test_the_languages_of_bundled_texts_are_those_of_the_data():
    load = partial(registry.load, "task")
    assert {*load("text_classification").data_languages["phrase_languages"]} == {*PHRASE_LANGUAGES}
    pairs = load("translation").data_languages
    assert pairs == {f"cldr_phrases/en-{code}": ("en", code) for code in TARGETS}
