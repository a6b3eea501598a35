import json
import shutil
import sys

import pytest

import zoo as sequence_zoo
from tasks.image_classification.task import ImageClassification
from zoo.api.verify import _metrics as metric_checks
from zoo.api.verify import _parity as parity_checks
from zoo.api.verify import verify
from zoo.exporting.card.card import write_card
from zoo.exporting.checksums import hash_file


@pytest.fixture
def copy(export, tmp_path):
    return shutil.copytree(export, tmp_path / "copy")


def edit(folder, change):
    """A card that says something else, and a README.md that goes with it."""
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    change(card)
    write_card(card, folder)


def wrong(folder, data_dir):
    return {check.name for check in verify(folder, data_dir).checks if check.holds is False}


def test_a_card_that_was_just_made_holds(export, data_dir, zoo, readings):
    code, out, _ = zoo("verify", export, "--data-dir", data_dir)
    assert readings.count("zoo.json") == 1
    assert code == 0 and "all of it holds" in out
    for figure in ("files", "README.md", "parameters", "loss", "accuracy", "f1/9", "example 1"):
        assert f" {figure} " in out


def test_a_changed_byte_is_told_and_nothing_is_run(copy, zoo):
    path = copy / "variables" / "variables.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    code, out, _ = zoo("verify", copy, "--json")
    (told,) = json.loads(out)
    assert code == 1 and not told["holds"] and len(told["checks"]) == 1
    assert "variables.data-00000-of-00001 is not as it was" in told["checks"][0]["measured"]


@pytest.mark.slow
def test_figures_that_were_changed_by_hand_do_not_hold(copy, data_dir, zoo):
    def better(card):
        figures = card["metrics"]["values"]
        figures["accuracy"]["value"] += 0.002
        figures["macro_f1"]["low"] += 0.01
        figures["loss"]["value"] *= 1.0005
        figures["invented"] = {"value": 1.0, "low": None, "high": None}
        card["examples"][-1]["answer"] = card["examples"][-1]["expected"]

    edit(copy, better)
    (copy / "README.md").write_text("The best of all models.")
    code, out, _ = zoo("verify", copy, "--data-dir", data_dir, "--json")
    (told,) = json.loads(out)
    found = {check["name"] for check in told["checks"] if not check["holds"]}
    last = f"example {len(json.loads((copy / 'card.json').read_text())['examples'])}"
    assert code == 1
    assert found == {
        "README.md", "accuracy", "macro_f1", "invented", last, f"{last}, expected: right"
    }  # fmt: skip


def test_nothing_else_that_a_card_says_may_be_false(copy, data_dir):
    def invent(card):
        told = ("name", "summary", "task", "topology", "cell", "licence", "limits", "decoding")
        card.update(dict.fromkeys(told, "invented"))
        card["parameters"] -= 1
        card["multiply_adds"] //= 2
        card["data"]["version"] = "9.9.9"
        card["data"]["splits"]["train"]["examples"] += 1
        card["data"]["splits"]["test"]["sha256"] = "0" * 64
        card["training"].update(command="zoo fit digits-mlp", seed=2)
        card["sizes"].update(saved_model=1, gold=1)
        card["metrics"]["interval"]["level"] = 0.99
        card["certificate"]["largest_output"] *= 1.01
        # Of examples 1 and 2, what the data and the task's rule have.
        card["examples"][0].update(expected="11", right=False)
        card["examples"][1]["right"] = None

    edit(copy, invent)
    assert wrong(copy, data_dir) == {
        "name", "summary", "task", "topology", "cell", "licence", "limits", "decoding",
        "parameters", "multiply_adds", "data, version", "data, train", "data, test",
        "training, command", "training, seed", "bytes, saved_model", "bytes, gold",
        "metrics, interval", "certificate, largest output",
        "example 1, expected: right", "example 2, expected: right",
    }  # fmt: skip


def test_what_was_left_out_by_hand_does_not_hold(copy, data_dir):
    def silent(card):
        card.update(metrics={}, examples=[], certificate={}, sizes={}, files={})

    edit(copy, silent)
    missing = {"metrics", "examples", "certificate", "files, all listed", "bytes, saved_model"}
    assert wrong(copy, data_dir) == missing


def test_a_readme_that_was_written_by_hand_does_not_hold_with_its_checksum(copy, data_dir):
    text = (copy / "README.md").read_text(encoding="utf-8").replace("digits", "all digits")
    (copy / "README.md").write_text(text, encoding="utf-8")
    path = copy / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**card, "readme": hash_file(copy / "README.md")}))
    assert wrong(copy, data_dir) == {"README.md"}


@pytest.mark.slow
def test_a_card_without_figures_holds_and_says_so(run, data_dir, tmp_path):
    folder = sequence_zoo.export(run, tmp_path / "model", metrics=False)
    assert verify(folder, data_dir).holds
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert card["measured"] is False and card["metrics"] == {} and card["examples"] == []
    assert card["data"]["version"] == "1.0.0" and len(card["data"]["splits"]) == 3
    assert "not measured" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_form_that_no_package_runs_is_not_measured(run, data_dir, tmp_path, monkeypatch):
    folder = sequence_zoo.export(run, tmp_path / "model", metrics=False, formats=["litert"])
    # What is None there cannot be imported.
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    found = verify(folder, data_dir)
    checks = {check.name: check for check in found.checks}
    told = checks["litert/model.tflite forward"]
    assert found.holds and told.holds is None and "package is missing" in told.measured
    assert checks["SavedModel forward"].holds


