import numpy as np
import pytest

from zoo.readers.dates import BadStamp, read_stamps


def written(cells):
    return read_stamps(cells).times.astype("datetime64[m]").astype(str).tolist()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2024-02-28", "2024-02-29"], ["2024-02-28T00:00", "2024-02-29T00:00"]),
        (["2024/2/28 7:05", "2024/2/29 7:05"], ["2024-02-28T07:05", "2024-02-29T07:05"]),
        (["2024-02-28T07:05:00.000Z"], ["2024-02-28T07:05"]),
        (["28.02.2024 07:05"], ["2024-02-28T07:05"]),
        (["01.02.2024"], ["2024-02-01T00:00"]),
        (["10.03.2004 18.00.00"], ["2004-03-10T18:00"]),
        (["28/02/2024", "01/03/2024"], ["2024-02-28T00:00", "2024-03-01T00:00"]),
        (["2/28/2024 12:30 AM", "3/1/2024 1:30 pm"], ["2024-02-28T00:30", "2024-03-01T13:30"]),
        (["28 Feb 2024", "1 March 2024"], ["2024-02-28T00:00", "2024-03-01T00:00"]),
        (["Feb 28, 2024", "March 1, 2024"], ["2024-02-28T00:00", "2024-03-01T00:00"]),
        (["28FEB2024 10:00"], ["2024-02-28T10:00"]),
        (["2024 Feb", "2024 Sept"], ["2024-02-01T00:00", "2024-09-01T00:00"]),
        (["Feb-2024"], ["2024-02-01T00:00"]),
        (["2024M2", "2024M12"], ["2024-02-01T00:00", "2024-12-01T00:00"]),
        (["02/2024"], ["2024-02-01T00:00"]),
        (["2024Q1", "2024Q4"], ["2024-01-01T00:00", "2024-10-01T00:00"]),
        (["2024-Q2"], ["2024-04-01T00:00"]),
        (["Q3 2024"], ["2024-07-01T00:00"]),
        (["2020-W53", "2021-W01"], ["2020-12-28T00:00", "2021-01-04T00:00"]),
        (["2021-W01-7"], ["2021-01-10T00:00"]),
        (["1999", "2000"], ["1999-01-01T00:00", "2000-01-01T00:00"]),
        (["1949", "1949.08333333", "1949.166667"], ["1949-01-01T00:00", "1949-02-01T00:00",
                                                    "1949-03-01T00:00"]),
        (["202402"], ["2024-02-01T00:00"]),
        (["20240229"], ["2024-02-29T00:00"]),
        (["2024022907"], ["2024-02-29T07:00"]),
        (["202402290705"], ["2024-02-29T07:05"]),
        (["1500000000", "1500003600"], ["2017-07-14T02:40", "2017-07-14T03:40"]),
        (["1500000000000"], ["2017-07-14T02:40"]),
        (["1500000000.0"], ["2017-07-14T02:40"]),
        (["2024.0", "2025.0"], ["2024-01-01T00:00", "2025-01-01T00:00"]),
        (["2024-02-29 24:00"], ["2024-03-01T00:00"]),
        (["2024-02-29T01:00+05:30", "2024-02-29T02:00+0530"], ["2024-02-28T19:30",
                                                               "2024-02-28T20:30"]),
    ],
)  # fmt: skip
def test_dates_are_read_as_people_write_them(cells, expected):
    assert written(cells) == expected


def test_equal_steps_tell_whether_day_or_month_comes_first():
    months = [f"{month}/1/{year}" for year in (2023, 2024) for month in range(1, 13)]
    stamps = read_stamps(months)
    assert str(stamps.times[1]) == "2023-02-01T00:00:00"
    assert stamps.notes == (
        "dates such as 1/1/2023 were read with the month first, as their steps are equal then",
    )
    hours = [f"0{day}/02/2024 {hour:02d}:00" for day in (1, 2, 3) for hour in range(24)]
    assert str(read_stamps(hours).times[-1]) == "2024-02-03T23:00:00"


def test_days_of_a_place_that_changes_its_clocks_stay_days():
    stamps = read_stamps(["2024-03-31T00:00+01:00", "2024-04-01T00:00+02:00"])
    assert stamps.times.astype("datetime64[D]").astype(str).tolist() == ["2024-03-31", "2024-04-01"]
    assert stamps.notes == (
        "offsets from UTC were left out, as all times are the same time of a day",
    )


def test_digits_that_are_no_dates_are_numbers_of_steps():
    stamps = read_stamps(["9", "10", "11"])
    assert stamps.numbered and stamps.times.astype("int64").tolist() == [9, 10, 11]


def test_times_come_back_in_the_order_of_the_cells():
    times = read_stamps(["2024-02-01", "2024-01-01", "2024-02-01"]).times
    assert np.array_equal(times, np.array(["2024-02-01", "2024-01-01", "2024-02-01"], "M8[s]"))


@pytest.mark.parametrize(
    ("cells", "cell", "problem"),
    [
        (["01/02/2024", "02/02/2024", "03/02/2024"], "01/02/2024", "the day or the month first"),
        (["13/02/2024", "02/13/2024"], "02/13/2024", "another order than others"),
        (["2024-02-28", "2024-02-30"], "2024-02-30", "is no date"),
        (["2023-02-28 10:00", "2023-02-29 10:00"], "2023-02-29 10:00", "is no date"),
        (["2024-02-28 10:00", "2024-02-28 25:00"], "2024-02-28 25:00", "no time of the day"),
        (["2024-02-28 10:00 PM", "2024-02-28 13:00 PM"], "2024-02-28 13:00 PM", "no time of"),
        (["2024-13"], "2024-13", "is no date"),
        (["2021-W53"], "2021-W53", "no week of that year"),
        (["2024-02-28", "29.02.2024"], "29.02.2024", "is no date like 2024-02-28"),
        (["2024-02-28", ""], "", "has no date"),
        (["28/02/24"], "28/02/24", "year of two digits"),
        (["Jan-15"], "Jan-15", "year of two digits"),
        (["15-Feb-20 10:00"], "15-Feb-20 10:00", "year of two digits"),
        (["9" * 25], "9" * 25, "too many digits"),
        (["2024-02-28T10:00+01:00", "2024-02-28T11:00"], "2024-02-28T11:00", "no offset"),
        (["2024-02-28T10:00:00Z", "2024-02-28T11:00:00"], "2024-02-28T11:00:00", "no offset"),
        (["2024-02-28 10:00:00.250"], "2024-02-28 10:00:00.250", "finer than a second"),
        (["2024-02-28 10:00:00." + "1" * 30], "2024-02-28 10:00:00." + "1" * 30, "than a second"),
        (["1500000000123"], "1500000000123", "finer than a second"),
        (["1949.03"], "1949.03", "no month of a year"),
        (["2024", "x"], "x", "is no date like 2024"),
        (["43831", "43832"], "43831", "Excel's number of a day"),
        (["tomorrow"], "tomorrow", ""),
    ],
)
def test_what_is_no_date_or_may_be_two_is_named(cells, cell, problem):
    with pytest.raises(BadStamp) as error:
        read_stamps(cells)
    assert error.value.cell == cell
    assert problem in error.value.problem


def test_what_is_in_utc_is_no_local_time():
    for cell in ("2024-02-28T10:00:00Z", "2024-02-28 10:00:00.000+00:00", "2024-02-28 10:00+01:00"):
        assert read_stamps([cell]).zoned
    assert not read_stamps(["2024-02-28T10:00:00"]).zoned
