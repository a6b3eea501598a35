"""A text as numbers, in the graph, so that it travels with an export."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.progress import track

from tasks.text import Vocabulary, most_common, split_tokens

_SPACED = (
    "Latin", "Greek", "Cyrillic", "Armenian", "Georgian", "Hebrew", "Arabic", "Devanagari",
    "Bengali", "Gujarati", "Gurmukhi", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala",
    "Ethiopic", "Hangul",
)  # fmt: skip
_LETTER = "[" + "".join(rf"\p{{{script}}}" for script in _SPACED) + r"\p{M}]"
PATTERN = rf"{_LETTER}+(?:['’]{_LETTER}+)*|<[/a-zA-Z][^<>]{{0,30}}>|[^\s]"
"""RE2: a word of a script that sets spaces between words, with what an apostrophe joins to it; a
mark of HTML, such as <br />; else one other sign, such as a digit."""

_ROWS = 1000


class TextEncoder(tf.Module):
    """Texts to token ids, of which long ones lose their middle.

    Args:
        tokens: those that are known.
        words: whether a token is a word, see `PATTERN`, else a character.
        lowercase: whether letters of either case are the same.
        longest: tokens of a text that are read. Of a longer one it is the first quarter of so many
            and the last three quarters: what a text comes to often stands at its end (Sun et al.
            2019, arXiv:1905.05583, section 5.3, measured this on reviews).

    Example:
        >>> encoder = TextEncoder(["a", "b", "c"], words=True, lowercase=True, longest=4)
        >>> encoder.encode(tf.constant(["A b", "c b a a b b"])).to_list()
        [[4, 5], [6, 4, 5, 5]]
    """

    def __init__(self, tokens: list[str], words: bool, lowercase: bool, longest: int) -> None:
        super().__init__()
        self.vocabulary = Vocabulary(tokens, PATTERN if words else "")
        self.lowercase, self.longest = lowercase, longest

    @property
    def head(self) -> int:
        """Tokens from the beginning of a text that is too long."""
        return self.longest // 4

    def split(self, texts: Any) -> tf.RaggedTensor:
        """Strings `[N]` to the tokens that are read, as they are written, ragged `[N, (T)]`."""
        return self._shortened(split_tokens(texts, self.vocabulary.pattern))

    def encode(self, texts: Any) -> tf.RaggedTensor:
        """Strings `[N]` to ids, ragged `[N, (T)]`, int32."""
        return self._ids(self.split(texts))

    def encode_all(self, texts: Sequence[str], title: str) -> tuple[list[np.ndarray], int]:
        """The same of many texts, each an array `[T]`; and how many were too long."""
        parts = range(0, len(texts), _ROWS)
        found: list[np.ndarray] = []
        too_long = 0
        for start in track(parts, title, console=Console(stderr=True), transient=True):
            tokens = split_tokens(list(texts[start : start + _ROWS]), self.vocabulary.pattern)
            too_long += int(np.sum(tokens.row_lengths() > self.longest))
            ids = self._ids(self._shortened(tokens))
            found += np.split(ids.values.numpy(), ids.row_splits.numpy()[1:-1])
        return found, too_long

    def _shortened(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        sizes, row = tokens.row_lengths(), tokens.value_rowids()
        place = tf.range(tf.size(row, row.dtype)) - tf.gather(tokens.row_starts(), row)
        size = tf.gather(sizes, row)
        tail = self.longest - self.head
        kept = (size <= self.longest) | (place < self.head) | (place >= size - tail)
        return tf.RaggedTensor.from_row_lengths(
            tf.boolean_mask(tokens.values, kept), tf.minimum(sizes, self.longest), validate=False
        )

    def _ids(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        return tokens.with_values(self.vocabulary.lookup(folded(tokens.values, self.lowercase)))


def learn_tokens(
    texts: Sequence[str], words: bool, lowercase: bool, minimum: int, most: int
) -> list[str]:
    """The commonest tokens of texts: at most so many, of those that occur so often at least."""
    if lowercase:
        parts = range(0, len(texts), _ROWS)
        texts = [
            text.decode()
            for start in parts
            for text in folded(tf.constant(list(texts[start : start + _ROWS])), True).numpy()
        ]
    return most_common(texts, PATTERN if words else "", minimum)[:most]


def folded(texts: Any, lowercase: bool) -> Any:
    """Strings in small letters, if so asked."""
    return tf.strings.lower(texts, "utf-8") if lowercase else texts
