"""Where a model looked as it wrote the words of a caption."""

from typing import Any

import numpy as np


def words_and_maps(tokens: Any, alignment: Any, form: float) -> tuple[list[str], np.ndarray]:
    """Return the words of a caption, and the map of each over the image.

    Args:
        tokens: bytes `[T]`, empty after the last word.
        alignment: weights `[T, S]` of S places, row by row.
        form: of the image, height by width.

    Returns:
        N words, and `[N, rows, columns]`.

    Example:
        >>> words, maps = words_and_maps([b"a", b"cat", b""], np.ones((3, 32)), 0.5)
        >>> words, maps.shape
        (['a', 'cat'], (2, 4, 8))
    """
    words = [token.decode() for token in tokens if token]
    maps = np.asarray(alignment)[: len(words)]
    rows = _rows(maps.shape[-1], form)
    return words, maps.reshape(len(words), rows, maps.shape[-1] // rows)


def _rows(places: int, form: float) -> int:
    """Return the rows of the grid of `places` that is nearest to a form, height by width."""
    ideal = (places * form) ** 0.5
    return min((n for n in range(1, places + 1) if places % n == 0), key=lambda n: abs(n - ideal))
