from itertools import chain

import pytest

from tasks.common.splits import SPLITS
from tasks.language_modelling.json_texts import read_texts
from tasks.language_modelling.sources import Source
from zoo.errors import UserError


def test_the_text_of_each_object_is_read(tmp_path, write_json_lines):
    path = write_json_lines(
        tmp_path / "a.jsonl",
        {"url": "x", "text": "one\n = two = \n"},
        {"content": "三"},
        {"text": None},
        {"text": " "},
    )
    assert list(read_texts(path)) == ["one\n = two = \n", "三\n"]


@pytest.mark.parametrize("members", [{"body": "a"}, {"text": ["a"]}, {}])
def test_an_object_without_a_text_is_refused(tmp_path, write_json_lines, members):
    path = write_json_lines(tmp_path / "a.jsonl", {"text": "a"}, members)
    with pytest.raises(UserError, match=r"line 2 has .*, but a text is needed") as raised:
        list(read_texts(path))
    assert "\n" not in str(raised.value)


def test_each_text_is_of_one_split_and_equal_ones_stay_together(tmp_path, write_json_lines):
    texts = [f"text {number % 40}" for number in range(80)]
    path = write_json_lines(tmp_path / "a.jsonl", *({"text": text} for text in texts))
    source = Source(str(path), None, "character")
    parts = {split: list(source.pieces(split)) for split in ("train", "validation", "test")}
    assert all(starts for pieces in parts.values() for _, starts in pieces)
    split = {text: part for part, pieces in parts.items() for text, _ in pieces}
    assert sorted(split) == sorted(f"{text}\n" for text in {*texts})
    assert sum(map(len, parts.values())) == 80 and {*split.values()} == {*parts}


def test_rows_of_parquet_are_documents_too(tmp_path, write_parquet):
    texts = [f"text {number}" for number in range(80)]
    (tmp_path / "data").mkdir()
    path = write_parquet(tmp_path / "data/train.parquet", {"text": texts, "n": [*range(80)]})
    for given in (path, path.parent):
        source = Source(str(given), None, "character")
        parts = [text for split in SPLITS for text, _ in source.pieces(split)]
        assert sorted(parts) == sorted(f"{text}\n" for text in texts)


def test_shards_of_a_split_are_one_table(tmp_path, write_shards):
    texts = {split: [f"{split} {n}" for n in range(60)] for split in SPLITS}
    for split, count in zip(SPLITS, (3, 1, 2)):
        first = write_shards(tmp_path / "all/data", split, {"text": texts[split]}, count=count)
    (tmp_path / "all/README.md").write_text("# Texts")
    for path in (tmp_path / "all", first.with_name("train-00000-of-00003.parquet")):
        source = Source(str(path), None, "character")
        for split in SPLITS:
            expected = sorted(f"{text}\n" for text in texts[split])
            assert sorted(text for text, _ in source.pieces(split)) == expected
    write_shards(tmp_path / "one/data", "train", {"text": texts["train"]})
    (tmp_path / "one/README.md").write_text("# Texts")
    source = Source(str(tmp_path / "one"), None, "character")
    parts = [sorted(text for text, _ in source.pieces(split)) for split in SPLITS]
    assert all(parts)
    assert sorted(chain(*parts)) == sorted(f"{text}\n" for text in texts["train"])
