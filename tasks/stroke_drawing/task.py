"""Pictures painted by a brush, stroke by stroke."""

from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from tasks.common.base import spread
from tasks.common.images import decode_images
from tasks.image_generation.painting import PaintingTask, check_counts
from tasks.stroke_drawing.choices import CHOICES, random_strokes
from tasks.stroke_drawing.vector import svg
from zoo.evaluation.bootstrap import Evaluation, MetricSums
from zoo.evaluation.loop import WindowLoop
from zoo.evaluation.stroke_plots import stroke_figure
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.topologies.stroke_policy import Painting
from zoo.training.objectives import StrokeReward
from zoo.training.objectives.stroke_worth import likeliest, picture_errors
from zoo.training.settings import Settings
from zoo.training.windows import example_windows
from zoo.typing import State, Window
from zoo.utils.validation import named_function, not_empty

_STROKES = 8
_DRAWN = 6
_SEED = 1


@register(
    "task",
    "stroke_drawing",
    topology="one_to_many",
    dataset="binary_digits",
    input="image",
    objective="strokes",
    baseline="naive",
)
class StrokeDrawing(PaintingTask):
    """Paints a picture that it is shown with a few strokes of a brush, and writes them as SVG.

    `error` is the error that the painting leaves, as a share of that of an empty canvas, seen
    through a blur of half a pixel; `pixel_error` is the same without a blur. The naive answer to
    each picture is the mean of all that are measured. `moves` is the share of strokes that only
    move the brush.

    Args:
        dataset: see `PaintingTask`.
        data_dir: likewise.
        image_shape: likewise.
        image_size: likewise.
        strokes: T, of each painting; 8 if not given.
        split_rule: see `PaintingTask`.

    Raises:
        UserError: an option is out of range, or the data set cannot be read.

    Source: Y. Ganin et al. 2018, arXiv:1804.01118; J. Mellor et al. 2019, arXiv:1910.01007.
    """

    objective_class = StrokeReward
    limits = (
        "It paints pictures of the kind and the size of its data set, white on black, with so many "
        "strokes and no more. What it cannot paint it does not say: look at `error`."
    )
    learned = (*PaintingTask.learned, "strokes")

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        image_shape: list[int] | None = None,
        strokes: int | None = None,
        image_size: int = 0,
        split_rule: str | None = None,
    ) -> None:
        super().__init__(dataset, data_dir, image_shape, image_size, split_rule)
        self.strokes = _STROKES if strokes is None else strokes
        check_counts(strokes=self.strokes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "strokes": self.strokes}

    def model_options(self) -> dict[str, Any]:
        """Return the size of the pictures, and how many strokes there are of each."""
        return {**super().model_options(), "strokes": self.strokes}

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return pictures `[B, h, w, 1]`, with strokes `[B, T, 5]` and their classes as targets.

        The strokes are drawn at random: models choose their own, in training and in evaluation.
        """
        images, labels = self.pictures(split)
        strokes = random_strokes(np.random.default_rng(_SEED), len(images), self.strokes)
        inputs = {"image": images, "strokes": strokes}
        return example_windows(inputs, labels, np.ones(len(labels)), settings.batch_size, seed)

    def measure(self, model: SequenceModel, split: str, settings: Settings) -> Evaluation:
        """Return what the likeliest strokes leave of each picture, beside the mean picture."""
        mean = self.pictures(split).images.mean(axis=0, dtype="float32") / 255

        def measured(window: Window, state: State) -> tuple[Any, State]:
            images = window["inputs"]["image"]
            painting = _painted(model, images)
            last = painting.canvases[:, -1:]
            both = tf.concat([last, tf.broadcast_to(mean, tf.shape(last))], axis=1)
            moves = 1 - tf.reduce_mean(tf.cast(painting.tokens[..., 0], tf.float32), axis=1)
            errors = [picture_errors(both, images, blur) for blur in (True, False)]
            return (tf.concat([*errors, moves[:, None]], axis=1), window["weights"] > 0), state

        loop = WindowLoop(model, measured)
        parts = loop(self.shown(self.windows(split, settings)))
        rows = np.concatenate([each.numpy()[used.numpy()] for _, (each, used) in parts])
        return Evaluation([MetricSums(np.column_stack([np.ones(len(rows)), rows]), _metrics)])

    def output_unit(self, inputs: Any) -> tuple[str, Any]:
        """Return a probability: outputs are no logits, of which a softmax would be taken."""
        return "probability", 1.0

    def plot(self, model: SequenceModel, raw: Any) -> Figure:
        """Draw the strokes as numbered arrows over a picture, and what they paint."""
        return self._drawn(model, self._pixels(tf.constant([raw])))

    def plot_split(self, model: SequenceModel, split: str, settings: Settings) -> Figure:
        """Draw the same of a few pictures of a split."""
        images, _ = self.pictures(split)
        return self._drawn(model, images[spread(len(images), _DRAWN)])

    def _drawn(self, model: Any, images: Any) -> Figure:
        painting = _painted(model, images)
        strokes = model.brush.described(painting.tokens).numpy()
        return stroke_figure(np.asarray(images), painting.canvases[:, -1].numpy(), strokes)

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return `serve`.

        It takes image bytes `[N]`, and gives the likeliest `strokes` `[N, T, 8]`, see
        `zoo.layers.brush.Brush.described`, as `text` an SVG of them, the `canvases`
        `[N, T, h, w, 1]` after each, 0..1, and the `error` that is left.
        """

        def serve(images: Any) -> dict[str, Any]:
            pictures = self._pixels(not_empty(images))
            painting = _painted(model, pictures)
            strokes = model.brush.described(painting.tokens)
            return {
                "text": svg(strokes, *self.image_shape[:2]),
                "error": picture_errors(painting.canvases[:, -1:], pictures)[:, 0],
                "strokes": strokes,
                "canvases": painting.canvases[:, 1:],
            }

        images = {"images": tf.TensorSpec([None], tf.string)}
        return {"serve": named_function(serve, images)}

    def _pixels(self, encoded: Any) -> Any:
        """Return the bytes of pictures `[N]` as pictures `[N, h, w, 1]`, 0..255."""
        return tf.round(decode_images(encoded, self.image_shape))

    def numbers(self) -> str:
        """Return what `forward` and `step` take and give."""
        return f"`encode` takes pictures, 0 to 255; `step` and `forward` take {CHOICES}"


def _painted(model: Any, images: Any) -> Painting:
    """Return what the likeliest strokes paint of pictures `[N, h, w, 1]`, 0..255."""
    state = model.encode(images)
    return model.paint(state, likeliest(model, tf.shape(images)[0]))


def _metrics(sums: np.ndarray) -> dict[str, float]:
    """Return the metrics of sums: of the pictures, and of the numbers of `measure`."""
    count, *numbers = map(float, sums)
    names = ("error", "naive/error", "pixel_error", "naive/pixel_error", "moves")
    return {name: number / max(count, 1.0) for name, number in zip(names, numbers)}
