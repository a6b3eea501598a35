"""Series over time: tables in the forms that people have them in, read into one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.errors import UserError
from zoo.readers.frames import read_frame
from zoo.readers.frequency import Frequency
from zoo.readers.series_columns import Chosen, read_parts
from zoo.readers.series_grid import Placed, place_all


@dataclass(frozen=True)
class Series:
    """One series: a value at each step, and what is known beside it.

    T steps have values, from the first that was observed to the last; F more have none and run on
    after them, as the covariates that are known ahead do.

    Attributes:
        name: what the file calls it.
        values: float64 `[T]`, NaN where missing.
        times: datetime64[s] `[T + F]`, no step left out; None where the file has no dates.
        known: float64 `[T + F, K]`, covariates that are known ahead; NaN where missing.
        past: float64 `[T, P]`, covariates of the past only; NaN where missing.
        static: categories, as written; S of them.
    """

    name: str
    values: np.ndarray
    times: np.ndarray | None
    known: np.ndarray
    past: np.ndarray
    static: tuple[str, ...]


@dataclass(frozen=True)
class SeriesTable:
    """Series of one frequency with the same columns.

    Attributes:
        series: one at least.
        frequency: the step from one value to the next; None where there are no dates.
        known: names of the K columns that are known ahead.
        past: names of the P columns of the past.
        static: names of the S columns of categories.
        held_out: how many steps at the end of each series came from a test file; None without one.
        notes: what was taken for what, and what was missing, one line each.
    """

    series: tuple[Series, ...]
    frequency: Frequency | None
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    held_out: int | None = None
    notes: tuple[str, ...] = ()


def read_series(
    path: str | Path,
    *,
    target: str = "",
    known: Sequence[str] = (),
    past: Sequence[str] = (),
    static: Sequence[str] = (),
) -> SeriesTable:
    """Read the series of a table.

    - Long: a row is a step of one series. Columns called `unique_id`, `item_id`, `series` or `id`
      say which, `ds`, `timestamp`, `date`, `time` and the like when, `y`, `target` or `value` hold
      the values; further columns of numbers are covariates.
    - Wide: a row is a step of all series, which have a column each.

    Steps that are left out become missing rows.

    Args:
        path: of the file.
        target: the column that holds the values.
        known: columns that are known ahead.
        past: columns of which only the past is known.
        static: columns of categories.

    Raises:
        UserError: the file holds something else.
    """
    options = Chosen(target, tuple(known), tuple(past), tuple(static))
    parts = read_parts(read_frame(Path(path)), options)
    frequency, placed, unsorted = place_all(parts.series)
    ends = [_ends(each.values) for each in placed]
    ahead = _known_ahead(placed, ends, parts.others, options)
    series = [
        _series(each, *end, ahead) for each, end in zip(placed, ends, strict=True) if end[1] > 0
    ]
    if not series:
        raise UserError(f"{path} has no series with a value")
    names = np.array(parts.others, object)
    return SeriesTable(
        tuple(series),
        frequency,
        tuple(names[ahead]),
        tuple(names[~ahead]),
        parts.static,
        notes=(*parts.notes, *_notes(placed, unsorted)),
    )


def _ends(values: np.ndarray) -> tuple[int, int]:
    """Return the first step with a value, and the one after the last; 0 and 0 where none has."""
    observed = np.flatnonzero(~np.isnan(values))
    return (int(observed[0]), int(observed[-1]) + 1) if len(observed) else (0, 0)


def _known_ahead(
    placed: Sequence[Placed], ends: Sequence[tuple[int, int]], names: Sequence[str], chosen: Chosen
) -> np.ndarray:
    """Return which columns are known ahead, bool `[C]`: those that are filled after all values.

    What is chosen goes before that.
    """
    future = [each.others[end:] for each, (_, end) in zip(placed, ends) if end]
    rows = np.concatenate(future) if future else np.zeros((0, len(names)))
    filled = [bool(len(rows)) and not np.isnan(column).any() for column in rows.T]
    known, past = ({name.lower() for name in each} for each in (chosen.known, chosen.past))
    wanted = [name.lower() in known or (full and name.lower() not in past)
              for name, full in zip(names, filled)]  # fmt: skip
    return np.array(wanted, bool)


def _series(placed: Placed, start: int, end: int, ahead: np.ndarray) -> Series:
    """Return a series from its first value on; it runs on after the last if columns are known."""
    last = len(placed.values) if ahead.any() else end
    times = None if placed.times is None else placed.times[start:last]
    known, past = placed.others[start:last, ahead], placed.others[start:end, ~ahead]
    return Series(placed.name, placed.values[start:end], times, known, past, placed.static)


def _notes(placed: Sequence[Placed], unsorted: bool) -> list[str]:
    notes = ["rows were not in the order of their dates, and were sorted"] if unsorted else []
    if gaps := [each for each in placed if each.missing_rows]:
        total = sum(each.missing_rows for each in gaps)
        notes.append(
            f"{total} missing rows were filled in as missing values, in {len(gaps)} of "
            f"{len(placed)} series"
        )
    return notes
