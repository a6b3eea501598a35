"""`addition`: sums of two numbers to be said digit by digit, drawn with no network."""

import random
from collections.abc import Iterator
from typing import ClassVar

import tensorflow_datasets as tfds

SIZES = {1: 50, 2: 5_000, 3: 50_000, 4: 400_000, 5: 550_000}
"""How many sums there are in all, by the digits of the longest number, as in Keras' example."""


def sums(digits: int) -> dict[str, list[tuple[str, str]]]:
    """Return sources such as "535+61" and targets such as "596", by split.

    No two numbers are added twice, in either order. As many digits are drawn for a number as for
    another, so that short ones are not rare. A twentieth of the sums is for validation and another
    one for the test.

    Args:
        digits: of the longest number, 1 to 5.

    Example:
        >>> found = sums(1)
        >>> {split: len(members) for split, members in found.items()}
        {'train': 46, 'validation': 2, 'test': 2}
        >>> all(sum(map(int, source.split("+"))) == int(target) for source, target in found["test"])
        True

    Source: W. Zaremba and I. Sutskever, "Learning to Execute", arXiv:1410.4615; the numbers are
    drawn as in Keras' example "Sequence to sequence learning for performing number addition".
    """
    rng = random.Random(f"addition/{digits}")
    seen: dict[tuple[int, int], tuple[int, int]] = {}
    while len(seen) < SIZES[digits]:
        a, b = (rng.randrange(10 ** rng.randint(1, digits)) for _ in range(2))
        seen.setdefault((min(a, b), max(a, b)), (a, b))
    drawn = [(f"{a}+{b}", str(a + b)) for a, b in seen.values()]
    # The last to be drawn first: towards the end, most short ones are taken.
    rng.shuffle(drawn)
    part = len(drawn) // 20
    return {"train": drawn[2 * part :], "validation": drawn[part : 2 * part], "test": drawn[:part]}


class Addition(tfds.core.GeneratorBasedBuilder):
    """`{"source": "535+61", "target": "596"}`; the config says how many digits, as `addition/3`."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS: ClassVar[list[tfds.core.BuilderConfig]] = [
        tfds.core.BuilderConfig(
            name=str(digits), description=f"{size:,} sums of numbers of up to {digits} digits."
        )
        for digits, size in SIZES.items()
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Two numbers to be added, and their sum, as texts.",
            features=tfds.features.FeaturesDict(
                {"source": tfds.features.Text(), "target": tfds.features.Text()}
            ),
            supervised_keys=("source", "target"),
            homepage="https://arxiv.org/abs/1410.4615",
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[str, dict[str, str]]]]:
        splits = sums(int(self.builder_config.name))
        return {split: self._generate_examples(members) for split, members in splits.items()}

    def _generate_examples(
        self, members: list[tuple[str, str]]
    ) -> Iterator[tuple[str, dict[str, str]]]:
        for source, target in members:
            yield source, {"source": source, "target": target}
