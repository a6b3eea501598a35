"""A model of one number a step, of series that it knows by name, as SegRNN is."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tasks.forecasting.task import Forecasting
from tests.tasks.forecasting.conftest import SETTINGS, make_model
from zoo.readers.series_inputs import SeriesModality

POINT = {
    "encoder": "segments",
    "segment": 4,
    "head": "mean",
    "base": "last",
    "plain": True,
    "cell": "gru",
}
NAMES = ("alpha", "beta", "gamma")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Three hourly series in columns, of very different sizes."""
    rng = np.random.default_rng(4)
    path = tmp_path_factory.mktemp("wide") / "load.csv"
    start = np.datetime64("2024-01-01T00")
    sizes = np.array([1.0, 10.0, 100.0])
    day = np.sin(np.arange(160) / 24 * 2 * np.pi)[:, None]
    values = sizes * (day + rng.normal(0, 0.2, (160, 3)))
    lines = ["date," + ",".join(NAMES)]
    for t, row in enumerate(values):
        lines.append(
            f"{start + t}:00:00".replace("T", " ") + "," + ",".join(map(repr, row.tolist()))
        )
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture(scope="module")
def task(table):
    return Forecasting(
        table,
        horizon=6,
        season=24,
        look_back=48,
        static=["unique_id"],
        quantiles=[0.5],
        train_steps=100,
        validation_steps=30,
        test_steps=30,
    )


@pytest.fixture(scope="module")
def model(task):
    model, rng = make_model(task, **POINT), np.random.default_rng(5)
    for weight in model.trainable_variables:
        weight.assign_add(rng.normal(size=weight.shape, scale=0.2))
    return model


def test_series_are_told_apart_by_name_and_measured_in_their_training_part(task):
    options = task.model_options()
    assert options["categories"] == [3]
    for one, spread in zip(task.data.table.series, options["spreads"]):
        assert one.static == (one.name,)
        assert spread == pytest.approx(one.values[:100].std(), rel=1e-9)
    again = Forecasting(**json.loads(json.dumps(task.get_config())))
    assert again.model_options() == options


def test_a_config_of_before_has_no_units(task):
    config = json.loads(json.dumps(task.get_config()))
    del config["covariates"]["spreads"]
    assert Forecasting(**config).model_options()["spreads"] == []


def test_what_one_number_says_nothing_of_is_left_out(task, model):
    metrics = task.measure(model, "test", SETTINGS).metrics()
    assert {"mase", "standardised_mse", "standardised_mae", "skill"} <= set(metrics)
    assert not [name for name in metrics if "crps" in name or "wql" in name or "cover" in name]
    assert "msis" not in metrics


def test_squared_errors_are_those_of_an_independent_sum(task, model):
    metrics = task.measure(model, "test", SETTINGS).metrics()
    whole, errors = task.data, []
    for one, series in enumerate(whole.table.series):
        x = whole.panel.inputs(np.array([one]), np.arange(160)[None], np.array([160]))
        answers = model(x).numpy()[0, :, :, 0] + whole.panel.offsets[one]
        for t in range(129, 154):
            apart = series.values[t + 1 : t + 7] - answers[t]
            errors.append(apart / series.values[:100].std())
    assert metrics["standardised_mse"] == pytest.approx(np.mean(np.square(errors)), rel=1e-4)
    assert metrics["standardised_mae"] == pytest.approx(np.mean(np.abs(errors)), rel=1e-4)


def test_another_name_is_another_answer(task, model, table):
    modality, options = SeriesModality("series"), task.input_options()
    raws = [each.raw for each in modality.inputs(table, **options)]
    assert [raw[0, -1] for raw in raws] == [1, 2, 3]
    serve = task.served(model)["serve"]
    answers = serve(np.stack(raws))["forecast"].numpy()
    shuffled = [raw.copy() for raw in raws]
    for raw, name in zip(shuffled, (3, 1, 2)):
        raw[:, -1] = name
    others = serve(np.stack(shuffled))["forecast"].numpy()
    assert np.abs(others - answers).max(axis=1).min() > 1e-3


def test_an_answer_has_a_sentence_and_no_intervals(task, model, table):
    modality, options = SeriesModality("series"), task.input_options()
    source = modality.inputs(table, **options)[0]
    outputs = {key: v.numpy() for key, v in task.served(model)["serve"](source.raw[None]).items()}
    one = {key: value[0] for key, value in outputs.items()}
    one["text"] = one["text"].decode()
    answer = modality.answer(source, one, **options)
    assert np.isfinite(answer["forecast"]).all() and len(answer["forecast"]) == 6
    assert not [key for key in answer if key[:3] in ("lo-", "hi-")]
    assert answer["text"].startswith("next 6 hours: ") and "80%" not in answer["text"]
    cut = modality.answer(source, one, **{**options, "horizon": 3})
    assert cut["text"].startswith("next 3 hours: ") and "median" not in cut["text"]


def test_a_stream_says_what_comes_next_and_no_quantile(task, model):
    endpoints = task.served(model)
    raw = task.raw_series(task.data.table.series[0], 60)
    read = endpoints["read"](raw[None], np.full(2, np.nan))
    outputs = model(np.asarray(read["x"])[None])[0]
    padded = tf.concat([outputs[:1], outputs], axis=0)
    x = tf.concat([read["x"][:1], read["x"]], axis=0)
    line = endpoints["tell"](padded[: len(x)], x[: len(padded)], read["origin"])
    assert np.isnan(line["quantile"]).all() and "interval" not in line
    assert b"quantile" not in line["text"][-1].numpy()


def test_plots_draw_one_line_and_no_bands(task, model):
    figure = task.plot(model, task.raw_series(task.data.table.series[0], 130))
    assert [line.get_label() for line in figure.axes[0].lines] == ["past", "forecast", "naive"]
    assert not figure.axes[0].collections
    split = task.plot_split(model, "test", SETTINGS)
    assert "no intervals" in split.axes[0].get_title()


def test_a_bundled_set_has_names_as_well():
    seasonal = Forecasting("seasonal", horizon=4, static=["unique_id"])
    assert seasonal.static[-1] == "unique_id" and len(seasonal.model_options()["spreads"]) == 24
