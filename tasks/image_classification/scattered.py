"""`scattered_digits`: one real handwritten digit somewhere in a larger picture, drawn by a number.

See `tasks.image_classification.drawn`: no place and no clutter can be learnt by heart.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from tasks.image_classification.dataset import SPLITS
from tasks.image_classification.drawn import DrawnDigits, scaled_digits, split_digits
from tasks.image_classification.sources import Labelled

NAMES = ("scattered_digits/translated", "scattered_digits/cluttered")
SIDE = 60
SMALLEST, LARGEST = 16, 28
"""Pixels of a digit."""
PIECES, PIECE = 4, 8
"""How many pieces of other digits clutter a picture, and their pixels."""


class ScatteredDigits(DrawnDigits):
    """Digits of 16 to 28 pixels somewhere in 60 by 60, alone or among pieces of other digits.

    The digits of a split, and the pieces in its pictures, are those of the same split of `digits`.
    In "cluttered" a digit stands where it does in "translated".

    Args:
        name: one of `NAMES`.

    Example:
        >>> images, labels = ScatteredDigits("scattered_digits/cluttered").draw("test", [7, 366])
        >>> images.shape, labels.tolist()
        ((2, 60, 60, 1), [5, 5])
    """

    size = (SIDE, SIDE)
    times: ClassVar[Mapping[str, int]] = {"train": 8, "validation": 4, "test": 10}

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.classes = [str(digit) for digit in range(10)]
        self.cluttered = name == "scattered_digits/cluttered"

    @property
    def description(self) -> str:
        """Return what the pictures show, and what intervals are by, for a card."""
        among = " among four pieces of other digits of the split" if self.cluttered else ""
        return (
            f"A real handwritten digit, {SMALLEST} to {LARGEST} pixels high, somewhere in a "
            f"picture of {SIDE}x{SIDE}{among}. Pictures are drawn from the digits that "
            "scikit-learn ships, those for training anew in each epoch. Intervals are by "
            "digit, not by picture."
        )

    def draw(self, split: str, numbers: Any) -> Labelled:
        """Return the pictures of numbers `[N]`, 0 or more: uint8 `[N, 60, 60, 1]`, and labels."""
        _, labels = split_digits(split)
        numbers = np.asarray(numbers, "int64")
        images = np.zeros((len(numbers), SIDE, SIDE, 1), np.uint8)
        for image, number in zip(images, numbers.tolist()):
            self._draw(image[..., 0], split, number, len(labels))
        return Labelled(images, labels[numbers % len(labels)])

    def _draw(self, image: np.ndarray, split: str, number: int, count: int) -> None:
        """Draw into an image: the digit first, so that it does not depend on the clutter."""
        rng = np.random.default_rng([SPLITS.index(split), number])
        size = int(rng.integers(SMALLEST, LARGEST + 1))
        y, x = rng.integers(0, SIDE - size + 1, 2)
        image[y : y + size, x : x + size] = scaled_digits(split, size)[number % count]
        if not self.cluttered:
            return
        sizes = rng.integers(SMALLEST, LARGEST + 1, PIECES).tolist()
        others = rng.integers(1, count, PIECES)
        corners = rng.random((PIECES, 2))
        places = rng.integers(0, SIDE - PIECE + 1, (PIECES, 2))
        for size, other, corner, (y, x) in zip(sizes, others, corners, places):
            j, i = (corner * (size - PIECE + 1)).astype(int)
            piece = scaled_digits(split, size)[(number + other) % count]
            under = image[y : y + PIECE, x : x + PIECE]
            np.maximum(under, piece[j : j + PIECE, i : i + PIECE], out=under)

    def groups(self, split: str) -> np.ndarray:
        """Return which digit each picture that `read` returns shows, `[N]`."""
        return np.arange(self.count(split)) % len(split_digits(split)[1])
