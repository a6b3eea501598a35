"""Short windows of few streams, read as longer ones: their rows stay those of the short windows.

A step of one stream is a small product, so that what stands around the loops counts: products of a
window's outputs have few rows, and each window has to be handed over. Windows that follow one
another give the same sums where they are run as one; and in a loop over those, a layer reads one
while the layer above it still reads the one before.
"""

from typing import Any, Protocol

import tensorflow as tf

from zoo.topologies.base import Scores, SequenceModel
from zoo.typing import State, Tensor, Window

ENOUGH = 256
"""Targets of a window from which on products of its outputs take little longer than larger ones."""
MOST = 1 << 13
"""Targets that are handed over at once."""


class SumsOfRows(Protocol):
    """A function of a model, rows of windows, and a state to their sums and the state after."""

    def __call__(self, model: Any, window: Window, state: State) -> tuple[Tensor, State]:
        """Return sums `[R, M]` and a state."""


class Joining:
    """How windows of streams are joined.

    Args:
        rows: B of each window.
        time: T of each.
        count: how many there are.

    Attributes:
        joined: windows that are run as one.
        group: windows that are handed over at once, a multiple of `joined`.

    Example:
        >>> one = Joining(rows=1, time=35, count=1000)
        >>> one.joined, one.group
        (8, 200)
    """

    def __init__(self, rows: int, time: int, count: int) -> None:
        self.rows, self.time = rows, time
        self.joined = min(-(-ENOUGH // (rows * time)), count)
        groups = -(-count * rows * time // MOST)
        self.group = self.joined * -(-count // (groups * self.joined))
        self.filling = -count % self.group

    @classmethod
    def of(cls, windows: Any) -> "Joining | None":
        """Return how the windows of a data set are joined; None where it does not pay.

        They are where each is one part in time of the same few streams, all of one shape.
        """
        if not isinstance(windows, tf.data.Dataset) or int(windows.cardinality()) < 2:
            return None
        shapes = [spec.shape for spec in tf.nest.flatten(windows.element_spec)]
        streams = windows.element_spec["reset"].shape
        if streams.rank != 2 or not all(shape.is_fully_defined() for shape in shapes):
            return None
        if any(shape[:2] != streams for shape in shapes) or streams.num_elements() >= ENOUGH:
            return None
        rows, time = streams
        return cls(rows, time, int(windows.cardinality()))

    def groups(self, windows: tf.data.Dataset) -> tf.data.Dataset:
        """Return windows `[B, group T, ...]`, the last one filled up with windows of weight 0."""
        empty = tf.nest.map_structure(
            lambda spec: tf.zeros(spec.shape, spec.dtype), windows.element_spec
        )
        filling = tf.data.Dataset.from_tensors(empty).repeat(self.filling)
        groups = windows.concatenate(filling).batch(self.group, drop_remainder=True)
        return groups.map(lambda group: tf.nest.map_structure(self._in_a_row, group)).prefetch(1)

    def _in_a_row(self, parts: Tensor) -> Tensor:
        """Lay `[N, B, T, ...]` out as `[B, N T, ...]`."""
        turned = tf.transpose(parts, [1, 0, *range(2, parts.shape.rank)])
        return tf.reshape(turned, [self.rows, -1, *parts.shape[3:]])

    def sums(
        self, function: SumsOfRows, model: SequenceModel, group: Window, state: State
    ) -> tuple[Tensor, State]:
        """Return the sums `[group B, M]` of the rows of a group's windows, and the state after."""
        runs, time = self.group // self.joined, self.joined * self.time

        def cut(part: Tensor) -> tf.TensorArray:
            pieces = tf.reshape(part, [self.rows, runs, time, *part.shape[2:]])
            turned = tf.transpose(pieces, [1, 0, *range(2, pieces.shape.rank)])
            return tf.TensorArray(part.dtype, runs, element_shape=turned.shape[1:]).unstack(turned)

        pieces, joined = tf.nest.map_structure(cut, group), JoinedModel(model, self)

        def body(n: Tensor, state: State, sums: tf.TensorArray) -> tuple[Tensor, ...]:
            window = tf.nest.map_structure(lambda piece: self.rows_of(piece.read(n)), pieces)
            rows, after = function(joined, window, state)
            after = tf.nest.map_structure(
                lambda new, old: tf.ensure_shape(new, old.shape), after, state
            )
            return n + 1, after, sums.write(n, rows)

        start = (tf.constant(0), state, tf.TensorArray(tf.float32, runs))
        _, state, sums = tf.while_loop(lambda n, *_: n < runs, body, start)
        by_stream = tf.reshape(sums.stack(), [runs, self.rows, self.joined, -1])
        in_order = tf.transpose(by_stream, [0, 2, 1, 3])
        return tf.reshape(in_order, [self.group * self.rows, -1]), state

    def rows_of(self, part: Tensor) -> Tensor:
        """Cut `[B, joined T, ...]` into the rows of its windows, `[B joined, T, ...]`."""
        return tf.reshape(part, [self.rows * self.joined, self.time, *part.shape[2:]])

    def whole(self, rows: Tensor) -> Tensor:
        """Lay `[B joined, T, ...]` out as `[B, joined T, ...]`."""
        return tf.reshape(rows, [self.rows, self.joined * self.time, *rows.shape[2:]])

    def used(self, weights: Tensor) -> Tensor:
        """Return which rows of a group's windows have a weight, booleans `[group B]`."""
        parts = tf.reshape(weights, [self.rows, self.group, -1])
        return tf.reshape(tf.transpose(tf.reduce_any(parts > 0, axis=2)), [-1])


class JoinedModel:
    """A model that reads rows which follow one another as one; see `Measure.by_target`.

    Args:
        model: what reads them.
        joining: says which they are.
    """

    def __init__(self, model: SequenceModel, joining: Joining) -> None:
        self._model, self._joining = model, joining

    def run_window(self, window: Window, state: State, training: bool = False) -> tuple[Any, State]:
        """Return the outputs of each row, and the state to carry on."""
        outputs, state = self._model.run_window(self._whole(window), state, training)
        return tf.nest.map_structure(self._joining.rows_of, outputs), state

    def score(
        self, window: Window, state: State, training: bool = False, smoothing: float = 0.0
    ) -> tuple[Scores, State]:
        """Return the scores of each row, and the state to carry on."""
        scores, state = self._model.score(self._whole(window), state, training, smoothing)
        return Scores(*map(self._joining.rows_of, scores)), state

    def _whole(self, window: Window) -> Window:
        return tf.nest.map_structure(self._joining.whole, window)
