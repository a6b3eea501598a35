"""Evaluating a language model beside training it: the time of a token.

    python -m benchmarks.evaluation

Both read the same text, the bundled one as one document: training in the windows and the batches of
the catalog's `word-lstm-pytorch`, evaluation as `zoo evaluate` does it. They take turns; neither
time has compiling in it.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from benchmarks.language_model import write_bundled
from benchmarks.side_by_side import medians, write_table
from benchmarks.turns import Clock
from zoo.catalog.config import resolve
from zoo.evaluation.loop import RowSums
from zoo.training.trainer import Trainer

NAME = "word-lstm-pytorch"
# Windows of a turn.
TRAINED, EVALUATED = 60, 400
REPEATS = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_bundled(Path(folder))
        config = resolve(NAME, {"epochs": 1, "unit": "token"}, dataset=folder)
        task = config.make_task()
        config = config.decided_by(task)
        model, settings = config.make_model(), config.training
        train = task.windows("train", settings, seed=1).take(TRAINED)
        others = task.windows("train", settings).take(EVALUATED)
        tokens = {"training": count(train), "evaluating": count(others)}
        sums = RowSums(model, task.objective())
        contenders: dict[str, Callable[[], Any]] = {
            "training": training(Trainer(model, settings, objective=task.objective()), train),
            "evaluating": lambda: sums(others),
        }
        times = medians(contenders, REPEATS)
    each = {name: times[name] / tokens[name] for name in times}
    shapes = [tuple(next(iter(windows))["targets"].shape) for windows in (train, others)]
    row = [NAME, *shapes, *[f"{1e6 * seconds:.1f}" for seconds in each.values()]]
    row.append(f"{each['evaluating'] / each['training']:.2f}")
    head = ["model", "trained (B, T)", "evaluated (B, T)"]
    head += ["training, µs a token", "evaluating, µs a token", "evaluating / training"]
    write_table("evaluation", "python -m benchmarks.evaluation", head, [row])


def count(windows: Any) -> float:
    """The tokens that have a weight."""
    return sum(float(window["weights"].numpy().sum()) for window in windows)


class Stopwatch(keras.callbacks.Callback):
    """Times the steps of an epoch, without the first."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.clock = Clock(self.params["steps"])

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.clock.step()


def training(trainer: Trainer, windows: Any) -> Callable[[], float]:
    def run() -> float:
        stopwatch = Stopwatch()
        trainer.fit(windows, windows.take(1), [stopwatch])
        return stopwatch.clock.figures()["seconds"]

    return run


if __name__ == "__main__":
    main()
