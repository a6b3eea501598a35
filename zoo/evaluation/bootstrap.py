"""How sure a metric is: the bootstrap, over what each example contributed."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

LEVEL = 0.95
RESAMPLES = 1000
SEED = 1


class MetricSums(NamedTuple):
    """Metrics that are a function of sums over examples.

    Attributes:
        rows: what each example contributes, `[N, K]`.
        metrics: from the K sums to metrics by name; one that the sums do not have is left out.
        groups: `[N]`, which examples belong together and are drawn together, such as the windows of
            one time series; None where each example stands for itself.
    """

    rows: np.ndarray
    metrics: Callable[[np.ndarray], dict[str, float]]
    groups: np.ndarray | None = None


@dataclass(frozen=True)
class Evaluation:
    """What a split says of a model.

    Attributes:
        sums: whose metrics are a function of sums.
        others: metrics that are none, and strings that say how one was measured: these have no
            interval.

    Example:
        >>> right = np.array([[1.0], [1.0], [0.0], [1.0]])
        >>> one = Evaluation([MetricSums(right, lambda sums: {"accuracy": float(sums[0]) / 4})])
        >>> one.metrics(), one.intervals()["accuracy"]
        ({'accuracy': 0.75}, (0.25, 1.0))
    """

    sums: list[MetricSums]
    others: dict[str, Any] = field(default_factory=dict)

    def __add__(self, other: "Evaluation") -> "Evaluation":
        """Return both, the other one's metrics after those that are here."""
        return Evaluation([*self.sums, *other.sums], {**self.others, **other.others})

    def also(self, more: Callable[[dict[str, float]], dict[str, float]]) -> "Evaluation":
        """Return it with metrics that follow from those of the first sums, such as a perplexity."""
        first, *rest = self.sums

        def all_metrics(sums: np.ndarray) -> dict[str, float]:
            metrics = first.metrics(sums)
            return {**metrics, **more(metrics)}

        return Evaluation([first._replace(metrics=all_metrics), *rest], self.others)

    def metrics(self) -> dict[str, Any]:
        """Return the metrics of all examples."""
        values: dict[str, Any] = {}
        for part in self.sums:
            values |= part.metrics(part.rows.sum(axis=0))
        return {**values, **self.others}

    def intervals(self) -> dict[str, tuple[float, float]]:
        """Return each metric's 95% interval; of those that are functions of sums."""
        return {
            key: ends
            for part in self.sums
            for key, ends in intervals(part.rows, part.metrics, part.groups).items()
        }


def intervals(
    rows: np.ndarray,
    metrics: Callable[[np.ndarray], dict[str, float]],
    groups: np.ndarray | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, tuple[float, float]]:
    """Return percentile intervals of metrics under resampling with replacement.

    Examples are taken to be independent, or with `groups` only the groups, which are then what is
    drawn. The interval is 2.5% to 97.5% of the resamples; the same seed gives the same interval.

    Args:
        rows: what each of N examples contributes, `[N, K]`.
        metrics: from sums `[K]` to metrics by name. A resample in which one is missing, such as
            that of a class that was not drawn, says nothing of it.
        groups: `[N]`, the group of each example, numbers or names; None for examples alone.
        resamples: how many.
        seed: of the draws.

    Example:
        >>> rows = np.array([[float(n < 40), 1.0] for n in range(80)])
        >>> rate = lambda sums: {"rate": float(sums[0] / sums[1])}
        >>> intervals(rows, rate)["rate"], intervals(rows, rate, np.arange(80) // 20)["rate"]
        ((0.3875, 0.6125), (0.0, 1.0))

    Source: B. Efron and R. Tibshirani 1993, An introduction to the bootstrap, chapter 13; for
    groups, A. C. Davison and D. V. Hinkley 1997, Bootstrap methods, section 3.8.
    """
    rows = np.asarray(rows, "float64")
    if groups is not None:
        _, places = np.unique(groups, return_inverse=True)
        joined = np.zeros((places.max() + 1, rows.shape[1]))
        np.add.at(joined, places, rows)
        rows = joined
    random, count = np.random.default_rng(seed), len(rows)
    drawn: dict[str, list[float]] = defaultdict(list)
    for _ in range(resamples):
        times = np.bincount(random.integers(0, count, count), minlength=count)
        for key, value in metrics(times @ rows).items():
            drawn[key].append(value)
    outside = (1 - LEVEL) / 2
    # Whole values that were drawn: a percentile between two infinities is none.
    ends = {
        key: np.quantile(values, [outside, 1 - outside], method="nearest")
        for key, values in drawn.items()
    }
    return {key: (float(low), float(high)) for key, (low, high) in ends.items()}