def test_a_card_of_another_make_is_a_mistake_in_one_line(copy, zoo):
    path = copy / "card.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({key: part for key, part in whole.items() if key != "metrics"}))
    code, out, err = zoo("verify", copy)
    assert code == 2 and not out and "card.json is damaged: KeyError 'figures'" in err
    secret = {**whole["examples"][0], "file": "../secret.png"}
    path.write_text(json.dumps({**whole, "metrics": {}, "examples": [secret]}))
    code, out, err = zoo("verify", copy)
    assert code == 2 and not out and "KeyError '../secret.png'" in err
    (copy / "card.json").write_text("# A card")
    code, out, err = zoo("verify", copy)
    assert code == 2 and not out and err.startswith("error: ") and err.count("\n") == 1


def test_models_or_all_of_them_are_to_be_named(zoo):
    for given in ([], ["digits-mlp", "--all"]):
        code, _, err = zoo("verify", *given)
        assert code == 2 and "give models or --all" in err


@pytest.mark.slow
def test_a_metric_may_differ_by_a_thousandth_also_on_a_card_of_before(copy, data_dir):
    def of_before(card):
        card["metrics"]["values"]["loss"]["value"] *= 1 - 9e-4
        card["figures"] = card.pop("metrics")

    edit(copy, of_before)
    assert "## Figures\n" in (copy / "README.md").read_text(encoding="utf-8")
    assert verify(copy, data_dir).holds


@pytest.mark.slow
def test_data_of_another_python_are_no_fault_of_the_card(copy, data_dir, zoo, monkeypatch):
    def of_another_python(card):
        card["data"]["version"] = "3.9.0"
        card["data"]["splits"]["test"]["sha256"] = "0" * 64
        card["metrics"]["values"]["accuracy"]["value"] += 0.002
        card["parameters"] -= 1

    edit(copy, of_another_python)
    running = f"{sys.version_info.major}.{sys.version_info.minor}.0"
    made = ImageClassification.data_card
    monkeypatch.setattr(
        ImageClassification, "data_card", lambda self: made(self) | {"version": running}
    )
    code, out, _ = zoo("verify", copy, "--data-dir", data_dir)
    assert code == 1
    assert "cannot be compared here: data, version, data, test, accuracy\n" in out
    assert "does not hold: parameters\n" in out


def test_what_no_package_is_there_for_is_said_and_does_not_count(copy, data_dir, monkeypatch):
    monkeypatch.setattr(ImageClassification, "optional", ("cider",))
    told = {"value": 1.0, "low": None, "high": None}
    edit(copy, lambda card: card["metrics"]["values"].update(cider=told))
    found = verify(copy, data_dir)
    (cider,) = (check for check in found.checks if check.name == "cider")
    assert found.holds and cider.holds is None and "package is missing" in cider.measured


def test_a_figure_that_was_measured_in_another_way_does_not_hold():
    def said(signature):
        return {"counted": "images", "examples": 1, "values": {}, "told": {"bleu": signature}}

    def holds(one, other):
        return all(check.holds for check in metric_checks(said(one), said(other), ()))

    assert holds("nrefs:1|tok:13a|version:2.6.0", "nrefs:1|tok:13a|version:2.7.0")
    assert not holds("nrefs:1|tok:13a|version:2.6.0", "nrefs:2|tok:13a|version:2.6.0")


def test_a_card_of_before_may_lack_what_is_naive_but_none_of_today_a_part_of_it():
    def card(*keys):
        values = {key: {"value": 0.5, "low": None, "high": None} for key in keys}
        return {"counted": "images", "examples": 1, "values": values, "told": {}}

    again = card("bleu", "cider", "naive/bleu", "naive/cider")

    def verdicts(*keys, again=again):
        checks = metric_checks(card(*keys), again, ("cider",))
        return {check.name: check.holds for check in checks if check.holds is not True}

    assert verdicts("bleu", "cider") == {"naive/bleu": None, "naive/cider": None}
    assert verdicts("bleu", "cider", "naive/cider") == {"naive/bleu": False}
    # The package that computes it may be missing.
    less = card("bleu", "naive/bleu")
    assert verdicts(*again["values"], again=less) == {"cider": None, "naive/cider": None}


def certificate(difference, same=0.99):
    return {
        "rows": 64,
        "steps": 1,
        "tolerance": 1e-4,
        "largest_output": 9.0,
        "differences": {"SavedModel forward": difference},
        "quantised": {"litert/model-quantised.tflite forward": {"same": same}},
    }


@pytest.mark.parametrize(
    ("said", "found", "holds"),
    [
        (certificate(1e-7), certificate(9e-7, same=0.985), True),
        (certificate(1e-3), certificate(1e-7), False),
        (certificate(1e-7), certificate(1e-3), False),
        (certificate(1e-7), certificate(1e-7, same=0.9), False),
        ({**certificate(1e-7), "tolerance": 1.0}, certificate(1e-7), False),
        ({**certificate(1e-7), "differences": {}}, certificate(1e-7), False),
    ],
)
def test_differences_are_to_be_within_the_tolerance_and_not_the_same(said, found, holds):
    assert all(check.holds for check in parity_checks(said, found)) == holds
