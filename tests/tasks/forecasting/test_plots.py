import numpy as np
import pytest

from tasks.forecasting.plots import MOST, calibration
from tasks.forecasting.task import Forecasting
from tests.tasks.forecasting.conftest import SETTINGS, make_model, write_table


def lines(axes):
    return {line.get_label(): np.asarray(line.get_ydata(), "float64") for line in axes.lines}


def test_the_fan_of_an_untrained_model_lies_on_the_naive_forecast(sales, tmp_path):
    raw = sales.raw_series(sales.data.table.series[0], 152)
    figure = sales.plot(make_model(sales), raw)
    drawn = lines(figure.axes[0])
    np.testing.assert_allclose(drawn["median"], drawn["naive"], atol=1e-4)
    past = drawn["past"]
    assert len(past) == 40 and np.isnan(past[-2]) and past[-1] == raw[151, 1]
    figure.savefig(tmp_path / "fan.png")


def test_a_fan_without_dates_and_one_of_returns_are_drawn(tmp_path):
    path = write_table(tmp_path / "prices.csv", columns=False)
    task = Forecasting(path, horizon=1, season=1, returns=True)
    raw = task.raw_series(task.data.table.series[0], 100)
    raw[:, 0] = np.nan
    figure = task.plot(make_model(task, base="zero"), raw)
    drawn = lines(figure.axes[0])
    assert "naive" not in drawn and figure.axes[0].get_xlabel() == "step"
    np.testing.assert_allclose(drawn["past"][-1], 100 * np.log(raw[99, 1] / raw[98, 1]))


@pytest.mark.slow
def test_a_split_is_drawn_as_calibration_and_coverage(sales, shaken):
    left, right = sales.plot_split(shaken, "test", SETTINGS).axes
    below = lines(left)["model"]
    assert len(below) == len(sales.quantiles) and (np.diff(below) >= 0).all()
    metrics = sales.measure(shaken, "test", SETTINGS).metrics()
    shares = [metrics[f"coverage_80/{step}"] for step in range(1, 5)]
    np.testing.assert_allclose(lines(right)["80% interval"], shares)


def test_of_many_forecasts_some_are_drawn(sales, shaken):
    parts = list(sales.answers(shaken, "test", SETTINGS))
    total = sum(len(part.steps) for part in parts)
    figure = calibration(parts, sales.quantiles, total * MOST)
    assert len(figure.axes) == 2
    one = parts[0].actual[0][:, None] <= parts[0].quantiles[0]
    assert lines(figure.axes[0])["model"] == pytest.approx(one.mean(axis=0))
