"""`cldr_phrases`: short phrases in English and another language, composed with no network."""

from collections.abc import Iterator
from typing import ClassVar

import babel
import tensorflow_datasets as tfds

import tasks.translation.addition  # noqa: F401  makes `addition` known by name
from tasks.translation.phrases import KINDS, SIZES, Phrase, phrases

LANGUAGES = {"fr": "French", "de": "German", "es": "Spanish", "zh": "Chinese"}
"""The languages that English is translated to."""


class CldrPhrases(tfds.core.GeneratorBasedBuilder):
    """Dates, times, durations, measures, money, countries and languages, said in two languages.

    `{"source": string, "target": string, "kind": label}`, where `source` is English and `target`
    is in the language of the config (`cldr_phrases/en-fr`). Both are written by Babel from one
    value, so they translate each other exactly. No phrase occurs twice, in either language. A
    phrase in validation or test combines names and numbers in a new way, but its names (countries,
    units, months) all occur in train.

    The texts are in NFC, and every space in them is U+0020, where the CLDR has also no-break and
    narrow ones. They are those of the CLDR release inside the installed Babel, which the metadata
    of the prepared data names.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": f"Composed by Babel {babel.__version__} from the CLDR data that it ships."
    }
    BUILDER_CONFIGS: ClassVar[list[tfds.core.BuilderConfig]] = [
        tfds.core.BuilderConfig(name=f"en-{code}", description=f"English to {name}.")
        for code, name in LANGUAGES.items()
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Short phrases in two languages, composed from the Unicode CLDR.",
            features=tfds.features.FeaturesDict(
                {
                    "source": tfds.features.Text(),
                    "target": tfds.features.Text(),
                    "kind": tfds.features.ClassLabel(names=list(KINDS)),
                }
            ),
            supervised_keys=("source", "target"),
            homepage="https://cldr.unicode.org/",
            license="Unicode License v3",
            metadata=tfds.core.MetadataDict(babel=babel.__version__),
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[str, dict[str, str]]]]:
        splits = phrases(self.builder_config.name.removeprefix("en-"), SIZES)
        return {split: self._generate_examples(members) for split, members in splits.items()}

    def _generate_examples(self, members: list[Phrase]) -> Iterator[tuple[str, dict[str, str]]]:
        for phrase in members:
            yield (
                phrase.source,
                {"source": phrase.source, "target": phrase.target, "kind": phrase.kind},
            )
