"""`binary_digits`: scikit-learn's handwritten digits in black and white, with no network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from scipy.ndimage import zoom

from tasks.image_classification.dataset import SPLITS, digit_images

_LARGER = 2


def binary_digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the handwritten digits of one split at 16x16, each pixel paper or ink.

    A digit of 8x8 grey levels is brought to twice the size by a cubic spline through the middles of
    its pixels, and ink is where that is over half of full ink.

    Args:
        split: one of `"train"`, `"validation"`, `"test"`, which are those of `digits`.

    Returns:
        `(images, labels)`: uint8 `[N, 16, 16]`, 0 or 255 (ink), and int64 `[N]` in 0..9.

    Raises:
        ValueError: for any other split.

    Example:
        >>> images, labels = binary_digits("test")
        >>> images.shape, np.unique(images).tolist(), round(float(np.mean(images > 0)), 3)
        ((359, 16, 16), [0, 255], 0.313)
    """
    images, labels = digit_images(split)
    larger = [
        zoom(image.astype("float64"), _LARGER, order=3, mode="nearest", grid_mode=True)
        for image in images
    ]
    return np.where(np.stack(larger) > 255 / 2, 255, 0).astype("uint8"), labels


class BinaryDigits(tfds.core.GeneratorBasedBuilder):
    """Handwritten digits in black and white: `image` uint8 `[16, 16, 1]` and `label` 0..9."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "The 1,797 handwritten digits that scikit-learn ships, 8x8 grey pixels, brought to "
                "16x16 by a cubic spline and to black and white at half of full ink: 0 is paper, "
                "255 is ink. Every class is cut 70/10/20 into train, validation and test, as in "
                "digits."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(16, 16, 1), dtype=np.uint8),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://archive.ics.uci.edu/dataset/80",
            license="CC BY 4.0",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        return {split: self._generate_examples(split) for split in SPLITS}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for index, (image, label) in enumerate(zip(*binary_digits(split), strict=True)):
            yield index, {"image": image[..., None], "label": label}
