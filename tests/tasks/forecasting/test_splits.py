import numpy as np
import pytest

from tasks.forecasting.deciding import decide
from tasks.forecasting.splits import Sizes, longest_horizon, origins, split_ends
from zoo.errors import UserError
from zoo.readers.frequency import Frequency
from zoo.readers.series import Series, SeriesTable

DAILY = Frequency("day", 1)


def _series(length, start=None, values=None, name="a"):
    times = None if start is None else DAILY.after(np.datetime64(start), np.arange(length))
    nothing = np.zeros((length, 0))
    values = np.arange(float(length)) if values is None else values
    return Series(name, values, times, nothing, nothing, ())


def test_splits_have_the_same_dates_in_all_series():
    whole, late = _series(100, "2024-01-01"), _series(60, "2024-02-10")
    early, young = _series(75, "2024-01-01"), _series(10, "2024-03-31")
    for each in (whole, late):
        one = split_ends(SeriesTable((each,), DAILY), horizon=5)
        size = len(each.values)
        assert one.tolist() == [[0.7 * size, 0.8 * size, size]]
    table = SeriesTable((whole, late, early, young), DAILY)
    ends = split_ends(table, horizon=7)
    dates = [whole.times[end] for end in ends[0, :2]]
    for each, own in zip(table.series, ends):
        assert [np.searchsorted(each.times, date) for date in dates] == own[:2].tolist()
        assert own[2] == len(each.values)
    # A fifth of all values is the test, and a tenth is the validation.
    sizes = np.diff(ends, prepend=0, axis=1).sum(axis=0)
    assert sizes == pytest.approx([0.7 * 245, 0.1 * 245, 0.2 * 245], abs=4)
    assert (np.diff(split_ends(table, horizon=30)[0]) == 30).all()


def test_months_are_cut_at_months():
    monthly = Frequency("month", 1)
    times = monthly.after(np.datetime64("2020-01-31"), np.arange(60))
    nothing = np.zeros((60, 0))
    table = SeriesTable((Series("a", np.arange(60.0), times, nothing, nothing, ()),), monthly)
    assert split_ends(table, horizon=8).tolist() == [[40, 48, 60]]
    assert split_ends(table, 8, Sizes(test=9)).tolist() == [[42, 51, 60]]


def test_without_dates_each_is_counted_from_its_end():
    table = SeriesTable((_series(100), _series(50), _series(9)), None)
    assert split_ends(table, horizon=4).tolist() == [[70, 80, 100], [35, 40, 50], [1, 5, 9]]


def test_a_test_file_is_the_test():
    table = SeriesTable((_series(100), _series(50)), None, held_out=6)
    assert split_ends(table, horizon=6).tolist() == [[84, 94, 100], [38, 44, 50]]


def test_sizes_from_the_beginning_leave_the_rest_aside():
    table = SeriesTable((_series(100, "2024-01-01"),), DAILY)
    assert split_ends(table, 5, Sizes(60, 20, 10)).tolist() == [[60, 80, 90]]
    assert split_ends(table, 5, Sizes(validation=20, test=10)).tolist() == [[70, 90, 100]]


def test_the_whole_horizon_of_an_origin_lies_in_its_split():
    ends = np.array([[60, 80, 100], [3, 80, 100]])
    for split, begin, end in ((0, 0, 60), (1, 60, 80), (2, 80, 100)):
        steps, late = origins(ends, split, horizon=5, season=9)
        assert steps.min() + 1 == max(begin, 9) and steps.max() + 5 == end - 1
        assert (np.diff(steps) == 1).all()
        # A series that begins after the training part is judged once enough of it was seen.
        assert late.tolist() == {0: [], 1: [*range(8, 75)], 2: [*range(79, 95)]}[split]


def test_origins_are_evenly_spread_and_the_last_is_among_them():
    ends = np.array([[60, 80, 200]])
    (every,), (some,), (one,) = (origins(ends, 2, 5, 7, count) for count in (0, 5, 1))
    assert len(some) == 5 and {*some} <= {*every} and np.ptp(np.diff(some)) <= 1
    assert one.tolist() == [194] == [some[-1]]
    (few,) = origins(ends, 2, 5, 7, most=10)
    assert len(few) == 10 and few[-1] == 194


@pytest.mark.parametrize("length", [20, 36, 97, 400])
def test_the_longest_horizon_fits_and_one_more_does_not(length):
    table = SeriesTable((_series(length),), None)
    most = longest_horizon(table, 4)
    assert decide(table, (most, 4, None), Sizes()).horizon == most
    with pytest.raises(UserError, match=f"set horizon={most} or less") as raised:
        decide(table, (most + 1, 4, None), Sizes())
    assert "\n" not in str(raised.value)


def test_a_usual_horizon_is_cut_to_what_fits():
    table = SeriesTable((_series(30, "2024-01-01"),), DAILY)
    decided = decide(table, (None, None, None), Sizes())
    assert 1 <= decided.horizon <= 14
    assert decide(SeriesTable((_series(400, "2024-01-01"),), DAILY), (None,) * 3, Sizes())[0] == 14


def test_the_season_is_that_of_the_training_part_alone():
    rng = np.random.default_rng(3)
    values = np.resize(rng.normal(size=7), 210) + rng.normal(size=210) / 9
    weekly = SeriesTable((_series(210, "2024-01-01", values),), DAILY)
    assert decide(weekly, (None, None, None), Sizes())[:2] == (14, 7)
    values = np.cumsum(rng.normal(size=210))
    values[150:] = np.resize(rng.normal(size=7), 60)
    walk = SeriesTable((_series(210, "2024-01-01", values),), DAILY)
    assert decide(walk, (None, None, None), Sizes()).season == 1
    assert decide(weekly, (None, None, None), Sizes(), returns=True).season == 1


def test_series_that_are_too_short_for_anything_are_refused_in_one_line():
    with pytest.raises(UserError, match="too few") as raised:
        decide(SeriesTable((_series(3),), None), (None, None, None), Sizes())
    assert "\n" not in str(raised.value)
    with pytest.raises(UserError, match="horizon is 0"):
        decide(SeriesTable((_series(90),), None), (0, None, None), Sizes())
