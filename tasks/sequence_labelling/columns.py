"""Reads tagged sentences: the files of columns of the CoNLL family, and `word|tag` lines."""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tasks.sequence_labelling.layout import (
    Layout,
    check_names,
    find_layout,
    is_universal,
    to_tags,
)
from tasks.sequence_labelling.spans import ENTITY, are_entities
from zoo.errors import UserError
from zoo.readers.text import read_text_file

LONGEST = 1000
"""Words of the longest sentence: a file with longer ones lacks its blank lines."""

_BETWEEN = re.compile(r"[ \t]+")
_MARKS = "|/_"
"""What may stand between a word and its tag, in a file of sentences."""
_LOOKED_AT = 100
_WORD_NAMES = {"word", "words", "token", "tokens", "form", "text"}
_TAG_NAMES = {"tag", "tags", "label", "labels", "ner", "entity", "pos", "upos", "xpos"}


class Sentence(NamedTuple):
    """Words, as many tags, and where they stand, such as "line 12 of train.conll"."""

    words: list[str]
    tags: list[str]
    place: str


class Line(NamedTuple):
    """The number of a line, what it says, and its columns."""

    number: int
    text: str
    fields: list[str]


def read_columns(
    path: Path, tag_column: str = "", word_column: str = "", layout: Layout | None = None
) -> list[Sentence]:
    """Return the sentences of a UTF-8 file, plain or gz.

    - A word on each line, its columns set apart by tabs, or else by spaces; no other white space
      sets anything apart, so that a word may be, or hold, a no-break or an ideographic space. A
      blank line ends a sentence, and so does `-DOCSTART-`. In CoNLL-U ranges of words (`1-2`) and
      empty nodes (`1.1`) are left out.
    - A line that begins with `#` before a sentence is a comment if it has not as many columns as
      the others, or if its tag is none of theirs. How many there are is told on standard error. In
      CoNLL-U all lines with `#` are comments.
    - A first line that names the columns is left out, which is told.
    - Or a sentence on each line, each word with its tags: `word|tag`, `word|pos|ner`, `word/tag` or
      `word_tag`.

    Args:
        path: the file.
        tag_column: which column the tag is, see `find_layout`.
        word_column: likewise the word.
        layout: where words and tags stand, if that is known from another file of the data set.

    Raises:
        UserError: the file cannot be read or has no sentence, a line has too few or too many
            columns, a sentence has more than 1000 words, or it is not clear which columns hold the
            words and the tags. File and line are named.
    """
    return read_with(path, tag_column, word_column, layout)[0]


def read_with(
    path: Path, tag_column: str = "", word_column: str = "", layout: Layout | None = None
) -> tuple[list[Sentence], Layout]:
    """Return the sentences, see `read_columns`, and where words and tags stand."""
    if is_universal(path):
        check_names(path, word_column, tag_column)
    lines = [*enumerate(read_text_file(path).split("\n"), start=1)]
    groups = _marked(lines) or list(_grouped(lines, is_universal(path)))
    groups = _without_names(path, groups)
    for group in groups:
        _check_length(path, [line for line in group if not line.text.startswith("#")])
    width = _usual_width(groups)
    plain = _without_comments(groups, bool(layout and layout.ids) or is_universal(path))
    if layout is None:
        whole = [[line for line in group if len(line.fields) >= width] for group in plain]
        rows = [[line.fields for line in group] for group in whole if group]
        if not rows or width < 2:
            raise _nothing(path, plain)
        layout = find_layout(path, rows, word_column, tag_column)
    even = (line for group in plain for line in group if len(line.fields) == width)
    tags = {line.fields[layout.tag] for line in even if layout.tag < width}
    groups = list(_words_only(path, groups, layout, width, tags))
    sentences = [_sentence(path, group, layout) for group in groups]
    sentences = [sentence for sentence in sentences if sentence.words]
    if not sentences:
        raise _nothing(path, [])
    return sentences, layout


def _grouped(lines: list[tuple[int, str]], tabs: bool) -> Iterator[list[Line]]:
    """Yield the lines between blank ones, their columns set apart by tabs if most have one."""
    shown = [line for _, line in lines if line.strip() and not line.startswith("#")]
    tabs = tabs or 2 * sum("\t" in line.rstrip(" \t") for line in shown) > len(shown)
    group: list[Line] = []
    for number, text in [*lines, (0, "")]:
        if text.strip() and not text.startswith("-DOCSTART-"):
            group.append(Line(number, text, _fields(text, tabs)))
        elif group:
            yield group
            group = []


def _check_length(path: Path, words: list[Line]) -> None:
    if len(words) > LONGEST:
        raise UserError(
            f"the sentence that ends after line {words[LONGEST].number} of {path} has more than "
            f"{LONGEST} words: put a blank line after each sentence"
        )


def _fields(text: str, tabs: bool) -> list[str]:
    # What stands at the end of a line sets nothing apart.
    text = text.rstrip(" \t")
    if tabs:
        fields = text.split("\t")
        return [field.strip(" ") for field in fields] if " " in text else fields
    return _BETWEEN.split(text.strip(" \t"))


