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
    rows = _halves(x.shape[0])
    starts = zip(*[tf.split(part, rows) for part in tf.nest.flatten(state)])
    outputs, finals = [], []
    for half, parts, half_flags in zip(tf.split(x, rows), starts, flags.rows(rows), strict=True):
        ys = []
        pieces = tf.split(half, lengths, axis=1)
        for piece, steps in zip(pieces, half_flags.steps(lengths), strict=True):
            y, parts = differentiated(forward, backward, piece, list(parts), steps, weights)
            ys.append(y)
        outputs.append(tf.concat(ys, axis=1))
        finals.append(parts)
    final = [tf.concat(parts, axis=0) for parts in zip(*finals)]
    return tf.concat(outputs, axis=0), tf.nest.pack_sequence_as(state, final)


def _halves(batch: int) -> list[int]:
    """How many rows run together."""
    if batch < 2 or tf.config.list_physical_devices("GPU"):
        return [batch]
    return [batch // 2, batch - batch // 2]


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
