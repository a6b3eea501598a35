"""Pictures of a kind that a brush paints from nothing, stroke by stroke."""

from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from tasks.common.base import spread
from tasks.image_classification.sources import Labelled
from tasks.image_generation.painting import NewPicturesTask, PaintingTask, check_counts
from tasks.stroke_drawing.choices import CHOICES, random_strokes
from tasks.stroke_drawing.vector import svg
from zoo.errors import UserError
from zoo.evaluation.bootstrap import Evaluation, MetricSums
from zoo.evaluation.stroke_plots import stroke_figure
from zoo.registry import register
from zoo.task import Case
from zoo.topologies.base import SequenceModel
from zoo.topologies.stroke_policy import PARTS, Painting
from zoo.training.objectives import SketchReward
from zoo.training.objectives.kernel_distance import kernel_distances
from zoo.training.objectives.stroke_worth import gumbel
from zoo.training.settings import Settings
from zoo.training.windows import example_windows
from zoo.utils.validation import named_function, not_empty

_LATENT, _STROKES = 16, 6
_COMPARED = 1000
_DRAWN = 6
_SEED = 1
_NAMES = ("first", "second", "third", "fourth", "fifth", "sixth")


@register(
    "task",
    "sketching",
    topology="one_to_many",
    dataset="binary_digits",
    input="text",
    objective="sketches",
    baseline="random",
)
class Sketching(NewPicturesTask):
    """Paints pictures of the kind of a data set with a few strokes of a brush, shown none of them.

    `kernel_distance` is the squared distance of paintings from the pictures of the split, as two
    sets, see `zoo.training.objectives.kernel_distance`; beside it stand that of as many pictures of
    the training part, `train/kernel_distance`, which is 0 but for chance, and that of strokes drawn
    at random, `random/kernel_distance`. Of a split, 1,000 pictures at most are compared. `moves` is
    the share of strokes that only move the brush.

    Args:
        dataset: see `PaintingTask`.
        data_dir: likewise.
        image_shape: likewise.
        image_size: likewise.
        latent: numbers of the noise that a picture starts from; 16 if not given.
        strokes: T, of each painting; 6 if not given.
        classes: names of those whose pictures are painted, such as ["0", "1"]; all if not given.
        split_rule: see `PaintingTask`.

    Raises:
        UserError: an option is out of range, or the data set cannot be read.

    Source: Y. Ganin et al. 2018, arXiv:1804.01118; A. Gretton et al. 2012, "A kernel two-sample
    test", Journal of Machine Learning Research 13.
    """

    input_kind = "text"
    objective_class = SketchReward
    pipeline_tag = "unconditional-image-generation"
    limits = (
        "It paints pictures of the kind and the size of its data set, white on black, with so many "
        "strokes and no more; which one, chance says. A name only chooses the chance: what it "
        "means, the model does not know."
    )
    learned = (*PaintingTask.learned, "latent", "strokes")

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        image_shape: list[int] | None = None,
        latent: int | None = None,
        strokes: int | None = None,
        classes: list[str] | None = None,
        image_size: int = 0,
        split_rule: str | None = None,
    ) -> None:
        super().__init__(dataset, data_dir, image_shape, image_size, split_rule)
        self.latent = _LATENT if latent is None else latent
        self.strokes = _STROKES if strokes is None else strokes
        self.classes = classes
        check_counts(latent=self.latent, strokes=self.strokes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "latent": self.latent,
            "strokes": self.strokes,
            "classes": self.classes,
        }

    def model_options(self) -> dict[str, Any]:
        """Return the size of the pictures, and how much is drawn for one."""
        return {**super().model_options(), "latent": self.latent, "strokes": self.strokes}

    def pictures(self, split: str) -> Labelled:
        """Return the pictures of a split that are of `classes`."""
        images, labels = super().pictures(split)
        if not self.classes:
            return Labelled(images, labels)
        names = list(self._source.classes)
        strange = [name for name in self.classes if name not in names]
        if strange:
            raise UserError(
                f"classes has {strange[0]!r}, but {self.dataset} has {', '.join(names) or 'none'}"
            )
        wanted = np.isin(labels, [names.index(name) for name in self.classes])
        return Labelled(images[wanted], labels[wanted])

    def examples(self) -> list[str]:
        """Return three names."""
        return list(_NAMES[:3])

    def cases(self, count: int) -> list[Case]:
        """Return names; no answer is right or wrong."""
        return [Case(name, "") for name in _NAMES[:count]]

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return noise `[B, Z]`, and strokes `[B, T, 5]`, with pictures `[B, h, w, 1]` as targets.

        For training the noise is zero: the objective draws other at each update. The strokes are
        drawn at random: models choose their own, in training and in evaluation.
        """
        images, _ = self.pictures(split)
        rng = np.random.default_rng(_SEED)
        strokes = random_strokes(rng, len(images), self.strokes)
        noise = np.zeros((len(images), self.latent), "float32")
        if seed is None:
            noise = rng.standard_normal(noise.shape, "float32")
        inputs = {"noise": noise, "strokes": strokes}
        return example_windows(inputs, images, np.ones(len(images)), settings.batch_size, seed)

    def measure(self, model: SequenceModel, split: str, settings: Settings) -> Evaluation:
        """Return how far paintings are from a split, beside training pictures and random strokes.

        An interval draws pictures and paintings together, with replacement.
        """
        images, _ = self.pictures(split)
        train, _ = self.pictures("train")
        count = min(len(images), len(train), _COMPARED)
        real, other = (part[spread(len(part), count)] / np.float32(255) for part in (images, train))
        painting = _painted(model, self._noise(model, count, [_SEED, 0]))
        compared = (painting.canvases[:, -1], other, self.at_random(model, count))
        weights = tf.ones([count])
        distances = [kernel_distances(tf.constant(part), real, weights) for part in compared]
        moves = 1 - tf.reduce_mean(tf.cast(painting.tokens[..., 0], tf.float32), axis=1)
        return Evaluation(
            [MetricSums(np.column_stack([np.ones(count), *distances, moves]), _metrics)]
        )

    def at_random(self, model: Any, count: int) -> Any:
        """Return what strokes paint `[count, h, w, 1]` whose parts are drawn at random."""
        tokens = np.random.default_rng(_SEED).integers(
            0, model.parts, (count, self.strokes, len(PARTS)), "int32"
        )
        tokens[..., 0] = 1
        noise = tf.zeros([count, self.latent])
        _, state = model({"noise": noise, "strokes": tf.constant(tokens)}, return_state=True)
        return state["canvas"]

    def _noise(self, model: Any, count: Any, seed: Any) -> tuple[Any, Any]:
        """Return what pictures start from, `[count, Z]`, and what draws their strokes."""
        z = tf.random.stateless_normal([count, self.latent], seed, alg="philox")
        own = tf.random.experimental.stateless_fold_in(seed, 1)
        return z, gumbel([count, model.strokes, sum(model.parts)], own)

    def plot(self, model: SequenceModel, raw: Any) -> Figure:
        """Draw the strokes of the picture of a name as numbered arrows, and what they paint."""
        return _figure(model, _painted(model, self._noise_of(model, tf.constant([raw]))))

    def plot_split(self, model: SequenceModel, split: str, settings: Settings) -> Figure:
        """Draw the same of a few pictures, whatever the split."""
        return _figure(model, _painted(model, self._noise(model, _DRAWN, [_SEED, 0])))

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return `serve` and `generate`.

        `serve` takes names `[N]`, any texts, and paints a picture for each, always the same one. It
        gives the `strokes` `[N, T, 8]`, see `zoo.layers.brush.Brush.described`, as `text` an SVG of
        them, and the `canvases` `[N, T, h, w, 1]` after each, 0..1. `generate` gives the same of
        new pictures, for a `count` and a `seed` of two integers.
        """
        names = {"names": tf.TensorSpec([None], tf.string)}

        def answer(noise: tuple[Any, Any]) -> dict[str, Any]:
            painting = _painted(model, noise)
            strokes = model.brush.described(painting.tokens)
            text = svg(strokes, *self.image_shape[:2])
            return {"text": text, "strokes": strokes, "canvases": painting.canvases[:, 1:]}

        def serve(names: Any) -> dict[str, Any]:
            return answer(self._noise_of(model, not_empty(names)))

        return {
            "serve": named_function(serve, names),
            "generate": self.generating(lambda *how: answer(self._noise(model, *how))),
        }

    def _noise_of(self, model: Any, names: Any) -> tuple[Any, Any]:
        """Return what the pictures of names `[N]` start from, and what draws their strokes."""
        seeds = tf.stack(
            [tf.strings.to_hash_bucket_strong(names, 2**31 - 1, [1, key]) for key in (1, 2)], axis=1
        )

        def of_name(seed: Any) -> tuple[Any, Any]:
            z, drawn = self._noise(model, 1, seed)
            return z[0], drawn[0]

        return tf.map_fn(of_name, seeds, fn_output_signature=(tf.float32, tf.float32))

    def numbers(self) -> str:
        """Return what `forward` and `step` take and give."""
        return (
            "`encode` takes noise, numbers that are drawn from N(0, 1); `step` and `forward` take "
            f"{CHOICES}"
        )


def _painted(model: Any, noise: tuple[Any, Any]) -> Painting:
    """Return what strokes paint that are drawn as the noise says."""
    z, drawn = noise
    return model.paint(model.encode(z), drawn)


def _figure(model: Any, painting: Painting) -> Figure:
    finished = painting.canvases[:, -1].numpy()
    return stroke_figure(255 * finished, finished, model.brush.described(painting.tokens).numpy())


def _metrics(sums: np.ndarray) -> dict[str, float]:
    """Return the metrics of sums: of the pictures, of three distances, and of moves."""
    count, *numbers = map(float, sums)
    names = ("kernel_distance", "train/kernel_distance", "random/kernel_distance", "moves")
    return {name: number / max(count, 1.0) for name, number in zip(names, numbers)}
