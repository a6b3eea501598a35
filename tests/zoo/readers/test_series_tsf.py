import numpy as np
import pytest

from zoo import UserError
from zoo.readers.frequency import Frequency
from zoo.readers.series import read_series

HEAD = """# Made up.
@relation test
@attribute series_name string
@attribute state string
@attribute start_timestamp date
@frequency {frequency}
@horizon 8
@missing true
@equallength false
@data
"""


def read(folder, lines, frequency="quarterly"):
    path = folder / "series.tsf"
    path.write_text(HEAD.format(frequency=frequency) + lines)
    return read_series(path)


def test_each_line_is_a_series_from_its_date_on(tmp_path):
    table = read(tmp_path, "T1:NSW:1999-12-31 00-00-00:1,?,3.5\nT2:VIC:2000-01-01 00-00-00:4,5\n")
    assert table.frequency == Frequency("month", 3) and table.static == ("state",)
    one, two = table.series
    assert (one.name, one.static) == ("T1", ("NSW",))
    assert np.array_equal(one.values, [1, np.nan, 3.5], equal_nan=True)
    assert one.times.astype("datetime64[D]").astype(str).tolist() == [
        "1999-12-31", "2000-03-31", "2000-06-30",
    ]  # fmt: skip
    assert two.values.tolist() == [4, 5]


@pytest.mark.parametrize(
    ("name", "frequency"),
    [
        ("half_hourly", Frequency("second", 1800)),
        ("10_minutes", Frequency("second", 600)),
        ("4_seconds", Frequency("second", 4)),
        ("weekly", Frequency("day", 7)),
        ("daily", Frequency("day", 1)),
        ("yearly", Frequency("month", 12)),
    ],
)
def test_the_frequency_is_that_of_the_file(tmp_path, name, frequency):
    table = read(tmp_path, "T1:a:2024-01-01 12-30-00:1,2,3,4\n", name)
    assert table.frequency == frequency
    assert str(table.series[0].times[0]) == "2024-01-01T12:30:00"


@pytest.mark.parametrize(
    ("lines", "frequency", "message"),
    [
        ("", "daily", "no series: expected lines after @data"),
        ("T1:2024-01-01 00-00-00:1,2\n", "daily", "line 11 .*: 2 attributes, but 3 are needed"),
        ("T1:a:2024-01-01 00-00-00:1,x\n", "daily", "line 11 .*: the value 2 is no finite number"),
        ("T1:a:yesterday:1,2\n", "daily", "line 11 .*: 'yesterday' is no date"),
        ("T1:a:2024-13-01 00-00-00:1,2\n", "daily", "line 11"),
        ("T1:a:2024-01-01 00-00-00:1,2\n", "often", "line 6 .*: the frequency 'often' is not"),
    ],
)
def test_what_is_no_tsf_is_refused(tmp_path, lines, frequency, message):
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path, lines, frequency)
    assert "\n" not in str(error.value)
