"""`adding`: sequences of numbers, two of them marked, and the sum of those, drawn at will."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from zoo.diagnostics.memory_tasks import adding

SIZES = {"train": 50_000, "validation": 2_560, "test": 2_560}
"""The test is as large as that of Hochreiter and Schmidhuber."""

LENGTHS = (20, 50, 100, 200, 400)


class Adding(tfds.core.GeneratorBasedBuilder):
    """`sequence`, float32 `[T, 2]`: numbers in 0..1 and marks; and `target`, the marked ones' sum.

    One number of each half is marked with 1, the others with 0. The config is T, as `adding/100`.
    """

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS: ClassVar[list[tfds.core.BuilderConfig]] = [
        tfds.core.BuilderConfig(name=str(length), description=f"Sequences of {length} numbers.")
        for length in LENGTHS
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Numbers of which two are to be added, after the last has been seen.",
            features=tfds.features.FeaturesDict(
                {
                    "sequence": tfds.features.Tensor(shape=(None, 2), dtype=np.float32),
                    "target": tfds.features.Scalar(dtype=np.float32),
                }
            ),
            supervised_keys=("sequence", "target"),
            homepage="https://doi.org/10.1162/neco.1997.9.8.1735",
            license="Apache License 2.0",
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        length = int(self.builder_config.name)
        rng = np.random.default_rng([length, list(SIZES).index(split)])
        inputs, targets = adding(rng, SIZES[split], length)
        for index, (sequence, target) in enumerate(zip(inputs, targets[:, 0])):
            yield index, {"sequence": sequence, "target": target}
