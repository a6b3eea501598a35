"""Reads tagged sentences from files of columns: CoNLL and CoNLL-U."""

from pathlib import Path
from typing import NamedTuple

from zoo.errors import UserError
from zoo.readers.text import read_text_file
from zoo.registry import unknown

UNIVERSAL = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
"""The columns of CoNLL-U, https://universaldependencies.org/format.html."""

LONGEST = 1000
"""Words of the longest sentence: a file with longer ones lacks its blank lines."""


class Sentence(NamedTuple):
    """Words, as many tags, and where they stand, such as "line 12 of train.conll"."""

    words: list[str]
    tags: list[str]
    place: str


def read_columns(path: Path, column: str = "") -> list[Sentence]:
    """The sentences of a UTF-8 file, plain or gz: a word on each line, a blank line after each
    sentence.

    In CoNLL-U, known by the name `*.conllu` in any case, a word is FORM; ranges of words (`1-2`),
    empty nodes (`1.1`) and comments are left out. Any other file is as those of CoNLL-2003: columns
    set apart by tabs, or else by spaces, the word first; lines of `-DOCSTART-` are left out.

    Args:
        path: the file.
        column: what the tag is: in CoNLL-U "upos", the default, "xpos", "deprel" or another of
            its columns; else a number, counted from 1, by default that of the last column.

    Raises:
        UserError: the file cannot be read or has no sentence, a line lacks columns, a sentence has
            more than 1000 words, or there is no such column.
    """
    universal = is_universal(path)
    place = _universal_place(path, column) if universal else _place(path, column)
    sentences: list[Sentence] = []
    words, tags, begin, columns = list[str](), list[str](), 0, 10 if universal else 0
    for number, line in enumerate([*read_text_file(path).split("\n"), ""], start=1):
        if not line.strip():
            if words:
                sentences.append(Sentence(words, tags, f"line {begin} of {path}"))
            words, tags = [], []
            continue
        # A tab at the end sets nothing apart.
        line = line.rstrip()
        if line.startswith("#" if universal else "-DOCSTART-"):
            continue
        fields = line.split("\t") if universal or "\t" in line else line.split()
        columns = columns or len(fields)
        _check_columns(path, number, fields, max(columns, place + 1, 2))
        if not universal or fields[0].isdigit():
            begin = begin if words else number
            words.append(fields[1 if universal else 0])
            tags.append(fields[place])
        if len(words) > LONGEST:
            raise UserError(
                f"the sentence that ends after line {number} of {path} has more than {LONGEST} "
                "words: put a blank line after each sentence"
            )
    if not sentences:
        raise UserError(f"{path} has no sentences: expected a word on each line, with its tag")
    return sentences


def is_universal(path: Path) -> bool:
    """Whether a name is that of a file in CoNLL-U.

    Example:
        >>> is_universal(Path("TRAIN.CONLLU.gz")), is_universal(Path("eng.train"))
        (True, False)
    """
    return path.name.lower().removesuffix(".gz").endswith(".conllu")


def _universal_place(path: Path, column: str) -> int:
    if (column or "upos") not in UNIVERSAL:
        raise UserError(unknown(f"column of {path.name}", column, UNIVERSAL))
    return UNIVERSAL.index(column or "upos")


def _place(path: Path, column: str) -> int:
    """-1 for the last one."""
    if column and not (column.isdigit() and int(column) > 1):
        raise UserError(
            f"column is {column!r}, but {path.name} needs a number from 2 on, as 1 is the word"
        )
    return int(column or 0) - 1


def _check_columns(path: Path, number: int, fields: list[str], needed: int) -> None:
    if len(fields) < needed or not all(fields):
        raise UserError(
            f"line {number} of {path} has {sum(map(bool, fields))} columns, but {needed} are "
            f"needed: {' '.join(fields)[:60]!r}"
        )
