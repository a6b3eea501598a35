"""From a person's table to a run, its metrics, and an export that answers alone."""

import json

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.tasks.forecasting.conftest import write_table

SMALL = {"units": 4, "horizon": 4, "look_back": 14, "window": 12, "batch_size": 2}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_table(tmp_path_factory.mktemp("table") / "sales.csv", missing=(20, 21))


@pytest.fixture(scope="module")
def trained(table, tmp_path_factory):
    return zoo.fit(
        "forecast-gru",
        table,
        runs=tmp_path_factory.mktemp("runs"),
        epochs=1,
        verbose=False,
        **SMALL,
    )


def test_a_run_says_what_was_set_and_what_the_data_decided(trained, table):
    command = trained.config.to_command()
    assert "--set horizon=4" in command and "season" not in command
    config = json.loads(trained.config_file.read_text())
    assert config["task_config"]["season"] == 7 and config["options"]["season"] == 7
    scores = trained.evaluate()
    assert scores["skill_low"] <= scores["skill"] <= scores["skill_high"]
    assert "verdict" in scores and scores["naive/mase"] > 0


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_as_one_that_was_not(trained, table, tmp_path):
    options = {**SMALL, "schedule": "constant", "epochs": 1, "verbose": False, "runs": tmp_path}
    whole = zoo.fit("forecast-gru", table, steps=12, **options)
    half = zoo.fit("forecast-gru", table, steps=5, **options)
    half = zoo.resume(half, verbose=False, steps=12)
    assert half.history == whole.history
    for one, other in zip(half.model.get_weights(), whole.model.get_weights()):
        assert np.array_equal(one, other)


@pytest.mark.slow
def test_an_export_answers_as_the_model_does(trained, tmp_path):
    path = zoo.export(trained, tmp_path / "export", metrics=False)
    loaded = tf.saved_model.load(str(path))
    task = trained.config.make_task()
    raw = task.cases(1)[0].raw
    answer = loaded.serve(raw[None])
    own = task.served(trained.model)["serve"](raw[None])
    for key in ("forecast", "quantiles"):
        np.testing.assert_allclose(answer[key], own[key], rtol=1e-5)
    assert answer["text"].numpy() == own["text"].numpy()
    raw[:, 1] = np.nan
    with pytest.raises(tf.errors.InvalidArgumentError, match="no value at all"):
        loaded.serve(raw[None])
