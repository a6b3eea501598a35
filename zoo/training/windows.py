"""Windows for the training loop: batches of parallel streams cut in time, or of whole sequences.

Each is a `zoo.typing.Window`. Numbers of 64 bits become those of 32 in it; other inputs keep their
dtype.
"""

import heapq
import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from zoo.errors import UserError
from zoo.typing import Tensor, Window

_BLOCK = 1 << 16
"""Time steps of all streams that are read at once: windows are small, and each reading costs."""
_NUMBERS = 16
"""Numbers of a time step; of steps that have more, fewer are read at once."""


def example_windows(
    inputs: Any, targets: Any, weights: Any, batch_size: int, shuffle_seed: int | None = None
) -> tf.data.Dataset:
    """Return windows of whole sequences: each example is one row of one window, always reset.

    Rows are read when their window is, so that an array in a file need not fit into memory.

    Args:
        inputs: a dict of arrays `[N, ...]`, or one, of numpy's, in memory or of a file.
        targets: array `[N, ...]` of class ids or of real numbers.
        weights: array of the shape of `targets`.
        batch_size: rows of a window. The last window is filled up with copies of weight 0, so
            that every window has one shape.
        shuffle_seed: draw a new order each time the data set is read, from this seed; None keeps
            the order.

    Raises:
        UserError: there are no examples.

    Example:
        >>> windows = example_windows(np.arange(5), np.arange(5), np.ones(5), batch_size=2)
        >>> [window["weights"].numpy().tolist() for window in windows]
        [[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]]
    """
    count = len(targets)
    if count == 0:
        raise UserError("the data set has no examples: a split needs at least one")
    targets = np.asarray(targets)
    targets = targets.astype(_target_dtype(targets), copy=False)
    arrays = (inputs, targets, np.asarray(weights, "float32"))
    rows = tf.data.Dataset.range(count)
    if shuffle_seed is not None:
        rows = rows.shuffle(count, seed=shuffle_seed, reshuffle_each_iteration=True)
    # What fills up the last window has no weight, which its place tells: after all examples.
    rows = rows.concatenate(tf.data.Dataset.range(count, count + -count % batch_size))
    windows = rows.batch(batch_size, drop_remainder=True)

    @tf.autograph.experimental.do_not_convert
    def read(places: Tensor) -> Window:
        return _window(arrays, places, count)

    return windows.map(read).prefetch(2)


def _window(arrays: tuple[Any, Any, Any], places: Tensor, count: int) -> Window:
    """Return the rows at `places` `[B]` of inputs, targets and weights.

    Those from `count` on are copies of weight 0.
    """
    flat = tf.nest.flatten(arrays)
    types = [_input_dtype(array) for array in flat]

    def read(places: np.ndarray) -> list[np.ndarray]:
        return [
            np.ascontiguousarray(array[places % count], dtype) for array, dtype in zip(flat, types)
        ]

    parts = tf.numpy_function(read, [places], types, stateful=False)
    rows = places.shape[0]
    parts = [tf.ensure_shape(part, [rows, *a.shape[1:]]) for part, a in zip(parts, flat)]
    inputs, targets, weights = tf.nest.pack_sequence_as(arrays, parts)
    real = tf.reshape(places < count, [-1] + [1] * (weights.shape.rank - 1))
    weights *= tf.cast(real, tf.float32)
    return Window(inputs=inputs, targets=targets, weights=weights, reset=tf.ones([rows], tf.int32))


def _input_dtype(array: Any) -> np.dtype:
    """Return the dtype of an array, or the half as wide one where it has 64 bits."""
    dtype = np.asarray(array[:0]).dtype
    halves = {"int64": "int32", "uint64": "int32", "float64": "float32"}
    return np.dtype(halves.get(dtype.name, dtype))


def _target_dtype(array: Any) -> np.dtype:
    """Return int32 for class ids, float32 for real numbers."""
    real = np.issubdtype(np.asarray(array[:0]).dtype, np.floating)
    return np.dtype("float32" if real else "int32")


def mixed_windows(parts: Sequence[tf.data.Dataset], seed: int | None = None) -> tf.data.Dataset:
    """Return the windows of several data sets, such as those of sequences of about the same length.

    Args:
        parts: each of a known number of windows.
        seed: spread each part's windows over the whole, anew at each reading, from this seed; None
            reads one part after the other.

    Example:
        >>> ones = np.ones(4)
        >>> short, long = (example_windows(np.ones((4, n)), ones, ones, 2) for n in (3, 9))
        >>> [window["inputs"].shape[1] for window in mixed_windows([short, long])]
        [3, 3, 9, 9]
    """
    sizes = [int(part.cardinality()) for part in parts]
    if seed is None:
        order = tf.data.Dataset.from_tensor_slices(np.repeat(np.arange(len(parts)), sizes))
        mixed = tf.data.Dataset.choose_from_datasets(parts, order)
    else:
        mixed = tf.data.Dataset.sample_from_datasets(
            parts, np.divide(sizes, sum(sizes)), seed, rerandomize_each_iteration=True
        )
    return mixed.apply(tf.data.experimental.assert_cardinality(sum(sizes)))


