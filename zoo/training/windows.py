"""What the training loop eats: batches of parallel streams, cut in time.

A window is a dict of `inputs` (what the model takes), `targets` and `weights` (one a target, 0
where it does not count), and `reset` (true where a row starts a new sequence).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.errors import UserError


def example_windows(
    inputs: Any, targets: Any, weights: Any, batch_size: int, shuffle_seed: int | None = None
) -> tf.data.Dataset:
    """Windows of whole sequences: each example is one row of one window, always reset.

    Args:
        inputs: a tree of arrays `[N, ...]`.
        targets: array `[N, ...]` of class ids.
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
    arrays = {
        "inputs": inputs,
        "targets": np.asarray(targets, "int32"),
        "weights": np.asarray(weights, "float32"),
        "reset": np.ones(count, "int32"),
    }
    dataset = tf.data.Dataset.from_tensor_slices(arrays)
    if shuffle_seed is not None:
        dataset = dataset.shuffle(count, seed=shuffle_seed, reshuffle_each_iteration=True)
    missing = -count % batch_size
    if missing:
        filling = tf.nest.map_structure(lambda a: a[np.arange(missing) % count], arrays)
        filling["weights"] = np.zeros_like(filling["weights"])
        dataset = dataset.concatenate(tf.data.Dataset.from_tensor_slices(filling))
    return dataset.batch(batch_size, drop_remainder=True).prefetch(2)


def stream_windows(
    sequences: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
    batch_size: int,
    window: int,
    cut: bool,
) -> tf.data.Dataset:
    """Windows over streams: rows read on where they were in the window before.

    Args:
        sequences: inputs, targets and weights of each sequence, arrays `[T_n]`.
        batch_size: parallel streams.
        window: time steps of a window.
        cut: True joins all sequences and cuts the result into equal streams, for training. False
            keeps every sequence whole in one stream, so that each target is predicted from all
            that comes before it in its sequence, whatever the batch size: for evaluation.

    Returns:
        Windows with `inputs`, `targets`, `weights` and `reset`, each `[batch_size, window]`;
        `reset` is 1 at the first step of each sequence. All targets appear once.

    Raises:
        UserError: there are no time steps.

    Example:
        >>> sequence = (np.arange(5), np.arange(1, 6), np.ones(5))
        >>> windows = stream_windows([sequence], batch_size=1, window=3, cut=False)
        >>> [window["inputs"].numpy().tolist() for window in windows]
        [[[0, 1, 2]], [[3, 4, 0]]]
    """
    sequences = [sequence for sequence in sequences if len(sequence[0])]
    if not sequences:
        raise UserError("the data set has no text: a split needs at least one character")
    columns = [np.stack([*sequence, _first(len(sequence[0]))]) for sequence in sequences]
    if cut:
        joined = np.concatenate(columns, axis=1)
        rows = np.array_split(joined, batch_size, axis=1)
    else:
        rows = _share_out(columns, batch_size)
    length = max(row.shape[1] for row in rows)
    steps = -(-length // window)
    table = np.zeros((4, batch_size, steps * window))
    for index, row in enumerate(rows):
        table[:, index, : row.shape[1]] = row
    table = table.reshape(4, batch_size, steps, window).transpose(2, 0, 1, 3)
    inputs, targets, weights, reset = (table[:, part] for part in range(4))
    reset[0, :, 0] = 1
    return tf.data.Dataset.from_tensor_slices(
        {
            "inputs": inputs.astype("int32"),
            "targets": targets.astype("int32"),
            "weights": weights.astype("float32"),
            "reset": reset.astype("int32"),
        }
    ).prefetch(2)


def _first(length: int) -> np.ndarray:
    return (np.arange(length) == 0).astype("int32")


def _share_out(columns: list[np.ndarray], rows: int) -> list[np.ndarray]:
    """Whole sequences, the longest first, each to the row that is the shortest so far."""
    shares: list[list[np.ndarray]] = [[np.zeros((4, 0))] for _ in range(rows)]
    lengths = np.zeros(rows, int)
    for column in sorted(columns, key=lambda column: -column.shape[1]):
        row = int(lengths.argmin())
        shares[row].append(column)
        lengths[row] += column.shape[1]
    return [np.concatenate(share, axis=1) for share in shares]
