"""Trains cells of one size on memory diagnostics, side by side."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo import registry
from zoo.diagnostics.comparison_log import Comparison
from zoo.diagnostics.cost import build_cell
from zoo.diagnostics.memory_tasks import TASKS, MemoryTask
from zoo.errors import UserError
from zoo.evaluation.diagnosis_plots import scores_figure
from zoo.recurrence import Recurrence
from zoo.typing import Shape, Tensor
from zoo.utils.files import write_whole
from zoo.utils.progress import counting_bar

SOLVED, PARTLY = 0.95, 0.1
CLIP_NORM = 1.0
_BATCH, _TEST_ROWS, _WIDTH = 32, 1024, 32


class Network(keras.Model):
    """A dense layer, a cell over time, and a dense layer on its output at every time step.

    The first gives every cell inputs of the same size, so that a cell whose parameters grow with
    the input alone does not become huge.
    """

    def __init__(self, cell: Any, task: MemoryTask) -> None:
        super().__init__()
        self.read = keras.layers.Dense(_WIDTH)
        self.recurrence = Recurrence(cell)
        self.answer = keras.layers.Dense(task.output_size)
        self.build((None, None, task.input_size))

    def build(self, input_shape: Shape) -> None:
        """Make all weights."""
        self.read.build(input_shape)
        self.recurrence.build((None, None, _WIDTH))
        self.answer.build((None, None, self.recurrence.cell.output_size))
        self.built = True

    def call(self, inputs: Tensor) -> Any:
        """Compute logits `[B, T, output_size]` of `[B, T, D]`."""
        return self.answer(self.recurrence(self.read(inputs))[0])


def compare_cells(
    names: Iterable[str] = (),
    parameters: int = 20000,
    length: int = 50,
    steps: int = 600,
    seed: int = 1,
    output: str | Path = "runs/compare-cells",
    verbose: bool = True,
) -> list[dict[str, Any]]:
    """Train each cell on each diagnostic of `memory_tasks`, under one parameter budget.

    Each cell gets as many units as the budget allows, counted on the built network. What is done
    is written to `output`, so that a comparison can be stopped and continued, or joined by other
    cells.

    On 1024 sequences not trained on are scored: the sum of `adding`, all symbols of `copy`, and
    `parity` at every step after the first, which needs no memory. A dense layer of 32 stands
    before every cell.

    Args:
        names: of cells; none for all.
        parameters: of the whole network, at most.
        length: time steps of a sequence.
        steps: of training, each on 32 fresh sequences, with Adam at 1e-3 and the gradient's norm
            clipped at 1.
        seed: of weights and sequences; the sequences are the same for all cells.
        output: the folder for `rows.jsonl`, `scores.png` and `results.md`.
        verbose: show a progress bar on stderr.

    Returns:
        A row for each cell and diagnostic: `cell`, `task`, `units`, `parameters`, `metric` (mean
        squared error for adding, else accuracy; None if it is no number), `score` (0 is chance, 1
        perfect), `state` and `seconds`. The state is "solved" from a score of 0.95, "partly" from
        0.1, else "chance".

    Raises:
        UserError: a cell is unknown or does not fit, or the folder holds other settings or rows
            of an earlier version, which were scored in another way.
    """
    names = list(dict.fromkeys(names)) or list(registry.entries("cell"))
    for name in names:
        registry.get("cell", name)
    log = Comparison(output, parameters, length, steps, seed)
    wanted = [(name, task) for name in names for task in TASKS]
    missing = [key for key in wanted if key not in log.rows]
    bar = counting_bar(verbose)
    with bar:
        line = bar.add_task("", total=len(missing) * steps)
        for name, task in missing:
            bar.update(line, description=f"{name} {task}")
            log.add(_row(name, TASKS[task], log.settings, lambda: bar.advance(line)))
    rows = [log.rows[key] for key in wanted]
    write_whole(log.folder / "results.md", _markdown(rows, log.settings))
    scores = np.array([row["score"] for row in rows]).reshape(len(names), len(TASKS))
    title = f"{parameters} parameters, length {length}"
    scores_figure(names, [*TASKS], scores, title).savefig(log.folder / "scores.png", dpi=100)
    return rows


def fitted_units(name: str, task: MemoryTask, parameters: int) -> int:
    """Return the most units with which the network keeps to the budget.

    Raises:
        UserError: even the smallest is over it.
    """

    def fits(units: int) -> bool:
        return Network(build_cell(name, _WIDTH, units), task).count_params() <= parameters

    def can_be(units: int) -> bool:
        try:
            build_cell(name, _WIDTH, units)
        except UserError:
            return False
        return True

    # Some cells need an even number of units, or a multiple of four.
    grain = next((g for g in (1, 2, 4, 8) if can_be(g) and can_be(3 * g)), 1)
    if not fits(grain):
        raise UserError(f"{parameters} parameters are too few for {name}: give more --parameters")
    low, high = 1, 2
    while fits(high * grain):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle * grain) else (low, middle)
    return low * grain


def make_network(name: str, task: MemoryTask, units: int, seed: int) -> Network:
    """Return a network of a cell with fresh weights, the same from the same seed."""
    # Of this network alone, so that a continued comparison gives the same numbers.
    keras.utils.set_random_seed(seed)
    return Network(build_cell(name, _WIDTH, units), task)


def last_losses(network: Network, task: MemoryTask, x: Tensor, target: Any) -> Tensor:
    """Compute the losses `[B, S]` of the last S time steps, for which there are targets."""
    answers = network(x)[:, -target.shape[1] :]
    if task.output_size == 1:
        return tf.square(answers[..., 0] - target)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(target, answers)


def train(
    network: Network, task: MemoryTask, settings: dict[str, int], tick: Callable[[], Any]
) -> list[float]:
    """Train a network on fresh sequences, and return the norm of each update's gradient.

    Norms are those before clipping, at `CLIP_NORM`.

    Args:
        network: a fresh one.
        task: what its sequences are of.
        settings: `steps`, `length` and `seed`.
        tick: is called after each step.
    """
    optimizer = keras.optimizers.Adam(1e-3, clipnorm=None, global_clipnorm=CLIP_NORM)
    optimizer.build(network.trainable_variables)

    @tf.function(reduce_retracing=True, autograph=False)
    def update(x: Tensor, target: Any) -> Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(last_losses(network, task, x, target))
        weights = network.trainable_variables
        gradients = tape.gradient(loss, weights)
        optimizer.apply(gradients, weights)
        return tf.linalg.global_norm(gradients)

    number = list(TASKS).index(task.name)
    sequences = np.random.default_rng([settings["seed"], number, 0])
    norms = []
    for _ in range(settings["steps"]):
        x, target = task.draw(sequences, _BATCH, settings["length"])
        norms.append(float(update(tf.constant(x), tf.constant(target))))
        tick()
    return norms


def scored(network: Network, task: MemoryTask, settings: dict[str, int]) -> tuple[float, float]:
    """Return the metric and the score of a network on 1024 sequences that no training has seen."""
    number = list(TASKS).index(task.name)
    rng = np.random.default_rng([settings["seed"], number, 1])
    x, target = task.draw(rng, _TEST_ROWS, settings["length"])
    answer = tf.function(lambda x: network(x)[:, -target.shape[1] :], autograph=False)
    parts = [answer(tf.constant(part)).numpy() for part in np.split(x, _TEST_ROWS // _BATCH)]
    metric = task.metric(np.concatenate(parts), target)
    return metric, task.score(metric, target)


def _row(
    name: str, task: MemoryTask, settings: dict[str, int], tick: Callable[[], Any]
) -> dict[str, Any]:
    began = time.monotonic()
    units = fitted_units(name, task, settings["parameters"])
    network = make_network(name, task, units, settings["seed"])
    train(network, task, settings, tick)
    metric, score = scored(network, task, settings)
    return {
        "cell": name,
        "task": task.name,
        "units": units,
        "parameters": network.count_params(),
        "metric": round(metric, 6) if np.isfinite(metric) else None,
        "score": round(score, 4),
        "state": "solved" if score >= SOLVED else "partly" if score >= PARTLY else "chance",
        "seconds": round(time.monotonic() - began, 1),
    }


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one line a cell: its name and, for each diagnostic, state and score."""
    lines: dict[str, dict[str, Any]] = {}
    for row in rows:
        line = lines.setdefault(row["cell"], {"cell": row["cell"]})
        line[row["task"]] = f"{row['state']} {row['score']:.2f}"
    return list(lines.values())


def _markdown(rows: list[dict[str, Any]], settings: dict[str, int]) -> str:
    shown = ", ".join(f"{key} {value}" for key, value in settings.items())
    tasks = "\n".join(f"- {task.name}: {task.summary}" for task in TASKS.values())
    lines = [["cell", *TASKS], ["---"] * (1 + len(TASKS)), *(x.values() for x in summary(rows))]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return (
        f"# Cells compared\n\nSettings: {shown}. A score of 0 is chance, 1 is perfect; solved is "
        f"from {SOLVED}, partly from {PARTLY}.\n\n{tasks}\n\n{table}\n"
    )
