"""Text classification: the sentiment, the topic or the language of a text."""

import sys
from collections import Counter
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

import tasks.text_classification.dataset  # noqa: F401  makes `phrase_languages` known by name
from tasks.common.base import SHORT, rule_of, spread
from tasks.common.classes import class_case
from tasks.common.classification import Classification
from tasks.common.folds import check_fold, check_part
from tasks.common.streams import read_tokens
from tasks.common.text import PADDING, count_tokens
from tasks.common.units import check_unit, tokenizer_of
from tasks.common.words import commonest, cut_rule, half_word
from tasks.text_classification.sources import read_texts
from tasks.text_classification.table import Example
from tasks.text_classification.words import TextEncoder
from tasks.translation.windows import BUCKETS, buckets
from zoo.errors import UserError
from zoo.evaluation.plots import text_figure
from zoo.registry import register
from zoo.task import Case, is_whole
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings
from zoo.training.windows import example_windows, mixed_windows
from zoo.utils.validation import checked_texts

_USUAL = {"word": 20_000, "character": 20_000, "subword": 8_000}
"""Tokens that are known at most of each unit."""
UNITS = (*_USUAL,)

_NEW = 0.4
"""Where more of the words occur once than this share of all, characters are the tokens. It is what
share of a new text's words will be new, too (I. J. Good 1953, Biometrika 40, 237-264)."""

FEW = 10_000
"""Texts for training of which fewer are soon learnt by heart."""
SHOWN = 18_000
"""How many texts a training shows at least, each one again and again if need be."""
_PASSES = (6, 60)
"""Epochs of few texts, at least and at most."""
_STEADY = 2_600
"""Of more texts than these each is learned from in smaller steps, so that all steps of a training
together go no farther."""

_BUNDLED_LANGUAGES = (
    "es", "pt", "it", "ca", "nl", "de", "da", "sv", "nb", "cs", "sk", "pl", "ru", "uk", "bg",
)  # fmt: skip


