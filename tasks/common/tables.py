"""Tables of a person's own: which columns hold what a task needs."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.common.notices import first_few, left_out
from tasks.common.splits import by_split_named, split_named, split_words
from zoo.errors import UserError
from zoo.readers.json_rows import LINES
from zoo.readers.parquet import PARQUET, is_parquet
from zoo.readers.shards import first_shards, whole_table
from zoo.readers.tables import Row, are_numbers, read_rows

ENDINGS = (".csv", ".tsv", ".tab", *LINES, *PARQUET)
"""How the names of tables end, before `.gz`."""

LABEL = ("label", "class", "category", "sentiment", "target", "labels")
"""What a column of labels may be called; the first that there is."""

SPLIT = ("split", "set", "partition", "subset")
GROUP = ("group", "speaker", "document")
"""What the columns may be called that say a row's split, and what it was taken from."""

_NOTES = ("", ".md", ".json", ".py")


@dataclass(frozen=True)
class Table:
    """The rows of a file.

    Attributes:
        path: of the file; of one in shards, what to call it.
        names: of its columns, as the first row has them.
        named: whether the first row is one of names, as always in JSON and Parquet; else it is one
            of `rows`.
        rows: each with its line and as many cells as there are columns, see `read_rows`.
        separator: what sets cells apart; "" in JSON and Parquet.
        lists: what is left out of those, as each of its values is a list.
    """

    path: Path
    names: list[str]
    named: bool
    rows: list[Row]
    separator: str
    lists: tuple[str, ...] = ()

    def place(self, row: Row) -> str:
        """Return where a row stands, for messages."""
        return f"{self.path}, line {row.line}"

    def cells(self, column: int) -> list[str]:
        """Return a column; rows that end before it have "" there."""
        return [row.cells[column] if column < len(row.cells) else "" for row in self.rows]

    def find(self, names: Iterable[str]) -> int | None:
        """Return the first column that is called by one of some names, in any case."""
        if not self.named:
            return None
        lower = [name.lower() for name in self.names]
        return next((lower.index(name.lower()) for name in names if name.lower() in lower), None)

    def column(self, chosen: str, usual: Sequence[str], option: str, holds: str) -> int:
        """Return the column that is chosen, or the first that has a usual name.

        Args:
            chosen: its name, or its number from 1 on; "" for a usual name.
            usual: names.
            option: that chooses it, such as "text_column".
            holds: what the column holds, such as "the texts".

        Raises:
            UserError: there is no such column.
        """
        column = self.find([chosen] if chosen else usual)
        if column is None and chosen.isdecimal() and 1 <= int(chosen) <= len(self.names):
            column = int(chosen) - 1
        if column is None:
            self.check_no_list([chosen] if chosen else usual)
            wanted = chosen or " or ".join(usual[:2])
            raise UserError(
                f"{self.path} has the columns {', '.join(self.names)}, but none is called "
                f"{wanted}: say with {option} which one holds {holds}, by its name or number"
            )
        return column

    def check_no_list(self, names: Iterable[str]) -> None:
        """Check that a column that is not there was not left out.

        Raises:
            UserError: one of the names is that of lists.
        """
        lower = {name.lower() for name in names}
        if listed := next((name for name in self.lists if name.lower() in lower), None):
            raise UserError(
                f"{self.path}: {listed} holds lists, but one value a row is needed: write one there"
            )

    def check_texts(self, column: int, option: str, holds: str, chosen: bool = False) -> None:
        """Check that a column is of texts and not of numbers.

        Raises:
            UserError: it is of numbers, and nobody has chosen it; who has is told so.
        """
        if not are_numbers(self.cells(column)):
            return
        if chosen:
            print(f"{self.path}: {self.title(column)} holds numbers only", file=sys.stderr)
            return
        raise UserError(
            f"{self.path}: {self.title(column)} holds numbers, not {holds}: say with {option} "
            "which column does"
        )

    def title(self, column: int) -> str:
        """Return what to call a column in messages."""
        name = f" ({self.names[column]})" if self.named and self.names[column] else ""
        return f"column {column + 1}{name}"

    def splits(self) -> list[str]:
        """Return what each row says of its split, see `SPLIT`; "" where no column does.

        A column that is called something else than "split" counts only if it names nothing else.
        """
        for name in SPLIT:
            column = self.find([name])
            cells = [] if column is None else self.cells(column)
            if cells and (name == "split" or all(split_words(cell) for cell in cells)):
                return cells
        return [""] * len(self.rows)


