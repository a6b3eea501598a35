import numpy as np
import pytest

from zoo.evaluation.forecast_plots import calibration_figure, fan_figure

LEVELS = [0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975]


def fan(horizon, **more):
    quantiles = np.sort(np.random.default_rng(1).normal(size=(horizon, len(LEVELS))), axis=1)
    return fan_figure(np.arange(20.0), quantiles, LEVELS, **more), quantiles


def drawn(axes):
    return {line.get_label(): np.asarray(line.get_ydata(), "float64") for line in axes.lines}


def test_the_fan_shows_median_bands_naive_and_what_came(tmp_path):
    naive, actual = np.full(6, 3.0), np.array([1, 2, np.nan, 4, 5, 6])
    times = np.datetime64("2024-01-31T00:00:00", "s") + np.arange(26) * np.timedelta64(3600, "s")
    figure, quantiles = fan(6, naive=naive, actual=actual, times=times, title="north | sales")
    (axes,) = figure.axes
    lines = drawn(axes)
    np.testing.assert_array_equal(lines["median"], quantiles[:, 5])
    np.testing.assert_array_equal(lines["naive"], naive)
    np.testing.assert_array_equal(lines["actual"], actual)
    for band, (low, high) in zip(axes.collections, ((0, 10), (1, 9))):
        corners = band.get_paths()[0].vertices[:, 1]
        assert corners.min() == pytest.approx(quantiles[:, low].min())
        assert corners.max() == pytest.approx(quantiles[:, high].max())
    assert axes.get_title() == "north | sales"
    figure.savefig(tmp_path / "fan.png")


def test_a_fan_of_one_step_is_seen(tmp_path):
    figure, quantiles = fan(1)
    figure.savefig(tmp_path / "fan.png")
    heights = [np.ptp(bar.get_segments()[0][:, 1]) for bar in figure.axes[0].collections]
    assert heights == pytest.approx([np.ptp(quantiles[0, [0, 10]]), np.ptp(quantiles[0, [1, 9]])])


@pytest.mark.parametrize("quantiles", [np.zeros((0, 11)), np.full((3, 11), np.nan)])
def test_a_fan_of_nothing_says_so(quantiles):
    assert fan_figure([1.0], quantiles, LEVELS).axes[0].get_title() == "no forecast"


@pytest.mark.parametrize("past", [[], [np.nan, np.nan]])
def test_a_fan_over_no_past_is_drawn(past, tmp_path):
    figure = fan_figure(past, np.zeros((3, 11)), LEVELS)
    figure.savefig(tmp_path / "fan.png")
    assert len(drawn(figure.axes[0])["median"]) == 3


def test_calibrated_forecasts_lie_on_the_diagonal_and_missing_values_count_nowhere():
    random = np.random.default_rng(2)
    actual = random.random((4000, 3))
    # Two of three are missing at the last step, and one step has none at all.
    actual[::3, 2] = actual[1::3, 2] = np.nan
    actual = np.concatenate([actual, np.full((4000, 1), np.nan)], axis=1)
    quantiles = np.broadcast_to(LEVELS, (4000, 4, len(LEVELS)))
    left, right = calibration_figure(quantiles, actual, LEVELS).axes
    np.testing.assert_allclose(drawn(left)["model"], LEVELS, atol=0.02)
    lines = drawn(right)
    np.testing.assert_allclose(lines["80% interval"][:3], 0.8, atol=0.04)
    np.testing.assert_allclose(lines["95% interval"][:3], 0.95, atol=0.03)
    assert np.isnan(lines["80% interval"][3])


def test_too_narrow_intervals_are_seen():
    quantiles = np.zeros((10, 2, len(LEVELS)))
    _, right = calibration_figure(quantiles, np.ones((10, 2)), LEVELS).axes
    assert drawn(right)["95% interval"].tolist() == [0, 0]


def test_a_calibration_of_nothing_says_so():
    for actual in (np.zeros((0, 2)), np.full((3, 2), np.nan)):
        quantiles = np.zeros((len(actual), 2, len(LEVELS)))
        figure = calibration_figure(quantiles, actual, LEVELS)
        assert figure.axes[0].get_title() == "no values to compare forecasts with"
