"""A model judged by folds, and trained on all of its data then."""

import json

import numpy as np
import pytest

import zoo as package
from zoo import UserError
from zoo.catalog.config import RunConfig
from zoo.exporting.checksums import read_card
from zoo.training.folds import Folds

TINY = {"units": 3, "epochs": 3, "epoch_windows": 1, "batch_size": 4, "joints": 0}


@pytest.fixture(scope="module")
def movements(tmp_path_factory):
    """Rising and falling numbers of six people, two of each."""
    folder = tmp_path_factory.mktemp("movements")
    rows = ["path,label,group"]
    for person in range(6):
        for label, sign in (("rise", 1), ("fall", -1)):
            steps = np.stack([sign * np.arange(5.0) + person, np.full(5, person % 2)], axis=1)
            np.save(folder / f"{label}{person}.npy", steps)
            rows.append(f"{label}{person}.npy,{label},p{person}")
    (folder / "index.csv").write_text("\n".join(rows))
    return folder / "index.csv"


def fit(movements, runs, **options):
    return package.fit(
        "sequence-gru", str(movements), runs=runs, verbose=False, folds=2, **TINY, **options
    )


@pytest.fixture(scope="module")
def run(movements, tmp_path_factory):
    return fit(movements, tmp_path_factory.mktemp("runs"))


@pytest.mark.slow
def test_each_figure_is_the_mean_of_the_folds_which_can_be_measured_again(run):
    told = run.evaluate()
    folds = Folds.of(run)
    again = [package.evaluate(run.folds / str(number)) for number in (1, 2)]
    assert folds.metrics == again
    both = [each["accuracy"] for each in again]
    assert told["accuracy"] == pytest.approx(np.mean(both))
    assert told["accuracy_low"] <= told["accuracy"] <= told["accuracy_high"]
    assert told["measured_on"].startswith("2 folds")


@pytest.mark.slow
def test_the_last_model_learned_from_all_as_long_as_the_folds_say(run):
    task = run.config.make_task()
    assert len(task._clips("train").labels) == 12
    assert len(run.history["epoch"]) == Folds.of(run).epochs
    assert not [name for name in run.history if name.startswith("val_")]
    with pytest.raises(UserError, match="trained on all of it"):
        run.evaluate("validation")
    assert "--folds 2" in run.config.to_command() and "fold=" not in run.config.to_command()


@pytest.mark.slow
def test_the_task_of_each_fold_is_made_once(movements, tmp_path, monkeypatch):
    make, made = RunConfig.make_task, []

    def counted(config):
        made.append(config.task_options["fold"])
        return make(config)

    monkeypatch.setattr(RunConfig, "make_task", counted)
    fit(movements, tmp_path)
    assert made == ["all/2", "1/2", "2/2"]


def test_what_has_no_folds_is_refused(movements, tmp_path):
    for name, options, message in (
        ("char-lstm", {}, "has no folds"),
        ("video-gru", {}, "split already"),
        ("sequence-gru", {"dataset": str(movements), "fold": "1/2"}, "leave one out"),
        ("sequence-gru", {"dataset": str(movements), "folds": 1}, "2 or more"),
        ("sequence-gru", {"dataset": str(movements), "folds": 7}, "too few for 7 folds"),
        ("sequence-gru", {"dataset": str(movements), "fold": "all/2", "folds": 0}, "say folds=5"),
    ):
        with pytest.raises(UserError, match=message):
            package.fit(name, runs=tmp_path, verbose=False, **{"folds": 2, **options})
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
def test_a_run_goes_on_from_the_fold_it_was_stopped_in(run, movements, tmp_path):
    stopped = fit(movements, tmp_path)
    values = json.loads(stopped.folds_file.read_text())
    values["metrics"], values["best_epochs"] = values["metrics"][:1], values["best_epochs"][:1]
    stopped.folds_file.write_text(json.dumps(values))
    for path in [*(stopped.folds / "2" / "checkpoints").iterdir(), stopped.folds / "2/metrics.csv",
                 *stopped.checkpoints.iterdir(), stopped.metrics_file]:  # fmt: skip
        path.unlink()
    with pytest.raises(UserError, match="1 of its 2 folds"):
        stopped.evaluate()
    with pytest.raises(UserError, match="leave out epochs"):
        package.resume(stopped, epochs=9)
    again = package.resume(stopped.path, verbose=False)
    assert again.evaluate() == run.evaluate()
    for one, other in zip(again.model.get_weights(), run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_the_card_of_an_export_tells_of_the_folds(run, tmp_path):
    package.export(run, tmp_path / "export")
    card = read_card(tmp_path / "export")
    assert card["unmeasured"].startswith("it learned from all of its data; models of 2 folds")
    assert f"accuracy {run.evaluate()['accuracy']:.4f}" in card["unmeasured"]
    assert package.verify(tmp_path / "export").holds
