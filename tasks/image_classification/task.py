"""Classification of an image."""

import math
from typing import Any

import numpy as np
import tensorflow as tf

import tasks.image_classification.dataset  # noqa: F401  makes `digits` known by name
from tasks.common.base import spread
from tasks.common.classes import class_case
from tasks.common.classification import Classification
from tasks.common.data import check_classes, class_names, load_split
from tasks.common.images import decode_images, encode_png, stack_images
from tasks.common.streams import as_step
from zoo.errors import UserError
from zoo.registry import register
from zoo.task import Case
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings
from zoo.training.windows import example_windows
from zoo.utils.validation import not_empty


@register("task", "image_classification", topology="one_to_one", dataset="digits", input="image")
class ImageClassification(Classification):
    """Says which of some classes an image shows.

    Any tensorflow-datasets set with `image`, all of one size, and `label` will do, such as
    `mnist`.

    Args:
        dataset: its name.
        data_dir: folder of prepared data sets.
        classes: names of the classes; read from the data set if not given.
        image_shape: height, width and channels, likewise.
        sequence: "rows" or "pixels" for a many-to-one model, which is shown the image from its top
            left on, one row or one pixel at a time; "" for the image as a whole.

    Raises:
        UserError: `sequence` is none of the three, or the data set cannot be read.
    """

    input_kind = "image"
    default_dataset = "digits"
    counted = "images"
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
    ) -> None:
        super().__init__(dataset, data_dir)
        if sequence not in ("", "rows", "pixels"):
            raise UserError(f"sequence is {sequence!r}, but rows, pixels or nothing is needed")
        self.sequence = sequence
        self.classes = classes or class_names(self.dataset, self.data_dir)
        self.image_shape = image_shape or list(self._some(1)[0]["image"].shape)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "classes": self.classes,
            "image_shape": self.image_shape,
            "sequence": self.sequence,
        }

    def model_options(self) -> dict[str, Any]:
        """Number of classes and size of the images, or of what is shown of them at a time."""
        size = {"frame_shape": self._frame_shape}
        if not self.sequence:
            size = {"image_shape": self.image_shape}
        return {"classes": len(self.classes), **size}

    @property
    def _frame_shape(self) -> list[int]:
        """A row, or a pixel, as an image of its own."""
        _, width, channels = self.image_shape
        return [1, width if self.sequence == "rows" else 1, channels]

    def _shown(self, images: Any) -> Any:
        """Images `[B, h, w, c]` as a model takes them: whole, or as clips of rows or pixels."""
        if not self.sequence:
            return images
        time = math.prod(self.image_shape) // math.prod(self._frame_shape)
        frames = tf.reshape(images, (-1, time, *self._frame_shape))
        return {"frames": frames, "lengths": tf.fill(tf.shape(frames)[:1], time)}

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Images `[B, h, w, c]`, or clips of their rows or pixels, with one target each."""
        check_classes(self.classes, self.dataset, self.data_dir)
        examples = load_split(self.dataset, split, self.data_dir, ("image", "label"))
        images = stack_images([example["image"] for example in examples], self.image_shape)
        labels = np.array([example["label"] for example in examples])
        inputs = tf.nest.map_structure(np.asarray, self._shown(images))
        return example_windows(inputs, labels, np.ones(len(labels)), settings.batch_size, seed)

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return `serve`: image bytes `[N]` to what `tasks.common.data.likeliest` returns."""

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="images")])
        def serve(images: Any) -> dict[str, Any]:
            pixels = decode_images(not_empty(images), self.image_shape)
            return self.likeliest(model(self._shown(pixels)))

        if not self.sequence or not model.steppable:
            return {"serve": serve}

        @tf.function(input_signature=[tf.TensorSpec([1], tf.string, name="images")])
        def read(images: Any) -> dict[str, Any]:
            shown = self._shown(decode_images(images, self.image_shape))
            return {"x": as_step(model, shown["frames"][0])}

        return {"serve": serve, "read": read, "tell": self.tell()}

    def examples(self) -> list[bytes]:
        """Three test images as PNG."""
        return [encode_png(example["image"]) for example in self._some(3)]

    def cases(self, count: int) -> list[Case]:
        """Test images and their classes."""
        examples = load_split(self.dataset, "test", self.data_dir, ("image", "label"))
        chosen = [examples[place] for place in spread(len(examples), count)]
        return [class_case(encode_png(e["image"]), self.classes[e["label"]]) for e in chosen]

    def _some(self, count: int) -> list[dict[str, Any]]:
        return load_split(self.dataset, f"test[:{count}]", self.data_dir, ("image", "label"))
