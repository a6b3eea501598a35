"""Transcription: a picture in, the sequence of its labels out."""

from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from tasks.common.base import rule_of, spread
from tasks.common.images import decode_images, encode_png
from tasks.common.sources import own_path
from tasks.common.units import check_unit
from tasks.image_classification.drawn import DrawnDigits, MayBeDrawn
from tasks.image_classification.sources import Labelled
from tasks.transcription.own import UNITS, OwnSequences
from tasks.transcription.scoring import before_end, drawn_metrics, metrics, scored
from tasks.transcription.sequences import NAMES, DigitSequences, counted
from zoo.errors import UserError
from zoo.evaluation.bootstrap import Evaluation, MetricSums
from zoo.evaluation.glimpse_plots import path_figure
from zoo.evaluation.loop import RowSums
from zoo.registry import register
from zoo.task import Case
from zoo.topologies.base import SequenceModel
from zoo.topologies.deep_recurrent_attention import DeepRecurrentAttention
from zoo.training.objectives import Reinforce
from zoo.training.settings import Settings
from zoo.training.windows import example_windows
from zoo.typing import Window
from zoo.utils.validation import checked, named_function, not_empty

MOST_PATHS = 64
"""Drawn paths of a picture."""
_SEED = [1, 0]


@register(
    "task",
    "transcription",
    topology="one_to_many",
    dataset="digit_sequences/pairs",
    input="image",
    objective="reinforce",
    baseline="naive",
)
class Transcription(MayBeDrawn):
    """Names the labels that a picture shows, in their order.

    It learns from `digit_sequences/pairs`, `/up_to_3` and `/sum`, which are drawn as they are read,
    see `tasks.transcription.sequences`, or from pictures of one's own and a table of their labels,
    see `tasks.transcription.own`.

    The model looks where it means to, without chance: `exact_match`, `accuracy` and `edit_distance`
    are of that one path, see `tasks.transcription.scoring`. With `paths`, `drawn/exact_match` and
    so on stand beside them: of the mean of the probabilities that as many drawn paths end with.

    Args:
        dataset: its name, or the path of a folder or a table.
        data_dir: where decoded pictures are kept.
        classes: names of the labels; read from the data set if not given.
        image_shape: height, width and channels, likewise.
        labels: how many labels a model names at most, likewise; the end of a sequence is one of
            them where sequences differ in length.
        unit: of own data, "word": labels are set apart by spaces; "character": each character is
            one.
        image_size: height and width that pictures are brought to, see `image_classification`.
        paths: drawn paths that an evaluation averages beside the mean path; 0 for none.
        split_rule: see `DataTask`.

    Raises:
        UserError: an option is out of range, or the data set cannot be read.
    """

    input_kind = "image"
    default_dataset = NAMES[0]
    objective_class = Reinforce
    monitor = "val_accuracy"
    counted = "pictures"
    pipeline_tag = "image-to-text"
    limits = (
        "It names labels for any picture, also for one that shows none of them, and was only ever "
        "shown pictures like those of its data set: others must be of their kind, size and "
        "contrast, and show no more labels."
    )
    outcomes = ("classes", "labels")
    learned = (*MayBeDrawn.learned, "image_shape")

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        classes: list[str] | None = None,
        image_shape: list[int] | None = None,
        labels: int | None = None,
        unit: str = "word",
        image_size: int = 0,
        paths: int = 0,
        split_rule: str | None = None,
    ) -> None:
        super().__init__(dataset, data_dir, rule_of(split_rule, classes))
        check_unit(unit, UNITS)
        if image_size < 0:
            raise UserError(f"image_size is {image_size}, but 0 or more is needed")
        self.unit, self.image_size, self.paths = unit, image_size, check_paths(paths)
        self._opened: dict[tuple[str, str | None], DigitSequences | OwnSequences] = {}
        self._splits: dict[tuple[str, str | None, str], Labelled] = {}
        self.classes = classes or self._source.classes
        self.image_shape = image_shape or self._source.image_shape(image_size)
        self.labels = labels or self._source.longest + self._source.ends

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "classes": self.classes,
            "image_shape": self.image_shape,
            "labels": self.labels,
            "unit": self.unit,
            "image_size": self.image_size,
            "paths": self.paths,
        }

    def model_options(self) -> dict[str, Any]:
        """Return how many labels and classes, the end among these, and the size of pictures."""
        return {
            "classes": len(self.classes) + 1,
            "image_shape": self.image_shape,
            "labels": self.labels,
        }

    @property
    def _end(self) -> int:
        """Return the class that ends a sequence."""
        return len(self.classes)

    def draw_paths(self, paths: int) -> None:
        """Measure the mean of so many drawn paths of each picture, too; 0 for none.

        Raises:
            UserError: it is below 0, or more than `MOST_PATHS`.
        """
        self.paths = check_paths(paths)

    def check(self, model: SequenceModel) -> None:
        """Raise if a model names no labels one after the other.

        Raises:
            UserError: it does not.
        """
        if not isinstance(model, DeepRecurrentAttention):
            raise UserError(
                f"{type(model).__name__} names no labels of a picture one after the other: choose "
                "a model such as dram-pairs"
            )

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return pictures `[B, h, w, c]`, and their labels `[B, S]` up to their end."""
        source = self._source
        if seed is not None and isinstance(source, DrawnDigits):
            self._check_length(source)
            windows = source.windows(self.image_shape, settings.batch_size, seed)
            return windows.map(self._padded)
        images, labels = self._read(split)
        weights = counted(labels, self._end)
        return example_windows(images, labels, weights, settings.batch_size, seed)

    def _padded(self, window: Window) -> Window:
        """Return a window of S labels, those that it lacks being the end, without a weight."""
        missing = [[0, 0], [0, self.labels - window["targets"].shape[1]]]
        targets = tf.pad(window["targets"], missing, constant_values=self._end)
        return {**window, "targets": targets, "weights": tf.pad(window["weights"], missing)}

    def measure(self, model: Any, split: str, settings: Settings) -> Evaluation:
        """Return `loss`, and the metrics of `tasks.transcription.scoring`."""
        objective, groups = self.objective(), self.groups(split)
        images, labels = self._read(split)
        train = self._read("train").labels
        rows = RowSums(model, objective)(self.shown(self.windows(split, settings)))
        both = [MetricSums(rows, lambda sums: {"loss": objective.results(sums)["loss"]}, groups)]
        answers = self._named(model, images, settings.batch_size, 0)
        both.append(MetricSums(scored(labels, answers, train, self._end), metrics, groups))
        if self.paths:
            answers = self._named(model, images, settings.batch_size, self.paths)
            own = scored(labels, answers, train, self._end)
            both.append(MetricSums(own, drawn_metrics, groups))
        return Evaluation(both)

    def _named(self, model: Any, images: np.ndarray, rows: int, paths: int) -> np.ndarray:
        """Return the likeliest label of each place, `[N, S]`, of the mean path or of drawn ones."""

        @partial(tf.function, reduce_retracing=True, autograph=False)
        def likeliest(some: Any) -> Any:
            probabilities = (
                self.averaged(model, some, paths, tf.constant(_SEED))
                if paths
                else tf.nn.softmax(model(some))
            )
            return tf.argmax(probabilities, axis=-1)

        parts = [images[n : n + rows] for n in range(0, len(images), rows)]
        return np.concatenate([likeliest(tf.constant(np.asarray(part))).numpy() for part in parts])

    def averaged(self, model: Any, images: Any, paths: Any, seed: Any) -> Any:
        """Return the mean probabilities of labels over drawn paths, `[B, S, classes]`.

        Places are drawn as in training, around those that the model means, and the same draws are
        made for each picture, so that it is answered beside others as it is alone.

        Args:
            model: a built one.
            images: `[B, h, w, c]`, values 0..255.
            paths: how many of each.
            seed: two integers.
        """
        objective: Any = self.objective()
        count, readers = tf.shape(images)[0], model.readers()
        shape = [paths, model.chosen, 2 * len(readers)]
        drawn = tf.random.stateless_normal(shape, seed, alg="philox")
        noise = tf.tile(objective.sigma * drawn, [count, 1, 1])
        repeated = tf.repeat(images, paths, axis=0)
        means = []
        for reader, own in zip(readers, tf.split(noise, len(readers), axis=-1)):
            logits = reader.labelled(reader.follow(repeated, own).logits)
            shape = [count, paths, model.labels, logits.shape[-1]]
            means.append(tf.reduce_mean(tf.reshape(tf.nn.softmax(logits), shape), axis=1))
        return tf.exp(model.combined([tf.math.log(mean) for mean in means]))

    def endpoints(self, model: Any) -> dict[str, Any]:
        """Return `serve` and `average`.

        `serve` takes image bytes `[N]`, and gives `text`, the labels of the mean path, `tokens`
        `[N, S]`, each of them, "" after the last, `probability` `[N]` of the whole sequence, and
        `places` `[N, T, 2]`, where the model looked, or `[N, T, 4]` of two directions. `average`
        also takes a number of `paths` and a `seed` of two integers, and beside `text` gives
        `text_of_paths` and `probability_of_paths`: of the mean over drawn paths.
        """
        images = {"images": tf.TensorSpec([None], tf.string)}
        how = {"paths": tf.TensorSpec([], tf.int32), "seed": tf.TensorSpec([2], tf.int32)}

        def pixels(raws: Any) -> Any:
            return decode_images(not_empty(raws), self.image_shape)

        def of_mean_path(shown: Any) -> dict[str, Any]:
            paths = [reader.follow(shown) for reader in model.readers()]
            logits = model.combined([model.labelled(path.logits) for path in paths])
            answer = self._readable(tf.nn.softmax(logits))
            return {**answer, "places": tf.concat([path.places for path in paths], axis=-1)}

        def serve(images: Any) -> dict[str, Any]:
            return of_mean_path(pixels(images))

        def average(images: Any, paths: Any, seed: Any) -> dict[str, Any]:
            message = f"paths must be 1 to {MOST_PATHS}, but is"
            paths = checked(paths, (paths > 0) & (paths <= MOST_PATHS), message)
            shown = pixels(images)
            drawn = self._readable(self.averaged(model, shown, paths, seed))
            return {
                **of_mean_path(shown),
                "text_of_paths": drawn["text"],
                "probability_of_paths": drawn["probability"],
            }

        return {
            "serve": named_function(serve, images),
            "average": named_function(average, {**images, **how}, {"paths": 8, "seed": _SEED}),
        }

    def _readable(self, probabilities: Any) -> dict[str, Any]:
        """Return what the likeliest labels of `[N, S, classes]` are called, up to their end."""
        likeliest = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
        ended = tf.cumsum(tf.cast(likeliest == self._end, tf.int32), axis=1)
        names = tf.constant([*self.classes, ""])
        tokens = tf.where(ended > 0, "", tf.gather(names, likeliest))
        between = " " if self.unit == "word" else ""
        # The end is itself an answer, what is after it is none.
        first = tf.cumsum(ended, axis=1) <= 1
        sure = tf.where(first, tf.reduce_max(probabilities, axis=-1), 1.0)
        return {
            "text": tf.strings.strip(tf.strings.reduce_join(tokens, axis=1, separator=between)),
            "tokens": tokens,
            "probability": tf.reduce_prod(sure, axis=1),
        }

    def plot(self, model: Any, raw: bytes) -> Figure:
        """Draw where the model looked, what it saw there, and how sure it was of each label."""
        pixels = decode_images(tf.constant([raw]), self.image_shape)
        return path_figure(model, pixels, [*self.classes, "end"])

    def examples(self) -> list[bytes]:
        """Return three test images as PNG."""
        some = self._source.some(3, self.image_shape, self.classes)
        return [encode_png(image) for image in some]

    def cases(self, count: int) -> list[Case]:
        """Return test pictures and their labels."""
        images, labels = self._read("test")
        cases = []
        for place in spread(len(labels), count):
            names = [self.classes[label] for label in before_end(labels[place], self._end)]
            expected = (" " if self.unit == "word" else "").join(names)
            cases.append(Case(encode_png(images[place]), expected, expected.__eq__))
        return cases

    def decoding(self) -> str:
        """Say which path the answers are of."""
        return "The model looked where it means to, without chance, and took the likeliest labels."

    def _read(self, split: str) -> Labelled:
        """Return the pictures of a split and their labels, which are read once."""
        at = (self.dataset, self.data_dir, split)
        if at not in self._splits:
            self._splits[at] = self._labelled(split)
        return self._splits[at]

    def _labelled(self, split: str) -> Labelled:
        source = self._source
        if isinstance(source, OwnSequences):
            return source.sequences(split, self.image_shape, self.classes, self.labels)
        images, labels = source.read(split, self.image_shape, self.classes)
        self._check_length(source)
        missing = self.labels - labels.shape[1]
        return Labelled(images, np.pad(labels, [(0, 0), (0, missing)], constant_values=self._end))

    def _check_length(self, source: DigitSequences) -> None:
        """Raise if a data set has longer sequences than the model names.

        Raises:
            UserError: it has.
        """
        if source.longest + source.ends > self.labels:
            raise UserError(
                f"the data set {self.dataset} has up to {source.longest} labels a picture, but the "
                f"model names {self.labels} at most"
            )

    @property
    def resampled(self) -> str:
        """Return what intervals draw: blocks of digits that are shown together, or pictures."""
        return "blocks of digits" if isinstance(self._source, DrawnDigits) else self.counted

    @property
    def _source(self) -> DigitSequences | OwnSequences:
        """Return the data set, which an evaluation may change."""
        at = (self.dataset, self.data_dir)
        if at not in self._opened:
            self._opened[at] = self._open(*at)
        return self._opened[at]

    def _open(self, dataset: str, data_dir: str | None) -> DigitSequences | OwnSequences:
        if dataset in NAMES:
            return DigitSequences(dataset)
        if path := own_path(dataset, self.default_dataset):
            return OwnSequences(path, data_dir, self.split_rule, self.unit)
        raise UserError(
            f"there is no data set {dataset} of pictures and sequences of labels: choose "
            f"{', '.join(NAMES)}, or the path of a table with the columns picture and labels"
        )


def check_paths(paths: int) -> int:
    """Return a number of drawn paths.

    Raises:
        UserError: it is below 0, or more than `MOST_PATHS`.
    """
    if not 0 <= paths <= MOST_PATHS:
        raise UserError(f"paths is {paths}, but 0 to {MOST_PATHS} is needed")
    return paths
