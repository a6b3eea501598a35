import numpy as np
import pytest

from zoo import UserError
from zoo.readers.series import read_series

NAN = float("nan")
DAYS = [f"2024-01-{day:02d}" for day in range(1, 9)]


def write(folder, **files):
    for name, text in files.items():
        (folder / f"{name.replace('_', '-')}.csv").write_text(text)
    (folder / "README.txt").write_text("About these data.")
    (folder / ".hidden.csv").write_text("no series")
    return folder


def test_a_file_a_series(tmp_path):
    folder = write(
        tmp_path,
        rome="date,value\n2024-01-01,1\n2024-01-02,2\n",
        ulm="date,value\n2024-01-02,3\n2024-01-03,4\n",
    )
    table = read_series(folder)
    assert [series.name for series in table.series] == ["rome", "ulm"]
    assert table.series[1].values.tolist() == [3, 4] and table.held_out is None
    assert table.notes == ("each of the 2 files was read as a series",)


def test_files_of_one_long_table(tmp_path):
    folder = write(
        tmp_path,
        sales_2023="item_id,date,sales\na,2023-12-30,1\nb,2023-12-30,3\na,2023-12-31,2\n",
        sales_2024="item_id,date,sales\na,2024-01-01,5\nb,2023-12-31,6\n",
    )
    table = read_series(folder)
    assert [series.values.tolist() for series in table.series] == [[1, 2, 5], [3, 6]]
    assert table.notes[0] == "the 2 files were read as parts of one table"


def test_files_of_several_columns_name_the_series_by_both(tmp_path):
    prices = "Date,Open,Close\n2024-01-01,1,2\n2024-01-02,3,4\n"
    folder = write(tmp_path, AAPL=prices, MSFT=prices)
    assert [s.name for s in read_series(folder).series] == [
        "AAPL/Open", "AAPL/Close", "MSFT/Open", "MSFT/Close",
    ]  # fmt: skip
    table = read_series(folder, target="Close")
    assert [series.name for series in table.series] == ["AAPL", "MSFT"]
    assert table.past == ("Open",)


def test_a_test_file_continues_each_row(tmp_path):
    folder = write(
        tmp_path,
        Weekly_train='"V1","V2","V3","V4"\n"W1","1","2","3"\n"W2","4","5",\n',
        Weekly_test='"V1","V2","V3"\n"W2","8","9"\n"W1","6","7"\n',
        M4_info="M4id,category\nW1,Macro\n",
    )
    table = read_series(folder)
    assert [series.values.tolist() for series in table.series] == [[1, 2, 3, 6, 7], [4, 5, 8, 9]]
    assert table.held_out == 2
    assert table.notes[0] == "not read, beside train and test: M4-info.csv"


def test_a_test_file_continues_each_column(tmp_path):
    folder = write(
        tmp_path,
        train="date,a,b\n" + "".join(f"{day},{at},{-at}\n" for at, day in enumerate(DAYS[:4])),
        val=f"date,a,b\n{DAYS[4]},4,-4\n",
        test=f"date,a,b\n{DAYS[5]},5,-5\n{DAYS[7]},7,-7\n",
    )
    table = read_series(folder)
    assert np.array_equal(table.series[0].values, [0, 1, 2, 3, 4, 5, NAN, 7], equal_nan=True)
    assert table.held_out == 3


def test_a_test_file_without_values_says_what_is_known_ahead(tmp_path):
    folder = write(
        tmp_path,
        train="id,ds,y,promo\n" + "".join(f"a,{day},{at},0\n" for at, day in enumerate(DAYS[:4])),
        test="id,ds,promo\n" + "".join(f"a,{day},1\n" for day in DAYS[4:6]),
    )
    table = read_series(folder)
    assert (table.known, table.held_out) == (("promo",), None)
    assert table.series[0].values.tolist() == [0, 1, 2, 3]
    assert table.series[0].known[:, 0].tolist() == [0, 0, 0, 0, 1, 1]


def days(*numbers):
    return "ds,y\n" + "".join(f"{DAYS[number]},1\n" for number in numbers)


WITH_X = f"ds,y,x\n{DAYS[2]},1,2\n{DAYS[3]},1,3\n"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no file of series"),
        ({"daily_train": "a,1\n", "hourly_train": "a,1\n"}, "give the folder of one train file"),
        (
            {"train": "a,1,2\nb,1,2\n", "test": "a,3\n"},
            "b is in only one of train.csv and test.csv",
        ),
        (
            {"train": "a,1,2\nb,1,2\n", "test": "a,3\nb,3,4\n"},
            "continues a by 1 steps, but b by 2",
        ),
        (
            {"train": days(2, 3), "test": days(0, 1)},
            "the test file does not follow the train file for y",
        ),
        (
            {"train": days(0, 1), "test": days(1, 2)},
            "lines 2 of test.csv and 3 of train.csv: y has 2024-01-02 twice",
        ),
        (
            {"train": days(0, 1), "test": WITH_X},
            "test.csv has the column x, but train.csv has none",
        ),
        (
            {"train": days(0, 1), "test": "a,1,2\nb,1,2\n"},
            "train.csv and test.csv are tables of different kinds",
        ),
        ({"rome": WITH_X, "ulm": days(2, 3)}, "ulm.csv has the covariates none, but rome.csv x"),
        ({"rome": days(0, 1), "ulm": "y\n1\n2\n"}, "some series have dates, others none"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path, files, message):
    with pytest.raises(UserError, match=message) as error:
        read_series(write(tmp_path, **files))
    assert "\n" not in str(error.value)
