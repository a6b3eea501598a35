import numpy as np
import pytest

from tasks.forecasting.dataset import (
    AIRPORT_WEATHER,
    DATASETS,
    ECB_RATES,
    dataset_card,
    load_dataset,
    oracle,
)
from tasks.forecasting.seasonal import AHEAD, HOURS, seasonal
from zoo import UserError
from zoo.readers.frequency import Frequency


def observed(series):
    return series.values[~np.isnan(series.values)]


def test_the_rates_are_of_all_days_on_which_there_are_any():
    table = load_dataset("ecb_rates")
    assert table.frequency == Frequency("business_day", 1)
    assert len(table.series) == 17 and table.series[0].name == "USD"
    for series in table.series:
        assert len(observed(series)) == 7126 and (observed(series) > 0).all()
        assert str(series.times[0]) == "1999-01-04T00:00:00"
        assert str(series.times[-1]) == "2026-10-30T00:00:00"
    # As the European Central Bank published them that day.
    assert (table.series[0].values[0], table.series[1].values[0]) == (1.1789, 133.73)


def test_the_weather_has_gaps_and_covariates_of_the_past():
    table = load_dataset("airport_weather")
    assert [series.name for series in table.series] == ["EWR", "JFK", "LGA"]
    assert table.frequency == Frequency("second", 3600)
    assert table.past[0] == "dewp" and len(table.past) == 7
    assert all(10 <= np.isnan(series.values).sum() <= 40 for series in table.series)
    assert (table.series[0].values[:2] == 39.02).all()
    assert str(table.series[0].times[0]) == "2013-01-01T06:00:00"


def test_the_made_up_series_are_the_same_each_time_and_as_the_truth_says():
    table, truths = seasonal()
    again, _ = seasonal()
    for series, other, truth in zip(table.series, again.series, truths):
        assert np.array_equal(series.values, other.values, equal_nan=True)
        assert len(series.values) == HOURS and len(series.times) == HOURS + AHEAD
        present = ~np.isnan(series.values)
        assert 0.01 < 1 - present.mean() < 0.1
        lower, middle, upper = truth.quantiles(np.array([0.025, 0.5, 0.975]))[:HOURS].T
        inside = (lower <= series.values) & (series.values <= upper)
        assert 0.93 < inside[present].mean() < 0.965
        assert 0.45 < (series.values < middle)[present].mean() < 0.55
    assert table.known == ("holiday",) and table.static == ("kind",)
    holidays = table.series[0].known[:, 0]
    assert holidays.sum() == 18 * 24 and holidays[HOURS:].sum() == 24


def test_the_truth_is_better_than_a_week_before():
    for series, truth in zip(load_dataset("seasonal").series, oracle("seasonal")):
        error = np.nanmean(np.abs(series.values - truth.mean[:HOURS]))
        assert error < 0.75 * np.nanmean(np.abs(series.values[168:] - series.values[:-168]))
    assert oracle("ecb_rates") is None


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_each_has_a_card_and_one_grid(name):
    table, card = load_dataset(name), dataset_card(name)
    assert all(card[key] for key in ("name", "version", "description", "licence"))
    assert table.notes == ()
    for series in table.series:
        assert series.known.shape == (len(series.times), len(table.known))
        assert series.past.shape == (len(series.values), len(table.past))
        steps = table.frequency.after(series.times[0], np.arange(len(series.times)))
        assert np.array_equal(series.times, steps)
        assert not np.isnan(series.values[[0, -1]]).any()


def test_an_unknown_name_is_refused_with_what_is_near():
    with pytest.raises(UserError, match="did you mean seasonal"):
        load_dataset("seasonl")
    with pytest.raises(UserError, match="known are airport_weather, ecb_rates, seasonal; or give"):
        dataset_card("mnist")


def test_the_files_are_part_of_the_package():
    assert ECB_RATES.is_file() and AIRPORT_WEATHER.is_file()
    assert (ECB_RATES.parent / "README.md").is_file()
