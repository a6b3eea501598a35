import datetime

import pyarrow
import pytest
from pyarrow.parquet import write_table

from zoo.errors import UserError
from zoo.readers.parquet import parquet_rows
from zoo.readers.tables import read_rows


def class_label(*names):
    return {"names": [*names], "_type": "ClassLabel"}


def test_values_are_as_they_would_be_written(tmp_path, write_parquet):
    noon = datetime.datetime(2024, 3, 1, 12, 0, 0, 20_000)
    columns = {
        "text": ["wörter\n und", None, ""],
        "whole": pyarrow.array([1, None, -3], "int16"),
        "share": pyarrow.array([0.1, 2.0, None], "float32"),
        "right": [True, False, None],
        "kind": pyarrow.array(["a", "b", "a"]).dictionary_encode(),
        "at": pyarrow.array([noon, None, noon], "timestamp[ns]"),
        "listed": [["a", "b"], [], None],
        "numbers": [[1, 2], [3], None],
        "inside": [{"a": 1, "b": None}, {"a": 2, "b": "x"}, None],
        "raw": [b"\x00", b"", None],
        "__index_level_0__": [4, 7, 9],
    }
    rows = [values for _, values in parquet_rows(write_parquet(tmp_path / "a.parquet", columns))]
    assert rows[0] == {
        "text": "wörter\n und", "whole": "1", "share": "0.1", "right": "true", "kind": "a",
        "at": "2024-03-01 12:00:00.020000", "listed": ["a", "b"], "numbers": ["1", "2"],
        "inside": {"a": "1", "b": None},
    }  # fmt: skip
    assert rows[1]["text"] is None and rows[1]["whole"] is None and rows[1]["share"] == "2"


def test_rows_of_a_table_leave_out_lists_with_a_word(tmp_path, write_parquet, capsys):
    columns = {
        "text": [" one ", None, "two"],
        "inside": [{"label": 1}, {"label": None}, {"label": 2}],
        "tokens": [["a"], ["b"], ["c"]],
        "image": [b"x", b"y", b"z"],
    }
    separator, rows, _ = read_rows(write_parquet(tmp_path / "a.parquet", columns))
    assert separator == "" and [row.cells for row in rows] == [
        ["text", "label"], ["one", "1"], ["two", "2"]
    ]  # fmt: skip
    assert [row.line for row in rows[1:]] == [1, 3]
    assert "left out tokens: lists are no cells" in capsys.readouterr().err


@pytest.mark.parametrize(
    "tags",
    [
        {"feature": class_label("O", "B-PER"), "length": -1, "_type": "Sequence"},
        {"feature": class_label("O", "B-PER"), "_type": "List"},
        [class_label("O", "B-PER")],
    ],
)
def test_the_numbers_of_classes_are_their_names(tmp_path, write_parquet, tags):
    path = write_parquet(
        tmp_path / "a.parquet",
        {"label": [1, 0, -1], "tags": [[1, 0], [0], []], "count": [1, 0, 1]},
        {"label": class_label("bad", "good"), "tags": tags, "count": {"dtype": "int64"}},
    )
    rows = [values for _, values in parquet_rows(path)]
    assert [row["label"] for row in rows] == ["good", "bad", None]
    assert [row["tags"] for row in rows] == [["B-PER", "O"], ["O"], []]
    assert [row["count"] for row in rows] == ["1", "0", "1"]


@pytest.mark.parametrize(
    "about",
    [
        b"no json",
        b"{}",
        b"[]",
        b'{"info": null}',
        b'{"info": {"features": null}}',
        b'{"info": {"features": {"label": "int64"}}}',
        b'{"info": {"features": {"label": {"_type": "ClassLabel"}}}}',
    ],
)
def test_other_notes_on_a_table_are_passed_over(tmp_path, about):
    table = pyarrow.table({"label": [1]}).replace_schema_metadata({"huggingface": about})
    write_table(table, tmp_path / "a.parquet")
    assert [*parquet_rows(tmp_path / "a.parquet")] == [(1, {"label": "1"})]


def test_what_is_none_or_has_no_rows_is_refused(tmp_path, write_parquet):
    (tmp_path / "a.parquet").write_text("text,label\n")
    with pytest.raises(UserError, match="is no Parquet file"):
        read_rows(tmp_path / "a.parquet")
    with pytest.raises(UserError, match="there is no file"):
        read_rows(tmp_path / "b.parquet")
    with pytest.raises(UserError, match="has no rows"):
        read_rows(write_parquet(tmp_path / "c.parquet", {"text": pyarrow.array([], "string")}))


def test_what_stands_for_a_file_that_was_not_fetched_is_named(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n")
    with pytest.raises(UserError, match=r"is a pointer of git-lfs, .*: run `git lfs pull`"):
        read_rows(path)
