import pytest

from tasks.sequence_labelling.json_sentences import read_json_sentences
from tasks.sequence_labelling.sources import read_sentences
from zoo.errors import UserError


def test_each_object_is_a_sentence(tmp_path, write_json_lines):
    names = ["B-PER", "O", "B-LOC"]
    path = write_json_lines(
        tmp_path / "a.jsonl",
        {"id": 1, "tokens": ["Ana", "en", "Lima 2"], "ner_tags": names, "kind": ["x", "y", "x"]},
        {"tokens": [], "ner_tags": [], "kind": []},
        {"tokens": ["5"], "ner_tags": ["O"], "kind": ["z"]},
    )
    sentences = read_json_sentences(path)
    assert [each.words for each in sentences] == [["Ana", "en", "Lima 2"], ["5"]]
    assert [each.tags for each in sentences] == [names, ["O"]]
    assert sentences[1].place == f"line 3 of {path}"
    (first, _) = read_json_sentences(path, "kind", "ner_tags")
    assert (first.words, first.tags) == (names, ["x", "y", "x"])


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"tokens": ["a"], "tags": ["X", "Y"]}, "line 2 of .* has 1 words and 2 tags"),
        ({"tokens": ["a"]}, "has tokens, but none is called tags or ner: say with tag_column"),
        ({"text": "a", "tags": ["X"]}, "none is called tokens or words: say with word_column"),
        ({"tokens": "a", "tags": ["X"]}, "tokens is no list of texts"),
        ({"tokens": ["a"], "tags": "X"}, "tags is no list of texts"),
        ({"tokens": ["a", "b"], "tags": ["X", None]}, "line 2 of .*: tags has nothing for word 2"),
    ],
)
def test_what_is_no_sentence_is_refused_in_one_line(tmp_path, write_json_lines, members, message):
    path = write_json_lines(tmp_path / "a.jsonl", {"tokens": ["b"], "tags": ["X"]}, members)
    with pytest.raises(UserError, match=message) as raised:
        read_json_sentences(path)
    assert "\n" not in str(raised.value)


def test_tags_that_are_only_counted_are_refused(tmp_path, write_json_lines):
    path = write_json_lines(tmp_path / "a.jsonl", {"tokens": ["a", "b"], "ner_tags": [0, 3]})
    with pytest.raises(UserError, match=r"the tags of .* are numbers"):
        read_json_sentences(path)


def test_the_files_of_a_folder_are_its_splits(tmp_path, write_json_lines):
    for part in ("train", "validation", "test"):
        write_json_lines(tmp_path / f"{part}.jsonl", {"words": [part], "pos": ["NOUN"]})
    parts = read_sentences(str(tmp_path), None)
    assert {split: each.words for split, (each,) in parts.items()} == {
        split: [split] for split in ("train", "validation", "test")
    }


def test_a_part_may_be_of_columns_beside_others_in_json(tmp_path, write_json_lines):
    for part in ("train", "validation"):
        write_json_lines(tmp_path / f"{part}.jsonl", {"words": [part, "b"], "pos": ["X", "Y"]})
    (tmp_path / "test.conll").write_text("test X\nb Y\n")
    parts = read_sentences(str(tmp_path), None)
    assert {split: each.tags for split, (each,) in parts.items()} == {
        split: ["X", "Y"] for split in ("train", "validation", "test")
    }
    assert [each.words[0] for (each,) in parts.values()] == [*parts]


def test_rows_of_parquet_are_sentences_whose_tags_have_names(tmp_path, write_parquet):
    tags = {"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"}, "_type": "Sequence"}
    for part in ("train", "validation", "test"):
        write_parquet(
            tmp_path / f"{part}-00000-of-00001.parquet",
            {"tokens": [[part, "Ana"], ["b"]], "ner_tags": [[0, 1], [0]]},
            {"ner_tags": tags},
        )
    parts = read_sentences(str(tmp_path), None)
    for part, sentences in parts.items():
        assert [each.words for each in sentences] == [[part, "Ana"], ["b"]]
        assert [each.tags for each in sentences] == [["O", "B-PER"], ["O"]]
    path = write_parquet(tmp_path / "bare/a.parquet", {"tokens": [["a"]], "ner_tags": [[1]]})
    with pytest.raises(UserError, match=r"the tags of .* are numbers"):
        read_json_sentences(path)


def test_shards_of_a_split_are_one_table(tmp_path, write_shards):
    for part, count in (("train", 3), ("validation", 1), ("test", 2)):
        columns = {"tokens": [[part, str(n)] for n in range(6)], "ner_tags": [["O", "B-PER"]] * 6}
        first = write_shards(tmp_path / "data", part, columns, count=count)
    train = first.with_name("train-00000-of-00003.parquet")
    for path in (tmp_path, tmp_path / "data", train):
        parts = read_sentences(str(path), None)
        for part, sentences in parts.items():
            assert sorted(each.words for each in sentences) == [[part, str(n)] for n in range(6)]
    assert parts["train"][2].words == ["train", "1"]
    assert parts["train"][2].place == f"line 3 of {train.with_name('train-*-of-00003.parquet')}"


def test_which_of_several_lists_are_the_tags_is_told(tmp_path, write_json_lines, capsys):
    members = {"tokens": ["a", "b"], "form": ["a", "b"], "pos": ["X", "Y"], "id": "1"}
    more = {"fine_ner": ["O", "O"], "ner": ["O", "O"], "offsets": [0], "boxes": [[1], [2]]}
    write_json_lines(tmp_path / "a.jsonl", {**members, **more})
    read_json_sentences(tmp_path / "a.jsonl")
    expected = "ner are the tags, not pos or fine_ner; tag_column=... takes others"
    assert expected in capsys.readouterr().err
    read_json_sentences(tmp_path / "a.jsonl", "ner")
    read_json_sentences(write_json_lines(tmp_path / "b.jsonl", members))
    assert not capsys.readouterr().err
