"""Naive answers, which a model has to beat: their metrics stand beside its own."""

from functools import partial

import numpy as np

from zoo.evaluation.bootstrap import Evaluation, MetricSums


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
