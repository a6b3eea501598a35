"""Classification of an image."""

import math
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

import tasks.image_classification.dataset  # noqa: F401  makes `digits` known by name
from tasks.common.base import rule_of, spread
from tasks.common.classes import class_case
from tasks.common.classification import Classification
from tasks.common.folds import check_fold, check_own
from tasks.common.images import decode_images, encode_png
from tasks.common.sources import own_path
from tasks.common.streams import as_step
from tasks.image_classification.drawn import MayBeDrawn
from tasks.image_classification.scattered import NAMES, ScatteredDigits
from tasks.image_classification.sources import Labelled, NamedPictures, OwnPictures
from zoo.errors import UserError
from zoo.evaluation.glimpse_plots import path_figure
from zoo.registry import register
from zoo.task import Case
from zoo.topologies.base import SequenceModel
from zoo.topologies.looking import LookingModel
from zoo.training.settings import Settings
from zoo.training.windows import example_windows
from zoo.utils.validation import not_empty


@register(
    "task",
    "image_classification",
    topology="one_to_one",
    dataset="digits",
    input="image",
    baseline="naive",
)
class ImageClassification(MayBeDrawn, Classification):
    """Says which of some classes an image shows.

    Any tensorflow-datasets set with `image`, all of one size, and `label` will do, such as
    `mnist`; and so will pictures of one's own, see `tasks.image_classification.pictures`, and
    `scattered_digits/translated` and `/cluttered`, which are drawn as they are read, see
    `tasks.image_classification.scattered`.

    Args:
        dataset: its name, or the path of a folder or a table.
        data_dir: folder of prepared data sets, where decoded pictures are kept, too.
        classes: names of the classes; read from the data set if not given.
        image_shape: height, width and channels, likewise.
        sequence: "rows" or "pixels" for a many-to-one model, which is shown the image from its top
            left on, one row or one pixel at a time; "" for the image as a whole.
        image_size: height and width that pictures are brought to; 0 for their own or, of own
            pictures of more than one size or over 64 pixels, for 64.
        split_rule: see `DataTask`.
        fold: of a person's own data, the part that is held out for the test, such as "2/5", the
            second of five; "" for the usual splits. `zoo fit --folds 5` takes each in turn, and
            then learns from all, "all/5".

    Raises:
        UserError: `sequence` is none of the three, `image_size` is below 0, or the data set cannot
            be read.
    """

    input_kind = "image"
    default_dataset = "digits"
    counted = "images"
    pipeline_tag = "image-classification"
    limits = (
        "It names one of its classes for any picture, also for one that shows none of them, and "
        "was only ever shown pictures like those of its data set: others must be of their kind, "
        "size and contrast."
    )
    learned = (*Classification.learned, "image_shape")

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        classes: list[str] | None = None,
        image_shape: list[int] | None = None,
        sequence: str = "",
        image_size: int = 0,
        split_rule: str | None = None,
        fold: str = "",
    ) -> None:
        super().__init__(dataset, data_dir, rule_of(split_rule, classes))
        self.fold = check_fold(fold)
        if sequence not in ("", "rows", "pixels"):
            raise UserError(f"sequence is {sequence!r}, but rows, pixels or nothing is needed")
        if image_size < 0:
            raise UserError(f"image_size is {image_size}, but 0 or more is needed")
        self.sequence, self.image_size = sequence, image_size
        self._opened: dict[tuple[str, str | None], _Source] = {}
        self.classes = classes or self._source.classes
        self.image_shape = image_shape or self._source.image_shape(image_size)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "fold": self.fold,
            "classes": self.classes,
            "image_shape": self.image_shape,
            "sequence": self.sequence,
            "image_size": self.image_size,
        }

    def model_options(self) -> dict[str, Any]:
        """Return the number of classes and the size of the images, or of the part shown at once."""
        size = {"frame_shape": self._frame_shape}
        if not self.sequence:
            size = {"image_shape": self.image_shape}
        return {"classes": len(self.classes), **size}

    @property
    def _frame_shape(self) -> list[int]:
        """Return a row, or a pixel, as an image of its own."""
        _, width, channels = self.image_shape
        return [1, width if self.sequence == "rows" else 1, channels]

    def _shown(self, images: Any) -> Any:
        """Return images `[B, h, w, c]` as a model takes them: whole, or clips of rows or pixels."""
        if not self.sequence:
            return images
        time = math.prod(self.image_shape) // math.prod(self._frame_shape)
        frames = tf.reshape(images, (-1, time, *self._frame_shape))
        return {"frames": frames, "lengths": tf.fill(tf.shape(frames)[:1], time)}

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return images `[B, h, w, c]`, or clips of their rows or pixels, with one target each."""
        source = self._source
        if seed is not None and isinstance(source, ScatteredDigits) and not self.sequence:
            return source.windows(self.image_shape, settings.batch_size, seed)
        images, labels = self._read(split)
        inputs = tf.nest.map_structure(np.asarray, self._shown(images))
        return example_windows(inputs, labels, np.ones(len(labels)), settings.batch_size, seed)

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return `serve`: image bytes `[N]` to what `tasks.common.data.likeliest` returns."""

        @tf.function(
            input_signature=[tf.TensorSpec([None], tf.string, name="images")], autograph=False
        )
        def serve(images: Any) -> dict[str, Any]:
            pixels = decode_images(not_empty(images), self.image_shape)
            return self.likeliest(model(self._shown(pixels)))

        if not self.sequence or not model.steppable:
            return {"serve": serve}

        @tf.function(
            input_signature=[tf.TensorSpec([1], tf.string, name="images")], autograph=False
        )
        def read(images: Any) -> dict[str, Any]:
            shown = self._shown(decode_images(images, self.image_shape))
            return {"x": as_step(model, shown["frames"][0])}

        return {"serve": serve, "read": read, "tell": self.tell()}

    def plot(self, model: SequenceModel, raw: bytes) -> Figure:
        """Draw where a model of glimpses looked, what it saw there, and how sure it was.

        Raises:
            UserError: the model takes in a picture at once.
        """
        if not isinstance(model, LookingModel):
            return super().plot(model, raw)
        pixels = decode_images(tf.constant([raw]), self.image_shape)
        return path_figure(model, pixels, self.classes)

    def examples(self) -> list[bytes]:
        """Return three test images as PNG."""
        some = self._source.some(3, self.image_shape, self.classes)
        return [encode_png(image) for image in some]

    def cases(self, count: int) -> list[Case]:
        """Return test images and their classes."""
        images, labels = self._read("test")
        return [
            class_case(encode_png(images[place]), self.classes[labels[place]])
            for place in spread(len(labels), count)
        ]

    def _read(self, split: str) -> Labelled:
        return self._source.read(split, self.image_shape, self.classes)

    @property
    def resampled(self) -> str:
        """Return what intervals draw: digits, of pictures of which several show one."""
        return "digits" if isinstance(self._source, ScatteredDigits) else super().resampled

    @property
    def _source(self) -> "_Source":
        """Return the data set, which an evaluation may change."""
        at = (self.dataset, self.data_dir)
        if at not in self._opened:
            self._opened[at] = self._open(*at)
        return self._opened[at]

    def _open(self, dataset: str, data_dir: str | None) -> "_Source":
        path = None if dataset in NAMES else own_path(dataset, self.default_dataset)
        if path:
            return OwnPictures(path, data_dir, self.split_rule, self.fold)
        check_own(self.fold, dataset)
        if dataset in NAMES:
            return ScatteredDigits(dataset)
        return NamedPictures(dataset, data_dir)


_Source = NamedPictures | OwnPictures | ScatteredDigits
