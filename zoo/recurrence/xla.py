"""A sequence compiled by XLA: two halves of the batch side by side, a long one in pieces."""

from typing import Any

import tensorflow as tf

from zoo.recurrence.backprop import DifferentiatedScan, Residuals, Weights
from zoo.recurrence.compiling import FrequentShapes, Switched
from zoo.recurrence.masking import StepMasks
from zoo.typing import Tensor

# A sequence whose projections take more bytes than this is cut, and its backward pass computes
# projections and products again.
WHOLE_BYTES = 2**25
PIECE_BYTES = 2**23
MOST_PIECES = 16
USUAL_BATCH = 32


class CompiledScan:
    """A scan over `[B, T, D]` that XLA compiles, forward and backward, for each shape it meets.

    The two threads of one small product wait for each other, those of two loops do not: on a CPU
    each half of the batch runs by itself. benchmarks/README.md has the measurements.

    Args:
        scan: what is compiled; of several pieces, one that does not remember.
        lengths: time steps of each piece, as `piece_lengths` returns them; None for a single piece
            of an unknown number of steps.
        shapes: which shapes are compiled, decided while the graph runs; None for all.
    """

    def __init__(
        self,
        scan: DifferentiatedScan,
        lengths: list[int] | None,
        shapes: FrequentShapes | None = None,
    ) -> None:
        self.lengths, self.shapes = lengths, shapes
        self._forward = Switched(scan.forward)
        self._backward = Switched(scan.backward)

    def forward(self, x: Tensor, start: list[Tensor], masks: StepMasks, weights: Weights) -> tuple:
        """Return outputs, final state, and what backward needs.

        That is the initial state and residuals of each piece of each half, and whether they are
        compiled.
        """
        compiled = None
        if self.shapes is not None:
            compiled = self.shapes.frequent(tf.shape(x)[0], tf.shape(x)[1])
        ys, finals, residuals = [], [], []
        sizes = _halves(x)
        row: int | Tensor = 0
        states = zip(*[tf.split(part, sizes) for part in start])
        for rows, state, half_masks in zip(sizes, states, masks.rows(sizes)):
            half: list[tuple[list[Any], Residuals]] = []
            outputs: list[Tensor] = []
            for t, steps, piece_masks in self._steps(x, half_masks):
                piece = _part(x, row, rows, t, steps, after=state)
                before = list(state)
                y, state, saved = self._forward(compiled, piece, before, piece_masks, weights)
                outputs.append(y)
                half.append((before, saved))
            ys.append(tf.concat(outputs, axis=1))
            finals.append(state)
            residuals.append(half)
            row += rows
        return tf.concat(ys, axis=0), _joined(finals), (residuals, compiled)

    def backward(
        self,
        x: Tensor,
        start: list[Tensor],
        masks: StepMasks,
        weights: Weights,
        y: Tensor,
        residuals: tuple[list[Any], Tensor | None],
        dy: Tensor,
        dfinal: list[Tensor],
    ) -> tuple[Tensor, list[Tensor], list[Tensor], Weights]:
        """Return the gradients of inputs, initial state, fresh state and weights."""
        dxs, dstarts, dfreshes, totals = [], [], [], []
        saved_halves, compiled = residuals
        sizes = _halves(x)
        row: int | Tensor = 0
        dstates = zip(*[tf.split(part, sizes) for part in dfinal])
        for rows, dstate, half, half_masks in zip(
            sizes, dstates, saved_halves, masks.rows(sizes), strict=True
        ):
            outputs: list[Tensor] = []
            total: Any = None
            pieces = zip(self._steps(x, half_masks), half, strict=True)
            for (t, steps, piece_masks), (before, saved) in reversed(list(pieces)):
                x_part, y_part, dy_part = (
                    _part(a, row, rows, t, steps, after=dstate) for a in (x, y, dy)
                )
                dx, dstate, *gradients = self._backward(
                    compiled, x_part, before, piece_masks, weights, y_part, saved, dy_part, dstate
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

    def _steps(self, x: Tensor, masks: StepMasks) -> list[tuple[int, int | Tensor, StepMasks]]:
        """Return the start, the length and the masks of each piece."""
        if self.lengths is None:
            return [(0, tf.shape(x)[1], masks)]
        starts = [sum(self.lengths[:n]) for n in range(len(self.lengths))]
        return list(zip(starts, self.lengths, masks.steps(self.lengths)))


def _part(
    a: Tensor, row: int | Tensor, rows: int | Tensor, t: int, steps: int | Tensor, after: Any
) -> Tensor:
    """Cut a part out of `[B, T, ...]`, once the tensors `after` are computed."""
    with tf.control_dependencies(after):
        part = tf.slice(a, [row, t, 0], [rows, steps, -1])
    known = [size if isinstance(size, int) else None for size in (rows, steps)]
    return tf.ensure_shape(part, [*known, *a.shape[2:]])


def _sum(one: Tensor, other: Tensor) -> Tensor:
    return tf.nest.map_structure(tf.add, one, other)


def _joined(halves: list[Tensor]) -> list[Tensor]:
    return [tf.concat(parts, axis=0) for parts in zip(*halves)]


def _halves(x: Tensor) -> list[int | Tensor]:
    """Return how many rows of `[B, ...]` run together; of an unknown B of 1 the last are none."""
    batch = x.shape[0]
    if batch is None:
        batch = tf.shape(x)[0]
    elif batch < 2:
        return [batch]
    if tf.config.list_physical_devices("GPU"):
        return [batch]
    return [batch - batch // 2, batch // 2]


def piece_lengths(batch: int | None, time: int | None, step_bytes: int) -> list[int] | None:
    """Return the time steps of each piece that a sequence is run in; None where T is unknown.

    Args:
        batch: B; unknown, it is taken for `USUAL_BATCH`.
        time: T.
        step_bytes: what the projection of one row and step takes.

    Example:
        >>> piece_lengths(64, 35, 8192), piece_lengths(32, 512, 4096)
        ([35], [64, 64, 64, 64, 64, 64, 64, 64])
    """
    if time is None:
        return None
    total = (batch or USUAL_BATCH) * time * step_bytes
    pieces = 1
    while total > WHOLE_BYTES and pieces < min(time, MOST_PIECES) and total / pieces > PIECE_BYTES:
        pieces *= 2
    length = -(-time // pieces)
    lengths = [length] * (time // length)
    return lengths + ([time % length] if time % length else [])
