"""Pairs of token ids as windows: those of about the same length together."""

import numpy as np
import tensorflow as tf

from tasks.common.text import END, PADDING, START
from zoo.training.windows import example_windows, mixed_windows

BUCKETS = 8
"""Different sizes of windows, at most: each is compiled, and between them lies what is padded."""


def pair_windows(
    source: tf.RaggedTensor, target: tf.RaggedTensor, batch_size: int, seed: int | None
) -> tf.data.Dataset:
    """Return windows of whole pairs, padded to one of a few sizes.

    Args:
        source: ids, ragged `[N, (S)]`.
        target: likewise `[N, (T)]`, without `<start>` and `<end>`.
        batch_size: rows of a window.
        seed: for training: pairs and windows come in a new order each time, from this seed. None
            brings them in the order of their lengths.

    Returns:
        Windows whose inputs are `source` `[B, S]` and `tokens` `[B, T]`, the target from `<start>`
        on. The next tokens, up to `<end>`, are the targets.
    """
    lengths = np.maximum(source.row_lengths(), target.row_lengths() + 1)
    parts = buckets(lengths, min(BUCKETS, -(-len(lengths) // batch_size)))
    windows = [
        _windows(tf.gather(source, part), tf.gather(target, part), batch_size, seed)
        for part in parts
    ]
    return mixed_windows(windows, seed)


def buckets(lengths: np.ndarray, count: int) -> list[np.ndarray]:
    """Return the indices of rows of about the same length: `count` groups of as many tokens.

    Example:
        >>> [group.tolist() for group in buckets(np.array([9, 2, 2, 8, 3]), 2)]
        [[1, 2, 4], [3, 0]]
    """
    order = np.argsort(lengths, kind="stable")
    ordered = lengths[order]
    tokens = np.cumsum(ordered)
    cuts = np.searchsorted(tokens, tokens[-1] * np.arange(1, count) / count)
    # Rows of one length stay together.
    cuts = np.searchsorted(ordered, np.unique(ordered[cuts]))
    return [group for group in np.split(order, cuts) if len(group)]


def _windows(
    source: tf.RaggedTensor, target: tf.RaggedTensor, batch_size: int, seed: int | None
) -> tf.data.Dataset:
    """Return windows of pairs, each side padded to its longest row."""
    border = tf.fill([target.nrows(), 1], 1)
    starts, ends = (
        tf.concat(parts, axis=1).to_tensor(PADDING).numpy()
        for parts in ([border * START, target], [target, border * END])
    )
    # A column even where all sources are empty.
    columns = max(1, int(source.bounding_shape()[1]))
    inputs = {"source": source.to_tensor(PADDING, [None, columns]).numpy(), "tokens": starts}
    return example_windows(inputs, ends, ends != PADDING, batch_size, seed)
