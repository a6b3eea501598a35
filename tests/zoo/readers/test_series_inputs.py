"""The modality `series`: what a model of series takes, from whatever people hand in."""

import io

import numpy as np
import pytest

from zoo.errors import UserError
from zoo.readers.frequency import Frequency
from zoo.readers.modality import modality, split_batches
from zoo.readers.series import Series, SeriesTable
from zoo.readers.series_lines import SeriesLines, series_rows

KIND = modality("series")
LEVELS = [0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975]


def options(frequency=None, known=(), past=(), static=(), categories=(), **more):
    step = Frequency(*frequency).to_json() if frequency else None
    columns = {"known": [*known], "past": [*past], "static": [*static], "target": ""}
    sizes = {"categories": [[*each] for each in categories], "horizon": 4, "quantiles": LEVELS}
    return {**columns, **sizes, "frequency": step, **more}


DAILY, HOURLY, MONTHLY = ("day", 1), ("second", 3600), ("month", 1)
SHOPS = options(DAILY, ["holiday"], ["visitors"], ["region"], [["north", "south"]])
SHOP_ROWS = [
    "unique_id,ds,y,holiday,visitors,region",
    "a,2024-01-01,5,0,50,south",
    "a,2024-01-02,,1,60,south",
    "a,2024-01-03,7,0,70,south",
    "a,2024-01-04,,1,,south",
    "b,2024-01-01,1,0,10,west",
    "b,2024-01-02,2,1,20,west",
    "b,2024-01-04,,0,,west",
]


@pytest.fixture
def write(tmp_path):
    def write(*lines, name="sales.csv"):
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return tmp_path / name

    return write


def seconds(*dates):
    return [float(np.datetime64(date, "s").astype("int64")) for date in dates]


def test_a_table_of_several_series_is_an_input_each(write):
    one, other = split_batches(KIND, [str(write(*SHOP_ROWS))], **SHOPS)
    assert (one.name, other.name) == ("a", "b")
    days = seconds("2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04")
    expected = np.array([[5, 0, 50, 2], [np.nan, 1, 60, 2], [7, 0, 70, 2], [np.nan, 1, np.nan, 2]])
    np.testing.assert_array_equal(KIND.read(one, **SHOPS)[:, 1:], expected)
    np.testing.assert_array_equal(KIND.read(one, **SHOPS)[:, 0], days)
    # A category that is not known is 0, a day that is left out is missing.
    np.testing.assert_array_equal(
        other.raw[:, 1:], [[1, 0, 10, 0], [2, 1, 20, 0], [np.nan] * 3 + [0], [np.nan, 0, np.nan, 0]]
    )


def test_columns_that_the_model_does_not_know_are_left_out(write):
    path = write(*SHOP_ROWS)
    raw = KIND.read(KIND.inputs(path, **options(DAILY))[0])
    np.testing.assert_array_equal(raw[:, 1], [5, np.nan, 7])


def test_a_column_that_the_model_needs_is_missed_in_one_line(write):
    path = write("ds,y", "2024-01-01,1", "2024-01-02,2", "2024-01-03,3")
    with pytest.raises(UserError, match=r"no column .*holiday"):
        KIND.inputs(path, **SHOPS)


def test_another_frequency_is_refused(write):
    path = write("ds,y", "2024-01-01,1", "2024-02-01,2", "2024-03-01,3")
    with pytest.raises(UserError, match="is monthly, but the model forecasts hourly series"):
        KIND.inputs(path, **options(HOURLY))
    assert len(KIND.inputs(path, **options(MONTHLY))) == 1
    assert len(KIND.inputs(path, **options())) == 1


def test_values_without_dates_are_taken_and_told(write, capsys):
    (series,) = KIND.inputs(write("y", "1", "2", "NA", "4"), **options(HOURLY))
    np.testing.assert_array_equal(series.raw, [[np.nan, each] for each in (1, 2, np.nan, 4)])
    assert "has no dates" in capsys.readouterr().err
    assert series.after(2) == [1, 2]


