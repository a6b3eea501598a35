import json
import shutil

import pytest

from tasks.image_classification.task import ImageClassification
from zoo.verifying import _certificate as certificate_checks
from zoo.verifying import _figures as figure_checks
from zoo.verifying import verify


@pytest.fixture
def copy(export, tmp_path):
    return shutil.copytree(export, tmp_path / "copy")


def edit(folder, change):
    path = folder / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    change(card)
    path.write_text(json.dumps(card), encoding="utf-8")


def test_a_card_that_was_just_made_holds(export, data_dir, zoo):
    code, out, _ = zoo("verify", export, "--data-dir", data_dir)
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


def test_what_was_changed_by_hand_does_not_hold(copy, data_dir, zoo):
    def better(card):
        figures = card["figures"]["values"]
        figures["accuracy"]["value"] += 0.002
        figures["macro_f1"]["low"] += 0.01
        figures["loss"]["value"] *= 1.0005
        figures["invented"] = {"value": 1.0, "low": None, "high": None}
        card["examples"][-1]["answer"] = card["examples"][-1]["expected"]
        card["parameters"] -= 1
        card["data"]["splits"]["test"]["sha256"] = "0" * 64

    edit(copy, better)
    (copy / "README.md").write_text("The best of all models.")
    code, out, _ = zoo("verify", copy, "--data-dir", data_dir, "--json")
    (told,) = json.loads(out)
    wrong = {check["figure"] for check in told["checks"] if not check["holds"]}
    last = f"example {len(json.loads((copy / 'card.json').read_text())['examples'])}"
    assert code == 1
    assert wrong == {
        "README.md", "accuracy", "macro_f1", "invented", "parameters", "data, test", last
    }  # fmt: skip


def test_a_card_of_another_make_is_a_mistake_in_one_line(copy, zoo):
    edit(copy, lambda card: card.pop("figures"))
    code, out, err = zoo("verify", copy)
    assert code == 2 and not out and "card.json is damaged: KeyError 'figures'" in err
    edit(copy, lambda card: card.update(figures={}, examples=[{"file": "../secret.png"}]))
    code, out, err = zoo("verify", copy)
    assert code == 2 and not out and "KeyError '../secret.png'" in err
    (copy / "card.json").write_text("# A card")
    code, out, err = zoo("verify", copy)
    assert code == 2 and not out and err.startswith("error: ") and err.count("\n") == 1


def test_models_or_all_of_them_are_to_be_named(zoo):
    for given in ([], ["digits-mlp", "--all"]):
        code, _, err = zoo("verify", *given)
        assert code == 2 and "give models or --all" in err


def test_a_figure_may_differ_by_a_thousandth(copy, data_dir):
    def other_machine(card):
        card["figures"]["values"]["loss"]["value"] *= 1 - 9e-4

    edit(copy, other_machine)
    assert verify(copy, data_dir).holds


def test_what_no_package_is_there_for_is_said_and_does_not_count(copy, data_dir, monkeypatch):
    monkeypatch.setattr(ImageClassification, "optional", ("cider",))
    told = {"value": 1.0, "low": None, "high": None}
    edit(copy, lambda card: card["figures"]["values"].update(cider=told))
    found = verify(copy, data_dir)
    (cider,) = (check for check in found.checks if check.figure == "cider")
    assert found.holds and cider.holds is None and "package is missing" in cider.measured


def test_a_figure_that_was_measured_in_another_way_does_not_hold():
    def said(signature):
        return {"counted": "images", "examples": 1, "values": {}, "told": {"bleu": signature}}

    def holds(one, other):
        return all(check.holds for check in figure_checks(said(one), said(other), ()))

    assert holds("nrefs:1|tok:13a|version:2.6.0", "nrefs:1|tok:13a|version:2.7.0")
    assert not holds("nrefs:1|tok:13a|version:2.6.0", "nrefs:2|tok:13a|version:2.6.0")


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
    assert all(check.holds for check in certificate_checks(said, found)) == holds
