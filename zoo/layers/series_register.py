"""The last values of a series, and what is computed from them: level, spread, naive forecast."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from zoo.typing import Tensor

_RECENT = (5, 20)
"""Steps whose changes say how lively a series is now."""
_ROUNDING = 1e-6
"""The least spread, as a share of the level: below that are the rounding errors of float32."""
_TINY = 1e-20


class Register(NamedTuple):
    """The state: the last `L` values, the newest last, and how many of them there are.

    Attributes:
        values: float32 `[B, L]`, missing ones filled; 0 where nothing was seen yet.
        seen: float32 `[B]`, in 0..L.
        there: float32 `[B, L]`, 1 where a value was observed, 0 where it was filled or nothing was
            seen yet; `()` where both count.
    """

    values: Tensor
    seen: Tensor
    there: Tensor = ()


class Frames(NamedTuple):
    """The register after each step, `[..., L]` where the values are `[...]`.

    Attributes:
        values: float32 `[..., L]`, the newest last; what is older than `seen` means nothing.
        seen: float32 `[...]`, how many of them are of the sequence.
        observed: float32 `[...]`, 1 where the step's own value was there, 0 where it was filled.
        there: float32 `[..., L]`, the same of each value; `()` where filled ones count.
    """

    values: Tensor
    seen: Tensor
    observed: Tensor
    there: Tensor = ()


class Summary(NamedTuple):
    """What the register says of a series at a step; nothing in it has a gradient.

    Attributes:
        level: `[...]`, the mean of the values seen.
        spread: `[...]`, the mean absolute error of the naive forecast within the register; above 0.
        place: `[..., 1]`, (last value - level) / spread.
        shape: `[..., L]`, (value - last value) / spread of each value; 0 where nothing was seen.
            With the base "zero" nothing is taken off.
        offsets: `[..., L]`, (value - level) / spread of each value; 0 where nothing was seen.
        ratios: `[..., 4]`, logarithms by the spread of how much values change from one step to the
            next, of late (5 and 20 steps) and overall, and of how far they are from the level. With
            other bases than "seasonal" not changes count, but distances from the level.
        varied: `[...]`, 1 where there is a spread, 0 where all values seen are the same.
    """

    level: Tensor
    spread: Tensor
    place: Tensor
    shape: Tensor
    offsets: Tensor
    ratios: Tensor
    varied: Tensor


@dataclass(frozen=True)
class SeriesRegister:
    """Keeps the last values of a series, fills missing ones, and summarises what it holds.

    A missing value is filled by the value a season before it or, within the first season, by the
    last one. Before the first value there is nothing: missing values there are not counted.

    Args:
        length: L, how many values are held; at least `season`.
        season: m, steps of a season; 1 for none.
        base: "seasonal": the naive forecast of step t + h is the value a whole number of seasons
            before, the last there is; "last": it is the last value; "mean": it is the level;
            "zero": it is 0, as is the level.
        gaps_count: whether filled values count in level and spread like any others. They change by
            nothing from a season before, so that many of them make a series look calm.

    Example:
        >>> register = SeriesRegister(length=4, season=2)
        >>> values = tf.constant([[float("nan"), 5.0, 7.0, float("nan"), 8.0]])
        >>> frames, state = register.whole(values, register.initial_state(1))
        >>> state.values.numpy().tolist(), state.seen.numpy().tolist()
        ([[5.0, 7.0, 5.0, 8.0]], [4.0])
        >>> register.naive(frames, register.summary(frames), horizon=3)[0, -1].numpy().tolist()
        [5.0, 8.0, 5.0]
    """

    length: int
    season: int = 1
    base: str = "seasonal"
    gaps_count: bool = True

    def __post_init__(self) -> None:
        if self.base not in ("seasonal", "last", "mean", "zero"):
            raise ValueError(f"base is {self.base!r}, but seasonal, last, mean or zero is needed")
        if not 1 <= self.season <= self.length:
            raise ValueError(
                f"season is {self.season}, but 1 to {self.length} is needed, the look-back"
            )

    def initial_state(self, batch_size: int | Tensor) -> Register:
        """Return a register in which nothing was seen."""
        values = tf.zeros([batch_size, self.length])
        there = () if self.gaps_count else tf.zeros_like(values)
        return Register(values, tf.zeros([batch_size]), there)

    def step(self, value: Tensor, state: Register) -> tuple[Frames, Register]:
        """Read one value a row.

        Args:
            value: float32 `[B]`, NaN where it is missing.
            state: before it.
        """
        values, before, earlier = state
        there = value == value  # NaN is the one number that is not; `is_nan` is not in LiteRT.
        # Of nothing seen the newest entry is 0.
        fill = values[:, -1]
        if self.season > 1:
            fill = tf.where(before >= self.season, values[:, -self.season], fill)
        values = tf.concat([values[:, 1:], tf.where(there, value, fill)[:, None]], axis=1)
        more = tf.minimum(before + 1, float(self.length))
        observed = tf.cast(there, tf.float32)
        seen = tf.where(there | (before > 0), more, before)
        if not self.gaps_count:
            earlier = tf.concat([earlier[:, 1:], observed[:, None]], axis=1)
        return Frames(values, seen, observed, earlier), Register(values, seen, earlier)

    def whole(
        self, values: Tensor, state: Register, reset: Tensor = None
    ) -> tuple[Frames, Register]:
        """Read all steps at once; the frames of a step depend on no later one.

        Args:
            values: float32 `[B, T]`, NaN where one is missing; T is at least 1.
            state: before the first of them.
            reset: `[B]` or `[B, T]`, true where a row starts a new series; `[B]` speaks of the
                first step.

        Returns:
            The register after each step, `[B, T, L]`, and after the last one.
        """
        values = tf.convert_to_tensor(values, tf.float32)
        steps = values.shape[1] or tf.shape(values)[1]
        there = values == values
        filled, seen = self._filled(values, there, state, reset)
        index = tf.range(steps)[:, None] + tf.range(1, self.length + 1)
        observed = tf.cast(there, tf.float32)
        lines = [filled]
        if not self.gaps_count:
            lines.append(tf.concat([state.there, observed], axis=1))
        frames = [tf.gather(line, index, axis=1) for line in lines]
        for frame in frames:
            frame.set_shape([*values.shape, self.length])
        in_last = self._mask(seen[:, -1]) > 0
        last = [tf.where(in_last, frame[:, -1], 0.0) for frame in frames]
        return (
            Frames(frames[0], seen, observed, *frames[1:]),
            Register(last[0], seen[:, -1], *last[1:]),
        )

    def _filled(
        self, values: Tensor, there: Tensor, state: Register, reset: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the register and all steps, filled, `[B, L + T]`; and `seen` `[B, T]`.

        Where a value comes from is the last place before it, of the same phase, that is observed or
        in the first season; and in the first season, the last place that is observed.
        """
        length = self.length
        line = tf.concat([state.values, tf.where(there, values, 0.0)], axis=1)
        place = tf.range(line.shape[1] or tf.shape(line)[1])[None]
        held = place[:, :length] >= length - tf.cast(state.seen, tf.int32)[:, None]
        known = tf.concat([held, there], axis=1)
        begin = tf.zeros_like(place)
        if reset is not None:
            begin = running_max(tf.where(_starts(reset, there, length), place, 0))
        last = running_max(tf.where(known, place, -1))
        before = tf.pad(last[:, :-1], [[0, 0], [1, 0]], constant_values=-1)
        first = running_max(tf.where(known & (before < begin), place, -1))
        begun = first >= begin
        source = place + tf.zeros_like(last)
        early = begun & (place < first + self.season)
        source = tf.where(known | early, source, -1)
        source = self._within_phase(source)
        source = tf.gather(last, tf.maximum(source, 0), batch_dims=1)
        filled = tf.gather(line, tf.maximum(source, 0), batch_dims=1)
        filled = tf.where(begun, filled, 0.0)
        seen = tf.where(begun, tf.minimum(place - first + 1, length), 0)[:, length:]
        return filled, tf.cast(seen, tf.float32)

    def _within_phase(self, source: Tensor) -> Tensor:
        """Return the largest of `[B, N]` so far among the places of the same phase."""
        season = self.season
        if season == 1:
            return running_max(source)
        size = source.shape[1] or tf.shape(source)[1]
        # ONNX takes the remainder of a negative number for negative.
        front = (season - size % season) % season
        padded = tf.pad(source, [[0, 0], [front, 0]], constant_values=-1)
        rows = -1 if source.shape[1] is None else (size + front) // season
        table = tf.reshape(padded, [tf.shape(source)[0], rows, season])
        flat = tf.reshape(running_max(table), [tf.shape(source)[0], size + front])
        return flat[:, front:]

    def _mask(self, seen: Tensor) -> Tensor:
        """Return `[..., L]`: 1 where a place of the register was seen, else 0."""
        age = np.arange(self.length - 1, -1, -1, dtype="float32")
        return tf.cast(age < seen[..., None], tf.float32)

    def _weights(self, frames: Frames, mask: Tensor) -> Tensor:
        """Return how much each value counts, `[..., L]`: filled ones only where all are filled."""
        if self.gaps_count:
            return mask
        weights = mask * frames.there
        return tf.where(tf.reduce_sum(weights, axis=-1, keepdims=True) > 0, weights, mask)

    def summary(self, frames: Frames, unit: Tensor = None) -> Summary:
        """Return what the register says at each step.

        Args:
            frames: the register after each step, `[...]`.
            unit: `[...]`, what is to be the spread where it is above 0; None for the register's.
        """
        values, mask = frames.values, self._mask(frames.seen)
        weights = self._weights(frames, mask)
        count = tf.maximum(tf.reduce_sum(weights, axis=-1, keepdims=True), 1.0)
        # Sums of what is left without the last value: a level that is huge costs no digits.
        last = values[..., -1:]
        if self.base == "zero":
            level, centred = tf.zeros_like(last), values * mask
            place, offsets = centred[..., -1:], centred
        else:
            centred = (values - last) * mask
            place = -tf.reduce_sum(centred * weights, axis=-1, keepdims=True) / count
            level, offsets = last - place, (centred + place) * mask
        moves, counted = tf.abs(offsets) * weights, weights
        apart = tf.reduce_sum(moves, axis=-1, keepdims=True) / count
        if self.base == "seasonal":
            moves, counted = _changes(centred, mask, weights, 1)
        lately = [
            _mean(moves[..., -steps:], counted[..., -steps:]) for steps in (*_RECENT, self.length)
        ]
        move, spread = lately[-1], apart
        if self.base == "seasonal":
            spread = move
            if 1 < self.season < self.length:
                spread = self._seasonal(centred, mask, weights, move)
        if unit is not None:
            unit = unit[..., None]
            spread = tf.where(unit > 0, unit, spread)
        least = _ROUNDING * tf.abs(level) + _TINY
        varied = tf.cast(spread > least, tf.float32)
        spread = tf.maximum(spread, least)
        ratios = tf.concat([*lately, apart], axis=-1) / spread
        return Summary(
            level[..., 0],
            spread[..., 0],
            place / spread,
            centred / spread,
            offsets / spread,
            tf.math.log(ratios + 0.01),
            varied[..., 0],
        )

    def _seasonal(self, values: Tensor, mask: Tensor, weights: Tensor, change: Tensor) -> Tensor:
        """Return the mean change over a season `[..., 1]`, `change` counting as one of them.

        In the first season there is no other.
        """
        changes, counted = _changes(values, mask, weights, self.season)
        total, count = (tf.reduce_sum(x, axis=-1, keepdims=True) for x in (changes, counted))
        return (total + change) / (count + 1)

    def naive(self, frames: Frames, summary: Summary, horizon: int) -> Tensor:
        """Return the naive forecasts of the next steps, `[..., horizon]`.

        Where less than a season was seen, the last value is in place of those of the base
        "seasonal" that are not there.
        """
        if self.base in ("mean", "zero"):
            return tf.repeat(summary.level[..., None], horizon, axis=-1)
        if self.season == 1 or self.base == "last":
            return tf.repeat(frames.values[..., -1:], horizon, axis=-1)
        phases = [h % self.season for h in range(horizon)]
        chosen = tf.gather(frames.values[..., -self.season :], phases, axis=-1)
        age = tf.constant([float(self.season - 1 - phase) for phase in phases])
        return tf.where(age < frames.seen[..., None], chosen, frames.values[..., -1:])


