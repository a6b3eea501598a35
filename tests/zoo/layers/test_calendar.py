"""Calendar features, beside numpy's own dates."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.calendar import Calendar, Moment


def moment(times):
    seconds = np.array(times, "datetime64[s]").astype("int64")
    return Moment(
        tf.constant(seconds // 86400, tf.float32), tf.constant(seconds % 86400, tf.float32)
    )


def test_equal_hours_of_equal_weekdays_have_equal_features_of_day_and_week():
    hourly = Calendar("second", 3600)
    one, other = hourly.features(moment(["2024-03-01T05:00", "2024-03-15T05:00"])).numpy()
    same = np.isclose(one, other, atol=1e-4)
    assert same.reshape(2, 7)[:, :5].all()
    assert not same.reshape(2, 7)[:, 5:].any()


def test_all_days_of_a_week_and_a_year_later_than_1970_are_told_apart():
    days = moment(np.arange("2024-01-01", "2025-01-01", dtype="datetime64[D]"))
    waves = Calendar("day").features(days).numpy()
    assert len(np.unique(waves.round(3), axis=0)) == 366
    assert np.abs(waves).max() <= 1


@pytest.mark.parametrize(
    ("unit", "count", "cycles"),
    [
        ("second", 1800, 7), ("day", 1, 5), ("business_day", 1, 5), ("day", 7, 2), ("month", 1, 2),
        ("month", 3, 2), ("month", 12, 0),
    ],
)  # fmt: skip
def test_there_are_features_of_the_cycles_that_are_longer_than_a_step(unit, count, cycles):
    calendar = Calendar(unit, count)
    assert calendar.size == 2 * cycles
    assert calendar.features(moment(["2024-01-01"] * 3)).shape == (3, 2 * cycles)


def test_without_dates_all_features_are_zero():
    nothing = Moment(tf.constant([np.nan]), tf.constant([0.0]))
    assert not np.any(Calendar("day").features(nothing))


@pytest.mark.parametrize(
    ("unit", "count", "before", "after"),
    [
        ("second", 3600, "2024-02-28T23:00", "2024-02-29T00:00"),
        ("second", 43200 * 3, "2024-02-28T12:00", "2024-03-01T00:00"),
        ("day", 7, "2024-02-26", "2024-03-04"),
        ("business_day", 1, "2024-03-01", "2024-03-04"),
        ("business_day", 2, "2024-03-01", "2024-03-05"),
        ("business_day", 1, "2024-03-05", "2024-03-06"),
    ],
)
def test_the_next_step_is_that_of_the_calendar(unit, count, before, after):
    stepped = Calendar(unit, count).after(moment([before]))
    for one, other in zip(stepped, moment([after])):
        np.testing.assert_array_equal(one, other)


def test_a_year_of_months_ends_where_it_began():
    monthly = Calendar("month")
    now = first = moment(["2024-03-31"])
    for _ in range(12):
        now = monthly.after(now)
    np.testing.assert_allclose(monthly.features(now), monthly.features(first), atol=0.02)


def test_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="frequency_unit is 'fortnight'"):
        Calendar("fortnight")
