from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tasks.adding import dataset
from tasks.adding.task import Adding
from zoo.errors import UserError
from zoo.exporting.checksums import read_card
from zoo.training.settings import Settings


@pytest.fixture(scope="module")
def sequences(tmp_path_factory):
    """A folder with a small preparation of the data set."""
    folder = str(tmp_path_factory.mktemp("adding"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "SIZES", {"train": 256, "validation": 64, "test": 64})
        dataset.Adding(data_dir=folder, config="20").download_and_prepare()
    return folder


@pytest.fixture(scope="module")
def run(sequences, tmp_path_factory):
    return zoo.fit(
        "adding-lstm",
        dataset="adding/20",
        data_dir=sequences,
        runs=tmp_path_factory.mktemp("runs"),
        units=16,
        epochs=2,
        batch_size=32,
        verbose=False,
    )


@pytest.fixture(scope="module")
def metrics(run):
    return zoo.evaluate(run)


def test_a_window_holds_whole_sequences_and_their_sums(sequences):
    task = Adding("adding/20", sequences)
    windows = list(task.windows("test", Settings(batch_size=48)))
    assert sum(float(tf.reduce_sum(window["weights"])) for window in windows) == 64
    inputs, targets = windows[0]["inputs"], windows[0]["targets"]
    assert inputs["frames"].shape == (48, 20, 2) and targets.dtype == tf.float32
    marked = tf.reduce_sum(inputs["frames"][..., 0] * inputs["frames"][..., 1], axis=1)
    np.testing.assert_allclose(marked, targets, rtol=1e-6)


@pytest.mark.slow
def test_the_figures_are_those_of_the_predictions(run, metrics, sequences):
    task = Adding("adding/20", sequences)
    window = next(iter(task.windows("test", Settings(batch_size=64))))
    miss = zoo.load(run)(window["inputs"]).numpy()[:, 0] - window["targets"].numpy()
    assert metrics["mean_squared_error"] == pytest.approx(np.mean(miss**2), rel=1e-5)
    assert metrics["accuracy"] == pytest.approx(np.mean(np.abs(miss) < 0.04))


def test_the_naive_answer_is_the_mean_of_the_sums(metrics, sequences):
    window = next(iter(Adding("adding/20", sequences).windows("test", Settings(batch_size=64))))
    sums = window["targets"].numpy().astype("float64")
    assert metrics["naive/mean_squared_error"] == pytest.approx(np.var(sums))
    assert metrics["naive/loss"] == metrics["naive/mean_squared_error"]
    near = np.abs(sums - sums.mean()) < 0.04
    assert metrics["naive/accuracy"] == pytest.approx(near.mean())


@pytest.mark.slow
def test_the_tolerance_of_a_run_is_that_of_its_metrics(run, sequences):
    config = replace(run.config, objective={"near": 9.0})
    task = config.make_task()
    assert task.measure(zoo.load(run), "test", config.training).metrics()["accuracy"] == 1.0
    assert task.cases(1)[0].is_right("5.0") and not run.config.make_task().cases(1)[0].is_right("5")


@pytest.mark.slow
def test_the_run_that_prepares_the_data_draws_as_those_after_it(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "SIZES", {"train": 32, "validation": 8, "test": 8})
    options = {"units": 4, "steps": 1, "batch_size": 8, "verbose": False}
    first, second = (
        zoo.load(
            zoo.fit(
                "adding-lstm",
                "adding/20",
                str(tmp_path / "data"),
                runs=tmp_path / "runs",
                **options,
            )
        )
        for _ in range(2)
    )
    for one, other in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_training_learns_that_the_sum_is_about_one(metrics):
    assert metrics["mean_squared_error"] < 0.7


@pytest.mark.slow
def test_run_and_export_say_the_same_of_arrays_and_of_text(run, tmp_path):
    export = zoo.export(run, tmp_path / "export", metrics=False)
    path, *_ = sorted((export / "assets.extra" / "examples").iterdir())
    np.savetxt(tmp_path / "sequence.csv", np.load(path), delimiter=",")
    given = [str(path), str(tmp_path / "sequence.csv")]
    said = zoo.predict(export, *given) + zoo.predict(run, *given)
    assert [answer["value"] for answer in said] == pytest.approx([said[0]["value"]] * 4, abs=1e-6)
    assert said[0]["text"] == f"{said[0]['value']:.3f}"


@pytest.mark.slow
def test_the_card_of_an_export_has_its_metrics_and_examples(run, tmp_path):
    card = read_card(zoo.export(run, tmp_path / "export"))
    values = {key: each["value"] for key, each in card["metrics"]["values"].items()}
    assert values | card["metrics"]["told"] == pytest.approx(zoo.evaluate(run))
    assert card["examples"]


def test_a_sequence_of_another_size_is_refused_by_name(run, tmp_path):
    np.save(tmp_path / "three.npy", np.ones((5, 3), "float32"))
    with pytest.raises(UserError, match=r"three.npy is of the shape \[5, 3\], .* takes \[any, 2\]"):
        zoo.predict(run, str(tmp_path / "three.npy"))


def test_a_sequence_without_steps_or_with_nan_has_no_sum(run):
    model = zoo.load(run)
    serve = Adding("adding/20").endpoints(model)["serve"]
    for wrong, said in ((np.zeros((1, 0, 2)), "no time steps"), ([[[0, np.nan]]], "NaN")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=said):
            serve(tf.constant(wrong, tf.float32))


def test_sequences_are_measured_one_by_one(run, sequences, check_measured):
    task = Adding("adding/20", sequences)
    _, cases, _ = check_measured(task, zoo.load(run), Settings(batch_size=48))
    assert cases[0].is_right(f"{float(cases[0].expected) + 0.039:.3f}")
    assert not cases[0].is_right(f"{float(cases[0].expected) + 0.05:.3f}")
