"""What it is worth to look where a model wants to: `ram-scattered` beside glimpses at other places.

    python -m benchmarks.glimpses
    python -m benchmarks.glimpses --run RUN --cnn RUN     with runs that are there already

Accuracy on the test pictures of `scattered_digits`, after each of six glimpses, with a 95% interval
by digit. The places of the others are fixed: the middle of the picture six times, the six middles
of a grid, or six random ones; each is trained for its own places, on as many pictures. The CNN is
`digits-cnn`, which sees the whole picture. All are trained on cluttered pictures.
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
from benchmarks.side_by_side import write_table
from tasks.image_classification.scattered import NAMES
from tasks.image_classification.task import ImageClassification
from zoo.api.run import Run
from zoo.evaluation.bootstrap import intervals
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer

GLIMPSES, BATCH = 6, 64
GRID = [(y, x) for y in (-1 / 3, 1 / 3) for x in (-1 / 2, 0.0, 1 / 2)]
COMMAND = "python -m benchmarks.glimpses"
Places = Callable[[int], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", help="of ram-scattered")
    parser.add_argument("--cnn", help="of digits-cnn on scattered_digits/cluttered")
    parser.add_argument("--epochs", type=int, default=80, help="of what has to be trained")
    asked = parser.parse_args()
    epochs = {"epochs": asked.epochs}
    ram = Run(Path(asked.run)) if asked.run else zoo.fit("ram-scattered", **epochs)
    cnn = Run(Path(asked.cnn)) if asked.cnn else zoo.fit("digits-cnn", dataset=NAMES[1], **epochs)
    places_of: dict[str, Places] = {
        "a grid of six": lambda count: tf.tile(tf.constant([GRID]), [count, 1, 1]),
        "random places": lambda count: tf.random.uniform([count, GLIMPSES, 2], -0.8, 0.8),
        "the middle": lambda count: tf.zeros([count, GLIMPSES, 2]),
    }
    others = []
    for name, places in places_of.items():
        model = trained(places, asked.epochs)

        def answers(images: Any, model: Any = model, places: Places = places) -> Any:
            return model({"image": images, "places": places(len(images))})

        others.append(row(name, model, answers))
    own = zoo.load(ram)
    rows = [row("where it wants to", own, lambda images: own.follow(images).logits), *others]
    whole = zoo.load(cnn)
    rows.append(row("all at once, a CNN", whole, lambda images: whole(images)[:, None]))
    head = ["looks at", "weights", "pictures", *[f"after {n + 1}" for n in range(GLIMPSES)], "95%"]
    note = (
        f"Trained for {len(ram.read_metrics())} epochs, those at fixed places for {asked.epochs}, "
        f"the CNN for {len(cnn.read_metrics())}."
    )
    write_table("glimpses", COMMAND, head, [line for part in rows for line in part], note)


def trained(places: Places, epochs: int) -> Any:
    """Train a model of the same size to name the class after glimpses at such places."""
    keras.utils.set_random_seed(1)
    model = zoo.create("ram-scattered")
    model.locator.trainable = model.baseline.trainable = False
    task = ImageClassification(NAMES[1])
    settings = Settings(epochs=epochs, batch_size=BATCH, learning_rate=0.002, jit_compile=True)

    def looked_at(window: Any) -> Any:
        last = tf.one_hot(GLIMPSES - 1, GLIMPSES)
        return {
            "inputs": {"image": window["inputs"], "places": places(BATCH)},
            "targets": tf.repeat(window["targets"][:, None], GLIMPSES, axis=1),
            "weights": window["weights"][:, None] * last,
            "reset": window["reset"],
        }

    train, validation = (
        task.windows(split, settings, seed).map(looked_at)
        for split, seed in (("train", 1), ("validation", None))
    )
    Trainer(model, settings, seed=1).fit(train, validation)
    return model


def row(name: str, model: Any, answers: Callable[[Any], Any]) -> list[list[str]]:
    """Return a line of the table for either kind of pictures."""
    lines = []
    for data in NAMES:
        task = ImageClassification(data)
        right = []
        for window in task.windows("test", Settings(batch_size=BATCH)):
            logits = answers(window["inputs"]).numpy()[window["weights"] > 0]
            targets = window["targets"][window["weights"] > 0].numpy()
            right.append(logits.argmax(axis=-1) == targets[:, None])
        rights = np.concatenate(right).astype("float64")
        rows = np.stack([rights[:, -1], np.ones(len(rights))], axis=1)
        low, high = intervals(rows, share, task.groups("test"))["accuracy"]
        cells = [f"{value:.3f}" for value in rights.mean(axis=0)]
        blank = [""] * (GLIMPSES - len(cells))
        kind = Path(data).name
        count = f"{model.count_params():,}"
        lines.append([name, count, kind, *blank, *cells, f"{low:.3f} to {high:.3f}"])
    return lines


def share(sums: Any) -> dict[str, float]:
    return {"accuracy": float(sums[0] / sums[1])}


if __name__ == "__main__":
    main()
