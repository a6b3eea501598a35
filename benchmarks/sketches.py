"""How like digits the pictures are that `spiral-sketch` paints from nothing.

    python -m benchmarks.sketches                    # some half an hour of processor time
    python -m benchmarks.sketches --runs my-runs     # measures the runs that are there already

Fits it to two classes and to all ten, and paints a thousand pictures with each. Prints the table
and writes it to benchmarks/results/sketches.md.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.side_by_side import write_table
from benchmarks.strokes import run_of
from zoo.api.load import restore
from zoo.training.settings import Settings

HEAD = ["", "kernel distance", "95% interval", "sure", "within", "least drawn", "most drawn"]
NOTES = (
    "The kernel distance is from the digits of the test part, and its rows of the digits are of "
    "as many of the training part. Of a thousand paintings, made black and white at half of full "
    "ink as the digits of `binary_digits` are, `digits-cnn`, trained on those, is sure of a share: "
    "it gives one of the classes at least 0.9; within are those that it takes for one of the "
    "classes at all, the last columns the share of the class that it names least and most often."
)
PAINTED = 1000
KINDS: dict[str, dict[str, Any]] = {
    "0 and 1": {"classes": ["0", "1"], "epochs": 600},
    "all ten": {},
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, default=Path("runs/sketches"))
    parser.add_argument("--data-dir")
    asked = parser.parse_args()
    where = {"data_dir": asked.data_dir}
    judge = restore(run_of("digits-cnn", asked.runs, **where, dataset="binary_digits")).model
    rows = []
    for kind, options in KINDS.items():
        run = run_of("spiral-sketch", asked.runs / kind.replace(" ", "-"), **where, **options)
        rows += table(kind, restore(run), judge)
    write_table("sketches", "python -m benchmarks.sketches", HEAD, rows, NOTES)


def table(kind: str, painter: Any, judge: Any) -> list[list[str]]:
    """The rows of a model: the digits themselves, its paintings, and strokes at random."""
    task, model = painter.task, painter.model
    measured = task.measure(model, "test", Settings())
    metrics, intervals = measured.metrics(), measured.intervals()
    classes = [int(name) for name in task.classes or range(10)]
    shown = {
        "train/kernel_distance": ("the digits", task.pictures("test").images / np.float32(255)),
        "kernel_distance": ("`spiral-sketch`", task.paint(model, PAINTED, 1).canvases[:, -1]),
        "random/kernel_distance": (
            "strokes at random",
            np.asarray(task.at_random(model, PAINTED)),
        ),
    }
    rows = []
    for name, (title, pictures) in shown.items():
        low, high = intervals[name]
        first = [f"{kind}: {title}", f"{metrics[name]:.4f}", f"{low:.4f} to {high:.4f}"]
        rows.append([*first, *named(judge, pictures, classes)])
    return rows


def named(judge: Any, pictures: np.ndarray, classes: list[int]) -> list[str]:
    """What the judge says of pictures `[N, h, w, 1]`, 0..1."""
    logits = judge(np.where(pictures > 0.5, 255, 0)).numpy().astype("float64")
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    sure = (likely[:, classes].max(axis=1) >= 0.9).mean()
    shares = np.bincount(likely.argmax(axis=1), minlength=likely.shape[1])[classes] / len(pictures)
    return [f"{part:.3f}" for part in (sure, shares.sum(), shares.min(), shares.max())]


if __name__ == "__main__":
    main()
