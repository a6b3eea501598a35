"""Tagging as a stream: the token class of each character of a program."""

import tokenize
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tasks.common.base import SHORT, DataTask, rule_of, spread
from tasks.common.data import likeliest, load_split
from tasks.common.naive import MostOften, beside_learned
from tasks.common.showing import show_spans
from tasks.common.sources import own_path
from tasks.common.spans import spans
from tasks.common.splits import RULE, SPLITS, assign, file_keys, tell_few, tell_rule
from tasks.common.streams import margins, read_tokens, tell
from tasks.common.text import PADDING
from tasks.common.tokenizers import Characters
from tasks.tagging.dataset import CLASSES, label_characters
from zoo.errors import UserError
from zoo.evaluation.bootstrap import Evaluation, MetricSums
from zoo.readers.text import read_text_file
from zoo.registry import register
from zoo.task import Case
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings
from zoo.training.windows import stream_windows
from zoo.utils.validation import checked_texts

_LINES = 40
_SHOWN = 6


@register(
    "task",
    "tagging",
    topology="many_to_many",
    dataset="python_source",
    input="text",
    stream="runs",
    baseline="naive",
)
class Tagging(DataTask):
    """Names the class of each character of a text, a few characters after reading it.

    A causal model cannot know that `d` begins `def`. So the output at step t is the class of
    character t - delay, and `delay` steps of padding follow each text.

    Args:
        dataset: name of a tensorflow-datasets set with `text` and `labels`, one a character; or a
            folder of Python programs, see `label_folder`.
        data_dir: folder of prepared data sets.
        delay: steps between a character and its class; 0 or more.
        carry: whether a window goes on from the state at the end of the one before; False resets
            the state at each window, to measure what the memory is worth.
        characters: the vocabulary; read from the training data if not given.
        classes: names of the classes, in the order of the labels.
        split_rule: see `DataTask`.

    Raises:
        UserError: `delay` is negative, or the data set cannot be read.
    """

    input_kind = "text"
    default_dataset = "python_source"
    monitor = "val_accuracy"
    counted = "rows of a window"
    pipeline_tag = "token-classification"
    data_languages: ClassVar[dict[str, tuple[str, ...]]] = {"python_source": ("code",)}
    limits = (
        "It knows programs like those of its data set; what a character is may depend on one that "
        "comes later than the model looks ahead, and an answer of it may be wrong without a sign."
    )
    vocabularies = ("characters",)
    learned = (*DataTask.learned, "classes")

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        delay: int = 8,
        carry: bool = True,
        characters: list[str] | None = None,
        classes: list[str] | None = None,
        split_rule: str | None = None,
    ) -> None:
        super().__init__(dataset, data_dir, rule_of(split_rule, characters))
        if delay < 0:
            raise UserError(f"delay is {delay}, but it must not be negative")
        self.delay, self.carry = delay, carry
        self.classes = classes or list(CLASSES)
        if characters is None:
            characters = Characters().learn(text for text, _ in self._labelled("train"))
        self.vocabulary = Characters(characters)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            **super().get_config(),
            "delay": self.delay,
            "carry": self.carry,
            "characters": self.vocabulary.tokens,
            "classes": self.classes,
        }

    def model_options(self) -> dict[str, Any]:
        """Return the sizes of the vocabulary and of the output."""
        return {"vocab_size": self.vocabulary.size, "outputs": len(self.classes)}

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return windows of characters `[B, T]` and the class of the one `delay` steps before each.

        For training, texts are cut into fragments of some forty lines: what is to be tagged need
        not begin as a file does.
        """
        examples = self._labelled(split)
        if seed is not None:
            random = np.random.default_rng(seed)
            examples = [part for example in examples for part in cut_text(*example, random)]
            random.shuffle(examples)  # type: ignore[arg-type]
        texts, labels = zip(*examples)
        early = np.zeros(self.delay, "int32")
        sequences = [
            (
                np.concatenate([characters, early + PADDING]),
                np.concatenate([early, row]),
                np.concatenate([early, np.ones(len(row))]),
            )
            for characters, row in zip(self.vocabulary.encode(texts).numpy(), labels)
        ]
        train = seed is not None
        rows = settings.batch_size if train else min(settings.batch_size, len(texts))
        context = settings.context if train else 0
        windows = stream_windows(sequences, rows, settings.window, cut=train, context=context)
        return windows if self.carry else windows.map(lambda window: _reset(window, context))

    def measure(self, model: SequenceModel, split: str, settings: Settings) -> Evaluation:
        """Return `loss` and `accuracy` a character, the latter beside that of `naive`."""
        own = super().measure(model, split, settings)
        return beside_learned(own, partial(self.naive, split))

    def naive(self, split: str) -> Evaluation:
        """Return the `accuracy` of naming each character's commonest class of the training part.

        One that is not there gets the class that is the commonest of all.
        """
        train = (zip(text, labels.tolist()) for text, labels in self._labelled("train"))
        class_of = MostOften(chain.from_iterable(train))
        rows = [
            (np.sum(class_of(text) == labels), len(labels))
            for text, labels in self._labelled(split)
        ]
        return Evaluation([MetricSums(np.array(rows), _accuracy)])

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return `serve`: texts `[N]` to `classes` `[N, T]`, padded with "", `text` and spans.

        `text` is the same for a reader: a line `class: characters` for each run of one class, line
        breaks within it written as `\\n`, white space between runs left out. The spans say where
        these runs are, see `tasks.common.spans`.
        """

        @tf.function(
            input_signature=[tf.TensorSpec([None], tf.string, name="texts")], autograph=False
        )
        def serve(texts: Any) -> dict[str, Any]:
            texts = checked_texts(texts)
            characters = tf.strings.unicode_split(texts, "UTF-8")
            ids = self.vocabulary.encode(texts).to_tensor(PADDING)
            logits = model(tf.pad(ids, [[0, 0], [0, self.delay]]))[:, self.delay :]
            names = tf.gather(tf.constant(self.classes), tf.argmax(logits, axis=-1))
            inside = tf.sequence_mask(characters.row_lengths(), tf.shape(ids)[1])
            classes = tf.where(inside, names, "")
            characters = characters.to_tensor("")
            kinds = _kinds(characters, classes)
            place = tf.broadcast_to(tf.range(tf.shape(kinds)[1]), tf.shape(kinds))
            return {
                "text": mark_up(characters, classes),
                "classes": classes,
                **spans(kinds, _goes_on(kinds), place, place + 1),
            }

        return {
            "serve": serve,
            "read": read_tokens(self.vocabulary),
            "tell": tell(len(self.classes), self._likeliest),
            "margins": margins(after=[PADDING] * self.delay),
        }

    def _likeliest(self, logits: Any) -> dict[str, Any]:
        """Return the likeliest class of each character and its probability."""
        answers = likeliest(self.classes, logits)
        return {key: answers[key] for key in ("text", "probability")}

    def show(self, model: SequenceModel, raw: str) -> str:
        """Return a text with each span in the colour of its label."""
        return show_spans(self.served(model)["serve"], raw)

    def resources(self) -> list[Any]:
        """Return the vocabulary."""
        return [self.vocabulary]

    def examples(self) -> list[str]:
        """Return the first lines of three test programs."""
        return ["\n".join(text.splitlines()[:12]) for text, _ in self._labelled("test")[:3]]

    def cases(self, count: int) -> list[Case]:
        """Return first lines of test programs, with their classes as `serve` writes them."""
        programs = self._labelled("test")
        chosen = [programs[place] for place in spread(len(programs), count)]
        cases = []
        for program, labels in chosen:
            text = "".join(program.splitlines(keepends=True)[:_SHOWN]).rstrip()
            names = [self.classes[label] for label in labels[: len(text)]]
            marked = mark_up(tf.constant([list(text)]), tf.constant([names]))
            expected = marked.numpy()[0].decode()
            if len(text) <= SHORT:
                cases.append(Case(text, expected, expected.__eq__))
        return cases

    def _labelled(self, split: str) -> list[tuple[str, np.ndarray]]:
        if path := own_path(self.dataset, self.default_dataset):
            return label_folder(path, split, self.split_rule)
        examples = load_split(self.dataset, split, self.data_dir)
        if examples and not {"text", "labels"} <= set(examples[0]):
            raise UserError(
                f"the data set {self.dataset} has {', '.join(examples[0])}: "
                "choose one with `text` and `labels`"
            )
        return [(example["text"].decode(), example["labels"]) for example in examples]


