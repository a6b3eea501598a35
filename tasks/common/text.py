"""Texts in the graph: cut into tokens, and where each of them stands."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from tasks.common.words import END, PADDING, SPECIAL, START, UNKNOWN
from zoo.utils.progress import progress

__all__ = [
    "END", "PADDING", "ROWS", "SPECIAL", "START", "UNKNOWN",
    "count_tokens", "lower", "split_tokens", "token_places",
]  # fmt: skip

_SEPARATOR = b"\xff"
"""A byte that is in no text of UTF-8."""

ROWS = 10_000
"""Texts that are taken at once: few calls, and little memory."""


def split_tokens(text: Any, pattern: str) -> tf.RaggedTensor:
    """Return the tokens of strings `[N]`, UTF-8, ragged `[N, (T)]`.

    A pattern that begins with ` ?` has to match every text whole, and a space nowhere else than
    where a token begins. Each of the different words between spaces is then cut only once.

    Args:
        text: strings.
        pattern: an RE2 expression for one token, see `tasks.common.words.word_pattern`; what lies
            between two matches is dropped. "" for one character a token.

    Example:
        >>> split_tokens(tf.constant(["a red, square"]), "[a-z]+").to_list()
        [[b'a', b'red', b'square']]
    """
    text = tf.convert_to_tensor(text, tf.string)
    if not pattern:
        return tf.strings.unicode_split(text, "UTF-8")
    if not pattern.startswith(" ?"):
        return _matches(text, pattern)
    words = tf.strings.split(text, " ")
    later = tf.ragged.range(words.row_lengths()).values > 0
    spaced = tf.where(later, tf.strings.join([" ", words.values]), words.values)
    unique, which = tf.unique(spaced)
    tokens = tf.gather(_matches(unique, pattern), which)
    return words.with_values(tokens).merge_dims(1, 2)


def token_places(text: Any, pattern: str) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Return where each token of `split_tokens` begins and ends, ragged `[N, (T)]`, int32.

    Places are counted in characters, the end being that of the character after the token.

    Example:
        >>> begins, ends = token_places(tf.constant(["Ä b "]), r"\\pL+")
        >>> begins.to_list(), ends.to_list()
        ([[0, 2]], [[1, 3]])
    """
    text = tf.convert_to_tensor(text, tf.string)
    if pattern:
        parts = _parts(text, pattern)
        sizes = parts.with_values(tf.strings.length(parts.values, "UTF8_CHAR") - 1)
        real = _are_matches(parts)
    else:
        parts = tf.strings.unicode_split(text, "UTF-8")
        sizes = tf.ones_like(parts, tf.int32)
        real = tf.ones_like(parts, tf.bool)
    whole = tf.cumsum(sizes.values)
    before = tf.gather(tf.pad(whole, [[1, 0]]), sizes.row_starts())
    ends = sizes.with_values(whole - tf.repeat(before, sizes.row_lengths()))
    begins = sizes.with_values(ends.values - sizes.values)
    return tf.ragged.boolean_mask(begins, real), tf.ragged.boolean_mask(ends, real)


def _matches(text: Any, pattern: str) -> tf.RaggedTensor:
    parts = _parts(text, pattern)
    matches = tf.ragged.boolean_mask(parts, _are_matches(parts))
    return matches.with_flat_values(tf.strings.substr(matches.flat_values, 1, -1))


def _parts(text: Any, pattern: str) -> tf.RaggedTensor:
    """Return each match marked with "+", and each part between two matches with "-", in order."""
    rewrite = _SEPARATOR + rb"+\1" + _SEPARATOR + b"-"
    marked = tf.strings.regex_replace(text, f"({pattern})", rewrite)
    return tf.strings.split("-" + marked, _SEPARATOR)


def _are_matches(parts: tf.RaggedTensor) -> tf.RaggedTensor:
    return tf.strings.substr(parts, 0, 1) == "+"


def lower(text: Any, really: bool = True) -> Any:
    """Return strings in lower case, in their own shape; unchanged if not `really`.

    Example:
        >>> lower(tf.constant("Über Ödön")).numpy().decode()
        'über ödön'
    """
    return tf.strings.lower(text, "utf-8") if really else tf.convert_to_tensor(text, tf.string)


def count_tokens(
    texts: Iterable[str],
    split: Callable[[Any], tf.RaggedTensor],
    spell: Callable[[Any], Any],
    title: str = "counting tokens",
) -> Counter[str]:
    """Return how often each token occurs.

    Args:
        texts: where.
        split: cuts strings `[N]` into tokens, ragged `[N, (T)]`.
        spell: writes tokens `[M]` as a vocabulary has them.
        title: stands before the bar that shows how far it is.
    """
    texts = list(texts)
    counts: Counter[bytes] = Counter()
    for start in progress(range(0, len(texts), ROWS), title):
        # Few strings come out of TensorFlow: each takes a while.
        tokens, _, times = tf.unique_with_counts(split(texts[start : start + ROWS]).values)
        counts.update(dict(zip(tokens.numpy(), times.numpy().tolist())))
    spelt: Counter[str] = Counter()
    for token, count in zip(spell(tf.constant([*counts], tf.string)).numpy(), counts.values()):
        spelt[token.decode(errors="replace")] += count
    return spelt
