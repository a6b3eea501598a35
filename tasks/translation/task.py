"""Translation: a text in one language in, the same text in another language out."""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from tasks.common.base import SHORT, DataTask, rule_of, spread
from tasks.common.naive import beside
from tasks.common.searching import Search, faults, shortest_run
from tasks.common.text import END, PADDING, ROWS, START, UNKNOWN
from tasks.common.tokenizers import Tokenizer
from tasks.common.units import tokenizer_of
from tasks.common.words import cut_rule, word_pattern
from tasks.common.writing import written_answer
from tasks.translation.casing import Casing, learn_casing
from tasks.translation.pairs import Pair, open_pairs
from tasks.translation.scoring import translation_metrics
from tasks.translation.windows import pair_windows
from zoo.decoding import Decoded, generate, generating
from zoo.errors import UserError
from zoo.evaluation.bootstrap import Evaluation
from zoo.evaluation.plots import alignment_figure
from zoo.readers.modality import modality
from zoo.registry import register
from zoo.task import Case, Written
from zoo.topologies.base import SequenceModel
from zoo.training.objectives import SelfCritical
from zoo.training.settings import Settings
from zoo.utils.html import alignment
from zoo.utils.progress import progress
from zoo.utils.validation import LONGEST_TEXT, checked_texts

UNITS = ("word", "character", "subword")
_LEAST = {"word": 4, "subword": 5, "character": 12}
"""Tokens of the shortest run that may be barred from coming twice: each digit is a word."""
_ROWS = 250
_READ = 20_000
"""Targets that are read to see what they repeat."""
_SOURCES = tf.TensorSpec([None], tf.string, name="sources")


