import numpy as np
import pytest

from zoo.readers.frequency import Frequency

MINUTE, HOUR = Frequency("second", 60), Frequency("second", 3600)
DAY, BUSINESS, WEEK = Frequency("day", 1), Frequency("business_day", 1), Frequency("day", 7)
MONTH, QUARTER, YEAR = (Frequency("month", count) for count in (1, 3, 12))


@pytest.mark.parametrize(
    ("frequency", "name", "seasons", "horizon", "look_back"),
    [
        (Frequency("second", 1), "every second", (60,), 48, 120),
        (MINUTE, "minutely", (60,), 48, 120),
        (Frequency("second", 300), "every 5 minutes", (288,), 48, 576),
        (Frequency("second", 600), "every 10 minutes", (144,), 48, 288),
        (Frequency("second", 900), "every 15 minutes", (96,), 48, 192),
        (Frequency("second", 1800), "half-hourly", (48, 336), 48, 336),
        (HOUR, "hourly", (24, 168), 48, 168),
        (Frequency("second", 7200), "every 2 hours", (12, 84), 12, 84),
        (DAY, "daily", (7,), 14, 56),
        (BUSINESS, "business-daily", (5,), 14, 60),
        (WEEK, "weekly", (52,), 13, 104),
        (Frequency("day", 10), "every 10 days", (), 14, 32),
        (MONTH, "monthly", (12,), 18, 24),
        (QUARTER, "quarterly", (4,), 8, 16),
        (YEAR, "yearly", (), 6, 8),
        (Frequency("month", 24), "every 2 years", (), 14, 32),
    ],
)
def test_a_frequency_has_a_name_seasons_a_horizon_and_a_look_back(
    frequency, name, seasons, horizon, look_back
):
    assert frequency.name == name
    assert (frequency.seasons, frequency.horizon) == (seasons, horizon)
    assert frequency.look_back == look_back
    assert Frequency.from_json(frequency.to_json()) == frequency


def test_seconds_of_whole_days_are_days():
    assert Frequency("second", 7 * 86400) == WEEK


@pytest.mark.parametrize("wrong", [("hour", 1), ("day", 0), ("business_day", 2)])
def test_what_is_no_frequency_is_refused(wrong):
    with pytest.raises(ValueError, match="no frequency"):
        Frequency(*wrong)


@pytest.mark.parametrize(
    ("frequency", "time", "steps", "expected"),
    [
        (HOUR, "2024-02-28T23:00", 2, "2024-02-29T01:00"),
        (DAY, "2024-02-28T06:00", 2, "2024-03-01T06:00"),
        (WEEK, "2024-01-01", -1, "2023-12-25"),
        (MONTH, "2024-01-31", 1, "2024-02-29"),
        (MONTH, "2024-02-29", 1, "2024-03-31"),
        (MONTH, "2024-01-30", 1, "2024-02-29"),
        (MONTH, "2024-01-15T12:30", 13, "2025-02-15T12:30"),
        (QUARTER, "2023-12-31", 1, "2024-03-31"),
        (YEAR, "2024-02-29", 1, "2025-02-28"),
        (BUSINESS, "2024-05-31T18:00", 1, "2024-06-03T18:00"),
        (BUSINESS, "2024-05-31", 6, "2024-06-10"),
    ],
)
def test_the_time_after_some_steps(frequency, time, steps, expected):
    after = frequency.after(np.datetime64(time), steps)
    assert after.dtype == np.dtype("datetime64[s]")
    assert after == np.datetime64(expected)


def test_times_and_steps_may_be_arrays():
    times = np.array(["2024-01-31", "2024-02-01"], "datetime64[s]")
    after = MONTH.after(times[:, None], np.arange(3))
    assert after.astype("datetime64[D]").astype(str).tolist() == [
        ["2024-01-31", "2024-02-29", "2024-03-31"],
        ["2024-02-01", "2024-03-01", "2024-04-01"],
    ]
