"""Runs a zoo cell over a sequence, by the scan that is the fastest for it."""

from functools import partial
from typing import Any

from zoo.cells.base import Cell, LinearCell, with_training
from zoo.recurrence.backprop import DifferentiatedScan, differentiated, swap
from zoo.recurrence.compiling import Compile, FrequentShapes, when_to_compile
from zoo.recurrence.masking import StepMasks
from zoo.recurrence.parallel_scan import ParallelScan
from zoo.recurrence.tracing import CellTrace
from zoo.recurrence.xla import CompiledScan, piece_lengths
from zoo.typing import State, Tensor


def run_cell(
    cell: Cell, trace: CellTrace, x: Tensor, state: State, masks: StepMasks, training: bool
) -> tuple[Tensor, State]:
    """Run a cell over `x [B, T, D]`, differentiable in everything that it reads.

    Args:
        cell: a built zoo cell.
        trace: what its step does, `CellTrace.of(cell, D)`.
        x: the inputs, in the cell's computing type; T is at least 1.
        state: the state before the first step, in the structure of `cell.get_initial_state`.
        masks: where rows start and end.
        training: whether what the cell draws is drawn, and whether a gradient is expected.

    Returns:
        Outputs `[B, T, H]`, and the state after the last step of each row.
    """
    recurrent: tuple[Any, ...] = ()
    if trace.draws:
        # What is drawn at random must be the same forward and backward.
        recurrent = with_training(cell.recurrent_weights, training)
        x = swap(with_training(cell.project, training, swap(x)))
    kind = ParallelScan if isinstance(cell, LinearCell) else DifferentiatedScan
    scan = partial(kind, cell, trace, trace.draws)
    runs: DifferentiatedScan | CompiledScan
    when = when_to_compile(cell, x, training)
    if when is Compile.NEVER:
        inner = runs = scan(remember=training)
    else:
        batch, time, _ = x.shape
        lengths = piece_lengths(batch, time, trace.width * x.dtype.size)
        inner = scan(remember=training and (lengths is None or len(lengths) == 1))
        shapes = FrequentShapes() if when is Compile.FREQUENT else None
        runs = CompiledScan(inner, lengths, shapes)
    weights = inner.weights(recurrent)
    return differentiated(runs.forward, runs.backward, x, state, masks, weights)
