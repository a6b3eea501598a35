"""What an export of a forecasting model answers to, on raw numbers and times; all in the graph."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tasks.forecasting.answers import quantile, sentence
from tasks.forecasting.tables import LARGEST
from tasks.forecasting.windows import DAY, ROUNDING, Layout
from zoo.readers.frequency import Frequency
from zoo.readers.series_inputs import MOST_STEPS
from zoo.topologies.sampled_paths import forecast_ahead
from zoo.typing import State, Tensor, Window
from zoo.utils.validation import checked, not_empty

SECONDS, VALUE, COVARIATES = 0, 1, 2
"""Columns of a raw step; from the last one on, what is known ahead, of the past, and static."""

PER_CENT = "%"
"""What stands behind a return."""

_CHUNK = 128
"""Steps that are read at once, so that the answers of long series need not be in memory."""


class Server:
    """Answers raw series with forecasts.

    Args:
        model: a built `Forecaster`.
        layout: of a time step as the model takes it.
        prepared: brings covariates to what the model takes.
        least: steps that have to be seen.
        frequency: of the series; None where there are no dates.
    """

    def __init__(
        self,
        model: Any,
        layout: Layout,
        prepared: Callable[[Tensor], Tensor],
        least: int,
        frequency: Frequency | None = None,
    ) -> None:
        self.model, self.layout, self.prepared, self.least = model, layout, prepared, least
        self.frequency = frequency
        # Counts and prices are what they are; any other series may be shifted.
        self.counts = not model.returns and type(model.head).__name__ == "NegativeBinomial"
        self.draws = bool(getattr(model, "paths", 0))
        self.unit = PER_CENT if model.returns else ""
        self.needed = least + (1 if model.returns else 0)
        self.columns = COVARIATES + layout.known + layout.past + layout.static

    def endpoints(self) -> dict[str, Any]:
        """Return `serve` and, of a model that draws paths, `forecast`."""
        series = tf.TensorSpec([None, None, self.columns], tf.float64, name="series")
        horizon = tf.TensorSpec([], tf.int32, name="horizon")
        signatures: dict[Callable[..., dict[str, Tensor]], list[tf.TensorSpec]]
        signatures = {self.serve: [series]}
        if self.draws:
            signatures[self.forecast] = [series, horizon]
        return {
            function.__name__: tf.function(function, input_signature=taken, autograph=False)
            for function, taken in signatures.items()
        }

    def serve(self, series: Tensor) -> dict[str, Tensor]:
        """Return what comes after the last value of each series `[N, T, C]`.

        Rows after that are the future, of which covariates may be known. Rows before the first one
        are nothing, so that series of other lengths may be filled up in front.

        Returns:
            `forecast` `[N, H]`, the medians; `quantiles` `[N, H, Q]`; and `text`.
        """
        series, first, last = self._checked(series)
        offsets = self._offsets(series, first)
        if self.draws:
            quantiles = self._drawn(series, first, last, offsets, self.layout.horizon)
        else:
            quantiles = self._read_whole(series, first, last, offsets)
        numbers = self._numbers(quantiles, offsets)
        levels, unit = self.model.head.levels, self.unit
        return {"text": sentence(numbers["quantiles"], levels, self.frequency, unit), **numbers}

    def forecast(self, series: Tensor, horizon: Tensor) -> dict[str, Tensor]:
        """Return the numbers of `serve` for as many steps as `horizon` says, by paths that go on.

        Where covariates are known ahead, series must run on for so many rows, if they are more than
        the model was fitted for.

        Args:
            series: as `serve` takes them.
            horizon: 1 to 4,096.
        """
        horizon = checked(horizon, horizon > 0, "horizon must be 1 or more, but is")
        message = f"horizon must be at most {MOST_STEPS}, but is"
        horizon = checked(horizon, horizon <= MOST_STEPS, message)
        series, first, last = self._checked(series)
        if self.layout.known:
            there = tf.reduce_min(tf.shape(series)[1] - 1 - last)
            message = (
                "what is known ahead is needed of all steps that are forecast; the rows after the "
                "last value are"
            )
            enough = (there >= horizon) | (horizon <= self.layout.horizon)
            series = checked(series, enough, message, there)
        offsets = self._offsets(series, first)
        return self._numbers(self._drawn(series, first, last, offsets, horizon), offsets)

    def _checked(self, series: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return series that can be answered, and the places of their first and last values."""
        series = checked_numbers(not_empty(series))
        value = series[:, :, VALUE]
        there = tf.cast(value == value, tf.int32)
        message = "a series has no value at all: give some; it is number"
        some = tf.reduce_any(there > 0, axis=1)
        series = checked(series, some, message, tf.argmin(tf.cast(some, tf.int32)))
        first = tf.argmax(there, axis=1, output_type=tf.int32)
        last = tf.shape(there)[1] - 1 - tf.argmax(there[:, ::-1], axis=1, output_type=tf.int32)
        seen = tf.reduce_min(last - first + 1)
        message = (
            f"a series needs {self.needed} steps or more, from its first value to its last, to "
            "forecast from; the shortest has"
        )
        series = checked(series, seen >= self.needed, message, seen)
        if self.model.returns or self.counts:
            # NaN is missing, which is allowed; of a "not less" TensorFlow would make a "greater".
            right = (value > 0) if self.model.returns else (value >= 0)
            right |= tf.math.is_nan(value)
            kind = "prices must be above 0" if self.model.returns else "counts must not be under 0"
            lowest = tf.reduce_min(tf.where(value == value, value, 1.0))
            series = checked(series, right, f"{kind}, but the lowest is", lowest)
        return series, first, last

    def _offsets(self, series: Tensor, first: Tensor) -> Tensor:
        """Return what is taken off each series: its first value, as float32 holds few digits."""
        offsets = tf.gather(series[:, :, VALUE], first, batch_dims=1)
        return tf.zeros_like(offsets) if self.model.returns or self.counts else offsets

    def model_inputs(self, raw: Tensor, origins: Tensor) -> Tensor:
        """Return steps as the model takes them, float32 `[N, T, D]`, see `raw_inputs`."""
        return self.prepared(self.raw_inputs(raw, origins))

    def raw_inputs(self, raw: Tensor, origins: Tensor) -> Tensor:
        """Return steps as `step` of an export takes them, float32 `[N, T, D]`.

        Args:
            raw: float64 `[N, T, C]`. What is known ahead of a step is read from the rows after it.
            origins: float64 `[N]`, what is taken off the values of each.
        """
        known, past = self.layout.known, self.layout.past
        seconds, value = raw[:, :, SECONDS], raw[:, :, VALUE] - origins[:, None]
        day = tf.floor(seconds / DAY)
        parts = [tf.stack([value, day, seconds - DAY * day], axis=-1)]
        if known:
            ahead = tf.range(tf.shape(raw)[1])[:, None] + tf.range(1, self.layout.horizon + 1)
            at = tf.tile(tf.reshape(ahead, [1, -1]), [tf.shape(raw)[0], 1])
            rows = _rows(raw[:, :, COVARIATES : COVARIATES + known], at)
            shape = tf.concat([tf.shape(value), [self.layout.horizon * known]], axis=0)
            parts.append(tf.reshape(rows, shape))
        at = COVARIATES + known
        parts.append(raw[:, :, at : at + past])
        static = raw[:, :, at + past :]
        parts.append(tf.where(static == static, static, 0.0))
        steps = tf.cast(tf.concat(parts, axis=-1), tf.float32)
        return tf.ensure_shape(steps, [None, None, self.layout.size])

    def _read_whole(self, series: Tensor, first: Tensor, last: Tensor, offsets: Tensor) -> Tensor:
        """Return the quantiles after each last value, `[N, H, Q]`, reading some steps at a time."""
        model, rows, known = self.model, tf.shape(series)[0], self.layout.known
        start = model.initial_state(rows)
        last -= first
        chunks = tf.reduce_max(last) // _CHUNK + 1
        levels = len(model.head.levels)
        none = tf.zeros([rows, self.layout.horizon, levels])

        def read(chunk: Tensor, flat: State, answers: Tensor) -> tuple[Tensor, State, Tensor]:
            places = chunk * _CHUNK + tf.range(_CHUNK + (self.layout.horizon if known else 0))
            steps = self.model_inputs(_rows(series, first[:, None] + places), offsets)
            steps = tf.ensure_shape(steps[:, :_CHUNK], [None, _CHUNK, None])
            state = tf.nest.pack_sequence_as(start, flat)
            place = last - chunk * _CHUNK
            outputs, state = model(steps, state=state, return_state=True)
            inside = (place >= 0) & (place < _CHUNK)
            chosen = tf.gather(outputs, tf.clip_by_value(place, 0, _CHUNK - 1), batch_dims=1)
            chosen = tf.cast(chosen, tf.float32)
            answers = tf.where(inside[:, None, None], chosen, answers)
            return chunk + 1, tf.nest.flatten(state), answers

        flat = tf.nest.flatten(start)
        shapes = (tf.TensorShape([]), [_any_rows(part) for part in flat], _any_rows(none))
        _, _, answers = tf.while_loop(
            lambda chunk, *_: chunk < chunks, read, (tf.constant(0), flat, none), shapes
        )
        return answers

    def _drawn(
        self, series: Tensor, first: Tensor, last: Tensor, offsets: Tensor, horizon: Tensor
    ) -> Tensor:
        """Return quantiles of paths that go on from each last value, `[N, horizon, Q]`.

        So that all series end in one state, their last values are read at the same time, and each
        begins within a window.
        """
        model, known = self.model, self.layout.known
        start = model.initial_state(tf.shape(series)[0])
        chunks = tf.reduce_max(last - first) // _CHUNK + 1
        begin = last - (chunks * _CHUNK - 1)

        def read(chunk: Tensor, flat: State) -> tuple[Tensor, State]:
            more = self.layout.horizon if known else 0
            places = (begin + chunk * _CHUNK)[:, None] + tf.range(_CHUNK + more)
            steps = self.model_inputs(_rows(series, tf.maximum(places, 0)), offsets)
            steps = tf.ensure_shape(steps[:, :_CHUNK], [None, _CHUNK, None])
            begins = tf.equal(places[:, :_CHUNK], first[:, None])
            window = Window(inputs=steps, reset=begins, targets=steps[:, -1:], weights=begins)
            state = tf.nest.pack_sequence_as(start, flat)
            _, state = model.predict_parameters(window, state)
            return chunk + 1, tf.nest.flatten(state)

        flat = tf.nest.flatten(start)
        shapes = (tf.TensorShape([]), [_any_rows(part) for part in flat])
        _, flat = tf.while_loop(
            lambda chunk, _: chunk < chunks, read, (tf.constant(0), flat), shapes
        )
        further = None
        if known:
            places = (last + 1)[:, None] + tf.range(horizon + self.layout.horizon)
            steps = self.model_inputs(_rows(series, places), offsets)
            further = model.columns.split(steps[:, :horizon]).known[:, :, -1]
        state = tf.nest.pack_sequence_as(start, flat)
        return forecast_ahead(model, state, tf.convert_to_tensor(horizon), further)

    def _numbers(self, quantiles: Tensor, offsets: Tensor) -> dict[str, Tensor]:
        """Return medians and quantiles `[N, H, Q]` of the series themselves."""
        quantiles = restored(tf.cast(quantiles, tf.float64), offsets[:, None, None])
        median = quantile(quantiles, self.model.head.levels, 0.5)
        return {"forecast": median, "quantiles": quantiles}


