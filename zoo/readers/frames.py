"""Tables column by column: what the columns are called, and the numbers that they hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from zoo.errors import UserError
from zoo.readers.dates import look_like_dates
from zoo.readers.tables import Row, Rows, even_rows
from zoo.readers.written_numbers import (
    MISSING,
    are_mostly_numbers,
    find_comma,
    is_number,
    read_numbers,
)

_LOOKED_AT = 100
_DEEPEST_HEADER = 4
_INDEX = ("", "index", "id", "no", "no.", "nr", "row", "rowid", "rownames", "#")


@dataclass(frozen=True)
class Frame:
    """The columns of a file.

    Attributes:
        path: of the file.
        names: of the columns; their numbers from 1 on, where the file has none.
        lines: int64 `[R]`, on which each row begins.
        columns: the cells of each column, without white space around them.
        separator: what sets cells apart in the file.
        notes: of columns that were left out.
    """

    path: Path
    names: list[str]
    lines: np.ndarray
    columns: list[list[str]]
    separator: str = ","
    notes: tuple[str, ...] = ()

    def find(self, names: Iterable[str]) -> int | None:
        """Return the first column that is called by one of some names.

        Case, spaces and marks make no difference: "Date Time" is `datetime`.
        """
        plain = [plain_name(name) for name in self.names]
        return next((plain.index(name) for name in names if name in plain), None)

    def index(self, name: str) -> int:
        """Return the column of a name, in any case.

        Raises:
            UserError: there is none.
        """
        if name in self.names:
            return self.names.index(name)
        lower = [each.lower() for each in self.names]
        if name.lower() not in lower:
            names = ", ".join(self.names[:20]) + (" ..." if len(self.names) > 20 else "")
            raise UserError(f"{self.path} has no column {name!r}: it has {names}")
        return lower.index(name.lower())

    def place(self, row: int) -> str:
        """Return where a row stands, for messages."""
        return f"{self.path}, line {self.lines[row]}"

    def are_numbers(self, column: int) -> bool:
        """Return whether a column is of numbers, but perhaps for some of its cells."""
        return are_mostly_numbers(self.columns[column])

    def are_empty(self, column: int) -> bool:
        """Return whether all values of a column are missing."""
        return all(cell.lower() in MISSING for cell in self.columns[column])

    def numbers(self, column: int) -> np.ndarray:
        """Return a column of numbers, float64 `[R]`, NaN where a cell says that it is missing.

        Raises:
            UserError: a cell holds something else, or infinity. Its line is named.
        """
        cells = self.columns[column]
        values, wrong = read_numbers(cells, self.comma)
        if len(wrong):
            raise UserError(
                f"{self.place(wrong[0])}: {self.names[column]} is {cells[wrong[0]]!r}, but a "
                "finite number is needed, or nothing where it is missing"
            )
        return values

    def matrix(self, columns: Sequence[int]) -> np.ndarray:
        """Return several columns of numbers, float64 `[R, columns]`.

        Raises:
            UserError: as `numbers`.
        """
        values = np.empty((len(self.lines), len(columns)))
        for at, column in enumerate(columns):
            values[:, at] = self.numbers(column)
        return values

    @cached_property
    def comma(self) -> str:
        """Return what a comma in numbers is, see `find_comma`."""
        lines = self.lines.tolist()
        columns = ((cells, lines) for cells in self.columns)
        return find_comma(columns, str(self.path), self.separator)


def plain_name(name: str) -> str:
    """Return a name in lower case without spaces and marks.

    Example:
        >>> plain_name("Date Time"), plain_name("unique_id")
        ('datetime', 'uniqueid')
    """
    return "".join(letter for letter in name.lower() if letter.isalnum())


def make_frame(path: Path, table: Rows) -> Frame:
    """Return the columns of rows.

    The first row names them where a column of dates or numbers has a text there, or where it counts
    from 0 on as pandas does. Names in several rows, over one that names the index alone, are joined
    by slashes, but for what all columns have in common. A column that counts the rows is left out,
    and one without a name and cells.

    Raises:
        UserError: rows are of different length; there is none; or two columns have one name.
    """
    rows = _one_header(list(even_rows(table, path)))
    named = _are_names(rows)
    names = rows[0].cells if named else [str(at + 1) for at in range(len(rows[0].cells))]
    if not rows[named:]:
        raise UserError(f"{path} has names of columns only: expected a row for each step")
    lines = np.array([row.line for row in rows[named:]])
    columns = [list(cells) for cells in zip(*(row.cells for row in rows[named:]))]
    frame = Frame(path, names, lines, columns, table.separator)
    return drop_columns(frame)


def _one_header(rows: list[Row]) -> list[Row]:
    """Return rows with the names of columns in the first, where pandas has written them in several.

    After those comes a row with the name of the index and nothing else.
    """
    for at, row in enumerate(rows[1:_DEEPEST_HEADER], 1):
        if row.cells[0] and not any(row.cells[1:]) and _kind(row.cells[:1]) == "text":
            levels = [upper.cells[1:] for upper in rows[:at]]
            levels = [level for level in levels if len(set(level)) > 1] or levels[:1]
            names = ["/".join(filter(None, parts)) for parts in zip(*levels)]
            return [Row(rows[0].line, [row.cells[0], *names]), *rows[at + 1 :]]
    return rows


def drop_columns(frame: Frame) -> Frame:
    """Leave out columns that count the rows, or have neither name nor cells.

    Raises:
        UserError: two columns have one name.
    """
    keep, notes = [], []
    for at, name in enumerate(frame.names):
        if _counts_rows(frame, at):
            notes.append(f"the column {name or at + 1} is left out: it counts the rows")
        elif name or not frame.are_empty(at):
            keep.append(at)
    names = [frame.names[at] or str(at + 1) for at in keep]
    if twice := next((name for at, name in enumerate(names) if name in names[:at]), None):
        raise UserError(f"{frame.path} has two columns called {twice}: give each a name of its own")
    columns = [frame.columns[at] for at in keep]
    return replace(frame, names=names, columns=columns, notes=tuple(notes))


def _counts_rows(frame: Frame, column: int) -> bool:
    name = frame.names[column].strip().lower()
    if len(frame.names) < 2 or not (name in _INDEX or name.startswith(("unnamed", "__index"))):
        return False
    cells = frame.columns[column]
    return any(
        cells[0] == str(first) and all(cell == str(first + at) for at, cell in enumerate(cells))
        for first in (0, 1)
    )


def _are_names(rows: list[Row]) -> bool:
    """Return whether the first row names the columns."""
    first, body = rows[0].cells, rows[1:_LOOKED_AT]
    if counts_up(first) or (not first[0] and counts_up(first[1:], 1)) or not body:
        return True
    kinds = [_kind([row.cells[at] for row in body]) for at in range(len(first))]
    own = [_kind([cell]) for cell, kind in zip(first, kinds) if cell and kind != "text"]
    return not own or "text" in own


def counts_up(cells: Sequence[str], least: int = 3) -> bool:
    """Return whether cells are 0, 1, 2 and so on, and at least so many."""
    return len(cells) >= least and list(cells) == [str(at) for at in range(len(cells))]


def _kind(cells: Sequence[str]) -> str:
    present = [cell for cell in cells if cell.lower() not in MISSING]
    if not present:
        return "missing"
    if 2 * sum(map(is_number, present)) >= len(present):
        return "number"
    return "date" if look_like_dates(present) else "text"
