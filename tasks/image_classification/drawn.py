"""Pictures of real handwritten digits that are drawn by a number, and of which nothing is stored.

A split and a number say what a picture shows, always the same. Training draws other numbers in each
epoch, so that nothing but the digits can be learnt by heart.
"""

import abc
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tasks.common.base import DataTask
from tasks.common.images import stack_images
from tasks.image_classification.dataset import SPLITS, digit_images
from tasks.image_classification.sources import Labelled
from zoo.errors import UserError
from zoo.typing import Tensor, Window


class DrawnDigits(abc.ABC):
    """Pictures that are drawn from the digits of a split of `digits`, and from no others.

    A subclass draws them, and says what they show. Picture n of a split shows its digit n, modulo
    their number, and perhaps others.

    Attributes:
        classes: names of the labels.
        size: height and width of a picture.
        times: how many pictures of an epoch of training, and of the other splits, show each digit
            as their own.

    Args:
        name: of the data set.
    """

    classes: list[str]
    size: ClassVar[tuple[int, int]]
    times: ClassVar[Mapping[str, int]]

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    @abc.abstractmethod
    def description(self) -> str:
        """Return what the pictures show, and what intervals are by, for a card."""

    @abc.abstractmethod
    def draw(self, split: str, numbers: Any) -> Labelled:
        """Return the pictures of numbers `[N]`, 0 or more: uint8 `[N, h, w, 1]`, and labels."""

    @abc.abstractmethod
    def groups(self, split: str) -> np.ndarray:
        """Return which pictures that `read` returns show the same digits, `[N]`."""

    def weights(self, labels: np.ndarray) -> np.ndarray:
        """Return how much each label counts, of the labels' shape; here, all alike."""
        return np.ones(labels.shape, "float32")

    def count(self, split: str) -> int:
        """Return how many pictures `read` returns, and an epoch of training shows."""
        return len(split_digits(split)[1]) * self.times[split]

    def image_shape(self, side: int = 0) -> list[int]:
        """Return the shape of all pictures; of another size if that is asked for."""
        height, width = self.size
        return [side or height, side or width, 1]

    def read(self, split: str, shape: Sequence[int], classes: Sequence[str]) -> Labelled:
        """Return the first pictures of a split, each of its digits as often: always the same.

        Raises:
            UserError: the model knows other classes.
        """
        if list(classes) != self.classes:
            raise UserError(
                f"the data set {self.name} has the classes {', '.join(self.classes)}, but the "
                f"model knows {', '.join(classes)}"
            )
        images, labels = self.draw(split, np.arange(self.count(split)))
        return Labelled(stack_images(list(images), shape), labels)

    def some(self, count: int, shape: Sequence[int], classes: Sequence[str]) -> list[np.ndarray]:
        """Return the first test pictures as they are."""
        return list(self.draw("test", np.arange(count))[0])

    def windows(self, shape: Sequence[int], batch_size: int, seed: int) -> tf.data.Dataset:
        """Return windows of training pictures, others each time they are read.

        Args:
            shape: of the pictures.
            batch_size: pictures of a window.
            seed: of the numbers of the pictures.
        """
        shape = tuple(shape)
        count = -(-self.count("train") // batch_size)
        numbers = tf.data.Dataset.random(seed, rerandomize_each_iteration=True)
        numbers = numbers.take(count * batch_size).batch(batch_size, drop_remainder=True)
        of_one = self.draw("train", [0]).labels.shape[1:]

        def draw(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            images, labels = self.draw("train", numbers)
            return stack_images(list(images), shape), labels.astype("int32"), self.weights(labels)

        @tf.autograph.experimental.do_not_convert
        def window(numbers: Tensor) -> Window:
            parts = tf.numpy_function(draw, [numbers], [tf.uint8, tf.int32, tf.float32])
            images, labels, weights = parts
            return Window(
                inputs=tf.ensure_shape(images, [batch_size, *shape]),
                targets=tf.ensure_shape(labels, [batch_size, *of_one]),
                weights=tf.ensure_shape(weights, [batch_size, *of_one]),
                reset=tf.ones([batch_size], tf.int32),
            )

        return numbers.map(window).prefetch(2)

    def data_card(self) -> dict[str, Any]:
        """Return what the data are, for a card."""
        return {
            "name": self.name,
            "version": "1.0.0",
            "description": self.description,
            "homepage": "https://archive.ics.uci.edu/dataset/80",
            "licence": "CC BY 4.0",
            "splits": {
                split: {"examples": self.count(split), "sha256": self.fingerprint(split)}
                for split in SPLITS
            },
        }

    def fingerprint(self, split: str) -> str:
        """Return the SHA-256 of the pictures that `read` returns, and of their labels."""
        images, labels = self.draw(split, np.arange(self.count(split)))
        return hashlib.sha256(images.tobytes() + labels.astype("int64").tobytes()).hexdigest()


@cache
def split_digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return what `digit_images` returns, which is read once."""
    return digit_images(split)


@cache
def scaled_digits(split: str, size: int) -> np.ndarray:
    """Return the digits of a split at another size, `[N, size, size]`, uint8.

    They are linear between the pixels' middles.
    """
    images, _ = split_digits(split)
    side = images.shape[1]
    # Whole numbers, in units of 1 / (2 size): products of fractions are rounded in another way by
    # each kind of processor, and with them the pixels that lie halfway.
    middles = np.clip((2 * np.arange(size) + 1) * side - size, 0, 2 * size * (side - 1))
    weights = np.maximum(0, 2 * size - np.abs(middles[:, None] - 2 * size * np.arange(side)))
    return np.rint(weights @ images.astype("int64") @ weights.T / (2 * size) ** 2).astype(np.uint8)


class MayBeDrawn(DataTask):
    """A task whose data set, `_source`, may be of drawn digits."""

    _source: Any

    def groups(self, split: str) -> np.ndarray | None:
        """Return which pictures show a digit in common, `[N]`; None of pictures that are stored."""
        source = self._source
        return source.groups(split) if isinstance(source, DrawnDigits) else None

    def data_card(self) -> dict[str, Any]:
        """Return the data's part of a model card."""
        source = self._source
        return source.data_card() if isinstance(source, DrawnDigits) else super().data_card()

    def fingerprint(self, split: str) -> str:
        """Return the SHA-256 of a split's examples, or of all the user's files."""
        source = self._source
        if isinstance(source, DrawnDigits):
            return source.fingerprint(split)
        return super().fingerprint(split)
