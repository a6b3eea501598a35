import numpy as np
import pytest
from scipy import stats

from tasks.forecasting.baselines import (
    best_season,
    ewma_variance,
    filled,
    naive_quantiles,
    normal_nll,
    returns_of,
    seasonal_naive,
    spreads,
)

NAN = np.nan


@pytest.mark.parametrize("season", [1, 2, 3, 7])
def test_gaps_are_filled_from_the_season_before_and_never_from_the_future(season):
    rng = np.random.default_rng(season)
    values = np.where(rng.random(40) < 0.4, NAN, rng.normal(size=40))
    values[0] = 1.0
    complete = filled(values, season)
    slow = values.copy()
    for t in range(1, len(slow)):
        if np.isnan(slow[t]):
            slow[t] = slow[t - season] if t >= season else slow[t - 1]
    assert np.array_equal(complete, slow)
    changed = values.copy()
    changed[25:] = 9.0
    assert np.array_equal(filled(changed, season)[:25], complete[:25])


@pytest.mark.parametrize("season", [1, 3, 5])
def test_the_naive_forecast_is_the_last_season_again_and_again(season):
    values = np.arange(20.0) ** 2
    forecasts = seasonal_naive(values, np.array([11, 19]), 7, season)
    for row, step in zip(forecasts, (11, 19)):
        last = values[step + 1 - season : step + 1]
        assert row.tolist() == np.resize(last, 7).tolist()


def test_naive_intervals_widen_from_season_to_season():
    quantiles = naive_quantiles(np.zeros((1, 4)), np.array([2.0]), 2, np.array([0.1, 0.5, 0.9]))
    assert quantiles[0, 0].tolist() == pytest.approx([-2.5631, 0, 2.5631], abs=1e-3)
    assert quantiles[0, 2:, 0].tolist() == pytest.approx([-2.5631 * 2**0.5] * 2, abs=1e-3)


def test_the_best_season_is_that_of_the_series():
    rng = np.random.default_rng(1)
    time = np.arange(400)
    weekly = [np.resize(rng.normal(size=7), 400) + rng.normal(size=400) / 9 for _ in range(3)]
    assert best_season(weekly, (7, 30), 14) == 7
    walk = [np.cumsum(rng.normal(size=400)) for _ in range(3)]
    assert best_season(walk, (7, 30), 14) == 1
    gaps = [np.where(time % 5 == 0, NAN, part) for part in weekly]
    assert best_season(gaps, (7, 30), 14) == 7
    assert best_season([np.ones(9)], (7,), 3) == best_season([np.arange(400.0)], (), 3) == 1


def test_an_average_of_squares_and_its_likelihood():
    returns = np.array([1.0, NAN, 2.0])
    assert ewma_variance(returns, 0.9, 3.0).tolist() == pytest.approx([2.8, 2.8, 2.92])
    variance = np.array([0.5, 2.0])
    expected = -stats.norm.logpdf([1.0, -3.0], scale=np.sqrt(variance))
    assert normal_nll(np.array([1.0, -3.0]), variance) == pytest.approx(expected)
    prices = np.array([100.0, 101.0, NAN, 99.0, 100.0])
    # After a gap the last price is that before it.
    expected = 100 * np.log([1.01, 99 / 101, 100 / 99])
    assert returns_of(prices)[[1, 3, 4]] == pytest.approx(expected)
    assert np.isnan(returns_of(prices)[[0, 2]]).all()


def test_a_spread_is_that_of_values_or_of_returns():
    rng = np.random.default_rng(4)
    values = 100 + rng.normal(size=(3, 50)).cumsum(axis=1)
    values[0, 5] = np.nan
    apart = [np.nanmean(np.abs(row - np.nanmean(row))) for row in values]
    np.testing.assert_allclose(spreads(values * 1e6, returns=False), 1e6 * np.array(apart))
    returns = 100 * np.diff(np.log(values), axis=1)
    apart = [np.nanmean(np.abs(row - np.nanmean(row))) for row in returns]
    np.testing.assert_allclose(spreads(values, returns=True), apart)
    # What a window is filled up with, and what stands still.
    np.testing.assert_allclose(spreads(np.pad(values, [(0, 0), (0, 9)]), returns=True), apart)
    assert spreads(np.ones((2, 4)), returns=False).tolist() == [1, 1]
