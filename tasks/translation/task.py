"""Translation: a phrase in one language in, the same phrase in another language out."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.progress import track

from tasks.text import END, PADDING, START, UNKNOWN, Vocabulary, most_common
from tasks.translation.pairs import Pair, read_pairs
from zoo.decoding import generate
from zoo.errors import UserError
from zoo.registry import register
from zoo.task import Task
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings
from zoo.training.windows import example_windows

_SPACED = ("Latin", "Greek", "Cyrillic", "Hebrew", "Arabic", "Devanagari", "Hangul")
_WORD = "".join(rf"\p{{{script}}}" for script in _SPACED) + r"\p{M}"
PATTERN = f" ?(?:[{_WORD}]+|[^ ])| "
"""RE2: a whole word of a script that sets spaces between words, or else one character, such as a
digit; a space belongs to what follows it, so that the tokens joined are the text."""

_BUCKETS = 5
_ROWS = 250


@register("task", "translation", topology="seq2seq", dataset="cldr_phrases/en-fr", input="text")
class Translation(Task):
    """Translates a text, token by token.

    Any tensorflow-datasets set with `source` and `target` will do, or one of translations (such
    as `ted_hrlr_translate/pt_to_en`), and so does a UTF-8 file whose name ends in `.tsv`: a
    source, a tab and its target on each line.

    Args:
        dataset: a data set's name, or the path of a `.tsv` file.
        data_dir: folder of prepared data sets.
        max_length: tokens of the longest text: longer ones are left out of training, and no
            translation gets longer; at least 1.
        minimum_count: a token that occurs less often in the training data is `<unk>`.
        source_tokens: the vocabulary of the sources; read from the training data if not given.
        target_tokens: likewise of the targets.

    Raises:
        UserError: `max_length` is too small, or the data set cannot be read.
    """

    input_kind = "text"
    default_dataset = "cldr_phrases/en-fr"

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        max_length: int = 64,
        minimum_count: int = 1,
        source_tokens: list[str] | None = None,
        target_tokens: list[str] | None = None,
    ) -> None:
        super().__init__(dataset, data_dir)
        if max_length < 1:
            raise UserError(f"max_length is {max_length}, but at least 1 is needed")
        self.max_length, self.minimum_count = max_length, minimum_count
        if source_tokens is None or target_tokens is None:
            sources, targets, _ = zip(*self._pairs("train"))
            source_tokens = most_common(sources, PATTERN, minimum_count)
            target_tokens = most_common(targets, PATTERN, minimum_count)
        self.source = Vocabulary(source_tokens, PATTERN)
        self.target = Vocabulary(target_tokens, PATTERN)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "max_length": self.max_length,
            "minimum_count": self.minimum_count,
            "source_tokens": self.source.tokens,
            "target_tokens": self.target.tokens,
        }

    def model_options(self) -> dict[str, Any]:
        """Sizes of the vocabularies."""
        return {"source_vocab_size": self.source.size, "target_vocab_size": self.target.size}

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Whole pairs: `source` `[B, S]`, and `tokens` `[B, T]`, the target from `<start>` on.

        The next tokens, up to `<end>`, are the targets. A window for training holds pairs of
        about the same length, padded to one of a few sizes; one for evaluation, pairs in order,
        padded to the longest of all.
        """
        sources, targets, _ = zip(*self._pairs(split))
        source, target = self.source.encode(sources), self.target.encode(targets)
        source_ids, target_ids = source.numpy(), target.numpy()
        if seed is None:
            return _windows(source_ids, target_ids, settings.batch_size)
        lengths = np.maximum(source.row_lengths(), target.row_lengths())
        order = np.argsort(lengths, kind="stable")[: np.sum(lengths <= self.max_length)]
        if not len(order):
            raise UserError(
                f"each pair of {self.dataset} has more than {self.max_length} tokens: "
                "raise max_length"
            )
        parts = np.array_split(order, min(_BUCKETS, -(-len(order) // settings.batch_size)))
        return _mixed(
            [_windows(source_ids[p], target_ids[p], settings.batch_size, seed) for p in parts],
            seed,
        )

    def score(self, model: SequenceModel, split: str, settings: Settings) -> dict[str, float]:
        """`loss` and `accuracy` a token, given all right ones before it, and `exact_match`: the
        share of sources whose greedy translation is the target, also of each kind, if the data
        set has kinds."""
        pairs = self._pairs(split)
        serve = self.endpoints(model)["serve"]
        right: dict[str, list[bool]] = defaultdict(list)
        batches = [pairs[start : start + _ROWS] for start in range(0, len(pairs), _ROWS)]
        console = Console(stderr=True)
        for batch in track(batches, "translating", console=console, transient=True):
            answers = serve(tf.constant([pair.source for pair in batch]))["text"].numpy()
            for pair, answer in zip(batch, answers):
                kinds = [f"exact_match/{pair.kind}"] if pair.kind else []
                for key in ("exact_match", *kinds):
                    right[key].append(answer.decode() == pair.target)
        shares = {key: float(np.mean(right[key])) for key in sorted(right)}
        return {**super().score(model, split, settings), **shares}

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """`serve`: sources `[N]` to `text`, the greedy translations; `generate`: others, too.

        `generate(sources, temperature, seed)` takes a temperature (0 for the most likely token
        each time), and two integers; the draws of a source depend on them and on its place in the
        batch.
        """
        sources = tf.TensorSpec([None], tf.string, name="sources")

        @tf.function(
            input_signature=[
                sources,
                tf.TensorSpec([], tf.float32, name="temperature"),
                tf.TensorSpec([2], tf.int32, name="seed"),
            ]
        )
        def generate(sources: Any, temperature: Any, seed: Any) -> dict[str, Any]:
            # One column more, as a model needs at least one time step.
            ids = tf.pad(self.source.encode(sources).to_tensor(PADDING), [[0, 0], [0, 1]])
            return {"text": self._translations(model, ids, temperature, seed)}

        @tf.function(input_signature=[sources])
        def serve(sources: Any) -> dict[str, Any]:
            return generate(sources, 0.0, tf.constant([0, 0]))

        return {"serve": serve, "generate": generate}

    def resources(self) -> list[Any]:
        """The vocabularies."""
        return [self.source, self.target]

    def examples(self) -> list[str]:
        """Three test sources."""
        return [pair.source for pair in self._pairs("test")[:3]]

    def _translations(self, model: SequenceModel, ids: Any, temperature: Any, seed: Any) -> Any:
        """Source ids `[N, S]` to strings `[N]`."""
        told = generate(
            model,
            ids,
            START,
            self.max_length,
            END,
            temperature=temperature,
            seed=seed,
            banned=(PADDING, UNKNOWN, START),
            watched=False,
        )
        return self.target.decode(told.tokens, told.lengths)

    def _pairs(self, split: str) -> list[Pair]:
        return read_pairs(self.dataset, split, self.data_dir)


def _windows(
    sources: Sequence[np.ndarray],
    targets: Sequence[np.ndarray],
    batch_size: int,
    seed: int | None = None,
) -> tf.data.Dataset:
    """Windows of pairs of ids, each side padded to its longest row."""
    ends = _padded([[*row, END] for row in targets])
    starts = _padded([[START, *row] for row in targets])
    inputs = {"source": _padded(sources), "tokens": starts}
    return example_windows(inputs, ends, ends != PADDING, batch_size, seed)


def _mixed(parts: Sequence[tf.data.Dataset], seed: int) -> tf.data.Dataset:
    """All windows of all parts, each part's spread over the whole, anew at each reading."""
    sizes = [int(part.cardinality()) for part in parts]
    mixed = tf.data.Dataset.sample_from_datasets(
        parts, np.divide(sizes, sum(sizes)), seed, rerandomize_each_iteration=True
    )
    return mixed.apply(tf.data.experimental.assert_cardinality(sum(sizes)))


def _padded(rows: Sequence[Any]) -> np.ndarray:
    """Rows of ids as `[N, longest]`, int32, at least one column."""
    table = np.zeros((len(rows), max(1, *map(len, rows))), "int32")
    for index, row in enumerate(rows):
        table[index, : len(row)] = row
    return table
