"""Sequence labelling: the part of speech, or the entity, that each word of a sentence is."""

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from tasks.common.base import SHORT, DataTask, rule_of, spread
from tasks.common.classes import confusion
from tasks.common.naive import MostOften, beside_learned
from tasks.common.normal import compose
from tasks.common.showing import show_spans
from tasks.common.spans import spans
from tasks.common.splits import SPLITS
from tasks.common.text import UNKNOWN, split_tokens, token_places
from tasks.common.words import BETWEEN_SPACES, commonest, cut_rule, word_pattern
from tasks.sequence_labelling.columns import Sentence
from tasks.sequence_labelling.scoring import tag_metrics
from tasks.sequence_labelling.sources import read_sentences
from tasks.sequence_labelling.spans import are_entities
from tasks.sequence_labelling.words import WordEncoder, are_spaced, normalize
from zoo.errors import UserError
from zoo.evaluation.bootstrap import Evaluation, MetricSums
from zoo.evaluation.loop import WindowLoop
from zoo.layers.crf import FORBIDDEN, Chain
from zoo.registry import register
from zoo.task import Case
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings
from zoo.training.windows import example_windows, mixed_windows
from zoo.typing import State, Window
from zoo.utils.progress import progress
from zoo.utils.validation import checked_texts

_LENGTHS = (4, 8, 12, 16, 20, 24, 32, 40, 56, 80, 120, 200, 400)
"""Words of the longest sentence of each bucket but the last."""


