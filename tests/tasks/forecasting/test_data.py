import numpy as np
import pytest

from tasks.forecasting.baselines import NaiveForecasts
from tasks.forecasting.data import Data
from tasks.forecasting.splits import split_ends
from tasks.forecasting.windows import Covariates, Layout, Panel
from zoo.errors import UserError
from zoo.readers.series import Series, SeriesTable


def make(lengths, horizon, count=0):
    series = [
        Series(str(n), np.arange(float(n)), None, np.zeros((n, 0)), np.zeros((n, 0)), ())
        for n in lengths
    ]
    table = SeriesTable(tuple(series), None)
    panel = Panel(table, Layout(horizon, 0, 0, 0), Covariates((), (), ()))
    naive = NaiveForecasts(panel.targets, horizon, season=1)
    return Data("mine.csv", table, split_ends(table, horizon), panel, naive, count)


def test_as_many_forecasts_are_judged_as_were_asked_for():
    assert make([40, 9], horizon=4).forecasts("test") == 8 - 4 + 1 + 1
    assert make([40, 9], horizon=4, count=2).forecasts("test") == 2 + 1


def test_what_is_learnt_from_ends_where_the_validation_begins():
    data = make([40, 9], horizon=4)
    crops, reference = data.crops(look_back=3, window=5), data.reference("test", np.array([0.5]))
    assert crops.ends.tolist() == [28, 0]
    assert reference.begins.tolist() == data.ends[:, 1].tolist() == [32, 5]
    assert reference.oracle is None


def test_a_split_that_holds_no_horizon_is_refused():
    data = make([40], horizon=4)
    with pytest.raises(UserError, match="has no series with 9 steps in test, the horizon"):
        make([8], horizon=9).whole("test")
    assert data.whole("test").series.tolist() == [0]
