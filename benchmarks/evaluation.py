"""Evaluating a language model beside training it: the time of a token.

    python -m benchmarks.evaluation

Both read the same text, the bundled one as one document: training in the windows and the batches of
the catalog's `word-lstm-pytorch`, evaluation as `zoo evaluate` does it. They take turns, an epoch
and an evaluation; neither time has compiling in it.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from benchmarks.language_model import write_bundled
from benchmarks.side_by_side import write_table
from benchmarks.turns import Clock
from zoo.catalog.config import resolve
from zoo.evaluation.loop import RowSums
from zoo.training.trainer import Trainer

NAME = "word-lstm-pytorch"
# Windows of a turn.
TRAINED, EVALUATED = 60, 1200
REPEATS = 7


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_bundled(Path(folder))
        config = resolve(NAME, {"epochs": REPEATS + 1, "unit": "token"}, dataset=folder)
        task = config.make_task()
        config = config.decided_by(task)
        model, settings = config.make_model(), config.training
        train = task.windows("train", settings, seed=1).take(TRAINED)
        others = task.windows("train", settings).take(EVALUATED)
        sums = RowSums(model, task.objective())
        turns = Turns(lambda: sums(others))
        Trainer(model, settings, objective=task.objective()).fit(train, others.take(1), [turns])
        each = [
            1e6 * statistics.median(seconds[1:]) / tokens(windows)
            for seconds, windows in ((turns.trained, train), (turns.evaluated, others))
        ]
    shapes = [tuple(next(iter(windows))["targets"].shape) for windows in (train, others)]
    row = [NAME, *shapes, *[f"{one:.1f}" for one in each], f"{each[1] / each[0]:.2f}"]
    head = ["model", "trained (B, T)", "evaluated (B, T)"]
    head += ["training, µs a token", "evaluating, µs a token", "evaluating / training"]
    write_table("evaluation", "python -m benchmarks.evaluation", head, [row])


def tokens(windows: Any) -> float:
    """How many have a weight."""
    return sum(float(window["weights"].numpy().sum()) for window in windows)


class Turns(keras.callbacks.Callback):
    """Times the steps of each epoch, without the first ones, and after it an evaluation.

    Attributes:
        trained: seconds of all steps of each epoch.
        evaluated: seconds of each evaluation.
    """

    def __init__(self, evaluate: Callable[[], Any]) -> None:
        super().__init__()
        self.evaluate = evaluate
        self.trained: list[float] = []
        self.evaluated: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.clock = Clock(self.params["steps"])

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.clock.step()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.trained.append(self.clock.figures()["seconds"])
        # The first one meets what training left in the caches, and its threads.
        for _ in range(2):
            began = time.perf_counter()
            self.evaluate()
            seconds = time.perf_counter() - began
        self.evaluated.append(seconds)


if __name__ == "__main__":
    main()
