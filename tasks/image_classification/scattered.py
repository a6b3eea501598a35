"""`scattered_digits`: one real handwritten digit somewhere in a larger picture, drawn by a number.

Nothing is stored: a split and a number say what a picture shows, always the same. Training draws
other numbers in each epoch, so that no place and no clutter can be learnt by heart.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tasks.common.images import stack_images
from tasks.image_classification.dataset import SPLITS, digit_images
from tasks.image_classification.sources import Labelled
from zoo.errors import UserError
from zoo.typing import Tensor, Window

NAMES = ("scattered_digits/translated", "scattered_digits/cluttered")
SIDE = 60
SMALLEST, LARGEST = 16, 28
"""Pixels of a digit."""
PIECES, PIECE = 4, 8
"""How many pieces of other digits clutter a picture, and their pixels."""
_TIMES = {"train": 8, "validation": 4, "test": 10}
"""How many pictures of an epoch show each digit of a split."""
_CLASSES = [str(digit) for digit in range(10)]


class _Digits(NamedTuple):
    """The digits of a split, by their size, `[N, size, size]`, and their classes `[N]`."""

    scaled: dict[int, np.ndarray]
    labels: np.ndarray


class ScatteredDigits:
    """Digits of 16 to 28 pixels somewhere in 60 by 60, alone or among pieces of other digits.

    The digits of a split, and the pieces in its pictures, are those of the same split of `digits`.
    Picture n shows the digit n, modulo their number; in "cluttered" it stands where it does in
    "translated".

    Args:
        name: one of `NAMES`.

    Example:
        >>> images, labels = ScatteredDigits("scattered_digits/cluttered").draw("test", [7, 366])
        >>> images.shape, labels.tolist()
        ((2, 60, 60, 1), [5, 5])
    """

    classes = _CLASSES

    def __init__(self, name: str) -> None:
        self.name = name
        self.cluttered = name == "scattered_digits/cluttered"

    def image_shape(self, side: int = 0) -> list[int]:
        """Return the shape of all pictures; of another size if that is asked for."""
        return [side or SIDE, side or SIDE, 1]

    def draw(self, split: str, numbers: Any) -> Labelled:
        """Return the pictures of numbers `[N]`, 0 or more: uint8 `[N, 60, 60, 1]`, and labels."""
        digits = _digits(split)
        numbers = np.asarray(numbers, "int64")
        images = np.zeros((len(numbers), SIDE, SIDE, 1), np.uint8)
        for image, number in zip(images, numbers.tolist()):
            self._draw(image[..., 0], split, number, digits)
        return Labelled(images, digits.labels[numbers % len(digits.labels)])

    def _draw(self, image: np.ndarray, split: str, number: int, digits: _Digits) -> None:
        """Draw into an image: the digit first, so that it does not depend on the clutter."""
        rng = np.random.default_rng([SPLITS.index(split), number])
        size = int(rng.integers(SMALLEST, LARGEST + 1))
        y, x = rng.integers(0, SIDE - size + 1, 2)
        image[y : y + size, x : x + size] = digits.scaled[size][number % len(digits.labels)]
        if not self.cluttered:
            return
        sizes = rng.integers(SMALLEST, LARGEST + 1, PIECES).tolist()
        others = rng.integers(1, len(digits.labels), PIECES)
        corners = rng.random((PIECES, 2))
        places = rng.integers(0, SIDE - PIECE + 1, (PIECES, 2))
        for size, other, corner, (y, x) in zip(sizes, others, corners, places):
            j, i = (corner * (size - PIECE + 1)).astype(int)
            piece = digits.scaled[size][(number + other) % len(digits.labels)]
            under = image[y : y + PIECE, x : x + PIECE]
            np.maximum(under, piece[j : j + PIECE, i : i + PIECE], out=under)

    def read(self, split: str, shape: Sequence[int], classes: Sequence[str]) -> Labelled:
        """Return the first pictures of a split, each of its digits as often: always the same.

        Raises:
            UserError: the model knows other classes.
        """
        if list(classes) != _CLASSES:
            raise UserError(
                f"the data set {self.name} has the classes {', '.join(_CLASSES)}, but the model "
                f"knows {', '.join(classes)}"
            )
        images, labels = self.draw(split, np.arange(len(self.groups(split))))
        return Labelled(stack_images(list(images), shape), labels)

    def groups(self, split: str) -> np.ndarray:
        """Return which digit each picture that `read` returns shows, `[N]`."""
        count = len(_digits(split).labels)
        return np.arange(count * _TIMES[split]) % count

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
        count = -(-len(self.groups("train")) // batch_size)
        numbers = tf.data.Dataset.random(seed, rerandomize_each_iteration=True)
        numbers = numbers.take(count * batch_size).batch(batch_size, drop_remainder=True)

        def draw(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            images, labels = self.draw("train", numbers)
            return stack_images(list(images), shape), labels.astype("int32")

        @tf.autograph.experimental.do_not_convert
        def window(numbers: Tensor) -> Window:
            images, labels = tf.numpy_function(draw, [numbers], [tf.uint8, tf.int32])
            return Window(
                inputs=tf.ensure_shape(images, [batch_size, *shape]),
                targets=tf.ensure_shape(labels, [batch_size]),
                weights=tf.ones([batch_size]),
                reset=tf.ones([batch_size], tf.int32),
            )

        return numbers.map(window).prefetch(2)

    def data_card(self) -> dict[str, Any]:
        """Return what the data are, for a card."""
        among = " among four pieces of other digits of the split" if self.cluttered else ""
        return {
            "name": self.name,
            "version": "1.0.0",
            "description": (
                f"A real handwritten digit, {SMALLEST} to {LARGEST} pixels high, somewhere in a "
                f"picture of {SIDE}x{SIDE}{among}. Pictures are drawn from the digits that "
                "scikit-learn ships, those for training anew in each epoch. Intervals are by "
                "digit, not by picture."
            ),
            "homepage": "https://archive.ics.uci.edu/dataset/80",
            "licence": "CC BY 4.0",
            "splits": {
                split: {"examples": len(self.groups(split)), "sha256": self.fingerprint(split)}
                for split in SPLITS
            },
        }

    def fingerprint(self, split: str) -> str:
        """Return the SHA-256 of the pictures that `read` returns, and of their labels."""
        images, labels = self.draw(split, np.arange(len(self.groups(split))))
        return hashlib.sha256(images.tobytes() + labels.astype("int64").tobytes()).hexdigest()


@cache
def _digits(split: str) -> _Digits:
    images, labels = digit_images(split)
    return _Digits({size: _resized(images, size) for size in range(SMALLEST, LARGEST + 1)}, labels)


def _resized(images: np.ndarray, size: int) -> np.ndarray:
    """Return images `[N, h, h]`, uint8, of another size, linear between the pixels' middles."""
    side = images.shape[1]
    middles = (np.arange(size) + 0.5) * side / size - 0.5
    weights = np.maximum(0, 1 - np.abs(np.clip(middles, 0, side - 1)[:, None] - np.arange(side)))
    return np.rint(weights @ images @ weights.T).astype(np.uint8)
