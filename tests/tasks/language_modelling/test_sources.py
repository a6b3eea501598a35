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
        ("Train.txt", "Devel.txt", "Testing.txt"),
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


LINES = [f"line {number} of a long text\n" for number in range(400)]


@pytest.mark.parametrize(
    ("beside", "own"),
    [
        ({}, {}),
        ({"valid__txt": "v" * 7}, {"validation": "v" * 7}),
        ({"test__txt": "t" * 7}, {"test": "t" * 7}),
        ({"constraint__txt": "c", "tests__txt": "c"}, {}),
    ],
)
def test_a_part_that_is_lacking_is_taken_from_training_line_by_line(folder, beside, own, capsys):
    path = folder(train__txt="".join(LINES), **beside) / "train.txt"
    parts = {split: "".join(documents(path, split)) for split in SPLITS}
    assert {split: parts[split] for split in own} == own
    taken = [line for split in SPLITS if split not in own for line in parts[split].splitlines(True)]
    assert sorted(taken) == sorted(LINES)
    assert all(len(parts[split]) > 200 for split in SPLITS if split not in own)
    assert f"{path}: its text was cut into " in capsys.readouterr().err


def test_text_stays_in_its_split_when_more_is_added_at_the_end_or_beside(folder):
    def read(count, **others):
        path = folder(**{"book__txt": "".join(LINES[:count])}, **others)
        return {split: "".join(documents(path, split)).splitlines() for split in SPLITS}

    before, longer = read(200), read(400)
    several = read(400, **{f"{n}__txt": f"{n}\n" * 90 for n in range(8)})
    for after in (longer, several):
        assert not {*before["train"]} & {*after["validation"], *after["test"]}
    for split in ("validation", "test"):
        assert {*before[split]} <= {*longer[split]}


def test_blocks_of_a_text_do_not_depend_on_how_it_is_read():
    text = "".join(LINES) + "x" * 500 + "一" * 3000 + " end of it"
    for size in (7, 100, 100_000):
        pieces = [text[place : place + size] for place in range(0, len(text), size)]
        assert [*sources.cut_blocks(pieces)] == [*sources.cut_blocks([text])]
    blocks = [*sources.cut_blocks([text])]
    assert "".join(blocks) == text and 40 < len(blocks) < 100
    assert all(block.endswith("\n") for block in blocks[:40])
    shorter = [*sources.cut_blocks([text[: len(text) // 2]])]
    assert shorter[:-1] == blocks[: len(shorter) - 1]


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
    assert all(found.values()) and found["train"] == sorted(found["train"])
    said = capsys.readouterr().err
    assert f"{path}: left out 1 binary files" in said
    assert f"{path}: 40 files, each a document, {len(found['train'])} for train" in said
    folder(**{f"{place}/new.txt": "new" for place in range(40)})
    after = {split: documents(path, split) for split in SPLITS}
    for split in SPLITS:
        assert {*found[split]} <= {*after[split]}, "a file stays where it was"


def test_code_may_be_called_anything(folder):
    path = folder(**{"train_test_split.py": "a\n" * 200, "train_dev.py": "b\n" * 200})
    assert sum(len("".join(documents(path, split))) for split in SPLITS) == 800


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


def test_articles_stay_whole_in_a_file_that_is_split(folder):
    articles = [f" = Title {n} = \n \n The text of {n} . \n" + " more \n" * 30 for n in range(60)]
    path = folder(wiki__txt=" \n" + "".join(articles)) / "wiki.txt"
    found = {split: documents(path, split) for split in SPLITS}
    assert sorted(each.lstrip() for each in chain(*found.values())) == sorted(
        each.lstrip() for each in articles
    )
    assert all(len(part) > 1 for part in found.values())
    path.write_text("".join([" = New = \n \n text \n", *articles]))
    assert {*documents(path, "train")} >= {
        each for each in found["train"] if "Title 0 " not in each
    }


def test_a_folder_of_the_bundled_name_does_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / sources.BUNDLED).mkdir()
    Source(sources.BUNDLED, None, "word")
