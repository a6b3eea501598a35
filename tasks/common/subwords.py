"""Pieces of words, learnt from texts, and found in the graph by core TensorFlow operations only."""

import io
from collections.abc import Iterable
from typing import Any

import sentencepiece
import tensorflow as tf

from tasks.common.text import (
    PADDING,
    SPECIAL,
    UNKNOWN,
    Vocabulary,
    count_tokens,
    lower,
    split_tokens,
)
from zoo.errors import UserError

LONGEST = 100
"""Characters of the longest word that is cut into pieces; a longer one is `<unk>`."""

MOST = 46_340
"""Ids, so that the number of a pair of them fits into 32 bits."""

_SPACE = "▁"


class Subwords(Vocabulary):
    """Words cut into pieces by byte-pair encoding, as `sentencepiece` cuts them.

    A word begins as its characters. Of all neighbours that together are a token, those are joined
    first whose token comes first in `tokens`, from the left; until none are left. Characters that
    are no tokens are `<unk>`, one for all that stand side by side in a word.

    A space is set before each text, so that its first word is the same as anywhere else; `join`
    takes it away.

    Args:
        tokens: the pieces, in the order in which they were learnt; see `learn_subwords`.
        pattern: what a word is, see `Vocabulary`; its words joined must be the text.
        lowercase: whether texts are read in lower case.

    Raises:
        UserError: there are too many tokens.

    Example:
        >>> tokens = ["at", " c", "hat", " ", "a", "c", "h", "t", "s"]
        >>> subwords = Subwords(tokens, pattern=" ?[^ ]+")
        >>> [piece.decode() for piece in subwords.split(["cats chat"]).values.numpy()]
        [' c', 'at', 's', ' c', 'hat']

    Source: R. Sennrich, B. Haddow, A. Birch, arXiv:1508.07909; T. Kudo, J. Richardson,
    arXiv:1808.06226.
    """

    def __init__(self, tokens: list[str], pattern: str, lowercase: bool = False) -> None:
        super().__init__(tokens, pattern, lowercase=lowercase)
        if self.size > MOST:
            raise UserError(f"there are {self.size} subwords, but at most {MOST} are possible")
        ids = {token: index for index, token in enumerate(tokens, start=len(SPECIAL))}
        # All ways to put a token together from two others; its id says how early that is done.
        joined = {
            ids[token[:cut]] * self.size + ids[token[cut:]]: index
            for token, index in ids.items()
            for cut in range(1, len(token))
            if token[:cut] in ids and token[cut:] in ids
        } or {0: self.size}
        self._joined = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(list(joined)), tf.constant(list(joined.values()))
            ),
            self.size,
        )

    def encode(self, text: Any) -> tf.RaggedTensor:
        """Strings `[N]` to ids, ragged `[N, (T)]`, int32."""
        words, (ids, _, _) = self._cut(text)
        return _flat(words, ids)

    def split(self, text: Any) -> tf.RaggedTensor:
        """Strings `[N]` to the part of the text that each id stands for, ragged `[N, (T)]`."""
        words, (_, starts, unique) = self._cut(text)
        sizes = tf.strings.length(unique, "UTF8_CHAR")
        ends = tf.concat([starts[:, 1:], sizes[:, None]], axis=1)
        whole = tf.repeat(unique, starts.row_lengths())
        pieces = tf.strings.substr(
            whole, starts.values, ends.values - starts.values, unit="UTF8_CHAR"
        )
        return _flat(words, starts.with_values(pieces))

    def join(self, words: Any) -> Any:
        """Pieces, ragged `[N, (T)]`, to strings `[N]`."""
        return tf.strings.regex_replace(super().join(words), "^ ", "")

    def _cut(self, text: Any) -> tuple[tf.RaggedTensor, tuple[Any, Any, Any]]:
        """For each word of each text which of the different words it is, ragged `[N, (words)]`.

        For each of the different words, W in all: its ids, the places where its pieces begin,
        both ragged `[W, (pieces)]`, and the word itself as far as its letters can be told apart.
        """
        text = tf.convert_to_tensor(text)
        text = tf.where(text == "", text, tf.strings.join([" ", text]))
        words = split_tokens(text, self.pattern)
        unique, which = tf.unique(words.values)
        small = lower(unique, self.lowercase)
        size = tf.strings.length(small, "UTF8_CHAR")
        # In lower case a few letters become two.
        unique = tf.where(size == tf.strings.length(unique, "UTF8_CHAR"), unique, small)
        # No token is a zero byte.
        characters = tf.strings.unicode_split(tf.where(size > LONGEST, "\0", small), "UTF-8")
        ids = characters.with_values(self._table.lookup(characters.values)).to_tensor(PADDING)
        ids, starts = self._merge(ids)
        unknown = ids == UNKNOWN
        again = unknown & tf.pad(unknown[:, :-1], [[0, 0], [1, 0]])
        kept = (ids != PADDING) & ~again
        ids, starts = tf.ragged.boolean_mask(ids, kept), tf.ragged.boolean_mask(starts, kept)
        return words.with_values(which), (ids, starts, unique)

    def _merge(self, ids: Any) -> tuple[Any, Any]:
        """Characters `[W, M]` to pieces, and where each begins; right-padded both."""
        place = tf.range(tf.shape(ids)[1])
        starts = tf.broadcast_to(place, tf.shape(ids))

        def moved(values: Any) -> Any:
            return tf.pad(values[:, 1:], [[0, 0], [0, 1]])

        def body(ids: Any, starts: Any, going: Any) -> tuple[Any, Any, Any]:
            # One column more, as an empty row has no smallest number.
            found = self._joined.lookup(ids * self.size + moved(ids))
            first = tf.reduce_min(found, axis=1, keepdims=True)
            at = tf.argmin(found, axis=1, output_type=tf.int32)[:, None]
            at = tf.where(first < self.size, at, tf.shape(ids)[1])
            ids = tf.where(place < at, ids, tf.where(place == at, first, moved(ids)))
            starts = tf.where(place <= at, starts, moved(starts))
            return ids, starts, tf.reduce_any(first < self.size)

        first = (ids, starts, tf.size(ids) > 0)
        ids, starts, _ = tf.while_loop(lambda ids, starts, going: going, body, first)
        return ids, starts


