"""`digits`: the 1,797 real handwritten digits that scikit-learn ships, with no network."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

SPLITS = ("train", "validation", "test")
_SHARES = (0.7, 0.1, 0.2)


def digit_images(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the handwritten digits of one split, in scikit-learn's order.

    Any data set that shows handwritten digits should take them from here, so that a test
    example never shows a digit that was in another data set's training split.

    Each class is cut into 70 % train, 10 % validation and 20 % test in the order of its images'
    SHA-256, so the split follows from the pixels alone: no random generator is involved.

    Args:
        split: one of `"train"`, `"validation"`, `"test"`.

    Returns:
        `(images, labels)`: uint8 `[N, 8, 8]` in 0..255 (ink is bright), and int64 `[N]` in 0..9.

    Raises:
        ValueError: for any other split.

    Example:
        >>> images, labels = digit_images("test")
        >>> images.shape, images.dtype.name, labels.shape
        ((359, 8, 8), 'uint8', (359,))
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; pass one of {', '.join(SPLITS)}")
    from sklearn.datasets import load_digits

    bundle = load_digits()
    images = np.round(bundle.images * (255 / 16)).astype(np.uint8)
    labels = bundle.target.astype(np.int64)
    chosen = np.flatnonzero(_split_of(images, labels) == SPLITS.index(split))
    return images[chosen], labels[chosen]


def _split_of(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the index into `SPLITS` of each image, `[N]`."""
    digests = np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in images])
    splits = np.empty(len(images), dtype=np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        members = members[np.argsort(digests[members])]
        ends = np.round(np.cumsum(_SHARES[:-1]) * len(members)).astype(int)
        for index, part in enumerate(np.split(members, ends)):
            splits[part] = index
    return splits


class Digits(tfds.core.GeneratorBasedBuilder):
    """Handwritten digits, 8x8 grey pixels: `image` uint8 `[8, 8, 1]` and `label` 0..9."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "The 1,797 handwritten digits that scikit-learn ships: 8x8 pixels, each the share "
                "of ink in a 4x4 block of the scanned form in steps of 1/16, here scaled to "
                "0..255. Every class is cut 70/10/20 into train, validation and test."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(8, 8, 1), dtype=np.uint8),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://archive.ics.uci.edu/dataset/80",
            license="CC BY 4.0",
            citation=(
                "@misc{alpaydin1998optical,\n"
                "  author = {Alpaydin, E. and Kaynak, C.},\n"
                "  title = {Optical Recognition of Handwritten Digits},\n"
                "  year = {1998},\n"
                "  publisher = {UCI Machine Learning Repository},\n"
                "}"
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        return {split: self._generate_examples(split) for split in SPLITS}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for index, (image, label) in enumerate(zip(*digit_images(split), strict=True)):
            yield index, {"image": image[..., None], "label": label}
