import gzip

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tasks.text_classification.sources import SPLITS, read_texts
from tasks.text_classification.table import read_examples
from tasks.text_classification.task import TextClassification
from zoo.errors import UserError


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def rows(count, labels=("neg", "pos")):
    return "".join(f"text {n},{labels[n % len(labels)]}\n" for n in range(count))


def read(path, **columns):
    return read_texts(str(path), None, **columns)


def sizes(found):
    return {split: len(found[split]) for split in SPLITS}


def test_a_file_is_split_with_each_label_alike_and_equal_texts_together(tmp_path):
    path = written(tmp_path / "a.csv", "text,label\n" + rows(40) + rows(40))
    found = read(path)
    assert sum(sizes(found).values()) == 80
    texts = [{each.text for each in found[split]} for split in SPLITS]
    assert sum(map(len, texts)) == 40 and min(map(len, texts)) >= 2
    assert all({each.label for each in part} == {"neg", "pos"} for part in found.values())
    assert found == read(path)


def test_labels_that_differ_by_case_only_are_told(tmp_path, capsys):
    read(written(tmp_path / "a.csv", "text,label\n" + rows(40, ("neg", "pos", "Neg"))))
    assert "Neg and neg differ by case only" in capsys.readouterr().err
    read(written(tmp_path / "a.csv", "text,label\n" + rows(40)))
    assert "differ by case" not in capsys.readouterr().err


def test_a_text_stays_on_its_side_when_rows_are_added_anywhere(tmp_path):
    path = written(tmp_path / "a.csv", "text,label\n" + rows(100))
    before = read(path)
    written(path, "text,label\nnew,pos\n" + rows(50) + "newer,neg\n" + rows(300))
    after = read(path)
    for split in SPLITS:
        assert {each.text for each in before[split]} <= {each.text for each in after[split]}


def test_texts_of_one_speaker_stay_together(tmp_path):
    lines = [f"text {n},{'ab'[n % 2]},speaker {n % 12}" for n in range(60)]
    found = read(written(tmp_path / "a.csv", "\n".join(["text,label,Speaker", *lines])))
    speakers = [{each.group for each in found[split]} for split in SPLITS]
    assert sum(map(len, speakers)) == 12 and all(speakers)


def test_a_column_split_says_where_a_row_belongs(tmp_path):
    lines = ["split,label,text", "train,a,x", "train,b,y", "dev,a,z", "test,b,v", "TEST,a,w"]
    found = read(written(tmp_path / "a.csv", "\n".join(lines)))
    assert [each.text for each in found["validation"]] == ["z"]
    assert [each.text for each in found["test"]] == ["v", "w"]
    wrong = written(tmp_path / "b.csv", "split,label,text\ntrain,a,x\nbla,b,y\n")
    with pytest.raises(UserError, match=r"b.csv, line 3 has the split 'bla', but train"):
        read(wrong)


def test_a_folder_of_tables_gives_each_split_its_own(tmp_path):
    written(tmp_path / "train.tsv", "Label\tSentence\na\tx\nb\ty\n")
    written(tmp_path / "dev.tsv", "Label\tSentence\na\tz\n")
    with gzip.open(tmp_path / "test.tsv.gz", "wt", encoding="utf-8") as file:
        file.write("Label\tSentence\nb\tw\n")
    assert sizes(read(tmp_path)) == {"train": 2, "validation": 1, "test": 1}


def test_a_folder_of_parquet_gives_texts_and_the_names_of_their_labels(
    tmp_path, write_parquet, capsys
):
    label = {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}
    for split, count in (("train", 12), ("validation", 4), ("test", 4)):
        columns = {
            "text": [f"{split} {n}" for n in range(count)],
            "label": [n % 2 for n in range(count)],
        }
        write_parquet(tmp_path / f"{split}-00000-of-00001.parquet", columns, label)
    write_parquet(tmp_path / "unsupervised.parquet", {"text": ["x"], "label": [-1]}, label)
    parts = read_texts(str(tmp_path), None)
    assert "left out 1 table whose name speaks of no split" in capsys.readouterr().err
    assert {split: [(row.text, row.label) for row in rows] for split, rows in parts.items()} == {
        split: [(f"{split} {n}", ("neg", "pos")[n % 2]) for n in range(count)]
        for split, count in (("train", 12), ("validation", 4), ("test", 4))
    }


