"""Metrics of tags: how many are right, and how well entities, or else each tag, are found."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from tasks.common.classes import class_counts
from tasks.common.classes import count_metrics as class_count_metrics
from tasks.sequence_labelling.spans import are_entities, count_metrics, kinds_in, span_counts
from zoo.evaluation.bootstrap import Evaluation, MetricSums


def tag_metrics(
    tags: Sequence[str],
    true: Sequence[np.ndarray],
    predicted: Sequence[np.ndarray],
    unknown: Sequence[np.ndarray] = (),
) -> Evaluation:
    """Return `accuracy`, and the metrics of entities, or else the F1 of tags.

    Those of entities are in `tasks.sequence_labelling.spans.entity_metrics`; where tags are others,
    they are `macro_f1`, the mean over tags, and that of each.

    Args:
        tags: names.
        true: of each sentence the number of each word's tag, `[T]`.
        predicted: likewise.
        unknown: likewise whether each word is unknown, for `accuracy/unknown`; none for without.

    Example:
        >>> true, predicted = [np.array([0, 1])], [np.array([0, 0])]
        >>> tag_metrics(["O", "B-LOC"], true, predicted).metrics()["accuracy"]
        0.5
    """
    of_each = unknown or [np.zeros(len(row), bool) for row in true]
    right = [_right(*row) for row in zip(true, predicted, of_each)]
    accuracies = MetricSums(np.stack(right), _accuracies)
    if not are_entities(tags):
        of_tags = class_counts(true, predicted, len(tags))
        return Evaluation([accuracies, MetricSums(of_tags, partial(_of_tags, tags))])
    kinds, names = kinds_in(tags), np.array(tags)
    counts = [span_counts(kinds, names[a], names[b]) for a, b in zip(true, predicted)]
    return Evaluation([accuracies, MetricSums(np.stack(counts), partial(count_metrics, kinds))])


def _right(true: np.ndarray, predicted: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """Count the right words of a sentence and all, then the right unknown words and all unknown."""
    right = true == predicted
    return np.array([right.sum(), len(right), right[unknown].sum(), unknown.sum()])


def _accuracies(sums: np.ndarray) -> dict[str, float]:
    right, words, right_unknown, unknown = (float(part) for part in sums)
    metrics = {"accuracy": right / words}
    return {**metrics, "accuracy/unknown": right_unknown / unknown} if unknown else metrics


def _of_tags(tags: Sequence[str], counts: np.ndarray) -> dict[str, float]:
    """Compute the mean F1 of all tags, and that of each."""
    metrics = class_count_metrics(tags, counts)
    return {key: metrics[key] for key in metrics if key.startswith(("macro", "f1/"))}
