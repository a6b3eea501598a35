"""Windows of series: crops drawn at random for training, and series read whole for evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tasks.forecasting.baselines import returns_of
from zoo.errors import UserError
from zoo.readers.series import UNIQUE_ID, Series, SeriesTable
from zoo.typing import Tensor, Window

DAY = 86_400
FEWEST, MOST = 32, 512
"""Windows of an epoch."""

ROUNDING = 2.0**-21
"""Of float32, a few times over."""
_EXACT = 2.0**24
"""Up to which float32 holds every whole number."""


class Layout(NamedTuple):
    """The columns of a time step as the model takes it.

    Attributes:
        horizon: H, steps of a forecast.
        known: K, covariates that are known ahead.
        past: P, covariates of the past.
        static: S, categories.
    """

    horizon: int
    known: int
    past: int
    static: int

    @property
    def size(self) -> int:
        """Return how many columns there are: value, day and second, and the others."""
        return 3 + self.horizon * self.known + self.past + self.static


@dataclass(frozen=True)
class Covariates:
    """How covariates and categories become numbers, as the training part says.

    Attributes:
        known: `[K, 2]`, mean and spread of each.
        past: `[P, 2]`.
        categories: names of each of the S kinds; the first is 1, an unknown one 0.
        spreads: of each category of the last kind, the standard deviation of the values of its
            series, where that kind is the names of series; else empty.
    """

    known: tuple[tuple[float, float], ...]
    past: tuple[tuple[float, float], ...]
    categories: tuple[tuple[str, ...], ...]
    spreads: tuple[float, ...] = ()

    @classmethod
    def of(cls, table: SeriesTable, ends: np.ndarray) -> "Covariates":
        """Return those of a table, from its first `ends[n]` steps of each series."""
        parts = [(each, end) for each, end in zip(table.series, ends) if end]
        kinds = zip(*(each.static for each, _ in parts))
        categories = tuple(tuple(sorted(set(names))) for names in kinds)
        spreads: tuple[float, ...] = ()
        if table.static[-1:] == (UNIQUE_ID,) and categories:
            of_name = {each.name: float(np.nanstd(each.values[:end])) for each, end in parts}
            spreads = tuple(of_name[name] for name in categories[-1])
        return cls(
            _moments([each.known[:end] for each, end in parts]),
            _moments([each.past[:end] for each, end in parts]),
            categories,
            spreads,
        )

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Covariates":
        """Return what `to_json` wrote."""
        pairs = {
            key: tuple((float(mean), float(spread)) for mean, spread in values[key])
            for key in ("known", "past")
        }
        categories = tuple(tuple(names) for names in values["categories"])
        return cls(**pairs, categories=categories, spreads=tuple(values.get("spreads", ())))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "known": [list(pair) for pair in self.known],
            "past": [list(pair) for pair in self.past],
            "categories": [list(names) for names in self.categories],
            "spreads": list(self.spreads),
        }

    def ids(self, static: Sequence[str]) -> list[int]:
        """Return the ids of a series' categories."""
        kinds = zip(static, self.categories)
        return [names.index(name) + 1 if name in names else 0 for name, names in kinds]

    def prepared(self, steps: Tensor, horizon: int) -> Tensor:
        """Return time steps `[..., D]` with covariates in units of their spread, 0 where missing.

        Args:
            steps: float32, as in `Layout`.
            horizon: steps of a forecast.
        """
        known, past = (np.array(p, "float32").reshape(-1, 2) for p in (self.known, self.past))
        scales = np.concatenate([np.tile(known, (horizon, 1)), past])
        if not len(scales):
            return steps
        value, middle, static = tf.split(steps, [3, len(scales), len(self.categories)], axis=-1)
        middle = (middle - scales[:, 0]) / scales[:, 1]
        # NaN is the one number that is not equal to itself; LiteRT has no `is_nan`.
        middle = tf.where(middle == middle, middle, 0.0)
        return tf.concat([value, middle, static], axis=-1)


def _moments(parts: list[np.ndarray]) -> tuple[tuple[float, float], ...]:
    """Return mean and spread of each column of tables; 1 for one that is constant or empty."""
    moments = []
    for column in np.concatenate(parts).T if parts else ():
        there = column[~np.isnan(column)]
        mean, spread = (float(there.mean()), float(there.std())) if len(there) else (0.0, 0.0)
        moments.append((mean, spread if spread > 1e-9 * max(abs(mean), 1e-9) else 1.0))
    return tuple(moments)