def _flat(words: tf.RaggedTensor, pieces: tf.RaggedTensor) -> tf.RaggedTensor:
    """What each of the different words consists of, word after word, ragged `[N, (T)]`."""
    return words.with_values(tf.gather(pieces, words.values)).merge_dims(1, 2)


def learn_subwords(
    texts: Iterable[str], pattern: str, size: int, lowercase: bool = False
) -> list[str]:
    """The pieces that byte-pair encoding finds in texts, as `Subwords` takes them.

    Args:
        texts: where to learn them from.
        pattern: what a word is; no piece goes from one into another.
        size: how many pieces at most, all characters among them.
        lowercase: read the texts in lower case.

    Raises:
        UserError: `size` is too small for all characters.
    """
    counts = count_tokens((f" {text}" for text in texts), pattern, lowercase)
    # What sentencepiece reads as a space, as the end of a line, or as the end of a word.
    words = [word for word in sorted(counts) if not {*word} & {_SPACE, "\n", "\t", "\0"}]
    characters = {*"".join(words)}
    # Its own `<unk>` counts, too.
    if len(characters) >= size:
        raise UserError(
            f"vocabulary_size is {size}, but the texts have {len(characters)} different "
            "characters: more are needed"
        )
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([f"{word}\t{counts[word]}" for word in words]),
        input_format="tsv",
        model_writer=model,
        model_type="bpe",
        vocab_size=size,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        unk_id=0,
        bos_id=-1,
        eos_id=-1,
        minloglevel=2,
    )
    learnt = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    pieces = [learnt.id_to_piece(index) for index in range(1, learnt.get_piece_size())]
    return [piece.replace(_SPACE, " ") for piece in pieces]
