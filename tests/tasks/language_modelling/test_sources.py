import gzip
from itertools import chain

import pytest

from tasks.language_modelling import sources
from tasks.language_modelling.sources import Source, find_files, split_at_headings
from zoo.errors import UserError

SPLITS = ("train", "validation", "test")


@pytest.fixture
def folder(tmp_path):
    """Writes files of the given names and contents into a folder."""

    def write(**files):
        for name, content in files.items():
            path = tmp_path / name.replace("__", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path

    return write


def documents(path, split):
    """The whole text of each document."""
    found = []
    for text, starts in Source(str(path), None, "character").pieces(split):
        if starts:
            found.append("")
        found[-1] += text
    return found


@pytest.mark.parametrize(
    "names",
    [
        ("train.txt", "valid.txt", "test.txt"),
        ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"),
        ("wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens"),
        ("train.txt.gz", "dev.txt.gz", "test.txt.gz"),
        ("en_train", "en_val", "en_test"),
        ("training-1.text", "validation-1.text", "test-1.text"),
        ("train.txt.gz", "valid.txt", "test.txt"),
    ],
)
def test_parts_that_lie_beside_the_training_part_are_the_splits(folder, names):
    contents = [f"the {split} text" for split in SPLITS]
    packed = [
        gzip.compress(text.encode()) if name.endswith("gz") else text
        for name, text in zip(names, contents)
    ]
    path = folder(**dict(zip(names, packed)))
    for given in (path / names[0], path):
        assert [documents(given, split) for split in SPLITS] == [[text] for text in contents]


def test_parts_may_be_folders(folder):
    path = folder(**{"train/a.txt": "a", "train/b.txt": "b", "dev/c.txt": "c", "test/d.txt": "d"})
    assert [documents(path, split) for split in SPLITS] == [["a", "b"], ["c"], ["d"]]


@pytest.mark.parametrize(
    ("beside", "sizes"),
    [
        ({}, (90, 5, 5)),
        ({"valid__txt": "v" * 7}, (95, 7, 5)),
        ({"test__txt": "t" * 7}, (95, 5, 7)),
        ({"constraint__txt": "c", "tests__txt": "c"}, (90, 5, 5)),
    ],
)
def test_a_part_that_is_lacking_is_cut_from_the_end_of_training(folder, beside, sizes):
    text = "".join(chr(0x4E00 + place) for place in range(100))
    path = folder(train__txt=text, **beside) / "train.txt"
    parts = ["".join(documents(path, split)) for split in SPLITS]
    assert tuple(map(len, parts)) == sizes
    cut = [part for part in parts if part[0] in text]
    assert "".join(cut) == text


def test_several_training_parts_in_a_folder_are_not_guessed_between(folder):
    trio = {f"{kind}.txt": "text" for kind in ("a.train", "a.test", "b.train", "b.test")}
    with pytest.raises(UserError, match=r"training parts a.train.txt and b.train.txt: give one"):
        find_files(folder(**trio))


def test_each_text_file_of_a_folder_is_a_document_of_one_split(folder, capsys):
    names = [f"{place // 10}/{place:02}.txt" for place in range(40)]
    texts = {name: f"text {name} " * 20 for name in names}
    others = {"0/logo.png": b"\x89PNG\0\0", "blank.txt": " \n\n", "empty": "", ".git/x": "hidden"}
    path = folder(**texts, **others)
    found = {split: documents(path, split) for split in SPLITS}
    assert sorted(chain(*found.values())) == sorted(texts.values())
    assert [len(found[split]) for split in SPLITS] == [34, 3, 3]
    assert found["train"] == sorted(found["train"]), "in the order of the paths"
    assert found == {split: documents(path, split) for split in SPLITS}
    assert f"{path}: left out 1 binary files" in capsys.readouterr().err


def test_too_few_files_for_all_splits_are_cut_as_one_text(folder):
    path = folder(a__md="a" * 30, b__md="b" * 70)
    found = [documents(path, split) for split in SPLITS]
    assert found == [["a" * 30, "b" * 60], ["b" * 5], ["b" * 5]]


def test_a_folder_without_text_says_so(folder):
    with pytest.raises(UserError, match="has no text files: expected some"):
        find_files(folder(picture=b"\0\0", empty=""))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"caf\xe9", r"valid.txt is not UTF-8 text \(byte 3\)"),
        (b" \n", "valid.txt is empty"),
        (gzip.compress(b"text" * 99, mtime=0)[:-4], "valid.txt is a damaged gz file"),
    ],
)
def test_a_part_that_cannot_be_read_is_named(folder, content, said):
    path = folder(train__txt="text", valid__txt=content) / "train.txt"
    with pytest.raises(UserError, match=said):
        documents(path, "validation")


ARTICLES = [
    " \n = Valkyria Chronicles III = \n \n It is = b = . \n \n = = Gameplay = = \n \n Goals = \n",
    " = M = \n \n = = = Deeper = = = \n \n <unk> . \n = 1 <unk> = \n in a table \n",
    " = Last = \n \n",
]


@pytest.mark.parametrize("size", [3, 10, 25, 40, 1000])
def test_a_wikitext_heading_starts_a_document_wherever_pieces_end(size):
    lines = "".join(ARTICLES).splitlines(keepends=True)
    pieces, held = [], ""
    for line in lines:
        held += line
        if len(held) >= size:
            pieces, held = [*pieces, held], ""
    found = []
    for text, starts in split_at_headings([*pieces, held]):
        found = [*found, text] if starts else [*found[:-1], found[-1] + text]
    assert found == ARTICLES


def test_headings_are_found_in_a_file_that_is_cut(folder):
    path = folder(wiki__txt="".join(ARTICLES) * 10) / "wiki.txt"
    train = documents(path, "train")
    assert train[:3] == [ARTICLES[0], ARTICLES[1], ARTICLES[2] + " \n"]
    rest = "".join(documents(path, "validation") + documents(path, "test"))
    assert "".join(train) + rest == "".join(ARTICLES) * 10


def test_a_folder_of_the_bundled_name_does_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / sources.BUNDLED).mkdir()
    Source(sources.BUNDLED, None, "word")