@register(
    "task",
    "sequence_labelling",
    topology="many_to_many",
    dataset="cldr_entities",
    input="text",
    baseline="naive",
)
class SequenceLabelling(DataTask):
    """Names the tag of each word of a sentence: its part of speech, or what entity it belongs to.

    Tags of entities are in the scheme BIO, see `tasks.sequence_labelling.spans`.

    Args:
        dataset: name of a tensorflow-datasets set with `tokens` and their tags; or a file or folder
            of CoNLL or CoNLL-U, see `tasks.sequence_labelling.sources.find_files`.
        data_dir: folder of prepared data sets.
        tag_column: which column or feature the tags are, such as "xpos" or 2, see
            `read_sentences`.
        word_column: likewise the words.
        minimum_count: a word that occurs less often in the training data is `<unk>`, and known by
            its characters alone; letters of either case and all digits are the same in this.
        longest_word: characters of a word that are read, at least 2: of a longer one the first and
            the last.
        constrain: whether an entity's later words must follow its first one, where tags are those
            of entities, in what is answered.
        tokenizer: the rule that words are cut by, see `tasks.common.words.word_pattern`; 0 for the
            newest, and for the first where words are given.
        spaced: whether words of a text are what stands between its spaces, signs among them,
            whatever that rule says. None for yes if it would cut many of the training data's words
            further, as it does with those of scripts that set no spaces.
        tags: those that there are; read from the data if not given.
        words: the vocabulary; read from the training data if not given.
        characters: likewise.
        split_rule: see `DataTask`.
        column: what `tag_column` was called before.

    Raises:
        UserError: `longest_word` is too small, or the data set cannot be read.
    """

    input_kind = "text"
    default_dataset = "cldr_entities"
    monitor = "val_accuracy"
    counted = "sentences"
    pipeline_tag = "token-classification"
    data_languages: ClassVar[dict[str, tuple[str, ...]]] = {"cldr_entities": ("en",)}
    limits = (
        "It knows the language and the kind of text of its data set; words that it never saw are "
        "tagged by their spelling and their neighbours, and so less surely."
    )
    vocabularies = ("words", "characters")
    outcomes = ("tags",)

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        tag_column: str | int = "",
        word_column: str | int = "",
        minimum_count: int = 2,
        longest_word: int = 20,
        constrain: bool = True,
        tokenizer: int = 0,
        spaced: bool | None = None,
        tags: list[str] | None = None,
        words: list[str] | None = None,
        characters: list[str] | None = None,
        split_rule: str | None = None,
        column: str | int = "",
    ) -> None:
        super().__init__(dataset, data_dir, rule_of(split_rule, words))
        if longest_word < 2:
            raise UserError(f"longest_word is {longest_word}, but at least 2 is needed")
        self.tag_column, self.word_column = str(tag_column or column), str(word_column)
        # The bundled data set was cut by the first rule.
        bundled = self.dataset == self.default_dataset
        self.tokenizer = cut_rule(tokenizer, known=bundled or words is not None)
        self.minimum_count, self.constrain = minimum_count, constrain
        self._read: dict[tuple[str, str | None], dict[str, list[Sentence]]] = {}
        self._loop: WindowLoop | None = None
        if tags is None or words is None or characters is None:
            tags = self._all_tags()
            seen = tf.constant([word for each in self._sentences("train") for word in each.words])
            seen = compose(seen) if self.tokenizer > 1 else seen
            if spaced is None:
                spaced = are_spaced(seen, word_pattern("signs", self.tokenizer), self.dataset)
            words = commonest((word.decode() for word in normalize(seen).numpy()), minimum_count)
            characters = commonest(letter for word in seen.numpy() for letter in word.decode())
        self.spaced = bool(spaced)
        self.tags = tags
        self.entities = are_entities(tags)
        self.encoder = WordEncoder(words, characters, longest_word, self.tokenizer > 1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            **super().get_config(),
            "tag_column": self.tag_column,
            "word_column": self.word_column,
            "minimum_count": self.minimum_count,
            "longest_word": self.encoder.longest,
            "constrain": self.constrain,
            "tokenizer": self.tokenizer,
            "spaced": self.spaced,
            "tags": self.tags,
            "words": self.encoder.words.tokens,
            "characters": self.encoder.characters.tokens,
        }

    def model_options(self) -> dict[str, Any]:
        """Return the sizes of the vocabularies and of the output."""
        return {
            "vocab_size": self.encoder.words.size,
            "characters": self.encoder.characters.size,
            "outputs": len(self.tags),
        }

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return windows of whole sentences `[B, T]`, those of a window of about the same length.

        T and the characters of a word differ from one length to another, of which there are a few.
        """
        sentences = self._sentences(split)
        buckets = np.searchsorted(_LENGTHS, [len(each.words) for each in sentences])
        parts = [
            self._bucket([sentences[n] for n in np.flatnonzero(buckets == bucket)], settings, seed)
            for bucket in progress(np.unique(buckets), f"encoding {split}")
        ]
        return mixed_windows(parts, seed)

    def measure(self, model: SequenceModel, split: str, settings: Settings) -> Evaluation:
        """Return `loss` a word, and the metrics of the predicted tags beside those of `naive`.

        See `tasks.sequence_labelling.scoring.tag_metrics`.
        """
        true, predicted, unknown, sums = zip(*self._answers(model, split, settings))
        loss = Evaluation([MetricSums(np.stack(sums), self.objective().results)])
        own = loss + tag_metrics(self.tags, true, predicted, unknown)
        return beside_learned(own, partial(self.naive, split))

    def naive(self, split: str) -> Evaluation:
        """Return the metrics of giving each word the tag that it has most often in training.

        Words are told apart as they are written; one that is not in the training part gets the
        commonest tag of all.
        """
        numbers = {tag: number for number, tag in enumerate(self.tags)}
        tag_of = MostOften(
            (word, numbers[tag])
            for each in self._sentences("train")
            for word, tag in zip(each.words, each.tags)
            if tag in numbers
        )
        sentences = self._sentences(split)
        true = [np.array([numbers[tag] for tag in each.tags]) for each in sentences]
        answers = [np.array(tag_of(each.words)) for each in sentences]
        return tag_metrics(self.tags, true, answers)

    def plot_split(self, model: SequenceModel, split: str, settings: Settings) -> Figure:
        """Draw which tags were predicted for which."""
        true, predicted, *_ = zip(*self._answers(model, split, settings))
        return confusion(self.tags, np.concatenate(true), np.concatenate(predicted))

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return `serve`: texts `[N]` to `words`, `labels`, `probabilities`, `text` and spans.

        A text is split into words and signs, see `tasks.common.words.word_pattern`, so that one
        whose words are already set apart by spaces mostly stays as it is; or at its spaces, if the
        task is `spaced`. The three are padded with "" and 0. `text` is the same for a reader: a
        line `label: words` for each entity, or for each word. The spans say where in the text these
        are, see `tasks.common.spans`.
        """

        @tf.function(
            input_signature=[tf.TensorSpec([None], tf.string, name="texts")], autograph=False
        )
        def serve(texts: Any) -> dict[str, Any]:
            texts, pattern = checked_texts(texts), self._pattern()
            words = split_tokens(texts, pattern)
            inside = tf.sequence_mask(words.row_lengths())
            # One word more, as a model needs at least one time step.
            inputs = {
                name: part if name == "lengths" else tf.pad(part, _one_more(part))
                for name, part in self.encoder.encode(words).items()
            }
            inputs["lengths"] = tf.maximum(inputs["lengths"], 1)
            tags = self._tagged(model, inputs)
            chances = tf.gather(tf.nn.softmax(model(inputs)), tags, batch_dims=2)
            labels = tf.where(inside, tf.gather(tf.constant(self.tags), tags[:, :-1]), "")
            places = [part.to_tensor() for part in token_places(texts, pattern)]
            return {
                "text": label_lines(words.to_tensor(""), labels, self.entities),
                "words": words.to_tensor(""),
                "labels": labels,
                "probabilities": tf.where(inside, tf.cast(chances[:, :-1], tf.float32), 0.0),
                **spans(*_kinds(labels, self.entities), *places),
            }

        return {"serve": serve}

    def show(self, model: SequenceModel, raw: str) -> str:
        """Return a text with each span in the colour of its label."""
        return show_spans(self.served(model)["serve"], raw)

    def resources(self) -> list[Any]:
        """Return the vocabularies."""
        return [self.encoder.words, self.encoder.characters]

    def examples(self) -> list[str]:
        """Return three test sentences, a space between two words."""
        return [" ".join(each.words) for each in self._sentences("test")[:3]]

    def cases(self, count: int) -> list[Case]:
        """Return test sentences that are not long, with their tags as `serve` writes them."""
        short = [each for each in self._sentences("test") if len(" ".join(each.words)) <= SHORT]
        chosen = [short[place] for place in spread(len(short), count)]
        if not chosen:
            return []
        # All at once: each by itself would take as long as the answers do.
        columns = ([each.words for each in chosen], [each.tags for each in chosen])
        words, tags = (tf.ragged.constant(part, tf.string).to_tensor("") for part in columns)
        texts = [line.decode() for line in label_lines(words, tags, self.entities).numpy()]
        return [Case(" ".join(each.words), text, text.__eq__) for each, text in zip(chosen, texts)]

    def numbers(self) -> str:
        """Return what a card says of the numbers and, if it matters, of spaces."""
        spaces = "The words of a text must be set apart by spaces. " if self.spaced else ""
        return spaces + super().numbers()

    def _pattern(self) -> str:
        """Return the regular expression of a word of a text."""
        return BETWEEN_SPACES if self.spaced else word_pattern("signs", self.tokenizer)

    def _sentences(self, split: str) -> list[Sentence]:
        at = (self.dataset, self.data_dir)
        if at not in self._read:
            columns = (self.tag_column, self.word_column)
            self._read[at] = read_sentences(*at, *columns, self.split_rule)
        return self._read[at][split]

    def _all_tags(self) -> list[str]:
        """Return the training data's tags, the commonest first, then those of other splits."""
        tags = commonest(tag for each in self._sentences("train") for tag in each.tags)
        for split in SPLITS[1:]:
            for each in self._sentences(split):
                for tag in sorted(set(each.tags) - {*tags}):
                    print(
                        f"the sentence at {each.place} has the tag {tag}, which is not in the "
                        "training data: it cannot be learned",
                        file=sys.stderr,
                    )
                    tags.append(tag)
        return tags

    def _bucket(
        self, sentences: Sequence[Sentence], settings: Settings, seed: int | None
    ) -> tf.data.Dataset:
        """Return windows of sentences, padded to the longest one."""
        lengths = [len(each.words) for each in sentences]
        flat = tf.constant([word for each in sentences for word in each.words])
        encoded = self.encoder.encode(tf.RaggedTensor.from_row_lengths(flat, lengths))
        inputs = {name: part.numpy() for name, part in encoded.items()}
        numbers = {tag: number for number, tag in enumerate(self.tags)}
        targets = np.zeros_like(inputs["words"])
        for row, each in zip(targets, sentences):
            if unknown := sorted(set(each.tags) - {*numbers}):
                raise UserError(
                    f"the sentence at {each.place} has the tag {unknown[0]}, but the model knows "
                    f"{', '.join(self.tags)}"
                )
            row[: len(each.tags)] = [numbers[tag] for tag in each.tags]
        weights = np.arange(targets.shape[1]) < inputs["lengths"][:, None]
        return example_windows(inputs, targets, weights, settings.batch_size, seed)

    def _tagged(self, model: SequenceModel, inputs: dict[str, Any]) -> Any:
        """Return the predicted tags `[B, T]`."""
        return model.tags(inputs, self._order())

    def _order(self) -> Chain | None:
        """Return which tag may follow which: an `I-` only a tag of its kind."""
        if not (self.entities and self.constrain):
            return None
        kinds = [tag.partition("-")[2] for tag in self.tags]
        goes_on = np.array([tag.startswith("I-") for tag in self.tags])
        same = np.array([[one == other for other in kinds] for one in kinds])
        between = np.where(goes_on & ~same, FORBIDDEN, 0).astype("float32")
        first = np.where(goes_on, FORBIDDEN, 0).astype("float32")
        return Chain(tf.constant(between), tf.constant(first), tf.zeros(len(kinds)))

    def _answers(
        self, model: SequenceModel, split: str, settings: Settings
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Yield of each sentence its true tags, those that are answered, which words are unknown,
        and the sums of the objective.
        """
        if self._loop is None or self._loop.model is not model:
            # Kept, as each length of sentences takes seconds to compile.
            self._loop = WindowLoop(model, partial(self._tagged_and_summed, model))
        windows = progress(self.windows(split, settings), "tagging")
        for window, (tags, sums) in self._loop(windows):
            answers, of_rows = tags.numpy(), sums.numpy()
            words, true = window["inputs"]["words"].numpy(), window["targets"].numpy()
            # A row without weights only fills the window.
            for row, length in enumerate(window["weights"].numpy().sum(axis=1).astype(int)):
                if length:
                    ids = words[row, :length]
                    yield true[row, :length], answers[row, :length], ids == UNKNOWN, of_rows[row]

    def _tagged_and_summed(
        self, model: SequenceModel, window: Window, state: State
    ) -> tuple[Any, State]:
        """Return the predicted tags `[B, T]` of a window, and the sums of its rows."""
        losses = self.objective().losses(model, window, state, training=False)
        return (self._tagged(model, window["inputs"]), losses.sums), losses.state


def label_lines(words: Any, labels: Any, entities: bool) -> Any:
    """Return a line `label: words` for each entity, or for each word.

    Args:
        words: strings `[N, T]`.
        labels: strings `[N, T]`, "" past the end of a row.
        entities: whether labels are `O`, `B-kind` and `I-kind`, of which `O` is left out.

    Returns:
        Strings `[N]`.

    Example:
        >>> words = tf.constant([["in", "New", "York"]])
        >>> label_lines(words, tf.constant([["O", "B-LOC", "I-LOC"]]), True).numpy()
        array([b'LOC: New York'], dtype=object)
        >>> label_lines(words, tf.constant([["ADP", "PROPN", "PROPN"]]), False).numpy()
        array([b'ADP: in\\nPROPN: New\\nPROPN: York'], dtype=object)
    """
    kinds, goes_on = _kinds(labels, entities)
    shown = kinds != ""
    heading = tf.where(goes_on, " ", tf.strings.join(["\n", kinds, ": "]))
    pieces = tf.where(shown, tf.strings.join([heading, words]), "")
    return tf.strings.regex_replace(tf.strings.reduce_join(pieces, axis=1), "^\n", "")


def _kinds(labels: Any, entities: bool) -> tuple[Any, Any]:
    """Return the kind of entity `[N, T]`, "" for none, and whether the word before is in it."""
    if not entities:
        return labels, tf.zeros_like(labels != "")
    inner = tf.strings.regex_full_match(labels, "I-.+")
    kinds = tf.strings.regex_replace(labels, "^[BI]-|^O$", "")
    before = tf.pad(kinds[:, :-1], [[0, 0], [1, 0]], constant_values="")
    return kinds, inner & (kinds == before)


def _one_more(part: Any) -> list[list[int]]:
    return [[0, 0], [0, 1], *[[0, 0]] * (len(part.shape) - 2)]
