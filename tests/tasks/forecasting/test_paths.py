"""A model that draws paths: its answers go on past the horizon that it was fitted for."""

import json

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.tasks.forecasting.conftest import SETTINGS, make_model, write_table
from tests.tasks.forecasting.test_verbs import call
from zoo.errors import UserError
from zoo.exporting.checksums import read_card
from zoo.exporting.export import FORMATS
from zoo.utils.validation import reason


@pytest.fixture(scope="module")
def drawing(sales):
    """A model that draws paths, whose weights are no longer those of the naive forecast."""
    model, rng = make_model(sales, head="student_t", paths=20), np.random.default_rng(2)
    for weight in model.trainable_variables:
        weight.assign_add(rng.normal(size=weight.shape, scale=0.1))
    return model


def ask(task, model, name, *arguments):
    return {key: part.numpy() for key, part in task.served(model)[name](*arguments).items()}


def padded(raw, rows):
    return np.concatenate([np.full((rows, raw.shape[1]), np.nan), raw])


@pytest.mark.slow
def test_an_answer_goes_on_where_the_evaluation_ends(sales, drawing):
    answers = next(sales.answers(drawing, "test", SETTINGS))
    place = len(answers.steps) - 1
    table = sales.data.table.series[answers.series[place]]
    raw = sales.raw_series(table, answers.steps[place] + 1)
    short = ask(sales, drawing, "serve", raw[None])
    assert short["quantiles"][0] == pytest.approx(answers.quantiles[place], abs=1e-3)
    longer = np.concatenate([raw, raw[-4:], np.full((1, 5), np.nan)])
    both = np.stack([padded(longer, 150), padded(longer[30:], 180)])
    long = ask(sales, drawing, "forecast", both, 8)
    assert long["quantiles"].shape == (2, 8, 11) and (np.diff(long["quantiles"]) >= 0).all()
    assert long["quantiles"][0, :4] == pytest.approx(short["quantiles"][0], abs=1e-3)
    few = ask(sales, drawing, "forecast", raw[None], 3)
    assert few["quantiles"][0] == pytest.approx(short["quantiles"][0, :3], abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "horizon"), [(4, 5), (6, 8)])
def test_what_is_known_ahead_must_go_on_as_far(sales, drawing, rows, horizon):
    raw = sales.raw_series(sales.data.table.series[0], 120)
    raw = np.concatenate([raw, raw[-4:]])[: 120 + rows]
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        ask(sales, drawing, "forecast", raw[None], horizon)
    line = reason(raised.value)
    assert line.endswith(f"the rows after the last value are {rows}") and "\n" not in line


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A table, and a run that was fitted to it."""
    tmp_path = tmp_path_factory.mktemp("paths")
    table = write_table(tmp_path / "sales.csv", columns=False)
    settings = {"units": 4, "layers": 1, "horizon": 4, "look_back": 14, "window": 12, "paths": 20}
    chosen = [f"--set={key}={value}" for key, value in {**settings, "origins": 2}.items()]
    fit = ["fit", "forecast-lstm-sampled", "--dataset", table, "--steps=2", *chosen]
    return table, call(*fit, "--runs", tmp_path / "runs")[0].strip().splitlines()[-1]


@pytest.mark.slow
def test_it_is_exported_in_each_form(fitted, tmp_path):
    export = zoo.export(fitted[1], tmp_path / "export", formats=FORMATS, metrics=False)
    compared = read_card(export)["certificate"]["differences"]
    forms = ("litert/model.tflite", "onnx")
    assert {f"{form} {name}" for form in forms for name in ("forward", "step")} <= {*compared}
    assert zoo.verify(export).holds


@pytest.mark.slow
def test_a_run_and_its_export_forecast_more_steps_than_they_were_fitted_for(fitted, tmp_path):
    table, run = fitted
    export = zoo.export(run, tmp_path / "export", metrics=False)
    for each in (run, export):
        out, _ = call("predict", each, table, "--json", "--horizon", 9)
        rows = json.loads(out)
        assert [row["ds"] for row in rows[:9]] == [f"2025-01-0{day}" for day in range(1, 10)]
        assert len(rows) == 18 and all(row["lo-95"] <= row["hi-95"] for row in rows)
        usual = json.loads(call("predict", each, table, "--json")[0])
        for one, other in zip(usual[:4], rows):
            assert one["forecast"] == pytest.approx(other["forecast"], rel=1e-6)
        with pytest.raises(UserError, match="horizon is 5000, but 4096 is the most"):
            call("predict", each, table, "--horizon", 5000)