def test_what_was_missing_is_told_once(write, capsys):
    path = write("ds,y", "2024-01-01,1", "2024-01-02,2", "2024-01-03,3", "2024-01-05,5")
    (series,) = split_batches(KIND, [path], **options(DAILY))
    KIND.read(series, **options(DAILY))
    err = capsys.readouterr().err
    assert "missing" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("frequency", "first", "last", "expected"),
    [
        (HOURLY, "2024-01-01", "2024-01-01T23", ["2024-01-02 00:00:00", "2024-01-02 01:00:00"]),
        (MONTHLY, "2023-12-31", "2024-01-31", ["2024-02-29", "2024-03-31"]),
        (("business_day", 1), "2024-05-30", "2024-05-31", ["2024-06-03", "2024-06-04"]),
        (("day", 7), "2024-01-01", "2024-01-08", ["2024-01-15", "2024-01-22"]),
    ],
)
def test_forecasts_have_the_times_after_the_last_value(frequency, first, last, expected):
    times = np.array([first, last], "datetime64[s]")
    none = np.zeros((2, 0))
    series = Series("x", np.array([1.0, 2.0]), times, none, none, ())
    table = SeriesTable((series,), Frequency(*frequency))
    (one,) = KIND.inputs(table, **options(frequency))
    assert one.after(2) == expected


def test_an_answer_has_names_times_and_intervals_and_is_cut(write):
    (series,) = KIND.inputs(
        write("ds,y", "2024-01-01,1", "2024-01-02,2", "2024-01-03,3"), **options(DAILY)
    )
    quantiles = [[float(step + place) for place in range(len(LEVELS))] for step in range(4)]
    outputs = {
        "forecast": [5.0, 6.0, 7.0, 8.0],
        "quantiles": quantiles,
        "text": "as the model says",
    }
    answer = KIND.answer(series, outputs, **options(DAILY))
    assert answer["unique_id"] == "y" and answer["text"] == "as the model says"
    assert answer["ds"] == ["2024-01-04", "2024-01-05", "2024-01-06", "2024-01-07"]
    assert (answer["lo-80"], answer["hi-95"]) == ([1, 2, 3, 4], [10, 11, 12, 13])
    cut = KIND.answer(series, outputs, **KIND.with_horizon(2, False, **options(DAILY)))
    for key in ("ds", "forecast", "lo-80", "hi-80", "lo-95", "hi-95", "quantiles"):
        assert cut[key] == answer[key][:2]
    assert cut["text"] == ("next 2 days: median 5.0 to 6.0; at the end 6.0, 80% in 2.0 to 10.0")


@pytest.mark.parametrize(("horizon", "message"), [(5, "forecasts 4 steps"), (0, "1 or more")])
def test_a_horizon_out_of_range_is_refused(horizon, message):
    with pytest.raises(UserError, match=message):
        KIND.with_horizon(horizon, False, **options())


def test_a_horizon_of_what_forecasts_nothing_is_refused():
    with pytest.raises(UserError, match="this one takes text"):
        modality("text").with_horizon(3, False)


def test_arrays_are_values_alone_or_with_their_times(tmp_path):
    values = np.array([1.0, np.nan, 3.0])
    expected = np.stack([np.full(3, np.nan), values], axis=1)
    for array in (values, values[:, None], expected):
        np.testing.assert_array_equal(KIND.read(array, **options(HOURLY)), expected)
    np.testing.assert_array_equal(KIND.read(np.array([1, 2]), **options())[:, 1], [1, 2])
    assert len(split_batches(KIND, [np.stack([expected] * 3)], **options())) == 3
    dated = np.stack([seconds("2024-01-31", "2024-02-29", "2024-03-31"), values], axis=1)
    np.testing.assert_array_equal(KIND.read(dated, **options(MONTHLY)), dated)
    path = KIND.write(tmp_path / "0", dated)
    np.testing.assert_array_equal(KIND.read(str(path), **options(MONTHLY)), dated)
    np.testing.assert_array_equal(KIND.read_shown({"file": "0.npy"}, tmp_path), dated)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 4)), r"shape \[3, 4\], but \[T, 1\] is needed"),
        (np.zeros((3, 2)), "as the time of step 1, but 2678400 is expected .* monthly"),
        (np.full(3, np.nan), "no value"),
        (np.array([1.0, np.inf]), "infinite"),
        (np.array(["a"]), "numbers are needed"),
        (np.zeros((0, 1)), "no value"),
    ],
)
def test_arrays_that_are_no_series_are_refused_in_one_line(array, message):
    with pytest.raises(UserError, match=message) as refused:
        KIND.read(array, **options(MONTHLY))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("source", [3.5, b"ds,y", None])
def test_what_is_no_series_is_refused(source):
    with pytest.raises(UserError, match="no series that can be read"):
        KIND.read(source, **options())


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="there is no file"):
        split_batches(KIND, [str(tmp_path / "none.csv")], **options())


