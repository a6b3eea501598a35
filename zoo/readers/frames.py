"""Tables column by column: which are called what, and the numbers that they hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.errors import UserError
from zoo.readers.tables import number, read_rows

MISSING = frozenset(
    ("", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "nat", ".", "?", "-", "--")
)
"""How a missing value may be written, in lower case."""


@dataclass(frozen=True)
class Frame:
    """The columns of a file.

    Attributes:
        path: of the file.
        names: of the columns; their numbers from 1 on, where the file has none.
        lines: int64 `[R]`, on which each row begins.
        columns: the cells of each column, without white space around them.
        separator: what sets cells apart.
    """

    path: Path
    names: list[str]
    lines: np.ndarray
    columns: list[list[str]]
    separator: str

    def find(self, names: Iterable[str]) -> int | None:
        """Return the first column that is called by one of some names, in any case."""
        lower = [name.lower() for name in self.names]
        return next((lower.index(name.lower()) for name in names if name.lower() in lower), None)

    def index(self, name: str) -> int:
        """Return the column of a name, in any case.

        Raises:
            UserError: there is none.
        """
        if name in self.names:
            return self.names.index(name)
        if (column := self.find([name])) is None:
            names = ", ".join(self.names[:20]) + (" ..." if len(self.names) > 20 else "")
            raise UserError(f"{self.path} has no column {name!r}: it has {names}")
        return column

    def place(self, row: int) -> str:
        """Return where a row stands, for messages."""
        return f"{self.path}, line {self.lines[row]}"

    def are_numbers(self, column: int) -> bool:
        """Return whether half of a column's cells or more are numbers, of those not missing."""
        cells = [cell for cell in self.columns[column] if cell.lower() not in MISSING]
        numbers = sum(number(cell, self.separator) is not None for cell in cells)
        return bool(cells) and 2 * numbers >= len(cells)

    def numbers(self, column: int) -> np.ndarray:
        """Return a column of numbers, float64 `[R]`, NaN where a cell says that it is missing.

        Raises:
            UserError: a cell holds something else, or infinity. Its line is named.
        """
        cells = self.columns[column]
        values = np.empty(len(cells))
        for row, cell in enumerate(cells):
            value = np.nan if cell.lower() in MISSING else number(cell, self.separator)
            if value is None or np.isinf(value):
                raise UserError(
                    f"{self.place(row)}: {self.names[column]} is {cell!r}, but a finite number is "
                    "needed, or nothing where it is missing"
                )
            values[row] = value
        return values

    def matrix(self, columns: Sequence[int]) -> np.ndarray:
        """Return several columns of numbers, float64 `[R, columns]`."""
        values = np.empty((len(self.lines), len(columns)))
        for at, column in enumerate(columns):
            values[:, at] = self.numbers(column)
        return values


def read_frame(path: Path) -> Frame:
    """Read a table whose first row names its columns.

    Raises:
        UserError: as `zoo.readers.tables.read_rows`, or there is no row but the first.
    """
    separator, rows = read_rows(path)
    if len(rows) < 2:
        raise UserError(f"{path} has no row but its first: expected one of names, and one a step")
    lines = np.array([row.line for row in rows[1:]])
    columns = [list(cells) for cells in zip(*(row.cells for row in rows[1:]))]
    return Frame(path, rows[0].cells, lines, columns, separator)
