"""Tables of series as the task has them: read by name or path, checked, shown, and hashed."""

import hashlib
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tasks.common.sources import own_path
from tasks.forecasting.dataset import load_dataset
from tasks.forecasting.splits import usable
from tasks.forecasting.windows import Covariates
from zoo.errors import UserError
from zoo.readers.frequency import Frequency
from zoo.readers.series import UNIQUE_ID, Series, SeriesTable, read_series, with_names

LARGEST = 1e30
"""Of values that float32 can compute with."""


class Columns(NamedTuple):
    """Names of the columns of a table, each empty where the data decide.

    Attributes:
        target: the one that holds the values.
        known: those that are known ahead.
        past: those of which only the past is known.
        static: those of categories.
        series: those that tell which series a row is of.
    """

    target: str
    known: list[str]
    past: list[str]
    static: list[str]
    series: list[str]


def read_table(dataset: str, bundled: str, columns: Columns, prices: bool) -> SeriesTable:
    """Return the series of a data set.

    Args:
        dataset: a name or a path.
        bundled: the name that is never a path.
        columns: of the table.
        prices: whether the values are to be prices.

    Raises:
        UserError: it cannot be read, or prices are not above 0.
    """
    path = own_path(dataset, bundled)
    table = read_series(path, **columns._asdict()) if path else load_dataset(dataset)
    if path is None and UNIQUE_ID in columns.static:
        table = with_names(table)
    if any((np.abs(values) > LARGEST).any() for values in observed(table)):
        raise UserError(f"{dataset} holds values over {LARGEST:g}: give them in a larger unit")
    if prices and not all((values > 0).all() for values in observed(table)):
        raise UserError(
            f"{dataset} holds values of 0 or less, but returns are of prices, which are above 0: "
            "choose a model such as forecast-gru"
        )
    return table


def observed(table: SeriesTable) -> list[np.ndarray]:
    """Return the values of each series that are there."""
    return [each.values[~np.isnan(each.values)] for each in table.series]


def check_counts(table: SeriesTable) -> None:
    """Raise if a value is no count.

    Raises:
        UserError: one is not.
    """
    if not all(((v >= 0) & (v == np.round(v))).all() for v in observed(table)):
        raise UserError(
            "head is negative_binomial, which is of counts, but the series hold other values: "
            "leave it at quantiles"
        )


def check_alike(
    table: SeriesTable, dataset: str, frequency: Frequency | None, columns: Columns
) -> None:
    """Raise if series have another frequency or other columns than those of the training.

    Raises:
        UserError: they have.
    """
    if table.frequency and frequency and table.frequency != frequency:
        raise UserError(
            f"{dataset} is {table.frequency.name}, but the model was trained on {frequency.name} "
            "series: give such, or fit the model anew"
        )
    for kind in ("known", "past", "static"):
        there, needed = [*getattr(table, kind)], getattr(columns, kind)
        if there != needed:
            raise UserError(
                f"{dataset} has the {kind} columns {there}, but the model was trained with "
                f"{needed}: give the same, or fit the model anew"
            )


def print_notes(table: SeriesTable, dataset: str, ends: np.ndarray, sizes: dict[str, int]) -> None:
    """Print on standard error what the data were taken for.

    Args:
        table: the series.
        dataset: their name or path.
        ends: of the splits.
        sizes: such as the horizon, `season` among them.
    """
    name = Path(dataset).name
    left_out = int((~usable(ends, sizes["season"])).sum())
    decided = ", ".join(f"{key.replace('_', '-')} {value}" for key, value in sizes.items())
    lines = [*table.notes, f"{len(table.series):,} series, {kind_of(table)}; {decided}"]
    if left_out:
        lines.append(f"{left_out:,} series with too few steps to learn from are left out")
    for line in lines:
        print(f"{name}: {line}", file=sys.stderr)


def kind_of(table: SeriesTable) -> str:
    """Return how often the series have a value, such as "hourly"."""
    return table.frequency.name if table.frequency else "without dates"


def raw_steps(series: Series, end: int, ahead: int, covariates: Covariates) -> np.ndarray:
    """Return the first steps of a series as `serve` takes them, float64 `[T, 2 + K + P + S]`.

    Args:
        series: with the columns that the model was trained with.
        end: how many steps have values.
        ahead: how many steps after them follow without a value, as far as covariates are known.
        covariates: gives the ids of categories.
    """
    rows = min(end + ahead, max(len(series.known), end))
    known, past = series.known.shape[1], series.past.shape[1]
    raw = np.full((rows, 2 + known + past + len(series.static)), np.nan)
    if series.times is not None:
        raw[:, 0] = series.times[:rows].astype("datetime64[s]").astype("int64")
    raw[:end, 1] = series.values[:end]
    raw[:, 2 : 2 + known] = series.known[:rows]
    raw[:end, 2 + known : 2 + known + past] = series.past[:end]
    raw[:, 2 + known + past :] = covariates.ids(series.static)
    return raw


def step_text(horizon: int, columns: Columns, covariates: Covariates) -> str:
    """Return in words what the numbers of a time step are, as the model's `step` takes it.

    Args:
        horizon: steps of a forecast.
        columns: names of the covariates.
        covariates: the categories.
    """
    parts = [
        "the value, NaN where it is missing",
        "the days since 1970-01-01, NaN where there are no dates",
        "the seconds of the day",
    ]
    if columns.known:
        names = ", ".join(columns.known)
        parts.append(f"for each of the next {horizon} steps what is known ahead ({names})")
    if columns.past:
        parts.append(f"what is known of the past only ({', '.join(columns.past)})")
    parts += [
        f"the place of {name} among {', '.join(names)}, from 1 on, 0 for another"
        for name, names in zip(columns.static, covariates.categories)
    ]
    return "; ".join(parts)


def hash_split(table: SeriesTable, ends: np.ndarray, split: int) -> str:
    """Return the SHA-256 of the steps of a split, of their dates and covariates.

    Args:
        table: the series.
        ends: `[N, 3]`, of the splits.
        split: 0, 1 or 2.
    """
    digest = hashlib.sha256()
    for each, own in zip(table.series, ends):
        part = slice(own[split - 1] if split else 0, own[split])
        digest.update(each.name.encode("utf-8", "surrogatepass") + b"\0")
        digest.update("\0".join(each.static).encode("utf-8", "surrogatepass") + b"\0")
        times = [] if each.times is None else [each.times[part].astype("int64")]
        for array in (each.values[part], each.known[part], each.past[part], *times):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
