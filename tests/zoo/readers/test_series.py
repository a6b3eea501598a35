import numpy as np
import pytest

from zoo import UserError
from zoo.readers.frequency import Frequency
from zoo.readers.series import read_series

DAY = Frequency("day", 1)
NAN = float("nan")


def read(folder, text, name="series.csv", **options):
    path = folder / name
    path.write_text(text)
    return read_series(path, **options)


def dates(series):
    return series.times.astype("datetime64[D]").astype(str).tolist()


def test_long_a_row_is_a_step_of_one_series(tmp_path):
    table = read(
        tmp_path,
        "unique_id,ds,y\na,2024-01-01,1\nb,2024-01-02,10\na,2024-01-02,2.5\nb,2024-01-03,-20\n",
    )
    assert [series.name for series in table.series] == ["a", "b"]
    assert table.frequency == DAY
    assert table.series[0].values.tolist() == [1, 2.5]
    assert dates(table.series[1]) == ["2024-01-02", "2024-01-03"]
    assert (table.known, table.past, table.static, table.notes) == ((), (), (), ())


def test_wide_a_column_is_a_series(tmp_path):
    table = read(tmp_path, "date,sales,visits\n2024-01-01,1,10\n2024-01-02,2,20\n2024-01-03,3,\n")
    sales, visits = table.series
    assert (sales.name, visits.name) == ("sales", "visits")
    assert sales.values.tolist() == [1, 2, 3]
    assert visits.values.tolist() == [10, 20] and len(visits.times) == 2


def test_gaps_become_missing_rows_that_are_counted(tmp_path):
    table = read(tmp_path, "ds,y\n2024-01-01,1\n2024-01-02,2\n2024-01-05,5\n2024-01-06,6\n")
    assert np.array_equal(table.series[0].values, [1, 2, NAN, NAN, 5, 6], equal_nan=True)
    assert table.notes == ("2 missing rows were filled in as missing values, in 1 of 1 series",)


def test_rows_that_run_on_without_values_tell_what_is_known_ahead(tmp_path):
    table = read(
        tmp_path,
        "ds,y,price,heat,shop\n"
        "2024-01-01,1,5,20,x\n2024-01-02,2,6,21,x\n2024-01-03,,7,,x\n2024-01-04,,8,,x\n",
    )
    (series,) = table.series
    assert (table.known, table.past) == (("price",), ("heat",))
    assert series.values.tolist() == [1, 2] and len(series.times) == 4
    assert series.known.tolist() == [[5], [6], [7], [8]]
    assert series.past.tolist() == [[20], [21]]
    assert table.notes == ("the column shop is left out: it is the same in all rows",)


def test_columns_that_are_the_same_within_each_series_are_categories(tmp_path):
    table = read(
        tmp_path,
        "id,ds,y,city,size,mood\na,2024-01-01,1,Rom,3,good\na,2024-01-02,2,Rom,3,bad\n"
        "b,2024-01-01,1,Ulm,5,bad\nb,2024-01-02,2,Ulm,5,bad\n",
    )
    assert table.static == ("city", "size")
    assert [series.static for series in table.series] == [("Rom", "3"), ("Ulm", "5")]
    assert table.notes == ("the column mood is left out: it holds texts that vary within a series",)


def test_columns_can_be_chosen(tmp_path):
    text = "Date,Open,Close,Promo\n2024-01-01,1,2,0\n2024-01-02,3,4,1\n2024-01-03,5,6,0\n"
    table = read(tmp_path, text, target="close", known=["Promo"])
    assert (table.known, table.past) == (("Promo",), ("Open",))
    assert table.series[0].name == "Close"
    assert table.series[0].values.tolist() == [2, 4, 6]
    with pytest.raises(UserError, match="no column 'price'"):
        read(tmp_path, text, target="price")


@pytest.mark.parametrize(
    ("times", "frequency"),
    [
        ("2024-01-01 00:00,2024-01-01 01:00,2024-01-01 02:00", Frequency("second", 3600)),
        ("2024-01-05,2024-01-08,2024-01-09,2024-01-10", Frequency("business_day", 1)),
        ("2024-01-05,2024-01-06,2024-01-07", DAY),
        ("2024-01-05,2024-01-12,2024-01-19", Frequency("day", 7)),
        ("2024-01,2024-02,2024-03", Frequency("month", 1)),
        ("2024-01-31,2024-02-29,2024-03-31,2024-04-30", Frequency("month", 1)),
        ("2024-01-30,2024-02-29,2024-03-30", Frequency("month", 1)),
        ("2023-03-31,2023-06-30,2023-09-30", Frequency("month", 3)),
        ("2021,2022,2023", Frequency("month", 12)),
    ],
)
def test_the_frequency_is_the_commonest_step(tmp_path, times, frequency):
    rows = "".join(f"{time},{n}\n" for n, time in enumerate(times.split(",")))
    assert read(tmp_path, "ds,y\n" + rows).frequency == frequency


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ds,y\n2024-01-01,1\n2024-01-01,2\n", "lines 2 and 3: y has 2024-01-01 twice"),
        (
            "ds,y\n2024-10-27 01:00,1\n2024-10-27 02:00,1\n2024-10-27 02:00,1\n",
            "lines 3 and 4: .* clocks are set back: write the times in UTC",
        ),
        ("ds,y\n2024-01-01,1\n2024-01-02,x\n2024-01-03,3\n", "line 3: y is 'x', but a finite"),
        ("ds,y\n2024-01-01,1\n2024-01-02,inf\n", "line 3: y is 'inf'"),
        ("ds,y\n2024-01-01,\n2024-01-02,NA\n", "no series with a value"),
        (
            "ds,y\n2024-01-01 00:00,1\n2024-01-01 01:00,2\n2024-01-01 02:00,\n2024-01-01 02:13,1",
            "line 5: y has 2024-01-01 02:13, but is hourly",
        ),
        (
            "id,ds,y\na,2024-01-01,1\na,2024-01-02,1\na,2024-01-03,1\na,2024-01-04,1\n"
            "b,2024-01-01,1\nb,2024-01-08,1\nb,2024-01-15,1\nb,2024-01-22,1\n",
            "the series [ab] is .*, others are",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused(tmp_path, text, message):
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value)
