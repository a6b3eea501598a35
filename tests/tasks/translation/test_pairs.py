import pytest

from tasks.common.splits import SPLITS
from tasks.translation.pairs import open_pairs


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
            pairs = [dict(zip(("en", "de"), pair)) for pair in texts]
            write_parquet(tmp_path / f"{split}-00000-of-00001.parquet", {"translation": pairs})
    pairs = open_pairs(str(tmp_path), None)
    assert {split: [pair[:2] for pair in pairs(split)] for split in expected} == expected
    turned = open_pairs(str(tmp_path), None, columns="de,en")
    assert turned("test")[0][:2] == expected["test"][0][::-1]


def test_shards_of_a_split_are_one_table(tmp_path, write_shards):
    for split, count in (("train", 4), ("validation", 1), ("test", 2)):
        pairs = [{"en": f"{split} {n}", "de": f"{n} auf deutsch"} for n in range(8)]
        write_shards(tmp_path / "data", split, {"translation": pairs}, count=count)
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
