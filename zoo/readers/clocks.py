"""Reads times of the day, with or without an offset from UTC."""

import re

import numpy as np

from zoo.readers.frequency import HOUR

CLOCK = re.compile(
    r"(?:[T,]\s*|\s+)(?P<hour>\d{1,2})"
    r"(?:[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?"
    r"\s*(?P<half>[ap]\.?m\.?)?\s*(?P<offset>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?$",
    re.IGNORECASE,
)
"""A time of the day after a date."""


class BadStamp(Exception):
    """A cell that is no date like the others.

    Attributes:
        cell: it.
        problem: with it, as the end of a sentence; "" where the column has no dates at all.
    """

    def __init__(self, cell: str, problem: str) -> None:
        super().__init__(problem)
        self.cell, self.problem = cell, problem


def numbers_of(parts: list[dict[str, str]], name: str, default: int = 0) -> np.ndarray:
    """Return a part of each match as a number, int64 `[R]`."""
    return np.array([int(part.get(name) or default) for part in parts], "int64")


def seconds_of(cells: list[str], parts: list[dict[str, str]]) -> np.ndarray:
    """Return the seconds of the day that clocks show, int64.

    Raises:
        BadStamp: no clock shows that, or it is finer than a second.
    """
    hours, minutes = numbers_of(parts, "hour"), numbers_of(parts, "minute")
    seconds = numbers_of(parts, "second")
    fractions = np.array([bool((part.get("fraction") or "").strip("0")) for part in parts])
    halves = np.array([(part.get("half") or " ")[0].lower() for part in parts])
    right = (minutes < 60) & (seconds < 60)
    right &= np.where(halves == " ", hours <= 24, (hours >= 1) & (hours <= 12))
    right &= (hours < 24) | (minutes + seconds == 0)
    if not right.all():
        raise BadStamp(cells[int(right.argmin())], "is no time of the day")
    if fractions.any():
        raise BadStamp(cells[int(fractions.argmax())], "is finer than a second")
    hours = np.where(halves == " ", hours, hours % 12 + 12 * (halves == "p"))
    return hours * HOUR + minutes * 60 + seconds


def read_clocks(cells: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the seconds of different times of the day, int64, and their offsets from UTC.

    Args:
        cells: the times; "" for the beginning of a day.

    Raises:
        BadStamp: one is none; or only some have an offset.
    """
    matches = [CLOCK.fullmatch(cell) for cell in cells]
    parts = [match.groupdict() if match else {} for match in matches]
    seconds, written = seconds_of(cells, parts), [part.get("offset") for part in parts]
    if not any(written):
        return seconds, None
    if None in written:
        raise BadStamp(cells[written.index(None)], "has no offset from UTC, but others have")
    return seconds, np.array([_offset(text or "") for text in written])


def _offset(text: str) -> int:
    """Return the seconds that an offset is ahead of UTC.

    Example:
        >>> _offset("+05:30"), _offset("-0800"), _offset("Z")
        (19800, -28800, 0)
    """
    if text[0] not in "+-":
        return 0
    seconds = int(text[1:3]) * HOUR + int(text[3:].lstrip(":") or 0) * 60
    return -seconds if text[0] == "-" else seconds
