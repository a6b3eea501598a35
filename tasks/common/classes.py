"""What the tasks that name a class have in common: their metrics, and what was taken for what."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from tasks.common.naive import beside
from zoo.evaluation.bootstrap import Evaluation, MetricSums
from zoo.evaluation.loop import WindowLoop, row_sums
from zoo.evaluation.plots import confusion_figure
from zoo.task import Case
from zoo.topologies.base import SequenceModel, scores
from zoo.training.objectives import CrossEntropy
from zoo.typing import Window


def class_case(raw: Any, name: str) -> Case:
    """Return an input of a class: right is its name."""
    return Case(raw, name, name.__eq__)


def measure_classes(
    model: SequenceModel,
    windows: Iterable[Window],
    classes: Sequence[str],
    groups: np.ndarray | None = None,
) -> Evaluation:
    """Measure `loss`, `accuracy` and the metrics of `class_metrics`, each window shown once.

    The naive answer is always the class that is the commonest of these targets: no other answer
    that is the same for all inputs is right as often.

    Args:
        model: whose outputs are logits `[..., classes]`, one row a target.
        windows: as `zoo.training.windows` makes them; the state is carried from one to the next.
        classes: names.
        groups: of the targets, those that belong together, see `MetricSums`.
    """
    logits, targets = logits_and_targets(model, windows)
    each = scores(tf.constant(logits), tf.constant(targets))
    rows = row_sums(tf.ones_like(each.nll), each.nll, each.right).numpy()
    counts = class_counts(targets[:, None], logits.argmax(axis=-1)[:, None], len(classes))
    own = [
        MetricSums(rows, CrossEntropy().results, groups),
        MetricSums(counts, partial(count_metrics, classes), groups),
    ]
    always = partial(constant_metrics, classes, int(np.bincount(targets).argmax()))
    return beside(Evaluation(own), Evaluation([MetricSums(counts, always, groups)]))


def logits_and_targets(
    model: SequenceModel, windows: Iterable[Window]
) -> tuple[np.ndarray, np.ndarray]:
    """Return a model's logits for each target with a weight, `[N, classes]`, and these `[N]`."""
    pairs = []
    for window, logits in WindowLoop(model, model.run_window)(windows):
        real = window["weights"] > 0
        pairs.append((logits[real].numpy(), window["targets"][real].numpy()))
    logits, targets = (np.concatenate(part) for part in zip(*pairs))
    return logits, targets


def class_counts(
    true: Iterable[np.ndarray], predicted: Iterable[np.ndarray], classes: int
) -> np.ndarray:
    """Count for each example how often each class is true, predicted, and both: `[N, 3 classes]`.

    Args:
        true: of each example the classes of its targets, `[T]`.
        predicted: likewise.
        classes: how many there are.

    Example:
        >>> class_counts([np.array([0, 0, 1])], [np.array([0, 1, 1])], 2)
        array([[2, 1, 1, 2, 1, 1]])
    """
    return np.stack(
        [
            np.concatenate([np.bincount(part, minlength=classes) for part in (t, p, t[t == p])])
            for t, p in zip(true, predicted)
        ]
    )


def class_metrics(
    classes: Sequence[str], true: np.ndarray, predicted: np.ndarray
) -> dict[str, float]:
    """Compute `balanced_accuracy` and `macro_f1`, means over classes that occur; then each one's.

    Example:
        >>> metrics = class_metrics(["no", "yes"], np.array([0, 0, 1]), np.array([0, 1, 1]))
        >>> metrics["balanced_accuracy"], metrics["recall/no"], metrics["precision/yes"]
        (0.75, 0.5, 0.5)
    """
    return count_metrics(classes, class_counts([true], [predicted], len(classes))[0])


def count_metrics(classes: Sequence[str], counts: np.ndarray) -> dict[str, float]:
    """Compute the metrics of `class_metrics` from summed `class_counts`."""
    true, predicted, both = counts.reshape(3, -1)
    there = true > 0
    # Where nothing can be right, 0.
    precision = both / np.maximum(predicted, 1)
    recall = both / np.maximum(true, 1)
    f1 = 2 * both / np.maximum(true + predicted, 1)
    metrics = {
        "balanced_accuracy": float(recall[there].mean()),
        "macro_f1": float(f1[there].mean()),
    }
    for name, values in (("precision", precision), ("recall", recall), ("f1", f1)):
        metrics |= {f"{name}/{c}": float(v) for c, v, t in zip(classes, values, there) if t}
    return metrics


def constant_metrics(classes: Sequence[str], always: int, counts: np.ndarray) -> dict[str, float]:
    """Compute `accuracy` and the metrics of `class_metrics` of one answer for all inputs.

    Args:
        classes: names.
        always: which of them is the answer.
        counts: summed `class_counts`, whose answers do not matter.

    Example:
        >>> counts = class_counts([np.array([0, 0, 0, 1])], [np.array([1, 1, 1, 1])], 2)[0]
        >>> metrics = constant_metrics(["no", "yes"], 0, counts)
        >>> metrics["accuracy"], metrics["balanced_accuracy"], metrics["precision/no"]
        (0.75, 0.5, 0.75)
    """
    true = counts.reshape(3, -1)[0]
    chosen = np.arange(len(true)) == always
    answered = np.concatenate([true, chosen * true.sum(), chosen * true])
    return {"accuracy": float(true[always] / true.sum()), **count_metrics(classes, answered)}


def confusion(classes: Sequence[str], true: np.ndarray, predicted: np.ndarray) -> Figure:
    """Return how often each class was taken for each.

    Example:
        >>> figure = confusion(["no", "yes"], np.array([0, 0, 1]), np.array([0, 1, 1]))
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['1', '1', '0', '1']
    """
    labels = range(len(classes))
    return confusion_figure(classes, confusion_matrix(true, predicted, labels=labels))
