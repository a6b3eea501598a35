"""Language modelling: what comes next in a text, by characters or by words."""

import math
from collections.abc import Iterator
from functools import partial
from itertools import chain, islice
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tasks.common.base import SHORT, DataTask, rule_of, spread
from tasks.common.naive import beside_learned
from tasks.common.streams import HALF_WORD, margins, read_tokens, tell
from tasks.common.text import END, PADDING, START, UNKNOWN
from tasks.common.units import tokenizer_of
from tasks.common.words import commonest, cut_rule, half_word
from tasks.language_modelling.sources import BUNDLED, Source
from tasks.language_modelling.spacing import flow, spaced
from tasks.language_modelling.text import MINIMUM_COUNT, UNITS
from tasks.language_modelling.unigram import unigram_costs, unigram_sums
from zoo.decoding import continued, decode, generating
from zoo.decoding.options import SamplingOptions
from zoo.errors import UserError
from zoo.evaluation.bootstrap import Evaluation, MetricSums
from zoo.registry import register
from zoo.task import Case, Written
from zoo.topologies.base import SequenceModel
from zoo.training.objectives import CrossEntropy
from zoo.training.settings import Settings
from zoo.training.windows import stream_windows
from zoo.utils.validation import checked_texts

_SERVED = {"character": 200, "word": 40, "token": 40}
_TEMPERATURE = 0.5
_SEED = (1, 1)
_NEVER = (PADDING, UNKNOWN, START, END)
_SHOWN = 5
"""How many of the likeliest next tokens the streaming endpoints return."""
_PROMPT = 60
_PIECE = 8
"""How many tokens are made at a time where a text is read while it is written."""