def restored(values: Tensor, offsets: Tensor) -> Tensor:
    """Return values to which is added what was taken off; 0 for what differs by rounding alone."""
    total = values + offsets
    # NaN stays, as no comparison with it is true.
    return tf.where(tf.abs(total) <= ROUNDING * tf.abs(offsets), tf.zeros_like(total), total)


def checked_numbers(series: Tensor) -> Tensor:
    """Return series `[N, T, C]` of one step at least whose numbers are NaN or finite.

    Raises:
        tf.errors.InvalidArgumentError: they are not.
    """
    time = tf.shape(series)[1]
    series = checked(series, time > 0, "a series has no steps: give some; there are", time)
    large = tf.abs(series) > LARGEST
    message = "a series holds infinity, or numbers too large to compute with; so many are:"
    return checked(series, ~large, message, tf.math.count_nonzero(large))


def _rows(series: Tensor, places: Tensor) -> Tensor:
    """Return rows `[N, S, C]` of series `[N, T, C]` at `[N, S]`; NaN past the end."""
    last = tf.shape(series)[1] - 1
    rows = tf.gather(series, tf.minimum(places, last), batch_dims=1)
    return tf.where((places <= last)[:, :, None], rows, tf.constant(np.nan, series.dtype))


def _any_rows(part: Tensor) -> tf.TensorShape:
    return tf.TensorShape([None, *part.shape[1:]])