class Sequences(Protocol):
    """Sequences that are read in parts, so that they need not be in memory.

    Attributes:
        lengths: time steps of each sequence, `[N]`.
    """

    lengths: np.ndarray

    def read(self, index: int, begin: int, end: int) -> tuple[Any, Any, Any]:
        """Return inputs, targets and weights of the steps `begin` to `end` of a sequence.

        Each is an array `[T, ...]`, of the same dtype and further axes in all sequences, also for
        no step at all; the inputs may be a dict of such arrays.
        """


def stream_windows(
    sequences: Sequences | Sequence[tuple[Any, Any, Any]],
    batch_size: int,
    window: int,
    cut: bool,
    context: int = 0,
) -> tf.data.Dataset:
    """Return windows over streams: rows read on where they were in the window before.

    Args:
        sequences: inputs, targets and weights of each sequence, arrays `[T_n, ...]`, the inputs
            perhaps a dict of them; or what reads them.
        batch_size: parallel streams.
        window: time steps of a window that are new.
        cut: True joins all sequences and cuts the result into equal streams, for training. False
            keeps every sequence whole in one stream, so that each target is predicted from all
            that comes before it in its sequence, whatever the batch size: for evaluation.
        context: time steps before those, again: gradients reach back into them, but their
            weights are 0. Before a stream's beginning they are filled up.

    Returns:
        Windows whose parts are `[batch_size, T, ...]` with T = `context` + `window`; `reset` is 1
        at the first step of each sequence. All targets appear once with their weights. Each pass
        gives the same windows, and their number is known.

    Raises:
        UserError: there are no time steps.

    Example:
        >>> sequence = (np.arange(1, 6), np.arange(2, 7), np.ones(5))
        >>> windows = stream_windows([sequence], batch_size=1, window=3, cut=False)
        >>> [window["inputs"].numpy().tolist() for window in windows]
        [[[1, 2, 3]], [[4, 5, 0]]]
        >>> windows = stream_windows([sequence], batch_size=1, window=3, cut=False, context=1)
        >>> [window["inputs"].numpy().tolist() for window in windows]
        [[[0, 1, 2, 3]], [[3, 4, 5, 0]]]
    """
    streams = _Streams(sequences, batch_size, window, cut, context)
    empty = streams.empty
    flat = tf.nest.flatten(empty)
    # Several windows at once, as each call of a Python function takes a while.
    numbers = sum(math.prod(array.shape[1:]) for array in flat)
    steps = _BLOCK * _NUMBERS // max(_NUMBERS, numbers)
    count = max(1, steps // (batch_size * (context + window)))

    def read(first: Tensor) -> Window:
        parts = tf.numpy_function(
            lambda first: streams.read(first, count), [first], [array.dtype for array in flat]
        )
        shape = [None, batch_size, context + window]
        shaped = [tf.ensure_shape(part, [*shape, *a.shape[1:]]) for part, a in zip(parts, flat)]
        return tf.nest.pack_sequence_as(empty, shaped)

    windows = tf.data.Dataset.range(0, streams.steps, count).map(read).unbatch()
    known = tf.data.experimental.assert_cardinality(streams.steps)
    return windows.apply(known).prefetch(2)


class _Streams:
    """Sequences laid end to end and cut into rows, from which any windows can be read.

    Attributes:
        steps: how many windows there are.
        empty: a window of no step, whose arrays `[0, ...]` have the dtypes and further axes of all.
    """

    def __init__(
        self, sequences: Any, batch_size: int, window: int, cut: bool, context: int
    ) -> None:
        self.sequences = sequences if hasattr(sequences, "read") else _InMemory(sequences)
        self.window, self.context = window, context
        lengths = np.asarray(self.sequences.lengths)
        if not lengths.sum():
            raise UserError("the data set has no text: a split needs at least one character")
        if cut:
            order = list(range(len(lengths)))
            whole, over = divmod(int(lengths.sum()), batch_size)
            sizes = [whole + (row < over) for row in range(batch_size)]
        else:
            rows = share_out(lengths.tolist(), batch_size)
            order = [index for row in rows for index in row]
            sizes = [sum(lengths[row].tolist()) for row in rows]
        self.order = np.array(order, int)
        self.ends = np.cumsum(lengths[self.order])
        self.edges = np.cumsum([0, *sizes])
        self.steps = -(-max(sizes) // window)
        self.empty = self._empty()

    def _empty(self) -> Window:
        inputs, targets, weights = (
            tf.nest.map_structure(np.asarray, part) for part in self.sequences.read(0, 0, 0)
        )
        return Window(
            inputs=tf.nest.map_structure(lambda part: part.astype(_input_dtype(part)), inputs),
            targets=targets.astype(_target_dtype(targets)),
            weights=weights.astype("float32"),
            reset=np.zeros(0, "int32"),
        )

    def read(self, first: int, count: int) -> list[np.ndarray]:
        """Return the parts of windows from the `first`, flat, each `[N, B, T, ...]`."""
        count = min(count, self.steps - int(first))
        begin = int(first) * self.window - self.context
        shape = (len(self.edges) - 1, self.context + count * self.window)
        table: Window = tf.nest.map_structure(
            lambda array: np.zeros((*shape, *array.shape[1:]), array.dtype), self.empty
        )
        for row in range(shape[0]):
            self._fill(tf.nest.map_structure(lambda array, row=row: array[row], table), row, begin)
        if begin <= 0:
            table["reset"][:, -begin] = 1
        parts = tf.nest.map_structure(self._windows, table)
        parts["weights"][:, :, : self.context] = 0
        return tf.nest.flatten(parts)

    def _windows(self, array: np.ndarray) -> np.ndarray:
        """Return windows `[N, B, T, ...]` of streams `[B, steps, ...]`."""
        length = self.context + self.window
        views = np.lib.stride_tricks.sliding_window_view(array, length, axis=1)[:, :: self.window]
        return np.moveaxis(views, (1, -1), (0, 2)).copy()

    def _fill(self, columns: Window, row: int, begin: int) -> None:
        """Write a row's steps from `begin` on into `columns` `[T, ...]`, as far as it goes."""
        origin, length = int(self.edges[row]) + begin, len(columns["reset"])
        at = max(origin, int(self.edges[row]))
        end = min(origin + length, int(self.edges[row + 1]))
        place = int(np.searchsorted(self.ends, at, side="right"))
        while at < end:
            start = int(self.ends[place - 1]) if place else 0
            upto = min(end, int(self.ends[place]))
            index = int(self.order[place])
            steps = self.sequences.read(index, at - start, upto - start)
            parts = (columns["inputs"], columns["targets"], columns["weights"])
            for column, array in zip(tf.nest.flatten(parts), tf.nest.flatten(steps)):
                np.copyto(column[at - origin : upto - origin], array, casting="same_kind")
            columns["reset"][at - origin] = at == start
            at, place = upto, place + 1


class _InMemory:
    """Arrays as `Sequences`.

    Raises:
        UserError: a sequence has other further axes than the first, or numbers of another kind.
    """

    def __init__(self, sequences: Sequence[tuple[Any, Any, Any]]) -> None:
        self.sequences = sequences
        first = [_step_of(part) for part in tf.nest.flatten(list(sequences[:1]))]
        for number, sequence in enumerate(sequences):
            steps = [_step_of(part) for part in tf.nest.flatten(sequence)]
            for (shape, dtype), (shape_0, dtype_0) in zip(steps, first, strict=True):
                if shape != shape_0 or not np.can_cast(dtype, dtype_0, "same_kind"):
                    raise UserError(
                        f"a step of sequence {number} is {dtype} {list(shape)}, but one of "
                        f"sequence 0 is {dtype_0} {list(shape_0)}: all sequences need the same"
                    )
        self.lengths = np.array([len(targets) for _, targets, _ in sequences], int)

    def read(self, index: int, begin: int, end: int) -> tuple[Any, Any, Any]:
        inputs, targets, weights = self.sequences[index]
        inputs = tf.nest.map_structure(lambda part: part[begin:end], inputs)
        return inputs, targets[begin:end], weights[begin:end]


def _step_of(part: Any) -> tuple[tuple[int, ...], np.dtype]:
    """Return the shape and the dtype of one step of an array `[T, ...]`."""
    array = np.asarray(part)
    return array.shape[1:], array.dtype


def share_out(lengths: Sequence[int], rows: int) -> list[list[int]]:
    """Share whole sequences out, the longest first, each to the row that is the shortest so far."""
    shares: list[list[int]] = [[] for _ in range(rows)]
    filled = [(0, row) for row in range(rows)]
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        length, row = filled[0]
        shares[row].append(index)
        heapq.heapreplace(filled, (length + lengths[index], row))
    return shares
