"""How sure a figure is: the bootstrap, over what each example contributed."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

LEVEL = 0.95
RESAMPLES = 1000
SEED = 1


class Part(NamedTuple):
    """Figures that are a function of sums over examples.

    Attributes:
        rows: what each example contributes, `[N, K]`.
        figures: from the K sums to figures by name; one that the sums do not have is left out.
    """

    rows: np.ndarray
    figures: Callable[[np.ndarray], dict[str, float]]


@dataclass(frozen=True)
class Measured:
    """What a split says of a model.

    Attributes:
        parts: whose figures are a function of sums.
        others: figures that are none, and strings that say how one was measured: these have no
            interval.

    Example:
        >>> right = np.array([[1.0], [1.0], [0.0], [1.0]])
        >>> told = Measured([Part(right, lambda sums: {"accuracy": float(sums[0]) / 4})])
        >>> told.score(), told.intervals()["accuracy"]
        ({'accuracy': 0.75}, (0.25, 1.0))
    """

    parts: list[Part]
    others: dict[str, Any] = field(default_factory=dict)

    def __add__(self, other: "Measured") -> "Measured":
        """Both, the other one's figures after those that are here."""
        return Measured([*self.parts, *other.parts], {**self.others, **other.others})

    def also(self, more: Callable[[dict[str, float]], dict[str, float]]) -> "Measured":
        """With figures that follow from those of the first part, such as a perplexity."""
        (rows, figures), *rest = self.parts

        def all_figures(sums: np.ndarray) -> dict[str, float]:
            told = figures(sums)
            return {**told, **more(told)}

        return Measured([Part(rows, all_figures), *rest], self.others)

    def score(self) -> dict[str, Any]:
        """The figures of all examples."""
        told: dict[str, Any] = {}
        for part in self.parts:
            told |= part.figures(part.rows.sum(axis=0))
        return {**told, **self.others}

    def intervals(self) -> dict[str, tuple[float, float]]:
        """Each figure's 95% interval; of those that are functions of sums."""
        return {key: ends for part in self.parts for key, ends in intervals(*part).items()}


def intervals(
    rows: np.ndarray,
    figures: Callable[[np.ndarray], dict[str, float]],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, tuple[float, float]]:
    """Percentile intervals of figures under resampling of the examples, with replacement.

    Examples are taken to be independent. The interval is 2.5% to 97.5% of the resamples; the same
    seed gives the same interval.

    Args:
        rows: what each of N examples contributes, `[N, K]`.
        figures: from sums `[K]` to figures by name. A resample in which one is missing, such as
            that of a class that was not drawn, says nothing of it.
        resamples: how many.
        seed: of the draws.

    Source: B. Efron and R. Tibshirani 1993, An introduction to the bootstrap, chapter 13.
    """
    random, count = np.random.default_rng(seed), len(rows)
    rows = np.asarray(rows, "float64")
    drawn: dict[str, list[float]] = defaultdict(list)
    for _ in range(resamples):
        times = np.bincount(random.integers(0, count, count), minlength=count)
        for key, value in figures(times @ rows).items():
            drawn[key].append(value)
    outside = (1 - LEVEL) / 2
    # Whole values that were drawn: a percentile between two infinities is none.
    ends = {
        key: np.quantile(values, [outside, 1 - outside], method="nearest")
        for key, values in drawn.items()
    }
    return {key: (float(low), float(high)) for key, (low, high) in ends.items()}
