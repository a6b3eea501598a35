"""What a forecast says of each future value: quantiles, or a distribution.

A head speaks of standardised values, (value - naive forecast) / spread, so that a network whose
outputs are 0 answers with the naive forecast as its median, and with intervals around it.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
import tensorflow as tf
from scipy import stats

from zoo.typing import Tensor

LEVELS = (0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975)
"""Usual quantiles: intervals of 95 % and 80 %, and what lies between."""
_FAR = 1e3
"""Spreads from the naive forecast beyond which a target is taken to lie there, in a loss."""
_NODES = 65
"""Places of a table over 1/nu."""
_MANY = 1e12
"""The largest mean of counts: squares of larger ones are none in float32."""
_BINS = 256
"""Counts whose probabilities are summed one by one."""


class Centre(NamedTuple):
    """What standardised values are measured from, and by.

    Attributes:
        naive: float32 `[..., H]`.
        spread: float32 `[...]`, above 0.
    """

    naive: Tensor
    spread: Tensor

    def standardised(self, targets: Tensor) -> Tensor:
        """Return what `[..., H]` raw values are in units of the spread, within ±1000 of them."""
        apart = (targets - self.naive) / self.spread[..., None]
        return tf.clip_by_value(apart, -_FAR, _FAR)


class Head(Protocol):
    """A kind of answer.

    Attributes:
        size: P, how many numbers a network gives for each future value; the first one is where it
            lies, in units of the spread.
        density: whether it is a distribution, from which paths can be drawn.
        degree: to which power of the unit of the values the loss grows; 0 of one in nats.
    """

    size: int
    density: bool
    degree: int

    def start(self, growth: np.ndarray) -> np.ndarray:
        """Return the biases of a network's last layer, `[H, P]`.

        Args:
            growth: `[H]`, the standard deviation of each step's error, by that of the first.
        """

    def quantiles(self, numbers: Tensor, centre: Centre) -> Tensor:
        """Return raw quantiles `[..., H, Q]`, in rising order, of `numbers` `[..., H, P]`."""

    def point(self, numbers: Tensor, centre: Centre) -> Tensor:
        """Return the raw median or, where that takes long, the mean `[..., H]`."""

    def losses(self, numbers: Tensor, centre: Centre, targets: Tensor) -> Tensor:
        """Return the loss `[..., H]` of raw `targets` `[..., H]`."""

    def draw(self, numbers: Tensor, centre: Centre, ranks: Tensor, paths: int) -> Tensor:
        """Return raw values `[..., H]` at the levels (rank + 1/2) / paths, of a distribution.

        Args:
            numbers: `[..., H, P]`.
            centre: of the same places.
            ranks: int32 `[..., H]`, 0..paths - 1.
            paths: how many levels there are.
        """


class Quantiles:
    """Quantiles of their own: the median, and outwards the widths between one and the next.

    The widths are softplus of a network's numbers, so that quantiles never cross. The loss is the
    mean pinball loss of all quantiles, twice of which approximates the CRPS, in units of the
    spread.

    Args:
        levels: in rising order, 0.5 among them.

    Example:
        >>> head = Quantiles((0.1, 0.5, 0.9))
        >>> numbers = tf.constant(head.start(np.ones(1)), tf.float32)
        >>> centre = Centre(tf.constant([7.0]), tf.constant(1.0))
        >>> [[round(float(q), 2) for q in head.quantiles(numbers, centre)[0]]]
        [[5.39, 7.0, 8.61]]

    Source: R. Koenker and G. Bassett, "Regression quantiles" (1978); R. Wen et al., "A
    multi-horizon quantile recurrent forecaster" (2017, arXiv:1711.11053).
    """

    density = False
    degree = 1

    def __init__(self, levels: Sequence[float] = LEVELS) -> None:
        self.levels = _checked(levels)
        self.size = len(levels)
        self.middle = self.levels.index(0.5)

    def start(self, growth: np.ndarray) -> np.ndarray:
        """Return biases with which the widths are those of a normal distribution."""
        normal = stats.norm.ppf(self.levels) * _DEVIATION
        steps = np.diff(normal)
        widths = np.concatenate([steps[: self.middle][::-1], steps[self.middle :]])
        biases = _inverse_softplus(growth[:, None] * widths)
        return np.concatenate([np.zeros((len(growth), 1)), biases], axis=1)

    def quantiles(self, numbers: Tensor, centre: Centre) -> Tensor:
        """Return raw quantiles `[..., H, Q]`, in rising order."""
        return _raw(self._standard(numbers), centre)

    def point(self, numbers: Tensor, centre: Centre) -> Tensor:
        """Return the raw median `[..., H]`."""
        return centre.naive + centre.spread[..., None] * numbers[..., 0]

    def losses(self, numbers: Tensor, centre: Centre, targets: Tensor) -> Tensor:
        """Return the mean pinball loss of all quantiles, in units of the spread."""
        apart = centre.standardised(targets)[..., None] - self._standard(numbers)
        levels = tf.constant(self.levels, tf.float32)
        return tf.reduce_mean(tf.maximum(levels * apart, (levels - 1) * apart), axis=-1)

    def draw(self, numbers: Tensor, centre: Centre, ranks: Tensor, paths: int) -> Tensor:
        """Raise: nothing is known of what lies outside of the quantiles."""
        raise ValueError("paths are drawn from a distribution: choose the head student_t")

    def _standard(self, numbers: Tensor) -> Tensor:
        """Return standardised quantiles: sums of ever more widths, each at least 0."""
        median, widths = numbers[..., :1], tf.nn.softplus(numbers[..., 1:])
        lower = median - tf.cumsum(widths[..., : self.middle], axis=-1)
        upper = median + tf.cumsum(widths[..., self.middle :], axis=-1)
        return tf.concat([tf.reverse(lower, [-1]), median, upper], axis=-1)


class Mean:
    """One number, the mean, without any quantile: what squared errors train.

    It stands where others have their median. The loss is the squared error, in units of the spread.

    Args:
        levels: 0.5 alone, the place of that number.

    Example:
        >>> centre = Centre(tf.constant([7.0]), tf.constant(2.0))
        >>> Mean((0.5,)).quantiles(tf.constant([[1.5]]), centre).numpy().tolist()
        [[10.0]]
    """

    size = 1
    density = False
    degree = 2

    def __init__(self, levels: Sequence[float] = (0.5,)) -> None:
        self.levels = _checked(levels)
        if len(levels) > 1:
            raise ValueError(
                f"head is mean, which answers one number, but quantiles are {list(levels)}: set "
                "quantiles to [0.5], the place of that number"
            )

    def start(self, growth: np.ndarray) -> np.ndarray:
        """Return biases with which it is the naive forecast."""
        return np.zeros((len(growth), 1))

    def quantiles(self, numbers: Tensor, centre: Centre) -> Tensor:
        """Return the raw mean `[..., H, 1]`."""
        return _raw(numbers, centre)

    def point(self, numbers: Tensor, centre: Centre) -> Tensor:
        """Return the raw mean `[..., H]`."""
        return self.quantiles(numbers, centre)[..., 0]

    def losses(self, numbers: Tensor, centre: Centre, targets: Tensor) -> Tensor:
        """Return the squared error, in units of the spread."""
        return (centre.standardised(targets) - numbers[..., 0]) ** 2

    def draw(self, numbers: Tensor, centre: Centre, ranks: Tensor, paths: int) -> Tensor:
        """Raise: nothing but the mean is known."""
        raise ValueError("paths are drawn from a distribution: choose the head student_t")


class StudentT:
    """Student's t distribution: location, scale and more than 2 degrees of freedom.

    Its quantiles are interpolated, over 1/nu, in a table of scipy's, so that they need no function
    that a small device has not. The loss is the negative log-likelihood of the raw value, in nats.

    Args:
        levels: of the quantiles, in rising order, 0.5 among them.

    Example:
        >>> head = StudentT((0.025, 0.5, 0.975))
        >>> numbers = tf.constant([[0.0, 0.0, 50.0]])
        >>> centre = Centre(tf.constant([7.0]), tf.constant(1.0))
        >>> [[round(float(q), 2) for q in head.quantiles(numbers, centre)[0]]]
        [[5.61, 7.0, 8.39]]

    Source: D. Salinas et al., "DeepAR: probabilistic forecasting with autoregressive recurrent
    networks" (2017, arXiv:1704.04110), whose likelihood was normal.
    """

    size = 3
    density = True
    degree = 0

    def __init__(self, levels: Sequence[float] = LEVELS) -> None:
        self.levels = _checked(levels)
        self._tables: dict[tuple[float, ...], np.ndarray] = {}

    def start(self, growth: np.ndarray) -> np.ndarray:
        """Return biases with which there are 6 degrees of freedom."""
        scale = _inverse_softplus(growth * _DEVIATION * math.sqrt(4 / 6))
        freedom = np.full_like(scale, _inverse_softplus(np.array(4.0)))
        return np.stack([np.zeros_like(scale), scale, freedom], axis=1)

    def quantiles(self, numbers: Tensor, centre: Centre) -> Tensor:
        """Return raw quantiles `[..., H, Q]`, in rising order."""
        location, scale, freedom = self._parts(numbers)
        cell, share = self._place(freedom)
        table = self._table(self.levels)
        low, high = tf.gather(table, cell), tf.gather(table, cell + 1)
        standard = low + share[..., None] * (high - low)
        return _raw(location[..., None] + scale[..., None] * standard, centre)

    def point(self, numbers: Tensor, centre: Centre) -> Tensor:
        """Return the raw median `[..., H]`."""
        return centre.naive + centre.spread[..., None] * numbers[..., 0]

    def losses(self, numbers: Tensor, centre: Centre, targets: Tensor) -> Tensor:
        """Return the negative log-likelihood of raw values."""
        location, scale, nu = self._parts(numbers)
        apart = (centre.standardised(targets) - location) / scale
        constant = tf.math.lgamma((nu + 1) / 2) - tf.math.lgamma(nu / 2)
        constant -= 0.5 * tf.math.log(math.pi * nu)
        density = constant - (nu + 1) / 2 * tf.math.log1p(apart * apart / nu)
        return tf.math.log(scale) + tf.math.log(centre.spread)[..., None] - density

    def draw(self, numbers: Tensor, centre: Centre, ranks: Tensor, paths: int) -> Tensor:
        """Return raw values at the levels (rank + 1/2) / paths."""
        location, scale, freedom = self._parts(numbers)
        cell, share = self._place(freedom)
        table = self._table(tuple((np.arange(paths) + 0.5) / paths))
        flat = tf.reshape(table, [-1])
        low = tf.gather(flat, cell * paths + ranks)
        high = tf.gather(flat, (cell + 1) * paths + ranks)
        standard = location + scale * (low + share * (high - low))
        return centre.naive + centre.spread[..., None] * standard

    def _parts(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        location, scale, freedom = tf.unstack(numbers, axis=-1)
        return location, tf.nn.softplus(scale) + 1e-4, 2 + tf.nn.softplus(freedom) + 0.01

    def _place(self, freedom: Tensor) -> tuple[Tensor, Tensor]:
        """Return between which rows of the table a distribution lies, and how far it is."""
        place = (_NODES - 1) * 2 / freedom
        cell = tf.clip_by_value(tf.cast(place, tf.int32), 0, _NODES - 2)
        return cell, place - tf.cast(cell, tf.float32)

    def _table(self, levels: tuple[float, ...]) -> np.ndarray:
        """Return quantiles `[_NODES, Q]` float32 of 1/nu from 0 to 1/2."""
        if levels not in self._tables:
            inverse = np.linspace(0, 0.5, _NODES)[1:, None]
            rows = [stats.norm.ppf(levels)[None], stats.t.ppf(np.array(levels)[None], 1 / inverse)]
            self._tables[levels] = np.concatenate(rows).astype("float32")
        return self._tables[levels]


class NegativeBinomial:
    """The negative binomial distribution of counts: mean and dispersion.

    The variance is mean + dispersion * mean². Its mean starts at the naive forecast, but above 0.
    Quantiles have no closed form: probabilities are summed, of each count up to about 250, and of
    bins of several above; where the distribution is nearly symmetric, they are those of a gamma
    distribution. The loss is the negative log-likelihood.

    Args:
        levels: of the quantiles, in rising order, 0.5 among them.

    Example:
        >>> head = NegativeBinomial((0.1, 0.5, 0.9))
        >>> numbers = tf.constant([[0.0, -20.0]])
        >>> centre = Centre(tf.constant([6.0]), tf.constant(1.0))
        >>> head.quantiles(numbers, centre).numpy().tolist()
        [[3.0, 6.0, 9.0]]

    Source: D. Salinas et al. (2017, arXiv:1704.04110), section 3.1.
    """

    size = 2
    density = True
    degree = 0

    def __init__(self, levels: Sequence[float] = LEVELS) -> None:
        self.levels = _checked(levels)

    def start(self, growth: np.ndarray) -> np.ndarray:
        """Return biases with which the variance is a little above that of Poisson's."""
        dispersion = _inverse_softplus(0.1 * growth)
        return np.stack([np.zeros_like(dispersion), dispersion], axis=1)

    def quantiles(self, numbers: Tensor, centre: Centre) -> Tensor:
        """Return counts `[..., H, Q]`, in rising order."""
        mean, total = self._parts(numbers, centre)
        return self._at(mean, total, tf.constant(self.levels, tf.float32))

    def point(self, numbers: Tensor, centre: Centre) -> Tensor:
        """Return the mean `[..., H]`."""
        return self._parts(numbers, centre)[0]

    def losses(self, numbers: Tensor, centre: Centre, targets: Tensor) -> Tensor:
        """Return the negative log-likelihood of counts; what is below 0 counts as 0."""
        mean, total = self._parts(numbers, centre)
        targets = tf.maximum(targets, 0.0)
        counts = tf.math.lgamma(targets + total) - tf.math.lgamma(total)
        counts -= tf.math.lgamma(targets + 1)
        # Logarithms of total / (total + mean) and mean / (total + mean).
        none, some = -tf.math.log1p(mean / total), -tf.math.log1p(total / mean)
        return -(counts + total * none + targets * some)

    def draw(self, numbers: Tensor, centre: Centre, ranks: Tensor, paths: int) -> Tensor:
        """Return counts at the levels (rank + 1/2) / paths."""
        mean, total = self._parts(numbers, centre)
        levels = (tf.cast(ranks, tf.float32) + 0.5) / paths
        return self._at(mean, total, levels[..., None])[..., 0]

    def _parts(self, numbers: Tensor, centre: Centre) -> tuple[Tensor, Tensor]:
        """Return the mean, and 1 / dispersion."""
        spread = tf.maximum(centre.spread, 0.1)[..., None]
        apart = tf.clip_by_value(centre.naive, 0.0, _MANY) / spread + numbers[..., 0]
        # Above 0, and the naive forecast itself where that is well above 0.
        mean = tf.minimum(spread * (apart + tf.sqrt(apart * apart + 0.01)) / 2, _MANY)
        return mean, 1 / (tf.nn.softplus(numbers[..., 1]) + 1e-4)

    def _at(self, mean: Tensor, total: Tensor, levels: Tensor) -> Tensor:
        """Return the least counts `[..., Q]` whose summed probability is at least `levels`.

        Args:
            mean: `[...]`, as is `total`.
            total: 1 / dispersion.
            levels: `[..., Q]` or `[Q]`.
        """
        width = tf.maximum((mean + 10 * tf.sqrt(mean + mean * mean / total) + 10) / _BINS, 1.0)
        # Counts in bins: with the mean and, nearly, the variance of what they hold.
        held = mean / width
        rest = 1 / tf.maximum(1 / total + (1 - width) / mean, 1e-6)
        place = tf.range(1, _BINS, dtype=tf.float32)
        held, rest = held[..., None], rest[..., None]
        growth = tf.math.log((rest + place - 1) / place * held / (held + rest))
        none = -rest * tf.math.log1p(held / rest)
        total_log = tf.concat([none, none + tf.cumsum(growth, axis=-1)], axis=-1)
        summed = tf.cumsum(tf.exp(total_log), axis=-1)
        levels = tf.broadcast_to(levels, tf.concat([tf.shape(mean), tf.shape(levels)[-1:]], 0))
        bins = tf.cast(tf.searchsorted(summed, levels), tf.float32) * width[..., None]
        shape = 1 / (1 / total + 1 / mean)[..., None]
        normal = tf.math.ndtri(levels)
        # Wilson and Hilferty 1931: the cube root of a gamma distribution is nearly normal.
        root = 1 - 1 / (9 * shape) + normal / (3 * tf.sqrt(shape))
        many = mean[..., None] * tf.maximum(root, 0.0) ** 3
        return tf.stop_gradient(tf.where(shape < 50, tf.math.ceil(bins), tf.round(many)))


