import hashlib
import io
import tokenize

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tasks.tagging.dataset import CLASSES, HELD_OUT, PythonSource, label_characters, read_modules

LETTERS = dict(zip(" #kbdn0.sl", CLASSES, strict=True))

SNIPPETS = {
    "a definition": (
        "@wraps(f)\nasync def run(self, n=10):  # go\n    return n\n",
        ".nnnnn.n. kkkkk kkk ddd.nnnn. n.00..  ####     kkkkkk n ",
    ),
    "a class": ("class Bad(ValueError): pass", "kkkkk ddd.bbbbbbbbbb.. kkkk"),
    "builtins, and attributes of the same name": (
        "print(x.format, format)",
        "bbbbb.n.nnnnnn. bbbbbb.",
    ),
    "soft keywords are names": ("match = case", "nnnnn . nnnn"),
    "numbers": ("0xFF + 1_0.5e-3j", "0000 . 000000000"),
    "operators": ("a[1:] **= ~b @ c", "n.0.. ... .n . n"),
    "nested quotes": ("'a\"b' + \"c'd\" + r'\\''", "sssss . sssss . sssss"),
    "a comment sign in a string": ("'#' # '", "sss ###"),
    "triple quotes over lines": ('"""a\n"b" # c\n"""\nx', "llllllllllllllll n"),
    "an empty string is short": ("'' + ''''''", "ss . llllll"),
    "prefixes": ("b'x' Rb'''y'''", "ssss lllllllll"),
    "f-strings whole": ("f'{a!r:>{w}} {{b}}' + c", "s" * 19 + " . n"),
    "f-strings nested": ("f\"{f'{x}'}\".y", "s" * 11 + ".n"),
    "triple-quoted f-strings": ("f'''{a}\n{'b'}'''", "l" * 16),
    "a continued line": ("x = \\\n  1", "n . .   0"),
    "implicit joining": ("('a'\n f'b')", ".sss  ssss."),
}


@pytest.mark.parametrize("case", SNIPPETS)
def test_labels_of_a_snippet(case):
    source, expected = SNIPPETS[case]
    names = [CLASSES[label] for label in label_characters(source)]
    assert names == [LETTERS[letter] for letter in expected]


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    builder = PythonSource(data_dir=tmp_path_factory.mktemp("first"))
    builder.download_and_prepare()
    return builder


def examples(builder, split):
    return list(tfds.as_numpy(builder.as_dataset(split)))


def digests(builder):
    records = sorted(builder.data_path.glob("*.tfrecord*"))
    return [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in records]


@pytest.mark.slow
def test_preparing_twice_writes_the_same_bytes(builder, tmp_path):
    again = PythonSource(data_dir=tmp_path)
    again.download_and_prepare()
    assert digests(again) == digests(builder)
    assert len(digests(builder)) == 3


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_every_character_has_one_label(builder, split):
    for example in examples(builder, split):
        assert example["labels"].dtype == np.uint8
        assert len(example["labels"]) == len(example["text"].decode())
        assert example["labels"].max() < len(CLASSES)


def test_text_is_printable_ascii_and_line_breaks(builder):
    text = b"".join(example["text"] for example in examples(builder, "train"))
    assert set(text) <= {*range(32, 127), ord("\n")}


def test_splits_share_no_module(builder):
    names = [
        example["name"].decode()
        for split in builder.info.splits
        for example in examples(builder, split)
    ]
    assert len(names) == len(set(names))
    assert {example["name"].decode() for example in examples(builder, "test")} == {
        *HELD_OUT["test"]
    }


def test_no_held_out_module_is_nearly_one_of_train():
    def long_lines(text):
        return {line.strip() for line in text.splitlines() if len(line.strip()) >= 30}

    modules = read_modules()
    train = set().union(*map(long_lines, modules["train"].values()))
    for split in HELD_OUT:
        for text in modules[split].values():
            assert len(long_lines(text) & train) < 0.1 * len(long_lines(text))


def outside_fstrings(text):
    """The tokens of a program; what Python 3.12 and later find inside an f-string is left out."""
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name = tokenize.tok_name[token.type]
        depth += (name == "FSTRING_START") - (name == "FSTRING_END")
        if not depth:
            yield token


def test_tokenising_again_finds_the_labelled_comments_and_numbers(builder):
    for example in examples(builder, "test"):
        text = example["text"].decode()
        tokens = list(outside_fstrings(text))
        for kind, name in ((tokenize.COMMENT, "comment"), (tokenize.NUMBER, "number")):
            labelled = example["labels"] == CLASSES.index(name)
            found = [token.string for token in tokens if token.type == kind]
            assert "".join(np.array(list(text))[labelled]) == "".join(found)


def test_visible_characters_outside_strings_and_comments_are_not_whitespace(builder):
    may_hold_spaces = [CLASSES.index(name) for name in ("comment", "string", "long_string")]
    for example in examples(builder, "test"):
        spaces = np.array([char.isspace() for char in example["text"].decode()])
        code = ~np.isin(example["labels"], may_hold_spaces)
        np.testing.assert_array_equal(spaces[code], (example["labels"] == 0)[code])
