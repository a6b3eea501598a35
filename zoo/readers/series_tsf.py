"""Series in the `.tsf` files of the Monash forecasting archive."""

import re
from pathlib import Path

import numpy as np

from zoo.errors import UserError
from zoo.readers.dates import Stamps
from zoo.readers.frequency import HOUR, Frequency
from zoo.readers.series_rows import Parts, SeriesRows
from zoo.readers.text import read_text_file
from zoo.readers.written_numbers import read_numbers

_STEPS = {
    "yearly": ("month", 12),
    "quarterly": ("month", 3),
    "monthly": ("month", 1),
    "weekly": ("day", 7),
    "daily": ("day", 1),
    "hourly": ("second", HOUR),
    "half_hourly": ("second", HOUR // 2),
    "minutely": ("second", 60),
}
_SECONDS = {"seconds": 1, "minutes": 60, "hours": HOUR}
_START = re.compile(r"(\d{4}-\d\d-\d\d)(?: (\d\d)-(\d\d)-(\d\d))?")


def read_tsf(path: Path) -> Parts:
    """Read a `.tsf` file, plain or gz.

    After lines such as `@attribute series_name string` and `@frequency daily`, each line after
    `@data` is a series: its attributes and its values, colons between. The first attribute of texts
    is its name, further ones are categories, and a date says when it starts.

    Raises:
        UserError: it is none, or a line is no series of it. The line is named.

    Source: R. Godahewa et al. 2021, arXiv:2105.06643.
    """
    attributes: list[tuple[str, str]] = []
    frequency: Frequency | None = None
    series: list[SeriesRows] | None = None
    for number, line in enumerate(read_text_file(path).split("\n"), 1):
        words = line.strip().split()
        if not words or words[0].startswith("#"):
            continue
        try:
            if series is not None:
                series.append(_series(path, number, line.strip(), attributes, frequency))
            elif words[0] == "@attribute":
                attributes.append((words[1], words[2]))
            elif words[0] == "@frequency":
                frequency = _frequency(words[1])
            elif words[0] == "@data":
                series = []
        except (IndexError, ValueError) as error:
            raise UserError(f"{path}, line {number} is no line of a tsf file: {error}") from error
    if not series:
        raise UserError(f"{path} has no series: expected lines after @data")
    _, *static = [name for name, kind in attributes if kind != "date"] or [""]
    return Parts(series, static=tuple(static))


def _frequency(name: str) -> Frequency:
    if step := _STEPS.get(name):
        return Frequency(*step)
    count, _, unit = name.partition("_")
    if not count.isdecimal() or unit not in _SECONDS:
        raise ValueError(f"the frequency {name!r} is not known")
    return Frequency("second", int(count) * _SECONDS[unit])


def _series(
    path: Path,
    number: int,
    line: str,
    attributes: list[tuple[str, str]],
    frequency: Frequency | None,
) -> SeriesRows:
    """Return the series of a line.

    Raises:
        ValueError: it has other attributes, or a value is no number.
    """
    *cells, text = line.split(":")
    if len(cells) != len(attributes):
        raise ValueError(f"{len(cells)} attributes, but {len(attributes)} are needed")
    values, wrong = read_numbers([cell.strip() for cell in text.split(",")])
    if len(wrong):
        raise ValueError(f"the value {wrong[0] + 1} is no finite number")
    start, texts = None, []
    for cell, (_, kind) in zip(cells, attributes):
        if kind == "date":
            start = _start(cell.strip())
        else:
            texts.append(cell.strip())
    stamps = None
    if start is not None and frequency:
        stamps = Stamps(frequency.after(start, np.arange(len(values))), zoned=True)
    return SeriesRows(
        texts[0] if texts else f"T{number}",
        str(path),
        np.full(len(values), number),
        stamps,
        values,
        np.zeros((len(values), 0)),
        tuple(texts[1:]),
    )


def _start(cell: str) -> np.datetime64:
    match = _START.fullmatch(cell)
    if not match:
        raise ValueError(f"{cell!r} is no date such as 2024-02-29 12-00-00")
    clock = ":".join(match.groups("00")[1:])
    return np.datetime64(f"{match[1]}T{clock}", "s")
