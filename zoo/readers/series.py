"""Series over time: tables in the forms that people have them in, read into one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zoo.errors import UserError
from zoo.readers.frequency import Frequency
from zoo.readers.series_columns import Chosen
from zoo.readers.series_files import read_file
from zoo.readers.series_folders import read_folder
from zoo.readers.series_grid import Placed, listed, place_all

UNIQUE_ID = "unique_id"
"""The category that says which series it is, by its name, see `with_names`."""
_LEAST = 2
"""Values of a series, at least: with fewer there is nothing to learn from or to forecast."""


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
    series: Sequence[str] = (),
) -> SeriesTable:
    """Read the series of a file or folder.

    - Long: a row is a step of one series. Columns called `unique_id`, `item_id`, `series` or `id`
      say which, or those of texts where dates come more than once; `ds`, `timestamp`, `date`,
      `time` and the like say when, or the first column that holds dates; `y`, `target` or `value`
      hold the values.
    - Wide: a row is a step of all series, which have a column each; also without dates, or names.
    - A row a series, of any length: its name, further texts, and the values, under dates or not.
    - A folder: a file for each series, files with parts of one long table, or a train and a test
      file that continues its series.

    Files are texts (csv, tsv, semicolons; plain or gz), see `zoo.readers.tables.read_rows`,
    Parquet, or `.tsf`. Of a long table, a column that is the same within each series is a category
    of it; one of numbers is known ahead where it is filled in rows that run on after the last
    value, else a covariate of the past. Steps that are left out become missing rows. All that is
    decided or left out is in the notes.

    Args:
        path: of the file or folder.
        target: the column that holds the values; other columns of numbers are covariates then.
        known: columns that are known ahead.
        past: columns of which only the past is known.
        static: columns of categories; `unique_id` is the name of a series, in every form.
        series: columns that tell which series a row is of.

    Raises:
        UserError: it cannot be read, or not be understood. The line is named where there is one.
    """
    path = Path(path)
    columns = tuple(name for name in static if name != UNIQUE_ID)
    chosen = Chosen(target, tuple(known), tuple(past), columns, tuple(series))
    tested = False
    if path.is_dir():
        parts, tested = read_folder(path, chosen)
    else:
        parts = read_file(path, chosen)
    frequency, placed, notes = place_all(parts.series)
    notes = [*parts.notes, *notes]
    observed = [each for each in placed if np.sum(~np.isnan(each.values)) >= _LEAST]
    if not observed:
        raise UserError(f"{path} has no series with {_LEAST} values or more")
    if short := [each.name for each in placed if np.sum(~np.isnan(each.values)) < _LEAST]:
        notes.append(f"series of less than {_LEAST} values are left out: {listed(short)}")
    held_out = None
    if tested:
        held_out = _held_out(path, observed)
        observed = [each._replace(others=each.others[:, :-1]) for each in observed]
    ends = [_ends(each.values) for each in observed]
    ahead = _known_ahead(observed, ends, parts.others, chosen)
    others = np.array(parts.others, object)
    table = SeriesTable(
        tuple(_series(each, *end, ahead) for each, end in zip(observed, ends, strict=True)),
        frequency,
        tuple(others[ahead]),
        tuple(others[~ahead]),
        parts.static,
        held_out,
        tuple(notes),
    )
    return with_names(table) if UNIQUE_ID in static else table


def with_names(table: SeriesTable) -> SeriesTable:
    """Return series that have their names as a category, the last one, called `unique_id`."""
    series = (replace(each, static=(*each.static, each.name)) for each in table.series)
    return replace(table, series=tuple(series), static=(*table.static, UNIQUE_ID))


def _held_out(path: Path, placed: Sequence[Placed]) -> int | None:
    """Return how many steps of each series came from the test file; None if it has no values.

    Raises:
        UserError: it does not follow the train file, or is of different length for some series.
    """
    lengths: dict[int, str] = {}
    for each in placed:
        of_test = np.flatnonzero(each.others[:, -1] == 1)
        before = np.flatnonzero(each.others[:, -1] == 0)
        _, end = _ends(each.values)
        if not len(of_test) or not len(before) or of_test[0] < before[-1]:
            raise UserError(
                f"{path}: the test file does not follow the train file for {each.name}: expected "
                "later rows of the same series"
            )
        lengths.setdefault(max(0, end - int(before[-1]) - 1), each.name)
    if len(lengths) > 1:
        (one, name), (other, second) = list(lengths.items())[:2]
        raise UserError(
            f"{path}: the test file continues {name} by {one} steps, but {second} by {other}: "
            "expected one horizon for all"
        )
    return next(iter(lengths)) or None


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
