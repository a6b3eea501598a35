import csv
import json

import pytest

from zoo import UserError
from zoo.api.run import Run, new_run, open_run
from zoo.catalog.config import resolve

CONFIG = resolve("char-lstm", {"tokens": ["naïve", "我"]})


def test_runs_are_numbered_after_the_highest(tmp_path):
    (tmp_path / "char-lstm" / "7").mkdir(parents=True)
    (tmp_path / "char-lstm" / "notes").touch()
    assert [new_run(tmp_path, CONFIG).path.name for _ in range(2)] == ["8", "9"]


def test_the_configuration_is_kept_as_it_was_given(tmp_path):
    run = new_run(tmp_path, CONFIG)
    assert open_run(run.path, trained=False).config == CONFIG
    assert "我" in run.config_file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content", ["{", "", "[" * 100_000, "[]", "null", "3", '{"model": "char-lstm"}']
)
def test_a_damaged_configuration_is_named(tmp_path, content):
    run = new_run(tmp_path, CONFIG)
    run.config_file.write_text(content)
    with pytest.raises(UserError, match=r"config\.json is damaged"):
        _ = open_run(run.path, trained=False).config


def test_a_run_without_weights_is_no_model(tmp_path):
    run = new_run(tmp_path, CONFIG)
    for use in (lambda: run.model, lambda: open_run(run.path), run.evaluate):
        with pytest.raises(UserError, match="has no checkpoint yet"):
            use()
    assert run.history == {}


def test_the_history_holds_the_metrics_of_each_epoch_as_numbers(run):
    rows = list(csv.DictReader(run.metrics_file.open()))
    assert run.history["epoch"] == [0, 1]
    for name, values in run.history.items():
        assert values == [float(row[name]) for row in rows]


def test_damaged_metrics_are_named(tmp_path):
    run = new_run(tmp_path, CONFIG)
    run.metrics_file.write_text("epoch,loss\n0,many\n")
    with pytest.raises(UserError, match=r"metrics\.csv is damaged"):
        _ = run.history


def test_the_model_is_that_of_the_best_epoch_and_is_built_once(run):
    assert run.model is run.model
    best = max(run.history["val_accuracy"])
    assert run.evaluate("validation")["accuracy"] == pytest.approx(best, abs=1e-6)


def test_the_configuration_is_read_once(run):
    again = open_run(run.path)
    assert again.config is again.config and again == run and again.config == run.config


def test_former_names_of_files_are_told_of(run):
    with pytest.warns(DeprecationWarning, match="metrics_file"):
        assert run.metrics == run.metrics_file
    with pytest.warns(DeprecationWarning, match="weights_file"):
        assert run.weights == run.weights_file


def test_a_notebook_shows_a_table_with_nothing_of_it_read_as_html(run, tmp_path):
    table = run._repr_html_()
    assert f"<th>last val_loss</th><td>{run.history['val_loss'][-1]:.4g}</td>" in table
    folder = tmp_path / "<b>1"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG.to_json()))
    table = Run(folder)._repr_html_()
    assert "&lt;b&gt;1" in table and "<b>" not in table
