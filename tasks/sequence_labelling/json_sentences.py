"""Reads tagged sentences in JSON or Parquet: objects with a list of words and one of tags."""

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
    sentences = []
    for line, values in file_members(path):
        place = f"line {line} of {whole_table(path)}"
        words = _listed(values, word_column, WORDS, "word_column", place)
        tags = _listed(values, tag_column, TAGS, "tag_column", place)
        if len(words) != len(tags):
            raise UserError(f"{place} has {len(words)} words and {len(tags)} tags")
        if words:
            sentences.append(Sentence(words, tags, place))
    if are_numbers([tag for sentence in sentences for tag in sentence.tags]):
        raise UserError(
            f"the tags of {path} are numbers: write what they are called in their place"
        )
    return sentences


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
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise UserError(f"{place}: {name} is no list of texts, one a word")
    return listed