@register(
    "task",
    "language_modelling",
    topology="many_to_many",
    dataset="python_docs",
    input="text",
    draws=True,
    baseline="naive",
)
class LanguageModelling(DataTask):
    """Continues a text.

    Any tensorflow-datasets set with `text` will do, such as `tiny_shakespeare`, and so do UTF-8
    text files, plain or gz. Files beside `train.txt` that are named likewise, such as `valid.txt`
    and `test.txt`, are the other splits; of a folder without such files, each file is a document
    of one split. Where validation or test are lacking, each takes a tenth of the training text, in
    blocks. See `tasks.language_modelling.sources.find_files` for the rules.

    A document is an example of a data set, a file, or in a file what follows a WikiText heading
    (` = Title = ` between blank lines). Each is predicted from `<start>` on, every token of it.
    The text is never in memory as a whole.

    Args:
        dataset: a data set's name, or the path of a text file or folder.
        data_dir: folder of prepared data sets.
        unit: "character"; or "word", one of any script, a sign or a line break, see
            `tasks.common.words.word_pattern`; or "token", for text that is tokenised already: what
            stands between spaces, of which `<unk>` is the unknown token, or a line break.
        vocabulary_size: the commonest so many tokens are kept, others are `<unk>`; 0 for no limit.
        tokenizer: the rule that words are cut by, see `tasks.common.words.word_pattern`; 0 for the
            newest, and for the first where tokens are given.
        tokens: the vocabulary; read from the training data if not given. Words that occur there
            only once are `<unk>`.
        split_rule: see `DataTask`.

    Raises:
        UserError: `unit` is none of these, `vocabulary_size` is negative, or the data set cannot
            be read.
    """

    input_kind = "text"
    default_dataset = BUNDLED
    counted = "rows of a window"
    pipeline_tag = "text-generation"
    data_languages: ClassVar[dict[str, tuple[str, ...]]] = {"python_docs": ("en",)}
    limits = (
        "What it writes is likely, not true: it has no knowledge but how the texts of its data set "
        "read, and of a prompt unlike them it makes little."
    )
    vocabularies = ("tokens",)

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        unit: str = "character",
        vocabulary_size: int = 0,
        tokenizer: int = 0,
        tokens: list[str] | None = None,
        split_rule: str | None = None,
    ) -> None:
        super().__init__(dataset, data_dir, rule_of(split_rule, tokens))
        self.tokenizer = cut_rule(tokenizer, known=tokens is not None)
        make = tokenizer_of(unit, UNITS, "lines", rule=self.tokenizer)
        if vocabulary_size < 0:
            raise UserError(f"vocabulary_size is {vocabulary_size}, but it must not be negative")
        self.unit, self.vocabulary_size = unit, vocabulary_size
        self._last: Source | None = None
        if tokens is None:
            counts = self._source().corpus("train").counts()
            tokens = commonest(counts, MINIMUM_COUNT[unit], vocabulary_size)
        self.vocabulary = make(tokens)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            **super().get_config(),
            "unit": self.unit,
            "vocabulary_size": self.vocabulary_size,
            "tokenizer": self.tokenizer,
            "tokens": self.vocabulary.tokens,
        }

    def model_options(self) -> dict[str, Any]:
        """Return the size of the vocabulary."""
        return {"vocab_size": self.vocabulary.size}

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return windows of tokens `[B, T]`, each with the next one as its target."""
        corpus = self._source().corpus(split)
        documents = len(corpus.lengths)
        if seed is None:
            text = corpus.text(self.vocabulary.tokens)
            rows = max(1, min(settings.batch_size, documents))
            return stream_windows(text, rows, settings.window, cut=False)
        order = np.random.default_rng(seed).permutation(documents)
        text = corpus.text(self.vocabulary.tokens, order)
        return stream_windows(
            text, settings.batch_size, settings.window, cut=True, context=settings.context
        )

    def measure(self, model: SequenceModel, split: str, settings: Settings) -> Evaluation:
        """Return `loss` (nats a token), `accuracy`, `perplexity`; or also `bits_per_character`.

        Beside them stand those of `naive`.
        """
        own = super().measure(model, split, settings).also(self._more_metrics)
        return beside_learned(own, partial(self.naive, split, settings.window))

    def naive(self, split: str, window: int) -> Evaluation:
        """Return the metrics of expecting each token as often as it is in the training text.

        They take no token before it into account, see `tasks.language_modelling.unigram`.

        Args:
            split: what is measured.
            window: tokens that are an example each, of which intervals draw some.
        """
        source, tokens = self._source(), self.vocabulary.tokens
        costs = unigram_costs(source.beginning().text(tokens), self.vocabulary.size)
        rows = unigram_sums(source.corpus(split).text(tokens), costs, window)
        return Evaluation([MetricSums(rows, CrossEntropy().results)]).also(self._more_metrics)

    def _more_metrics(self, metrics: dict[str, float]) -> dict[str, float]:
        more = {"perplexity": math.exp(metrics["loss"])}
        if self.unit == "character":
            more["bits_per_character"] = metrics["loss"] / math.log(2)
        return more

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return `serve`: prompts `[N]` to `text`, each continued; `generate`: with options.

        `serve` adds 200 characters or 40 words at temperature 0.5. See `zoo.decoding.generating`
        for what `generate` takes beside the prompts: the length is that of what is added. As no
        text ends, a beam search looks for the likeliest one of that length.
        """
        prompts = tf.TensorSpec([None], tf.string, name="prompts")

        def answer(prompts: Any, **how: Any) -> dict[str, Any]:
            prompts = checked_texts(prompts)
            last, state = self._read(model, prompts)
            added = continued(model, state, last, banned=_NEVER, **how)
            return {
                "text": self._join(prompts, self.vocabulary.decode(added.tokens, added.lengths))
            }

        generate = generating(prompts, answer, _SERVED[self.unit])

        @tf.function(input_signature=[prompts], autograph=False)
        def serve(prompts: Any) -> dict[str, Any]:
            return generate(prompts, temperature=_TEMPERATURE, seed=_SEED)

        return {"serve": serve, "generate": generate, **self._streaming()}

    def decoding(self) -> str:
        """Return how `serve` draws what it adds."""
        return (
            f"{_SERVED[self.unit]} {self.unit}s were added to each, drawn at temperature "
            f"{_TEMPERATURE} with the seed {_SEED}."
        )

    def _streaming(self) -> dict[str, Any]:
        """Return the streaming endpoints; `next` `[N, 5]` are the likeliest tokens."""
        count = min(_SHOWN, self.vocabulary.size - len(_NEVER))

        def next_tokens(logits: Any) -> dict[str, Any]:
            # What is never written stands at the beginning of the vocabulary.
            probabilities = tf.nn.softmax(logits)[:, len(_NEVER) :]
            likeliest, ids = tf.math.top_k(probabilities, count)
            words = self.vocabulary.words(ids + len(_NEVER))
            first = {"text": words[:, 0], "probability": likeliest[:, 0]}
            return {**first, "next": words, "probabilities": likeliest}

        return {
            "read": read_tokens(self.vocabulary, self._half()),
            "tell": tell(self.vocabulary.size, next_tokens),
            "margins": margins(before=[START]),
        }

    def _half(self) -> str:
        """Return the expression for what may be half a token, see `read_tokens`."""
        if self.unit == "character":
            return ""
        return half_word() if self.unit == "word" and self.tokenizer > 1 else HALF_WORD

    def stream(self, model: SequenceModel, prompt: str, sampling: SamplingOptions) -> Iterator[str]:
        """Yield the text that `generate` makes of one prompt and seeds, while it is made."""
        pieces = self._pieces(model, prompt, sampling)
        if self.unit == "character":
            return filter(None, chain([prompt], pieces))
        return flow(prompt, pieces, self.unit == "word")

    def _pieces(
        self, model: SequenceModel, prompt: str, sampling: SamplingOptions
    ) -> Iterator[str]:
        """Yield the continuation of a prompt, a few tokens at a time, not yet spaced."""

        @tf.function(autograph=False)
        def more(last: Any, state: Any, length: Any, start: Any) -> Any:
            added = _drawn(model, last, state, length, start, sampling)
            text = self.vocabulary.decode(added.tokens, added.lengths)
            return text, added.tokens[:, -1], added.state

        last, state = tf.function(self._read, autograph=False)(model, tf.constant([prompt]))
        for start in range(0, sampling.length, _PIECE):
            length = min(_PIECE, sampling.length - start)
            text, last, state = more(last, state, tf.constant(length), tf.constant(start))
            yield text.numpy()[0].decode()

    def written(
        self, model: SequenceModel, prompt: str, sampling: SamplingOptions
    ) -> Iterator[Written]:
        """Yield the tokens of a prompt and those that `generate` adds, one by one.

        The text is that of `generate` with the same seed, its tokens not yet spaced.
        """
        likely = self._streaming()["tell"]

        @tf.function(autograph=False)
        def read(last: Any, state: Any) -> Any:
            logits, after = model.step(last, state)
            return likely(tf.cast(logits, tf.float32)), after

        @tf.function(autograph=False)
        def write(last: Any, state: Any, place: Any) -> Any:
            return _drawn(model, last, state, 1, place, sampling).tokens[:, -1]

        ids = self.vocabulary.encode(tf.constant([prompt]))[0]
        state, last = model.initial_state(1), tf.constant([START])
        for place in range(len(ids) + sampling.length):
            answers, after = read(last, state)
            added = place >= len(ids)
            token = write(last, state, tf.constant(place - len(ids))) if added else ids[place][None]
            words = [word.decode(errors="replace") for word in answers["next"][0].numpy()]
            yield Written(
                self.vocabulary.words(token)[0].numpy().decode(errors="replace"),
                added,
                list(zip(words, answers["probabilities"][0].numpy().tolist())),
                [np.asarray(part)[0] for part in tf.nest.flatten(after)],
            )
            state, last = after, token

    def resources(self) -> list[Any]:
        """Return the vocabulary."""
        return [self.vocabulary]

    def examples(self) -> list[str]:
        """Return the beginnings of three test texts, or of one text's first parts."""
        pieces = (text[:_PROMPT] for text, _ in self._source().pieces("test") if text.strip())
        return [text.rpartition(" ")[0] or text for text in islice(pieces, 3)]

    def cases(self, count: int) -> list[Case]:
        """Return beginnings of test texts, and how they really go on."""
        texts = [text for text, _ in self._source().pieces("test") if text.strip()]
        chosen = [texts[place][: _PROMPT + SHORT] for place in spread(len(texts), count)]
        prompts = [text[:_PROMPT].rpartition(" ")[0] or text[:_PROMPT] for text in chosen]
        return [Case(prompt, text) for prompt, text in zip(prompts, chosen)]

    def _read(self, model: SequenceModel, prompts: Any) -> tuple[Any, Any]:
        """Return the last token of each prompt, and the state before it."""
        ids = self.vocabulary.encode(prompts)
        ids = tf.concat([tf.fill([ids.nrows(out_type=tf.int32), 1], START), ids], axis=1)
        before = tf.cast(ids.row_lengths(), tf.int32) - 1
        padded = ids.to_tensor(PADDING)
        _, state = model(padded, lengths=before, return_state=True)
        return tf.gather(padded, before, axis=1, batch_dims=1), state

    def _join(self, prompts: Any, added: Any) -> Any:
        """Return prompts `[N]` with what is added; words spaced as in print, tokens by spaces."""
        if self.unit == "character":
            return tf.strings.join([prompts, added])
        return spaced(prompts, added, self.unit == "word")

    def _source(self) -> Source:
        """Return the source of the current data set, which `zoo.evaluate` may change."""
        now = (self.dataset, self.data_dir)
        if self._last is None or (self._last.dataset, self._last.data_dir) != now:
            self._last = Source(*now, self.unit, self.split_rule, self.tokenizer)
        return self._last


def _drawn(
    model: SequenceModel, last: Any, state: Any, length: Any, start: Any, sampling: SamplingOptions
) -> Any:
    """Return what `decode` adds after a token, from a place in the text on.

    Each place has a seed of its own, so that the text does not depend on the pieces it is made in.
    """
    return decode(
        model.step,
        state,
        last,
        length,
        temperature=sampling.temperature,
        seed=(sampling.seeds[0], sampling.seeds[1] + start),
        banned=_NEVER,
        top_k=sampling.top_k,
        top_p=sampling.top_p,
    )