def _changes(values: Tensor, mask: Tensor, weights: Tensor, lag: int) -> tuple[Tensor, Tensor]:
    """Return by how much values differ from those `lag` steps before, and how much each counts.

    What was observed counts, beside what the naive forecast of it was, where that was filled.

    Args:
        values: `[..., L]`, as are the others.
        mask: 1 where something was seen.
        weights: how much each value counts.
        lag: in steps.

    Returns:
        Both `[..., L - lag]`, the changes times what they count.
    """
    counted = weights[..., lag:] * mask[..., :-lag]
    return tf.abs(values[..., lag:] - values[..., :-lag]) * counted, counted


def _mean(moves: Tensor, counted: Tensor) -> Tensor:
    """Return the sum of moves `[..., L]` by what they count, or by 1 if that is less."""
    total, count = (tf.reduce_sum(x, axis=-1, keepdims=True) for x in (moves, counted))
    return total / tf.maximum(count, 1.0)


def returns_of(prices: Frames) -> Frames:
    """Return frames of 100 log(p_t / p_(t-1)), one value less, of frames of prices p.

    Where a price is not above 0, which has no such return, it is 0.
    """
    before, after = prices.values[..., :-1], prices.values[..., 1:]
    there = (before > 0) & (after > 0)
    ratio = tf.where(there, after, 1.0) / tf.where(there, before, 1.0)
    returns = 100 * tf.math.log(tf.clip_by_value(ratio, 1e-30, 1e30))
    observed = prices.there if isinstance(prices.there, tuple) else prices.there[..., 1:]
    return Frames(returns, tf.maximum(prices.seen - 1, 0.0), prices.observed, observed)


