"""Pictures of the kind of a data set: how likely each is, and new ones."""

from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from tasks.common.base import spread
from tasks.common.images import decode_images
from tasks.image_classification.sources import Labelled
from tasks.image_generation.baselines import independent_pixels, pixels_of_classes
from tasks.image_generation.binary import WAYS, binarised, binary_pictures
from tasks.image_generation.measuring import SAMPLES, bounds, rows_of_bounds
from tasks.image_generation.painting import NewPicturesTask, PaintingTask, check_counts
from zoo.errors import UserError
from zoo.evaluation.bootstrap import Evaluation, MetricSums
from zoo.evaluation.canvas_plots import canvas_figure
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.training.objectives import Elbo
from zoo.training.settings import Settings
from zoo.training.windows import example_windows
from zoo.utils.validation import named_function, not_empty

_LATENT, _GLIMPSES = 16, 10
_DRAWN = 6
_SEED = 1


@register(
    "task",
    "image_generation",
    topology="one_to_many",
    dataset="binary_digits",
    input="image",
    objective="elbo",
    baseline="pixels",
)
class ImageGeneration(NewPicturesTask):
    """Says how many nats a picture of black and white costs, and paints new ones.

    Any tensorflow-datasets set with `image` and `label` will do, or pictures of one's own, see
    `tasks.image_classification.pictures`; colours are read as grey, and grey has to be made binary.

    `bound` is the evidence lower bound with its sign turned, in nats a picture, `reconstruction`
    and `kl` (of each stroke `kl/1`, `kl/2` ...) its two parts, all of them means over 50 draws;
    `importance_bound` is the tighter one of these draws together. Beside them stand what pictures
    cost whose pixels are independent of each other, `pixels/bound`, and the same within each class,
    `classes/bound`.

    Args:
        dataset: its name, or the path of a folder or a table.
        data_dir: folder of prepared data sets, where decoded pictures are kept, too.
        image_shape: height, width and channels; read from the data set if not given.
        latent: numbers of each z_t; 16 if not given.
        glimpses: T, how often the model looks and paints; 10 if not given.
        binarize: how grey pixels become black or white, see `tasks.image_generation.binary`:
            "threshold" or "sample"; "" for pictures that are binary, others are refused.
        image_size: height and width that pictures are brought to; 0 for their own, or for 64, see
            `tasks.image_classification.task`.
        split_rule: see `DataTask`.

    Raises:
        UserError: an option is out of range, or the data set cannot be read.

    Source: K. Gregor et al. 2015, arXiv:1502.04623; Y. Burda et al. 2015, arXiv:1509.00519, for the
    importance-weighted bound.
    """

    objective_class = Elbo
    pipeline_tag = "unconditional-image-generation"
    limits = (
        "It paints pictures of the kind and the size of its data set, in black and white, and no "
        "other. The nats are an upper bound: how likely a picture really is, it does not say."
    )
    learned = (*PaintingTask.learned, "latent", "glimpses")

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        image_shape: list[int] | None = None,
        latent: int | None = None,
        glimpses: int | None = None,
        binarize: str = "",
        image_size: int = 0,
        split_rule: str | None = None,
    ) -> None:
        super().__init__(dataset, data_dir, image_shape, image_size, split_rule)
        if binarize not in WAYS:
            raise UserError(f"binarize is {binarize!r}, but threshold, sample or nothing is needed")
        self.binarize = binarize
        self.latent = _LATENT if latent is None else latent
        self.glimpses = _GLIMPSES if glimpses is None else glimpses
        check_counts(latent=self.latent, glimpses=self.glimpses)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "latent": self.latent,
            "glimpses": self.glimpses,
            "binarize": self.binarize,
        }

    def model_options(self) -> dict[str, Any]:
        """Return the size of the pictures, and how much is drawn for one."""
        return {**super().model_options(), "latent": self.latent, "glimpses": self.glimpses}

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return pictures `[B, h, w, 1]`, with noise `[B, T, Z]` and their classes as targets.

        For training the noise is zero: the objective draws other at each update.
        """
        images, labels = self.pictures(split)
        shape = (len(images), self.glimpses, self.latent)
        if seed is None:
            noise = np.random.default_rng(_SEED).standard_normal(shape, "float32")
        else:
            noise = np.broadcast_to(np.float32(0), shape)
        inputs = {"image": images, "noise": noise}
        return example_windows(inputs, labels, np.ones(len(labels)), settings.batch_size, seed)

    def measure(self, model: SequenceModel, split: str, settings: Settings) -> Evaluation:
        """Return the bounds of a split beside the naive ones, in nats a picture."""
        train, classes = self.pictures("train")
        images, _ = self.pictures(split)
        windows = self.shown(self.windows(split, settings))
        costs = rows_of_bounds(model, windows)
        naive = [independent_pixels(train, images), pixels_of_classes(train, classes, images)]
        rows = np.column_stack([np.ones(len(images)), *naive, costs])
        return Evaluation([MetricSums(rows, _metrics)])

    def plot(self, model: SequenceModel, raw: Any) -> Figure:
        """Draw the canvas after each stroke, and where it wrote, for the bytes of a picture."""
        return self._drawn(model, self._pixels(tf.constant([raw])))

    def plot_split(self, model: SequenceModel, split: str, settings: Settings) -> Figure:
        """Draw the same of a few pictures of a split."""
        images, _ = self.pictures(split)
        return self._drawn(model, images[spread(len(images), _DRAWN)])

    def _drawn(self, model: Any, images: Any) -> Figure:
        noise = tf.random.stateless_normal([1, self.glimpses, self.latent], [_SEED, 0])
        noise = tf.repeat(noise, len(images), axis=0)
        strokes, _ = model.strokes(noise, model.encode(images))
        shape = [len(images), self.glimpses, *self.image_shape]
        canvases = tf.reshape(tf.sigmoid(strokes.canvas), shape).numpy()
        places = strokes.place.numpy()
        if not model.attention:
            places = None
        return canvas_figure(np.asarray(images), canvases, places, model.write_size)

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return `serve` and `generate`.

        `serve` takes image bytes `[N]`, and gives what each costs in nats, `bound` and
        `importance_bound` of 50 draws, and as `reconstruction` `[N, h, w, 1]` how likely each pixel
        is on that is painted from the means of z. `generate` takes a `count` and a `seed` of two
        integers, and gives new `pictures` `[count, h, w, 1]`, likewise, and the `canvases`
        `[count, T, h, w, 1]` after each stroke.
        """
        images = {"images": tf.TensorSpec([None], tf.string)}

        def serve(images: Any) -> dict[str, Any]:
            return self._costs(model, self._pixels(not_empty(images)))

        def painted(count: Any, seed: Any) -> dict[str, Any]:
            shape = [count, self.glimpses, self.latent]
            z = tf.random.stateless_normal(shape, seed, alg="philox")
            strokes, _ = model.strokes(z, model.initial_state(count))
            canvases = tf.sigmoid(strokes.canvas)
            canvases = tf.reshape(canvases, [count, self.glimpses, *self.image_shape])
            return {"pictures": canvases[:, -1], "canvases": canvases}

        return {
            "serve": named_function(serve, images),
            "generate": self.generating(painted),
        }

    def _pixels(self, encoded: Any) -> Any:
        """Return the bytes of pictures `[N]` as binary pictures `[N, h, w, 1]`, 0 or 255."""
        return binarised(tf.round(decode_images(encoded, self.image_shape)), self.binarize)

    def _costs(self, model: Any, images: Any) -> dict[str, Any]:
        costs = bounds(model, images, tf.constant([_SEED, 0]))
        noise = tf.zeros([tf.shape(images)[0], self.glimpses, self.latent])
        strokes, _ = model.strokes(noise, model.encode(images))
        last = tf.reshape(tf.sigmoid(strokes.canvas[:, -1]), [-1, *self.image_shape])
        text = tf.strings.join(
            [
                "at most ",
                tf.strings.as_string(costs.importance, precision=1),
                f" nats ({SAMPLES} draws; ",
                tf.strings.as_string(costs.bound, precision=1),
                " with one)",
            ]
        )
        return {
            "text": text,
            "bound": costs.bound,
            "importance_bound": costs.importance,
            "reconstruction": last,
        }

    def numbers(self) -> str:
        """Return what `forward` and `step` take and give."""
        return (
            "`encode` takes pictures, 0 or 255; `step` and `forward` take noise, numbers that are "
            "drawn from N(0, 1), and give how likely each pixel of the canvas is on. From a state "
            "of zeros, noise makes a new picture; from one of `encode`, it paints that one again."
        )

    def pictures(self, split: str) -> Labelled:
        """Return the pictures of a split, 0 or 255, and their classes."""
        images, labels = super().pictures(split)
        return Labelled(binary_pictures(images, self.binarize, self.dataset), labels)


def _metrics(sums: np.ndarray) -> dict[str, float]:
    """Return the metrics of sums: the pictures, their naive costs, and `rows_of_bounds`."""
    count, *costs = map(float, sums)
    pixels, classes, wrong, importance, *kl = (cost / max(count, 1.0) for cost in costs)
    return {
        "bound": wrong + sum(kl),
        "reconstruction": wrong,
        "kl": sum(kl),
        "importance_bound": importance,
        "pixels/bound": pixels,
        "classes/bound": classes,
        **{f"kl/{number}": part for number, part in enumerate(kl, start=1)},
    }
