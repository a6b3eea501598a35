"""The training step of every registered cell: the zoo's engine against `keras.layers.RNN`.

    python -m benchmarks.cells [NAME ...]

The same cell with the same weights runs in both, in graphs and without XLA. Forward and backward,
gradients of inputs and all weights. The two take turns, so that whatever else the machine does
meets both; figures are medians.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import statistics
import time
from datetime import date
from pathlib import Path

import keras
import tensorflow as tf
from rich.console import Console
from rich.progress import track

from benchmarks.recurrence import training_step
from zoo import registry
from zoo.recurrence import Recurrence

SIZE = (32, 64, 128, 256)
# A matrix memory of 256 x 256 a row is another benchmark.
UNITS = {"mlstm": 32}
REPEATS = 7
RESULTS = Path(__file__).parent / "results" / "cells.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="cells; all if none is given")
    names = parser.parse_args().names or list(registry.entries("cell"))
    rows = []
    for name in track(names, "cells", console=Console(stderr=True)):
        ours, theirs = compare(name)
        rows.append(f"| {name} | {1e3 * ours:.1f} | {1e3 * theirs:.1f} | {theirs / ours:.2f} |")
    head = [
        f"Measured on {date.today()} with `python -m benchmarks.cells`, "
        f"TensorFlow {tf.__version__}, Keras {keras.__version__}, {os.cpu_count()} CPU cores; "
        f"(B, T, D, H) = {SIZE}, mlstm with H = 32.",
        "",
        "| cell | zoo, ms | keras.layers.RNN, ms | keras / zoo |",
        "|---|---|---|---|",
    ]
    table = "\n".join([*head, *rows]) + "\n"
    RESULTS.write_text(table, encoding="utf-8")
    print(table)


def compare(name: str) -> tuple[float, float]:
    """Seconds of a training step, in the zoo and in Keras."""
    batch, time_steps, inputs, units = SIZE
    x = tf.random.normal((batch, time_steps, inputs))
    ours = Recurrence(registry.load("cell", name)(UNITS.get(name, units)))
    ours(x[:1, :1])
    theirs = keras.layers.RNN(ours.cell, return_sequences=True)
    steps = [
        training_step(ours, lambda layer: layer(x)[0], x, jit=False),
        training_step(theirs, lambda layer: layer(x), x, jit=False),
    ]
    times: list[list[float]] = [[], []]
    for repeat in range(REPEATS + 2):
        for kind, step in zip(times, steps):
            start = time.perf_counter()
            step()
            if repeat >= 2:
                kind.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


if __name__ == "__main__":
    main()
