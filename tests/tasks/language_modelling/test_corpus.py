import tracemalloc
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from tasks.common.text import SPECIAL, START, UNKNOWN
from tasks.common.units import tokenizer_of
from tasks.common.words import commonest
from tasks.language_modelling import corpus as module
from tasks.language_modelling.corpus import Corpus
from tasks.language_modelling.text import UNITS, tokens_of
from zoo.errors import UserError

TEXTS = [
    'The cat\'s "mat" , <unk> the mat . \n the <pad> café\t我们 naïve_1 \n\n',
    "A\x1fseparator, \x0b tabs\x0c and\r\n the end <start> 😀 the cat",
    " \n the mat . \n",
]


@pytest.mark.parametrize("unit", UNITS)
def test_tokens_are_counted_as_pure_python_counts_them(unit, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 7)
    corpus = Corpus([(text, True) for text in TEXTS], unit)
    assert corpus.counts() == Counter(token for text in TEXTS for token in tokens_of(text, unit))


@pytest.mark.parametrize("unit", UNITS)
def test_ids_are_those_that_the_graph_gives_a_prompt(unit):
    corpus = Corpus([(text, True) for text in TEXTS], unit)
    tokens = commonest(corpus.counts(), minimum=2)
    vocabulary = tokenizer_of(unit, UNITS, "lines")(tokens)
    text = corpus.text(vocabulary.tokens)
    for index, row in enumerate(vocabulary.encode(tf.constant(TEXTS)).to_list()):
        inputs, targets, weights = text.read(index, 0, int(text.lengths[index]))
        assert targets.tolist() == row
        assert inputs.tolist() == [START, *row[:-1]]
        assert weights.tolist() == [1] * len(row)


def test_any_part_of_a_document_can_be_read():
    text = Corpus([("abc", True), ("def", True), ("gh", False)], "character").text(list("abcdefgh"))
    assert text.lengths.tolist() == [3, 5]
    inputs, targets, _ = text.read(1, 0, 5)
    for begin in range(5):
        part = text.read(1, begin, 5)
        assert part[0].tolist() == inputs[begin:].tolist()
        assert part[1].tolist() == targets[begin:].tolist()


def test_text_without_a_beginning_is_one_document():
    assert Corpus([("abc", False), ("de", False)], "character").lengths.tolist() == [5]
    assert Corpus([], "character").lengths.tolist() == []


def test_documents_keep_together_in_any_order():
    corpus = Corpus([("abc", True), ("de", True), ("", True), ("f", True)], "character")
    text = corpus.text(list("abcdef"), order=np.array([2, 0, 1]))
    assert text.lengths.tolist() == [1, 3, 2]
    assert [text.read(index, 0, 1)[1].tolist() for index in range(3)] == [[9], [4], [7]]


def test_the_unknown_token_in_a_text_is_no_token_of_the_vocabulary():
    corpus = Corpus([("a <unk> <unk> <pad> \n", True)], "token")
    assert corpus.counts()[SPECIAL[UNKNOWN]] == 2
    tokens = commonest(corpus.counts(), minimum=1)
    assert tokens == ["\n", "<pad>", "a"]
    assert corpus.text(tokens).read(0, 0, 5)[1].tolist() == [6, 1, 1, 5, 4]


def test_a_longer_text_takes_no_more_memory():
    def peak(pieces):
        words = "the cat sat on a mat and so on " * 2000
        tracemalloc.start()
        corpus = Corpus(((words, False) for _ in range(pieces)), "character")
        text = corpus.text(list(corpus.counts()))
        text.read(0, 0, 10)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(100) < 1.05 * peak(10)


def test_a_full_disk_is_told(monkeypatch):
    with open("/dev/full", "wb", buffering=0) as full:
        monkeypatch.setattr(module.tempfile, "TemporaryFile", lambda **_: full)
        with pytest.raises(UserError, match=r"no room for the encoded text .* set TMPDIR"):
            Corpus([("text", True)], "character")


def test_a_pass_that_takes_long_shows_a_bar(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    Corpus([("text", True)] * 3, "character", "reading cats.txt")
    assert "reading" not in capsys.readouterr().err
    monkeypatch.setattr(module, "_PATIENCE", -1.0)
    Corpus([("text", True)] * 3, "character", "reading cats.txt")
    assert "reading cats.txt" in capsys.readouterr().err
