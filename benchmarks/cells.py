"""The training step of every other cell: the zoo against the same cell in `keras.layers.RNN`.

    python -m benchmarks.cells [NAME ...]

Forward and backward: gradients of the inputs and of all weights. "Unknown" is the zoo in a graph
that knows neither batch size nor number of steps beforehand. Peephole and layer-norm LSTM also run
against the loop that a user of PyTorch would write, where PyTorch is installed.
"""

import argparse
import contextlib
import statistics
from typing import Any

import keras
from rich.progress import track

from benchmarks.contenders import Size, training_step, zoo_layer
from benchmarks.side_by_side import STDERR, medians, milliseconds, write_table
from benchmarks.torch_contenders import INSTALLED, Torch
from zoo import registry

SIZE: Size = (32, 64, 128, 256)
# A matrix memory of 256 x 256 for each row is another benchmark, and images are another size.
OPTIONS: dict[str, dict[str, Any]] = {
    "mlstm": {"units": 32},
    "conv_lstm": {"units": 16, "image_shape": (4, 8)},
}
LOOPS = ("peephole_lstm", "layer_norm_lstm")
REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="cells; all if none is given")
    names = parser.parse_args().names or [
        name for name in registry.entries("cell") if name not in ("lstm", "gru")
    ]
    with Torch() if INSTALLED else contextlib.nullcontext() as torch:
        measured = {name: measure(name, torch) for name in track(names, "cells", console=STDERR)}
    rows = [
        [name]
        + [milliseconds(times[side]) for side in ("zoo", "unknown", "keras")]
        + [f"{times['keras'] / times[side]:.2f}" for side in ("zoo", "unknown")]
        + (
            [milliseconds(times["torch"]), f"{times['torch'] / times['zoo']:.2f}"]
            if "torch" in times
            else ["", ""]
        )
        for name, times in measured.items()
    ]
    means = [
        statistics.geometric_mean(times["keras"] / times[side] for times in measured.values())
        for side in ("zoo", "unknown")
    ]
    blank = [""] * 3
    rows.append(["geometric mean", *blank, *[f"{mean:.2f}" for mean in means], "", ""])
    head = [
        "cell",
        "zoo, ms",
        "unknown, ms",
        "keras.layers.RNN, ms",
        "keras / zoo",
        "keras / unknown",
    ]
    head += ["torch loop, ms", "torch / zoo"]
    options = "; ".join(f"{name}: {options}" for name, options in OPTIONS.items())
    notes = f"(B, T, D, H) = {SIZE}; {options}."
    write_table("cells", "python -m benchmarks.cells", head, rows, notes)


def measure(name: str, torch: Torch | None) -> dict[str, float]:
    options = {"units": SIZE[-1], **OPTIONS.get(name, {})}
    layers = [zoo_layer(name, **options) for _ in range(2)]
    rnn = keras.layers.RNN(zoo_layer(name, **options).cell, return_sequences=True)
    contenders = {
        "zoo": training_step(layers[0], SIZE),
        "unknown": training_step(layers[1], SIZE, known=False),
        "keras": training_step(rnn, SIZE),
    }
    if torch and name in LOOPS:
        contenders["torch"] = torch.contender("training_step", name, SIZE)
    return medians(contenders, REPEATS)


if __name__ == "__main__":
    main()
