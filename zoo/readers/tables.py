"""Reads the rows of tables: texts set apart by tabs, semicolons, bars or commas, JSON, Parquet."""

import csv
import gc
import io
import math
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from zoo.errors import UserError
from zoo.readers.json_rows import holds_objects, read_objects
from zoo.readers.shards import whole_table
from zoo.readers.text import read_text_file

SEPARATORS = "\t;|,"
"""What may set cells apart: what stands most rarely inside a cell comes first."""

_LOOKED_AT = 100
_EXCEL = re.compile(r'"?sep=(.)"?[ \t]*\n', re.IGNORECASE)
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_QUOTED_LINE = re.compile(rf'(?:{_QUOTED.pattern}|[^"\t]*)(?:\t(?:{_QUOTED.pattern}|[^"\t]*))*')
_DECIMAL_COMMA = re.compile(r"([+-]?\d+),(\d{1,2}|\d{4,})")


class Row(NamedTuple):
    """The cells of a row, without white space around them, and the line on which it begins."""

    line: int
    cells: list[str]


class Rows(NamedTuple):
    """All rows of a file, and what sets their cells apart: nothing, "", in JSON and Parquet, in
    which lists are left out."""

    separator: str
    rows: list[Row]
    lists: tuple[str, ...] = ()


def read_rows(path: Path, ragged: bool = False) -> Rows:
    """Read the rows of a UTF-8 file, plain or gz, with or without a byte-order mark.

    - What sets cells apart is what Excel's first line `sep=;` says. Else, in a file that is called
      `.tsv`, tabs; else the first of tab, semicolon, bar and comma by which each of the first 100
      rows has the same number of cells, two at least; else that by which the first row has most.
    - A cell in quotation marks may hold separators, line breaks, and a mark as two. Only where tabs
      set cells apart, and the file is not called `.csv`, marks are text like any other; unless all
      cells of the first 100 rows that have any are in marks, and either one is in each row and the
      first row is so throughout, as R writes them, or one holds a mark as two, as pandas does.
    - Blank rows are left out, and so are blank cells beyond those of the first row.
    - Of JSON and Parquet, see `zoo.readers.json_rows`, the first row are the names of all members;
      what an object lacks is a blank cell.

    Args:
        path: the file.
        ragged: whether rows may have more or fewer cells than the first.

    Raises:
        UserError: the file is missing, empty or not UTF-8; a row has more or fewer cells than the
            first; or a quotation mark is not closed or has text beside it. The line is named.
    """
    if holds_objects(path):
        return _object_rows(path)
    text = read_text_file(path)
    excel, skipped = _EXCEL.match(text), 0
    if excel:
        text, skipped = text[excel.end() :], 1
    separator = excel[1] if excel else find_separator(text, path)
    with _collector_paused():
        rows = list(_parsed(text, separator, path))
    if skipped:
        rows = [Row(row.line + skipped, row.cells) for row in rows]
    whole = Rows(separator, rows)
    return whole if ragged else Rows(separator, list(even_rows(whole, path)))


def find_separator(text: str, path: Path) -> str:
    """Return what sets the cells of a table apart, see `read_rows`."""
    first = text.lstrip("\n").partition("\n")[0]
    if _ending(path) in (".tsv", ".tab") and "\t" in first:
        return "\t"
    for separator in SEPARATORS:
        try:
            rows = islice(_parsed(text, separator, path), _LOOKED_AT)
            widths = {len(row.cells) for row in rows}
        except UserError:
            continue
        if len(widths) == 1 and widths.pop() > 1:
            return separator
    return max(SEPARATORS, key=first.count)


