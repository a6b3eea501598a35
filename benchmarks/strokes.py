"""How well eight strokes paint the test digits of `binary_digits`: SPIRAL, and search in its place.

    python -m benchmarks.strokes                    # some twenty minutes of processor time
    python -m benchmarks.strokes --runs my-runs     # measures the runs that are there already

Every row has the strokes of `spiral-digits`: from where the brush is, to cells of its grid, in its
sizes and pressures. Prints the table and writes it to benchmarks/results/strokes.md.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

import zoo
from benchmarks.ready_models import newest
from benchmarks.side_by_side import write_table
from zoo.api.load import restore
from zoo.evaluation.bootstrap import Evaluation, MetricSums
from zoo.layers.strokes import over, stroke_coverage
from zoo.topologies.stroke_policy import PRESSURES, RADII, StrokePolicy
from zoo.training.objectives.stroke_worth import likeliest, picture_errors

HEAD = ["", "error", "95% interval", "without a blur", "recognised", "95% interval", "grey", "8x8"]
NOTES = (
    "Of the test part, 359 digits, with a bootstrap over digits; eight strokes of each. The error "
    "is the share of the squared difference that is left of that of an empty canvas, seen through "
    "a blur of half a pixel: what `spiral-digits` learned from. Recognised is what `digits-cnn`, "
    "trained on the real digits of `binary_digits`, names right of paintings made black and "
    "white as those are, at half of full ink; left grey, which it has never seen, it names the "
    "next share, and the ready-trained `digits-cnn`, of grey digits of 8x8, the last one, of means "
    "of four pixels. Greedy search takes at each stroke the best of "
    "K that are drawn at random, all of which paint; the gradient then moves all strokes of a "
    "painting together, in any size and ink, through the renderer."
)
SEARCHED = (16, 64, 1024)
AT_ONCE = 32
GRADIENT_STEPS = 200


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, default=Path("runs/strokes"))
    parser.add_argument("--data-dir")
    asked = parser.parse_args()
    painter = restore(run_of("spiral-digits", asked.runs, asked.data_dir))
    judge = restore(run_of("digits-cnn", asked.runs, asked.data_dir, dataset="binary_digits")).model
    judges = (judge, restore("digits-cnn").model)
    images, labels = painter.task.pictures("test")
    model = painter.model
    rows = [row("the digits themselves", images / np.float32(255), images, labels, judges)]

    def add(title: str, canvases: Any) -> None:
        rows.append(row(title, np.asarray(canvases), images, labels, judges))
        print(" | ".join(rows[-1]), flush=True)

    painting = model.paint(model.encode(images), likeliest(model, len(images)))
    add("`spiral-digits`", painting.canvases[:, -1])
    add("an empty canvas", np.zeros_like(images, "float32"))
    add("strokes at random", greedy(model, images, 1)[1])
    for count in SEARCHED:
        strokes, canvases = greedy(model, images, count)
        add(f"greedy search, K = {count}", canvases)
        if count == 64:
            moved = with_gradient(model, images, strokes)
    add("greedy search, K = 64, then the gradient", moved)
    write_table("strokes", "python -m benchmarks.strokes", HEAD, rows, NOTES)


def run_of(name: str, runs: Path, data_dir: str | None, **options: Any) -> Any:
    """The newest run of a model in this folder, or one that is made."""
    return newest(runs, name) or zoo.fit(name, runs=runs, data_dir=data_dir, **options)


def row(title: str, canvases: Any, images: Any, labels: Any, judges: Any) -> list[str]:
    """A line of the table, of canvases `[N, 16, 16, 1]`, 0..1."""
    errors = [
        picture_errors(canvases[:, None], tf.constant(images), blur)[:, 0].numpy()
        for blur in (True, False)
    ]
    judge, small = judges
    shown = {
        "right": (judge, np.where(canvases > 0.5, 255, 0)),
        "grey": (judge, np.rint(255 * canvases)),
        "small": (small, np.rint(255 * canvases.reshape(-1, 8, 2, 8, 2, 1).mean(axis=(2, 4)))),
    }
    right = [model(pixels).numpy().argmax(axis=-1) == labels for model, pixels in shown.values()]
    sums = np.column_stack([np.ones(len(images)), *errors, *right])

    def metrics(total: Any) -> dict[str, float]:
        return dict(zip(("error", "pixel_error", *shown), total[1:] / total[0]))

    measured = Evaluation([MetricSums(sums, metrics)])
    values, ends = measured.metrics(), measured.intervals()
    error, right_ = (f"{ends[key][0]:.3f} to {ends[key][1]:.3f}" for key in ("error", "right"))
    written = {key: f"{value:.3f}" for key, value in values.items()}
    first = [title, written["error"], error, written["pixel_error"], written["right"], right_]
    return [*first, written["grey"], written["small"]]


def greedy(model: StrokePolicy, images: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Strokes `[N, T, 5]` and canvases: at each stroke the best of so many at random."""
    rng = np.random.default_rng(1)
    shape = [-1, count, *model.image_shape]

    @tf.function(autograph=False)
    def best(drawn: Any, brush: Any, canvas: Any, some: Any) -> Any:
        flat = model.brush.proper(tf.reshape(drawn, [-1, len(model.parts)]))
        ink = tf.reshape(model.brush.render(flat, tf.repeat(brush, count, axis=0)), shape)
        canvases = over(canvas[:, None], ink)
        chosen = tf.argmin(picture_errors(canvases, some), axis=1)
        flat = tf.reshape(flat, [-1, count, len(model.parts)])
        return [tf.gather(part, chosen, batch_dims=1) for part in (flat, canvases)]

    strokes, finished = [], []
    for begin in range(0, len(images), AT_ONCE):
        some = tf.constant(images[begin : begin + AT_ONCE])
        state = model.encode(some)
        canvas, brush, taken = state["canvas"], state["brush"], []
        for _ in range(model.strokes):
            size = (len(some), count, len(model.parts))
            drawn = rng.integers(0, model.parts, size, "int32")
            drawn[..., 0] = 1
            tokens, canvas = best(tf.constant(drawn), brush, canvas, some)
            brush = model.brush.places(tokens[:, 1])
            taken.append(tokens)
        strokes.append(np.stack(taken, axis=1))
        finished.append(canvas.numpy())
    return np.concatenate(strokes), np.concatenate(finished)


