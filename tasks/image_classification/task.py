"""Classification of an image."""

from typing import Any

import numpy as np
import tensorflow as tf

import tasks.image_classification.dataset  # noqa: F401  makes `digits` known by name
from tasks.data import check_classes, class_names, likeliest, load_split
from tasks.images import decode_images, encode_png, stack_images
from zoo.registry import register
from zoo.task import Task
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings
from zoo.training.windows import example_windows


@register("task", "image_classification", topology="one_to_one", dataset="digits", input="image")
class ImageClassification(Task):
    """Says which of some classes an image shows.

    Any tensorflow-datasets set with `image`, all of one size, and `label` will do, such as
    `mnist`.

    Args:
        dataset: its name.
        data_dir: folder of prepared data sets.
        classes: names of the classes; read from the data set if not given.
        image_shape: height, width and channels, likewise.
    """

    input_kind = "image"
    default_dataset = "digits"
    monitor = "val_accuracy"

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        classes: list[str] | None = None,
        image_shape: list[int] | None = None,
    ) -> None:
        super().__init__(dataset, data_dir)
        self.classes = classes or class_names(self.dataset, self.data_dir)
        self.image_shape = image_shape or list(self._some(1)[0]["image"].shape)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "classes": self.classes, "image_shape": self.image_shape}

    def model_options(self) -> dict[str, Any]:
        """Number of classes and size of the images."""
        return {"classes": len(self.classes), "image_shape": self.image_shape}

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Images `[B, h, w, c]` with one target each."""
        check_classes(self.classes, self.dataset, self.data_dir)
        examples = load_split(self.dataset, split, self.data_dir, ("image", "label"))
        images = stack_images([example["image"] for example in examples], self.image_shape)
        labels = np.array([example["label"] for example in examples])
        return example_windows(images, labels, np.ones(len(labels)), settings.batch_size, seed)

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """`serve`: image bytes `[N]` to `text` (the class) and `probability`."""

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="images")])
        def serve(images: Any) -> dict[str, Any]:
            return likeliest(self.classes, model(decode_images(images, self.image_shape)))

        return {"serve": serve}

    def examples(self) -> list[bytes]:
        """Three test images as PNG."""
        return [encode_png(example["image"]) for example in self._some(3)]

    def _some(self, count: int) -> list[dict[str, Any]]:
        return load_split(self.dataset, f"test[:{count}]", self.data_dir, ("image", "label"))
