"""Reads what holds objects: JSON, one on each line or a list of them, and the rows of Parquet."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, starmap
from pathlib import Path
from typing import Any, NamedTuple

from zoo.errors import UserError
from zoo.readers.parquet import is_parquet, parquet_rows
from zoo.readers.shards import whole_table
from zoo.readers.text import read_pieces

LINES = (".jsonl", ".ndjson")
"""How the names of files with an object on each line end, before `.gz`."""

# Numbers stay as they are written, as in any other table.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
_BETWEEN = re.compile(r"[\s,]*")


class Members(NamedTuple):
    """An object: on which line it begins, and its members by name; numbers are as written."""

    line: int
    values: dict[str, Any]


class JSONRow(NamedTuple):
    """What a row holds by the names of the columns, on which line it begins, and which members
    are left out, as they are lists."""

    line: int
    cells: dict[str, str]
    lists: list[str]


def is_json_lines(path: Path) -> bool:
    """Return whether the name of a file is that of lines of JSON.

    Example:
        >>> is_json_lines(Path("a.jsonl.gz")), is_json_lines(Path("a.json"))
        (True, False)
    """
    return path.name.lower().removesuffix(".gz").endswith(LINES)


def is_json(path: Path) -> bool:
    """Return whether the name of a file is that of JSON.

    Example:
        >>> is_json(Path("a.JSONL")), is_json(Path("a.json.gz")), is_json(Path("a.csv"))
        (True, True, False)
    """
    return is_json_lines(path) or path.name.lower().removesuffix(".gz").endswith(".json")


def holds_objects(path: Path) -> bool:
    """Return whether the name of a file is that of JSON or of Parquet.

    Example:
        >>> holds_objects(Path("a.json")), holds_objects(Path("a.pq")), holds_objects(Path("a.csv"))
        (True, True, False)
    """
    return is_json(path) or is_parquet(path)


def file_members(path: Path) -> Iterator[Members]:
    """Yield each object of a file of JSON, or each row of a Parquet file.

    Raises:
        UserError: as `read_members`, `zoo.readers.text.read_pieces` or `open_parquet`.
    """
    if is_parquet(path):
        yield from starmap(Members, parquet_rows(path))
    else:
        yield from read_members(read_pieces(path), path)


def read_objects(path: Path) -> list[JSONRow]:
    """Return a row for each object of a file; the members of an object inside of it are its own.

    What is null is "", what is true or false is called so, and numbers are as they are written.

    Args:
        path: of JSON or Parquet.

    Raises:
        UserError: as `file_members`, or an object has two members of one name.
    """
    rows = []
    for line, values in file_members(path):
        row = JSONRow(line, {}, [])
        for name, value in _flat(values):
            if name in row.cells or name in row.lists:
                raise UserError(
                    f"{whole_table(path)}, line {line} has two members that are called {name}"
                )
            if isinstance(value, list):
                row.lists.append(name)
            else:
                row.cells[name] = _cell(value)
        rows.append(row)
    return rows


def read_members(pieces: Iterable[str], path: Path) -> Iterator[Members]:
    """Yield each object of a text in pieces: of lines one by one, of a list when all is read.

    Raises:
        UserError: it is no JSON, or holds something else than objects. The line is named.

    Example:
        >>> list(read_members(['{"tokens": ["a", ', '"b"]}'], Path("a.jsonl")))
        [Members(line=1, values={'tokens': ['a', 'b']})]
    """
    pieces = iter(pieces)
    first = next(pieces, "")
    whole = chain([first], pieces)
    listed = first.lstrip().startswith("[")
    for line, value in _of_list("".join(whole), path) if listed else _of_lines(whole, path):
        if not isinstance(value, dict):
            raise UserError(f"{path}, line {line} is no object: expected names and their values")
        yield Members(line, value)


def _of_lines(pieces: Iterable[str], path: Path) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(_lines(pieces), 1):
        if line.strip():
            try:
                yield number, _DECODER.decode(line)
            except json.JSONDecodeError as error:
                raise UserError(f"{path}, line {number} is no JSON: {error.msg}") from error


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    held = ""
    for piece in pieces:
        # Lines end at line breaks only, not at all that Python's `splitlines` takes for one.
        *lines, held = (held + piece).split("\n")
        yield from lines
    yield held


def _of_list(text: str, path: Path) -> Iterator[tuple[int, Any]]:
    try:
        count = len(_DECODER.decode(text))
    except json.JSONDecodeError as error:
        raise UserError(f"{path}, line {error.lineno} is no JSON: {error.msg}") from error
    line, counted, place = 1, 0, text.index("[") + 1
    for _ in range(count):
        place = _BETWEEN.match(text, place).end()  # type: ignore[union-attr]
        line, counted = line + text.count("\n", counted, place), place
        value, place = _DECODER.raw_decode(text, place)
        yield line, value


def _flat(members: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in members.items():
        yield from _flat(value) if isinstance(value, dict) else [(name, value)]


def _cell(value: str | bool | None) -> str:
    if isinstance(value, str):
        return value.strip()
    return "" if value is None else str(value).lower()
