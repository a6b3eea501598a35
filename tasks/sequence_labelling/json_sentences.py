"""Reads tagged sentences in JSON or Parquet: objects with a list of words and one of tags."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.sequence_labelling.columns import Sentence
from zoo.errors import UserError
from zoo.readers.json_rows import file_members
from zoo.readers.shards import whole_table
from zoo.readers.tables import are_numbers

WORDS = ("tokens", "words", "form")
TAGS = ("tags", "ner", "ner_tags", "upos", "pos", "pos_tags", "labels")
"""What lists of words, and of tags, may be called, if nothing is said; the first that there is."""


def read_json_sentences(path: Path, tag_column: str = "", word_column: str = "") -> list[Sentence]:
    """Return the sentences of a file of objects, see `zoo.readers.json_rows.file_members`.

    Args:
        path: the file.
        tag_column: the member that lists the tags; "" for the first of `TAGS` that there is.
        word_column: likewise, of `WORDS`.

    Raises:
        UserError: it cannot be read, an object lacks one of the lists or they differ in length, or
            tags are numbers, as nobody knows what these are called.
    """
    sentences: list[Sentence] = []
    others: list[str] = []
    for line, values in file_members(path):
        place = f"line {line} of {whole_table(path)}"
        words = _listed(values, word_column, WORDS, "word_column", place)
        tags = _listed(values, tag_column, TAGS, "tag_column", place)
        if len(words) != len(tags):
            raise UserError(f"{place} has {len(words)} words and {len(tags)} tags")
        if words and not sentences and not tag_column:
            others = _others(values, word_column, len(words))
        if words:
            sentences.append(Sentence(words, tags, place))
    if are_numbers([tag for sentence in sentences for tag in sentence.tags]):
        raise UserError(
            f"the tags of {path} are numbers: write what they are called in their place"
        )
    if others:
        taken, *rest = others
        print(
            f"{whole_table(path)}: {taken} are the tags, not {' or '.join(rest)}; tag_column=... "
            "takes others",
            file=sys.stderr,
        )
    return sentences


def _others(values: dict[str, Any], word_column: str, count: int) -> list[str]:
    """Return the member with the tags, and those that list as many texts; nothing, if it is alone.

    Members that may be the words are none of them.
    """
    taken = next(name for name in TAGS if name in values)
    rest = [
        name
        for name, each in values.items()
        if name not in (*WORDS, word_column, taken)
        and isinstance(each, list)
        and len(each) == count
        and isinstance(each[0], str)
    ]
    return [taken, *rest] if rest else []


def _listed(
    values: dict[str, Any], chosen: str, usual: Sequence[str], option: str, place: str
) -> list[str]:
    name = next((name for name in ([chosen] if chosen else usual) if name in values), None)
    if name is None:
        raise UserError(
            f"{place} has {', '.join(values) or 'nothing'}, but none is called "
            f"{chosen or ' or '.join(usual[:2])}: say with {option} which one lists the "
            f"{option.removesuffix('_column')}s"
        )
    listed = values[name]
    if isinstance(listed, list) and None in listed:
        raise UserError(
            f"{place}: {name} has nothing for word {listed.index(None) + 1}: fill it in, or leave "
            "out the sentence, or the file if none of its sentences has tags"
        )
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise UserError(f"{place}: {name} is no list of texts, one a word")
    return listed
