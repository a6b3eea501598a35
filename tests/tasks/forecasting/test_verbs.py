"""What people type: a small run is asked, drawn, exported, verified and streamed to."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

import zoo
from tests.tasks.forecasting.conftest import write_table
from zoo import UserError
from zoo.cli import zoo as command_line
from zoo.exporting.checksums import read_card

COLUMNS = ["unique_id", "ds", "forecast", "lo-80", "hi-80", "lo-95", "hi-95"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("verbs")


@pytest.fixture(scope="module")
def table(folder):
    # Far from zero: float32 alone would say nothing behind the point.
    return write_table(folder / "sales.csv", level=1e7, missing=(20, 150), columns=False)


def call(*arguments):
    done = CliRunner().invoke(command_line, [*map(str, arguments)])
    if done.exception:
        raise done.exception
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def fitted(folder, table):
    settings = {"units": 4, "horizon": 4, "look_back": 14, "window": 12, "batch_size": 2}
    chosen = [f"--set={key}={value}" for key, value in settings.items()]
    return call(
        "fit", "forecast-gru", "--dataset", table, "--steps=2", *chosen, "--runs", folder / "runs"
    )


@pytest.fixture(scope="module")
def run(fitted):
    return fitted[0].strip().splitlines()[-1]


@pytest.fixture(scope="module")
def export(run, folder):
    return zoo.export(run, folder / "export")


def test_a_fit_ends_with_the_metrics_beside_the_naive_ones(fitted):
    words = [line.split() for line in fitted[1].splitlines()]
    assert ["model", "naive"] in words
    assert any(line[:1] == ["mase"] and len(line) == 3 for line in words)
    assert any(line[:1] == ["verdict"] for line in words)


@pytest.mark.slow
def test_each_series_of_a_file_is_forecast(export, table, folder):
    out, _ = call("predict", export, table, "--output", folder / "next.csv")
    assert "s0: next 4 days: median " in out and "s1: next 4 days: median " in out
    rows = list(csv.DictReader((folder / "next.csv").open()))
    assert list(rows[0]) == COLUMNS
    dates = ["2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04"]
    assert [(row["unique_id"], row["ds"]) for row in rows] == [
        (name, date) for name in ("s0", "s1") for date in dates
    ]
    for row in rows:
        numbers = [float(row[key]) for key in ("lo-95", "lo-80", "forecast", "hi-80", "hi-95")]
        assert numbers == sorted(numbers) and abs(numbers[2] - 1e7) < 1000
    out, _ = call("predict", export, table, "--json")
    assert [{key: str(value) for key, value in row.items()} for row in json.loads(out)] == rows
    out, _ = call("predict", export, table, "--json", "--horizon", 2)
    assert [row["ds"] for row in json.loads(out)] == dates[:2] * 2


@pytest.mark.slow
def test_an_export_forecasts_together_what_its_run_does_one_by_one(run, export, table):
    for one, other in zip(zoo.predict(run, table, batch_size=1), zoo.predict(export, table)):
        for key in ("forecast", "lo-80"):
            np.testing.assert_allclose(one[key], other[key], rtol=1e-9)
        assert one["ds"] == other["ds"] and one["text"] == other["text"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["ds,y", "2024-01-01,1", "2024-02-01,2", "2024-03-01,3"], "is monthly, but the model"),
        (
            ["ds,y", "2024-01-01,1", "2024-01-02,2", "2024-01-03,3"],
            r"y cannot be taken: .* needs 7",
        ),
        (["ds,y", "2024-01-01,1", "2024-01-02,x", "2024-01-03,3"], r"sales.csv.*line 3.*'x'"),
    ],
)
def test_what_cannot_be_forecast_is_refused_in_one_line(export, tmp_path, lines, message):
    path = tmp_path / "sales.csv"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(UserError, match=message) as refused:
        call("predict", export, path)
    assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_options_that_do_not_fit_are_refused_in_one_line(export, table):
    with pytest.raises(UserError, match="horizon is 5, but the model forecasts 4 steps"):
        call("predict", export, table, "--horizon", 5)
    with pytest.raises(UserError, match="another ending"):
        call("predict", export, table, "--output", "next.txt")


@pytest.mark.slow
def test_forecasts_and_their_calibration_are_drawn(run, table, folder):
    out, _ = call("plot", run, table, "--output", folder / "fan.png")
    assert [(folder / f"fan-{n}.png").stat().st_size > 0 for n in (1, 2)] == [True, True]
    assert str(folder / "fan-1.png") in out
    out, _ = call("plot", run)
    assert out.strip().endswith("plot.png")


@pytest.mark.slow
def test_the_card_shows_what_is_naive_pictures_and_the_unit(export):
    card = read_card(export)
    assert {"mase", "naive/mase", "skill"} <= set(card["metrics"]["values"])
    assert card["metrics"]["told"]["verdict"]
    assert card["certificate"]["unit"] == "the spread of each series"
    for example in card["examples"]:
        assert (export / example["picture"]).read_bytes().startswith(b"\x89PNG")
    text = (export / "README.md").read_text()
    assert "| metric | value | 95% interval | naive |" in text


@pytest.mark.slow
def test_who_loads_an_export_can_have_its_step_compiled(export):
    loaded = tf.saved_model.load(str(export))
    compiled = tf.function(loaded.step, jit_compile=True)
    states = [loaded.initial_state(1)] * 2
    for value in (5.0, 9.0, np.nan, 7.0):
        x = tf.constant([[value, np.nan, np.nan]], tf.float32)
        (one, *first), (other, *second) = (
            (outputs, *state)
            for outputs, state in (loaded.step(x, states[0]), compiled(x, states[1]))
        )
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
        states = [first, second]


@pytest.mark.slow
def test_the_card_holds(export):
    verification = zoo.verify(export)
    assert verification.holds, [each for each in verification.checks if each.holds is False]


@pytest.mark.slow
def test_lines_are_streamed_to_the_export(export, table, folder):
    lines = Path(table).read_text().splitlines()[1:31]
    rows = [line.split(",")[1:] for line in lines]
    path = folder / "lines.csv"
    path.write_text("\n".join(map(",".join, rows)))
    done = CliRunner().invoke(command_line, ["stream", str(export), "--json"], path.read_bytes())
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["step"] for each in told] == list(range(1, 31))
    assert told[20]["quantile"] is None and told[20]["value"] is None
    assert 0 <= told[29]["quantile"] <= 1 and len(told[29]["forecast"]) == 4
    assert told[29]["value"] == pytest.approx(float(rows[29][1]), abs=1e-3)
    shown = CliRunner().invoke(command_line, ["stream", str(export)], path.read_bytes()).stdout
    assert shown.splitlines()[0].split() == [
        "step",
        "1",
        *["too", "few", "values", "for", "a", "forecast"],
    ]
    assert "; next day: median " in shown.splitlines()[-1]
