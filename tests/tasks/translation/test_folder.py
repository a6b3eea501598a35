import gzip

import pytest

from tasks.translation.folder import Folder, choose
from tasks.translation.pairs import Pair, open_pairs
from tasks.translation.task import Translation
from zoo.errors import UserError
from zoo.training.settings import Settings


def write(folder, **files):
    """`de_train=["eins"]` is the file de.train.txt with one line."""
    for name, lines in files.items():
        path = folder / f"{name.replace('_', '.')}.txt"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder


def numbers(word, count=30):
    return [f"{word} {n}" for n in range(count)]


@pytest.fixture
def whole(tmp_path):
    write(tmp_path, de_train=["eins", "zwei"], en_train=["one", "two"])
    write(tmp_path, de_dev=["drei"], en_dev=["three"])
    return write(tmp_path, de_test=["vier"], en_test=["four"])


def test_a_folder_has_a_file_for_each_language_and_split(whole):
    splits = {split: open_pairs(str(whole), None)(split) for split in ("train", "validation")}
    assert splits["train"] == [Pair("eins", "one"), Pair("zwei", "two")]
    assert splits["validation"] == [Pair("drei", "three")]
    assert open_pairs(str(whole), None, source="en")("test") == [Pair("four", "vier")]


@pytest.mark.parametrize("name", ["valid", "val", "validation", "dev", "newsdev2013", "Devel"])
def test_a_split_has_several_names_and_files_may_be_packed(tmp_path, name):
    for split, text in (("train", "a\n" * 20), (name, "b\n"), ("test", "c\n")):
        for language in ("de", "en"):
            (tmp_path / f"{split}.{language}.gz").write_bytes(gzip.compress(text.encode()))
    parts = Folder(tmp_path).read("de", "en")
    assert parts["validation"] == [("b", "b")] and len(parts["train"]) == 20


def test_files_are_named_as_those_of_multi30k_or_in_capitals(tmp_path, capsys):
    for name in ("train", "VAL", "test_2016_flickr", "test_2017_flickr"):
        for language in ("en", "de"):
            (tmp_path / f"{name}.{language}").write_text(f"{name} {language}\n")
    parts = Folder(tmp_path).read("de", "en")
    assert parts["test"] == [("test_2016_flickr de", "test_2016_flickr en")]
    assert parts["validation"] == [("VAL de", "VAL en")]
    assert "left out test_2017_flickr.en, as test_2016_flickr.en is" in capsys.readouterr().err


SPLITS = ("train", "validation", "test")


def test_splits_without_files_are_taken_from_train_and_stay_as_it_grows(tmp_path):
    def read(count):
        write(tmp_path, de_train=numbers("Ei", count), en_train=numbers("egg", count))
        return {split: {*open_pairs(str(tmp_path), None)(split)} for split in SPLITS}

    before, after = read(200), read(400)
    for split in SPLITS:
        assert before[split] and before[split] <= after[split]
    assert set.union(*after.values()) == {Pair(f"Ei {n}", f"egg {n}") for n in range(400)}
    write(tmp_path, de_dev=["drei"], en_dev=["three"])
    whole = read(400)
    assert whole["validation"] == {Pair("drei", "three")} and whole["test"] == after["test"]
    assert whole["train"] == after["train"] | after["validation"]


def test_pairs_of_one_source_are_on_one_side_of_a_cut(tmp_path):
    write(tmp_path, de_train=numbers("Ei", 25) * 3, en_train=numbers("egg", 75))
    parts = [open_pairs(str(tmp_path), None)(split) for split in SPLITS]
    assert sum(map(len, parts)) == 75
    assert sum(len({pair.source for pair in part}) for part in parts) == 25


def test_lines_end_at_line_breaks_only(tmp_path):
    # What else Python would split a line at.
    odd = ["a\u2028b", "c\x0bd", "e\x85f"]
    german = [*odd, *numbers("Ei")]
    folder = Folder(write(tmp_path, de_train=german, en_train=numbers("egg", 33)))
    assert [source for source, _ in folder.read("de", "en")["train"][:3]] == odd


