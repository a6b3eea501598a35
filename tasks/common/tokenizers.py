"""Text to token ids and back, in the graph, so that it travels with an export."""

from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from tasks.common.normal import compose
from tasks.common.text import (
    SPECIAL,
    UNKNOWN,
    count_tokens,
    lower,
    split_tokens,
    token_places,
)
from tasks.common.words import NEWEST, SPACED, close_set, commonest, word_pattern
from zoo.errors import UserError


class Tokenizer(tf.Module):
    """Tokens and their ids: 0 `<pad>`, 1 `<unk>`, 2 `<start>`, 3 `<end>`, then the tokens.

    Its kinds are `Characters`, `Words`, `Spaced` and `tasks.common.subwords.Subwords`. One that
    has no tokens yet learns them: `Words(words).learn(texts)` gives the tokens of `Words`.

    Args:
        tokens: the tokens from id 4 on, each once. A text that spells out `<pad>` or another
            special one does not mean it: like all else that is not here, it is `<unk>`.
        pattern: what a token is, see `split_tokens`.
        joiner: what `join` puts between tokens.
        lowercase: whether tokens are looked up in lower case; they must then be in it.
        composed: whether they are looked up in Unicode's normal form C; likewise.

    Raises:
        UserError: a token is there twice, is `<unk>`, or is no string.
    """

    def __init__(
        self,
        tokens: Sequence[str] = (),
        pattern: str = "",
        joiner: str = "",
        lowercase: bool = False,
        composed: bool = False,
    ) -> None:
        super().__init__()
        keys = [SPECIAL[UNKNOWN], *tokens]
        if not all(isinstance(key, str) for key in keys) or len({*keys}) < len(keys):
            raise UserError(f"tokens must be strings that differ, none of them {keys[0]}")
        self._words = [*SPECIAL, *tokens]
        self.pattern, self.joiner = pattern, joiner
        self.lowercase, self.composed = lowercase, composed
        ids = [UNKNOWN, *range(len(SPECIAL), len(self._words))]
        self._table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tf.constant(keys), tf.constant(ids)), UNKNOWN
        )

    @property
    def tokens(self) -> list[str]:
        """Return the tokens, without the four special ones."""
        return list(self._words[len(SPECIAL) :])

    @property
    def size(self) -> int:
        """Return how many ids there are."""
        return len(self._words)

    def learn(self, texts: Iterable[str], size: int = 0, minimum: int = 1) -> list[str]:
        """Return the tokens of texts, the commonest first, ties by code points.

        Args:
            texts: where they occur.
            size: at most so many tokens; 0 for all.
            minimum: how often a token must occur.

        Example:
            >>> Words(lowercase=True).learn(["A cat, a mat", "Ein Kätzchen"], size=3)
            ['a', ',', 'cat']
        """
        return commonest(count_tokens(texts, self.split, self.spell), minimum, size)

    def encode(self, text: Any) -> tf.RaggedTensor:
        """Turn strings `[N]` into ids, ragged `[N, (T)]`, int32."""
        tokens = self.split(text)
        return tokens.with_values(self.lookup(tokens.values))

    def split(self, text: Any) -> tf.RaggedTensor:
        """Cut strings `[N]` into the parts that the ids stand for, ragged `[N, (T)]`."""
        return split_tokens(text, self.pattern)

    def places(self, text: Any) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Return where in its text, in characters, each part begins and ends, ragged `[N, (T)]`."""
        return token_places(text, self.pattern)

    def spell(self, tokens: Any) -> Any:
        """Write tokens of a text, `[M]`, as the vocabulary does."""
        tokens = lower(tokens, self.lowercase)
        return compose(tokens) if self.composed else tokens

    def lookup(self, tokens: Any) -> Any:
        """Turn tokens of a text, `[M]`, into their ids, int32."""
        return self._table.lookup(self.spell(tokens))

    def words(self, ids: Any) -> Any:
        """Return the token of each id, the special ones among them, in the shape of `ids`."""
        return tf.gather(tf.constant(self._words), ids)

    def join(self, words: Any) -> Any:
        """Join tokens, ragged `[N, (T)]`, to strings `[N]`."""
        return tf.strings.reduce_join(words, axis=1, separator=self.joiner)

    def decode(self, ids: Any, lengths: Any) -> Any:
        """Turn ids `[N, T]`, of which each row's first `lengths[n]` count, into strings `[N]`."""
        return self.join(tf.RaggedTensor.from_tensor(self.words(ids), lengths=lengths))


class Characters(Tokenizer):
    """A token for each character of Unicode.

    Example:
        >>> Characters(["a", "猫"]).encode(tf.constant(["猫 a"])).to_list()
        [[5, 1, 4]]
    """

    def __init__(self, tokens: Sequence[str] = (), lowercase: bool = False) -> None:
        super().__init__(tokens, lowercase=lowercase)


class Spaced(Tokenizer):
    """Tokens that stand between spaces, or are a line break: of text that was cut before.

    Such a text writes `<unk>` for a token that is not known.

    Example:
        >>> spaced = Spaced(["'s", "the"])
        >>> spaced.encode(tf.constant([" the <unk> 's"])).to_list()
        [[5, 1, 4]]
    """

    def __init__(self, tokens: Sequence[str] = ()) -> None:
        super().__init__(tokens, SPACED, " ")


class Words(Tokenizer):
    """Words of any script, see `tasks.common.words.word_pattern`.

    Accents that are written as characters of their own make no difference.

    Args:
        tokens: the words.
        kind: what there is beside words, see `word_pattern`.
        lowercase: whether letters of either case are the same.
        rule: which one they are cut by.

    Example:
        >>> words = Words(["a", "red", "circle", "猫"])
        >>> words.encode(tf.constant(["a red square: 猫"])).to_list()
        [[4, 5, 1, 1, 7]]
        >>> words.decode(tf.constant([[4, 5, 6, 7, 7, 0]]), tf.constant([5])).numpy()[0].decode()
        'a red circle 猫猫'
    """

    def __init__(
        self,
        tokens: Sequence[str] = (),
        kind: str = "signs",
        lowercase: bool = False,
        rule: int = NEWEST,
    ) -> None:
        joiner = "" if kind == "exact" else " "
        super().__init__(tokens, word_pattern(kind, rule), joiner, lowercase, composed=rule > 1)

    def join(self, words: Any) -> Any:
        """Join tokens, ragged `[N, (T)]`, to strings `[N]`; no spaces in scripts that set none."""
        text = super().join(words)
        return set_close(text) if self.joiner and self.composed else text


def set_close(text: Any) -> Any:
    """Take out the spaces between words, strings `[N]`, that their scripts do not set.

    Example:
        >>> set_close(tf.constant(["我 们 use 3 台 , yes"])).numpy()[0].decode()
        '我们 use 3台 , yes'
    """
    for pattern, replacement in close_set():
        text = tf.strings.regex_replace(text, pattern, replacement)
    return text