@register(
    "task",
    "text_classification",
    topology="many_to_one",
    dataset="phrase_languages",
    input="text",
    baseline="naive",
)
class TextClassification(Classification):
    """Says which of some classes a text is of.

    Args:
        dataset: name of a tensorflow-datasets set with texts and labels, such as `imdb_reviews`,
            `ag_news_subset` or `glue/sst2`; or a `.csv` or `.tsv` file, or a folder, see
            `tasks.text_classification.sources.read_texts`.
        data_dir: folder of prepared data sets.
        unit: "word", "character" or "subword": what a token is; "" for words or, where too many of
            the words of the training data are new ones, as in names, for characters.
        lowercase: whether letters of either case are the same.
        max_length: tokens of a text that are read, at least 4; a longer one loses its middle, see
            `TextEncoder`.
        minimum_count: a word or character that occurs less often in the training data is `<unk>`.
        vocabulary_size: so many tokens at most, the commonest ones; 0 for 20,000, or for 8,000
            pieces of words.
        text_column: the column, by name or number, or the feature, that holds the texts; "" for
            the usual names.
        label_column: likewise of the labels.
        tokenizer: the rule that words are cut by, see `tasks.common.words.word_pattern`; 0 for the
            newest, and for the first where tokens are given.
        classes: names of the classes; read from the training data if not given.
        tokens: the vocabulary, likewise.
        split_rule: see `DataTask`.
        fold: of a person's own data, the part that is held out for the test, such as "2/5", the
            second of five; "" for the usual splits. `zoo fit --folds 5` takes each in turn, and
            then learns from all, "all/5".

    Raises:
        UserError: `unit` or `max_length` is none of those, or the data set cannot be read.
    """

    input_kind = "text"
    default_dataset = "phrase_languages"
    counted = "texts"
    pipeline_tag = "text-classification"
    data_languages: ClassVar[dict[str, tuple[str, ...]]] = {"phrase_languages": _BUNDLED_LANGUAGES}
    limits = (
        "It names one of its classes for any text, also for one of none of them, and knows only "
        "texts like those of its data set."
    )
    vocabularies = ("tokens",)

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        unit: str = "",
        lowercase: bool = True,
        max_length: int = 400,
        minimum_count: int = 1,
        vocabulary_size: int = 0,
        text_column: str = "",
        label_column: str = "",
        tokenizer: int = 0,
        classes: list[str] | None = None,
        tokens: list[str] | None = None,
        split_rule: str | None = None,
        fold: str = "",
    ) -> None:
        super().__init__(dataset, data_dir, rule_of(split_rule, tokens))
        self.fold = check_fold(fold)
        self.tokenizer = cut_rule(tokenizer, known=tokens is not None)
        if unit:
            check_unit(unit, UNITS)
        if max_length < 4:
            raise UserError(f"max_length is {max_length}, but at least 4 is needed")
        self.minimum_count, self.vocabulary_size = minimum_count, vocabulary_size
        self.lowercase = lowercase
        self.text_column, self.label_column = text_column, label_column
        self._read: dict[tuple[str, str | None], dict[str, list[Example]]] = {}
        self.classes = classes or _sorted({each.label for each in self._examples("train")})
        counts = self._count_words() if tokens is None and not unit else None
        self.unit = unit or _best_unit(counts)
        make = tokenizer_of(self.unit, UNITS, "markup", lowercase, self.tokenizer)
        size = vocabulary_size or _USUAL[self.unit]
        if counts and self.unit == "word":
            tokens = commonest(counts, minimum_count, size)
        elif tokens is None:
            texts = [each.text for each in self._examples("train")]
            tokens = make().learn(texts, size, minimum_count)
        self.encoder = TextEncoder(make(tokens), max_length)

    @property
    def vocabularies_grow(self) -> bool:
        """Return whether tokens are no pieces of words, which have an order of their own."""
        return self.unit != "subword"

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "fold": self.fold,
            "unit": self.unit,
            "lowercase": self.lowercase,
            "max_length": self.encoder.longest,
            "minimum_count": self.minimum_count,
            "vocabulary_size": self.vocabulary_size,
            "text_column": self.text_column,
            "label_column": self.label_column,
            "tokenizer": self.tokenizer,
            "classes": self.classes,
            "tokens": self.encoder.vocabulary.tokens,
        }

    def model_options(self) -> dict[str, Any]:
        """Return the sizes of the vocabulary and of the output."""
        return {"vocab_size": self.encoder.vocabulary.size, "classes": len(self.classes)}

    def suited_options(self) -> dict[str, Any]:
        """Return n-grams, longer ones of characters, and for few texts what keeps these from being
        learnt by heart: more dropout, averaged weights, smaller steps, and fewer or more of them.
        """
        ngrams = {"ngrams": 4 if self.unit == "character" else 2}
        count = len(self._examples("train"))
        if count >= FEW:
            return ngrams
        least, most = _PASSES
        epochs = min(max(-(-SHOWN // count), least), most)
        return {
            **ngrams,
            "dropout": 0.6,
            "word_dropout": 0.2,
            "label_smoothing": 0.1,
            "learning_rate": float(f"{0.004 * min(1.0, _STEADY / count):.2g}"),
            "epochs": epochs,
            "average_from": epochs // 3,
            "patience": epochs,
        }

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return windows of whole texts: `tokens` `[B, T]`, `lengths` `[B]`, one target each.

        Texts of a window are of about the same length, and T is one of a few.
        """
        examples = self._examples(split)
        ids, too_long = self.encoder.encode_all(
            [each.text for each in examples], f"encoding {split}"
        )
        if too_long:
            self._tell_shortened(f"{too_long} of {len(examples)} texts of {split}")
        lengths = np.maximum([len(row) for row in ids], 1)
        labels = np.array([self._class(each) for each in examples])
        parts = []
        for rows in buckets(lengths, min(BUCKETS, -(-len(ids) // settings.batch_size))):
            tokens = np.full((len(rows), lengths[rows].max()), PADDING, "int32")
            for place, row in enumerate(rows):
                tokens[place, : len(ids[row])] = ids[row]
            inputs = {"tokens": tokens, "lengths": lengths[rows].astype("int32")}
            size = settings.batch_size
            parts.append(example_windows(inputs, labels[rows], np.ones(len(rows)), size, seed))
        return mixed_windows(parts, seed)

    def plot(self, model: SequenceModel, raw: Any) -> Figure:
        """Draw the words of a text, the darker the more they count, if the model weighs them."""
        if not model.weighs:
            return super().plot(model, raw)
        texts = tf.constant([raw])
        inputs = self._inputs(texts)
        answer = self.likeliest(model(inputs))
        words = [word.decode(errors="replace") for word in self.encoder.split(texts)[0].numpy()]
        weights = np.asarray(model.token_weights(inputs))[0, : len(words)]
        title = f"{answer['text'][0].numpy().decode()}, {answer['probability'][0]:.0%}"
        return text_figure(words, weights, title, " " if self.unit == "word" else "")

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return `serve`: texts `[N]` to `text`, a class, `probability`, `labels`, `probabilities`.

        The last two are `[N, classes]`, the likeliest first.
        """

        @tf.function(
            input_signature=[tf.TensorSpec([None], tf.string, name="texts")], autograph=False
        )
        def serve(texts: Any) -> dict[str, Any]:
            inputs = self._inputs(checked_texts(texts, empty=False))
            return self.likeliest(model(inputs))

        if not model.steppable or self.unit == "subword":
            return {"serve": serve}
        # A mark of HTML may hold white space.
        old = r"(?:<[^<>]{0,31}|\S)+$"
        words = half_word("markup") if self.tokenizer > 1 else old
        half = words if self.unit == "word" else ""
        return {
            "serve": serve,
            "read": read_tokens(self.encoder.vocabulary, half),
            "tell": self.tell(),
        }

    def resources(self) -> list[Any]:
        """Return the vocabulary."""
        return [self.encoder.vocabulary]

    def examples(self) -> list[str]:
        """Return three test texts, of different classes if they can be."""
        examples = self._examples("test" if not is_whole(self.fold) else "train")
        first = {each.label: each for each in reversed(examples)}
        return [each.text for each in [*first.values(), *examples][:3]]

    def cases(self, count: int) -> list[Case]:
        """Return test texts that are not long, and their classes."""
        short = [each for each in self._examples("test") if len(each.text) <= SHORT]
        chosen = [short[place] for place in spread(len(short), count)]
        return [class_case(each.text, each.label) for each in chosen]

    def _inputs(self, texts: Any) -> dict[str, Any]:
        """Return a model's inputs; a text has at least one token, if only padding."""
        ids = self.encoder.encode(texts)
        lengths = tf.maximum(tf.cast(ids.row_lengths(), tf.int32), 1)
        tokens = ids.to_tensor(PADDING)
        missing = tf.maximum(1 - tf.shape(tokens)[1], 0)
        return {"tokens": tf.pad(tokens, [[0, 0], [0, missing]]), "lengths": lengths}

    def _examples(self, split: str) -> list[Example]:
        at = (self.dataset, self.data_dir)
        if at not in self._read:
            columns = (self.text_column, self.label_column)
            self._read[at] = read_texts(*at, *columns, self.split_rule, self.fold)
        if not self._read[at][split]:
            check_part(self.fold, split, self.dataset)
        return self._read[at][split]

    def _count_words(self) -> Counter[str]:
        """Return how often each word occurs in the training data."""
        words = tokenizer_of("word", UNITS, "markup", self.lowercase, self.tokenizer)()
        texts = [each.text for each in self._examples("train")]
        return count_tokens(texts, words.split, words.spell)

    def _class(self, example: Example) -> int:
        if example.label not in self.classes:
            raise UserError(
                f"{example.place} has the label {example.label!r}, but the model knows "
                f"{', '.join(self.classes)}"
            )
        return self.classes.index(example.label)

    def _tell_shortened(self, texts: str) -> None:
        longest, head = self.encoder.longest, self.encoder.head
        print(
            f"{texts} have more than {longest} {self.unit}s: of these the first {head} and the "
            f"last {longest - head} are read",
            file=sys.stderr,
        )


def _best_unit(counts: Counter[str] | None) -> str:
    """Return "word" or, where words are mostly new ones, "character"; which is printed.

    Args:
        counts: how often each word occurs; None if that is not known.
    """
    spelt = [count for word, count in (counts or {}).items() if any(map(str.isalpha, word))]
    new = spelt.count(1) / max(1, sum(spelt))
    if new <= _NEW:
        return "word"
    print(
        f"{new:.0%} of all words occur once: texts are read by character (--set unit=word for "
        "words)",
        file=sys.stderr,
    )
    return "character"


def _sorted(labels: set[str]) -> list[str]:
    """Sort labels by their numbers if all are numbers, else by name."""
    numbers = all(label.removeprefix("-").isdecimal() for label in labels)
    return sorted(labels, key=(lambda label: (int(label), label)) if numbers else None)
