import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import accuracy_score, precision_recall_fscore_support, recall_score

from tasks.common.classes import class_metrics, logits_and_targets, measure_classes
from zoo.training.windows import example_windows


def test_a_class_that_is_never_true_counts_for_no_mean():
    metrics = class_metrics(["a", "b", "never"], np.array([0, 0, 0, 1]), np.array([0, 0, 2, 1]))
    assert metrics["balanced_accuracy"] == (2 / 3 + 1) / 2
    assert metrics["f1/a"] == 0.8 and "recall/never" not in metrics


class Oracle:
    """Answers what its inputs are."""

    def initial_state(self, batch_size):
        return ()

    def run_window(self, window, state):
        return tf.identity(window["inputs"]), state


def test_copies_that_fill_up_a_window_are_not_counted():
    logits = np.eye(3)[[0, 1, 2, 2, 1]].astype("float32")
    windows = example_windows(logits, np.array([0, 1, 2, 0, 0]), np.ones(5), batch_size=3)
    outputs, true = logits_and_targets(Oracle(), windows)
    assert true.tolist() == [0, 1, 2, 0, 0] and outputs.argmax(axis=1).tolist() == [0, 1, 2, 2, 1]


def test_metrics_of_classes_are_those_of_scikit_learn():
    random = np.random.default_rng(1)
    true, logits = random.integers(0, 4, 60), random.normal(size=(60, 5)).astype("float32")
    windows = example_windows(logits, true, np.ones(60), batch_size=16)
    evaluation = measure_classes(Oracle(), windows, list("abcde"))
    predicted, metrics = logits.argmax(axis=1), evaluation.metrics()
    parts = precision_recall_fscore_support(true, predicted, labels=range(4), zero_division=0)
    for name, values in zip(("precision", "recall", "f1"), parts):
        assert [metrics[f"{name}/{c}"] for c in "abcd"] == pytest.approx(values.tolist())
    recall = recall_score(true, predicted, labels=range(4), average="macro")
    assert metrics["balanced_accuracy"] == pytest.approx(recall)
    assert metrics["accuracy"] == pytest.approx(accuracy_score(true, predicted))
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert metrics["loss"] == pytest.approx(-logs[np.arange(60), true].mean(), rel=1e-5)
    # The naive answer is always the commonest class.
    count = np.bincount(true).max()
    assert metrics["naive/accuracy"] == count / 60
    assert metrics["naive/balanced_accuracy"] == 1 / 4
    assert metrics["naive/macro_f1"] == pytest.approx(2 * count / (count + 60) / 4)
    ends = evaluation.intervals()
    assert set(ends) == set(metrics)
    assert all(low <= metrics[key] <= high for key, (low, high) in ends.items())
