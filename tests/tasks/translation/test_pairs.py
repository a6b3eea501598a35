import pyarrow
import pytest

from tasks.common.splits import SPLITS
from tasks.common.tables import Table
from tasks.translation.pairs import open_pairs, read_file
from zoo.errors import UserError


def translations(pairs):
    """English and German as `datasets` writes them: pyarrow alone may order languages anew."""
    texts = pyarrow.struct([("en", pyarrow.string()), ("de", pyarrow.string())])
    return {"translation": pyarrow.array([dict(zip(("en", "de"), pair)) for pair in pairs], texts)}


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_folder_of_tables_gives_each_split_its_own(tmp_path, write_parquet, ending):
    expected = {}
    for split, count in (("train", 6), ("validation", 2), ("test", 2)):
        texts = [(f"{split} {n}", f"{n} auf deutsch") for n in range(count)]
        expected[split] = texts
        if ending == ".csv":
            lines = ["en,de", *map(",".join, texts)]
            (tmp_path / f"{split}.csv").write_text("\n".join(lines), encoding="utf-8")
        else:
            write_parquet(tmp_path / f"{split}-00000-of-00001.parquet", translations(texts))
    pairs = open_pairs(str(tmp_path), None)
    assert {split: [pair[:2] for pair in pairs(split)] for split in expected} == expected
    turned = open_pairs(str(tmp_path), None, columns="de,en")
    assert turned("test")[0][:2] == expected["test"][0][::-1]


def test_shards_of_a_split_are_one_table(tmp_path, write_shards):
    for split, count in (("train", 4), ("validation", 1), ("test", 2)):
        pairs = [(f"{split} {n}", f"{n} auf deutsch") for n in range(8)]
        write_shards(tmp_path / "data", split, translations(pairs), count=count)
    pairs = open_pairs(str(tmp_path), None)
    for split in SPLITS:
        assert {pair[:2] for pair in pairs(split)} == {
            (f"{split} {n}", f"{n} auf deutsch") for n in range(8)
        }


def test_files_of_languages_come_before_tables_beside_them(tmp_path):
    for language in ("de", "en"):
        lines = [f"{language} {n}" for n in range(9)]
        (tmp_path / f"{language}.train.txt").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "train.csv").write_text("name,size\nde,9\nen,9", encoding="utf-8")
    pairs = open_pairs(str(tmp_path), None)
    assert sorted(pair.source for split in SPLITS for pair in pairs(split)) == [
        f"de {n}" for n in range(9)
    ]


def test_a_row_without_a_target_is_refused_by_what_it_lacks(tmp_path, write_parquet):
    pairs = [(f"text {n}", None if n == 3 else f"Text {n}") for n in range(9)]
    path = write_parquet(tmp_path / "a.parquet", translations(pairs))
    with pytest.raises(
        UserError, match=r"line 4 of .* nothing in column 2 \(de\), but 'text 3' in"
    ):
        open_pairs(str(path), None, columns="en,de")


def test_columns_are_taken_once_and_not_for_each_row(tmp_path, monkeypatch):
    path = tmp_path / "a.tsv"
    path.write_text("".join(f"text {n}\tText {n}\n" for n in range(50)), encoding="utf-8")
    taken, cells = [], Table.cells
    monkeypatch.setattr(Table, "cells", lambda *args: taken.append(args) or cells(*args))
    assert len(read_file(path)["train"]) == 50
    assert len(taken) < 10
