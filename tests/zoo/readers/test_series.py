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


def test_wide_with_neither_dates_nor_names(tmp_path):
    table = read(tmp_path, "1.5,10\n2.5,20\n3.5,30\n", "matrix.txt")
    assert [series.name for series in table.series] == ["1", "2"]
    assert table.series[1].values.tolist() == [10, 20, 30]
    assert (table.frequency, table.series[0].times) == (None, None)
    assert table.notes[0] == "there is no column of dates: the rows were taken in their order"
    assert read(tmp_path, '"Y"\n1\n2\n').series[0].name == "Y"
    dated = read(tmp_path, "2024-01-01,1\n2024-01-02,2\n")
    assert dated.series[0].values.tolist() == [1, 2] and dated.frequency == DAY


def test_a_row_a_series_of_any_length(tmp_path):
    text = '"V1","V2","V3","V4"\n"W1","1","2.5","3"\n"W2","4","",\n"W3","5","","6"\n'
    table = read(tmp_path, text)
    assert [series.name for series in table.series] == ["W1", "W2", "W3"][::2]
    assert table.series[0].values.tolist() == [1, 2.5, 3]
    assert np.array_equal(table.series[1].values, [5, NAN, 6], equal_nan=True)
    assert table.notes == (
        "each row was read as a series",
        "series of less than 2 values are left out: W2",
    )
    short = read(tmp_path, "a,1,2,3\nb,4,5\n")
    assert [series.values.tolist() for series in short.series] == [[1, 2, 3], [4, 5]]


def test_a_row_a_series_under_dates_and_beside_categories(tmp_path):
    table = read(tmp_path, "Country,Code,2020,2021,2022\nFrance,F,1,2,3\nPeru,P,4,5,\n")
    assert table.frequency == Frequency("month", 12)
    assert table.static == ("Code",) and table.series[1].static == ("P",)
    assert dates(table.series[1]) == ["2020-01-01", "2021-01-01"]


def test_dates_may_be_in_several_columns(tmp_path):
    rows = [(2023, 12, 31, 22, 1), (2023, 12, 31, 23, 2), (2024, 1, 1, 0, 3)]
    text = "No,year,month,day,hour,pm2.5,wind\n" + "".join(
        f"{at},{','.join(map(str, row))},NW\n" for at, row in enumerate(rows, 1)
    )
    table = read(tmp_path, text)
    assert [series.name for series in table.series] == ["pm2.5"]
    assert str(table.series[0].times[-1]) == "2024-01-01T00:00:00"
    assert table.notes == (
        "the column No is left out: it counts the rows",
        "the column wind is left out: it holds no numbers",
    )
    text = "Date;Time;power\n16/12/2006;17:24:00;4,21\n16/12/2006;17:25:00;?\n16/12/2006;17:26:00;5"
    table = read(tmp_path, text)
    assert table.frequency == Frequency("second", 60)
    assert np.array_equal(table.series[0].values, [4.21, NAN, 5], equal_nan=True)


def test_hours_may_be_in_a_column_beside_the_date(tmp_path):
    rows = "".join(f"2011-01-0{day},{hour},{day}\n" for day in (1, 2) for hour in range(24))
    table = read(tmp_path, "dteday,hr,count\n" + rows)
    assert table.frequency == Frequency("second", 3600)
    assert len(table.series[0].values) == 48 and table.notes == ()


def test_a_number_of_each_row_is_no_name_of_a_series(tmp_path):
    table = read(tmp_path, "id,date,y\n17,2024-01-01,1\n19,2024-01-02,2\n23,2024-01-03,3\n")
    assert table.series[0].values.tolist() == [1, 2, 3]
    assert table.notes == ("the column id is left out: it numbers the rows",)


def test_a_table_reads_the_same_with_its_own_columns_named(tmp_path):
    text = "date;shop;item;size;sales;promo;heat\n" + "".join(
        f"2024-01-{day:02d};{shop};{item};{len(shop)};{day if day < 9 else ''};{day % 2};"
        f"{day % 3 if day < 9 else ''}\n"
        for shop in ("north", "south") for item in ("tea", "milk") for day in range(1, 11)
    )  # fmt: skip
    table = read(tmp_path, text, target="sales")
    assert (table.known, table.past) == (("promo",), ("heat",))
    assert table.static == ("shop", "item", "size")
    again = read(
        tmp_path, text, target="sales", known=table.known, past=table.past, static=table.static
    )
    assert (again.known, again.past, again.static) == (table.known, table.past, table.static)
    for one, other in zip(table.series, again.series, strict=True):
        assert (one.name, one.static) == (other.name, other.static)
        assert np.array_equal(one.values, other.values)
        assert np.array_equal(one.known, other.known) and np.array_equal(one.past, other.past)


