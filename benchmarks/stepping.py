"""A step at a time, batch 1: every exported form, beside Keras and PyTorch.

    python -m benchmarks.stepping

All are a character model of the same sizes: embedding, one LSTM, logits. Each step starts from the
state of the one before, and all run on one thread. In the class "called from Python" a step is a
call; in "inside one graph" the loop runs in TensorFlow, as where a text is generated. PyTorch runs
where it is installed, in a process of its own. Two more tables show how long an export takes, form
by form, and how long `zoo predict` takes from a cold start.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from rich.progress import Progress

from benchmarks.side_by_side import STDERR, medians, write_table
from benchmarks.torch_contenders import INSTALLED, Torch
from zoo.catalog.config import resolve
from zoo.exporting.formats import litert
from zoo.exporting.formats.onnx import write_onnx
from zoo.exporting.formats.saved_model import write_saved_model
from zoo.exporting.manifest import EXAMPLES
from zoo.exporting.parity import measure_parity
from zoo.exporting.trained import Trained
from zoo.pretrained import ready_models

NAME = "char-lstm"
VOCABULARY, EMBEDDING, UNITS = 100, 64, 304
STEPS, REPEATS, STARTS = 100, 25, 3
TOKEN = np.array([3], "int32")
CALLED, INSIDE = "called from Python", "inside one graph"
COMMAND = "python -m benchmarks.stepping"


def main() -> None:
    load = f"The load of the machine was {os.getloadavg()[0]:.1f} at the start."
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    with tempfile.TemporaryDirectory() as scratch, Progress(console=STDERR) as progress:
        doing = progress.add_task("exporting", total=3)
        folder = Path(scratch) / "model"
        exported = export_rows(folder)
        progress.update(doing, advance=1, description="stepping")
        with Torch() if INSTALLED else contextlib.nullcontext() as torch:
            stepped = step_rows(folder, torch)
        progress.update(doing, advance=1, description="cold starts")
        started = start_rows(folder)
        progress.advance(doing)
    head = ["class", "what steps", "µs a step", "times the zoo's step"]
    sizes = f"vocabulary {VOCABULARY}, embedding {EMBEDDING}, {UNITS} units"
    notes = f"Batch 1, {sizes}, float32 but for what is quantised, one thread each. {load}"
    write_table("stepping", COMMAND, head, stepped, notes)
    write_table("exporting", COMMAND, ["what is written", "seconds", "MB"], exported, load)
    write_table("cold_start", COMMAND, ["process", "seconds"], started, load)


def export_rows(folder: Path) -> list[list[Any]]:
    """Write every form; how long each took, and its size."""
    config = resolve(NAME, {"units": UNITS})
    task = config.make_task()
    config = config.decided_by(task)
    model = config.make_model()
    trained = Trained(model, task, config)
    rows = []

    def timed(name: str, write: Callable[[], Any], place: str = "") -> None:
        before, start = _bytes(folder), time.perf_counter()
        write()
        seconds = time.perf_counter() - start
        rows.append([name, f"{seconds:.1f}", f"{(_bytes(folder) - before) / 1e6:.2f}"])

    timed("SavedModel", lambda: write_saved_model(trained, folder))
    timed("LiteRT", lambda: litert.write_litert(model, folder))
    timed("LiteRT, quantised", lambda: litert.write_litert(model, folder, quantise=True))
    timed("ONNX", lambda: write_onnx(model, folder))
    timed("certificate of all", lambda: measure_parity(trained, folder))
    return rows


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def step_rows(folder: Path, torch: Torch | None) -> list[list[Any]]:
    """Microseconds of each contender, with what they are of the zoo's in the same class."""
    called = {**saved_model(folder), **lite(folder), "ONNX Runtime": onnx(folder), **keras_called()}
    if torch:
        sizes = (VOCABULARY, EMBEDDING, UNITS, STEPS)
        called["PyTorch, LSTMCell"] = torch.contender("language_model_steps", *sizes)
    rows = []
    for kind, contenders in ((CALLED, called), (INSIDE, inside(folder))):
        times = medians(contenders, REPEATS)
        first = next(iter(times.values()))
        rows += [
            [kind, name, f"{1e6 * seconds / STEPS:.0f}", f"{seconds / first:.2f}"]
            for name, seconds in times.items()
        ]
    return rows


def saved_model(folder: Path) -> dict[str, Callable[[], Any]]:
    """The signature, which is a call of one graph, and the function, which also takes lists."""
    loaded = tf.saved_model.load(str(folder))
    signature, x = loaded.signatures["step"], tf.constant(TOKEN)
    start = loaded.initial_state(tf.constant(1))

    def by_signature(state: Any) -> Any:
        state_after = signature(x=x, **state)
        state_after.pop("outputs")
        return state_after

    named = {f"state_{n}": part for n, part in enumerate(start)}
    return {
        "zoo, SavedModel's signature": partial(_stepped, by_signature, named),
        # The object must outlive the calls: its variables die with it.
        "zoo, SavedModel's function": partial(_stepped, lambda s: loaded.step(x, s)[1], start),
    }