def with_gradient(model: StrokePolicy, images: Any, strokes: np.ndarray) -> np.ndarray:
    """Canvases of strokes `[N, T, 5]` after all their numbers followed the gradient."""
    control, end, radius, ink = model.brush.points(tf.constant(strokes))
    widest, fullest = 1.01 * max(RADII), 1.01 * max(PRESSURES)
    numbers = [control, end, logit(radius / widest), logit(ink / fullest)]
    variables = [tf.Variable(part) for part in numbers]
    optimizer = tf.keras.optimizers.Adam(0.05)
    height, width, _ = model.image_shape

    def canvases() -> Any:
        control, end, radius, ink = variables
        radius = tf.maximum(widest * tf.sigmoid(radius), 0.5)
        ink = tf.minimum(fullest * tf.sigmoid(ink), 1.0)
        brush, canvas = tf.zeros_like(end[:, 0]), tf.zeros([len(images), height, width])
        for t in range(strokes.shape[1]):
            points = [brush, control[:, t], end[:, t], radius[:, t]]
            covered = stroke_coverage(*points, height, width)
            canvas, brush = over(canvas, ink[:, t, None, None] * covered), end[:, t]
        return canvas[..., None]

    @tf.function(autograph=False)
    def follow() -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(picture_errors(canvases()[:, None], tf.constant(images)))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))

    optimizer.build(variables)
    for _ in range(GRADIENT_STEPS):
        follow()
    return canvases().numpy()


def logit(share: Any) -> Any:
    return tf.math.log(share / (1 - share))


if __name__ == "__main__":
    main()
