"""Numbers as people write them: with decimal commas, marks between thousands, missing values."""

import re
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from zoo.errors import UserError

MISSING = frozenset(
    ("", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "nat", ".", "?", "-", "--")
)
"""How a missing value may be written, in lower case."""

_BOOLEANS = {"true": 1.0, "false": 0.0}
_SPACES = re.compile(r"(?<=\d)[ '’\u00a0\u202f](?=\d{3}(?!\d))")
_MARKS = re.compile(r",|\d\.\d{3}\.\d")
_DECIMAL_COMMA = re.compile(
    r"[+-]?(?:\d*,(?:\d{1,2}|\d{4,})|0,\d+|\d{4,},\d+|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,})"
    r"(?:[eE][+-]?\d+)?"
)
_THOUSANDS_COMMA = re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3})+\.\d*|(?:,\d{3}){2,})")
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_POINT_GROUPS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?|[+-]?\d*(?:,\d*)?(?:[eE][+-]?\d+)?")


def find_comma(
    cells_and_lines: Iterable[tuple[Sequence[str], Sequence[int]]], place: str, separator: str = ","
) -> str:
    """Return what a comma in the numbers of a file is: "decimal", "thousands", or "" for no comma.

    Args:
        cells_and_lines: cells, and the line of each.
        place: the file, for errors.
        separator: what sets its cells apart: with semicolons, a comma may be taken for a decimal
            one, as that is why they are used.

    Raises:
        UserError: it is both, or cannot be told. The lines are named.

    Example:
        >>> find_comma([(["1,5", "1.000"], [1, 2])], ""), find_comma([(["1,000,000"], [1])], "")
        ('decimal', 'thousands')
    """
    first: dict[str, tuple[str, int]] = {}
    forms = {"decimal": _DECIMAL_COMMA, "thousands": _THOUSANDS_COMMA, "either": _EITHER}
    for cells, lines in cells_and_lines:
        if not _MARKS.search("\n".join(cells)):
            continue
        for cell, line in zip(cells, lines):
            cell = _SPACES.sub("", cell)
            for kind, form in forms.items():
                if kind not in first and form.fullmatch(cell):
                    first[kind] = cell, line
    if "decimal" in first and "thousands" in first:
        (one, at), (other, then) = first["decimal"], first["thousands"]
        raise UserError(
            f"{place}: {one} in line {at} has a decimal comma, but {other} in line {then} commas "
            "between thousands: write all numbers in one way, such as 1234.5"
        )
    if "either" in first and len(first) == 1 and separator == ";":
        return "decimal"
    if "either" in first and len(first) == 1:
        cell, line = first["either"]
        raise UserError(
            f"{place}, line {line}: {cell} may be {cell.replace(',', '')} or "
            f"{cell.replace(',', '.')}: write numbers without a mark between thousands, and with a "
            "decimal point"
        )
    return next((kind for kind in ("decimal", "thousands") if kind in first), "")


def comma_notes(comma: str) -> tuple[str, ...]:
    """Return a note of what commas were taken for; none where there were none."""
    meanings = {"decimal": "decimal ones", "thousands": "marks between thousands"}
    return (f"commas in numbers were read as {meanings[comma]}",) if comma else ()


def read_numbers(cells: Sequence[str], comma: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Read numbers, and true and false where there is nothing else.

    Args:
        cells: without white space around them.
        comma: what one is, see `find_comma`.

    Returns:
        float64 `[R]`, NaN where one is missing or no number; and the places of those that are
        none, or infinite.

    Example:
        >>> [part.tolist() for part in read_numbers(["1.5", "x", "NA"])]
        [[1.5, nan, nan], [1]]
        >>> read_numbers(["1.000,5", "2"], "decimal")[0].tolist()
        [1000.5, 2.0]
    """
    plain = comma != "decimal" and "_" not in "".join(cells)
    if plain and (values := _floats(cells)) is not None:
        return values, np.flatnonzero(np.isinf(values))
    lower = [cell.lower() for cell in cells]
    present = ["nan" if low in MISSING else cell for low, cell in zip(lower, cells)]
    if plain and (values := _floats(present)) is not None:
        return values, np.flatnonzero(np.isinf(values))
    if all(cell in _BOOLEANS or cell in MISSING for cell in lower) and set(lower) & set(_BOOLEANS):
        return np.array([_BOOLEANS.get(cell, np.nan) for cell in lower]), np.zeros(0, "int64")
    values, wrong = np.full(len(cells), np.nan), []
    for at, cell in enumerate(cells):
        if lower[at] in MISSING:
            continue
        value = _number(cell, comma)
        if value is None or not np.isfinite(value):
            wrong.append(at)
        else:
            values[at] = value
    return values, np.array(wrong, "int64")


def _floats(cells: Sequence[str]) -> np.ndarray | None:
    """Return numbers with decimal points, float64; None if a cell is another."""
    try:
        return np.fromiter(map(float, cells), float, len(cells))
    except ValueError:
        return None


def are_mostly_numbers(cells: Sequence[str], limit: int = 1000) -> bool:
    """Return whether half of the first cells or more are numbers or booleans, of those not missing.

    Example:
        >>> are_mostly_numbers(["1", "2,5", "x", ""]), are_mostly_numbers(["a", "1", "b"])
        (True, False)
    """
    present = list(islice((cell for cell in cells if cell.lower() not in MISSING), limit))
    numbers = sum(is_number(cell) or cell.lower() in _BOOLEANS for cell in present)
    return bool(present) and 2 * numbers >= len(present)


def is_number(cell: str) -> bool:
    """Return whether a cell is a number, whatever its commas mean."""
    return _number(cell, "decimal") is not None or _number(cell, "thousands") is not None


def _number(cell: str, comma: str) -> float | None:
    if "_" in cell:
        return None
    cell = _SPACES.sub("", cell)
    if comma == "decimal":
        if "," not in cell and "." in cell and not _POINT_GROUPS.fullmatch(cell):
            return None
        cell = cell.replace(".", "").replace(",", ".")
    elif comma == "thousands":
        cell = cell.replace(",", "")
    try:
        return float(cell)
    except ValueError:
        return None
