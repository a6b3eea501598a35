"""What suits photographs, which are fewer and differ more than drawn scenes."""

from collections.abc import Sequence
from typing import Any

PASSES = 70
"""Epochs for 2,000 photographs."""
_WIDE = 96
"""Pixels of a side for which four blocks of convolutions are not too many."""


def photograph_options(count: int, image_shape: Sequence[int] | None) -> dict[str, Any]:
    """Return views that differ, more filters, and more passes of fewer photographs.

    The passes fall with the square root of how many there are, from `PASSES` for 2,000.

    Args:
        count: of the photographs for training.
        image_shape: height, width and channels; None where a network looks at them.

    Example:
        >>> photograph_options(8000, None)["epochs"], photograph_options(8000, [96, 96, 3])["flip"]
        (35, True)
    """
    epochs = min(max(round(PASSES * (2000 / count) ** 0.5), 1), 4 * PASSES)
    options = {
        "dropout": 0.4,
        "naming": 0.05,
        "epochs": epochs,
        "average_from": max(round(0.7 * epochs), 1),
        "patience": max(epochs // 2, 10),
    }
    if image_shape is None:
        return options
    if min(image_shape[:2]) >= _WIDE:
        options["filters"] = [32, 64, 128, 192]
    return {**options, "augment": 0.15, "flip": True}