def read_table(path: Path, names: Iterable[str] = (), ragged: bool = False) -> Table:
    """Read a table, see `zoo.readers.tables.read_rows`.

    Args:
        path: the file.
        names: what columns may be called: the first row is one of names if it has one of these;
            a number says where a column is, not how it is called.
        ragged: whether rows may have more or fewer cells than the first.

    Raises:
        UserError: as `read_rows`.
    """
    separator, rows, lists = read_rows(path, ragged)
    first = rows[0].cells if rows else []
    known = {name.lower() for name in names if name and not name.isdecimal()}
    named = not separator or any(cell.lower() in known for cell in first)
    return Table(whole_table(path), first, named, rows[named:], separator, lists)


def tables_of_splits(folder: Path) -> dict[str, Path]:
    """Return the tables of a folder by the split that their names speak of, if any do.

    Where some do, those that do not are left out, and named.

    Raises:
        UserError: two speak of one.
    """
    tables = tables_in(folder)
    parts = by_split_named(tables)
    others = [table.name for table in tables if parts and table not in parts.values()]
    left_out(folder, "table", "whose name speaks of no split", others)
    return parts


def tables_in(folder: Path) -> list[Path]:
    """Return the tables in a folder, see `hub_folder`; of one in shards, the first of them."""
    files = sorted(hub_folder(folder).iterdir())
    return first_shards(each for each in files if each.is_file() and is_table(each))


def one_or_by_split(folder: Path, tables: Sequence[Path]) -> dict[str, Path]:
    """Return tables by the split that their names speak of; one alone, of whatever name, as "".

    Args:
        folder: that they are in.
        tables: those that hold what is wanted.

    Raises:
        UserError: there are several for one split, or for none.
    """
    splits = [split_named(file.name) or "" for file in tables]
    if len(tables) > 1 and ("" in splits or len({*splits}) < len(splits)):
        raise UserError(
            f"{folder} has several tables of pictures, {tables[0].name} and {tables[1].name}: give "
            "one of them as the data set"
        )
    return dict(zip(splits if len(tables) > 1 else [""], tables))


def hub_folder(folder: Path) -> Path:
    """Return the folder in a repository of the Hugging Face hub that has its tables; any other
    folder itself.

    It is called `data`, or as the only configuration of the data set is, such as `plain_text`. It
    has Parquet files, perhaps in a folder for each split, and nothing lies beside it but notes,
    such as README.md.

    Raises:
        UserError: several folders have tables that are called after splits: configurations, of
            which one is meant.
    """
    beside = [each for each in folder.iterdir() if each.name[0] != "."]
    inner = [each for each in beside if each.is_dir()]
    notes = all(each.suffix.lower() in _NOTES for each in beside if each.is_file())
    if not notes or any(split_words(each.name) for each in inner):
        return folder
    if len(inner) == 1:
        below = [*inner[0].iterdir()]
        # What the hub converts has a folder for each split of a configuration.
        parts = [each for each in below if each.is_dir() and split_words(each.name)]
        files = [*below, *(file for part in parts for file in part.iterdir())]
        return inner[0] if any(map(is_parquet, files)) else folder
    several = [each.name for each in sorted(inner) if _has_splits(each)]
    if len(several) > 1:
        raise UserError(
            f"{folder} has tables in {first_few(several)}, which are configurations of a data set "
            f"of the hub: give one, such as {folder / several[0]}"
        )
    return folder


def _has_splits(folder: Path) -> bool:
    return any(is_parquet(file) and split_words(file.name) for file in folder.iterdir())


def check_not_swallowed(table: Table, column: int) -> None:
    """Check that no quotation mark opens in one row and is closed in a later one.

    Args:
        table: whose cells may hold line breaks.
        column: of few different values, such as labels: a line inside a cell is a row if it has
            all columns, and one of these values in this one.

    Raises:
        UserError: one does.
    """
    if not table.separator:
        return
    values = {cell for cell in table.cells(column) if "\n" not in cell}
    width = len(table.names)
    for row in table.rows:
        for line in (line for cell in row.cells for line in cell.split("\n")[1:]):
            cells = [cell.strip(' "') for cell in line.split(table.separator)]
            if len(cells) == width and cells[column] in values:
                raise UserError(
                    f"{table.place(row)} has a quotation mark that is not closed: it goes on over "
                    f"{line[:60]!r}, which is a row of its own"
                )


def is_table(path: Path) -> bool:
    """Return whether the name of a file is that of a table.

    Example:
        >>> is_table(Path("a.CSV")), is_table(Path("a.tsv.gz")), is_table(Path("a.txt"))
        (True, True, False)
    """
    return path.name.lower().removesuffix(".gz").endswith(ENDINGS)
