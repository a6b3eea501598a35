"""The zoo's side of `benchmarks.language_model`: a catalog model, an epoch a turn.

Prints a JSON line when ready, after each epoch, and after the test.
"""

import argparse
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras

from benchmarks.turns import Clock, tell
from zoo.catalog.config import resolve
from zoo.training.callbacks import KeepBest
from zoo.training.trainer import Trainer

EXAMPLES = """\
examples:
  python -m benchmarks.zoo_language_model --data wikitext-2 --epochs 6
  python -m benchmarks.zoo_language_model --data notes.txt --model word-lstm --epochs 1 --steps 50
"""


class Turns(keras.callbacks.Callback):
    """Waits for each epoch's turn if asked to, times its steps, and prints its figures."""

    def __init__(self, waiting: bool) -> None:
        super().__init__()
        self.waiting = waiting

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.waiting:
            sys.stdin.readline()
        self.clock = Clock(self.params["steps"])

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.clock.step()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        tell(
            epoch=epoch + 1,
            **self.clock.figures(),
            loss=logs["loss"],
            valid=math.exp(logs["val_loss"]),
            rate=logs["learning_rate"],
        )


def main() -> None:
    options = _options()
    overrides = {"epochs": options.epochs, "patience": options.epochs, "unit": "token"}
    config = resolve(options.model, overrides, dataset=options.data)
    task = config.make_task()
    config = config.decided_by(task)
    keras.utils.set_random_seed(options.seed)
    train = task.windows("train", config.training, seed=options.seed)
    if options.steps:
        train = train.take(options.steps)
    model = config.make_model()
    tell(
        vocabulary=task.vocabulary.size,
        parameters=model.count_params(),
        steps=int(train.cardinality()),
    )
    with tempfile.TemporaryDirectory() as folder:
        best = KeepBest(Path(folder) / "best.weights.h5", task.monitor, options.epochs)
        validation = task.windows("validation", config.training)
        Trainer(model, config.training).fit(train, validation, [Turns(options.turns), best])
        if options.turns:
            sys.stdin.readline()
        model.load_weights(best.path)
    tell(test=task.score(model, "test", config.training)["perplexity"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", required=True, help="what `zoo fit --dataset` takes")
    parser.add_argument("--model", default="word-lstm-pytorch", help="of the catalog")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=0, help="of an epoch, at most; 0: all")
    parser.add_argument("--turns", action="store_true", help="wait for a line before each epoch")
    return parser.parse_args()


if __name__ == "__main__":
    main()
