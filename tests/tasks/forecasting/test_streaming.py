"""A series that is read on and on is forecast as if it had come as a whole."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from tasks.forecasting.task import Forecasting
from tests.tasks.forecasting.conftest import make_model, write_table
from zoo.api.stream import Stream
from zoo.errors import UserError
from zoo.exporting.endpoints import numeric_endpoints
from zoo.readers.modality import modality
from zoo.readers.series_text import interval_columns


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A task on series without covariates, far from zero, and a model of it."""
    path = tmp_path_factory.mktemp("plain") / "plain.csv"
    task = Forecasting(write_table(path, level=1e9, missing=(30,), columns=False), horizon=3)
    model, rng = make_model(task), np.random.default_rng(3)
    for weight in model.trainable_variables:
        weight.assign_add(rng.normal(size=weight.shape, scale=0.1))
    return task, model


@cache
def endpoints(task, model):
    """They are traced once for all tests that ask them."""
    return SimpleNamespace(**task.endpoints(model), **numeric_endpoints(model, task.prepared))


def raw_of(task, end=60):
    return task.raw_series(task.data.table.series[0], end)


def pieces(raw, cut):
    return [raw[at : at + cut] for at in range(0, len(raw), cut)]


@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_each_step_forecasts_what_the_whole_so_far_does(plain, cut):
    task, model = plain
    raw, answers = raw_of(task), endpoints(task, model)
    rows = list(Stream(answers).predict(pieces(raw, cut)))
    assert [row["step"] for row in rows] == list(range(1, 61))
    for step in (6, 20, 29, 59):
        # A missing value at the end is no end: what comes after it is forecast.
        whole = answers.serve(raw[None, : step + 1])["quantiles"].numpy()[0]
        np.testing.assert_allclose(np.array(rows[step]["quantiles"]) - 1e9, whole - 1e9, atol=1e-4)
    assert [row["value"] for row in rows] == [
        None if np.isnan(value) else pytest.approx(value, abs=1e-4) for value in raw[:, 1]
    ]


def test_a_value_falls_at_a_quantile_of_the_forecast_before_it(plain):
    task, model = plain
    raw = raw_of(task)
    rows = list(Stream(endpoints(task, model)).predict([raw]))
    levels = model.head.levels
    for before, row, value in zip(rows, rows[1:], raw[1:, 1]):
        if before["forecast"][0] is None or np.isnan(value):
            assert row["quantile"] is None
        else:
            fan = np.array(before["quantiles"][0]) - 1e9
            expected = np.interp(value - 1e9, fan, levels, left=0, right=1)
            assert row["quantile"] == pytest.approx(expected, abs=1e-3)


def test_before_a_season_is_seen_there_is_no_forecast(plain):
    task, model = plain
    raw = np.concatenate([np.full((3, 2), np.nan), raw_of(task)[:9]])
    rows = list(Stream(endpoints(task, model)).predict(pieces(raw, 2)))
    known = [row["forecast"][0] is not None for row in rows]
    assert known == [False] * (3 + task.season - 1) + [True] * 3
    assert rows[0]["text"] == "too few values for a forecast"
    assert [row["quantile"] is None for row in rows] == [True] * (3 + task.season) + [False] * 2


def test_what_is_printed_names_the_quantile_and_the_next_interval(plain):
    task, model = plain
    row = list(Stream(endpoints(task, model)).predict([raw_of(task)]))[-1]
    start, _, ahead = row["text"].partition("; ")
    assert start == f"at quantile {row['quantile']:.2f}"
    assert ahead.startswith("next day: median ") and "80% in" in ahead
    ends = interval_columns(row["quantiles"], model.head.levels)
    assert row["interval"] == pytest.approx([ends["lo-80"][0], ends["hi-80"][0]])


@pytest.mark.slow
def test_covariates_are_read_with_the_values(sales, shaken):
    raw, answers = raw_of(sales, 100), endpoints(sales, shaken)
    (*_, row) = list(Stream(answers).predict([raw]))[:100]
    whole = answers.serve(raw[None])["quantiles"].numpy()[0]
    np.testing.assert_allclose(row["quantiles"], whole, atol=1e-4)
    # Line by line, what is known ahead is taken for what is usual.
    (*_, row) = list(Stream(answers).predict(pieces(raw[:100], 1)))
    assert row["forecast"][0] is not None and row["quantiles"] != whole.tolist()


def test_returns_are_held_against_forecasts_of_returns(tmp_path):
    table = write_table(tmp_path / "prices.csv", columns=False)
    task = Forecasting(table, horizon=1, season=1, returns=True)
    model = make_model(task, base="zero")
    raw = raw_of(task)
    rows = list(Stream(endpoints(task, model)).predict(pieces(raw, 5)))
    expected = 100 * np.diff(np.log(raw[:, 1]))
    np.testing.assert_allclose([row["value"] for row in rows[1:]], expected, atol=1e-3)
    assert rows[-1]["forecast"] == pytest.approx([0], abs=1e-6)
    assert "; next day: median 0%, 80% in" in rows[-1]["text"] and rows[-1]["text"].endswith("%")
    assert (rows[-1]["quantile"] > 0.5) == (expected[-1] > 0)


def test_lines_are_streamed(plain, tmp_path):
    task, model = plain
    lines = [f"{np.int64(t).astype('datetime64[s]')},{v!r}" for t, v in raw_of(task).tolist()]
    path = tmp_path / "lines.csv"
    path.write_text("ds,y\n" + "\n".join(lines).replace("nan", "") + "\n")
    kind = modality("series")
    with path.open("rb") as file:
        read = kind.standard_input(file, **task.input_options())
        rows = list(Stream(endpoints(task, model)).predict(read))
    again = list(Stream(endpoints(task, model)).predict(kind.pieces(path, **task.input_options())))
    assert rows == again and len(rows) == 60


def test_infinity_is_refused_in_one_line(plain):
    task, model = plain
    with pytest.raises(UserError, match="cannot be taken: a series holds infinity") as refused:
        list(Stream(endpoints(task, model)).predict([np.array([[np.nan, np.inf]])]))
    assert "\n" not in str(refused.value)
