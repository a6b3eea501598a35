import csv
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import UserError, registry


def test_models_are_found_by_topology_task_cell_and_wildcard():
    assert set(zoo.list_models(topology="seq2seq")) <= set(zoo.list_models(task="translation"))
    found = zoo.list_models(cell="gru", name="video*")
    assert "video-gru" in found and all(name.startswith("video") for name in found)
    assert "video-lstm" not in found
    assert zoo.list_models() == sorted(registry.entries("model"))


def test_every_topology_has_at_least_two_models():
    for topology in ("one_to_one", "one_to_many", "many_to_one", "many_to_many", "seq2seq"):
        assert len(zoo.list_models(topology=topology)) >= 2


def test_create_takes_overrides():
    model = zoo.create("char-lstm", vocab_size=11, units=8, cell="gru")
    assert isinstance(model, keras.Model) and model.built
    assert model(np.zeros((2, 3), "int32")).shape == (2, 3, 11)


@pytest.mark.parametrize(
    ("name", "overrides", "said"),
    [
        ("char-lstmm", {}, "char-lstm"),
        ("char-lstm", {"cell": "lstmm"}, "did you mean lstm"),
        ("char-lstm", {"unitss": 3}, "did you mean units"),
        ("char-lstm", {"units": -3}, "positive"),
    ],
)
def test_create_names_what_is_wrong(name, overrides, said):
    with pytest.raises(UserError, match=said):
        zoo.create(name, **overrides)


def test_a_run_folder_holds_everything(run):
    rows = list(csv.DictReader(run.metrics_file.open()))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"} <= set(rows[0])
    assert run.config.options["classes"] == 10
    assert (run.path / "plots" / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert any((run.path / "logs").rglob("events*"))


def test_the_loaded_model_is_the_trained_one(run):
    rows = list(csv.DictReader(run.metrics_file.open()))
    best = max(float(row["val_accuracy"]) for row in rows)
    assert zoo.evaluate(run, "validation")["accuracy"] == pytest.approx(best, abs=1e-6)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_run(run, data_dir, tmp_path):
    again = zoo.fit("digits-mlp", data_dir=data_dir, runs=tmp_path, epochs=2, verbose=False)
    other = zoo.fit("digits-mlp", data_dir=data_dir, runs=tmp_path, epochs=2, seed=2, verbose=False)
    weights = [zoo.load(r).get_weights() for r in (run, again, other)]
    assert all(np.array_equal(a, b) for a, b in zip(weights[0], weights[1]))
    assert not np.array_equal(weights[0][0], weights[2][0])
    assert (again.path.name, other.path.name) == ("1", "2")


def test_run_and_export_predict_the_same(run, export, assert_same_answers):
    pictures = sorted(map(str, (export / "assets.extra" / "examples").iterdir()))
    assert_same_answers(zoo.predict(run, *pictures), zoo.predict(export, *pictures))


@pytest.mark.slow
def test_the_export_needs_neither_zoo_nor_keras(export):
    script = Path(__file__).parents[3] / "examples" / "use_export.py"
    done = subprocess.run(
        [sys.executable, str(script), str(export)], capture_output=True, text=True, check=True
    )
    answers = [line for line in done.stdout.splitlines() if not line.startswith("---")]
    assert len(answers) == 3 and all(answer.isdigit() for answer in answers)


@pytest.mark.slow
def test_an_export_is_replaced_only_if_told_to(run, export, tmp_path):
    with pytest.raises(UserError, match="--overwrite"):
        zoo.export(run, export)
    zoo.export(run, export, overwrite=True)
    tf.saved_model.load(str(export))
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    with pytest.raises(UserError, match="no export of the zoo"):
        zoo.export(run, precious, overwrite=True)
    assert (precious / "file").read_text() == "kept"


def test_a_loss_that_is_not_finite_ends_the_run_with_advice(data_dir, tmp_path):
    with pytest.raises(UserError, match="learning_rate"):
        zoo.fit(
            "digits-linear",
            data_dir=data_dir,
            runs=tmp_path,
            epochs=2,
            optimizer="sgd",
            learning_rate=1e38,
            clip_norm=0,
            verbose=False,
        )


def test_plot_draws_a_split_and_says_what_it_cannot_draw(run, tmp_path):
    file = tmp_path / "new" / "classes.svg"
    assert zoo.plot(run, path=file) == [file]
    assert "<svg" in file.read_text() and zoo.plot(run)[0].read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UserError, match="png"):
        zoo.plot(run, path=tmp_path / "classes.doc")
    with pytest.raises(UserError, match="split"):
        zoo.plot(run, split="tset")


@pytest.mark.slow
def test_a_plot_of_an_export_replaces_nothing_in_the_current_folder(export, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plot.png").write_text("precious")
    assert [str(zoo.plot(export)[0]) for _ in range(2)] == ["plot-1.png", "plot-2.png"]
    assert (tmp_path / "plot.png").read_text() == "precious"
    zoo.plot(export, path="plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
