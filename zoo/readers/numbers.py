"""Sequences of numbers: arrays, and text files with a time step on each line."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo.errors import UserError
from zoo.readers.frames import plain_name
from zoo.readers.modality import ArrayModality
from zoo.readers.tables import number
from zoo.readers.text import opened, read_pieces, read_text_file, text_pieces
from zoo.registry import register
from zoo.utils.html import lines

STANDARD_INPUT = "standard input"

SEQUENCE = (
    "sequence", "sequenceid", "series", "seriesid", "recording", "recordingid", "trial", "trialid",
    "segment", "segmentid", "clip", "clipid", "uniqueid", "id",
)  # fmt: skip
"""What a column may be called that says which rows are one sequence, see `plain_name`."""

SUBJECT = ("subject", "person", "user", "participant", "patient")
"""What a column may be called that says whom or what a sequence was measured on."""

_SEPARATORS = ";\t|,"
_EXCEL = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_DECIMAL = re.compile(r"[+-]?\d+,\d+")
_LARGEST_NUMBER = float(np.finfo("float32").max)


@register("modality", "sequence")
class Sequences(ArrayModality):
    """Vectors over time: a `.npy` or array `[T, D]`, or a text file with a time step on each line.

    An array may be `[T]` or `[1, T, D]`, too.

    The first line of a text may have names, also 0, 1, 2 and so on, as pandas writes them. What
    sets numbers apart in it: what Excel's `sep=;` says, else semicolons, tabs, bars, commas or
    spaces; a comma that does not is a decimal point. The option `columns` names those that are
    read, see `NumberLines`; an array is read whole.
    """

    dtype = "float32"
    shape = (None, None)
    axes = 2

    def read(self, source: Any, **options: Any) -> np.ndarray:
        """Return `[T, D]`, float32."""
        if isinstance(source, np.ndarray):
            return as_sequence(source, "the array")
        if isinstance(source, bytes):
            if source.startswith(b"\x93NUMPY"):
                return as_sequence(read_array(io.BytesIO(source), "the array"), "the array")
            columns = options.get("columns", ())
            pieces = [*number_pieces(text_pieces(io.BytesIO(source)), "the text", columns)]
            if not pieces:
                raise UserError("the text is no sequence: it has no line of numbers")
            return np.concatenate(pieces)
        if isinstance(source, str | Path):
            return read_sequence(self.file(source), options.get("columns", ()))
        raise self.refusal(source)

    def pieces(self, path: Path, **options: Any) -> Iterator[np.ndarray]:
        """Read a file in pieces of a line or more."""
        if path.suffix.lower() == ".npy":
            yield self.read(path)
            return
        with opened(path) as file:
            yield from number_pieces(text_pieces(file), str(path), options.get("columns", ()))

    def show(self, raw: np.ndarray) -> str:
        """Return the vectors as curves over time."""
        return lines(raw, f"{raw.shape[0]} time steps of {raw.shape[1]} numbers, over time")

    def standard_input(self, file: IO[bytes], **options: Any) -> Iterator[np.ndarray]:
        """Read lines of numbers as they come."""
        return number_pieces(text_pieces(file), STANDARD_INPUT, options.get("columns", ()))


def read_sequence(path: Path, columns: Sequence[str] = ()) -> np.ndarray:
    """Read a sequence `[T, D]`, float32, from a `.npy` file or a text file.

    Args:
        path: of a text, see `NumberLines`, or of an array, see `as_sequence`.
        columns: those of a text that are read; all, if there are none.

    Raises:
        UserError: the file holds something else.
    """
    if path.suffix.lower() == ".npy":
        return as_sequence(read_array(path), str(path))
    lines = NumberLines(str(path), columns)
    rows = list(filter(None, map(lines.read, read_text_file(path).split("\n"))))
    if not rows:
        raise UserError(f"{path} is no sequence: it has no line of numbers")
    return np.array(rows, "float32")


def number_pieces(
    texts: Iterable[str], name: str, columns: Sequence[str] = ()
) -> Iterator[np.ndarray]:
    """Read lines of numbers as they come, each a time step: `[T, D]`, float32.

    Args:
        texts: pieces of a text.
        name: what to call it in errors.
        columns: see `NumberLines`.

    Raises:
        UserError: a line is none, see `NumberLines`.

    Example:
        >>> [rows.tolist() for rows in number_pieces(["1 2\\n3", " 4\\n5 6"], "a test")]
        [[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]]
    """
    lines, rest = NumberLines(name, columns), ""
    for text in chain(texts, "\n"):
        *whole, rest = (rest + text).split("\n")
        if rows := list(filter(None, map(lines.read, whole))):
            yield np.array(rows, "float32")


class NumberLines:
    """Reads a sequence line by line, as `Sequences` does a text file.

    Args:
        name: where the lines come from, for errors.
        columns: those to read, in this order: by their names in the first line, or by their
            numbers from 1 on; all, if there are none. The others may hold anything. Lines of as
            many numbers as there are names, without a first one of names, are read in order.

    Attributes:
        names: those of the first line, if it has no numbers.

    Example:
        >>> lines = NumberLines("a test")
        >>> [lines.read(line) for line in ("x, y", "1, 2.5")]
        [None, [1.0, 2.5]]
        >>> lines = NumberLines("a test", ["y"])
        >>> [lines.read(line) for line in ("time, x, y", "10:15, 1, 2.5")]
        [None, [2.5]]
    """

    def __init__(self, name: str, columns: Sequence[str] = ()) -> None:
        self.name, self.columns, self.number = name, columns, 0
        self._separator: str | None = None
        self._first = self._width = 0
        self._chosen: Sequence[int] = ()
        self._named: list[int] = []
        self._before: tuple[list[str], bool] = ([], False)
        self.names: list[str] = []

    def read(self, line: str) -> list[float] | None:
        """Return the numbers of the next line; None if it is blank, or the first one and of names.

        Raises:
            UserError: it holds something else, or more or fewer numbers than the first; or there
                is no such column.
        """
        self.number += 1
        line = line.rstrip()
        if not line.strip():
            return None
        if not self._first and (excel := _EXCEL.fullmatch(line.strip())):
            self._separator = excel[1]
            return None
        if not self._first:
            self._separator = self._separator or next(filter(line.__contains__, _SEPARATORS), None)
        cells = self._cells(line)
        if not self._first:
            self._first, self._width = self.number, len(cells)
            self._chosen = self._choose(cells)
            if self._are_names(cells):
                self.names = cells
                self._named = self._naming()
                return None
        chosen = [at for at in self._chosen if at < len(cells)] or range(len(cells))
        values = [self._value(cells[at]) for at in chosen]
        if len(cells) != self._width:
            raise UserError(
                f"{self.name} is no sequence: as many numbers are needed on each line, but line "
                f"{self.number} has {len(cells)}, and line {self._first} has "
                f"{self._width}{' names' if self.names else ''}"
            )
        self._check_one([cells[at] for at in self._named])
        return values

    def _choose(self, cells: list[str]) -> list[int]:
        """Return which cells are read; none for all, as where these are numbers without names, and
        as many as names are chosen."""
        numbers = all(self._number(cell) is not None for cell in cells)
        if (
            numbers
            and len(cells) == len(self.columns)
            and not any(map(str.isdecimal, self.columns))
        ):
            return []
        return [self._index(column, cells) for column in self.columns]

    def _naming(self) -> list[int]:
        """Return the columns that say which lines are one sequence, but for those that are read."""
        plain = [plain_name(name) for name in self.names]
        places = (plain.index(name) for name in (*SEQUENCE, *SUBJECT) if name in plain)
        return [at for at in places if at not in self._chosen]

    def _check_one(self, names: list[str]) -> None:
        """Check that a line is of the sequence that the lines before are of.

        Where no two lines are of one, a column numbers the lines.
        """
        before, repeated = self._before
        if repeated and names != before:
            raise UserError(
                f"{self.name} holds several sequences: line {self.number} is of "
                f"{', '.join(names)}, and those before of {', '.join(before)}, as "
                f"{', '.join(self.names[at] for at in self._named)} says; give each in a file of "
                "its own"
            )
        self._before = names, repeated or names == before

    def _are_names(self, cells: list[str]) -> bool:
        """Return whether the first line has names: words, or 0, 1, 2, ... as pandas writes them."""
        # Over its index pandas writes nothing.
        numbered = cells if cells[0] else cells[1:]
        if len(cells) > 2 and numbered == [str(n) for n in range(len(numbered))]:
            return True
        chosen = self._chosen or range(len(cells))
        return all(self._number(cells[at]) is None for at in chosen)

    def _cells(self, line: str) -> list[str]:
        """Return what is set apart; a separator in quotation marks sets nothing apart."""
        cells = line.split(self._separator)
        if self._separator and '"' in line:
            cells = next(csv.reader([line], delimiter=self._separator, skipinitialspace=True))
        return [cell.strip(' \t"') for cell in cells]

    def _number(self, cell: str) -> float | None:
        return number(cell, self._separator or " ")

    def _value(self, cell: str) -> float:
        value = self._number(cell)
        if value is None or not abs(value) <= _LARGEST_NUMBER:
            raise UserError(
                f"{self.name} is no sequence: line {self.number} has {cell!r}, which is no "
                "number or too large; a line a time step is needed, and columns=... names those "
                "of numbers if there are others"
            )
        return value

    def _index(self, column: str, cells: list[str]) -> int:
        lower = [cell.lower() for cell in cells]
        if column.isdecimal() and 1 <= int(column) <= len(cells):
            return int(column) - 1
        if column.lower() not in lower or number(column, " ") is not None:
            raise UserError(
                f"{self.name} has {', '.join(cells)} in its first line, but no column {column}: "
                "give names that are there, or numbers from 1 on"
            )
        return lower.index(column.lower())


def column_names(path: Path) -> list[str]:
    """Return the names of columns in the first line of a text file, in lower case; none if it has
    numbers.

    Raises:
        UserError: it is no sequence.
    """
    lines = NumberLines(str(path))
    for line in "".join(islice(read_pieces(path), 1)).split("\n"):
        if lines.read(line) or lines.names:
            break
    return [name.lower() for name in lines.names]


def may_have_decimal_commas(path: Path) -> bool:
    """Return whether each line of a text file is two whole numbers around a comma, or one number.

    Raises:
        UserError: it cannot be read as text.

    Example:
        >>> [bool(_DECIMAL.fullmatch(line)) for line in ("1,5", "-0,25", "1,2,3", "1.5,2", "a,b")]
        [True, True, False, False, False]
    """
    lines = [line.strip() for piece in islice(read_pieces(path), 1) for line in piece.split("\n")]
    return all(_DECIMAL.fullmatch(line) for line in lines if line)


def as_sequence(array: np.ndarray, name: str) -> np.ndarray:
    """Return the sequence `[T, D]`, float32, that an array holds.

    Args:
        array: of `[T, D]`; or of `[T]`, one feature a step; or of `[1, T, D]`, a batch of one.
        name: what to call it in errors.

    Raises:
        UserError: it is of another shape, or holds something else than finite numbers.
    """
    if array.dtype.kind not in "fiub":
        raise UserError(f"{name} holds an array of {array.dtype}, but numbers are needed")
    with np.errstate(over="ignore"):
        array = array.astype("float32")
    shape = list(array.shape)
    if array.ndim == 1:
        array = array[:, None]
    elif array.ndim == 3 and len(array) == 1:
        array = array[0]
    if array.ndim != 2 or array.size == 0:
        raise UserError(f"{name} holds an array of shape {shape}, not [T, D]")
    if not (finite := np.isfinite(array).all(axis=1)).all():
        raise UserError(
            f"{name} has a value that is no number at time step {finite.argmin()}, or too large"
        )
    return array


def read_array(source: Path | IO[bytes], name: str = "") -> np.ndarray:
    """Read the array of a `.npy` file.

    Args:
        source: its path, or the file itself.
        name: what to call it in an error; the path if not given.

    Raises:
        UserError: it is none, or holds several.
    """
    name = name or str(source)
    try:
        array = np.load(source, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        if "Object arrays" in str(error):
            raise UserError(
                f"{name} holds objects, but numbers of one kind are needed, or texts as labels: "
                "save array.astype('float32'), or labels.astype(str)"
            ) from error
        raise UserError(f"{name} is not a .npy array of numbers") from error
    if not isinstance(array, np.ndarray):
        raise UserError(f"{name} holds several arrays, but one is needed")
    return array


def pixels_of(array: np.ndarray, axes: int, name: str) -> np.ndarray:
    """Return an array of uint8 with an axis of 1 or 3 channels after its other `axes`.

    Args:
        array: `[h, w]` (2 axes) or `[T, h, w]` (3), or the same with channels.
        axes: how many there are but for that of the channels.
        name: what to call it in an error.

    Raises:
        UserError: it is of another dtype or shape.
    """
    form = "[h, w]" if axes == 2 else "[T, h, w]"
    if array.dtype != np.uint8:
        raise UserError(
            f"{name} holds an array of {array.dtype}, but {form} of uint8, 0 to 255, is needed"
        )
    array = array[..., None] if array.ndim == axes else array
    if array.ndim != axes + 1 or array.shape[-1] not in (1, 3) or array.size == 0:
        raise UserError(
            f"{name} holds an array of shape {list(array.shape)}, but {form}, or the same with 1 "
            "or 3 channels after it, is needed"
        )
    return array
