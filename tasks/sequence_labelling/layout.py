"""Which columns of a file hold the words and the tags: decided on what stands in them."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.sequence_labelling.spans import ENTITY
from zoo.errors import UserError
from zoo.readers.tables import are_numbers
from zoo.registry import unknown

UNIVERSAL = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
"""The columns of CoNLL-U, https://universaldependencies.org/format.html."""

ONTONOTES = ("document", "part", "number", "word", "pos", "parse", "lemma", "frameset", "sense",
             "speaker", "ner")  # fmt: skip
"""The first columns of CoNLL-2012, https://conll.cemantix.org/2012/data.html."""

_OLDER = {"cpostag": "upos", "postag": "xpos"}
_ID = re.compile(r"\d+([-.]\d+)?")
_BIT = re.compile(r"(\([^*()]*)*\*\)*")
_EMPTY = {"_", "-", "*"}
_PLACE = re.compile(r"\d+([-.:]\d+)*")
_FEW = 10
"""Tags of which it is not asked whether they are too many."""

Rows = Sequence[Sequence[Sequence[str]]]
"""Of each sentence the columns of each word."""


class Layout(NamedTuple):
    """Where words and tags stand.

    Attributes:
        word: the column of the words, from 0.
        tag: that of the tags.
        width: how many columns a line must have.
        exact: whether it may have no more.
        ids: whether the first column counts words, and lines of ranges (`1-2`) and of empty nodes
            (`1.1`) are left out.
        brackets: whether tags are written as in CoNLL-2012: `(PERSON*`, `*)`.
    """

    word: int
    tag: int
    width: int
    exact: bool = True
    ids: bool = False
    brackets: bool = False


def is_universal(path: Path) -> bool:
    """Return whether a name is that of a file in CoNLL-U.

    Example:
        >>> is_universal(Path("TRAIN.CONLLU.gz")), is_universal(Path("eng.train"))
        (True, False)
    """
    return path.name.lower().removesuffix(".gz").endswith(".conllu")


def find_layout(path: Path, rows: Rows, word_column: str = "", tag_column: str = "") -> Layout:
    """Return where the words and the tags of a file stand.

    - CoNLL-U, by its name or by ten columns of which the first counts words, which is CoNLL-X,
      too: the word is FORM, the tag UPOS, or XPOS where that is empty.
    - CoNLL-2012, by its parse in the sixth column: the tag is the named entity.
    - Else the word is the first column that is neither of numbers nor the same in all lines, or in
      all lines of each sentence. The tag is the last column with tags; but of GermEval's two
      columns of entities, after an index and the word, the first, as the other is what is nested.

    What is not the first or the last column is told on standard error.

    Args:
        path: of the file, for its name and for messages.
        rows: the columns of its words; all have two at least.
        word_column: number of the column from 1, or its name in CoNLL-U and CoNLL-2012; "" to
            decide it as above.
        tag_column: likewise.

    Raises:
        UserError: there is no such column; or no column holds words, or tags.
    """
    width = min(len(fields) for sentence in rows for fields in sentence)
    if is_universal(path) or (width == len(UNIVERSAL) and _counts_words(rows)):
        return _universal(path, rows, word_column, tag_column)
    if width >= len(ONTONOTES) and all(map(_BIT.fullmatch, _column(rows, 5))):
        word = _place(path, "word_column", word_column or "word", ONTONOTES)
        tag = _place(path, "tag_column", tag_column or "ner", ONTONOTES)
        brackets = any("(" in cell for cell in _column(rows, tag)) or tag == 10
        return Layout(word, tag, len(ONTONOTES), exact=False, brackets=brackets)
    word = _place(path, "word_column", word_column) if word_column else _word(path, rows, width)
    tag = _place(path, "tag_column", tag_column) if tag_column else _tag(path, rows, width, word)
    if tag == word:
        raise UserError(
            f"tag_column is {tag + 1}, but column {tag + 1} of {path} holds the words: choose "
            "another, or say word_column"
        )
    needed = max(word, tag) + 1
    both = bool(word_column and tag_column)
    layout = Layout(word, tag, needed if both else max(width, needed), exact=not both)
    if needed <= width:
        _check_numbers(path, rows, layout, bool(tag_column))
    return layout


def check_names(path: Path, *columns: str) -> None:
    """Check that CoNLL-U has columns of some names.

    Raises:
        UserError: it has not.
    """
    for option, column in zip(("word_column", "tag_column"), columns):
        _place(path, option, column or "form", UNIVERSAL)


def to_tags(cells: Sequence[str]) -> list[str]:
    """Return the tags in the scheme BIO of entities in brackets, as in CoNLL-2012.

    Example:
        >>> to_tags(["(ORG*", "*)", "*", "(GPE)"])
        ['B-ORG', 'I-ORG', 'O', 'B-GPE']
    """
    tags, kind = [], ""
    for cell in cells:
        begins = cell.startswith("(")
        kind = cell.strip("()*-").partition("(")[0] if begins else kind
        tags.append(f"{'B' if begins else 'I'}-{kind}" if kind else "O")
        kind = "" if cell.endswith(")") else kind
    return tags


