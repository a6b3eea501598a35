"""The training step of each cell: the zoo's recurrence against the Keras layer, in one run.

    python -m benchmarks.recurrence

Forward and backward, gradients of inputs and all weights. The two take turns, so that whatever
else the machine does meets both; figures are medians.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from rich.progress import track

from zoo import registry
from zoo.recurrence import Recurrence

PAIRS = {
    "vanilla_rnn": keras.layers.SimpleRNN,
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
}
SIZES = [(32, 64, 128, 256), (32, 64, 64, 128), (20, 35, 200, 200)]
REPEATS = 15
RESULTS = Path(__file__).parent / "results" / "recurrence.md"


def main() -> None:
    rows = []
    cases = [(cell, size, jit) for cell in PAIRS for size in SIZES for jit in (False, True)]
    for cell, size, jit in track(cases, "recurrence"):
        ours, theirs = compare(cell, size, jit)
        rows.append(
            f"| {cell} | {size} | {'yes' if jit else 'no'} "
            f"| {1e3 * ours:.1f} | {1e3 * theirs:.1f} | {theirs / ours:.2f} |"
        )
    head = [
        f"Measured on {date.today()} with `python -m benchmarks.recurrence`, "
        f"TensorFlow {tf.__version__}, Keras {keras.__version__}, {os.cpu_count()} CPU cores.",
        "",
        "| cell | (B, T, D, H) | XLA | zoo, ms | keras, ms | keras / zoo |",
        "|---|---|---|---|---|---|",
    ]
    table = "\n".join([*head, *rows]) + "\n"
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(table, encoding="utf-8")
    print(table)


def compare(cell: str, size: tuple[int, int, int, int], jit: bool) -> tuple[float, float]:
    """Seconds of a training step, the zoo's and Keras'."""
    batch, time_steps, inputs, units = size
    x = tf.random.normal((batch, time_steps, inputs))
    ours = Recurrence(registry.load("cell", cell)(units))
    theirs = PAIRS[cell](units, return_sequences=True)
    steps = [
        training_step(ours, lambda layer: layer(x)[0], x, jit),
        training_step(theirs, lambda layer: layer(x), x, jit),
    ]
    times: list[list[float]] = [[], []]
    for repeat in range(REPEATS + 2):
        for kind, step in zip(times, steps):
            start = time.perf_counter()
            step()
            if repeat >= 2:
                kind.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def training_step(layer: Any, run: Callable[[Any], Any], x: Any, jit: bool) -> Callable[[], Any]:
    run(layer)
    weights = [variable.value for variable in layer.trainable_variables]

    @tf.function(jit_compile=jit)
    def step() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.square(run(layer)))
        return tape.gradient(loss, [x, *weights])

    return step


if __name__ == "__main__":
    main()