class Panel:
    """Series laid end to end, from which any steps of them can be read as the model takes them.

    Float32 holds the difference of two near numbers better than the numbers: the first value of a
    series is taken off where its values are not whole numbers that float32 holds anyway.

    Args:
        table: the series.
        layout: of a time step.
        covariates: gives the ids of categories.
        returns: whether what is forecast are the returns of prices, see `returns_of`; nothing is
            taken off these.

    Attributes:
        lengths: `[N]`, steps with values.
        offsets: `[N]`, float64, what is taken off each series.
        targets: float64 `[T]` for each series: what is forecast at its steps, in raw numbers.
    """

    def __init__(
        self, table: SeriesTable, layout: Layout, covariates: Covariates, returns: bool = False
    ) -> None:
        self.layout = layout
        series = table.series
        self.lengths = np.array([len(each.values) for each in series])
        exact = all(_whole(each.values) for each in series)
        first = [each.values[np.flatnonzero(~np.isnan(each.values))[:1]] for each in series]
        self.offsets = np.array(
            [0.0 if returns or exact or not len(value) else value[0] for value in first]
        )
        self.targets = [returns_of(each.values) if returns else each.values for each in series]
        shifted = zip(series, self.offsets)
        self._values = np.concatenate([each.values - off for each, off in shifted]).astype("f4")
        off = self.offsets * (not returns)
        self._targets = np.concatenate([t - o for t, o in zip(self.targets, off)]).astype("f4")
        self._begins = np.concatenate([[0], np.cumsum(self.lengths)[:-1]])
        times = [_days(each) for each in series]
        self._times = np.concatenate(times)
        self._past = np.concatenate([each.past for each in series]).astype("f4")
        self._known = np.concatenate([each.known for each in series]).astype("f4")
        self._known_lengths = np.array([len(each.known) for each in series])
        self._known_begins = np.concatenate([[0], np.cumsum(self._known_lengths)[:-1]])
        ids = [covariates.ids(each.static) for each in series]
        self._ids = np.array(ids, "f4").reshape(len(series), layout.static)

    def inputs(self, series: np.ndarray, steps: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Return steps as the model takes them, float32 `[B, T, D]`, covariates raw.

        Args:
            series: `[B]`.
            steps: `[B, T]`; before 0 there is nothing.
            ends: `[B]`; the values of steps from there on are missing.
        """
        layout = self.layout
        there = (steps >= 0) & (steps < np.minimum(ends, self.lengths[series])[:, None])
        places = self._places(series, steps)
        out = np.empty((*steps.shape, layout.size), "float32")
        out[:, :, 0] = np.where(there, self._values[places], np.nan)
        out[:, :, 1:3] = np.where(there[:, :, None], self._times[places], np.nan)
        at = 3 + layout.horizon * layout.known
        if layout.known:
            ahead = steps[:, :, None] + np.arange(1, layout.horizon + 1)
            last = self._known_lengths[series][:, None, None] - 1
            begin = self._known_begins[series][:, None, None]
            known = self._known[begin + np.clip(ahead, 0, last)]
            known = np.where(((ahead >= 0) & (ahead <= last))[..., None], known, np.nan)
            out[:, :, 3:at] = known.reshape(*steps.shape, at - 3)
        out[:, :, at : at + layout.past] = self._past[places]
        out[:, :, at + layout.past :] = self._ids[series][:, None]
        return out

    def ahead(
        self, series: np.ndarray, steps: np.ndarray, ends: np.ndarray, counts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return targets and weights, float32 `[B, T, H]`, of the steps after each one.

        Args:
            series: `[B]`.
            steps: `[B, T]`.
            ends: `[B]`; targets from there on have no weight.
            counts: bool `[B, T]`: whether a step's targets have any.
        """
        ahead = steps[:, :, None] + np.arange(1, self.layout.horizon + 1)
        inside = ahead < np.minimum(ends, self.lengths[series])[:, None, None]
        targets = self._targets[self._places(series, ahead)]
        weights = inside & ~np.isnan(targets) & counts[:, :, None]
        return np.where(weights, targets, np.float32(0)), weights.astype("float32")

    def _places(self, series: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Return where steps `[B, ...]` lie; outside, of the first or last."""
        shape = (-1,) + (1,) * (steps.ndim - 1)
        last = (self.lengths[series] - 1).reshape(shape)
        return self._begins[series].reshape(shape) + np.clip(steps, 0, last)


def _whole(values: np.ndarray) -> bool:
    """Return whether float32 holds all values exactly, as they are whole numbers, small enough."""
    there = values[~np.isnan(values)]
    return bool(np.all((there == np.round(there)) & (np.abs(there) <= _EXACT)))


def _days(each: Series) -> np.ndarray:
    """Return day and second of each step with a value, float32 `[T, 2]`, NaN without dates."""
    if each.times is None:
        return np.full((len(each.values), 2), np.nan, "float32")
    seconds = each.times[: len(each.values)].astype("datetime64[s]").astype("int64")
    return np.stack(np.divmod(seconds, DAY), axis=1).astype("float32")


@dataclass(frozen=True)
class Crops:
    """Stretches of the training part of series, of which any can be read.

    A crop is `look_back` steps to fill the model's register, and `window` more whose forecasts
    count, once enough was seen; what lies before the beginning of a series is empty. So the
    register is what it will be when series are read whole.

    Attributes:
        panel: of the series.
        ends: `[N]`, of their training parts.
        first: `[N]`, how many steps are read before a forecast counts.
        look_back: steps that fill the register.
        window: steps that count.
    """

    panel: Panel
    ends: np.ndarray
    first: np.ndarray
    look_back: int
    window: int

    def counts(self) -> np.ndarray:
        """Return how many steps of each series have forecasts that count, `[N]`."""
        return np.maximum(self.ends - self.first, 0)

    def rows(self) -> int:
        """Return how many crops have as many steps that count as all series."""
        return -(-int(self.counts().sum()) // self.window)

    def read(self, places: np.ndarray) -> list[np.ndarray]:
        """Return inputs `[B, T, D]`, targets and weights `[B, window, H]`, and resets `[B, T]`.

        A series has a share of all places that is as large as the root of its steps that count: a
        long one says less than as many steps of others.

        Args:
            places: `[B]`, from 0 up to 1: of all crops, in the order of the series.
        """
        counts = self.counts()
        edges = np.cumsum(np.sqrt(counts))
        series = np.searchsorted(edges / edges[-1], places, side="right").clip(max=len(edges) - 1)
        begins = np.concatenate([[0.0], edges])[series]
        share = ((places * edges[-1] - begins) / np.sqrt(counts[series])).clip(0, 1)
        # A crop ends anywhere from the first step that counts to a window past the last. What is
        # past an end is moved to it: no crop has fewer steps that count than there are.
        most = counts[series] - 1
        place = (share * (counts[series] + self.window - 1)).astype(int)
        last = self.first[series] - 1 + np.clip(place, np.minimum(self.window - 1, most), most)
        length = self.look_back + self.window
        steps = (last + 1 - length)[:, None] + np.arange(length)
        late = steps[:, -self.window :]
        ends = self.ends[series]
        reset = steps == np.maximum(steps[:, :1], 0)
        return [
            self.panel.inputs(series, steps, ends),
            *self.panel.ahead(series, late, ends, late >= (self.first[series] - 1)[:, None]),
            reset.astype("int32"),
        ]


def crop_windows(crops: Crops, batch_size: int, seed: int) -> tf.data.Dataset:
    """Return windows of crops, drawn anew at each reading, from a seed.

    An epoch has as many crops as it takes to hold each step of the training parts once, evenly
    spread; but 32 windows at least and 512 at most.

    Args:
        crops: of the series.
        batch_size: crops of a window.
        seed: of the draws, and of the order.

    Raises:
        UserError: no series is long enough.
    """
    rows = crops.rows()
    if not rows:
        raise UserError("no series is long enough to learn from: give longer ones")
    windows = min(max(-(-rows // batch_size), FEWEST), MOST)
    count = windows * batch_size
    length, width = crops.look_back + crops.window, crops.panel.layout.size
    late = [crops.window, crops.panel.layout.horizon]
    shapes = [[length, width], late, late, [length]]
    types = [tf.float32] * 3 + [tf.int32]

    def read(order: Tensor, random: Tensor) -> Window:
        shift = tf.cast(random % 2**20, tf.float64) / 2.0**20
        places = (tf.cast(order, tf.float64) + shift) / count
        parts = tf.numpy_function(crops.read, [places], types, stateful=False)
        whole = [tf.ensure_shape(part, [batch_size, *s]) for part, s in zip(parts, shapes)]
        inputs, targets, weights, reset = whole
        return Window(inputs=inputs, targets=targets, weights=weights, reset=reset)

    order = tf.data.Dataset.range(count).shuffle(count, seed, reshuffle_each_iteration=True)
    random = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).take(count)
    drawn = tf.data.Dataset.zip((order, random)).batch(batch_size, drop_remainder=True)
    known = tf.data.experimental.assert_cardinality(windows)
    return drawn.map(read).apply(known).prefetch(2)


class Whole:
    """Series that are read from their beginning to the last origin, see `stream_windows`.

    Args:
        panel: of the series.
        ends: `[N]`, after which step a target has no weight.
        origins: of each series, the steps at whose end its forecasts count.

    Attributes:
        series: those that have an origin.
        lengths: steps of each of these.
    """

    def __init__(self, panel: Panel, ends: np.ndarray, origins: list[np.ndarray]) -> None:
        self.panel, self.ends, self.origins = panel, ends, origins
        self.series = np.array([n for n, steps in enumerate(origins) if len(steps)], int)
        self.lengths = np.array([origins[n][-1] + 1 for n in self.series], int)

    def read(self, index: int, begin: int, end: int) -> tuple[Any, Any, Any]:
        """Return inputs, targets and weights of some steps of a series."""
        one = self.series[index : index + 1]
        steps = np.arange(begin, end)[None]
        counted = np.isin(steps, self.origins[one[0]])
        ends = self.ends[one]
        inputs = self.panel.inputs(one, steps, ends)
        targets, weights = self.panel.ahead(one, steps, ends, counted)
        return inputs[0], targets[0], weights[0]
