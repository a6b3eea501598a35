"""What it is worth to look where a model wants to: `dram-pairs` and so on beside other models.

    python -m benchmarks.transcription
    python -m benchmarks.transcription --runs RUNS     with the newest runs that are there, if any
    python -m benchmarks.transcription sum --epochs 10

A table of each is kept in `benchmarks/results`, as soon as it is measured. On the test pictures of
each of `digit_sequences`: the share of those whose labels are all right, with a 95% interval by
block of digits, the share of labels that are, and the edits that a label needs. The first lines are
of one model, by its one path without chance and, by name, by the mean of eight drawn paths. Beside
it stand the same model without a context network, one of as many weights that was trained at random
places and looks at such, and a CNN that sees the whole picture and has a head for each place. All
but the first are trained for `--epochs`.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import zoo
from benchmarks.ready_models import newest
from benchmarks.side_by_side import write_table
from tasks.transcription.scoring import metrics, scored
from tasks.transcription.task import Transcription
from zoo.api.load import restore
from zoo.evaluation.bootstrap import intervals
from zoo.topologies.one_to_one import OneToOne
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer

MODELS = {"pairs": "dram-pairs", "up_to_3": "dram-sequence", "sum": "dram-sum"}
COMMAND = "python -m benchmarks.transcription"
BATCH, PATHS, SEED = 64, 8, 1
HEAD = ["pictures", "looks", "weights", "epochs", "exact match", "95%", "accuracy", "edits"]
Answers = Callable[[Any], Any]


class HeadAPlace(OneToOne):
    """A CNN whose logits are those of all labels of a picture, one after the other."""

    def run_window(self, window: Any, state: Any, training: bool = False) -> Any:
        """Return logits `[B, S, classes]`."""
        logits, state = super().run_window(window, state, training)
        return tf.reshape(logits, [*window["targets"].shape, -1]), state


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", choices=[*MODELS, []], help="which of the three sets")
    parser.add_argument("--runs", type=Path, help="where runs of the models lie")
    parser.add_argument("--epochs", type=int, default=20, help="of what has to be trained")
    asked = parser.parse_args()
    for data in asked.data or MODELS:
        options = f"--epochs {asked.epochs}" + (" --runs RUNS" if asked.runs else "")
        rows = rows_of(data, asked.runs, asked.epochs)
        write_table(f"transcription_{data}", f"{COMMAND} {data} {options}", HEAD, rows)


def rows_of(data: str, runs: Path | None, epochs: int) -> list[list[str]]:
    """Return the lines of one of the three data sets."""
    name = MODELS[data]
    task = Transcription(f"digit_sequences/{data}")
    runs = runs or Path("runs")
    run = newest(runs, name) or zoo.fit(name, runs=runs)
    own, length = zoo.load(run), len(run.read_metrics())
    trained_task: Any = restore(run).task

    def averaged(images: Any) -> Any:
        return trained_task.averaged(own, images, PATHS, tf.constant([SEED, 0]))

    def line(looks: str, model: Any, trained: int, answers: Answers) -> list[str]:
        cells = measured(task, answers)
        return [data, looks, f"{model.count_params():,}", str(trained), *cells]

    lines = [
        line("where it wants to", own, length, own),
        line(f"the same, {PATHS} drawn paths", own, length, averaged),
    ]
    other = zoo.fit(name, runs=runs / "without", epochs=epochs, context=False, verbose=False)
    blind = zoo.load(other)
    lines.append(line("without a context network", blind, epochs, blind))
    lost = at_random(name, task, epochs)

    def stray(images: Any) -> Any:
        logits = lost({"image": images, "places": random_places(lost, len(images))})
        return lost.labelled(logits)

    lines.append(line("at random places", lost, epochs, stray))
    whole = at_once(task, epochs)

    def heads(images: Any) -> Any:
        return tf.reshape(whole(images), [len(images), task.labels, -1])

    lines.append(line("at all of it, a CNN", whole, epochs, heads))
    naive = metrics(rows_for(task, own).sum(axis=0))
    named = [f"{naive[f'naive/{key}']:.3f}" for key in ("exact_match", "accuracy", "edit_distance")]
    lines.append([data, "at nothing", "0", "0", named[0], "", *named[1:]])
    return lines


def at_random(name: str, task: Transcription, epochs: int) -> Any:
    """Train a model of the same size to name labels after glimpses at random places."""
    keras.utils.set_random_seed(SEED)
    options = {**zoo.describe(name)["options"], **task.model_options()}
    model = zoo.create(name, **options)
    for layer in filter(None, (model.locator, model.baseline, model.upper, model.context)):
        layer.trainable = False

    def looked_at(window: Any) -> Any:
        after = tf.one_hot([model.glimpses - 1], model.glimpses)
        return {
            "inputs": {"image": window["inputs"], "places": random_places(model, BATCH)},
            "targets": tf.repeat(window["targets"], model.glimpses, axis=1),
            "weights": tf.repeat(window["weights"], model.glimpses, axis=1)
            * tf.tile(after, [1, model.labels]),
            "reset": window["reset"],
        }

    fit(model, task, epochs, looked_at)
    return model


def random_places(model: Any, count: int) -> Any:
    return tf.random.uniform([count, model.looks, 2], -0.8, 0.8)


def at_once(task: Transcription, epochs: int) -> Any:
    """Train a CNN with a head for each place."""
    keras.utils.set_random_seed(SEED)
    options = task.model_options()
    model = HeadAPlace(options["labels"] * options["classes"], task.image_shape, dropout=0.3)
    fit(model, task, epochs, lambda window: window)
    return model


def fit(model: Any, task: Transcription, epochs: int, shown: Callable[[Any], Any]) -> None:
    settings = Settings(epochs=epochs, batch_size=BATCH, learning_rate=0.002, jit_compile=True)
    train, validation = (
        task.windows(split, settings, seed).map(shown)
        for split, seed in (("train", SEED), ("validation", None))
    )
    Trainer(model, settings, seed=SEED).fit(train, validation)


def rows_for(task: Transcription, answers: Answers) -> np.ndarray:
    """Return what each test picture adds to the sums of the metrics."""
    labels, named = [], []
    for window in task.windows("test", Settings(batch_size=BATCH)):
        used = window["weights"][:, 0].numpy() > 0
        named.append(np.asarray(answers(window["inputs"])).argmax(axis=-1)[used])
        labels.append(window["targets"].numpy()[used])
    train = np.concatenate(
        [window["targets"].numpy() for window in task.windows("train", Settings(batch_size=BATCH))]
    )
    return scored(np.concatenate(labels), np.concatenate(named), train, len(task.classes))


def measured(task: Transcription, answers: Answers) -> list[str]:
    """Return the exact match, its interval, the accuracy and the edits, as cells."""
    rows = rows_for(task, answers)
    values = metrics(rows.sum(axis=0))
    low, high = intervals(rows, metrics, task.groups("test"))["exact_match"]
    exact, accuracy, edits = (
        f"{values[key]:.3f}" for key in ("exact_match", "accuracy", "edit_distance")
    )
    return [exact, f"{low:.3f} to {high:.3f}", accuracy, edits]


if __name__ == "__main__":
    main()
