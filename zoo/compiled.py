"""A sequence compiled by XLA: two halves of the batch side by side, a long one in pieces."""

from typing import Any

import tensorflow as tf

from zoo.flags import Flags
from zoo.sequence_gradient import Sequence, Weights, differentiated

# A sequence whose projections take more bytes than this is cut, and its backward pass computes
# projections and products again.
WHOLE_BYTES = 2**25
PIECE_BYTES = 2**23
MOST_PIECES = 16


def run_compiled(
    sequence: Sequence, x: Any, state: Any, flags: Flags, weights: Weights
) -> tuple[Any, Any]:
    """Outputs `[B, T, H]` and the final state of `x [B, T, D]`, whose shape is known.

    The two threads of one small product wait for each other, those of two loops do not: on a CPU
    each half of the batch runs by itself. benchmarks/README.md has the measurements.
    """
    lengths = _pieces(x.shape, sequence.reads.width * x.dtype.size)
    sequence.remember = len(lengths) == 1
    forward, backward = (
        tf.function(part, jit_compile=True, autograph=False)
        for part in (sequence.forward, sequence.backward)
    )
    outputs, finals = [], []
    for first, last in _halves(x.shape[0]):
        parts = [part[first:last] for part in tf.nest.flatten(state)]
        rows = flags.rows(first, last)
        ys, start = [], 0
        for piece in tf.split(x[first:last], lengths, axis=1):
            stop = start + piece.shape[1]
            steps = rows.steps(start, stop)
            y, parts = differentiated(forward, backward, piece, parts, steps, weights)
            ys.append(y)
            start = stop
        outputs.append(tf.concat(ys, axis=1))
        finals.append(parts)
    final = [tf.concat(parts, axis=0) for parts in zip(*finals)]
    return tf.concat(outputs, axis=0), tf.nest.pack_sequence_as(state, final)


def _halves(batch: int) -> list[tuple[int, int]]:
    """Which rows run together."""
    if batch < 2 or tf.config.list_physical_devices("GPU"):
        return [(0, batch)]
    return [(0, batch // 2), (batch // 2, batch)]


def _pieces(shape: Any, step_bytes: int) -> list[int]:
    """How many steps run together; `step_bytes` are those of one row and step."""
    batch, time, _ = shape
    total = batch * time * step_bytes
    pieces = 1
    while total > WHOLE_BYTES and pieces < min(time, MOST_PIECES) and total / pieces > PIECE_BYTES:
        pieces *= 2
    length = -(-time // pieces)
    lengths = [length] * (time // length)
    return lengths + ([time % length] if time % length else [])
