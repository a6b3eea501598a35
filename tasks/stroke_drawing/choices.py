"""What tasks of strokes give a model to be called with, and what they say of it."""

import numpy as np

from zoo.topologies.stroke_policy import PARTS

_CELLS = 256
"""Of the largest number of a place; a model has its own grid."""

CHOICES = (
    "strokes of five whole numbers (whether it paints or only moves, the cell of the grid where it "
    "ends, the one it bends to, its size, its pressure), and give the probabilities of all of "
    "these, one after the other, and as the last number what it expects to gain from there on."
)
"""What `forward` and `step` take and give, for a card."""


def random_strokes(rng: np.random.Generator, count: int, strokes: int) -> np.ndarray:
    """Return the choices of strokes that are drawn at random, int32 `[count, strokes, 5]`.

    Example:
        >>> random_strokes(np.random.default_rng(1), 4, 8).shape
        (4, 8, 5)
    """
    highest = [2, _CELLS, _CELLS, 2, 2]
    return rng.integers(0, highest, (count, strokes, len(PARTS)), "int32")
