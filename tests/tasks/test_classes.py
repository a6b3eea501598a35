import numpy as np
import tensorflow as tf

from tasks.classes import class_figures, true_and_predicted
from zoo.training.windows import example_windows


def test_a_class_that_is_never_true_counts_for_no_mean():
    told = class_figures(["a", "b", "never"], np.array([0, 0, 0, 1]), np.array([0, 0, 2, 1]))
    assert told["balanced_accuracy"] == (2 / 3 + 1) / 2
    assert told["f1/a"] == 0.8 and "recall/never" not in told


class Oracle:
    """Says what it is told."""

    def initial_state(self, batch_size):
        return ()

    def __call__(self, inputs, state, reset, return_state):
        return tf.identity(inputs), state


def test_copies_that_fill_up_a_window_are_not_counted():
    logits = np.eye(3)[[0, 1, 2, 2, 1]].astype("float32")
    windows = example_windows(logits, np.array([0, 1, 2, 0, 0]), np.ones(5), batch_size=3)
    true, predicted = true_and_predicted(Oracle(), windows)
    assert true.tolist() == [0, 1, 2, 0, 0] and predicted.tolist() == [0, 1, 2, 2, 1]
