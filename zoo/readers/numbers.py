"""Reads sequences of numbers: arrays, and text files with a time step on each line."""

from pathlib import Path

import numpy as np

from zoo.errors import UserError
from zoo.readers.text import read_text_file

_SEPARATORS = ";\t,"
_LARGEST_NUMBER = float(np.finfo("float32").max)


def read_sequence(path: Path) -> np.ndarray:
    """Read a sequence `[T, D]`, float32, from a `.npy` file or a text file.

    For the shapes that an array may have see `as_sequence`.

    Raises:
        UserError: the file holds something else.
    """
    if path.suffix.lower() == ".npy":
        return as_sequence(read_array(path), str(path))
    lines = NumberLines(str(path))
    rows = list(filter(None, map(lines.read, read_text_file(path).split("\n"))))
    if not rows:
        raise UserError(f"{path} is no sequence: it has no line of numbers")
    return np.array(rows, "float32")


class NumberLines:
    """Reads a sequence line by line, as `read_input` takes one from a text file.

    Args:
        name: where the lines come from, for errors.

    Example:
        >>> lines = NumberLines("a test")
        >>> [lines.read(line) for line in ("x, y", "1, 2.5")]
        [None, [1.0, 2.5]]
    """

    def __init__(self, name: str) -> None:
        self.name, self.number = name, 0
        self._separator: str | None = None
        self._first = self._width = 0
        self._names = ""

    def read(self, line: str) -> list[float] | None:
        """The numbers of the next line; None if it is blank, or the first one and of names.

        Raises:
            UserError: it holds something else, or more or fewer numbers than the first.
        """
        self.number += 1
        line = line.rstrip()
        if not line.strip():
            return None
        if not self._first:
            self._separator = next((sign for sign in _SEPARATORS if sign in line), None)
            self._first, self._width = self.number, len(line.split(self._separator))
            if all(_number(cell, self._separator) is None for cell in line.split(self._separator)):
                self._names = " names"
                return None
        cells = [cell.strip() for cell in line.split(self._separator)]
        found = [(cell, _number(cell, self._separator)) for cell in cells]
        values = []
        for cell, value in found:
            if value is None or not abs(value) <= _LARGEST_NUMBER:
                raise UserError(
                    f"{self.name} is no sequence: line {self.number} has {cell!r}, which is no "
                    "number or too large; a line a time step is needed"
                )
            values.append(value)
        if len(values) != self._width:
            raise UserError(
                f"{self.name} is no sequence: as many numbers are needed on each line, but line "
                f"{self.number} has {len(values)}, and line {self._first} has "
                f"{self._width}{self._names}"
            )
        return values


def _number(cell: str, separator: str | None) -> float | None:
    """What a cell says, which may be `nan`; None if it is no number."""
    try:
        return float(cell if separator == "," else cell.replace(",", "."))
    except ValueError:
        return None


def as_sequence(array: np.ndarray, path: str) -> np.ndarray:
    """Return the sequence `[T, D]`, float32, that an array holds.

    Args:
        array: of `[T, D]`; or of `[T]`, one feature a step; or of `[1, T, D]`, a batch of one.
        path: what to call it in errors.

    Raises:
        UserError: it is of another shape, or holds something else than finite numbers.
    """
    if array.dtype.kind not in "fiub":
        raise UserError(f"{path} holds an array of {array.dtype}, but numbers are needed")
    with np.errstate(over="ignore"):
        array = array.astype("float32")
    shape = list(array.shape)
    if array.ndim == 1:
        array = array[:, None]
    elif array.ndim == 3 and len(array) == 1:
        array = array[0]
    if array.ndim != 2 or array.size == 0:
        raise UserError(f"{path} holds an array of shape {shape}, not [T, D]")
    if not (finite := np.isfinite(array).all(axis=1)).all():
        raise UserError(
            f"{path} has a value that is no number at time step {finite.argmin()}, or too large"
        )
    return array


def read_array(path: Path) -> np.ndarray:
    """The array of a `.npy` file."""
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise UserError(f"{path} is not a .npy array of numbers") from error
    if not isinstance(array, np.ndarray):
        raise UserError(f"{path} holds several arrays, but one is needed")
    return array