def _accuracy(sums: np.ndarray) -> dict[str, float]:
    return {"accuracy": float(sums[0] / sums[1])}


def cut_text(
    text: str, labels: np.ndarray, random: np.random.Generator
) -> list[tuple[str, np.ndarray]]:
    """Cut a text and its labels after one in forty of the line breaks, drawn at random.

    Only where the line break begins a run of its class, so that no string is cut in two.

    Example:
        >>> parts = cut_text("a\\nb\\n" * 50, np.array([5, 0] * 100), np.random.default_rng(1))
        >>> len(parts), {text[-1] for text, _ in parts}
        (4, {'\\n'})
    """
    breaks = (np.array(list(text)) == "\n") & (np.diff(labels, prepend=labels[:1]) != 0)
    places = np.flatnonzero(breaks) + 1
    chosen = places[random.random(len(places)) < 1 / _LINES]
    edges = [0, *chosen[chosen < len(text)].tolist(), len(text)]
    return [(text[begin:end], labels[begin:end]) for begin, end in pairwise(edges)]


def label_folder(folder: Path, split: str, rule: str = RULE) -> list[tuple[str, np.ndarray]]:
    """Return the programs `*.py` in a folder and below, each with its characters' labels.

    Of all of them a tenth is for validation and one for the test, by a hash of their paths in the
    folder, see `tasks.common.splits.assign`; equal ones stay together.

    Args:
        folder: of the programs.
        split: "train", "validation" or "test".
        rule: see `tasks.common.splits.tell_rule`.

    Raises:
        UserError: there are fewer than ten, or one of them is not UTF-8 or not Python.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: give one of Python programs")
    paths = sorted(
        path for path in folder.rglob("*.py") if path.is_file() and path.read_bytes().strip()
    )
    if len(paths) < 10:
        raise UserError(
            f"{folder} has {len(paths)} Python programs, but at least 10 are needed: "
            "choose a larger folder"
        )
    names = [path.relative_to(folder).as_posix() for path in paths]
    sides = assign(file_keys(paths, names, folder))
    parts = {name: [p for p, one in zip(paths, sides) if one == name] for name in SPLITS}
    if split == "train":
        tell_few(parts, SPLITS[1:], str(folder), "programs")
        tell_rule(rule, str(folder))
    programs = []
    for path in parts[split]:
        text = read_text_file(path)
        try:
            programs.append((text, label_characters(text)))
        except (tokenize.TokenError, SyntaxError) as error:
            raise UserError(f"{path} is not a Python program: {error.args[0]}") from error
    return programs


def mark_up(characters: Any, classes: Any) -> Any:
    """Return a line `class: characters` for each run of one class.

    Args:
        characters: strings `[N, T]`, one character each.
        classes: names of their classes, strings `[N, T]`; "" past the end of a row.

    Returns:
        Strings `[N]`. White space of the class `whitespace` is left out, line breaks of any other
        class are written as a backslash and an n.

    Example:
        >>> characters = tf.constant([list("if 10")])
        >>> classes = tf.constant([["keyword"] * 2 + ["whitespace"] + ["number"] * 2])
        >>> mark_up(characters, classes).numpy()[0].decode()
        'keyword: if\\nnumber: 10'
    """
    kinds = _kinds(characters, classes)
    shown = kinds != ""
    heading = tf.where(shown & ~_goes_on(kinds), tf.strings.join(["\n", kinds, ": "]), "")
    written = tf.strings.regex_replace(characters, "\n", r"\\n")
    pieces = tf.where(shown, tf.strings.join([heading, written]), "")
    return tf.strings.regex_replace(tf.strings.reduce_join(pieces, axis=1), "^\n", "")


def _kinds(characters: Any, classes: Any) -> Any:
    """Return the classes `[N, T]`, "" for white space that is nothing else."""
    blank = tf.strings.regex_full_match(characters, r"\s*") & (classes == "whitespace")
    return tf.where(blank, "", classes)


def _goes_on(kinds: Any) -> Any:
    """Return whether each of `[N, T]` is the same as the one before it."""
    return kinds == tf.pad(kinds[:, :-1], [[0, 0], [1, 0]], constant_values="")


def _reset(window: dict[str, Any], context: int) -> dict[str, Any]:
    """Return a window with every row reset after its context."""
    reset = window["reset"]
    first = tf.cast(tf.range(tf.shape(reset)[1]) == context, reset.dtype)
    return {**window, "reset": tf.maximum(reset, first)}
