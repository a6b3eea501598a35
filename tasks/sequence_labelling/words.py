"""Words and their characters as numbers, in the graph, so that they travel with an export."""

import sys
from typing import Any

import tensorflow as tf

from tasks.common.normal import compose
from tasks.common.text import END, PADDING, START, split_tokens
from tasks.common.tokenizers import Tokenizer
from tasks.common.words import BETWEEN_SPACES

_MUCH_CUT = 0.1
"""Share of the different words that are cut further, from which on texts are cut otherwise."""


class WordEncoder(tf.Module):
    """Words to ids, of the word in small letters with each digit as 0, and of each character.

    Args:
        words: those that are known, as `normalize` writes them.
        characters: those that are known.
        longest: characters of a word that are read; of a longer one the first and the last.
        composed: whether accents that are written as characters of their own make no difference.

    Example:
        >>> encoder = WordEncoder(["a", "00"], ["a", "A"], longest=4)
        >>> inputs = encoder.encode(tf.ragged.constant([["A", "17", "b"]]))
        >>> inputs["words"].numpy().tolist(), inputs["characters"][0, 0].numpy().tolist()
        ([[4, 5, 1]], [2, 5, 3, 0, 0, 0])
    """

    def __init__(
        self, words: list[str], characters: list[str], longest: int, composed: bool = True
    ) -> None:
        super().__init__()
        self.words, self.characters = Tokenizer(words), Tokenizer(characters)
        self.longest, self.composed = longest, composed

    def encode(self, sentences: tf.RaggedTensor) -> dict[str, Any]:
        """Turn words, ragged `[N, (T)]`, into what a tagger takes.

        Returns:
            `words` `[N, T]`, `characters` `[N, T, longest + 2]` with `<start>` and `<end>` around
            each word, both padded with 0, and `lengths` `[N]`, all int32.
        """
        if self.composed:
            sentences = sentences.with_flat_values(compose(sentences.flat_values))
        ids = sentences.with_flat_values(self.words.lookup(normalize(sentences.flat_values)))
        spelt = tf.strings.unicode_split(self._shortened(sentences.flat_values), "UTF-8")
        letters = spelt.with_flat_values(self.characters.lookup(spelt.flat_values))
        ends = tf.ones([tf.shape(sentences.flat_values)[0], 1], tf.int32)
        letters = tf.concat([START * ends, letters, END * ends], axis=1)
        table = letters.to_tensor(PADDING, shape=[None, self.longest + 2])
        return {
            "words": ids.to_tensor(PADDING),
            "characters": sentences.with_flat_values(table).to_tensor(PADDING),
            "lengths": tf.cast(sentences.row_lengths(), tf.int32),
        }

    def _shortened(self, words: Any) -> Any:
        """Shorten words to at most `longest` characters."""
        size, half = tf.strings.length(words, "UTF8_CHAR"), self.longest // 2
        last = tf.strings.substr(words, tf.maximum(size - half, 0), size * 0 + half, "UTF8_CHAR")
        first = tf.strings.substr(words, 0, self.longest - half, "UTF8_CHAR")
        return tf.where(size > self.longest, first + last, words)


def normalize(words: Any) -> Any:
    """Write words as the vocabulary has them: in small letters, each digit as 0.

    Example:
        >>> normalize(tf.constant(["Room", "101b"])).numpy().tolist()
        [b'room', b'000b']
    """
    return tf.strings.regex_replace(tf.strings.lower(words, "utf-8"), r"\p{Nd}", "0")


def are_spaced(words: Any, pattern: str, name: str) -> bool:
    """Return whether texts are to be split at spaces, as a pattern cuts many words of the data.

    So it does with those of scripts that set no spaces, of which it makes characters. What is
    decided is told on standard error, and so is it if spaces are in many of the words, too.

    Args:
        words: strings `[M]`, of the training data.
        pattern: of a word, that texts are cut by otherwise.
        name: of the data, for the message.

    Example:
        >>> are_spaced(tf.constant(["a", "cat"]), "[a-z]+", "animals")
        False
    """
    words = tf.unique(words)[0]
    pieces, parts = split_tokens(words, pattern), split_tokens(words, BETWEEN_SPACES)
    cut, split = (tf.where(each.row_lengths() > 1)[:, 0].numpy() for each in (pieces, parts))
    if len(cut) <= _MUCH_CUT * len(words):
        return False
    spaced = len(split) < len(cut)
    first, letters = words[cut[0]].numpy().decode(), pieces[cut[0]].numpy()
    print(
        f"{name}: {len(cut)} of its {len(words)} different words would be cut further in a text, "
        f"such as {first} into {' '.join(each.decode() for each in letters)}: "
        + (
            "texts are split at spaces instead, so set a space between two words"
            if spaced
            else "answers to texts are worse than the metrics, which are of whole words"
        ),
        file=sys.stderr,
    )
    return spaced
