"""Texts and their labels in a file of comma- or tab-separated values."""

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from zoo.errors import UserError
from zoo.readers.text import read_text_file

TEXT = ("text", "sentence", "description", "review", "content", "comment", "message", "tweet")
LABEL = ("label", "class", "category", "sentiment", "target")
"""What a column may be called, if nothing is said; the first that there is."""

_DELIMITERS = "\t;,|"


class Example(NamedTuple):
    """A text, its label, where they stand, and which split they are for, "" if nothing says."""

    text: str
    label: str
    place: str
    split: str = ""


def read_table(path: Path, text_column: str = "", label_column: str = "") -> list[Example]:
    """The rows of a UTF-8 file, plain or gz, whose first row names the columns.

    What sets the columns apart is found in the first row: tab, semicolon, comma or bar. A field in
    quotation marks may hold any of these, line breaks, and a quotation mark as two. A file set
    apart by tabs that is wrong when read so is read as it stands: it has marks in its texts.

    Args:
        path: the file.
        text_column: the name of the column of texts; "" for the first of `TEXT` that there is,
            in any case.
        label_column: likewise, of `LABEL`.

    Returns:
        All rows, texts and labels without white space around them, either of which may be empty.

    Raises:
        UserError: the file is missing, empty or not UTF-8, lacks a column, or has a row with more
            or fewer fields than the first, or with a quotation mark that is not closed.
    """
    text = read_text_file(path)
    first = text.lstrip("\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        rows = list(_rows(path, text, delimiter, csv.QUOTE_MINIMAL))
    except UserError:
        if delimiter != "\t":
            raise
        rows = list(_rows(path, text, delimiter, csv.QUOTE_NONE))
    (_, header), *rows = rows
    names = [name.strip() for name in header]
    t = _column(path, names, text_column, TEXT, "text")
    n = _column(path, names, label_column, LABEL, "label")
    s = next((i for i, name in enumerate(names) if name.lower() == "split"), None)
    return [
        Example(
            row[t].strip(),
            row[n].strip(),
            f"{path}, line {line}",
            "" if s is None else row[s].strip().lower(),
        )
        for line, row in rows
    ]


def _rows(path: Path, text: str, delimiter: str, quoting: int) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the number of the line on which it begins."""
    csv.field_size_limit(sys.maxsize)
    # Lines end at line breaks only, not at all that Python's `splitlines` takes for one.
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)  # type: ignore[arg-type]
    width, line = 0, 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what = "has a quotation mark that is not closed"
            if "end of data" not in str(error):
                what = (
                    f"is no row of fields ({error}): a quotation mark in a field is written twice"
                )
            raise UserError(f"{path}, line {line} {what}") from error
        if row:
            width = width or len(row)
            if len(row) != width:
                raise UserError(
                    f"{path}, line {line} has {len(row)} fields, but the first row has {width}: "
                    f"put a text that holds {delimiter!r} in quotation marks"
                )
            yield line, row
        line = reader.line_num + 1


def _column(path: Path, names: list[str], wanted: str, usual: tuple[str, ...], what: str) -> int:
    lower = [name.lower() for name in names]
    for name in [wanted.lower()] if wanted else usual:
        if name in lower:
            return lower.index(name)
    raise UserError(
        f"{path} has the columns {', '.join(names)}, but none is called "
        f"{wanted or ' or '.join(usual[:2])}: say with {what}_column which one holds the {what}s"
    )
