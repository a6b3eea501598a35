"""Which part of which clip each row of each window shows."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tasks.video_classification.reading import Clips
from zoo.training.windows import share_out


class Plan(NamedTuple):
    """The clip and the first time step of each row of each window.

    Attributes:
        clip: its index, `[windows, rows]`; -1 for a row with nothing to show.
        begin: the first time step shown, likewise.
    """

    clip: np.ndarray
    begin: np.ndarray


def plan_parts(
    lengths: np.ndarray,
    rows: int,
    window: int,
    whole: bool = False,
    rng: np.random.Generator | None = None,
) -> Plan:
    """Deal clips out to the rows of windows.

    Args:
        lengths: time steps of each clip, `[N]`.
        rows: of a window.
        window: time steps of a window.
        whole: False shows one part of each clip: all of it, if it is not longer than a window.
            True shows all of each clip, from window to window of the same row, where the next clip
            follows; whole clips are dealt out to rows so that these get about as long.
        rng: draws the order of the clips, and, if not `whole`, the place of each part. None
            keeps the order, and takes the middle.

    Example:
        >>> plan_parts(np.array([4, 2]), rows=1, window=2).begin.tolist()
        [[1], [0]]
        >>> plan_parts(np.array([4, 2]), rows=1, window=2, whole=True).begin.tolist()
        [[0], [2], [0]]
    """
    order = rng.permutation(len(lengths)) if rng else np.arange(len(lengths))
    if whole:
        return _whole(-(-lengths // window), order, rows, window)
    spare = np.maximum(lengths - window, 0)
    begin = rng.integers(0, spare + 1) if rng else spare // 2
    clip = np.full((-(-len(order) // rows), rows), -1)
    clip.flat[: len(order)] = order
    if rng:
        # Blank rows would count in the statistics of a batch.
        clip = np.resize(order, clip.shape)
    return Plan(clip, np.where(clip < 0, 0, begin[clip]))


def _whole(counts: np.ndarray, order: np.ndarray, rows: int, window: int) -> Plan:
    """Return one column a row: each clip's number as often as it has windows."""
    shares = [order[share] for share in share_out(counts[order].tolist(), rows)]
    shape = max(int(counts[share].sum()) for share in shares), rows
    plan = Plan(np.full(shape, -1), np.zeros(shape, int))
    for row, share in enumerate(shares):
        # Not the longest first, as they were dealt out.
        clips = order[np.isin(order, share)]
        numbers = [np.arange(count) for count in counts[clips]]
        length = int(counts[clips].sum())
        plan.clip[:length, row] = np.repeat(clips, counts[clips])
        plan.begin[:length, row] = window * np.concatenate([*numbers, np.zeros(0, int)])
    return plan


def clip_windows(
    clips: Clips,
    rows: int,
    window: int,
    whole: bool = False,
    seed: int | None = None,
    least: int = 1,
) -> tf.data.Dataset:
    """Return windows with `frames` `[rows, window, ...]` and `lengths`, and one target a row.

    A clip that goes on in the next window has no weight yet, and one that has begun in the window
    before is not reset: the state is carried. Each reading gives as many windows as every other.

    Args:
        clips: of a split.
        rows: of a window.
        window: time steps of a window.
        whole: see `plan_parts`.
        seed: draws a new plan for each pass over the clips; None for one pass, always the same.
        least: with a seed, how many windows there are at least: as many passes are made.
    """
    count = len(plan_parts(clips.lengths, rows, window, whole).clip)
    passes = -(-least // count) if seed is not None else 1
    seeds = tf.data.Dataset.from_tensors(tf.constant(0, tf.int64))
    if seed is not None:
        seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).take(passes)

    def plan(drawn: np.ndarray) -> Plan:
        rng = None if seed is None else np.random.default_rng(int(drawn))
        return plan_parts(clips.lengths, rows, window, whole, rng)

    def parts(drawn: Any) -> tf.data.Dataset:
        clip, begin = tf.numpy_function(plan, [drawn], [tf.int64, tf.int64])
        shape = [count, rows]
        return tf.data.Dataset.from_tensor_slices(
            (tf.ensure_shape(clip, shape), tf.ensure_shape(begin, shape))
        )

    def read(clip: Any, begin: Any) -> dict[str, Any]:
        frames, lengths, targets, weights, reset = tf.numpy_function(
            lambda clip, begin: _read(clips, clip, begin, window, whole),
            [clip, begin],
            [clips.steps.dtype, tf.int32, tf.int32, tf.float32, tf.int32],
        )
        frames = tf.ensure_shape(frames, [rows, window, *clips.steps.shape[1:]])
        lengths, targets, weights, reset = (
            tf.ensure_shape(part, [rows]) for part in (lengths, targets, weights, reset)
        )
        inputs = {"frames": frames, "lengths": lengths}
        return {"inputs": inputs, "targets": targets, "weights": weights, "reset": reset}

    known = tf.data.experimental.assert_cardinality(count * passes)
    return seeds.flat_map(parts).map(read).apply(known).prefetch(2)


def _read(
    clips: Clips, clip: np.ndarray, begin: np.ndarray, window: int, whole: bool
) -> list[np.ndarray]:
    """Return frames, lengths, targets, weights and resets of a window's rows."""
    frames = np.zeros((len(clip), window, *clips.steps.shape[1:]), clips.steps.dtype)
    lengths = np.ones(len(clip), np.int32)
    for row, (index, first) in enumerate(zip(clip, begin)):
        if index >= 0:
            part = clips.clip(index)[first : first + window]
            frames[row, : len(part)], lengths[row] = part, len(part)
    real = clip >= 0
    last = begin + window >= clips.lengths[clip] if whole else real
    targets = np.where(real, clips.labels[clip], 0).astype(np.int32)
    reset = (begin == 0) | (not whole)
    return [frames, lengths, targets, (real & last).astype(np.float32), reset.astype(np.int32)]
