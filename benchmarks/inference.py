"""Inference: whole sequences, and single steps of one row, against Keras and PyTorch.

    python -m benchmarks.inference

"Zoo" is compiled, as in `zoo evaluate` and `zoo predict`, "zoo, saved" is not, as in a SavedModel
that is to run everywhere. A step is one call of a graph from Python, with the state of the step
before. PyTorch runs where it is installed, in a process of its own.
"""

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf
from rich.progress import track

from benchmarks.contenders import Size, keras_layer, outputs, zoo_layer
from benchmarks.side_by_side import STDERR, medians, milliseconds, write_table
from benchmarks.torch_contenders import INSTALLED, Torch
from zoo.recurrence.compiling import Compile, compiled

SIZES: list[Size] = [(1, 64, 128, 256), (32, 64, 128, 256), (64, 35, 512, 512)]
STEPS = 100
KERAS_CELLS = {"lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell}
REPEATS = 9


def main() -> None:
    with Torch() if INSTALLED else contextlib.nullcontext() as torch:
        cases = [(cell, size) for cell in KERAS_CELLS for size in [*SIZES, None]]
        rows = [row(*case, torch) for case in track(cases, "inference", console=STDERR)]
    head = ["cell", "(B, T, D, H)", "zoo", "zoo, saved", "keras", "torch"]
    head += ["saved / zoo", "keras / zoo", "torch / zoo"]
    write_table("inference", "python -m benchmarks.inference", head, rows)


def row(cell: str, size: Size | None, torch: Torch | None) -> list[Any]:
    """A size's times, in ms; those of a single step, in µs, where there is no size."""
    if size is None:
        times = {name: t / STEPS for name, t in medians(steps(cell, torch), REPEATS).items()}
        label = "one step, B = 1, D = 128, H = 256"
        zoo, *others = (f"{1e6 * t:.0f} µs" for t in times.values())
        shown = [zoo, "", *others]
    else:
        times = medians(sequences(cell, size, torch), REPEATS)
        label, shown = str(size), [f"{milliseconds(t)} ms" for t in times.values()]
    ratios = [f"{times[name] / times['zoo']:.2f}" for name in times if name != "zoo"]
    ratios = ratios if size else ["", *ratios]
    blank = [] if torch else [""]
    return [cell, label, *shown, *blank, *ratios, *blank]


def sequences(cell: str, size: Size, torch: Torch | None) -> dict[str, Callable[[], Any]]:
    batch, time, inputs, units = size
    x = tf.random.normal((batch, time, inputs))
    contenders: dict[str, Callable[[], Any]] = {}
    layers = {
        "zoo": (zoo_layer(cell, units), Compile.ALWAYS),
        "zoo, saved": (zoo_layer(cell, units), Compile.NEVER),
        "keras": (keras_layer(cell, units), Compile.NEVER),
    }
    for name, (layer, when) in layers.items():
        contenders[name] = partial(forward(layer, when), x)
    if torch:
        contenders["torch"] = torch.contender("whole_sequence", cell, size)
    return contenders


def forward(layer: Any, when: Compile) -> Callable[[Any], Any]:
    @tf.function(reduce_retracing=True)
    def run(x: Any) -> Any:
        with compiled(when):
            return outputs(layer, x, training=False)

    return lambda x: run(x).numpy()


def steps(cell: str, torch: Torch | None) -> dict[str, Callable[[], Any]]:
    inputs, units = 128, 256
    x = tf.random.normal((1, inputs))
    recurrence, keras_cell = zoo_layer(cell, units), KERAS_CELLS[cell](units)
    recurrence.build((None, None, inputs))
    keras_cell.build((None, inputs))
    contenders: dict[str, Callable[[], Any]] = {
        "zoo": repeated(recurrence.step, x, recurrence.initial_state(1)),
        "keras": repeated(keras_cell, x, keras_cell.get_initial_state(1)),
    }
    if torch:
        contenders["torch"] = torch.contender("single_steps", cell, inputs, units, STEPS)
    return contenders


def repeated(step: Callable, x: Any, start: Any) -> Callable[[], Any]:
    """`STEPS` calls, each from the state of the one before."""
    graph = tf.function(lambda x, *parts: step(x, tf.nest.pack_sequence_as(start, parts)))
    parts = tf.nest.flatten(start)

    def run() -> Any:
        state = parts
        for _ in range(STEPS):
            _, new = graph(x, *state)
            state = tf.nest.flatten(new)
        return state[0].numpy()

    return run


if __name__ == "__main__":
    main()
