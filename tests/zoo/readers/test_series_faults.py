import builtins

import pytest

from zoo import UserError
from zoo.readers.series import read_series

HOURS = [f"2024-10-27 0{hour}:00" for hour in (0, 1, 2, 2, 3)]
HALF_HOURS = [f"2024-11-03 0{hour}" for hour in ("0:30", "1:00", "1:30", "1:00", "1:30", "2:00")]


def rows(times):
    return "ds,y\n" + "".join(f"{time},{at}\n" for at, time in enumerate(times))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ('""', "has no cells"),
        ("ds,y\n", "names of columns only"),
        ("ds,y\n2024-01-01,1\n", "no series has two dates"),
        ("ds,y\n2024-01-01,1\n2024-01-01,2\n", "lines 2 and 3: y has 2024-01-01 twice: keep one"),
        (
            "id,ds,y\na,2024-01-02,1\nb,2024-01-01,1\na,2024-01-01,1\na,2024-01-02,2\n",
            "lines 2 and 5: a has 2024-01-02 twice",
        ),
        (rows(HOURS), "lines 4 and 5: .* clocks are set back: write the times in UTC"),
        (rows(HALF_HOURS), "lines 3 and 5: .* clocks are set back: write the times in UTC"),
        ("ds,y\n2024-01-01,1\n2024-01-02,x\n2024-01-03,3\n", "line 3: y is 'x', but a finite"),
        ("ds,y\n2024-01-01,1\n2024-01-02,inf\n", "line 3: y is 'inf', but a finite"),
        ("ds,y\n2024-01-01,\n2024-01-02,NA\n", "no series with 2 values"),
        ("ds,a,b\n2024-01-01,u,v\n2024-01-02,w,x\n", "no column of numbers"),
        ('ds,y\n2024-01-01,"1,500"\n2024-01-02,"2,500"\n', "1,500 may be 1500 or 1.500"),
        ("ds;y\n2024-01-01;1,5\n2024-01-02;1.5\n", "line 3: y is '1.5'"),
        (
            "ds,y\n01/02/2024,1\n02/02/2024,2\n",
            "ds is '01/02/2024', which may have the day",
        ),
        ("ds,y\n2024-01-01,1\n2024-02-30,2\n", "line 3: ds is '2024-02-30', which is no date"),
        ("ds,y\n2024-01-01,1\n,2\n", "line 3: ds has no date"),
        ("Month,Sales\nJan,1\nFeb,2\n", "line 2: Month is 'Jan', which is no date"),
        (
            "ds,y\n2024-01-01 00:00,1\n2024-01-01 01:00,2\n2024-01-01 02:00,\n2024-01-01 02:13,1",
            "line 5: y has 2024-01-01 02:13, which is no whole number of steps .* hourly",
        ),
        (
            "ds,y\n2024-01-01,1\n2024-01-02,1\n2024-01-03,1\n2025-01-02,1\n",
            "y has 4 rows, but 368 steps, as the commonest is daily",
        ),
        (
            "id,ds,y\na,2024-01-01,1\na,2024-01-02,1\na,2024-01-03,1\na,2024-01-04,1\n"
            "b,2024-01-01,1\nb,2024-01-08,1\nb,2024-01-15,1\nb,2024-01-22,1\n",
            "the series [ab] is .*, others are .*: put series of one frequency into a file",
        ),
        ("a,b\n1,2\n3,4,5\n", "line 3 has 3 fields, but the first row has 2"),
        ("ds,y,y\n2024-01-01,1,2\n2024-01-02,1,2\n", "two columns called y"),
        ("id,ds,a,b\nu,2024-01-01,1,2\nu,2024-01-02,2,3\n", "a, b: say which column holds"),
        ("Page,2024-01-01,2024-01-02,total\nx,1,2,3\ny,1,2,3\n", "'total', which is no date like"),
        (
            "from,a,b\n2024-01-01/2024-01-07,1,2\n2024-01-08/2024-01-14,3,4\n",
            "line 2: '2024-01-01/2024-01-07' looks like a date, but is none that can be read",
        ),
        ("a,1,2,x\nb,1,2,3\nc,3,4,5\n", "line 1"),
        (
            "Year,Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec\n"
            "2022,1,2,3,4,5,6,7,8,9,10,11,12\n2023,1,2,3,4,5,6,7,8,9,10,11,12\n",
            "a column for each month of a year: write a row for each month",
        ),
        ("a,1,2,inf\nb,1,2,3\nc,3,4,5\n", "line 1: the value 3 of a is 'inf'"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_one_line(tmp_path, text, message):
    path = tmp_path / "series.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as error:
        read_series(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "price"}, "no column 'price': it has ds, a, b"),
        ({"target": "a", "known": ["A"]}, "a cannot be two of target, known, past and static"),
        ({"known": ["price"]}, "no column 'price'"),
        ({"static": ["a"]}, "a cannot be a category of one"),
        ({"target": "b", "static": ["a"]}, "line 3: a is '2', but was '1' before for b"),
    ],
)
def test_columns_that_are_chosen_have_to_be_there(tmp_path, options, message):
    path = tmp_path / "series.csv"
    path.write_text("ds,a,b\n2024-01-01,1,2\n2024-01-02,2,3\n")
    with pytest.raises(UserError, match=message):
        read_series(path, **options)


def test_missing_files_and_parquet_without_pyarrow_are_named(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="no file"):
        read_series(tmp_path / "none.csv")
    broken = tmp_path / "broken.parquet"
    broken.write_text("ds,y")
    with pytest.raises(UserError, match="is no Parquet file"):
        read_series(broken)
    original = builtins.__import__

    def without_pyarrow(name, *args, **kwargs):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pyarrow)
    with pytest.raises(UserError, match="pyarrow cannot be imported"):
        read_series(broken)