@register(
    "task",
    "translation",
    topology="seq2seq",
    dataset="cldr_phrases/en-fr",
    input="text",
    objective="self_critical",
    baseline="naive",
)
class Translation(DataTask):
    """Translates a text, token by token.

    Any tensorflow-datasets set with `source` and `target` will do, or one of translations (such
    as `ted_hrlr_translate/pt_to_en`). So does a folder of a person's own with a file for each
    language and split, such as `de.train.txt` (see `Folder`), and a table: a source, a tab and its
    target on each line, or columns of it (see `tasks.translation.pairs.read_file`).

    Args:
        dataset: a data set's name, or the path of a folder or of a table.
        data_dir: folder of prepared data sets.
        source: the language to translate from, where the data know languages. If not given, what
            a data set says or, of a folder's two, the one that comes first in the alphabet.
        target: the language to translate to, likewise.
        columns: of a table: those of the source and of the target, such as "2,4".
        unit: what a token is: "word", "character", or "subword", a piece of a word that is learnt
            from the training data (see `Subwords`).
        lowercase: read all texts in lower case, so that there are fewer words; translations then
            get the capital letters that are the most usual in the training data (see `Casing`).
        max_length: tokens of the longest text; at least 1. Pairs with a longer one are left out
            of training. Elsewhere nothing that comes later is read, and no translation gets longer.
        minimum_count: a word or character that occurs less often in the training data is `<unk>`.
        vocabulary_size: so many tokens of each language, at most; 0 for no limit, and for 8,000
            subwords.
        beam_width: hypotheses of the beam search that translates; 1 takes the likeliest token
            each time.
        length_penalty: the exponent by which it favours longer translations, see
            `zoo.decoding.beams.beam_search`.
        no_repeat_ngram: a run of so many tokens comes once in a translation at most; 0 for any
            number of times. If not given, the shortest of 4 words (5 subwords, 12 characters) or
            more that at most one in 100 of the training targets holds twice; and 0 where tokens
            are given.
        tokenizer: the rule that words are cut by, see `tasks.common.words.word_pattern`; 0 for the
            newest, and for the first where tokens are given.
        source_tokens: the vocabulary of the sources; read from the training data if not given.
        target_tokens: likewise of the targets.
        cased_words: words of the targets that have capital letters; likewise.
        capital: whether a target starts with one; read together with those words.
        split_rule: see `DataTask`.

    Raises:
        UserError: `unit` is none of the three, a number is too small, or the data cannot be read.
    """

    input_kind = "text"
    default_dataset = "cldr_phrases/en-fr"
    objective_class = SelfCritical
    counted = "sentences"
    learned = (*DataTask.learned, "cased_words", "capital", "no_repeat_ngram")
    searching = ("beam_width", "length_penalty", "no_repeat_ngram")
    pipeline_tag = "translation"
    data_languages: ClassVar[dict[str, tuple[str, ...]]] = {
        f"cldr_phrases/en-{code}": ("en", code) for code in ("fr", "de", "es", "zh")
    }
    limits = (
        "It translates texts like those of its data set; of any other it makes something fluent "
        "and wrong without a warning."
    )
    vocabularies = ("source_tokens", "target_tokens")

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        source: str = "",
        target: str = "",
        columns: str = "",
        unit: str = "word",
        lowercase: bool = False,
        max_length: int = 64,
        minimum_count: int = 1,
        vocabulary_size: int = 0,
        beam_width: int = 5,
        length_penalty: float = 1.0,
        no_repeat_ngram: int | None = None,
        tokenizer: int = 0,
        source_tokens: list[str] | None = None,
        target_tokens: list[str] | None = None,
        cased_words: list[str] | None = None,
        capital: bool = False,
        split_rule: str | None = None,
    ) -> None:
        super().__init__(dataset, data_dir, rule_of(split_rule, source_tokens))
        known = source_tokens is not None and target_tokens is not None
        self.tokenizer = cut_rule(tokenizer, known)
        make = tokenizer_of(unit, UNITS, "exact", lowercase, self.tokenizer)
        if max_length < 1:
            raise UserError(f"max_length is {max_length}, but at least 1 is needed")
        self.search = Search(beam_width, length_penalty, no_repeat_ngram or 0)
        self.languages, self.columns = (source, target), columns
        self.unit, self.lowercase = unit, lowercase
        self.max_length, self.minimum_count = max_length, minimum_count
        self.vocabulary_size = vocabulary_size
        self._open: dict[tuple[str, str | None], Callable[[str], list[Pair]]] = {}
        self._read: dict[tuple[str | None, ...], list[Pair]] = {}
        if source_tokens is None or target_tokens is None:
            source_tokens, target_tokens = (
                make().learn(texts, vocabulary_size, minimum_count)
                for texts in self._texts("train")
            )
        pattern = word_pattern("exact", self.tokenizer)
        if lowercase and cased_words is None:
            cased_words, capital = learn_casing(self._texts("train")[1], pattern)
        self.source, self.target = make(source_tokens), make(target_tokens)
        if no_repeat_ngram is None and not known:
            targets = _encoded(self.target, self._texts("train")[1][:_READ])
            longest = shortest_run(targets.to_list(), _LEAST[unit])
            self.search = replace(self.search, no_repeat_ngram=longest)
        self.casing = Casing(cased_words or [], capital, pattern) if lowercase else None

    @property
    def vocabularies_grow(self) -> bool:
        """Return whether tokens can be added; not to subwords, whose order has a meaning."""
        return self.unit != "subword"

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        casing = self.casing and {
            "cased_words": list(self.casing.forms),
            "capital": self.casing.capital,
        }
        return {
            **super().get_config(),
            "source": self.languages[0],
            "target": self.languages[1],
            "columns": self.columns,
            "unit": self.unit,
            "lowercase": self.lowercase,
            "max_length": self.max_length,
            "minimum_count": self.minimum_count,
            "vocabulary_size": self.vocabulary_size,
            **asdict(self.search),
            "tokenizer": self.tokenizer,
            "source_tokens": self.source.tokens,
            "target_tokens": self.target.tokens,
            **(casing or {}),
        }

    def model_options(self) -> dict[str, Any]:
        """Return the sizes of the vocabularies."""
        return {"source_vocab_size": self.source.size, "target_vocab_size": self.target.size}

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return windows of whole pairs of about the same length, see `pair_windows`."""
        source, target = (
            _encoded(vocabulary, texts)
            for vocabulary, texts in zip((self.source, self.target), self._texts(split))
        )
        fits = tf.maximum(source.row_lengths(), target.row_lengths()) <= self.max_length
        long = int(tf.math.count_nonzero(~fits))
        if seed is not None:
            if long == len(fits):
                raise UserError(
                    f"each pair of {self.dataset} has more than {self.max_length} tokens: "
                    "raise max_length"
                )
            source, target = (tf.ragged.boolean_mask(side, fits) for side in (source, target))
        if long:
            print(
                f"{'left out' if seed is not None else 'cut'} {long:,} of {len(fits):,} pairs of "
                f"{split}, which have more than {self.max_length} tokens (max_length)",
                file=sys.stderr,
            )
        source, target = source[:, : self.max_length], target[:, : self.max_length]
        return pair_windows(source, target, settings.batch_size, seed)

    def measure(self, model: SequenceModel, split: str, settings: Settings) -> Evaluation:
        """Return `loss`, `accuracy` and `perplexity` a token, and the metrics of translations.

        The first three are of a token after all right ones; see `translation_metrics` for `bleu`,
        `chrf` and `exact_match`, beside which stand those of `naive`.
        """
        metrics = super().measure(model, split, settings)
        metrics = metrics.also(lambda values: {"perplexity": math.exp(min(values["loss"], 700.0))})
        pairs = self._pairs(split)
        texts, ended = self._translate(model, [pair.source for pair in pairs])
        metrics += translation_metrics(texts, pairs, self.lowercase)
        return beside(metrics + faults(texts, ended, self.tokenizer), self.naive(split))

    def naive(self, split: str) -> Evaluation:
        """Return the metrics of sources that are copied as they are."""
        pairs = self._pairs(split)
        return translation_metrics([pair.source for pair in pairs], pairs, self.lowercase)

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return `serve`: sources `[N]` to `text`, their translations; `generate`: others, too.

        A model that attends also returns what it looked at: `alignment` `[N, T, S]`, the weight of
        each of the `source_tokens` `[N, S]` as each of the `target_tokens` `[N, T]` was written;
        empty where a text has fewer. What it writes as `<unk>` is then the source token with the
        largest weight (Luong et al. 2015, arXiv:1410.8206); other models write no `<unk>`.

        See `zoo.decoding.generating` for what `generate` takes beside the sources.
        """

        def answer(sources: Any, **decoding: Any) -> dict[str, Any]:
            sources = checked_texts(sources, empty=False)
            return self._answer(model, sources, self._decoded(model, sources, **decoding))

        generate = generating(_SOURCES, answer, self.max_length)

        @tf.function(input_signature=[_SOURCES], autograph=False)
        def serve(sources: Any) -> dict[str, Any]:
            return generate(sources, beam_width=self.search.beam_width)

        return {"serve": serve, "generate": generate}

    def plot(self, model: SequenceModel, raw: str) -> Figure:
        """Draw what each token of the translation looked at."""
        if not model.attends:
            return super().plot(model, raw)
        return alignment_figure(*self._aligned(model, raw))

    def show(self, model: SequenceModel, raw: str) -> str:
        """Return a text, and a table of what each token of its translation looked at."""
        shown = modality(self.input_kind).show(raw)
        return shown + alignment(*self._aligned(model, raw)) if model.attends else shown

    def written_answer(self, model: SequenceModel, raw: str) -> Iterator[Written]:
        """Yield the tokens of a translation one by one."""
        source = _table(self.source.encode(tf.constant([raw]))[:, : self.max_length], PADDING)
        how = {"max_length": self.max_length, "beam_width": self.search.beam_width}
        answers = self._decoded(model, tf.constant([raw]), **how)
        return written_answer(model, source, answers, self.target)

    def _aligned(self, model: SequenceModel, raw: str) -> tuple[list[str], list[str], np.ndarray]:
        """Return T tokens that were written, S that could be looked at, and weights `[T, S]`."""
        answers = self.served(model)["serve"](tf.constant([raw]))
        rows, columns = (
            [token.decode().strip() for token in answers[key].numpy()[0]]
            for key in ("target_tokens", "source_tokens")
        )
        return rows, columns, answers["alignment"].numpy()[0]

    def decoding(self) -> str:
        """Say how `serve` looks for its answer."""
        return self.search.sentence(f"{self.unit}s")

    def resources(self) -> list[Any]:
        """Return the vocabularies, and the words with capital letters."""
        return [self.source, self.target, *([self.casing] if self.casing else [])]

    def examples(self) -> list[str]:
        """Return three test sources."""
        return [pair.source for pair in self._pairs("test")[:3]]

    def cases(self, count: int) -> list[Case]:
        """Return test sources that are not long, and their translations."""
        short = [pair for pair in self._pairs("test") if len(pair.source) <= SHORT]
        chosen = [short[place] for place in spread(len(short), count)]
        return [Case(pair.source, pair.target, pair.target.__eq__) for pair in chosen]

    def _translate(self, model: SequenceModel, sources: list[str]) -> tuple[list[str], list[bool]]:
        """Return the translation of each source, and whether the model ended it itself."""

        @tf.function(input_signature=[_SOURCES], autograph=False)
        def translate(sources: Any) -> Any:
            answers = self._decoded(
                model, sources, max_length=self.max_length, beam_width=self.search.beam_width
            )
            text = self._answer(model, sources, answers)["text"]
            return text, answers.lengths < self.max_length

        # Those of one length together: a batch takes as long as its longest.
        order = sorted(range(len(sources)), key=lambda index: len(sources[index]))
        batches = [order[start : start + _ROWS] for start in range(0, len(order), _ROWS)]
        texts, ended = [""] * len(sources), [True] * len(sources)
        for batch in progress(batches, "translating"):
            # What comes later is not read anyhow.
            some = tf.constant([sources[index][:LONGEST_TEXT] for index in batch])
            answers, ends = (part.numpy() for part in translate(some))
            for index, answer, end in zip(batch, answers, ends):
                texts[index], ended[index] = answer.decode(), bool(end)
        return texts, ended

    def _decoded(self, model: SequenceModel, sources: Any, **decoding: Any) -> Decoded:
        """Return translations as tokens, in the graph."""
        return generate(
            model,
            _table(self.source.encode(sources)[:, : self.max_length], PADDING),
            START,
            end=END,
            banned=(PADDING, START) if model.attends else (PADDING, START, UNKNOWN),
            watched=model.attends,
            # Each stands for what was looked at.
            repeatable=(UNKNOWN,),
            **{**self.search.rules(), **decoding},
        )

    def _answer(self, model: SequenceModel, sources: Any, answers: Decoded) -> dict[str, Any]:
        """Return what `serve` or `generate` answers, in the graph."""
        longest = tf.maximum(tf.reduce_max(answers.lengths), 0)
        tokens = self.target.words(answers.tokens[:, :longest])
        tokens = tf.where(tf.sequence_mask(answers.lengths, longest), tokens, "")
        looked: dict[str, Any] = {}
        if model.attends:
            sources = _table(self.source.split(sources)[:, : self.max_length], "")
            alignment = answers.watched[:, :longest]
            unknown = answers.tokens[:, :longest] == UNKNOWN
            tokens = tf.where(unknown, self._copied(sources, alignment), tokens)
            looked = {"alignment": alignment, "source_tokens": sources, "target_tokens": tokens}
        text = self.target.join(tf.RaggedTensor.from_tensor(tokens, lengths=answers.lengths))
        return {"text": self.casing.restore(text) if self.casing else text, **looked}

    def _copied(self, sources: Any, alignment: Any) -> Any:
        """Return the source token of `[N, S]` that each step of `[N, T, S]` looked at most."""
        place = tf.argmax(alignment, axis=-1, output_type=tf.int32)
        copied = tf.gather(sources, place, batch_dims=1)
        # A text's first word has no space before it, any other one has.
        word = tf.strings.regex_full_match(copied, word_pattern("letters", self.tokenizer))
        later = tf.range(tf.shape(place)[1]) > 0
        spaced = tf.where(word & (place == 0), tf.strings.join([" ", copied]), copied)
        return tf.where(later, spaced, tf.strings.regex_replace(copied, "^ ", ""))

    def _pairs(self, split: str) -> list[Pair]:
        key = (self.dataset, self.data_dir, split)
        if key not in self._read:
            at = (self.dataset, self.data_dir)
            if at not in self._open:
                self._open[at] = open_pairs(*at, *self.languages, self.columns, self.split_rule)
            self._read[key] = self._open[at](split)
        return self._read[key]

    def _texts(self, split: str) -> tuple[list[str], list[str]]:
        """Return the sources and the targets of a split."""
        sources, targets, _ = zip(*self._pairs(split))
        return list(sources), list(targets)


def _encoded(vocabulary: Tokenizer, texts: list[str]) -> tf.RaggedTensor:
    """Return the ids of many texts."""
    starts = range(0, len(texts), ROWS)
    return tf.concat(
        [vocabulary.encode(texts[start : start + ROWS]) for start in progress(starts, "encoding")],
        axis=0,
    )


def _table(rows: tf.RaggedTensor, empty: Any) -> Any:
    """Return ragged rows as `[N, longest]`; one column at least, as a model needs a time step."""
    table = rows.to_tensor(empty)
    missing = tf.maximum(1 - tf.shape(table)[1], 0)
    return tf.pad(table, [[0, 0], [0, missing]], constant_values=empty)
