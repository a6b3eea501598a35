import numpy as np
import pytest

from tasks.forecasting.backtest import whole_windows
from tasks.forecasting.splits import first_steps, origins, split_ends, usable
from tasks.forecasting.windows import Covariates, Crops, Layout, Panel, Whole, crop_windows
from zoo.errors import UserError
from zoo.readers.frequency import Frequency
from zoo.readers.series import Series, SeriesTable

HORIZON, SEASON, LOOK_BACK, WINDOW = 3, 2, 6, 5
HOURLY = Frequency("second", 3600)


def _table(lengths=(40, 25, 12), more=4):
    rng = np.random.default_rng(5)
    series = []
    for n, length in enumerate(lengths):
        values = 1000 * (n + 1) + rng.normal(size=length).cumsum()
        values[3:5] = np.nan
        times = HOURLY.after(np.datetime64("2024-03-30T22:00"), np.arange(length + more))
        known = rng.normal(loc=50, scale=9, size=(length + more, 2))
        past = rng.normal(size=(length, 1))
        past[2] = np.nan
        series.append(Series(f"s{n}", values, times, known, past, ("red" if n else "blue",)))
    return SeriesTable(tuple(series), HOURLY, ("price", "holiday"), ("wind",), ("colour",))


def _panel(table, returns=False):
    ends = split_ends(table, HORIZON)
    layout = Layout(HORIZON, len(table.known), len(table.past), len(table.static))
    return Panel(table, layout, Covariates.of(table, ends[:, 0]), returns), ends


def _crops(table, window=WINDOW):
    panel, ends = _panel(table)
    train = np.where(usable(ends, SEASON), ends[:, 0], 0)
    return Crops(panel, train, first_steps(ends, SEASON), LOOK_BACK, window)


def _place(value, table, offsets):
    """The series and the step that a value stands at."""
    for n, each in enumerate(table.series):
        at = np.flatnonzero(np.isclose(each.values - offsets[n], value, rtol=0, atol=1e-4))
        if len(at):
            return n, at[0]
    raise AssertionError(value)


def test_every_crop_is_a_stretch_of_one_series_and_its_targets_lie_in_the_training_part():
    table = _table()
    crops = _crops(table)
    inputs, targets, weights, resets = crops.read(np.linspace(0, 0.999, 50))
    assert inputs.shape == (50, LOOK_BACK + WINDOW, crops.panel.layout.size)
    assert targets.shape == weights.shape == (50, WINDOW, HORIZON)
    for x, y, weight, reset in zip(inputs, targets, weights, resets):
        assert weight.any() and reset.sum() == 1
        t = np.flatnonzero(~np.isnan(x[:, 0]))[-1]
        n, step = _place(x[t, 0], table, crops.panel.offsets)
        begin, each = step - t, table.series[n]
        # Before the series there is nothing.
        assert reset.argmax() == max(0, -begin) and np.isnan(x[: max(0, -begin), 0]).all()
        for t in np.flatnonzero(weight.any(axis=1)):
            here = begin + LOOK_BACK + t
            assert here + 1 >= crops.first[n]
            for h in np.flatnonzero(weight[t]):
                assert here + h + 1 < crops.ends[n]
                expected = each.values[here + h + 1] - crops.panel.offsets[n]
                assert y[t, h] == pytest.approx(expected, abs=1e-4)
        assert (y[weight == 0] == 0).all()


def test_a_step_is_its_value_its_time_and_its_covariates():
    table = _table()
    panel, ends = _panel(table)
    layout, each = panel.layout, table.series[1]
    (rows,) = panel.inputs(np.array([1]), np.arange(25)[None], ends[1:2, 2])
    assert rows.shape == (25, 3 + 3 * 2 + 1 + 1) == (25, layout.size)
    assert rows[:, 0] == pytest.approx(each.values - each.values[0], abs=1e-4, nan_ok=True)
    seconds = rows[:, 1].astype("int64") * 86_400 + rows[:, 2].astype("int64")
    assert (seconds == each.times[:25].astype("int64")).all()
    for t in (0, 24):
        ahead = each.known[t + 1 : t + 1 + HORIZON]
        assert rows[t, 3:9] == pytest.approx(ahead.ravel(), rel=1e-6)
    assert rows[:, 9] == pytest.approx(each.past[:, 0], rel=1e-6, nan_ok=True)
    # "blue" is 1, "red" is 2.
    assert (rows[:, 10] == 2).all()


def test_covariates_are_brought_to_units_of_the_training_part():
    table = _table()
    panel, ends = _panel(table)
    covariates = Covariates.of(table, ends[:, 0])
    known = np.concatenate([each.known[:end] for each, end in zip(table.series, ends[:, 0])])
    assert covariates.known[0] == pytest.approx((known[:, 0].mean(), known[:, 0].std()))
    rows = panel.inputs(np.array([0]), np.arange(30)[None], ends[:1, 2])
    prepared = covariates.prepared(rows, HORIZON).numpy()[0]
    mean, spread = np.array(covariates.known).T
    expected = (table.series[0].known[1:31] - mean) / spread
    assert prepared[:, 3:5] == pytest.approx(expected, abs=1e-4)
    assert prepared[2, 9] == 0 and not np.isnan(prepared[:, 3:]).any()
    assert (prepared[:, 10] == rows[0, :, 10]).all()
    assert Covariates.from_json(covariates.to_json()) == covariates
    assert covariates.ids(("green",)) == [0]