def make_head(name: str, levels: Sequence[float] | None = None) -> Head:
    """Return the head of that name; without levels, with those that it has by itself.

    Raises:
        ValueError: there is none, or the levels are not in rising order with 0.5 among them.
    """
    heads: dict[str, Callable[..., Head]] = {
        "quantiles": Quantiles,
        "student_t": StudentT,
        "negative_binomial": NegativeBinomial,
        "mean": Mean,
    }
    if name not in heads:
        raise ValueError(f"head is {name!r}, but one of {', '.join(heads)} is needed")
    return heads[name]() if levels is None else heads[name](levels)


_DEVIATION = math.sqrt(math.pi / 2)
"""The standard deviation of a normal distribution whose mean absolute value is 1."""


def _raw(standard: Tensor, centre: Centre) -> Tensor:
    return centre.naive[..., None] + centre.spread[..., None, None] * standard


def _inverse_softplus(x: np.ndarray) -> np.ndarray:
    return x + np.log(-np.expm1(-x))


def _checked(levels: Sequence[float]) -> tuple[float, ...]:
    rising = all(low < high for low, high in pairwise(levels))
    inside = levels and levels[0] > 0 and levels[-1] < 1
    if not (rising and inside and 0.5 in levels):
        raise ValueError(
            f"quantiles are {list(levels)}, but numbers between 0 and 1 are needed, in rising "
            "order, 0.5 among them"
        )
    return tuple(float(level) for level in levels)
