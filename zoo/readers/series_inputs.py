"""Series over time as inputs of a model: files of one or many, arrays, and streams of lines."""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo.errors import UserError
from zoo.readers.frequency import DAY, Frequency
from zoo.readers.modality import ArrayModality
from zoo.readers.numbers import STANDARD_INPUT, read_array
from zoo.readers.series import Series, SeriesTable, read_series
from zoo.readers.series_lines import category_ids, series_rows
from zoo.readers.series_text import answer_text, interval_columns
from zoo.readers.text import text_pieces
from zoo.registry import register

TIME, VALUE = 0, 1
"""The first columns of a raw input."""
MOST_STEPS = 4096
"""The longest forecast of a model that goes on past its own horizon."""


@dataclass(frozen=True)
class SeriesInput:
    """One series as a model takes it.

    Attributes:
        name: what its file calls it.
        raw: float64 `[T + F, 2 + K + P + S]`, see `SeriesModality`.
        frequency: of its times; None where it has none.
    """

    name: str
    raw: np.ndarray
    frequency: Frequency | None

    def after(self, steps: int) -> list[Any]:
        """Return the times of the steps after the last value, as text; numbers from 1 on of a
        series without times.

        Example:
            >>> times = np.array(["2024-01-31", "2024-02-29", "2024-03-31"], "datetime64[s]")
            >>> raw = np.stack([times.astype("float64"), [1.0, 2.0, np.nan]], axis=1)
            >>> SeriesInput("sales", raw, Frequency("month", 1)).after(2)
            ['2024-03-31', '2024-04-30']
        """
        observed = np.flatnonzero(np.isfinite(self.raw[:, VALUE]))
        last = int(observed[-1]) if len(observed) else -1
        if self.frequency is None or last < 0 or not np.isfinite(self.raw[last, TIME]):
            return list(range(1, steps + 1))
        time = self.raw[last, TIME].astype("int64").astype("datetime64[s]")
        times = self.frequency.after(time, np.arange(1, steps + 1))
        if (times.astype("int64") % DAY == 0).all():
            return times.astype("datetime64[D]").astype(str).tolist()
        return [str(time).replace("T", " ") for time in times]