def test_a_stream_is_of_one_series(write):
    with pytest.raises(UserError, match="holds 2 series, but one is needed"):
        list(KIND.pieces(write(*SHOP_ROWS), **SHOPS))
    (piece,) = KIND.pieces(write(*SHOP_ROWS[:5]), **SHOPS)
    assert piece.shape == (4, 5)


def read_lines(text, how, cut=1000):
    pieces = [text[at : at + cut] for at in range(0, len(text), cut)]
    return np.concatenate([*series_rows(pieces, "here", how)])


@pytest.mark.parametrize("cut", [1, 7, 1000])
@pytest.mark.parametrize("names", ["", "ds,y\n", "Date Time,Value\n", "when,how much\n"])
def test_lines_of_time_and_value_come_in_pieces(cut, names):
    rows = read_lines(names + "2024-01-01,5\n2024-01-02,\n\n2024-01-03,7.5", options(DAILY), cut)
    np.testing.assert_array_equal(rows[:, 0], seconds("2024-01-01", "2024-01-02", "2024-01-03"))
    np.testing.assert_array_equal(rows[:, 1], [5, np.nan, 7.5])


def test_lines_of_values_alone(write):
    rows = read_lines("value\n5\nNA\n1,5\n", options(HOURLY))
    np.testing.assert_array_equal(rows[:, 1], [5, np.nan, 1.5])
    assert np.isnan(rows[:, 0]).all()


def test_lines_with_covariates_in_the_order_of_the_model_or_by_name():
    line = "2024-01-01;5;1;50;south\n"
    expected = [*seconds("2024-01-01"), 5, 1, 50, 2]
    assert read_lines(line, SHOPS).tolist() == [expected]
    named = "region;visitors;y;ds;holiday\nsouth;50;5;2024-01-01;1\n"
    assert read_lines(named, SHOPS).tolist() == [expected]
    np.testing.assert_array_equal(read_lines(line[11:], SHOPS), [[np.nan, *expected[1:]]])


def test_steps_that_are_left_out_are_missing():
    rows = read_lines("2024-05-30,1\n2024-06-04,2\n", options(("business_day", 1)))
    days = seconds("2024-05-30", "2024-05-31", "2024-06-03", "2024-06-04")
    np.testing.assert_array_equal(rows, [*zip(days, [1, np.nan, np.nan, 2])])
    lines = SeriesLines("here", SHOPS)
    lines.read("2024-01-01;5;1;50;south")
    np.testing.assert_array_equal(lines.read("2024-01-03;5;1;50;south")[:, 4], [2, 2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2024-01-01,5\n2024-01-02,x", "line 2 has 'x', but a finite number is needed"),
        ("2024-01-01,5\n2024-01-02,inf", "line 2 has 'inf'"),
        ("2024-01-01,5\n2024-01-01,5", "not after the time of the line before"),
        ("2024-01-01,5\n2024-01-02 05:00,5", "no whole number of steps .* daily"),
        ("2024-01-01,5\n2024-02-30,5", "line 2 has '2024-02-30'"),
        ("2024-01-01,5\n7", "line 2 has 1 cells, but the first line has 2"),
        ("2024-01-01,5\n2024-01-02,7,8", "line 2 has 3 cells, but the first line has 2"),
        ("5\n1,500", "line 2 has '1,500': write no mark between thousands"),
        ("2024-01-01,5\nsoon,7", "line 2 has 'soon', which is no time"),
        ("1,5\n", "line 1 has '1', which is no time"),
        ("1,2,3\n", r"line 1 has 3 cells, but 1 are needed \(value\), or 2 with the time"),
        ("ds,a,b\n2024-01-01,1,2", "which is the value cannot be told"),
    ],
)
def test_lines_that_are_no_steps_are_refused_in_one_line(text, message):
    with pytest.raises(UserError, match=message) as refused:
        read_lines(text, options(DAILY))
    assert "\n" not in str(refused.value)


def test_covariates_that_are_not_known_ahead_are_told(capsys):
    list(KIND.standard_input(io.BytesIO(b"2024-01-01;5;1;50;south\n"), **SHOPS))
    assert "holiday: not known ahead of a line" in capsys.readouterr().err
    list(KIND.standard_input(io.BytesIO(b"5\n"), **options()))
    assert not capsys.readouterr().err


def test_the_columns_that_tell_series_apart_are_those_of_the_training(write):
    rows = ["shop,item,ds,y"]
    rows += [f"{s},{i},2024-01-0{d},{d}" for s in "ab" for i in "xy" for d in range(1, 5)]
    several = KIND.inputs(write(*rows), **options(DAILY, series=["shop", "item"]))
    assert len(several) == 4 and len({each.name for each in several}) == 4
