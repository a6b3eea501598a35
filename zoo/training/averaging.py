"""The mean of the weights over training."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras
import tensorflow as tf


class WeightAverage:
    """The mean of some variables after each update since the first that was added.

    Args:
        variables: of a model; those of whole numbers, such as the seeds of dropout, are left out.

    Source: B. T. Polyak and A. B. Juditsky 1992, doi:10.1137/0330046; over epochs, P. Izmailov et
    al. 2018, arXiv:1803.05407. The statistics of batch normalisation are averaged like weights.

    Example:
        >>> weight = keras.Variable([1.0])
        >>> average = WeightAverage([weight])
        >>> for value in (2.0, 4.0):
        ...     _ = weight.assign([value])
        ...     average.add()
        >>> with average.in_place():
        ...     float(weight[0])
        3.0
        >>> float(weight[0])
        4.0
    """

    def __init__(self, variables: Sequence[keras.Variable]) -> None:
        self._averaged = [v for v in variables if keras.backend.is_float_dtype(v.dtype)]
        self._means = [
            keras.Variable(v, dtype=v.dtype, trainable=False, aggregation="only_first_replica")
            for v in self._averaged
        ]
        self._count = keras.Variable(
            0.0, dtype="float32", trainable=False, aggregation="only_first_replica"
        )

    @property
    def variables(self) -> list[keras.Variable]:
        """Return the variables that a checkpoint must hold."""
        return [self._count, *self._means]

    @tf.function(autograph=False)
    def add(self) -> None:
        """Count the variables' present values."""
        self._count.assign_add(1.0)
        for mean, variable in zip(self._means, self._averaged):
            mean.assign_add((variable - mean) / self._count)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the variables their means while it is open; before the first, they stay."""
        if not float(keras.ops.convert_to_numpy(self._count)):
            yield
            return
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @tf.function(autograph=False)
    def _swap(self) -> None:
        for mean, variable in zip(self._means, self._averaged):
            value = tf.identity(variable.value)
            variable.assign(mean)
            mean.assign(value)
