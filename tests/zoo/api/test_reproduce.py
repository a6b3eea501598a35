import dataclasses
import gzip
import json
import math
from importlib import import_module

import pytest

import zoo as package
from zoo.api.reproduce import Reproduction, _other_data, reproduce
from zoo.api.run import Run
from zoo.catalog.recipes import RECIPES, Published
from zoo.errors import UserError

ROWS = {"units": 8, "epochs": 1, "batch_size": 64, "cell": "vanilla_rnn"}


@pytest.fixture(scope="module")
def tiny():
    """A quick recipe on the bundled digits, with a target that anything reaches."""
    return dataclasses.replace(
        RECIPES["mnist-rows"],
        name="tiny",
        model="digits-linear",
        data="digits",
        dataset="digits",
        get="",
        overrides={"epochs": 1, "batch_size": 64},
        published=(
            Published("accuracy", "test", 0.0),
            Published("loss", "train", 0.0),
            Published("perplexity", "train", 1.0, running=True),
        ),
    )


@pytest.fixture(autouse=True)
def recipes(monkeypatch, tiny):
    hard = dataclasses.replace(tiny, name="hard", published=(Published("accuracy", "test", 1.1),))
    rows = dataclasses.replace(hard, name="rows", model="rows-lstm", overrides=ROWS)
    known = {**RECIPES, "tiny": tiny, "hard": hard, "rows": rows}
    for module in ("zoo.catalog.recipes", "zoo.cli.reproduce"):
        # By import, as `zoo.cli.reproduce` is also the name of its command.
        monkeypatch.setattr(import_module(module), "RECIPES", known)


@pytest.fixture(scope="module")
def result(tiny, data_dir, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.catalog.recipes.RECIPES", {"tiny": tiny})
        runs = tmp_path_factory.mktemp("runs")
        return reproduce("tiny", data_dir=data_dir, runs=runs, verbose=False)


def test_what_was_published_is_measured_on_its_split(result):
    accuracy, loss, perplexity = result.metrics
    assert accuracy["measured"] == package.evaluate(result.run)["accuracy"]
    assert loss["measured"] == package.evaluate(result.run, "train")["loss"]
    assert accuracy["reached"] and not loss["reached"]
    # Shown while training, before what the epoch has learned: more than at its end.
    assert perplexity["measured"] == pytest.approx(math.exp(result.run.history["loss"][-1]))
    assert perplexity["measured"] > math.exp(loss["measured"])


def test_the_training_data_decide_nothing(result):
    assert result.reached and result.differences == []


def test_the_result_is_kept_with_the_run(result):
    kept = json.loads((result.run.path / "reproduced.json").read_text())
    assert kept == result.as_dict() and kept["recipe"] == "tiny" and "Keras" in kept["source"]


@pytest.mark.slow
def test_the_command_prints_the_same_of_a_run_that_has_ended(zoo, result):
    code, out, _ = zoo("reproduce", "tiny", "--resume", result.run.path, "--json")
    assert code == 0 and json.loads(out) == result.as_dict()
    code, out, _ = zoo("reproduce", "tiny", "--resume", result.run.path)
    assert f"{result.metrics[0]['measured']:.4f}" in out and "Not as published" not in out
    assert "Published by: Keras' example" in out and out.splitlines()[-1] == str(result.run.path)


def test_a_missed_target_is_exit_code_1(zoo, result):
    code, out, _ = zoo("reproduce", "hard", "--resume", result.run.path)
    assert code == 1 and "1.1" in out


@pytest.mark.slow
def test_a_shorter_training_is_told_and_held_to_nothing(zoo, data_dir, tmp_path):
    code, out, _ = zoo("reproduce", "rows", "--runs", tmp_path, "--data-dir", data_dir,
                       "--steps", "2", "--minutes", "5")  # fmt: skip
    assert code == 0
    assert "steps was 2, but the recipe sets no limit" in out
    assert "minutes was 5.0, but the recipe sets no limit" in out


def test_other_data_are_told(result, tiny):
    recipe = dataclasses.replace(tiny, data="mnist", dataset="mnist")
    assert list(_other_data(recipe, result.run.config.dataset)) == [
        "the data are digits, but the metrics were published for mnist"
    ]


@pytest.mark.parametrize("name", ["train.txt", "train.txt.gz"])
def test_another_text_is_told_by_its_words(tmp_path, name):
    opened = gzip.open if name.endswith("gz") else open
    with opened(tmp_path / name, "wt") as text:
        text.write("one two\n\nthree\n")
    recipe = dataclasses.replace(RECIPES["zaremba-small"], words=6)
    for given in (tmp_path, tmp_path / name):
        assert list(_other_data(recipe, str(given))) == []
        (said,) = _other_data(RECIPES["zaremba-small"], str(given))
        assert "has 6 words" in said and "929,589" in said


def test_a_run_goes_on_with_the_data_that_it_was_begun_with(zoo, result):
    code, _, err = zoo("reproduce", "tiny", "--resume", result.run.path, "--dataset", "mnist")
    assert code == 2 and "leave out --dataset" in err


def test_a_run_of_another_model_is_refused(zoo, result):
    code, _, err = zoo("reproduce", "addition", "--resume", result.run.path)
    assert (
        code == 2 and "is a run of digits-linear, but addition needs one of translate-lstm" in err
    )


def test_without_a_name_the_recipes_are_listed_with_their_targets(zoo):
    code, out, _ = zoo("reproduce", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0 and rows["zaremba-small"]["published"].endswith("test perplexity 115.91")
    code, out, _ = zoo("reproduce")
    assert all(name in out for name in rows)


def test_a_recipe_whose_data_are_not_there_is_refused_in_one_line(zoo, tmp_path):
    code, out, err = zoo("reproduce", "mnist-pixels", "--data-dir", tmp_path)
    assert code == 2 and not out and len(err.splitlines()) == 1
    assert "tfds build mnist" in err and "--data-dir FOLDER" in err


def test_a_result_of_only_training_figures_is_reached():
    rows = [{"split": "train", "reached": False}]
    assert Reproduction("tiny", Run(None), rows, []).reached


def test_a_recipe_that_there_is_not():
    with pytest.raises(UserError, match="unknown recipe 'nothing'"):
        reproduce("nothing")