def arcsinh(x: Tensor) -> Tensor:
    """Return asinh(x), of operators that small devices have."""
    size = tf.abs(x)
    return tf.sign(x) * tf.math.log(size + tf.sqrt(size * size + 1))


def running_max(x: Tensor) -> Tensor:
    """Return the largest of the integers so far along axis 1 of `[B, N, ...]`.

    In about log2(N) steps, each over all places.

    Example:
        >>> running_max(tf.constant([[2, 1, 5, 3]])).numpy().tolist()
        [[2, 2, 5, 5]]
    """
    size = x.shape[1]

    def widened(x: Tensor, by: int | Tensor) -> Tensor:
        return tf.maximum(x, tf.concat([x[:, :by], x[:, : -by if size else n - by]], axis=1))

    if size is not None:
        by = 1
        while by < size:
            x, by = widened(x, by), by * 2
        return x
    n = tf.shape(x)[1]
    shape = x.shape
    x, _ = tf.while_loop(
        lambda _, by: by < n,
        lambda x, by: (tf.ensure_shape(widened(x, by), shape), by * 2),
        (x, tf.constant(1)),
    )
    return x


def _starts(reset: Tensor, there: Tensor, length: int) -> Tensor:
    """Return booleans `[B, length + T]`: where a series starts, of `reset` `[B]` or `[B, T]`."""
    reset = tf.cast(tf.convert_to_tensor(reset), tf.bool)
    if len(reset.shape) == 1:
        reset = reset[:, None] & (tf.range(tf.shape(there)[1]) == 0)
    return tf.pad(reset, [[0, 0], [length, 0]])
