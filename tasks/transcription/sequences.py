"""`digit_sequences`: a few real handwritten digits in one picture, drawn by a number.

See `tasks.image_classification.drawn`: nothing is stored, and training draws others in each epoch.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from scipy.ndimage import affine_transform

from tasks.image_classification.dataset import SPLITS
from tasks.image_classification.drawn import DrawnDigits, scaled_digits, split_digits
from tasks.image_classification.sources import Labelled

NAMES = ("digit_sequences/pairs", "digit_sequences/up_to_3", "digit_sequences/sum")
HEIGHT, WIDTH = 36, 56
SMALLEST, LARGEST = 10, 16
"""Pixels of a digit."""
BLOCK = 6
"""At least so many digits of validation and test are shown with one another, and with no others."""
_MOST = 3
_SALT = 18
_SLANT = 0.2


class DigitSequences(DrawnDigits):
    """Digits of 10 to 16 pixels beside one another in 36 by 56, none over another.

    "pairs" shows two, and its labels are these from left to right; "up_to_3" shows one to three;
    "sum" shows two, and its one label is what they are together.

    The digits of a split are those of the same split of `digits`. In training any may stand beside
    any, and each is turned and slanted a little, as there are not many of them. In validation and
    test they are in blocks of six or a few more, and a picture shows digits of one block: so each
    block, with all pictures that show one of its digits, stands for itself.

    Args:
        name: one of `NAMES`.

    Attributes:
        longest: labels of the longest sequence, its end apart.
        ends: whether sequences differ in length.

    Example:
        >>> images, labels = DigitSequences("digit_sequences/up_to_3").draw("test", [0, 1, 2])
        >>> images.shape, labels.shape, int(labels.max())
        ((3, 36, 56, 1), (3, 4), 10)
    """

    size = (HEIGHT, WIDTH)
    times: ClassVar[Mapping[str, int]] = {"train": 8, "validation": 4, "test": 5}

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.sums, self.ends = name == NAMES[2], name == NAMES[1]
        self.classes = [str(number) for number in range(19 if self.sums else 10)]
        self.longest = {NAMES[0]: 2, NAMES[1]: _MOST, NAMES[2]: 1}[name]

    @property
    def description(self) -> str:
        """Return what the pictures show, and what intervals are by, for a card."""
        count = "One to three" if self.ends else "Two"
        what = "their sum" if self.sums else "these from left to right"
        return (
            f"{count} real handwritten digits, {SMALLEST} to {LARGEST} pixels high, beside one "
            f"another in a picture of {HEIGHT}x{WIDTH}; to be named is {what}. Pictures are drawn "
            "from the digits that scikit-learn ships, those for training anew in each epoch, "
            "and turned and slanted a little. "
            f"Digits of validation and test are in blocks of {BLOCK} or a few more, and a picture "
            "shows those of one block. Intervals are by block, not by picture."
        )

    def draw(self, split: str, numbers: Any) -> Labelled:
        """Return the pictures of numbers `[N]`: uint8 `[N, 36, 56, 1]`, and labels `[N, S]`.

        The end of a sequence, and all that is after it, is the class after the last.
        """
        numbers = np.asarray(numbers, "int64")
        images = np.zeros((len(numbers), HEIGHT, WIDTH, 1), np.uint8)
        labels = np.full((len(numbers), self.longest + self.ends), len(self.classes))
        for image, row, number in zip(images, labels, numbers.tolist()):
            digits = self._draw(image[..., 0], split, number)
            if self.sums:
                row[0] = digits.sum()
            else:
                row[: len(digits)] = digits
        return Labelled(images, labels)

    def _draw(self, image: np.ndarray, split: str, number: int) -> np.ndarray:
        """Draw into an image, and return the digits that it shows."""
        rng = np.random.default_rng([_SALT, SPLITS.index(split), number])
        _, labels = split_digits(split)
        count = int(rng.integers(1, _MOST + 1)) if self.ends else 2
        chosen = self._chosen(split, number % len(labels), count, rng)
        sizes = rng.integers(SMALLEST, LARGEST + 1, count)
        free = WIDTH - sizes.sum()
        left = np.sort(rng.integers(0, free + 1, count)) + np.cumsum(sizes) - sizes
        for digit, size, x in zip(chosen, sizes.tolist(), left):
            y = rng.integers(0, HEIGHT - size + 1)
            pixels = scaled_digits(split, size)[digit]
            if split == "train":
                pixels = slanted(pixels, *rng.uniform(-_SLANT, _SLANT, 2))
            image[y : y + size, x : x + size] = pixels
        return labels[chosen]

    def _chosen(self, split: str, own: int, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return the digits of a picture in their order, its own one among them."""
        total = len(split_digits(split)[1])
        if split == "train":
            others = rng.integers(0, total, count - 1)
        else:
            block = np.arange(own % self.blocks(split), total, self.blocks(split))
            others = rng.choice(block[block != own], count - 1, replace=False)
        return rng.permutation([own, *others])

    def blocks(self, split: str) -> int:
        """Return how many blocks the digits of a split are in."""
        return len(split_digits(split)[1]) // BLOCK

    def groups(self, split: str) -> np.ndarray:
        """Return the block of the digits of each picture that `read` returns, `[N]`."""
        own = np.arange(self.count(split)) % len(split_digits(split)[1])
        return own % self.blocks(split)

    def weights(self, labels: np.ndarray) -> np.ndarray:
        """Return 1 for each label up to the end of a sequence, that included, else 0."""
        return counted(labels, len(self.classes))


def slanted(digit: np.ndarray, turn: float, slant: float) -> np.ndarray:
    """Return a digit `[n, n]`, uint8, turned around its middle and slanted, linear between pixels.

    Args:
        digit: what is outside of it is paper.
        turn: in radians.
        slant: pixels to the side for each pixel up.

    Example:
        >>> slanted(np.array([[0, 0, 0], [9, 9, 9], [0, 0, 0]], "uint8"), np.pi / 2, 0).tolist()
        [[0, 9, 0], [0, 9, 0], [0, 9, 0]]
    """
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ np.array([[1, 0], [slant, 1]])
    middle = np.full(2, (len(digit) - 1) / 2)
    offset = middle - matrix @ middle
    return np.rint(affine_transform(digit.astype("float64"), matrix, offset, order=1)).astype(
        "uint8"
    )


def counted(labels: np.ndarray, end: int) -> np.ndarray:
    """Return which labels `[N, S]` count: those up to the first that is `end`, that included.

    Example:
        >>> counted(np.array([[3, 9, 9], [9, 9, 9], [1, 2, 3]]), 9).tolist()
        [[1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    """
    ended = np.cumsum(labels == end, axis=1) - (labels == end)
    return (ended == 0).astype("float32")
