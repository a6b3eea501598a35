"""A text as numbers, in the graph, so that it travels with an export."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tasks.common.tokenizers import Tokenizer
from zoo.utils.progress import progress

_ROWS = 1000


class TextEncoder(tf.Module):
    """Texts to token ids, of which long ones lose their middle.

    Args:
        vocabulary: cuts texts into tokens.
        longest: tokens of a text that are read. Of a longer one it is the first quarter of so many
            and the last three quarters: what a text comes to often stands at its end (Sun et al.
            2019, arXiv:1905.05583, section 5.3, measured this on reviews).

    Example:
        >>> from tasks.common.tokenizers import Words
        >>> encoder = TextEncoder(Words(["a", "b", "c"], lowercase=True), longest=4)
        >>> encoder.encode(tf.constant(["A b", "c b a a b b"])).to_list()
        [[4, 5], [6, 4, 5, 5]]
    """

    def __init__(self, vocabulary: Tokenizer, longest: int) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.longest = longest

    @property
    def head(self) -> int:
        """Return how many tokens are read from the beginning of a text that is too long."""
        return self.longest // 4

    def split(self, texts: Any) -> tf.RaggedTensor:
        """Return the tokens of strings `[N]` that are read, as written, ragged `[N, (T)]`."""
        return self._shortened(self.vocabulary.split(texts))

    def encode(self, texts: Any) -> tf.RaggedTensor:
        """Return the ids of strings `[N]`, ragged `[N, (T)]`, int32."""
        return self._shortened(self.vocabulary.encode(texts))

    def encode_all(self, texts: Sequence[str], title: str) -> tuple[list[np.ndarray], int]:
        """Return the ids of many texts, each int32 `[T]`, and how many texts were too long."""
        parts = range(0, len(texts), _ROWS)
        encoded: list[np.ndarray] = []
        too_long = 0
        for start in progress(parts, title):
            ids = self.vocabulary.encode(tf.constant(list(texts[start : start + _ROWS])))
            too_long += int(np.sum(ids.row_lengths() > self.longest))
            ids = self._shortened(ids)
            encoded += np.split(ids.values.numpy(), ids.row_splits.numpy()[1:-1])
        return encoded, too_long

    def _shortened(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        sizes, row = tokens.row_lengths(), tokens.value_rowids()
        place = tf.range(tf.size(row, row.dtype)) - tf.gather(tokens.row_starts(), row)
        size = tf.gather(sizes, row)
        tail = self.longest - self.head
        is_read = (size <= self.longest) | (place < self.head) | (place >= size - tail)
        return tf.RaggedTensor.from_row_lengths(
            tf.boolean_mask(tokens.values, is_read), tf.minimum(sizes, self.longest), validate=False
        )