def number(cell: str, separator: str = ",") -> float | None:
    """Return the number that a cell says; None if it is none.

    A comma is a decimal one, but not where commas set cells apart and three digits follow, which
    may be thousands.

    Example:
        >>> [number(cell, ";") for cell in ("1.5", "1,5", "1e3", "one", "")]
        [1.5, 1.5, 1000.0, None, None]
        >>> number("1,500"), number("1,5")
        (None, 1.5)
    """
    if separator != ",":
        cell = cell.replace(",", ".")
    elif decimal := _DECIMAL_COMMA.fullmatch(cell.strip()):
        cell = f"{decimal[1]}.{decimal[2]}"
    try:
        # Underscores are Python's own.
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def are_numbers(cells: list[str]) -> bool:
    """Return whether all cells that are not blank are finite numbers, and one at least is there.

    Example:
        >>> are_numbers(["1", "", "2,5"]), are_numbers(["1", "nan"]), are_numbers([""])
        (True, False, False)
    """
    values = [number(cell, ";") for cell in cells if cell.strip()]
    return bool(values) and all(value is not None and math.isfinite(value) for value in values)


def _object_rows(path: Path) -> Rows:
    """Return the names of all members, a row of each object that has any text, and what is left
    out.

    Raises:
        UserError: as `read_objects`, or there are no members but lists.
    """
    objects, path = read_objects(path), whole_table(path)
    lists = dict.fromkeys(name for each in objects for name in each.lists)
    names = list(dict.fromkeys(name for each in objects for name in each.cells))
    if not names:
        only = f", but lists in {', '.join(lists)}" if lists else ""
        raise UserError(f"{path} holds no objects with texts or numbers{only}")
    if lists:
        print(f"{path}: left out {', '.join(lists)}: lists are no cells", file=sys.stderr)
    rows = [Row(each.line, [each.cells.get(name, "") for name in names]) for each in objects]
    return Rows("", [Row(1, names), *(row for row in rows if any(row.cells))], (*lists,))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep Python from searching for cycles: among millions of new rows, that takes most time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _ending(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _are_quoted(text: str) -> bool:
    """Return whether cells set apart by tabs are in quotation marks, see `read_rows`."""
    lines = [line for line in text.split("\n", _LOOKED_AT)[:_LOOKED_AT] if line.strip()]
    rows = [[cell for cell in line.split("\t") if '"' in cell] for line in lines]
    first = lines[0].count("\t") + 1 if lines else 0
    if all(map(_QUOTED_LINE.fullmatch, lines)):
        quoted = [cell for line in lines for cell in _QUOTED.findall(line)]
        if any('""' in cell[1:-1] for cell in quoted):
            return True
    return (
        len(rows) > 1
        and len(rows[0]) == first
        and all(
            cells and all(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in cells)
            for cells in rows
        )
    )


def _parsed(text: str, separator: str, path: Path) -> Iterator[Row]:
    """Yield each row that is not blank."""
    csv.field_size_limit(sys.maxsize)
    literal = separator == "\t" and _ending(path) != ".csv" and not _are_quoted(text)
    # Lines end at line breaks only, not at all that Python's `splitlines` takes for one.
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=separator,
        quoting=csv.QUOTE_NONE if literal else csv.QUOTE_MINIMAL,
        skipinitialspace=not literal,
        strict=True,
    )
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = "has a quotation mark that is not closed"
            if "end of data" not in str(error):
                problem = (
                    f"is no row of fields ({error}): a quotation mark in a field is written twice"
                )
            raise UserError(f"{path}, line {line} {problem}") from error
        cells = list(map(str.strip, cells))
        if any(cells):
            yield Row(line, cells)
        line = reader.line_num + 1


def even_rows(table: Rows, path: Path) -> Iterator[Row]:
    """Yield rows of as many cells as the first has; blank ones beyond them are left out.

    Raises:
        UserError: a row has more or fewer. Its line is named.
    """
    separator, rows = table.separator, table.rows
    width = len(rows[0].cells) if rows else 0
    for row in rows:
        if len(row.cells) == width:
            yield row
            continue
        cells = row.cells[:width] if not any(row.cells[width:]) else row.cells
        if len(cells) != width:
            how = "quotation marks hold nothing together in a file set apart by tabs"
            if separator != "\t" or _ending(path) == ".csv":
                how = f"put a text that holds {separator!r} in quotation marks"
            raise UserError(
                f"{path}, line {row.line} has {len(cells)} fields, but the first row has "
                f"{width}: {how}"
            )
        yield Row(row.line, cells)
