import json
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tasks.forecasting.task import Forecasting
from tests.tasks.forecasting.conftest import SETTINGS, make_model, write_table
from zoo.errors import UserError
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer
from zoo.utils.validation import reason


@cache
def _endpoint(task, model):
    """It is traced once for all tests that ask it."""
    return task.served(model)["serve"]


def _serve(task, model, *series):
    return {key: part.numpy() for key, part in _endpoint(task, model)(np.stack(series)).items()}


def _raw(task, end=120, one=0):
    return task.raw_series(task.data.table.series[one], end)


def _scaled(raw, a, b):
    return np.concatenate([raw[:, :1], a * raw[:, 1:2] + b, raw[:, 2:]], axis=1)


def test_the_data_decide_what_nobody_sets(sales):
    config = sales.get_config()
    assert (sales.season, config["known"], config["past"], config["static"]) == (
        7,
        ["price"],
        ["wind"],
        ["kind"],
    )
    assert sales.model_options()["categories"] == [2]
    again = Forecasting(**json.loads(json.dumps(config)))
    assert again.get_config() == config and again.model_options() == sales.model_options()
    assert sales.input_options()["categories"] == [["a", "b"]]


def test_gaps_count_in_models_of_before_alone(sales):
    assert make_model(sales).initial_state(2).register.there.shape == (2, sales.look_back)
    assert zoo.load("volatility-gru").initial_state(2).register.there == ()


def test_training_windows_fit_the_model_and_their_loss_falls(sales):
    model = make_model(sales)
    train = sales.windows("train", SETTINGS, seed=1).take(8)
    trainer = Trainer(model, SETTINGS, None, 1, sales.objective())
    validation = sales.windows("validation", SETTINGS)
    before = model.get_weights()
    history = trainer.fit(train, validation)
    assert np.isfinite(history["val_loss"]).all() and "val_skill" in history
    moved = [np.abs(a - b).max() for a, b in zip(before, model.get_weights())]
    assert max(moved) > 0 and np.isfinite(moved).all()


def test_the_untrained_model_equals_the_naive_forecast_and_is_said_to_have_no_skill(sales):
    evaluation = sales.measure(make_model(sales), "test", SETTINGS)
    metrics = evaluation.metrics()
    for key in ("mase", "smape", "rmsse", "standardised_mse"):
        assert metrics[key] == pytest.approx(metrics[f"naive/{key}"], rel=1e-4), key
    assert metrics["skill"] == pytest.approx(0, abs=1e-4)
    low, high = evaluation.intervals()["skill"]
    assert low <= metrics["skill"] <= high
    assert metrics["verdict"].startswith("no skill")
    scores = sales.score(make_model(sales), "validation", SETTINGS)
    assert scores["skill_low"] <= scores["skill"] <= scores["skill_high"]


@pytest.mark.slow
def test_metrics_lie_in_their_intervals(sales, shaken, check_measured):
    score, cases, card = check_measured(sales, shaken, SETTINGS)
    assert score["mase"] != pytest.approx(score["naive/mase"], rel=1e-3)
    assert cases[0].raw.shape[1] == 5 and "; at the end " in cases[0].expected
    assert set(card["splits"]) == {"train", "validation", "test"}
    assert len({each["sha256"] for each in card["splits"].values()}) == 3


def test_serve_answers_as_the_evaluation_does(sales, shaken):
    answers = next(sales.answers(shaken, "test", SETTINGS))
    for n in (0, len(answers.steps) - 1):
        raw = _raw(sales, answers.steps[n] + 1, answers.series[n])
        answer = _serve(sales, shaken, raw)
        assert answer["quantiles"][0] == pytest.approx(answers.quantiles[n], abs=1e-3)
        assert answer["forecast"][0] == pytest.approx(answer["quantiles"][0, :, 5])


def test_changing_the_future_changes_no_earlier_answer(sales, shaken):
    raw = sales.data.panel.inputs(np.array([0]), np.arange(60)[None], np.array([60]))
    prepared = sales.prepared(raw).numpy()
    changed = prepared.copy()
    changed[:, 40:, 0] = 1e6
    # What is known of the future is known before it comes: only what comes after that may change.
    changed[:, 40:, 1:] = 7
    whole, other = shaken(prepared).numpy(), shaken(changed).numpy()
    assert np.array_equal(whole[:, :40], other[:, :40])
    assert not np.array_equal(whole[:, 40:], other[:, 40:])
    assert np.isfinite(whole).all() and np.isnan(prepared[..., 0]).any()


def test_rows_after_the_last_value_and_rows_before_the_first_say_nothing(sales, shaken):
    raw = _raw(sales)
    assert np.isnan(raw[-4:, 1]).all() and not np.isnan(raw[-4:, 2]).any()
    alone = _serve(sales, shaken, raw)["quantiles"]
    later = np.concatenate([raw, np.full((3, 5), np.nan)])
    earlier = np.concatenate([np.full((3, 5), np.nan), raw])
    both = _serve(sales, shaken, later, earlier)["quantiles"]
    assert both == pytest.approx(np.repeat(alone, 2, axis=0), abs=1e-5)
    without = raw.copy()
    without[-4:, 2] += 9
    assert not np.allclose(_serve(sales, shaken, without)["quantiles"], alone)