def test_shards_of_a_split_are_one_table(tmp_path, write_shards):
    label = {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}
    for split, count in (("train", 3), ("test", 2)):
        texts = [f"{split} {n}" for n in range(60)]
        columns = {"text": texts, "label": [n // 3 % 2 for n in range(60)]}
        first = write_shards(tmp_path / "data", split, columns, label, count)
    written(tmp_path / "README.md", "# Texts")
    parts = read(tmp_path)
    assert sizes(parts)["test"] == 60 and parts["test"][0].text == "test 0"
    assert sizes(parts)["train"] + sizes(parts)["validation"] == 60
    assert parts["test"][31].place == f"{first.with_name('test-*-of-00002.parquet')}, line 32"
    alone = read(first.with_name("train-00001-of-00003.parquet"))
    assert sorted(each.text for rows in alone.values() for each in rows) == sorted(
        f"train {n}" for n in range(60)
    )
    first.with_name("train-00002-of-00003.parquet").unlink()
    with pytest.raises(UserError, match=r"but no train-00002-of-00003\.parquet"):
        read(tmp_path)


def test_a_folder_called_data_beside_other_data_is_passed_over(tmp_path, write_shards):
    write_shards(tmp_path / "data", "train", {"text": [*"abcdef"], "label": [*"xyxyxy"]})
    for label in ("bad", "good"):
        for n in range(9):
            written(tmp_path / label / f"{n}.txt", f"{label} {n}")
    assert {each.label for each in read(tmp_path)["train"]} == {"bad", "good"}


def test_a_folder_like_that_of_aclimdb_is_read(tmp_path, capsys):
    for split, label, number in [
        (split, label, number)
        for split in ("train", "test")
        for label in ("neg", "pos")
        for number in range(20)
    ]:
        written(tmp_path / split / label / f"{number}_7.txt", f"{split} {label}\n{number}")
    written(tmp_path / "train" / "unsup" / "0_0.txt", "no label")
    written(tmp_path / "train" / "pos" / "blank.txt", " \n")
    written(tmp_path / "train" / "urls_pos.txt", "http://")
    found = read(tmp_path)
    assert len(found["train"]) + len(found["validation"]) == 40 == len(found["test"])
    assert {each.label for each in found["train"]} == {"neg", "pos"}
    assert all(each.text.startswith("train") for each in found["validation"])
    said = capsys.readouterr().err
    assert "left out 1 empty texts" in said
    assert f"left out 2 files and folders of {tmp_path / 'train'} that are no .txt" in said


def test_texts_named_in_capitals_are_read_and_what_is_left_out_is_counted(tmp_path, capsys):
    for label, number in [(label, number) for label in "ab" for number in range(10)]:
        written(tmp_path / label / f"{number}.TXT", f"{label}{number}")
    written(tmp_path / "b" / "notes.md", "no text")
    written(tmp_path / "c" / "0.doc", "no text")
    assert sum(sizes(read(tmp_path)).values()) == 20
    assert "left out 2 files and folders" in (said := capsys.readouterr().err)
    assert "such as b/notes.md" in said


def test_a_folder_of_one_folder_a_label_is_read(tmp_path):
    for label, number in [(label, number) for label in "abc" for number in range(10)]:
        written(tmp_path / label / f"{number}.txt", f"{label}{number}")
    assert sum(sizes(read(tmp_path)).values()) == 30
    assert all(len({each.label for each in part}) == 3 for part in read(tmp_path).values())
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UserError, match=r"no folders of \.txt files"):
        read(empty)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_what_sets_columns_apart_is_found_and_quotation_holds_anything(tmp_path, delimiter):
    quoted = f'"two\nlines, ""said""{delimiter} she"'
    text = delimiter.join(["label", "text"]) + f"\npos{delimiter}{quoted}\n\nneg{delimiter}x y\n"
    first, second = read_examples(written(tmp_path / "a.csv", text))
    assert first[:2] == (f'two\nlines, "said"{delimiter} she', "pos")
    assert second[:3] == ("x y", "neg", f"{tmp_path / 'a.csv'}, line 5")


def test_tabs_without_quotation_hold_any_mark(tmp_path):
    path = written(tmp_path / "a.tsv", 'text\tlabel\n"Great" film\tpos\n"what\tneg\n')
    assert [row.text for row in read_examples(path)] == ['"Great" film', '"what']


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\x0c", "\x0b", "\x1c"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_end_at_line_breaks_only(tmp_path, sign, ending):
    path = tmp_path / "a.csv"
    text = ending.join(["text,label", f"one{sign}two,pos", "three,neg", ""])
    path.write_bytes(text.encode())
    first, second = read_examples(path)
    assert first[:2] == (f"one{sign}two", "pos")
    assert second.place == f"{path}, line 3"


def test_columns_go_by_the_names_given(tmp_path):
    path = written(
        tmp_path / "a.csv", "id,body,stars\n" + "".join(f"{n},t{n},{n % 2}\n" for n in range(9))
    )
    with pytest.raises(UserError, match=r"columns id, body, stars, but none is called text or"):
        read(path)
    with pytest.raises(UserError, match="label_column"):
        read(path, text_column="body")
    found = read(path, text_column="body", label_column="stars")
    assert ("t0", "0") in {each[:2] for part in found.values() for each in part}
    assert read(path, text_column="2", label_column="3") == found
    with pytest.raises(UserError, match="none is called 4"):
        read(path, text_column="body", label_column="4")


def test_columns_without_names_are_chosen_by_number(tmp_path):
    lines = [f"gj04\t{n % 2}\t*\ttext {n}" for n in range(20)]
    path = written(tmp_path / "cola.tsv", "\n".join(lines))
    with pytest.raises(UserError, match="has the columns gj04, 0"):
        read(path)
    found = read(path, text_column="4", label_column="2")
    assert sum(sizes(found).values()) == 20
    assert {each.label for each in found["train"]} == {"0", "1"}


def test_an_index_is_no_class_and_a_number_no_text(tmp_path, capsys):
    lines = [f"text {n},{n},{n % 3}" for n in range(30)]
    path = written(tmp_path / "a.csv", "\n".join(["text,label,stars", *lines]))
    with pytest.raises(UserError, match=r"column 2 \(label\) has 30 different numbers in 30 rows"):
        read(path)
    assert len(read(path, label_column="stars")["train"]) < 30
    with pytest.raises(UserError, match=r"column 2 \(text\) holds numbers, not texts: say with"):
        read(written(tmp_path / "b.csv", "label,text\na,1\nb,2\na,3\n"))
    written(tmp_path / "c.csv", "label,id\n" + "".join(f"{'ab'[n % 2]},{n}\n" for n in range(9)))
    read(tmp_path / "c.csv", text_column="id")
    assert "column 2 (id) holds numbers only" in capsys.readouterr().err


def test_a_file_a_label_with_a_text_on_each_line_is_told(tmp_path, capsys):
    for label in ("Arabic", "Czech"):
        written(tmp_path / f"{label}.txt", "".join(f"{label} {n}\n" for n in range(20)))
    found = read(tmp_path)
    assert sum(sizes(found).values()) == 40
    assert "each of its 2 .txt files is a label, each line a text" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\na,x\nb,c,x\n", "line 3 has 3 fields, but the first row has 2"),
        ('text,label\na,x\n"b,x\nc,x\n', "line 3 has a quotation mark that is not closed"),
        ('text,label\n"a"b,x\n', "line 2 is no row of fields"),
        ("text,label\na,x\nb,x\nc,x\n", r"has 1 labels to learn \(x\), but at least 2"),
        ("text,label\na,x\nb,x\nc,y\nd,y\n", "has no texts for test, and too few .* 3 different"),
        ("text,label\n", "has 0 labels to learn, but at least 2"),
        ("", "is empty"),
        ("split,text,label\ntrain,a,x\ntrain,b,y\ntest,c,z\nvalid,d,x\n", "line 4, for test.*'z'"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path, content, message):
    with pytest.raises(UserError, match=message) as raised:
        read(written(tmp_path / "a.csv", content))
    assert "a.csv" in str(raised.value) and "\n" not in str(raised.value)


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("text,label\nGrüße,x\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"a\.csv is not UTF-8 text"):
        read(path)
    with pytest.raises(UserError, match="there is no file or folder"):
        read(tmp_path / "b.csv")
    with pytest.raises(UserError, match=r"there is no file or folder nope\.csv"):
        read("nope.csv")


def test_empty_texts_and_labels_are_left_out_and_counted(tmp_path, capsys):
    path = written(tmp_path / "a.csv", "text,label\n" + rows(20) + " ,pos\nx,\n,neg\n")
    assert sum(sizes(read(path)).values()) == 20
    said = capsys.readouterr().err
    assert "left out 2 empty texts and 1 texts without a label of train" in said
    assert f"{path}, line 22" in said


def test_a_label_of_one_text_is_left_out_and_named(tmp_path, capsys):
    path = written(tmp_path / "a.csv", "text,label\n" + rows(20) + "once,rare\n")
    found = read(path)
    assert {each.label for part in found.values() for each in part} == {"neg", "pos"}
    assert "left out the labels of one text each: rare" in capsys.readouterr().err


class HiddenTest(tfds.core.GeneratorBasedBuilder):
    """Sentences whose test keeps its labels to itself, as those of GLUE do."""

    VERSION = tfds.core.Version("1.0.0")
    SPLITS = ("train", "validation", "test")

    def _info(self):
        features = {
            "sentence": tfds.features.Text(),
            "idx": np.int32,
            "label": tfds.features.ClassLabel(names=["negative", "positive"]),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in self.SPLITS}

    def _generate_examples(self, split):
        for n in range(40 if split == "train" else 10):
            label = -1 if split == "test" else n % 2
            yield n, {"sentence": f"{split} {n}", "idx": n, "label": label}


def test_a_data_set_by_name_whose_test_has_no_labels_gives_up_some_of_its_training(tmp_path):
    HiddenTest(data_dir=tmp_path).download_and_prepare()
    found = read_texts("hidden_test", str(tmp_path))
    assert len(found["train"]) + len(found["test"]) == 40 and len(found["validation"]) == 10
    assert all(each.text.startswith("train") for each in found["test"])
    assert {each.label for each in found["train"]} == {"negative", "positive"}
    with pytest.raises(UserError, match="choose one that has"):
        read_texts("hidden_test", str(tmp_path), text_column="words")
    with pytest.raises(UserError, match="the feature idx of the data set hidden_test is no text"):
        read_texts("hidden_test", str(tmp_path), text_column="idx")


class NoValidation(HiddenTest):
    """Sentences for training alone, as those of some data sets."""

    SPLITS = ("train",)


def test_a_data_set_by_name_of_one_split_is_cut_without_a_loss(tmp_path):
    NoValidation(data_dir=tmp_path).download_and_prepare()
    found = read_texts("no_validation", str(tmp_path))
    assert all(sizes(found).values())
    assert len({each.text for part in found.values() for each in part}) == 40


def test_a_run_records_its_rule_of_splits_and_one_of_before_is_told(tmp_path, capsys):
    path = written(tmp_path / "a.csv", "text,label\n" + rows(200))
    config = TextClassification(str(path)).get_config()
    assert config["split_rule"] == "hash"
    TextClassification(**config).examples()
    assert "another rule" not in capsys.readouterr().err
    del config["split_rule"]
    TextClassification(**config).examples()
    assert "was trained when splits were made by another rule" in capsys.readouterr().err


def test_tables_of_no_split_are_named(tmp_path, write_parquet):
    columns = {"text": ["a", "b"], "label": ["x", "y"]}
    for name in ("part-0.snappy.parquet", "part-1.snappy.parquet"):
        write_parquet(tmp_path / name, columns)
    with pytest.raises(UserError, match=r"has part-0.*, part-1.*call that .* train\.parquet"):
        read_texts(str(tmp_path), None)
