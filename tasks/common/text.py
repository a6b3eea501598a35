"""Text to token ids and back, in the graph, so that it travels with an export."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from zoo.errors import UserError
from zoo.utils.progress import progress

PADDING, UNKNOWN, START, END = range(4)
SPECIAL = ["<pad>", "<unk>", "<start>", "<end>"]
_SEPARATOR = "\x1f"
ROWS = 10_000
"""Texts that are taken at once: few calls, and little memory."""


class Vocabulary(tf.Module):
    """Tokens and their ids: 0 `<pad>`, 1 `<unk>`, 2 `<start>`, 3 `<end>`, then the tokens.

    Args:
        tokens: the tokens from id 4 on, each once. A text that spells out `<pad>` or another
            special one does not mean it: like all else that is not here, it is `<unk>`.
        pattern: an RE2 expression for one token, such as `\\w+|[^\\w\\s]`; what lies between two
            matches is dropped. Empty for one character a token.
        joiner: what `decode` puts between tokens.
        lowercase: whether tokens are looked up in lower case; the tokens must then be in it.

    Example:
        >>> vocabulary = Vocabulary(["a", "circle", "red"], pattern=r"\\w+", joiner=" ")
        >>> vocabulary.encode(tf.constant(["a red square"])).to_list()
        [[4, 6, 1]]
        >>> vocabulary.decode(tf.constant([[4, 6, 5, 0]]), tf.constant([3])).numpy()
        array([b'a red circle'], dtype=object)
    """

    def __init__(
        self, tokens: list[str], pattern: str = "", joiner: str = "", lowercase: bool = False
    ) -> None:
        super().__init__()
        keys = [SPECIAL[UNKNOWN], *tokens]
        if not all(isinstance(key, str) for key in keys) or len({*keys}) < len(keys):
            raise UserError(f"tokens must be strings that differ, none of them {keys[0]}")
        self._words = [*SPECIAL, *tokens]
        self.pattern, self.joiner, self.lowercase = pattern, joiner, lowercase
        ids = [UNKNOWN, *range(len(SPECIAL), len(self._words))]
        self._table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tf.constant(keys), tf.constant(ids)), UNKNOWN
        )

    @property
    def tokens(self) -> list[str]:
        """The tokens, without the four special ones."""
        return list(self._words[len(SPECIAL) :])

    @property
    def size(self) -> int:
        """How many ids there are."""
        return len(self._words)

    def encode(self, text: Any) -> tf.RaggedTensor:
        """Strings `[N]` to ids, ragged `[N, (T)]`, int32."""
        tokens = self.split(text)
        return tokens.with_values(self.lookup(lower(tokens.values, self.lowercase)))

    def split(self, text: Any) -> tf.RaggedTensor:
        """Strings `[N]` to the part of the text that each id stands for, ragged `[N, (T)]`."""
        return split_tokens(text, self.pattern)

    def words(self, ids: Any) -> Any:
        """The token of each id, the special ones among them, in the shape of `ids`."""
        return tf.gather(tf.constant(self._words), ids)

    def join(self, words: Any) -> Any:
        """Tokens, ragged `[N, (T)]`, to strings `[N]`."""
        return tf.strings.reduce_join(words, axis=1, separator=self.joiner)

    def lookup(self, tokens: Any) -> Any:
        """Tokens of any shape, each a string, to their ids, int32."""
        return self._table.lookup(tokens)

    def decode(self, ids: Any, lengths: Any) -> Any:
        """Ids `[N, T]`, of which each row's first `lengths[n]` count, to strings `[N]`."""
        return self.join(tf.RaggedTensor.from_tensor(self.words(ids), lengths=lengths))