@register("modality", "series")
class SeriesModality(ArrayModality):
    """Series over time: a table of one or many, see `zoo.readers.series`, or an array of one.

    A raw input is float64 `[T + F, 2 + K + P + S]`: seconds since 1970 (NaN without dates), value
    (NaN where missing), covariates known ahead, covariates of the past, and ids of categories, 0
    for one that is not known. T rows have values; the F rows after them are the future.

    An array may be that, or `[T]`, the values alone, or `[T, 1 + K + P + S]`, without times.

    The options are those of the forecasting task: `target`, `known`, `past`, `static` and `series`
    name columns; `categories` are the known ones of each static column; `frequency` is that of the
    model, `horizon` how many steps it forecasts, `quantiles` which, `unit` what stands behind them.
    """

    dtype = "float64"
    shape = (None, None)
    axes = 2

    def inputs(self, source: Any, **options: Any) -> list[Any]:
        """Return each series of a file, a folder or a table.

        What was taken for what is printed on standard error.
        """
        if isinstance(source, str | Path) and Path(source).suffix.lower() != ".npy":
            if not Path(source).is_dir():
                self.file(source)
            columns = {key: options.get(key, ()) for key in ("known", "past", "static", "series")}
            table = read_series(Path(source), target=options.get("target", ""), **columns)
            for note in table.notes:
                print(f"{source}: {note}", file=sys.stderr)
            return inputs_of(table, str(source), options)
        if isinstance(source, SeriesTable):
            return inputs_of(source, "the table", options)
        return [source]

    def read(self, source: Any, **options: Any) -> np.ndarray:
        """Return one series as a raw input."""
        return self._read(source, options).raw

    def _read(self, source: Any, options: dict[str, Any]) -> SeriesInput:
        if isinstance(source, SeriesInput):
            return source
        if isinstance(source, np.ndarray):
            return as_input(source, "the array", options)
        if not isinstance(source, str | Path | SeriesTable):
            raise self.refusal(source)
        if isinstance(source, str | Path) and Path(source).suffix.lower() == ".npy":
            return as_input(read_array(self.file(source)), str(source), options)
        series = self.inputs(source, **options)
        if len(series) > 1:
            raise UserError(f"{source} holds {len(series)} series, but one is needed here")
        return series[0]

    def with_horizon(self, steps: int, goes_on: bool, **options: Any) -> dict[str, Any]:
        """Return the options of a forecast of so many steps."""
        if steps < 1:
            raise UserError(f"horizon is {steps}, but 1 or more is needed")
        if steps > options["horizon"] and not goes_on:
            raise UserError(
                f"horizon is {steps}, but the model forecasts {options['horizon']} steps: fit one "
                f"with --set horizon={steps}, or one that draws paths, such as "
                "forecast-lstm-sampled, which go on"
            )
        if steps > MOST_STEPS:
            raise UserError(f"horizon is {steps}, but {MOST_STEPS} is the most")
        return {**options, "horizon": steps}

    def answer(self, source: Any, outputs: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Return a forecast with the name of the series, its times and intervals, and all of it cut
        to the horizon.

        Returns:
            `unique_id`; lists of one value a step: `ds`, the time, `forecast`, the median, and
            `lo-80`, `hi-80`, `lo-95`, `hi-95`; `quantiles`, a list of these a step, and their
            `levels`; and `text`.
        """
        series, horizon = self._read(source, options), options["horizon"]
        levels, quantiles = options["quantiles"], outputs["quantiles"][:horizon]
        text = outputs.get("text")
        if text is None or horizon < len(outputs["quantiles"]):
            text = answer_text(quantiles, levels, series.frequency, options.get("unit", ""))
        return {
            "unique_id": series.name,
            "ds": series.after(horizon),
            "forecast": outputs["forecast"][:horizon],
            **interval_columns(quantiles, levels),
            "quantiles": quantiles,
            "levels": list(levels),
            "text": text,
        }

    def title(self, source: Any) -> str:
        """Return the name of the series."""
        return source.name if isinstance(source, SeriesInput) else ""

    def batch_key(self, raw: np.ndarray) -> tuple[int, ...]:
        """Return the number of columns."""
        return raw.shape[1:]

    def alike(self, raws: list[np.ndarray]) -> list[np.ndarray]:
        """Return series of one length: what is before the first value is nothing."""
        longest = max(map(len, raws))
        widths = [[(longest - len(raw), 0), (0, 0)] for raw in raws]
        return [np.pad(raw, width, constant_values=np.nan) for raw, width in zip(raws, widths)]

    def pieces(self, path: Path, **options: Any) -> Iterator[np.ndarray]:
        """Read a file of one series."""
        yield self.read(path, **options)

    def standard_input(self, file: IO[bytes], **options: Any) -> Iterator[np.ndarray]:
        """Read a line a step as it comes, see `zoo.readers.series_lines.SeriesLines`."""
        if options.get("known"):
            print(
                f"{', '.join(options['known'])}: not known ahead of a line, so that forecasts take "
                "the usual value; --input FILE reads a table that runs on",
                file=sys.stderr,
            )
        return series_rows(text_pieces(file), STANDARD_INPUT, options)


def frequency_of(options: dict[str, Any]) -> Frequency | None:
    """Return the frequency that options of a model say."""
    return Frequency.from_json(options["frequency"]) if options.get("frequency") else None


def inputs_of(table: SeriesTable, name: str, options: dict[str, Any]) -> list[SeriesInput]:
    """Return the series of a table as a model takes them.

    Args:
        table: what was read.
        name: what to call it in errors.
        options: of the modality.

    Raises:
        UserError: its frequency is another than the model's, or it lacks a column.
    """
    frequency = frequency_of(options)
    if frequency and table.frequency and table.frequency != frequency:
        raise UserError(
            f"{name} is {table.frequency.name}, but the model forecasts {frequency.name} series: "
            "fit one on data of that frequency"
        )
    if frequency and table.frequency is None:
        print(f"{name} has no dates: hours, weekdays and the like are not known", file=sys.stderr)
    places = {}
    for part in ("known", "past", "static"):
        names = [column.lower() for column in getattr(table, part)]
        if missing := [each for each in options.get(part, ()) if each.lower() not in names]:
            raise UserError(
                f"{name} has no column {', '.join(missing)}, which the model needs: it has "
                f"{', '.join([*table.known, *table.past, *table.static]) or 'values alone'}"
            )
        places[part] = [names.index(each.lower()) for each in options.get(part, ())]
    ids = category_ids(options)
    return [
        SeriesInput(series.name, _raw(series, places, ids), table.frequency)
        for series in table.series
    ]


def _raw(series: Series, places: dict[str, list[int]], ids: Sequence[dict[str, int]]) -> np.ndarray:
    """Return a raw input `[T + F, 2 + K + P + S]`."""
    count = len(series.known) if places["known"] else len(series.values)
    seconds = np.full(count, np.nan)
    if series.times is not None:
        seconds = series.times[:count].astype("datetime64[s]").astype("int64").astype("float64")
    static = [places_of.get(series.static[at], 0) for at, places_of in zip(places["static"], ids)]
    columns = [
        seconds[:, None],
        _lengthened(series.values[:, None], count),
        series.known[:count, places["known"]],
        _lengthened(series.past[:, places["past"]], count),
        np.tile(np.array(static, "float64"), (count, 1)),
    ]
    return np.concatenate(columns, axis=1)


def _lengthened(part: np.ndarray, count: int) -> np.ndarray:
    """Return `[count, ...]`, NaN in the rows that were not there."""
    return np.pad(part, [(0, count - len(part)), (0, 0)], constant_values=np.nan)


def as_input(array: np.ndarray, name: str, options: dict[str, Any]) -> SeriesInput:
    """Return the series that an array holds.

    Args:
        array: `[T]`, `[T, 1 + K + P + S]` or `[T, 2 + K + P + S]`, see `SeriesModality`.
        name: its path, or what to call it in errors.
        options: of the modality; none where the array is one that was written before.

    Raises:
        UserError: it is of another shape, has no value, or times that are no times.
    """
    if array.dtype.kind not in "fiub":
        raise UserError(f"{name} holds an array of {array.dtype}, but numbers are needed")
    raw = array.astype("float64")[:, None] if array.ndim == 1 else array.astype("float64")
    others = sum(len(options.get(part, ())) for part in ("known", "past", "static"))
    width = 2 + others if options else max(2, raw.shape[-1])
    if raw.ndim == 2 and raw.shape[1] == width - 1:
        raw = np.concatenate([np.full((len(raw), 1), np.nan), raw], axis=1)
    if raw.ndim != 2 or raw.shape[1] != width:
        more = f" and {others} covariates or categories" if others else ""
        raise UserError(
            f"{name} holds an array of shape {list(array.shape)}, but [T, {width - 1}] is needed: "
            f"the value{more}; or [T, {width}], with the seconds since 1970 before it"
        )
    if np.isinf(raw).any():
        raise UserError(f"{name} has an infinite number: a missing value is NaN")
    if not np.isfinite(raw[:, VALUE]).any():
        raise UserError(f"{name} has no value, but one at least is needed")
    frequency = frequency_of(options)
    _check_times(raw[:, TIME], name, frequency)
    title = Path(name).stem if name.endswith(".npy") else "series"
    return SeriesInput(title, raw, frequency)


def _check_times(seconds: np.ndarray, name: str, frequency: Frequency | None) -> None:
    """Check that times are those of steps of a frequency, or none.

    Raises:
        UserError: they are not.
    """
    if not len(seconds) or np.isnan(seconds).all() or frequency is None:
        return
    first = int(seconds[0]) if math.isfinite(seconds[0]) else 0
    start = np.int64(first).astype("datetime64[s]")
    steps = frequency.after(start, np.arange(len(seconds))).astype("int64")
    if not np.array_equal(seconds, steps):
        wrong = int(np.argmax(seconds != steps))
        raise UserError(
            f"{name} has {seconds[wrong]:.0f} seconds since 1970 as the time of step {wrong}, but "
            f"{steps[wrong]} is expected of a series that is {frequency.name}"
        )
