"""A table of series is the same table, whatever form it was written in."""

import csv
import gzip
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo import UserError
from zoo.readers.frequency import Frequency
from zoo.readers.series import read_series

STEPS = {
    "second": (900, 3600, 7200),
    "day": (1, 7),
    "business_day": (1,),
    "month": (1, 3, 12),
}
NAMES = st.lists(
    st.text("abcdefgöπ書", min_size=1, max_size=5).map(lambda name: f"s {name}"),
    min_size=2, max_size=4, unique=True,
)  # fmt: skip


@st.composite
def tables(draw):
    """Draw series over the same dates: their names, times and values."""
    unit = draw(st.sampled_from(sorted(STEPS)))
    frequency = Frequency(unit, draw(st.sampled_from(STEPS[unit])))
    count = draw(st.integers(9, 20))
    start = np.datetime64("2019-12-31" if draw(st.booleans()) else "2020-06-01", "s")
    times = frequency.after(start, np.arange(count))
    names = draw(NAMES)
    number = st.floats(-1e9, 1e9)
    values = np.array([draw(st.lists(number, min_size=count, max_size=count)) for _ in names])
    holes = draw(st.sets(st.integers(1, count - 2), max_size=3))
    for name in range(len(names)):
        values[name, sorted(holes)[: draw(st.integers(0, 3))]] = np.nan
    return frequency, names, times, values


def cell(value):
    return "" if np.isnan(value) else repr(float(value))


def as_long(names, times, values, skip_missing=False):
    rows = [
        (name, str(time).replace("T", " "), cell(value))
        for name, row in zip(names, values)
        for time, value in zip(times, row)
        if not (skip_missing and np.isnan(value))
    ]
    return [("unique_id", "ds", "y"), *rows]


def as_wide(names, times, values):
    return [("date", *names), *((str(t), *map(cell, row)) for t, row in zip(times, values.T))]


def as_rows(names, times, values):
    return [("name", *map(str, times)), *((n, *map(cell, row)) for n, row in zip(names, values))]


def text(rows, separator, quoted):
    stream = io.StringIO()
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(stream, delimiter=separator, quoting=quoting).writerows(rows)
    return stream.getvalue()


def check(table, drawn):
    frequency, names, times, values = drawn
    assert table.frequency == frequency
    assert [series.name for series in table.series] == names
    for series, row in zip(table.series, values):
        assert np.array_equal(series.values, row, equal_nan=True)
        assert np.array_equal(series.times, times)
        assert series.known.shape == (len(times), 0) and series.past.shape == (len(times), 0)


@settings(max_examples=40, deadline=None)
@given(
    drawn=tables(),
    form=st.sampled_from([as_long, as_wide, as_rows]),
    separator=st.sampled_from(",;\t"),
    quoted=st.booleans(),
    packed=st.booleans(),
    crlf=st.booleans(),
)
def test_texts(tmp_path_factory, drawn, form, separator, quoted, packed, crlf):
    content = text(form(*drawn[1:]), separator, quoted)
    content = content if crlf else content.replace("\r\n", "\n")
    path = tmp_path_factory.mktemp("text") / ("series.csv.gz" if packed else "series.csv")
    path.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    check(read_series(path), drawn)


@settings(max_examples=10, deadline=None)
@given(drawn=tables())
def test_rows_that_are_left_out(tmp_path_factory, drawn):
    path = tmp_path_factory.mktemp("gaps") / "series.csv"
    path.write_text(text(as_long(*drawn[1:], skip_missing=True), ",", False), encoding="utf-8")
    table = read_series(path)
    check(table, drawn)
    missing = int(np.isnan(drawn[3]).sum())
    assert any(f"missing rows, filled in: {missing}," in note for note in table.notes) == (
        missing > 0
    )


@settings(max_examples=10, deadline=None)
@given(drawn=tables(), form=st.sampled_from([as_long, as_wide]))
def test_parquet(tmp_path_factory, drawn, form):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path_factory.mktemp("parquet") / "series.parquet"
    (head, *rows), columns = form(*drawn[1:]), {}
    for name, cells in zip(head, zip(*rows)):
        if name in ("ds", "date"):
            columns[name] = pyarrow.array(np.array(cells, "datetime64[ns]"))
        elif name == "unique_id":
            columns[name] = pyarrow.array(cells).dictionary_encode()
        else:
            columns[name] = pyarrow.array([float(value) if value else None for value in cells])
    parquet.write_table(pyarrow.table(columns), path)
    check(read_series(path), drawn)


@settings(max_examples=10, deadline=None)
@given(drawn=tables(), split=st.integers(4, 7))
def test_folders(tmp_path_factory, drawn, split):
    _, names, times, values = drawn
    folder = tmp_path_factory.mktemp("alone")
    for at, name in enumerate(names):
        rows = as_wide([name], times, values[at : at + 1])
        (folder / f"{at} {name}.csv").write_text(text(rows, ",", False), encoding="utf-8")
    table = read_series(folder)
    assert [series.name for series in table.series] == [f"{at} {n}" for at, n in enumerate(names)]
    for form in (as_long, as_wide, as_rows):
        if np.isnan(values[:, split - 1 : split + 1]).any():
            continue
        folder = tmp_path_factory.mktemp("split")
        for part, at in (("train", slice(split)), ("test", slice(split, None))):
            rows = form(names, times[at], values[:, at])
            (folder / f"{part}.csv").write_text(text(rows, ",", False), encoding="utf-8")
        table = read_series(folder)
        check(table, drawn)
        assert table.held_out == len(times) - split


CELLS = st.sampled_from(
    [
        "2024-01-01", "2024-01-02", "2024-02-30", "01/02/2024", "3.4.2024", "2024", "2024Q1", "1",
        "2", "2.5", "-3", "1,5", "1.234,5", "1,234.5", "inf", "NA", "", "x", "y", "ds", "date",
        "value", "unique_id", "Unnamed: 0", "Jan", "12:30", "2024-01-01T10:00+01:00", "書",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    rows=st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6)
    ),
    options=st.fixed_dictionaries(
        {}, optional={"target": CELLS, "known": st.lists(CELLS, max_size=1)}
    ),
    separator=st.sampled_from(",;\t"),
)
def test_whatever_a_file_holds_it_is_read_or_refused_in_one_line(
    tmp_path_factory, rows, options, separator
):
    path = tmp_path_factory.mktemp("any") / "series.csv"
    path.write_text(text(rows, separator, False), encoding="utf-8")
    try:
        table = read_series(path, **options)
    except UserError as error:
        assert "\n" not in str(error) and str(path) in str(error)
        return
    for series in table.series:
        assert len(series.values) > 1 and not np.isnan(series.values[[0, -1]]).any()
        assert series.past.shape == (len(series.values), len(table.past))
        assert series.known.shape[1] == len(table.known)
        assert (series.times is None) == (table.frequency is None)
