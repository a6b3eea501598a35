"""`captioned_scenes`: drawn scenes with five captions each, made here, with no network."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from tasks.captioning.scene_captions import write_captions
from tasks.captioning.scenes import DIGITS, IMAGE_SIZE, Object, render, sample_scene

SCENES = {"train": 20_000, "validation": 500, "test": 1_000}
"""How many scenes each split has."""
CAPTIONS_PER_SCENE = 5
Layout = tuple[Object, ...]


class CaptionedScenes(tfds.core.GeneratorBasedBuilder):
    """Scenes of coloured shapes and handwritten digits, with captions that can be checked.

    Each example has

    - `image`: uint8 `[64, 64, 3]`,
    - `captions`: five different sentences that are true of it,
    - `objects`: what is in it, as columns `kind`, `colour`, `size`, `x`, `y`; turn them into
      objects with `scenes.scene_objects` and check any caption with `checking.holds`.

    A fifth of the test scenes shows a pair of colour and kind that training never does
    (`scenes.TEST_ONLY`). No layout is in two splits, and no handwritten digit either.

    Example:
        >>> builder = CaptionedScenes(data_dir="data")
        >>> builder.info.features["image"].shape
        (64, 64, 3)
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}  # noqa: RUF012

    def _info(self) -> tfds.core.DatasetInfo:
        text = tfds.features.Text()
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "64x64 colour scenes of one to four objects, shapes or real handwritten digits, "
                "with five captions each about count, colour, size, kind and place. Some pairs "
                "of colour and kind are in the test split alone."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(IMAGE_SIZE, IMAGE_SIZE, 3)),
                    "captions": tfds.features.Sequence(text, length=CAPTIONS_PER_SCENE),
                    "objects": tfds.features.Sequence(
                        {"kind": text, "colour": text, "size": text, "x": np.int32, "y": np.int32}
                    ),
                }
            ),
            supervised_keys=("image", "captions"),
            license="Apache License 2.0; the handwritten digits CC BY 4.0",
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
        return {
            split: self._generate_examples(split, layouts)
            for split, layouts in _distinct_layouts().items()
        }

    def _generate_examples(
        self, split: str, layouts: list[Layout]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        # Imported here because the digits come from scikit-learn, which few callers need.
        from tasks.image_classification.dataset import digit_images

        images, labels = digit_images(split)
        handwriting = {digit: list(images[labels == int(digit)]) for digit in DIGITS}
        for index, layout in enumerate(layouts):
            rng = Random(f"{split} {index}")
            yield (
                index,
                {
                    "image": render(layout, rng, handwriting),
                    "captions": write_captions(layout, rng, CAPTIONS_PER_SCENE),
                    "objects": [item._asdict() for item in layout],
                },
            )


def _distinct_layouts() -> dict[str, list[Layout]]:
    """Return the layouts of every split; none occurs twice."""
    rng = Random(2025)
    seen: set[Layout] = set()
    layouts: dict[str, list[Layout]] = {split: [] for split in SCENES}
    for split, count in SCENES.items():
        while len(layouts[split]) < count:
            layout = sample_scene(rng, novel=split == "test")
            if layout not in seen:
                seen.add(layout)
                layouts[split].append(layout)
    return layouts
