"""The statistics of batch normalisation, measured anew for the weights as they are."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from zoo.evaluation.loop import WindowLoop
from zoo.topologies.base import SequenceModel
from zoo.typing import State, Window
from zoo.utils.keras_internals import layers_within

WINDOWS = 10
"""From how many windows statistics are measured."""


class Statistics:
    """The means and variances that batch normalisation takes for those of all data.

    While weights change fast, running averages are of weights that are gone: with few updates
    between two validations a model may seem to know nothing that does. Measured for the weights of
    the moment, they are right at any time (Izmailov et al. 2018, arXiv:1803.05407, section 3.2).

    Args:
        model: any model of the zoo.
        train: windows of training, the first of which are read if there is something to measure.

    Example:
        >>> import zoo
        >>> model = zoo.create("digits-cnn", dropout=0.0)
        >>> images = tf.random.uniform([16, 8, 8, 1], maxval=256, dtype=tf.int32)
        >>> window = {"inputs": tf.cast(images, tf.uint8), "reset": tf.ones(16)}
        >>> Statistics(model, tf.data.Dataset.from_tensors(window)).measure()
        >>> difference = model(images) - model(images, training=True)
        >>> bool(tf.reduce_max(tf.abs(difference)) < 1e-4)
        True
    """

    def __init__(self, model: SequenceModel, train: tf.data.Dataset) -> None:
        self.normalizations = [
            layer
            for layer in layers_within(model)
            if isinstance(layer, keras.layers.BatchNormalization)
        ]
        self.windows: list[Window] = list(train.take(WINDOWS)) if self.normalizations else []
        self._loop = WindowLoop(model, self._of_batch)
        self._model = model

    def measure(self) -> None:
        """Give each layer the mean of what it meets in the windows, which the model then reads."""
        sums: list[Any] = []
        with self._replaced():
            for _, statistics in self._loop(self.windows):
                sums = [a + b for a, b in zip(sums, statistics)] if sums else statistics
        for variable, total in zip(self._variables, sums):
            variable.assign(total / len(self.windows))

    @property
    def _variables(self) -> list[keras.Variable]:
        pairs = [(layer.moving_mean, layer.moving_variance) for layer in self.normalizations]
        return [variable for pair in pairs for variable in pair]

    def _of_batch(self, window: Window, state: State) -> tuple[Sequence[Any], State]:
        """Return each layer's statistics of a window, and the state after it."""
        _, state = self._model.run_window(window, state, training=True)
        return [tf.identity(variable.value) for variable in self._variables], state

    @contextmanager
    def _replaced(self) -> Iterator[None]:
        """Let each batch's statistics take the place of those before it while it is open."""
        before = [layer.momentum for layer in self.normalizations]
        for layer in self.normalizations:
            layer.momentum = 0.0
        try:
            yield
        finally:
            for layer, momentum in zip(self.normalizations, before):
                layer.momentum = momentum
