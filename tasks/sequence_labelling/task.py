"""Sequence labelling: the part of speech, or the entity, that each word of a sentence is."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tasks.data import whole_path
from tasks.sequence_labelling.columns import Sentence
from tasks.sequence_labelling.sources import read_sentences
from tasks.sequence_labelling.spans import are_entities
from tasks.sequence_labelling.words import PATTERN, WordEncoder, normalize
from tasks.text import split_tokens
from zoo.errors import UserError
from zoo.layers.crf import FORBIDDEN, Chain
from zoo.registry import register
from zoo.task import Task
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings
from zoo.training.windows import example_windows

_LENGTHS = (4, 8, 12, 16, 20, 24, 32, 40, 56, 80, 120, 200, 400, 1000)


@register(
    "task",
    "sequence_labelling",
    topology="many_to_many_bidirectional",
    dataset="cldr_sentences",
    input="text",
)
class SequenceLabelling(Task):
    """Tags each word of a sentence."""

    input_kind = "text"
    default_dataset = "cldr_sentences"
    monitor = "val_accuracy"

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        column: str = "",
        minimum_count: int = 2,
        longest_word: int = 20,
        constrain: bool = True,
        tags: list[str] | None = None,
        words: list[str] | None = None,
        characters: list[str] | None = None,
    ) -> None:
        super().__init__(whole_path(dataset, lambda path: path.exists()), data_dir)
        self.column, self.minimum_count = column, minimum_count
        self.constrain = constrain
        self._read: dict[str, list[Sentence]] = {}
        if tags is None or words is None or characters is None:
            train = self._sentences("train")
            tags = _common(tag for each in train for tag in each.tags)
            characters = _common(c for each in train for word in each.words for c in word)
            flat = [word for each in train for word in each.words]
            known = (word.decode() for word in normalize(tf.constant(flat)).numpy())
            words = _common(known, minimum_count)
        self.tags = tags
        self.encoder = WordEncoder(words, characters, longest_word)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "column": self.column,
            "minimum_count": self.minimum_count,
            "longest_word": self.encoder.longest,
            "constrain": self.constrain,
            "tags": self.tags,
            "words": self.encoder.words.tokens,
            "characters": self.encoder.characters.tokens,
        }

    def model_options(self) -> dict[str, Any]:
        """Sizes of the vocabularies and of the output."""
        return {
            "vocab_size": self.encoder.words.size,
            "characters": self.encoder.characters.size,
            "outputs": len(self.tags),
        }

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Whole sentences, those of a window of about the same length."""
        sentences = self._sentences(split)
        lengths = np.array([len(each.words) for each in sentences])
        places = np.searchsorted(_LENGTHS, lengths)
        parts = [
            self._part([sentences[n] for n in np.flatnonzero(places == place)], settings, seed)
            for place in np.unique(places)
        ]
        sizes = [int(part.cardinality()) for part in parts]
        if seed is None:
            mixed = parts[0]
            for part in parts[1:]:
                mixed = mixed.concatenate(part)
        else:
            mixed = tf.data.Dataset.sample_from_datasets(
                parts, np.divide(sizes, sum(sizes)), seed, rerandomize_each_iteration=True
            )
        return mixed.apply(tf.data.experimental.assert_cardinality(sum(sizes)))

    def _part(
        self, sentences: list[Sentence], settings: Settings, seed: int | None
    ) -> tf.data.Dataset:
        inputs = self.encoder.encode(tf.ragged.constant([each.words for each in sentences]))
        inputs = {name: part.numpy() for name, part in inputs.items()}
        numbers = {tag: number for number, tag in enumerate(self.tags)}
        targets = np.zeros_like(inputs["words"])
        for row, each in enumerate(sentences):
            targets[row, : len(each.tags)] = [numbers.get(tag, 0) for tag in each.tags]
        inside = np.arange(targets.shape[1]) < inputs["lengths"][:, None]
        return example_windows(inputs, targets, inside, settings.batch_size, seed)

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        return {}

    def examples(self) -> list[str]:
        """Three test sentences."""
        return [" ".join(each.words) for each in self._sentences("test")[:3]]

    def _sentences(self, split: str) -> list[Sentence]:
        if not self._read:
            self._read = read_sentences(self.dataset, self.data_dir, self.column)
        return self._read[split]


def _common(found: Any, minimum: int = 1) -> list[str]:
    """What occurs at least so often, the commonest first, ties by name."""
    counts = Counter(found)
    kept = [each for each, count in counts.items() if count >= minimum]
    return sorted(kept, key=lambda each: (-counts[each], each))
