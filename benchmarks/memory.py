"""The peak memory of an LSTM's training step: the zoo, Keras and PyTorch, each in its own process.

    python -m benchmarks.memory

What is counted is resident memory at its highest during a step, above what the process held
before the inputs were made; a step of two rows and time steps has been run before, and the step
itself once, so that libraries and compilers count for none of it. PyTorch is shown where it is
installed.
"""

import argparse
import gc
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

from rich.progress import track

from benchmarks.side_by_side import STDERR, write_table

STEPS = (512, 2048)
BATCH, INPUTS, UNITS = 32, 128, 256
SIDES = ["zoo", "keras", "torch"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--measure", nargs=2, metavar=("SIDE", "T"), help=argparse.SUPPRESS)
    if measured := parser.parse_args().measure:
        print(json.dumps(measure(measured[0], int(measured[1]))))
        return
    sides = [side for side in SIDES if side != "torch" or importlib.util.find_spec("torch")]
    cases = [(time, side) for time in STEPS for side in sides]
    peaks = {case: in_a_process(*case) for case in track(cases, "memory", console=STDERR)}
    rows = [
        [(BATCH, time, INPUTS, UNITS)]
        + [f"{peaks[time, side] / 2**20:.0f}" for side in sides]
        + [f"{peaks[time, 'zoo'] / peaks[time, 'keras']:.2f}"]
        for time in STEPS
    ]
    head = ["(B, T, D, H)", *[f"{side}, MB" for side in sides], "zoo / keras"]
    write_table("memory", "python -m benchmarks.memory", head, rows)


def in_a_process(time: int, side: str) -> int:
    command = [sys.executable, "-m", "benchmarks.memory", "--measure", side, str(time)]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def measure(side: str, time: int) -> int:
    """Bytes above the start, at the peak of the second step of this length."""
    make = torch_step if side == "torch" else keras_step
    make(side, 2, 2)()
    gc.collect()
    before = resident("VmRSS")
    step = make(side, BATCH, time)
    step()
    gc.collect()
    # Linux starts counting the peak anew.
    Path("/proc/self/clear_refs").write_text("5")
    step()
    return resident("VmHWM") - before


def resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024


def keras_step(side: str, batch: int, time: int):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from benchmarks.contenders import keras_layer, training_step, zoo_layer

    layer = zoo_layer("lstm", UNITS) if side == "zoo" else keras_layer("lstm", UNITS)
    return training_step(layer, (batch, time, INPUTS, UNITS))


def torch_step(side: str, batch: int, time: int):
    from benchmarks.torch_contenders import training_step

    return training_step("lstm", (batch, time, INPUTS, UNITS))


if __name__ == "__main__":
    main()
