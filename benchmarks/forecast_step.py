"""A new value, and the forecast after it: a step of a state beside reading the past again.

    python -m benchmarks.forecast_step

`forecast-gru` for hourly series: 168 values in the register, 48 steps ahead, 11 quantiles of each,
batch 1, one thread, in processor time, which other programs on the machine change little. The loop
"in a graph" runs in TensorFlow, its step compiled or not; LiteRT's is called from Python. PyTorch's
GRU of as many units reads 168 values anew, without a head; it runs where it is installed, in a
process of its own.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

import zoo
from benchmarks.side_by_side import medians, write_table
from benchmarks.torch_contenders import INSTALLED, Torch
from zoo.exporting.formats import litert

LOOK_BACK, HORIZON, UNITS, STEPS, REPEATS = 168, 48, 128, 500, 15
COMMAND = "python -m benchmarks.forecast_step"


def main() -> None:
    load = f"The load of the machine was {os.getloadavg()[0]:.1f} at the start."
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = zoo.create(
        "forecast-gru",
        horizon=HORIZON,
        look_back=LOOK_BACK,
        season=24,
        seasons=(24, LOOK_BACK),
        frequency_unit="second",
        frequency_count=3600,
        units=UNITS,
        gaps_count=False,
    )
    inputs = model.example_inputs(1, STEPS)
    inputs[0, :, 0] = np.random.default_rng(1).normal(5, 1, STEPS)
    with (
        tempfile.TemporaryDirectory() as scratch,
        Torch() if INSTALLED else contextlib.nullcontext() as torch,
    ):
        contenders = {
            "zoo, in a graph": timed(in_graph(model, inputs, compiled=False)),
            "zoo, in a graph, its step compiled": timed(in_graph(model, inputs, compiled=True)),
            "zoo, LiteRT": timed(in_litert(model, inputs, Path(scratch))),
        }
        if torch:
            anew = torch.contender("sequence_anew", "gru", [1, LOOK_BACK, 1, UNITS])
            contenders["PyTorch, 168 values read anew"] = anew
        seconds = medians(contenders, REPEATS)
    rows = [
        [name, f"{1e6 * value / (1 if 'PyTorch' in name else STEPS):.0f}"]
        for name, value in seconds.items()
    ]
    write_table("forecast_step", COMMAND, ["what runs", "µs a value"], rows, load)


def timed(run: Callable[[], Any]) -> Callable[[], float]:
    """Return what gives the processor time of a run."""

    def seconds() -> float:
        start = time.process_time()
        run()
        return time.process_time() - start

    return seconds


def in_graph(model: Any, inputs: np.ndarray, compiled: bool) -> Callable[[], Any]:
    """Return what runs all steps in a loop of TensorFlow."""
    values = tf.constant(inputs[0])[:, None]
    start = model.initial_state(1)

    @tf.function(autograph=False, jit_compile=compiled)
    def step(x: Any, parts: Any) -> Any:
        outputs, state = model.step(x, tf.nest.pack_sequence_as(start, parts))
        return outputs, tf.nest.flatten(state)

    @tf.function(autograph=False)
    def run() -> Any:
        def body(t: Any, _: Any, parts: Any) -> Any:
            return t + 1, *step(values[t], parts)

        outputs = tf.zeros([1, HORIZON, len(model.head.levels)])
        first = (tf.constant(0), outputs, tf.nest.flatten(start))
        return tf.while_loop(lambda t, *_: t < STEPS, body, first)[1]

    return lambda: run().numpy()


def in_litert(model: Any, inputs: np.ndarray, folder: Path) -> Callable[[], Any]:
    """Return what runs all steps by LiteRT, each called from Python."""
    runner = litert.interpreter(litert.write_litert(model, folder)).get_signature_runner("step")
    start = [part.numpy() for part in tf.nest.flatten(model.initial_state(1))]
    names = [f"state_{place}" for place in range(len(start))]

    def run() -> Any:
        state = dict(zip(names, start))
        for t in range(STEPS):
            outputs = runner(x=inputs[:, t], **state)
            state = {name: outputs[name] for name in names}
        return outputs

    return run


if __name__ == "__main__":
    main()
