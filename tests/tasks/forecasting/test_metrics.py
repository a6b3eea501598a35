from pathlib import Path

import numpy as np
import pytest

from tasks.forecasting.metrics import (
    Forecasts,
    Scales,
    groups_of,
    level_metrics,
    level_sums,
    shared_sums,
)

LEVELS = np.array([0.025, 0.1, 0.5, 0.9, 0.975])
FIXTURE = np.load(Path(__file__).parents[2] / "fixtures" / "forecasting.npz")


def _metrics(actual, quantiles, trains, season, levels=LEVELS):
    scales = Scales.of(trains, trains, season)
    series = np.arange(len(actual))
    sums = shared_sums(actual, scales, series)
    forecasts = Forecasts(quantiles[..., len(levels) // 2], quantiles)
    sums |= level_sums(actual, forecasts, levels, scales, series)
    return level_metrics({key: value.sum() for key, value in sums.items()})


def _stacked(name):
    return np.stack([FIXTURE[f"{name}_{n}"] for n in range(2)])


def test_each_metric_equals_an_independent_implementation():
    trains = [FIXTURE[f"train_{n}"] for n in range(2)]
    metrics = _metrics(_stacked("actual"), _stacked("quantiles"), trains, season=3)
    independent = {
        key.removeprefix("metric_"): float(FIXTURE[key])
        for key in FIXTURE.files
        if key.startswith("metric_")
    }
    assert metrics == pytest.approx(independent, rel=1e-9)
    assert {"mase", "smape", "rmsse", "msis", "wql", "crps"} <= set(independent)


def test_missing_values_say_nothing():
    trains = [FIXTURE["train_0"]]
    actual, quantiles = FIXTURE["actual_0"][None], FIXTURE["quantiles_0"][None]
    missing = actual.copy()
    missing[0, 1] = np.nan
    kept = np.array([0, 2, 3])
    metrics = _metrics(missing, quantiles, trains, 3)
    assert metrics == pytest.approx(_metrics(actual[:, kept], quantiles[:, kept], trains, 3))


def test_a_series_that_is_constant_in_training_is_left_out_of_what_is_in_its_units():
    trains = [FIXTURE["train_0"], np.full(9, 4.0)]
    alone = _metrics(FIXTURE["actual_0"][None], FIXTURE["quantiles_0"][None], trains[:1], 3)
    metrics = _metrics(_stacked("actual"), _stacked("quantiles"), trains, 3)
    for key in ("mase", "rmsse", "msis", "standardised_mse", "standardised_mae"):
        assert metrics[key] == pytest.approx(alone[key]), key
    constant = _metrics(FIXTURE["actual_1"][None], FIXTURE["quantiles_1"][None], trains[1:], 3)
    assert not {"mase", "rmsse", "msis"} & set(constant)
    assert np.isfinite(list(constant.values())).all()


def test_zeros_that_are_forecast_as_zeros_are_no_error():
    metrics = _metrics(np.zeros((1, 2)), np.zeros((1, 2, 5)), [np.array([0.0, 1.0, 0.0])], 1)
    assert metrics["smape"] == metrics["mase"] == 0 and metrics["coverage_95"] == 1
    assert "wql" not in metrics


def test_many_series_are_drawn_whole_and_few_by_stretches_of_time():
    series = np.repeat(np.arange(40), 3)
    assert (groups_of(series, np.tile([7, 8, 9], 40), 2) == series).all()
    groups = groups_of(np.repeat([0, 1], 6), np.tile(np.arange(10, 16), 2), 3)
    assert groups.tolist() == [0, 0, 0, 1, 1, 1] * 2
    assert groups_of(np.arange(8), np.full(8, 5), 3).tolist() == [*range(8)]
    assert len(np.unique(groups_of(np.zeros(5000, int), np.arange(5000), 3))) == 100
