"""A sequence compiled by XLA: two halves of the batch side by side, a long one in pieces."""

from typing import Any

import tensorflow as tf

from zoo.recurrence.backprop import Kept, Sequence, Weights
from zoo.recurrence.masking import Flags

# A sequence whose projections take more bytes than this is cut, and its backward pass computes
# projections and products again.
WHOLE_BYTES = 2**25
PIECE_BYTES = 2**23
MOST_PIECES = 16


class CompiledSequence:
    """A sequence whose inputs have a known shape `[B, T, D]`, forward and backward.

    The two threads of one small product wait for each other, those of two loops do not: on a CPU
    each half of the batch runs by itself. benchmarks/README.md has the measurements.
    """

    def __init__(self, sequence: Sequence, x: Any) -> None:
        batch, time, _ = x.shape
        self.lengths = _pieces(batch, time, sequence.reads.width * x.dtype.size)
        self.halves = _halves(batch)
        sequence.remember = len(self.lengths) == 1
        self._forward, self._backward = (
            tf.function(part, jit_compile=True, autograph=False)
            for part in (sequence.forward, sequence.backward)
        )

    def forward(self, x: Any, start: list[Any], flags: Flags, weights: Weights) -> tuple:
        """Outputs, final state, and for each half what each piece started from and kept."""
        ys, finals, kept = [], [], []
        states = zip(*[tf.split(part, self.halves) for part in start])
        row = 0
        for rows, state, half_flags in zip(self.halves, states, flags.rows(self.halves)):
            half: list[tuple[list[Any], Kept]] = []
            outputs: list[Any] = []
            for t, steps, piece_flags in self._steps(half_flags):
                piece = _part(x, row, rows, t, steps, after=state)
                given = list(state)
                y, state, piece_kept = self._forward(piece, given, piece_flags, weights)
                outputs.append(y)
                half.append((given, piece_kept))
            ys.append(tf.concat(outputs, axis=1))
            finals.append(state)
            kept.append(half)
            row += rows
        return tf.concat(ys, axis=0), _joined(finals), kept

    def backward(
        self,
        x: Any,
        start: list[Any],
        flags: Flags,
        weights: Weights,
        y: Any,
        kept: Any,
        dy: Any,
        dfinal: list[Any],
    ) -> tuple[Any, list[Any], list[Any], Weights]:
        """Gradients of the inputs, of the states started from, and of the weights."""
        dxs, dstarts, dfreshes, totals = [], [], [], []
        dstates = zip(*[tf.split(part, self.halves) for part in dfinal])
        row = 0
        for rows, dstate, half, half_flags in zip(
            self.halves, dstates, kept, flags.rows(self.halves), strict=True
        ):
            outputs: list[Any] = []
            total: Any = None
            pieces = zip(self._steps(half_flags), half, strict=True)
            for (t, steps, piece_flags), (given, piece_kept) in reversed(list(pieces)):
                x_part, y_part, dy_part = (
                    _part(a, row, rows, t, steps, after=dstate) for a in (x, y, dy)
                )
                dx, dstate, *found = self._backward(
                    x_part, given, piece_flags, weights, y_part, piece_kept, dy_part, list(dstate)
                )
                outputs.insert(0, dx)
                total = found if total is None else _sum(total, found)
            dxs.append(tf.concat(outputs, axis=1))
            dstarts.append(dstate)
            dfreshes.append(total[0])
            totals.append(total[1])
            row += rows
        dweights = totals[0] if len(totals) == 1 else _sum(*totals)
        return tf.concat(dxs, axis=0), _joined(dstarts), _joined(dfreshes), dweights

    def _steps(self, flags: Flags) -> list[tuple[int, int, Flags]]:
        """Where each piece starts, how long it is, and its flags."""
        starts = [sum(self.lengths[:n]) for n in range(len(self.lengths))]
        return list(zip(starts, self.lengths, flags.steps(self.lengths)))


def _part(a: Any, row: int, rows: int, t: int, steps: int, after: Any) -> Any:
    """A part of `[B, T, ...]`, cut out only when the pieces before it are done."""
    with tf.control_dependencies(after):
        return tf.slice(a, [row, t, 0], [rows, steps, -1])


def _sum(one: Any, other: Any) -> Any:
    return tf.nest.map_structure(tf.add, one, other)


def _joined(halves: list[Any]) -> list[Any]:
    return [tf.concat(parts, axis=0) for parts in zip(*halves)]


def _halves(batch: int) -> list[int]:
    """How many rows run together."""
    if batch < 2 or tf.config.list_physical_devices("GPU"):
        return [batch]
    return [batch // 2, batch - batch // 2]


def _pieces(batch: int, time: int, step_bytes: int) -> list[int]:
    """How many steps run together; `step_bytes` are those of one row and step."""
    total = batch * time * step_bytes
    pieces = 1
    while total > WHOLE_BYTES and pieces < min(time, MOST_PIECES) and total / pieces > PIECE_BYTES:
        pieces *= 2
    length = -(-time // pieces)
    lengths = [length] * (time // length)
    return lengths + ([time % length] if time % length else [])