def lite(folder: Path) -> dict[str, Callable[[], Any]]:
    """Both files, on one thread, as LiteRT does by default."""
    start = {f"state_{n}": np.zeros((1, UNITS), "float32") for n in range(2)}
    steppers = {}
    for label, file in {
        "zoo, LiteRT": "model.tflite",
        "zoo, LiteRT quantised": "model-quantised.tflite",
    }.items():
        interpreter = litert.interpreter(folder / litert.FOLDER / file)
        runner = interpreter.get_signature_runner("step")

        def step(state: Any, runner: Any = runner) -> Any:
            state_after = runner(x=TOKEN, **state)
            state_after.pop("outputs")
            return state_after

        steppers[label] = partial(_stepped, step, start)
    return steppers


def onnx(folder: Path) -> Callable[[], Any]:
    """The step's file, in onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = str(folder / "onnx" / "step.onnx")
    session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    states = ["next_state_0", "next_state_1"]

    def step(state: Any) -> Any:
        feeds = {"x": TOKEN, "state_0": state[0], "state_1": state[1]}
        # The logits, too, as all others compute them.
        return session.run(["outputs", *states], feeds)[1:]

    return partial(_stepped, step, [np.zeros((1, UNITS), "float32")] * 2)


def keras_model() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A step by `keras.layers.LSTMCell`, and one by `keras.layers.LSTM` on a single time step."""
    embedding, head = keras.layers.Embedding(VOCABULARY, EMBEDDING), keras.layers.Dense(VOCABULARY)
    cell, layer = keras.layers.LSTMCell(UNITS), keras.layers.LSTM(UNITS, return_state=True)
    cell.build((None, EMBEDDING))
    layer.build((None, None, EMBEDDING))

    def by_cell(x: Any, state: Any) -> tuple[Any, Any]:
        y, state = cell(embedding(x), state)
        return head(y), state

    def by_layer(x: Any, state: Any) -> tuple[Any, Any]:
        y, *state = layer(embedding(x)[:, None], initial_state=state)
        return head(y), state

    return by_cell, by_layer


def keras_called() -> dict[str, Callable[[], Any]]:
    x, start = tf.constant(TOKEN), [tf.zeros((1, UNITS))] * 2
    steppers = {}
    for name, step in zip(("LSTMCell", "LSTM"), keras_model()):
        step(x, start)
        graph = tf.function(step)
        steppers[f"Keras, {name} as tf.function"] = partial(
            _stepped, lambda s, graph=graph: graph(x, s)[1], start
        )
        steppers[f"Keras, {name}"] = partial(_stepped, lambda s, step=step: step(x, s)[1], start)
    return steppers


def inside(folder: Path) -> dict[str, Callable[[], Any]]:
    """Run the steps in a loop of TensorFlow's own."""
    loaded = tf.saved_model.load(str(folder))
    by_cell, _ = keras_model()
    start = [tf.zeros((1, UNITS))] * 2
    by_cell(tf.constant(TOKEN), start)
    return {
        "zoo, SavedModel's function": _looped(lambda x, s: loaded.step(x, s), start),
        "Keras, LSTMCell": _looped(by_cell, start),
    }


def _looped(step: Callable[..., Any], start: Any) -> Callable[[], Any]:
    """Logits are fed back, or nothing would need them."""

    @tf.function
    def loop(state: Any) -> Any:
        def body(x: Any, state: Any) -> Any:
            logits, state = step(x, state)
            return tf.argmax(logits, axis=-1, output_type=tf.int32), state

        always = lambda x, state: True  # noqa: E731
        x = tf.constant(TOKEN)
        return tf.while_loop(always, body, (x, state), maximum_iterations=STEPS)[0]

    return lambda: loop(start).numpy()


def _stepped(step: Callable[[Any], Any], state: Any) -> None:
    for _ in range(STEPS):
        state = step(state)


def start_rows(folder: Path) -> list[list[Any]]:
    """Whole processes: `zoo predict`, and importing TensorFlow, which is a part of it."""
    what = NAME if NAME in ready_models() else str(folder)
    prompt = next((folder / EXAMPLES).glob("*.txt")).read_text(encoding="utf-8")
    predict = ["-c", "from zoo.cli import main; main()", "predict", what, prompt]
    processes = {
        f"zoo predict {NAME if what == NAME else 'PATH'}": predict,
        "of it: import tensorflow": ["-c", "import tensorflow"],
    }
    times = medians({name: partial(_run, asked) for name, asked in processes.items()}, STARTS)
    whole, imported = times.values()
    rows = [[name, f"{seconds:.1f}"] for name, seconds in times.items()]
    return [*rows, ["of it: the rest", f"{whole - imported:.1f}"]]


def _run(arguments: list[str]) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    main()