def split_tokens(text: Any, pattern: str) -> tf.RaggedTensor:
    """Strings `[N]` to their tokens, ragged `[N, (T)]`; see `Vocabulary` for the pattern.

    A pattern that begins with ` ?` has to match every text whole, and a space nowhere else than
    where a token begins. Each of the different words between spaces is then cut only once.
    """
    text = tf.convert_to_tensor(text)
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
    """Where in its text each token of `split_tokens` begins and ends, ragged `[N, (T)]`, int32.

    Places are counted in characters, the end being that of the character after the token. The
    pattern is one that does not begin with ` ?`.

    Example:
        >>> begins, ends = token_places(tf.constant(["Ä b "]), r"\\pL+")
        >>> begins.to_list(), ends.to_list()
        ([[0, 2]], [[1, 3]])
    """
    parts = _parts(tf.convert_to_tensor(text), pattern)
    sizes = parts.with_values(tf.strings.length(parts.values, "UTF8_CHAR") - 1)
    whole = tf.cumsum(sizes.values)
    before = tf.gather(tf.pad(whole, [[1, 0]]), sizes.row_starts())
    ends = sizes.with_values(whole - tf.repeat(before, sizes.row_lengths()))
    begins = sizes.with_values(ends.values - sizes.values)
    real = _are_matches(parts)
    return tf.ragged.boolean_mask(begins, real), tf.ragged.boolean_mask(ends, real)


def _matches(text: Any, pattern: str) -> tf.RaggedTensor:
    parts = _parts(text, pattern)
    matches = tf.ragged.boolean_mask(parts, _are_matches(parts))
    return matches.with_flat_values(tf.strings.substr(matches.flat_values, 1, -1))


def _parts(text: Any, pattern: str) -> tf.RaggedTensor:
    """Each match set apart and marked with "+", and what lies between two matches with "-"."""
    text = tf.strings.regex_replace(text, _SEPARATOR, " ")
    marked = tf.strings.regex_replace(text, f"({pattern})", rf"{_SEPARATOR}+\1{_SEPARATOR}-")
    return tf.strings.split("-" + marked, _SEPARATOR)


def _are_matches(parts: tf.RaggedTensor) -> tf.RaggedTensor:
    return tf.strings.substr(parts, 0, 1) == "+"


def lower(text: Any, really: bool = True) -> Any:
    """Strings in lower case, in their own shape; as they are if not `really`.

    Example:
        >>> lower(tf.constant("Über Ödön")).numpy().decode()
        'über ödön'
    """
    return tf.strings.lower(text, "utf-8") if really else tf.convert_to_tensor(text)


def count_tokens(
    texts: Iterable[str], pattern: str, lowercase: bool = False, title: str = "counting tokens"
) -> Counter[str]:
    """How often each token occurs; `title` stands before the bar that shows how far it is."""
    texts = list(texts)
    counts: Counter[bytes] = Counter()
    starts = range(0, len(texts), ROWS)
    for start in progress(starts, title):
        part = lower(texts[start : start + ROWS], lowercase)
        # Few strings come out of TensorFlow: each takes a while.
        tokens, _, found = tf.unique_with_counts(split_tokens(part, pattern).values)
        counts.update(dict(zip(tokens.numpy(), found.numpy().tolist())))
    return Counter({token.decode(errors="replace"): count for token, count in counts.items()})


def most_common(
    texts: Iterable[str], pattern: str, minimum: int = 1, maximum: int = 0, lowercase: bool = False
) -> list[str]:
    """The tokens that occur at least `minimum` times, the commonest first, ties by name.

    A text that spells out `<unk>` does not make a token of it, see `Vocabulary`.

    Args:
        texts: where they occur.
        pattern: what a token is, see `Vocabulary`.
        minimum: how often.
        maximum: at most so many tokens; 0 for all.
        lowercase: count them in lower case.
    """
    counts = count_tokens(texts, pattern, lowercase)
    del counts[SPECIAL[UNKNOWN]]
    kept = [token for token, count in counts.items() if count >= minimum]
    return sorted(kept, key=lambda token: (-counts[token], token))[: maximum or None]