def _universal(path: Path, rows: Rows, word_column: str, tag_column: str) -> Layout:
    word = _place(path, "word_column", word_column or "form", UNIVERSAL)
    tag = _place(path, "tag_column", tag_column or "upos", UNIVERSAL)
    if not tag_column and set(_column(rows, tag)) <= _EMPTY:
        tag = UNIVERSAL.index("xpos")
        if set(_column(rows, tag)) <= _EMPTY:
            raise UserError(
                f"the columns upos and xpos of {path} are empty: say with tag_column which one "
                "holds the tags"
            )
        _tell(path, "upos is empty, the tags are xpos", "tag_column")
    return Layout(word, tag, len(UNIVERSAL), ids=True)


def _place(path: Path, option: str, column: str, names: Sequence[str] = ()) -> int:
    """Return the column of a number from 1 or of a name, from 0."""
    column = _OLDER.get(column.lower(), column.lower())
    if column in names:
        return names.index(column)
    if column.isdecimal() and int(column) > 0:
        return int(column) - 1
    if names:
        raise UserError(unknown(f"column of {path.name}", column, names))
    raise UserError(
        f"{option} is {column!r}, but the columns of {path.name} have no names: give a number "
        "from 1 on"
    )


def _word(path: Path, rows: Rows, width: int) -> int:
    """Return the first column that can be of words, with another after it."""
    fits = [place for place in range(width) if _is_of_words(rows, place)]
    if not fits or fits[0] == width - 1:
        what = "numbers" if are_numbers(_column(rows, 0)) else "the same again and again"
        raise UserError(
            f"column 1 of {path} holds {what}, not words: say with word_column and tag_column "
            "which columns hold the words and the tags"
        )
    if fits[0]:
        _tell(path, f"the words are column {fits[0] + 1}", "word_column")
    return fits[0]


def _is_of_words(rows: Rows, place: int) -> bool:
    """Return whether cells may be words.

    They are no numbers, no places (`1-2`, `0-4`), and not the same in all lines, or in those of a
    sentence.
    """
    cells = _column(rows, place)
    if (
        are_numbers(cells)
        or all(map(_PLACE.fullmatch, cells))
        or (len(cells) > 2 and len({*cells}) == 1)
    ):
        return False
    longer = [sentence for sentence in rows if len(sentence) > 1]
    return not longer or any(len({row[place] for row in each}) > 1 for each in longer)


def _tag(path: Path, rows: Rows, width: int, word: int) -> int:
    """Return the last column of tags."""
    last = width - 1
    words = len({*_column(rows, word)})
    fits = [n for n in range(word + 1, width) if width == 2 or _is_of_tags(rows, n, words)]
    if not fits:
        raise UserError(
            f"no column of {path} holds tags, column {last + 1} has {_kind(rows, last)}: say with "
            "tag_column which one does"
        )
    tag = fits[-1]
    index = are_numbers(_column(rows, 0))
    if width == 4 and index and fits[-2:] == [2, 3] and _are_nested(rows, 2, 3):
        tag = 2
    if width == 2 and _too_many(rows, tag, words):
        raise UserError(
            f"column 2 of {path} has {_kind(rows, tag)}, nearly as many as there are words: if "
            "they are tags, say tag_column=2"
        )
    if tag != last:
        _tell(path, f"the tags are column {tag + 1}", "tag_column")
    return tag


def _is_of_tags(rows: Rows, place: int, words: int) -> bool:
    cells = _column(rows, place)
    return not (are_numbers(cells) or {*cells} <= _EMPTY or _too_many(rows, place, words))


def _too_many(rows: Rows, place: int, words: int) -> bool:
    different = len({*_column(rows, place)})
    return different > _FEW and 2 * different > words


def _are_nested(rows: Rows, outer: int, inner: int) -> bool:
    """Return whether both columns hold entities, the inner one's of kinds that the outer has."""
    one, other = ({*_column(rows, place)} for place in (outer, inner))
    kinds, nested = ({tag.partition("-")[2] for tag in tags} - {""} for tags in (one, other))
    return all(map(ENTITY.fullmatch, one | other)) and bool(kinds) and nested <= kinds


def _check_numbers(path: Path, rows: Rows, layout: Layout, chosen: bool) -> None:
    if not are_numbers(_column(rows, layout.tag)):
        return
    where = f"column {layout.tag + 1} of {path}"
    if not chosen:
        raise UserError(
            f"{where} holds numbers, not tags: if they are, say tag_column={layout.tag + 1}"
        )
    print(f"{where}, the tags, holds numbers only", file=sys.stderr)


def _kind(rows: Rows, place: int) -> str:
    cells = _column(rows, place)
    return "numbers" if are_numbers(cells) else f"{len({*cells})} different values"


def _counts_words(rows: Rows) -> bool:
    """Return whether the first column counts the words of each sentence from 1, as CoNLL-U does."""
    ids = [[fields[0] for fields in sentence] for sentence in rows]
    counted = ([each for each in sentence if each.isdecimal()] for sentence in ids)
    return all(map(_ID.fullmatch, (each for sentence in ids for each in sentence))) and all(
        numbers == [str(n) for n in range(1, len(numbers) + 1)] for numbers in counted
    )


def _column(rows: Rows, place: int) -> list[str]:
    return [fields[place] for sentence in rows for fields in sentence]


def _tell(path: Path, what: str, option: str) -> None:
    print(f"{path}: {what}; {option}=... says another", file=sys.stderr)
