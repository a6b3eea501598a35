"""The training step of LSTM and GRU: the zoo, Keras, PyTorch, and the matrix products alone.

    python -m benchmarks.training

Forward and backward: gradients of the inputs and of all weights. Those of one row take turns.
"Zoo, unknown" is the zoo in a graph that knows neither batch size nor number of steps, as Keras'
`fit` makes them; "first call" is the time of its step at a shape that it has not met before.
PyTorch runs where it is installed, in a process of its own. "Products" are the same matrix
products and nothing else, compiled and in half batches as the zoo runs them.
"""

import contextlib
import statistics

from rich.progress import track

from benchmarks.contenders import (
    Size,
    first_call,
    keras_layer,
    products,
    training_step,
    zoo_layer,
)
from benchmarks.side_by_side import STDERR, medians, milliseconds, write_table
from benchmarks.torch_contenders import INSTALLED, Torch

SIZES: list[Size] = [
    (32, 64, 128, 256),
    (20, 35, 200, 200),
    (20, 35, 650, 650),
    (64, 35, 512, 512),
    (128, 20, 128, 128),
    (16, 512, 64, 128),
]
REPEATS = 7
FIRST = "first call"


def main() -> None:
    cases = [(cell, size) for cell in ("lstm", "gru") for size in SIZES]
    with Torch() if INSTALLED else contextlib.nullcontext() as torch:
        measured = {
            case: measure(*case, torch) for case in track(cases, "training step", console=STDERR)
        }
    names = [name for name in next(iter(measured.values())) if name != FIRST]
    others = [name for name in names if name != "zoo"]
    rows = [
        [cell, size]
        + [milliseconds(times[name]) for name in names]
        + [f"{times[name] / times['zoo']:.2f}" for name in others]
        + [f"{times[FIRST]:.2f}"]
        for (cell, size), times in measured.items()
    ]
    for cell in ("lstm", "gru"):
        means = [
            statistics.geometric_mean(
                times[name] / times["zoo"] for (c, _), times in measured.items() if c == cell
            )
            for name in others
        ]
        blank = [""] * len(names)
        rows.append([cell, "geometric mean", *blank, *[f"{mean:.2f}" for mean in means], ""])
    head = ["cell", "(B, T, D, H)", *[f"{name}, ms" for name in names]]
    head += [*(f"{name} / zoo" for name in others), "first call, s"]
    write_table("training", "python -m benchmarks.training", head, rows)


def measure(cell: str, size: Size, torch: Torch | None) -> dict[str, float]:
    units = size[-1]
    first, unknown = first_call(cell, size)
    contenders = {
        "zoo": training_step(zoo_layer(cell, units), size),
        "zoo, unknown": unknown,
        "keras": training_step(keras_layer(cell, units), size),
        "keras jit": training_step(keras_layer(cell, units), size, jit=True),
        "products": products(cell, size),
    }
    if torch:
        contenders["torch"] = torch.contender("training_step", cell, size)
    return {**medians(contenders, REPEATS), FIRST: first}


if __name__ == "__main__":
    main()
