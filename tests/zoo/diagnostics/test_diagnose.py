import json

import pytest

import zoo as package
from zoo.diagnostics.subjects import kind_of
from zoo.errors import UserError

TINY = ["--parameters", "300", "--length", "6", "--steps", "2"]


@pytest.mark.slow
def test_a_cell_is_diagnosed_before_and_after_training(zoo, tmp_path):
    path = tmp_path / "new" / "it.png"
    code, out, _ = zoo("diagnose", "gru", *TINY, "--out", path, "--json")
    answer = json.loads(out)
    (one,) = answer["diagnoses"]
    assert code == 0 and answer["plot"] == str(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [flow["stage"] for flow in one["flows"]] == ["start", "trained"]
    assert 0 <= one["clipped"] <= 1 and 0 <= one["score"] <= 1 and one["prices"][-1]["steps"] == 6
    assert one["explanation"].count(". ") == 1 and one["explanation"].endswith(".")
    assert [*one["flows"][0]["gates"]] == ["z", "r"]


@pytest.mark.slow
def test_a_table_and_two_sentences_are_printed(zoo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = zoo("diagnose", "irnn", *TINY[:-1], "0")
    assert code == 0 and "spectral radius" in out and "more than 6" in out
    assert out.splitlines()[-1] == "diagnosis.png" and (tmp_path / "diagnosis.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lstmm"], "did you mean lstm"),
        (["lstm", "--length", "1"], "length is 1"),
        (["lstm", "--task", "addin"], "did you mean adding"),
        (["runs/none/1"], "no folder runs/none/1"),
    ],
)
def test_a_mistake_gets_one_line(zoo, arguments, message):
    code, _, err = zoo("diagnose", *arguments)
    assert code == 2 and err.count("\n") == 1 and message in err


def test_a_model_without_a_recurrence_is_refused(run):
    with pytest.raises(UserError, match="no recurrence"):
        package.diagnose(run, verbose=False)


def test_a_folder_with_the_name_of_a_cell_is_named_by_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lstm").mkdir()
    assert kind_of("lstm") == "cell" and kind_of("./lstm") == "trained"


@pytest.mark.slow
def test_a_ready_model_is_diagnosed_from_its_first_weights(data_dir, tmp_path):
    path = tmp_path / "it.svg"
    (one,) = package.diagnose("adding-lstm", data_dir=data_dir, path=path, verbose=False)
    assert [flow.stage for flow in one.flows] == ["start", "trained"]
    start, trained = one.flows
    assert start.lags["state"].horizon() < 40 and trained.lags["state"].horizon() is None
