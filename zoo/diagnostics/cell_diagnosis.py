"""The diagnosis of a cell, trained on a test of memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.diagnostics.compare_cells import (
    CLIP_NORM,
    fitted_units,
    last_losses,
    make_network,
    scored,
    train,
)
from zoo.diagnostics.diagnosis import Diagnosis, flows_of
from zoo.diagnostics.memory_tasks import TASKS
from zoo.diagnostics.price import prices
from zoo.typing import Tensor

_ROWS = 32


def diagnose_cell(
    name: str,
    task_name: str = "adding",
    parameters: int = 20000,
    length: int = 100,
    steps: int = 600,
    seed: int = 1,
    tick: Callable[[], Any] = lambda: None,
) -> Diagnosis:
    """Return how far a cell's gradient reaches, as it starts and as `compare_cells` trains it.

    Args:
        name: of the cell, as `zoo list cells` gives it.
        task_name: of a test of memory, see `memory_tasks`. Its last answer is the loss.
        parameters: of the network around the cell, at most.
        length: time steps of a sequence.
        steps: of training; 0 for the cell as it starts alone.
        seed: of weights and sequences.
        tick: is called after each step of training.

    Raises:
        UserError: there is no such cell, or it does not fit.

    Example:
        >>> diagnosis = diagnose_cell("gru", parameters=500, length=4, steps=0)
        >>> [flow.stage for flow in diagnosis.flows]
        ['start']
    """
    task = TASKS[task_name]
    units = fitted_units(name, task, parameters)
    network = make_network(name, task, units, seed)
    # Those that a comparison of cells tests on: no training has seen them.
    rng = np.random.default_rng([seed, list(TASKS).index(task_name), 1])
    x, target = task.draw(rng, _ROWS, length)

    def loss(first: bool) -> tuple[Tensor, np.ndarray]:
        losses = last_losses(network, task, tf.constant(x), tf.constant(target))
        return tf.reduce_sum(losses[:, -1]), np.ones(_ROWS, bool)

    flows, readings = flows_of(network, loss, "start")
    costs, clipped, score = prices(readings, length), None, None
    if steps:
        settings = {"steps": steps, "length": length, "seed": seed}
        norms = train(network, task, settings, tick)
        clipped = float(np.mean(~(np.array(norms) <= CLIP_NORM)))
        _, score = scored(network, task, settings)
        flows += flows_of(network, loss, "trained")[0]
    data = f"{task_name}, {length} steps, {units} units"
    return Diagnosis(name, data, flows, clipped, costs, score=score)
