"""A sequence compiled by XLA: two halves of the batch side by side, a long one in pieces."""

from typing import Any

import tensorflow as tf

from zoo.recurrence.backprop import DifferentiatedScan, Residuals, Weights
from zoo.recurrence.masking import StepMasks
from zoo.typing import Tensor

# A sequence whose projections take more bytes than this is cut, and its backward pass computes
# projections and products again.
WHOLE_BYTES = 2**25
PIECE_BYTES = 2**23
MOST_PIECES = 16


class CompiledScan:
    """A scan whose inputs have a known shape `[B, T, D]`, forward and backward.

    The two threads of one small product wait for each other, those of two loops do not: on a CPU
    each half of the batch runs by itself. benchmarks/README.md has the measurements.

    Args:
        scan: what is compiled; of several pieces, one that does not remember.
        batch: B.
        lengths: time steps of each piece, as `piece_lengths` returns them.
    """

    def __init__(self, scan: DifferentiatedScan, batch: int, lengths: list[int]) -> None:
        self.lengths, self.halves = lengths, _halves(batch)
        self._forward, self._backward = (
            tf.function(part, jit_compile=True, autograph=False)
            for part in (scan.forward, scan.backward)
        )

    def forward(self, x: Tensor, start: list[Tensor], masks: StepMasks, weights: Weights) -> tuple:
        """Return outputs, final state, and the initial state and residuals of each piece."""
        ys, finals, residuals = [], [], []
        states = zip(*[tf.split(part, self.halves) for part in start])
        row = 0
        for rows, state, half_masks in zip(self.halves, states, masks.rows(self.halves)):
            half: list[tuple[list[Any], Residuals]] = []
            outputs: list[Tensor] = []
            for t, steps, piece_masks in self._steps(half_masks):
                piece = _part(x, row, rows, t, steps, after=state)
                before = list(state)
                y, state, saved = self._forward(piece, before, piece_masks, weights)
                outputs.append(y)
                half.append((before, saved))
            ys.append(tf.concat(outputs, axis=1))
            finals.append(state)
            residuals.append(half)
            row += rows
        return tf.concat(ys, axis=0), _joined(finals), residuals

    def backward(
        self,
        x: Tensor,
        start: list[Tensor],
        masks: StepMasks,
        weights: Weights,
        y: Tensor,
        residuals: list[Tensor],
        dy: Tensor,
        dfinal: list[Tensor],
    ) -> tuple[Tensor, list[Tensor], list[Tensor], Weights]:
        """Return the gradients of inputs, initial state, fresh state and weights."""
        dxs, dstarts, dfreshes, totals = [], [], [], []
        dstates = zip(*[tf.split(part, self.halves) for part in dfinal])
        row = 0
        for rows, dstate, half, half_masks in zip(
            self.halves, dstates, residuals, masks.rows(self.halves), strict=True
        ):
            outputs: list[Tensor] = []
            total: Any = None
            pieces = zip(self._steps(half_masks), half, strict=True)
            for (t, steps, piece_masks), (before, saved) in reversed(list(pieces)):
                x_part, y_part, dy_part = (
                    _part(a, row, rows, t, steps, after=dstate) for a in (x, y, dy)
                )
                dx, dstate, *gradients = self._backward(
                    x_part, before, piece_masks, weights, y_part, saved, dy_part, list(dstate)
                )
                outputs.insert(0, dx)
                total = gradients if total is None else _sum(total, gradients)
            dxs.append(tf.concat(outputs, axis=1))
            dstarts.append(dstate)
            dfreshes.append(total[0])
            totals.append(total[1])
            row += rows
        dweights = totals[0] if len(totals) == 1 else _sum(*totals)
        return tf.concat(dxs, axis=0), _joined(dstarts), _joined(dfreshes), dweights

    def _steps(self, masks: StepMasks) -> list[tuple[int, int, StepMasks]]:
        """Return the start, the length and the masks of each piece."""
        starts = [sum(self.lengths[:n]) for n in range(len(self.lengths))]
        return list(zip(starts, self.lengths, masks.steps(self.lengths)))


def _part(a: Tensor, row: int, rows: int, t: int, steps: int, after: Any) -> Tensor:
    """Cut a part out of `[B, T, ...]`, once the tensors `after` are computed."""
    with tf.control_dependencies(after):
        return tf.slice(a, [row, t, 0], [rows, steps, -1])


def _sum(one: Tensor, other: Tensor) -> Tensor:
    return tf.nest.map_structure(tf.add, one, other)


def _joined(halves: list[Tensor]) -> list[Tensor]:
    return [tf.concat(parts, axis=0) for parts in zip(*halves)]


def _halves(batch: int) -> list[int]:
    """Return how many rows run together."""
    if batch < 2 or tf.config.list_physical_devices("GPU"):
        return [batch]
    return [batch // 2, batch - batch // 2]


def piece_lengths(batch: int, time: int, step_bytes: int) -> list[int]:
    """Return the time steps of each piece that a sequence is run in.

    Args:
        batch: B.
        time: T.
        step_bytes: what the projection of one row and step takes.

    Example:
        >>> piece_lengths(64, 35, 8192), piece_lengths(32, 512, 4096)
        ([35], [64, 64, 64, 64, 64, 64, 64, 64])
    """
    total = batch * time * step_bytes
    pieces = 1
    while total > WHOLE_BYTES and pieces < min(time, MOST_PIECES) and total / pieces > PIECE_BYTES:
        pieces *= 2
    length = -(-time // pieces)
    lengths = [length] * (time // length)
    return lengths + ([time % length] if time % length else [])