def test_blank_lines_are_skipped_and_counted(tmp_path, capsys):
    german, english = numbers("Ei"), numbers("egg")
    german[4], english[7], german[9], english[9] = "", "  ", "", ""
    folder = Folder(write(tmp_path, de_train=[*german, "", ""], en_train=english))
    kept = [n for n in range(30) if n not in (4, 7, 9)]
    assert folder.read("de", "en")["train"] == [(f"Ei {n}", f"egg {n}") for n in kept]
    told = capsys.readouterr().err
    assert "de.train.txt and en.train.txt: skipped 3 lines" in told and "line 5" in told


def test_sides_of_different_length_are_told_with_both_counts_and_the_line(whole):
    write(whole, de_train=numbers("Ei"), en_train=numbers("egg")[:29])
    with pytest.raises(UserError) as error:
        Translation(str(whole))
    text = str(error.value)
    assert "de.train.txt has 30 lines" in text and "en.train.txt has 29" in text
    assert "line 30 is missing in en.train.txt" in text and "\n" not in text


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"en.test.txt": None}, "has de.test.txt, but no test file of en"),
        ({"en.train.txt": None}, "has de: two languages are needed"),
        ({"en.train.txt": b"caf\xe9\n"}, "en.train.txt is not UTF-8"),
        ({"en.train.txt": b""}, "en.train.txt is empty"),
        ({"fr.train.txt": b"un\ndeux\n"}, "has de, en and fr: choose two"),
        ({"train.tsv": b"a\tb\n", "de.train.txt": None}, "has en: two languages are needed"),
        ({"train.de": b"eins\n"}, "has de.train.txt and train.de, of one language"),
        ({"de.train.txt": b"a\n\n", "en.train.txt": b"\na\n"}, "have no pair of lines"),
        ({"de.train.txt": None, "en.train.txt": None}, "no texts to train on"),
    ],
)
def test_a_bad_folder_is_told_in_one_line(whole, broken, message):
    for name, content in broken.items():
        if content is None:
            (whole / name).unlink()
        else:
            (whole / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        for split in ("train", "test"):
            open_pairs(str(whole), None)(split)
    assert "\n" not in str(error.value)


def test_a_folder_that_is_not_there_or_has_too_few_pairs_is_told(tmp_path):
    with pytest.raises(UserError, match="there is no file or folder"):
        Translation(str(tmp_path / "gone"))
    write(tmp_path, de_train=["eins"] * 30, en_train=["one"] * 30)
    with pytest.raises(UserError, match="1 different sources and no validation and test of its"):
        Translation(str(tmp_path))


@pytest.mark.parametrize(
    ("known", "source", "target", "chosen"),
    [
        ("en de", "", "", ("de", "en")),
        ("en de", "en", "", ("en", "de")),
        ("en de", "", "de", ("en", "de")),
        ("en de fr", "fr", "de", ("fr", "de")),
    ],
)
def test_languages_are_chosen_by_name_or_by_the_alphabet(known, source, target, chosen):
    assert choose(known.split(), source, target, "it") == chosen


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [("it", "", "source is 'it', but x has de and en"), ("de", "de", "two languages are needed")],
)
def test_languages_that_cannot_be_are_refused(source, target, message):
    with pytest.raises(UserError, match=message):
        choose(["de", "en"], source, target, "x")


def test_an_endless_line_is_left_out_of_training_and_cut_in_evaluation(tmp_path, capsys):
    german, english = numbers("Ei", 28), numbers("egg", 28)
    german[2] = "Ei " * 10_000
    write(tmp_path, de_train=german, en_train=english, de_test=["Ach " * 10_000], en_test=["oh"])
    task = Translation(str(write(tmp_path, de_dev=["drei"], en_dev=["three"])))
    trained = list(task.windows("train", Settings(batch_size=8), seed=1))
    assert sum(int((window["weights"].numpy()[:, 0] > 0).sum()) for window in trained) == 27
    assert "left out 1 of 28 pairs of train" in capsys.readouterr().err
    tested = list(task.windows("test", Settings(batch_size=8)))
    assert max(window["inputs"]["source"].shape[1] for window in tested) == task.max_length
    assert "cut 1 of 1 pairs of test" in capsys.readouterr().err
