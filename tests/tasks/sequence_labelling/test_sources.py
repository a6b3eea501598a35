import pytest
import tensorflow_datasets as tfds

from tasks.sequence_labelling.sources import find_files, read_sentences
from zoo.errors import UserError


def names(found):
    return {split: path.name for split, path in found.items()}


@pytest.mark.parametrize(
    "files",
    [
        ("en_ewt-ud-train.conllu", "en_ewt-ud-dev.conllu", "en_ewt-ud-test.conllu"),
        ("train.conllu.gz", "dev.conllu.gz", "test.conllu.gz"),
        ("eng.train", "eng.testa", "eng.testb"),
        ("train.txt", "valid.txt", "test.txt"),
        ("training.tsv", "validation.tsv", "test.tsv"),
        ("ned.train.bio", "ned.devel.bio", "ned.test.bio"),
        ("TRAIN.CONLLU", "DEV.CONLLU", "TEST.CONLLU"),
    ],
)
@pytest.mark.parametrize("given", ["folder", "file"])
def test_the_parts_of_a_data_set_are_found_by_name(tmp_path, files, given):
    for file in files:
        (tmp_path / file).touch()
    path = tmp_path if given == "folder" else tmp_path / files[0]
    assert names(find_files(path)) == dict(zip(("train", "validation", "test"), files))


def test_beside_conllu_no_other_files_are_looked_at(treebank):
    assert names(find_files(treebank))["train"] == "en_toy-ud-train.conllu.gz"


def test_a_file_for_training_goes_with_those_named_as_it_is(tmp_path):
    for file in ("a.train.conll", "a.dev.conll", "b.train.conll", "b.dev.conll", "b.test.conll"):
        (tmp_path / file).touch()
    assert set(find_files(tmp_path / "a.train.conll")) == {"train", "validation"}
    with pytest.raises(UserError, match=r"a.dev.conll and b.dev.conll for validation: give"):
        find_files(tmp_path)


def test_a_file_named_just_by_its_part_goes_before_others(tmp_path):
    for file in ("train.txt", "training-notes.txt", "test-old.txt", "test.txt"):
        (tmp_path / file).touch()
    assert names(find_files(tmp_path)) == {"train": "train.txt", "test": "test.txt"}


@pytest.mark.parametrize(
    ("files", "given", "said"),
    [
        (("test.conll",), ".", "has no file for training, such as train.conllu: found test.conll"),
        ((), ".", "has no file for training, such as train.conllu: found none"),
        (("x.test.conll",), "x.test.conll", "is by its name for test: give the file for training"),
    ],
)
def test_without_a_file_for_training_it_says_so(tmp_path, files, given, said):
    for file in files:
        (tmp_path / file).touch()
    with pytest.raises(UserError, match=said):
        find_files(tmp_path / given)


def test_what_is_named_as_a_file_is_no_data_set():
    with pytest.raises(UserError, match=r"there is no file or folder mine/words.conll"):
        read_sentences("mine/words.conll", None)


def test_sentences_of_a_single_file_stay_on_their_side_as_it_grows(tmp_path):
    path = tmp_path / "all.conll"

    def read(numbers):
        path.write_text("".join(f"word{n} NOUN\n\n" for n in numbers))
        parts = read_sentences(str(path), None)
        return {split: {each.words[0] for each in part} for split, part in parts.items()}

    before, after = read(range(100)), read([*range(300, 400), *range(200)])
    for split in ("train", "validation", "test"):
        assert before[split] and before[split] <= after[split]


def test_equal_sentences_of_a_single_file_stay_together(tmp_path):
    path = tmp_path / "all.conll"
    path.write_text("".join(f"word{n % 10} NOUN\n\n" for n in range(0, 210, 3)))
    parts = [{each.words[0] for each in part} for part in read_sentences(str(path), None).values()]
    assert sum(map(len, parts)) == 10 and all(parts)


def test_only_the_part_that_is_missing_is_cut(tmp_path, conllu):
    (tmp_path / "train.conllu").write_text(conllu(0, 10))
    (tmp_path / "dev.conllu").write_text(conllu(10, 20))
    read = read_sentences(str(tmp_path), None)
    assert len(read["train"]) + len(read["test"]) == 10 == len(read["validation"])
    assert read["test"]


def test_a_few_sentences_are_too_few_to_be_cut(tmp_path, conllu):
    path = tmp_path / "all.conllu"
    path.write_text(conllu(0, 2))
    with pytest.raises(UserError, match=r"has 2 different sentences and no validation and test"):
        read_sentences(str(path), None)


def test_the_scheme_of_conll_2003_becomes_bio(conll):
    second = read_sentences(str(conll), None)["train"][1]
    assert second.tags == ["B-PER", "I-PER", "B-PER"]


class ToyTags(tfds.core.GeneratorBasedBuilder):
    """Two words, tagged twice."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        tags = tfds.features.Sequence(tfds.features.ClassLabel(names=["O", "B-LOC"]))
        text = tfds.features.Sequence(tfds.features.Text())
        features = {"tokens": text, "ner": tags, "xpos": text}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples() for split in ("train", "validation", "test")}

    def _generate_examples(self):
        yield 0, {"tokens": ["in", "Rome"], "ner": [0, 1], "xpos": ["IN", "NNP"]}


@pytest.mark.parametrize(
    ("column", "tags"), [("", ["O", "B-LOC"]), ("ner", ["O", "B-LOC"]), ("xpos", ["IN", "NNP"])]
)
def test_a_data_set_by_name_has_tokens_and_tags(tmp_path, column, tags):
    ToyTags(data_dir=tmp_path).download_and_prepare()
    (sentence,) = read_sentences("toy_tags", str(tmp_path), column)["test"]
    assert sentence.words == ["in", "Rome"] and sentence.tags == tags
    assert sentence.place == "example 1 of test of toy_tags"


def test_a_data_set_without_tags_is_refused(tmp_path):
    ToyTags(data_dir=tmp_path).download_and_prepare()
    with pytest.raises(UserError, match=r"has tokens, ner, xpos: choose one that has pos"):
        read_sentences("toy_tags", str(tmp_path), "pos")


def test_where_words_and_tags_stand_is_decided_on_the_training_part(tmp_path):
    (tmp_path / "train.txt").write_text("".join(f"{n} w{n} X\n{n} v O\n\n" for n in range(9)))
    (tmp_path / "dev.txt").write_text("1 7 X\n2 8 O\n")
    (tmp_path / "test.txt").write_text("1 w O\n2 X\n")
    with pytest.raises(UserError, match=r"line 2 of .*test.txt has 2 columns, but 3 are needed"):
        read_sentences(str(tmp_path), None)
    (tmp_path / "test.txt").write_text("1 w O\n")
    assert read_sentences(str(tmp_path), None)["validation"][0].words == ["7", "8"]
