"""What it costs to send a gradient back over so many steps: time and memory."""

import time
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from zoo.cells.base import LinearCell
from zoo.diagnostics.probing import Reading
from zoo.recurrence.backprop import DifferentiatedScan
from zoo.recurrence.compiling import Compile, compiled
from zoo.recurrence.layer import Recurrence
from zoo.recurrence.masking import StepMasks
from zoo.recurrence.parallel_scan import ParallelScan
from zoo.recurrence.tracing import CellTrace

_REPEATS = 5


@dataclass(frozen=True)
class Price:
    """What a gradient over some steps costs, forward and backward.

    Backpropagation through a whole sequence of T steps costs the price of T. Truncated, with an
    update each k1 steps whose gradient goes back over k2, it costs that of k2 in memory, and in
    time that of k2 for each k1 steps: `seconds / k1` a step.

    Attributes:
        steps: over how many.
        seconds: of forward and backward together, the least of five times.
        bytes: of what forward leaves for backward.
    """

    steps: int
    seconds: float
    bytes: int


def prices(readings: list[Reading], steps: int) -> list[Price]:
    """Measure the recurrences of a model over an eighth of some steps, a quarter, half and all.

    Args:
        readings: those whose inputs were seen whole; others are left out.
        steps: the most.

    Returns:
        From few steps to many; none where no recurrence ran over a whole sequence.
    """
    whole = [reading for reading in readings if reading.inputs is not None]
    lengths = sorted({max(1, steps // part) for part in (8, 4, 2, 1)})
    if not whole:
        return []
    return [
        Price(n, sum(_seconds(one, n) for one in whole), sum(_bytes(one, n) for one in whole))
        for n in lengths
    ]


def _seconds(reading: Reading, steps: int) -> float:
    """Return the time of forward and backward, compiled as in a training step."""
    layer, x = Recurrence(reading.cell), reading.inputs[:, :steps]
    layer.build(x.shape)

    @tf.function(autograph=False)
    def run(x: Any) -> Any:
        with compiled(Compile.ALWAYS), tf.GradientTape() as tape:
            y, _ = layer(x, training=True)
            loss = tf.reduce_sum(y)
        return [loss, *tape.gradient(loss, layer.trainable_variables)]

    run(x)
    times = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        tf.nest.map_structure(lambda part: part.numpy(), run(x)[0])
        times.append(time.perf_counter() - began)
    return min(times)


def _bytes(reading: Reading, steps: int) -> int:
    """Return the size of inputs, outputs and all that the engine stores for backward."""
    cell, x = reading.cell, reading.inputs[:, :steps]
    kind = ParallelScan if isinstance(cell, LinearCell) else DifferentiatedScan
    scan = kind(cell, CellTrace.of(cell, x.shape[-1]), projected=False, remember=True)
    start = tf.nest.flatten(cell.get_initial_state(x.shape[0]))
    masks = StepMasks(None, None, start)
    y, _, residuals = scan.forward(x, start, masks, scan.weights())
    return sum(
        part.shape.num_elements() * part.dtype.size for part in tf.nest.flatten((x, y, residuals))
    )
