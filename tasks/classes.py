"""What the tasks that name a class have in common: their figures, and what was taken for what."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track
from sklearn import metrics

from zoo.plotting import confusion_figure
from zoo.topologies.base import SequenceModel


def true_and_predicted(
    model: SequenceModel, windows: Iterable[dict[str, Any]], total: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The class of each target with a weight, and the one that the model finds the likeliest.

    Args:
        model: whose outputs are logits `[..., classes]`, one row a target.
        windows: as `zoo.training.windows` makes them; the state is carried from one to the next.
        total: how many, for the progress bar.
    """

    def answer(inputs: Any, state: Any, reset: Any) -> tuple[Any, Any]:
        logits, state = model(inputs, state=state, reset=reset, return_state=True)
        return tf.argmax(logits, axis=-1), state

    answer = tf.function(answer, reduce_retracing=True, autograph=False)
    console = Console(stderr=True)
    state, pairs = None, []
    for window in track(windows, "classifying", total, console=console, transient=True):
        real = window["weights"] > 0
        state = model.initial_state(len(real)) if state is None else state
        found, state = answer(window["inputs"], state, window["reset"])
        pairs.append((window["targets"][real].numpy(), found[real].numpy()))
    true, predicted = (np.concatenate(part) for part in zip(*pairs))
    return true, predicted


def class_figures(
    classes: Sequence[str], true: np.ndarray, predicted: np.ndarray
) -> dict[str, float]:
    """`balanced_accuracy` and `macro_f1`, means over the classes that occur; then each one's.

    Example:
        >>> told = class_figures(["no", "yes"], np.array([0, 0, 1]), np.array([0, 1, 1]))
        >>> told["balanced_accuracy"], told["recall/no"], told["precision/yes"]
        (0.75, 0.5, 0.5)
    """
    labels = range(len(classes))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        true, predicted, labels=labels, zero_division=0
    )
    there = support > 0
    figures = {
        "balanced_accuracy": float(recall[there].mean()),
        "macro_f1": float(f1[there].mean()),
    }
    for name, values in (("precision", precision), ("recall", recall), ("f1", f1)):
        figures |= {f"{name}/{c}": float(v) for c, v, t in zip(classes, values, there) if t}
    return figures


def confusion(classes: Sequence[str], true: np.ndarray, predicted: np.ndarray) -> Figure:
    """How often each class was taken for each.

    Example:
        >>> figure = confusion(["no", "yes"], np.array([0, 0, 1]), np.array([0, 1, 1]))
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['1', '1', '0', '1']
    """
    labels = range(len(classes))
    return confusion_figure(classes, metrics.confusion_matrix(true, predicted, labels=labels))
