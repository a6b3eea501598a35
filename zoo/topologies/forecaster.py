"""A series in, forecasts of its next values at each step."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.layers.calendar import Calendar
from zoo.layers.forecast_heads import Centre, make_head
from zoo.layers.known_ahead import KnownAhead
from zoo.layers.past_seasons import PastSeasons, from_zero
from zoo.layers.segments import SegmentReader
from zoo.layers.series_columns import DAY, VALUE, Columns, SeriesColumns, in_rows
from zoo.layers.series_register import Frames, SeriesRegister, arcsinh, returns_of
from zoo.layers.stack import RecurrentStack
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.topologies.forecast_state import ForecastState, Look, Prediction
from zoo.topologies.sampled_paths import check_paths, drawn_ranks, fixed_paths, rolled, stepwise
from zoo.typing import State, Tensor, Window

_LAGS = {1, 2, 3, 6, 12}
"""Steps back that the recurrence is shown, beside those of the seasons."""


@register(
    "architecture",
    "forecaster",
    topology="many_to_many",
    inputs="series",
    outputs="quantiles of the next values at each step",
    example={"units": 12, "horizon": 4, "look_back": 6, "season": 2, "seasons": (2,)},
)
@keras.saving.register_keras_serializable("zoo")
class Forecaster(SequenceModel):
    """Naive forecast + spread · (W h_t + V r_t + C(h_t) r_t + b), h_t = cell(x_t, state_(t-1)).

    Both the naive forecast and the spread come from a register of the last values, which is part of
    the state, as does r_t, the register itself in these units. C takes values of past seasons with
    weights that h_t says, see `PastSeasons`. All three start at zero: an untrained model answers
    with the naive forecast. Nothing is fitted to the scale of the data, and a series
    that is a y + b (a > 0) is answered with a times that answer, + b, but for returns and counts.

    The inputs of a step `[..., D]` are the value, raw and NaN where it is missing; days since
    1970-01-01, NaN where there are no dates; seconds of the day; the covariates known ahead of the
    next `horizon` steps, `[horizon, known_covariates]` row by row; those of the past; and
    categories as whole numbers, 0 for one that is not known.

    Args:
        horizon: H, how many steps are forecast.
        look_back: how many values the register holds at least; two seasons it holds always.
        season: m, steps of the season that the naive forecast goes back; 1 for the last value.
        seasons: steps of all seasons: what was a season ago is shown to the recurrence.
        frequency_unit: "second", "day", "business_day" or "month".
        frequency_count: how many of them a step is.
        known_covariates: K, how many are known ahead.
        past_covariates: how many are known of the past only.
        categories: of each static column, how many categories are known.
        base: "seasonal", "last", "mean" or "zero", what the naive forecast is, see
            `SeriesRegister`.
        spreads: the unit of the series of each category of the last column of these, with the base
            "last"; of other series, and with other bases, it is the spread of the register.
        plain: read nothing but values and categories, and add nothing to what the recurrence says.
        returns: forecast 100 log(p_t / p_(t-1)), in per cent, of a series of prices p.
        head: "quantiles", "student_t", "negative_binomial" or "mean", see
            `zoo.layers.forecast_heads`.
        quantiles: which quantiles are answered, in rising order, 0.5 among them; None for those
            of the head. Of "mean", it is 0.5 alone.
        encoder: "steps", a recurrence over the steps; "segments", one over segments of the
            register, anew at each step; or "none", the linear map of the register alone.
        cell: name of the recurrent cell.
        units: size of each recurrent layer.
        layers: how many recurrent layers.
        dropout: share dropped before the head, in training.
        segment: steps of a segment.
        paths: forecast one step ahead, and the others by so many paths, each of whose values is
            drawn and then read as if it had come; 0 forecasts all steps at once.
        gaps_count: whether values that fill gaps count in level and spread like any others, as in
            runs of before. Where they do not, the state holds which values were observed.

    Raises:
        ValueError: `base`, `head`, `encoder` or `frequency_unit` is none of these, or a size does
            not fit another.

    Example:
        >>> model = Forecaster(horizon=3, look_back=8, season=1, units=8)
        >>> model(model.example_inputs(2, time=5)).shape
        TensorShape([2, 5, 3, 11])
    """

    steps_on = "series"

    def __init__(
        self,
        horizon: int = 14,
        look_back: int = 56,
        season: int = 7,
        seasons: Sequence[int] = (7,),
        frequency_unit: str = "day",
        frequency_count: int = 1,
        known_covariates: int = 0,
        past_covariates: int = 0,
        categories: Sequence[int] = (),
        base: str = "seasonal",
        spreads: Sequence[float] = (),
        plain: bool = False,
        returns: bool = False,
        head: str = "quantiles",
        quantiles: Sequence[float] | None = None,
        encoder: str = "steps",
        cell: str = "gru",
        units: int = 128,
        layers: int = 1,
        dropout: float = 0.0,
        segment: int = 12,
        paths: int = 0,
        gaps_count: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # Days are counted exactly: no policy of less precision may touch the inputs.
        self.autocast = False
        if encoder not in ("steps", "segments", "none"):
            raise ValueError(f"encoder is {encoder!r}, but steps, segments or none is needed")
        if plain and encoder == "none":
            raise ValueError("plain leaves nothing of encoder none: choose steps or segments")
        if horizon < 1:
            raise ValueError(f"horizon is {horizon}, but at least 1 is needed")
        self.horizon, self.returns, self.paths = horizon, returns, paths
        self.ahead = 1 if paths else horizon
        self.categories, self.seasons = tuple(categories), tuple(seasons)
        self.columns = SeriesColumns(horizon, known_covariates, past_covariates, len(categories))
        length = max(look_back, 2 * season, 2)
        self.scale = SeriesRegister(length, season, base, gaps_count)
        # Prices are one more than their returns, and a missing one is the last one.
        self.register = self.scale
        if returns:
            self.register = SeriesRegister(length + 1, gaps_count=gaps_count)
        around = {lag for each in (season, *seasons) for lag in (each - 1, each, 2 * each)}
        self.spreads = tuple(spreads) if base == "last" else ()
        if self.spreads and (not categories or len(spreads) != categories[-1]):
            raise ValueError(f"spreads are {len(spreads)}, but categories are {list(categories)}")
        self.plain = plain
        # What is around zero, as returns are, hangs on no single step of the past.
        self.repeats = base != "zero" and not plain
        self.lags = sorted(lag for lag in around | _LAGS if self.repeats and 0 < lag < length)
        self.calendar = Calendar(frequency_unit, frequency_count)
        self.head = make_head(head, quantiles)
        check_paths(paths, head, self.head.density, encoder, returns)
        self.encoder = encoder
        self.stack: Any = None
        if encoder == "steps":
            self.stack = RecurrentStack(cell, units, layers)
        self.dropout = keras.layers.Dropout(dropout)
        self.embeddings = [
            keras.layers.Dense(min(16, count), use_bias=False)
            for count in self.categories
            if not plain
        ]
        self._make_head(segment, cell, units, layers, dropout)
        # Weights belong to no loop over steps.
        self._predicted(self.example_inputs(), None, None, False)
        self._finish()

    def _make_head(self, segment: int, cell: str, units: int, layers: int, dropout: float) -> None:
        """Make the layers that give the head its numbers; all last kernels start at zero."""
        steps, size = self.ahead, self.head.size
        if self.encoder == "segments":
            self.writer: Any = SegmentReader(
                steps, segment, size, cell, units, layers, dropout, halves=self.plain
            )
        else:
            self.writer = from_zero(steps * size)
        ahead = np.arange(steps)
        growth = np.sqrt(ahead // self.scale.season + 1.0)
        if self.scale.base != "seasonal":
            growth = np.ones(steps)
        self.bias = self.add_weight(name="bias", shape=(steps, size), initializer="zeros")
        self.bias.assign(self.head.start(growth))
        self.skip = from_zero(steps) if self.repeats else None
        season = self.scale.season
        shortest = min((m for m in (season, *self.seasons) if m > 1), default=1)
        self.past: Any = None
        if self.stack and self.repeats and 1 < shortest <= self.scale.length // 2:
            self.past = PastSeasons(shortest, self.scale.length // shortest, steps)
        self.known: Any = None
        if self.columns.known and not self.plain:
            phases = season if season % shortest else shortest
            self.known = KnownAhead(season, phases, self.columns.known, steps, size)

    def initial_state(self, batch_size: int | Tensor) -> ForecastState:
        """Return the state in which nothing was seen."""
        read = self.stack.initial_state(batch_size) if self.stack else ()
        known = self.known.initial_state(batch_size) if self.known else ()
        last = ahead = ()
        if self.paths:
            last = tf.zeros([batch_size, self.columns.width])
            ahead = tf.zeros([batch_size, self.head.size + 2])
        register = self.register.initial_state(batch_size)
        return ForecastState(read, register, known, last, ahead)

    def call(
        self,
        inputs: Tensor,
        state: State = None,
        reset: Tensor = None,
        return_state: bool = False,
        training: bool | None = None,
        origins: Tensor = None,
    ) -> Tensor:
        """Compute raw quantiles `[B, T, H, Q]` of the values after each step, in rising order.

        Args:
            inputs: float32 `[B, T, D]`.
            state: as `initial_state` gives it; None for the start of a series.
            reset: `[B]` or `[B, T]`, true where a row starts a new series.
            return_state: also give the state after the last step.
            training: whether dropout acts.
            origins: booleans `[B, T]`: answer only at steps where one is true, which is quicker,
                and else with anything; None for all.
        """
        if self.paths:
            outputs, state = stepwise(self, tf.convert_to_tensor(inputs), state, reset, origins)
        else:
            prediction, state = self._predicted(inputs, state, reset, training, only=origins)
            outputs = self.head.quantiles(prediction.numbers, prediction.centre)
        return (outputs, state) if return_state else outputs

    def step(self, x_t: Tensor, state: ForecastState) -> tuple[Tensor, ForecastState]:
        """Read one step `[B, D]`, and return quantiles `[B, H, Q]`, and the new state."""
        prediction, state = self.predict_step(x_t, state)
        if self.paths:
            return fixed_paths(self, state), state
        return self.head.quantiles(prediction.numbers, prediction.centre), state

    def predict_step(self, x_t: Tensor, state: ForecastState) -> tuple[Prediction, ForecastState]:
        """Read one step `[B, D]`, and return what quantiles are made from, and the new state."""
        columns = self.columns.split(x_t)
        held, register = self.register.step(columns.value, state.register)
        known = self.known.step(columns.known, state.known) if self.known else ()
        seen = self._look(columns, held, known)
        context, read = seen.around, state.read
        if self.stack:
            context, read = self.stack.step(self._features(seen), read)
        prediction = self._prediction(seen, context, False)
        after = ForecastState(read, register, known)
        return prediction, self._with_ahead(after, x_t, prediction)

    def sample_paths(self, state: ForecastState, paths: int, seed: Tensor) -> Tensor:
        """Draw paths of the next steps from a seed, two integers: float32 `[B, paths, H]`.

        Raises:
            ValueError: the model forecasts all steps at once.
        """
        if not self.paths:
            raise ValueError("paths is 0: a model that forecasts all steps at once draws no paths")
        return rolled(self, state, drawn_ranks(self.horizon, paths, seed))

    def predict_parameters(
        self, window: Window, state: State, training: bool = False
    ) -> tuple[Prediction, ForecastState]:
        """Return what the head's loss of a window is computed from, and the state to carry on.

        Args:
            window: its `inputs` `[B, T, D]` and `reset` are read; its `targets` `[B, W, H]` are of
                the last W steps, and so is the answer: the others only fill the register. Without
                `training`, what has no `weights` `[B, W, H]` is answered with anything.
            state: before it.
            training: whether dropout acts.
        """
        inputs, last = window["inputs"], window["targets"].shape[1]
        only = None
        if not training and last == inputs.shape[1] and "weights" in window:
            only = tf.reduce_any(window["weights"] > 0, axis=-1)
        return self._predicted(inputs, state, window["reset"], training, last, only)

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Return series that rise by 1 a step, without covariates, of categories not known."""
        inputs = np.zeros((batch_size, time, self.columns.width), "float32")
        inputs[..., VALUE] = inputs[..., DAY] = np.arange(1, time + 1)
        return inputs

    def _predicted(
        self,
        inputs: Tensor,
        state: State,
        reset: Tensor,
        training: bool | None,
        last: int | None = None,
        only: Tensor = None,
    ) -> tuple[Prediction, ForecastState]:
        """Run whole series, and predict at the `last` steps of them, or `only` at some `[B, T]`."""
        x = tf.convert_to_tensor(inputs)
        state = state or self.initial_state(tf.shape(x)[0])
        columns = self.columns.split(x)
        held, register = self.register.whole(columns.value, state.register, reset)
        known: Tensor = self.known.whole(columns.known, state.known) if self.known else ()
        after = ForecastState(state.read, register, known[:, -1] if self.known else ())
        parts: Any = (columns, held, known)
        chosen = None if only is None or self.paths else tf.where(only)

        def pick(parts: Any) -> Any:
            if chosen is not None:
                return tf.nest.map_structure(lambda part: tf.boolean_mask(part, only), parts)
            return tf.nest.map_structure(lambda part: part[:, -last:], parts) if last else parts

        if not self.stack:
            # What comes before is in the register.
            parts = pick(parts)
        seen = self._look(*parts)
        context = seen.around
        if self.stack:
            context, read = self.stack(
                self._features(seen), state.read, reset=reset, training=training
            )
            after = after._replace(read=read)
            seen, context = pick((seen, context))
        prediction = self._prediction(seen, context, training)
        if chosen is not None:
            return prediction.at(chosen, tf.shape(x)[:2]), after
        newest = tf.nest.map_structure(lambda part: part[:, -1], prediction)
        return prediction, self._with_ahead(after, x[:, -1], newest)

    def _with_ahead(
        self, state: ForecastState, x_t: Tensor, prediction: Prediction
    ) -> ForecastState:
        """Return the state with what paths are drawn from, of a model that draws some."""
        if not self.paths:
            return state
        numbers, centre, _ = prediction
        parts = [numbers[..., 0, :], centre.naive, centre.spread[..., None]]
        return state._replace(last=self.columns.held(x_t), ahead=tf.concat(parts, axis=-1))

    def _look(self, columns: Columns, held: Frames, known: Tensor) -> Look:
        """Return what is seen at each step, of inputs, the register and known covariates."""
        frames = returns_of(held) if self.returns else held
        # Of an id that is 0, or none of these, all entries are 0.
        kinds = [
            tf.cast(
                columns.static[..., index, None] == np.arange(1, count + 1, dtype="float32"),
                tf.float32,
            )
            for index, count in enumerate(self.categories)
        ]
        unit = tf.reduce_sum(kinds[-1] * self.spreads, axis=-1) if self.spreads else None
        summary = self.scale.summary(frames, unit)
        if self.plain:
            around = tf.concat([frames.seen[..., None][..., :0], *kinds], axis=-1)
            return Look(columns, frames, summary, (), around)
        own: Tensor = self.known.own(known, frames.seen) if self.known else ()
        parts = [
            summary.ratios,
            frames.seen[..., None] / self.scale.length,
            self.calendar.features(columns.moment),
        ]
        if self.known:
            parts += [known[..., -1, :], own[..., -1, :]]
        if self.columns.past:
            parts.append(columns.past)
        parts += [tf.cast(layer(one), tf.float32) for layer, one in zip(self.embeddings, kinds)]
        return Look(columns, frames, summary, own, tf.concat(parts, axis=-1))

    def _features(self, seen: Look) -> Tensor:
        """Return the inputs of the recurrence `[..., F]`."""
        shape, frames = seen.summary.shape, seen.frames
        place = seen.summary.place
        places = self.scale.length - 1 - np.array(self.lags, "int32")
        values = [place, tf.gather(shape, places, axis=-1)]
        if self.scale.base == "zero":
            values.append(tf.abs(place))
        values = arcsinh(tf.concat(values, axis=-1))
        return tf.concat([values, frames.observed[..., None], seen.around], axis=-1)

    def _prediction(self, seen: Look, context: Tensor, training: bool | None) -> Prediction:
        """Return the head's numbers, and what they are measured from."""
        summary = seen.summary
        if self.encoder == "segments":
            numbers = self._written_in_segments(summary.shape, seen.around, training)
        else:
            context = self.dropout(context, training=training)
            numbers = in_rows(self.writer(context), self.ahead, self.head.size)
        numbers = tf.cast(numbers, tf.float32) + self.bias.value
        context = tf.concat([tf.cast(context, tf.float32), seen.around], axis=-1)
        hidden: Tensor = ()
        if self.known:
            more, hidden = self.known((seen.columns.known, seen.own, context))
            numbers += more
        location = self.skip(summary.shape) if self.skip else tf.zeros_like(numbers[..., 0])
        if self.past:
            location += self.past((summary.offsets, context, hidden))
        numbers += location[..., None] * np.eye(1, self.head.size, dtype="float32")
        naive = self.scale.naive(seen.frames, summary, self.ahead)
        return Prediction(numbers, Centre(naive, summary.spread), summary.varied)

    def _written_in_segments(self, past: Tensor, around: Tensor, training: bool | None) -> Tensor:
        """Return numbers `[..., H, P]` of a register `[..., L]`."""
        rows = [tf.reshape(part, [-1, part.shape[-1]]) for part in (past, around)]
        numbers = self.writer(rows, training=training)
        before = [tf.shape(past)[0], -1] if len(past.shape) == 3 else [-1]
        flat = tf.reshape(numbers, [*before, self.horizon * self.head.size])
        flat.set_shape([*past.shape[:-1], self.horizon * self.head.size])
        return in_rows(flat, self.horizon, self.head.size)