def test_series_may_be_told_apart_by_several_columns(tmp_path):
    text = "Quarter,Region,State,Purpose,Sky,Trips\n" + "".join(
        f"1998 Q{quarter},{region},{purpose},{'sunny' if quarter > 1 else 'grey'},{quarter}\n"
        for region in ("Adelaide,SA", "Perth,WA") for purpose in ("fun", "work")
        for quarter in (1, 2, 3)
    )  # fmt: skip
    table = read(tmp_path, text)
    assert [series.name for series in table.series] == [
        "Adelaide/fun", "Adelaide/work", "Perth/fun", "Perth/work",
    ]  # fmt: skip
    assert table.static == ("Region", "Purpose", "State") and table.series[2].static[2] == "WA"
    assert table.notes == (
        "dates come more than once: series are told apart by Region, Purpose",
        "the column Sky is left out: it holds texts that vary within a series",
    )
    text = "date,shop,item,sales\n" + "".join(
        f"2024-01-0{day},{shop},{item},{day}\n"
        for shop in (1, 2) for item in (1, 2) for day in (1, 2, 3)
    )  # fmt: skip
    with pytest.raises(UserError, match="name the columns that tell series apart"):
        read(tmp_path, text)
    table = read(tmp_path, text, series=["shop", "item"])
    assert [series.name for series in table.series] == ["1/1", "1/2", "2/1", "2/2"]
    assert table.series[0].values.tolist() == [1, 2, 3]


def test_a_series_with_rows_at_hardly_any_step_is_left_out(tmp_path):
    days = "".join(f"a,2024-01-{day:02d},{day}\n" for day in range(1, 11))
    table = read(tmp_path, f"id,ds,y\n{days}b,2024-01-01,1\nb,2024-12-01,2\n")
    assert [series.name for series in table.series] == ["a"]
    assert table.notes == ("series with rows at hardly any step are left out: b",)


def test_what_commas_mean_is_in_the_notes(tmp_path):
    table = read(tmp_path, "Datum;Wert\n01.02.2024;1.234,5\n02.02.2024;1.300\n03.02.2024;1,5\n")
    assert table.series[0].values.tolist() == [1234.5, 1300, 1.5]
    assert table.notes == ("commas in numbers were read as decimal ones",)
    table = read(tmp_path, 'date,price\n"Dec 30, 2020","1,898.36"\n"Dec 31, 2020","1,893"\n')
    assert table.series[0].values.tolist() == [1898.36, 1893]
    assert table.notes == ("commas in numbers were read as marks between thousands",)
    table = read(tmp_path, "a;1,5;2,5\nb;3;4,5\n")
    assert table.series[1].values.tolist() == [3, 4.5]
    assert table.notes[1] == "commas in numbers were read as decimal ones"


def test_steps_may_be_numbered(tmp_path):
    table = read(tmp_path, "unique_id,ds,y\nH1,1,5\nH1,2,6\nH1,4,7\nH2,1,8\nH2,2,9\n")
    assert (table.frequency, table.series[0].times) == (None, None)
    assert np.array_equal(table.series[0].values, [5, 6, NAN, 7], equal_nan=True)
    assert table.notes[0] == "ds was read as numbers of steps, not as dates"


def test_rows_are_sorted_by_their_dates(tmp_path):
    table = read(tmp_path, "ds,y\n2024-01-03,3\n2024-01-02,2\n2024-01-01,1\n")
    assert table.series[0].values.tolist() == [1, 2, 3]
    assert table.notes == ("the rows were not in the order of their dates, and were sorted",)


