import shutil

import pyarrow
import pytest

from zoo.errors import UserError
from zoo.readers.parquet import open_parquet, parquet_rows
from zoo.readers.series import read_series
from zoo.readers.shards import first_shards, shards_of
from zoo.readers.tables import read_rows

NAMES = {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}


@pytest.fixture
def shards(tmp_path, write_parquet):
    """Writes three shards, of which the last has columns of its own, if any."""

    def write(name="train", count=3, features=NAMES, **last):
        files = [tmp_path / f"{name}-{n:05}-of-{count:05}.parquet" for n in range(count)]
        for n, file in enumerate(files):
            columns = {"text": [f"{n}a", f"{n}b"], "label": [0, 1]}
            if n == count - 1 and last:
                write_parquet(file, last, features)
            else:
                write_parquet(file, columns, NAMES)
        return files

    return write


def test_any_shard_stands_for_the_whole_table_in_order(shards):
    files = shards()
    for file in files:
        assert shards_of(file) == files
        rows = [(number, row["text"], row["label"]) for number, row in parquet_rows(file)]
        assert [row[0] for row in rows] == [1, 2, 3, 4, 5, 6]
        assert [row[1] for row in rows] == ["0a", "0b", "1a", "1b", "2a", "2b"]
        assert [row[2] for row in rows] == ["neg", "pos"] * 3
        assert open_parquet(file)["text"].to_pylist() == [row[1] for row in rows]
    assert len(read_rows(files[1]).rows) == 7
    assert first_shards(files) == files[:1]


def test_a_file_that_is_whole_is_alone(tmp_path, shards, write_parquet):
    shards()
    for name in ("train.parquet", "train-00000-of-00001.parquet", "a-1-of-2.parquet"):
        path = write_parquet(tmp_path / "whole" / name, {"text": ["one"]})
        assert shards_of(path) == [path]
    assert shards_of(tmp_path / "missing-00000-of-00002.parquet")[0].name.startswith("missing")


def test_hashes_behind_names_are_passed_over(tmp_path, shards):
    files = shards(count=2)
    ends = ["-00aa11bb22cc33dd.parquet", "-99aa11bb22cc33dd.parquet"]
    for file, end in zip(files, ends):
        file.rename(file.with_name(file.name.replace(".parquet", end)))
    path = tmp_path / f"train-00001-of-00002{ends[1]}"
    assert [row["text"] for _, row in parquet_rows(path)] == ["0a", "0b", "1a", "1b"]


def test_a_missing_shard_is_named(tmp_path, shards):
    files = shards()
    files[1].unlink()
    with pytest.raises(UserError, match=r"but no train-00001-of-00003\.parquet: put it there"):
        [*parquet_rows(files[0])]
    files[0].unlink()
    with pytest.raises(UserError, match=r"but no train-00000-of-00003\.parquet"):
        open_parquet(files[2])


@pytest.mark.parametrize(
    "other", ["train-00000-of-00002.parquet", "train-00001-of-00003-0123456789abcdef.parquet"]
)
def test_two_sets_of_shards_are_refused(tmp_path, shards, other):
    files = shards()
    shutil.copy(files[0], tmp_path / other)
    for file in (files[2], tmp_path / other):
        with pytest.raises(UserError, match=r"of two sets of shards: keep one"):
            shards_of(file)


@pytest.mark.parametrize(
    ("last", "features", "problem"),
    [
        ({"text": ["a"]}, None, "has no column label, but train-00000-of-00003.parquet has"),
        ({"text": ["a"], "label": [1], "n": [1]}, NAMES, "has the column n, but train-00000"),
        ({"text": [1], "label": [1]}, NAMES, "has int64 in the column text, but .* has string"),
        ({"text": ["a"], "label": [1]}, None, "has other names of classes in the column label"),
    ],
)
def test_columns_that_differ_between_shards_are_refused(shards, last, features, problem):
    files = shards(features=features, **last)
    for read in (open_parquet, lambda file: [*parquet_rows(file)]):
        with pytest.raises(UserError, match=f"train-00002-of-00003.parquet {problem}"):
            read(files[0])


def test_types_that_hold_the_same_are_alike(shards):
    nothing = pyarrow.array([None], "null")
    last = {"label": pyarrow.array([1], "int8"), "text": nothing, "__index_level_0__": [7]}
    files = shards(**last)
    assert [*parquet_rows(files[0])][-1] == (7 - 2, {"label": "pos", "text": None})
    assert open_parquet(files[0])["label"].to_pylist() == [0, 1, 0, 1, 1]


def test_series_in_shards_are_one_table(tmp_path, write_parquet):
    for n in range(2):
        days = [f"2024-01-{1 + 5 * n + day:02}" for day in range(5)]
        columns = {"unique_id": ["a"] * 5, "ds": days, "y": [float(5 * n + d) for d in range(5)]}
        write_parquet(tmp_path / f"train-0000{n}-of-00002.parquet", columns)
    for path in (tmp_path, tmp_path / "train-00000-of-00002.parquet"):
        table = read_series(path)
        assert [len(each.values) for each in table.series] == [10]


def test_a_table_in_shards_and_in_one_file_is_refused(shards):
    files = shards(count=2)
    for whole in (files[0].with_name("train.parquet"), files[0].with_name("a.parquet")):
        shutil.copy(files[0], whole)
    with pytest.raises(
        UserError, match=r"train-00000-of-00002\.parquet and train\.parquet, .*keep"
    ):
        first_shards(sorted(files[0].parent.iterdir()))
    assert first_shards([*files, whole]) == [files[0], whole]
