"""Naive answers, which a model has to beat: their metrics stand beside its own."""

import sys
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from operator import itemgetter
from typing import Generic, TypeVar

import numpy as np

from zoo.errors import UserError
from zoo.evaluation.bootstrap import Evaluation, MetricSums

Token = TypeVar("Token", bound=Hashable)
Label = TypeVar("Label", bound=Hashable)


def beside(own: Evaluation, naive: Evaluation) -> Evaluation:
    """Return the metrics of a model, and after them as `naive/...` those of a naive answer.

    What is naive has no metrics of single classes or kinds, and says nothing of how it was
    measured.

    Args:
        own: of the model.
        naive: of the naive answer, whose metrics have the names of the model's.

    Example:
        >>> def share(sums):
        ...     return {"accuracy": float(sums[0] / sums[1])}
        >>> own, naive = (MetricSums(np.array([[n, 4.0]]), share) for n in (3.0, 2.0))
        >>> beside(Evaluation([own]), Evaluation([naive])).metrics()
        {'accuracy': 0.75, 'naive/accuracy': 0.5}
    """
    sums = [part._replace(metrics=partial(_named, part)) for part in naive.sums]
    return own + Evaluation(sums)


def _named(part: MetricSums, sums: np.ndarray) -> dict[str, float]:
    return {f"naive/{key}": value for key, value in part.metrics(sums).items() if "/" not in key}


def beside_learned(own: Evaluation, naive: Callable[[], Evaluation]) -> Evaluation:
    """Return what `beside` does, of a naive answer that is learned from the training part.

    Where that cannot be read, as data may be a test alone, a line on standard error says so, and
    the metrics of the model are all.

    Args:
        own: of the model.
        naive: learns and measures the naive answer; may raise UserError.
    """
    try:
        return beside(own, naive())
    except UserError as error:
        print(f"metrics of a naive answer are left out: {error}", file=sys.stderr)
        return own


class MostOften(Generic[Token, Label]):
    """Gives each token the label that it has most often, and an unknown one the commonest label.

    Args:
        pairs: tokens with their labels.

    Raises:
        UserError: there are none.

    Example:
        >>> label_of = MostOften([("a", 1), ("a", 2), ("a", 2), ("b", 1), ("b", 1)])
        >>> label_of(["b", "a", "new"])
        [1, 2, 1]
    """

    def __init__(self, pairs: Iterable[tuple[Token, Label]]) -> None:
        labels: Counter[Label] = Counter()
        self._labels: dict[Token, Label] = {}
        # The commonest label of a token comes last.
        for (token, label), count in sorted(Counter(pairs).items(), key=itemgetter(1)):
            self._labels[token] = label
            labels[label] += count
        if not labels:
            raise UserError("there is nothing to learn it from")
        self._commonest = labels.most_common(1)[0][0]

    def __call__(self, tokens: Iterable[Token]) -> list[Label]:
        """Return a label for each token."""
        return [self._labels.get(token, self._commonest) for token in tokens]
