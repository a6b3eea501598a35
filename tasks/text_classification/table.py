"""Texts and their labels in a table."""

from pathlib import Path
from typing import NamedTuple

from tasks.common.tables import GROUP, LABEL, Table, check_not_swallowed, read_table
from zoo.errors import UserError
from zoo.readers.tables import are_numbers

TEXT = ("text", "sentence", "description", "review", "content", "comment", "message", "tweet")
"""What the column of texts may be called, if nothing is said; the first that there is."""

_MANY = 20
"""Numbers that are classes are mostly fewer."""


class Example(NamedTuple):
    """A text and its label.

    Attributes:
        text: as it stands, without white space around it; it may be empty.
        label: likewise.
        place: where they stand, for messages.
        split: what the table says of its split, "" if nothing.
        group: what it was taken from, such as a speaker; "" if the table does not say.
    """

    text: str
    label: str
    place: str
    split: str = ""
    group: str = ""

    @property
    def key(self) -> str:
        """Return the key of the example: examples of one key are never in two splits."""
        return self.group or self.text


def read_examples(path: Path, text_column: str = "", label_column: str = "") -> list[Example]:
    """Return all rows of a table, see `zoo.readers.tables.read_rows`.

    Args:
        path: the file.
        text_column: the column of texts, by name or by number from 1; "" for the first of `TEXT`
            that there is, in any case.
        label_column: likewise, of `LABEL`.

    Raises:
        UserError: the file cannot be read, lacks a column, or its texts are numbers, or its labels
            numbers of which nearly each is another.
    """
    table = read_table(path, [*TEXT, *LABEL, text_column, label_column])
    text = table.column(text_column, TEXT, "text_column", "the texts")
    label = table.column(label_column, LABEL, "label_column", "the labels")
    table = _without_names(table, label)
    check_not_swallowed(table, label)
    table.check_texts(text, "text_column", "texts", chosen=bool(text_column))
    _check_labels(table, label, chosen=bool(label_column))
    group = table.find(GROUP)
    groups = [""] * len(table.rows) if group is None else table.cells(group)
    return [
        Example(row.cells[text], row.cells[label], table.place(row), split, group)
        for row, split, group in zip(table.rows, table.splits(), groups)
    ]


def _without_names(table: Table, label: int) -> Table:
    """Return the table without its first row, if that names columns whose names nobody has said.

    It does if its label is none of those of other rows.
    """
    if table.named or not table.rows or table.names[label] in table.cells(label)[1:]:
        return table
    return Table(table.path, table.names, True, table.rows[1:], table.separator)


def _check_labels(table: Table, label: int, chosen: bool) -> None:
    """Check that labels are no index and no measure.

    Raises:
        UserError: they are numbers, more than twenty, of which most rows have one of their own.
    """
    cells = [cell for cell in table.cells(label) if cell]
    if are_numbers(cells) and len({*cells}) > max(_MANY, len(cells) // 2):
        how = "choose another" if chosen else "say with label_column which one has the labels"
        raise UserError(
            f"{table.path}: {table.title(label)} has {len({*cells})} different numbers in "
            f"{len(cells)} rows, an index or a measure and no classes: {how}"
        )