@pytest.mark.parametrize(("a", "b"), [(1.0, 1e7), (1e-6, 0.0), (1e8, -3e9), (0.01, 5.0)])
def test_another_scale_and_level_change_the_answer_by_the_same(sales, shaken, a, b):
    raw = _raw(sales)
    plain = _serve(sales, shaken, raw)["quantiles"]
    answer = _serve(sales, shaken, _scaled(raw, a, b))["quantiles"]
    spread = np.abs(plain).max()
    assert np.abs((answer - b) / a - plain).max() < 1e-5 * spread


def test_step_by_step_equals_whole(sales, shaken):
    raw = sales.data.panel.inputs(
        np.array([0, 1]), np.tile(np.arange(50), (2, 1)), np.array([50] * 2)
    )
    x = sales.prepared(raw)
    whole = shaken(x).numpy()
    step = tf.function(shaken.step)
    state = shaken.initial_state(2)
    for t in range(50):
        outputs, state = step(x[:, t], state)
        assert outputs.numpy() == pytest.approx(whole[:, t], abs=2e-4), t


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([np.nan] * 30, "no value at all"),
        ([1.0, 2.0, 3.0], "needs 7 steps or more, .* has 3"),
        ([1.0, np.inf, *range(20)], "infinity"),
        ([1e300, *range(20)], "infinity, or numbers too large"),
        ([], "no steps"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_line(sales, shaken, values, message):
    raw = np.zeros((len(values), 5))
    raw[:, 1] = values
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        _serve(sales, shaken, raw)
    line = reason(raised.value)
    assert "\n" not in line
    assert re.search(message, line), line


@pytest.mark.parametrize("kind", ["constant", "zeros", "gaps", "no dates", "long"])
def test_odd_series_are_answered_with_numbers(sales, shaken, kind):
    raw = _raw(sales)
    if kind == "constant":
        raw[:-4, 1] = 7.0
    if kind == "zeros":
        raw[:-4, 1] = 0.0
    if kind == "gaps":
        raw[1:-4, 1:4][np.random.default_rng(1).random((len(raw) - 5, 3)) < 0.7] = np.nan
        raw[-5, 1] = 1.0
    if kind == "no dates":
        raw[:, 0] = np.nan
    if kind == "long":
        raw = np.concatenate([np.tile(raw[:-4], (4, 1)), raw[-4:]])
    answer = _serve(sales, shaken, raw)
    assert np.isfinite(answer["quantiles"]).all() and np.isfinite(answer["forecast"]).all()
    assert (np.diff(answer["quantiles"], axis=-1) >= 0).all()
    text = answer["text"][0].decode()
    assert "nan" not in text and "80" in text
    if kind in ("constant", "zeros"):
        assert answer["forecast"][0] == pytest.approx([raw[0, 1]] * 4, abs=1e-3)


def test_a_model_reads_other_data_of_the_same_kind_only(sales, shaken, tmp_path):
    other = Forecasting(**sales.get_config())
    other.dataset = write_table(tmp_path / "other.csv", lengths=(150,), seed=9)
    assert len(other.measure(shaken, "test", SETTINGS).sums[0].rows)
    other.dataset = write_table(tmp_path / "bare.csv", columns=False)
    with pytest.raises(UserError, match="price"):
        other.windows("test", SETTINGS)
    hourly = tmp_path / "hourly.csv"
    lines = [f"s,2024-01-0{1 + t // 24} {t % 24:02}:00,{t},1,1,a" for t in range(120)]
    hourly.write_text("\n".join(["id,ds,y,price,wind,kind", *lines]))
    other.dataset = str(hourly)
    with pytest.raises(UserError, match="hourly, but the model was trained on daily"):
        other.windows("test", SETTINGS)


@pytest.mark.slow
def test_returns_are_held_against_an_average_of_squares(tmp_path):
    rng = np.random.default_rng(4)
    deviation = np.exp(np.sin(np.arange(300) / 20))
    prices = 100 * np.exp(np.cumsum(rng.normal(size=(2, 300)) * deviation / 100, axis=1))
    dates = np.datetime64("2024-01-01") + np.arange(300)
    lines = ["ds,usd,gbp", *(f"{d},{a!r},{b!r}" for d, a, b in zip(dates, *prices.tolist()))]
    (tmp_path / "rates.csv").write_text("\n".join(lines))
    task = Forecasting(str(tmp_path / "rates.csv"), horizon=1, look_back=20, returns=True)
    assert task.season == 1
    model = make_model(task, head="student_t", base="zero")
    metrics = task.measure(model, "test", SETTINGS).metrics()
    assert metrics["nll"] == pytest.approx((metrics["nll/usd"] + metrics["nll/gbp"]) / 2)
    one = task.data.panel.targets[0]
    variance, nll = np.nanmean(one[: task.data.ends[0, 0]] ** 2), []
    for t in range(1, 300):
        if t >= task.data.ends[0, 1]:
            nll.append(0.5 * np.log(2 * np.pi * variance) + one[t] ** 2 / variance / 2)
        variance = 0.97 * variance + 0.03 * one[t] ** 2
    assert metrics["ewma_nll/usd"] == pytest.approx(np.mean(nll))
    assert metrics["ewma_best/nll"] <= metrics["ewma/nll"] + 0.05
    assert 0 <= metrics["below_2.5"] <= metrics["below_10"] <= 1
    raw = task.cases(1)[0].raw
    raw[5, 1] = np.nan
    assert np.isfinite(_serve(task, model, raw)["quantiles"]).all()
    raw[3, 1] = -1
    with pytest.raises(tf.errors.InvalidArgumentError, match="prices must be above 0"):
        _serve(task, model, raw)
    (tmp_path / "zero.csv").write_text("\n".join([*lines[:-1], "2024-10-26,0,1"]))
    with pytest.raises(UserError, match="returns are of prices"):
        Forecasting(str(tmp_path / "zero.csv"), horizon=1, returns=True)


def test_counts_are_needed_where_the_head_is_of_counts(sales, tmp_path):
    with pytest.raises(UserError, match="negative_binomial"):
        sales.check(make_model(sales, head="negative_binomial"))
    dates = np.datetime64("2024-01-01") + np.arange(90)
    counts = np.random.default_rng(1).poisson(3, 90)
    (tmp_path / "n.csv").write_text(
        "\n".join(["ds,y", *(f"{d},{n}" for d, n in zip(dates, counts))])
    )
    task = Forecasting(str(tmp_path / "n.csv"), horizon=3)
    model = make_model(task, head="negative_binomial")
    task.check(model)
    answer = _serve(task, model, task.cases(1)[0].raw)
    assert (answer["quantiles"] >= 0).all() and np.allclose(answer["quantiles"] % 1, 0)


def test_options_that_cannot_be_are_refused(tmp_path):
    path = write_table(tmp_path / "short.csv", lengths=(40,), columns=False)
    with pytest.raises(UserError, match=r"set horizon=\d+ or less"):
        Forecasting(path, horizon=30)
    with pytest.raises(UserError, match="origins is -1"):
        Forecasting(path, origins=-1)
    with pytest.raises(UserError, match="truncation is 4"):
        Forecasting(path, horizon=2).windows("train", Settings(window=8, truncation=4), seed=1)


@pytest.mark.slow
def test_the_oracle_stands_beside_where_the_truth_is_known():
    task = Forecasting("seasonal", horizon=6, season=24, look_back=24, origins=2)
    model = make_model(task)
    settings = replace(SETTINGS, batch_size=9, window=256)
    metrics = task.measure(model, "test", settings).metrics()
    assert metrics["oracle/crps"] < metrics["naive/crps"]
    assert metrics["oracle/mase"] < metrics["naive/mase"]
    for part in task.answers(model, "test", settings):
        assert len(part.steps) and part.quantiles.shape[1:] == (6, 11)
    card = task.data_card()
    assert card["licence"] == "Apache License 2.0" and card["version"]
    assert card["splits"]["test"]["examples"] == 2 * len(task.data.table.series)


def test_another_name_than_those_of_the_bundled_data_is_refused():
    with pytest.raises(UserError, match="seasonal"):
        Forecasting("seasnal")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (np.full(90, 5.0), "makes no error"),
        (np.arange(12.0) ** 2, "too few forecasts to tell"),
        (np.random.default_rng(1).normal(size=90), "no skill: not better"),
    ],
    ids=["constant", "short", "noise"],
)
def test_a_model_without_a_sure_skill_is_said_to_have_none(tmp_path, values, verdict):
    dates = np.datetime64("2024-01-01") + np.arange(len(values))
    lines = ["ds,y", *(f"{date},{value!r}" for date, value in zip(dates, values.tolist()))]
    (tmp_path / "y.csv").write_text("\n".join(lines))
    task = Forecasting(str(tmp_path / "y.csv"), horizon=2, season=1, look_back=8)
    model = make_model(task)
    evaluation = task.measure(model, "test", SETTINGS)
    assert verdict in evaluation.metrics()["verdict"]
    assert all(
        np.isfinite(each) for each in evaluation.metrics().values() if not isinstance(each, str)
    )
    # Of too few forecasts there is no interval that says anything.
    assert bool(evaluation.intervals()) == (len(values) == 90)
    assert task.score(model, "test", SETTINGS)["crps"] == evaluation.metrics()["crps"]


def test_numbers_that_float32_has_not_are_refused(tmp_path):
    lines = ["ds,y", *(f"2024-01-{day:02},{day}e200" for day in range(1, 31))]
    (tmp_path / "y.csv").write_text("\n".join(lines))
    with pytest.raises(UserError, match="values over 1e"):
        Forecasting(str(tmp_path / "y.csv"))
