"""`cldr_entities`: English sentences with entities, composed with no network."""

from collections.abc import Iterator
from typing import ClassVar

import babel
import tensorflow_datasets as tfds

from tasks.sequence_labelling.sentences import TAGS, Labelled, sentences


class CldrEntities(tfds.core.GeneratorBasedBuilder):
    """Sentences with dates, times, durations, measures, money, countries and languages.

    `{"tokens": strings, "tags": labels}`, both `[T]`; the tags are those of entities in the scheme
    BIO. No sentence occurs twice. Half of the names of countries, languages and currencies in
    validation and test are in no other split. See `tasks.sequence_labelling.sentences`.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": f"Composed with Babel {babel.__version__} and the CLDR data that it ships."
    }

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Tagged English sentences, composed from the Unicode CLDR.",
            features=tfds.features.FeaturesDict(
                {
                    "tokens": tfds.features.Sequence(tfds.features.Text()),
                    "tags": tfds.features.Sequence(tfds.features.ClassLabel(names=list(TAGS))),
                }
            ),
            homepage="https://cldr.unicode.org/",
            license="Unicode License v3",
            metadata=tfds.core.MetadataDict(babel=babel.__version__),
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[int, dict[str, list[str]]]]]:
        return {split: self._generate_examples(made) for split, made in sentences().items()}

    def _generate_examples(
        self, made: list[Labelled]
    ) -> Iterator[tuple[int, dict[str, list[str]]]]:
        for number, each in enumerate(made):
            yield number, {"tokens": each.words, "tags": each.tags}
