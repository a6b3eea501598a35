"""`phrase_languages`: which language a short phrase is in, composed with no network."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

import babel
import tensorflow_datasets as tfds

from tasks.translation.phrases import phrases

LANGUAGES = {
    "es": "Spanish", "pt": "Portuguese", "it": "Italian", "ca": "Catalan",
    "nl": "Dutch", "de": "German", "da": "Danish", "sv": "Swedish", "nb": "Norwegian",
    "cs": "Czech", "sk": "Slovak", "pl": "Polish",
    "ru": "Russian", "uk": "Ukrainian", "bg": "Bulgarian",
}  # fmt: skip
"""The languages, those side by side that are mistaken for one another."""

SIZES = {"train": 1_400, "validation": 80, "test": 160}
"""How many phrases of each language are composed for each split."""


class PhraseLanguages(tfds.core.GeneratorBasedBuilder):
    """Dates, measures, money, countries and the like, in one of fifteen languages.

    `{"text": string, "label": label}`. The phrases are those of `cldr_phrases`, composed by Babel
    of the Unicode CLDR. A text that two languages share is left out, so that each has one right
    answer, which may be all in a suffix, or in how the parts of a date are set apart. No text
    occurs twice in all splits together.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": f"Composed by Babel {babel.__version__} from the CLDR data that it ships."
    }

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Short phrases in fifteen languages, composed from the Unicode CLDR.",
            features=tfds.features.FeaturesDict(
                {
                    "text": tfds.features.Text(),
                    "label": tfds.features.ClassLabel(names=list(LANGUAGES.values())),
                }
            ),
            supervised_keys=("text", "label"),
            homepage="https://cldr.unicode.org/",
            license="Unicode License v3",
            metadata=tfds.core.MetadataDict(babel=babel.__version__),
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[str, dict[str, Any]]]]:
        splits = compose()
        return {split: self._generate_examples(texts) for split, texts in splits.items()}

    def _generate_examples(
        self, texts: list[tuple[str, str]]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for text, language in texts:
            yield text, {"text": text, "label": LANGUAGES[language]}


def compose() -> dict[str, list[tuple[str, str]]]:
    """Return the texts of each split with the codes of their languages, language after language."""
    splits: dict[str, list[tuple[str, str]]] = {split: [] for split in SIZES}
    for language in LANGUAGES:
        for split, members in phrases(language, SIZES).items():
            splits[split] += [(phrase.target, language) for phrase in members]
    counts = Counter(text for members in splits.values() for text, _ in members)
    return {
        split: [(text, language) for text, language in members if counts[text] == 1]
        for split, members in splits.items()
    }