def _marked(lines: list[tuple[int, str]]) -> list[list[Line]] | None:
    """Return sentences that stand on a line each, or words on a line each, with marks between a
    word and its tags; None if there is any word without."""
    shown = [(number, line) for number, line in lines if line.strip()]
    first = [piece for _, line in shown[:_LOOKED_AT] for piece in _fields(line, False)]
    for mark in _MARKS:
        if not all(mark in piece for piece in first):
            continue
        pieces = [(number, line, _fields(line, False)) for number, line in shown]
        counts = [piece.count(mark) for _, _, some in pieces for piece in some]
        if not counts or not min(counts):
            continue
        cut = [
            [Line(number, line, piece.rsplit(mark, min(counts))) for piece in some]
            for number, line, some in pieces
        ]
        if not all(all(line.fields) for group in cut for line in group):
            continue
        if any(len(group) > 1 for group in cut):
            return cut
        blank = [number for number, line in lines if not line.strip()]
        groups: dict[int, list[Line]] = {}
        for (line,) in cut:
            groups.setdefault(sum(number < line.number for number in blank), []).append(line)
        return list(groups.values())
    return None


def _without_names(path: Path, groups: list[list[Line]]) -> list[list[Line]]:
    """Return the lines without the first one that is no comment, if it names the columns: it has
    the usual names, or is the only one of a column of entities that is none."""
    plain = [line for group in groups for line in group if not line.text.startswith("#")]
    if len(plain) < 2:
        return groups
    first, *others = plain
    names = {field.lower() for field in first.fields}
    columns = zip(*(line.fields for line in others if len(line.fields) == len(first.fields)))
    named = bool(names & _WORD_NAMES and names & _TAG_NAMES) or any(
        not ENTITY.fullmatch(name) and are_entities(cells)
        for name, cells in zip(first.fields, columns)
    )
    if not named:
        return groups
    print(
        f"{path}: left out line {first.number} as the names of the columns: {first.text.strip()!r}",
        file=sys.stderr,
    )
    groups = [[line for line in group if line is not first] for group in groups]
    return [group for group in groups if group]


def _usual_width(groups: list[list[Line]]) -> int:
    """Return how many columns most lines have."""
    widths = Counter(
        len(line.fields) for group in groups for line in group if not line.text.startswith("#")
    )
    return max(widths, key=lambda width: (widths[width], width), default=0)


def _without_comments(groups: list[list[Line]], ids: bool) -> list[list[Line]]:
    """Return the lines that do not begin with `#`; all lines where all do, but for CoNLL-U."""
    plain = [[line for line in group if not line.text.startswith("#")] for group in groups]
    return plain if ids or any(plain) else groups


def _words_only(
    path: Path, groups: list[list[Line]], layout: Layout, width: int, tags: set[str]
) -> Iterator[list[Line]]:
    """Yield the lines of words; each has as many columns as are needed."""
    comments = []
    for group in groups:
        words: list[Line] = []
        for line in group:
            if _is_comment(line, bool(words), layout, width, tags):
                comments.append(line)
                continue
            _check_columns(path, line, layout)
            words.append(line)
        yield words
    if comments and not layout.ids:
        first = comments[0]
        print(
            f"{path}: left out {len(comments)} lines as comments, the first is line "
            f"{first.number}: {first.text.strip()[:60]!r}",
            file=sys.stderr,
        )


def _is_comment(line: Line, inside: bool, layout: Layout, width: int, tags: set[str]) -> bool:
    """Return whether a line is a comment and not the word `#`, or one that begins with it.

    Args:
        line: any.
        inside: whether it stands among the words of a sentence.
        layout: of words and tags.
        width: how many columns most lines have.
        tags: those of lines that begin otherwise.
    """
    if not line.text.startswith("#"):
        return False
    if layout.ids or re.match("#(begin|end) document", line.text):
        return True
    even = len(line.fields) == width
    if even and layout.word == 0 and line.fields[layout.tag] in tags:
        return False
    # A hashtag may have a tag of its own.
    return not inside and not (even and layout.word == 0 and re.match(r"#[^\s#]", line.text))


def _check_columns(path: Path, line: Line, layout: Layout) -> None:
    fields, needed = line.fields, layout.width
    if len(fields) >= needed and all(fields) and not (layout.exact and len(fields) > needed):
        return
    raise UserError(
        f"line {line.number} of {path} has {sum(map(bool, fields))} columns, but {needed} are "
        f"needed: {' '.join(fields)[:60]!r}"
    )


def _sentence(path: Path, group: list[Line], layout: Layout) -> Sentence:
    words = [line for line in group if not layout.ids or line.fields[0].isdecimal()]
    tags = [line.fields[layout.tag] for line in words]
    return Sentence(
        [line.fields[layout.word] for line in words],
        to_tags(tags) if layout.brackets else tags,
        f"line {words[0].number if words else 0} of {path}",
    )


def _nothing(path: Path, groups: list[list[Line]]) -> UserError:
    needed = 10 if is_universal(path) else 2
    lines = [line for group in groups for line in group]
    for line in sorted(lines, key=lambda line: len(line.fields) >= needed)[:1]:
        return UserError(
            f"line {line.number} of {path} has {len(line.fields)} columns, but {needed} "
            f"are needed: {line.text[:60]!r}"
        )
    return UserError(f"{path} has no sentences: expected a word on each line, with its tag")
