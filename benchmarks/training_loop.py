"""What the training loop costs over its bare compiled step.

    python -m benchmarks.training_loop

Both run the same windows of generated text through the same step, in turns: the bare one reads the
data and carries the state, the loop also counts, checks, calls the callbacks of `zoo fit` (the
progress bar, TensorBoard and the files of figures among them), and saves checkpoints.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from rich.progress import track

import zoo
from benchmarks.side_by_side import STDERR, medians, milliseconds, write_table
from zoo.training.callbacks import Metrics, Progress, TensorBoard
from zoo.training.checkpoints import Checkpoints
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer
from zoo.training.windows import stream_windows

STEPS, WARM = 300, 50
REPEATS = 3
# Model, its options, batch size, window.
CASES: list[tuple[str, dict[str, Any], int, int]] = [
    ("char-lstm", {"vocab_size": 60, "units": 64}, 16, 32),
    ("char-lstm", {"vocab_size": 100, "units": 256}, 32, 64),
]


def main() -> None:
    rows = [row(*case) for case in track(CASES, "training loop", console=STDERR)]
    head = ["model", "(B, T)", "bare step, ms", "loop, ms a step", "loop / bare"]
    write_table("training_loop", "python -m benchmarks.training_loop", head, rows)


class Stopwatch(keras.callbacks.Callback):
    """Seconds from the end of the warming steps to that of the last."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == WARM - 1:
            self.began = time.perf_counter()
        elif batch == STEPS - 1:
            self.seconds = time.perf_counter() - self.began


def row(name: str, options: dict[str, Any], batch: int, window: int) -> list[Any]:
    text = np.random.default_rng(1).integers(4, 60, STEPS * batch * window)
    sequence = (text, np.roll(text, -1), np.ones(len(text)))
    windows = stream_windows([sequence], batch, window, cut=True)
    trainer = Trainer(zoo.create(name, **options), Settings(epochs=1))
    with tempfile.TemporaryDirectory() as folder:
        contenders = {
            "loop": lambda: loop(trainer, windows, Path(folder)),
            "bare": lambda: bare(trainer, windows),
        }
        times = medians(contenders, REPEATS)
    shown = [milliseconds(times[side] / (STEPS - WARM)) for side in ("bare", "loop")]
    label = f"{name}, {options['units']} units"
    return [label, (batch, window), *shown, f"{times['loop'] / times['bare']:.3f}"]


def bare(trainer: Trainer, windows: tf.data.Dataset) -> float:
    """With the step that the loop before has compiled."""
    state, began = None, 0.0
    for step, window in enumerate(windows):
        if state is None:
            state = trainer.model.initial_state(len(window["reset"]))
        if step == WARM:
            began = time.perf_counter()
        state, sums = trainer._step([window], state)
    sums.numpy()
    return time.perf_counter() - began


def loop(trainer: Trainer, windows: tf.data.Dataset, folder: Path) -> float:
    stopwatch = Stopwatch()
    callbacks = [
        Progress("loop", trainer.settings),
        Metrics(folder / "metrics.csv"),
        TensorBoard(folder / "logs"),
        stopwatch,
    ]
    trainer.fit(windows, windows.take(1), callbacks, Checkpoints(folder))
    return stopwatch.seconds


if __name__ == "__main__":
    main()