def test_what_float32_holds_less_of_is_less_the_first_value():
    nothing = np.zeros((4, 0))
    values = 1e9 + np.array([0.25, 0.5, np.nan, 1.0])
    layout, covariates = Layout(1, 0, 0, 0), Covariates((), (), ())
    table = SeriesTable((Series("a", values, None, nothing, nothing, ()),), None)
    panel = Panel(table, layout, covariates)
    (rows,) = panel.inputs(np.array([0]), np.arange(4)[None], np.array([4]))
    assert rows[[0, 1, 3], 0].tolist() == [0, 0.25, 0.75] and np.isnan(rows[:, 1:]).all()
    counts = SeriesTable((Series("a", np.arange(3, 7.0), None, nothing, nothing, ()),), None)
    assert Panel(counts, layout, covariates).offsets.tolist() == [0]
    assert Panel(table, layout, covariates, returns=True).offsets.tolist() == [0]


def test_the_same_seed_draws_the_same_crops_others_in_each_epoch_and_goes_on_where_it_was():
    crops = _crops(_table())

    def inputs(windows):
        return [window["inputs"].numpy() for window in windows]

    one, again = (crop_windows(crops, 4, seed=1).repeat() for _ in range(2))
    count = int(crop_windows(crops, 4, seed=1).cardinality())
    whole = inputs(one.take(2 * count))
    for a, b in zip(whole[count + 3 :], inputs(again.skip(count + 3).take(count - 3))):
        assert np.array_equal(a, b, equal_nan=True)
    assert not np.array_equal(whole[0], whole[count], equal_nan=True)
    other = inputs(crop_windows(crops, 4, seed=2).take(1))
    assert not np.array_equal(whole[0], other[0], equal_nan=True)


def test_an_epoch_draws_every_step_that_counts_about_as_often():
    table = _table(lengths=(300,))
    crops = _crops(table, window=8)
    inputs, _, weights, _ = crops.read((np.arange(2000) + 0.5) / 2000)
    drawn = np.zeros(300)
    for x, weight in zip(inputs, weights):
        t = np.flatnonzero(~np.isnan(x[:, 0]))[-1]
        begin = _place(x[t, 0], table, crops.panel.offsets)[1] - t
        drawn[begin + LOOK_BACK + np.flatnonzero(weight.any(axis=1))] += 1
    counted = drawn[drawn > 0]
    assert len(counted) == crops.counts()[0] - (drawn[: crops.ends[0] - 1] == 0)[8:].sum()
    assert counted.max() < 3 * counted.min()


def test_series_are_read_whole_and_count_at_their_origins_only():
    table = _table()
    panel, ends = _panel(table)
    chosen = origins(ends, 2, HORIZON, SEASON)
    whole = Whole(panel, ends[:, 2], chosen)
    for place, n in enumerate(whole.series):
        _, targets, weights = whole.read(place, 0, whole.lengths[place])
        assert np.flatnonzero(weights.any(axis=1)).tolist() == chosen[n].tolist()
        for t in chosen[n]:
            expected = table.series[n].values[t + 1 : t + 1 + HORIZON] - panel.offsets[n]
            assert targets[t] == pytest.approx(np.nan_to_num(expected), abs=1e-4)
    windows = list(whole_windows(whole, batch_size=2, window=4))
    total = sum(window["weights"].numpy().sum() for window in windows)
    assert total == sum(len(steps) for steps in chosen) * HORIZON
    # Of one series there are no two rows, but as many steps.
    assert {window["inputs"].shape[:2] for window in windows} == {(1, 8)}


def test_returns_are_targets_in_per_cent_and_prices_are_inputs():
    table = _table()
    panel, _ = _panel(table, returns=True)
    each = table.series[0].values
    one = np.array([0])
    targets, weights = panel.ahead(one, np.array([[10]]), np.array([40]), np.ones((1, 1), bool))
    assert targets[0, 0] == pytest.approx(100 * np.diff(np.log(each))[10:13], rel=1e-3)
    assert panel.inputs(one, np.array([[10]]), np.array([40]))[0, 0, 0] == np.float32(each[10])
    _, weights = panel.ahead(one, np.array([[2]]), np.array([40]), np.ones((1, 1), bool))
    # Of a price that is missing there is no return.
    assert weights[0, 0].tolist() == [0, 0, 1]


def test_nothing_to_learn_from_is_refused():
    table = _table(lengths=(7,))
    with pytest.raises(UserError, match="no series is long enough"):
        crop_windows(_crops(table), 2, seed=1)
