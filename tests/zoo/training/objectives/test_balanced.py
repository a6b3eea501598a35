"""Classes that count alike however few examples they have."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.errors import UserError
from zoo.training.objectives import CrossEntropy, Reinforce
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer
from zoo.training.windows import example_windows


def _windows(labels, seed=None):
    """Grey pictures, a little brighter for the class 1, that overlap."""
    rng = np.random.default_rng(1)
    images = 100 + 20 * labels[:, None, None, None] + rng.normal(0, 20, (len(labels), 2, 2, 1))
    return example_windows(images, labels, np.ones(len(labels)), 16, seed)


def _model():
    return zoo.create("digits-linear", classes=3, image_shape=(2, 2, 1))


def test_each_example_counts_by_its_class_and_metrics_do_not():
    labels = np.repeat([0, 1], [30, 10])
    learning = CrossEntropy(class_weight="balanced").begin(_windows(labels))
    assert learning.factors == pytest.approx([40 / 60, 40 / 20])
    model = _model()
    (window,) = example_windows(np.ones((4, 2, 2, 1)), np.array([0, 1, 1, 0]), np.ones(4), 4)
    nll = -tf.nn.log_softmax(model(window["inputs"])).numpy()[range(4), [0, 1, 1, 0]]
    losses = learning.losses(model, window, (), training=True)
    expected = nll @ np.array([2 / 3, 2, 2, 2 / 3])
    assert float(losses.by_player["model"]) == pytest.approx(expected, rel=1e-5)
    metrics = learning.results(losses.sums.numpy().sum(axis=0))
    assert metrics["loss"] == pytest.approx(nll.mean(), rel=1e-5)


def test_the_rare_class_is_found_where_classes_count_alike():
    labels = np.repeat([0, 1], [152, 8])
    train, validation = _windows(labels, seed=1), _windows(np.repeat([0, 1, 2], [30, 10, 1]))
    reached = {}
    for weight in ("none", "balanced"):
        keras.utils.set_random_seed(1)
        model = _model()
        objective = CrossEntropy(class_weight=weight)
        settings = Settings(epochs=8, learning_rate=0.05)
        history = Trainer(model, settings, objective=objective).fit(train, validation)
        images = np.concatenate([window["inputs"] for window in validation])[:41]
        right = np.argmax(model(images), axis=1) == np.repeat([0, 1, 2], [30, 10, 1])
        reached[weight] = right[30:40].mean()
        if weight == "balanced":
            expected = np.mean([right[:30].mean(), right[30:40].mean(), right[40]])
            assert history[objective.monitor][-1] == pytest.approx(expected)
    assert reached["balanced"] >= reached["none"] + 0.3


def test_many_targets_and_other_losses_are_refused():
    with pytest.raises(UserError, match="class_weight is balanced, but this model is trained by"):
        Reinforce(class_weight="balanced")
    windows = example_windows(np.ones((4, 3)), np.ones((4, 3), int), np.ones((4, 3)), 2)
    with pytest.raises(UserError, match="each example has many targets"):
        CrossEntropy(class_weight="balanced").begin(windows)