def test_what_is_left_out_of_a_wide_table_is_in_the_notes(tmp_path):
    table = read(
        tmp_path,
        "Unnamed: 0,date,sales,promo,remark,none\n"
        "0,2024-01-01,1,0,x,\n1,2024-01-02,2,1,y,\n2,2024-01-03,,1,z,\n",
    )
    assert [series.name for series in table.series] == ["sales", "promo"]
    assert table.notes == (
        "the column Unnamed: 0 is left out: it counts the rows",
        "the column none is left out: it has no value",
        "the column remark is left out: it holds no numbers",
        "each of the 2 columns was read as a series; to forecast one from the others, name it, as "
        "in target=promo",
        "promo run on for 1 rows after the others: if they are known ahead, say so, as in "
        "known=promo",
    )


def test_what_a_date_says_already_is_left_out(tmp_path):
    rows = "".join(
        f"{1704067200 + 86400 * day},2024-01-0{day + 1},{day},{day}\n" for day in range(5)
    )
    table = read(tmp_path, "Unix Timestamp,date,weekday,sales\n" + rows)
    assert [series.name for series in table.series] == ["sales"]
    assert table.notes == (
        "the column Unix Timestamp is left out: it says the time once more",
        "the column weekday is left out: it says the time once more",
    )
    assert read(tmp_path, "Unix Timestamp,date,weekday,y\n" + rows, known=["weekday"]).known == (
        "weekday",
    )


def test_names_of_columns_may_be_in_several_rows(tmp_path):
    rows = "2024-01-01,1,2\n2024-01-02,3,4\n2024-01-03,5,6\n"
    table = read(tmp_path, "Price,Close,Open\nTicker,AAPL,AAPL\nDate,,\n" + rows)
    assert [series.name for series in table.series] == ["Close", "Open"]
    table = read(tmp_path, "Price,Close,Close\nTicker,AAPL,MSFT\nDate,,\n" + rows)
    assert [series.name for series in table.series] == ["AAPL", "MSFT"]
    assert table.series[1].values.tolist() == [2, 4, 6] and table.frequency == DAY


def test_an_hour_that_clocks_left_out_is_in_the_notes(tmp_path):
    table = read(tmp_path, "ds,y\n2024-03-31 00:00,1\n2024-03-31 01:00,2\n2024-03-31 03:00,3\n")
    assert np.isnan(table.series[0].values[2])
    assert table.notes[-1] == "hours left out as clocks are set forward: 1; times seem to be local"
    rows = "".join(f"2024-03-31T0{hour}:00:00Z,1\n" for hour in (0, 1, 3))
    assert read(tmp_path, "ds,y\n" + rows).notes == (
        "missing rows, filled in: 1, in 1 of 1 series",
    )


def test_gaps_become_missing_rows_that_are_counted(tmp_path):
    table = read(tmp_path, "ds,y\n2024-01-01,1\n2024-01-02,2\n2024-01-05,5\n2024-01-06,6\n")
    assert np.array_equal(table.series[0].values, [1, 2, NAN, NAN, 5, 6], equal_nan=True)
    assert table.notes == ("missing rows, filled in: 2, in 1 of 1 series",)


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
        ("2024-01-04,2024-01-08,2024-01-09,2024-01-10", Frequency("business_day", 1)),
        ("2024-01-05,2024-01-06,2024-01-07", DAY),
        ("2024-01-08,2024-01-09,2024-01-10,2024-01-11,2024-01-22", DAY),
        ("2024-01-05,2024-01-12,2024-01-19", Frequency("day", 7)),
        ("2024-01,2024-02,2024-03", Frequency("month", 1)),
        ("2024-01-31,2024-02-29,2024-03-31,2024-04-30", Frequency("month", 1)),
        ("2024-01-30,2024-02-29,2024-03-30", Frequency("month", 1)),
        ("2020-01-31,2020-02-28,2020-03-31,2020-05-29", Frequency("month", 1)),
        ("2020-01-01,2020-01-29,2020-02-26,2020-03-25", Frequency("day", 28)),
        ("2023-03-31,2023-06-30,2023-09-30", Frequency("month", 3)),
        ("2021,2022,2023", Frequency("month", 12)),
    ],
)
def test_the_frequency_is_the_commonest_step(tmp_path, times, frequency):
    rows = "".join(f"{time},{n}\n" for n, time in enumerate(times.split(",")))
    assert read(tmp_path, "ds,y\n" + rows).frequency == frequency
