"""Pieces of words, learnt from texts, and found in the graph by core TensorFlow operations only."""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sentencepiece
import tensorflow as tf

from tasks.common.normal import compose
from tasks.common.text import (
    PADDING,
    SPECIAL,
    UNKNOWN,
    count_tokens,
    split_tokens,
    token_places,
)
from tasks.common.tokenizers import Words
from tasks.common.words import NEWEST
from zoo.errors import UserError

LONGEST = 100
"""Characters of the longest word that is cut into pieces; a longer one is `<unk>`."""

MOST = 46_340
"""Ids, so that the number of a pair of them fits into 32 bits."""

_SPACE = "▁"


class Subwords(Words):
    """Words cut into pieces by byte-pair encoding, as `sentencepiece` cuts them.

    A word, of the kind "exact", begins as its characters. Of all neighbours that together are a
    token, those are joined first whose token comes first in `tokens`, from the left; until none are
    left. Characters that are no tokens are `<unk>`, one for all that stand side by side in a word.

    A space is set before each text, so that its first word is the same as anywhere else; `join`
    takes it away.

    Args:
        tokens: the pieces, in the order in which they were learnt; see `learn`.
        lowercase: whether texts are read in lower case.
        rule: which one words are cut by, see `tasks.common.words.word_pattern`.

    Raises:
        UserError: there are too many tokens.

    Example:
        >>> subwords = Subwords(["at", " c", "hat", " ", "a", "c", "h", "t", "s"])
        >>> [piece.decode() for piece in subwords.split(["cats chat"]).values.numpy()]
        [' c', 'at', 's', ' c', 'hat']

    Source: R. Sennrich, B. Haddow, A. Birch, arXiv:1508.07909; T. Kudo, J. Richardson,
    arXiv:1808.06226.
    """

    def __init__(
        self, tokens: Sequence[str] = (), lowercase: bool = False, rule: int = NEWEST
    ) -> None:
        super().__init__(tokens, "exact", lowercase, rule)
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

    def learn(self, texts: Iterable[str], size: int = 8_000, minimum: int = 1) -> list[str]:
        """Return at most `size` pieces of the words of texts, all characters among them, in order.

        Args:
            texts: where to learn them from.
            size: how many pieces at most.
            minimum: how often a word must occur for pieces to be learnt from it.

        Raises:
            UserError: `size` is too small for all characters.
        """
        counts = count_tokens(
            (f" {text}" for text in texts),
            lambda some: split_tokens(some, self.pattern),
            self.spell,
        )
        return _learn({word: n for word, n in counts.items() if n >= minimum}, size or 8_000)

    def encode(self, text: Any) -> tf.RaggedTensor:
        """Return the ids of strings `[N]`, ragged `[N, (T)]`, int32."""
        words, (ids, _, _) = self._cut(text)
        return _flat(words, ids)

    def split(self, text: Any) -> tf.RaggedTensor:
        """Return the part of strings `[N]` that each id stands for, ragged `[N, (T)]`.

        Accents that are characters of their own are set as the vocabulary has them.
        """
        words, (_, starts, unique) = self._cut(text)
        whole = tf.repeat(unique, starts.row_lengths())
        sizes = _ends(starts, unique).values - starts.values
        pieces = tf.strings.substr(whole, starts.values, sizes, unit="UTF8_CHAR")
        return _flat(words, starts.with_values(pieces))

    def places(self, text: Any) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Return where in its text, in characters, each piece begins and ends, ragged `[N, (T)]`.

        Each piece of a word that has fewer or more characters as the vocabulary spells it stands
        where the word does.
        """
        text = tf.convert_to_tensor(text, tf.string)
        words, (_, starts, unique) = self._cut(text)
        first, last = token_places(_after_space(text), self.pattern)
        count = tf.gather(starts.row_lengths(), words.values)
        begin, end = tf.repeat(first.values, count), tf.repeat(last.values, count)
        within, until = _flat(words, starts), _flat(words, _ends(starts, unique))
        size = tf.strings.length(tf.gather(unique, words.values), "UTF8_CHAR")
        same = tf.repeat(size == last.values - first.values, count)
        begins = tf.where(same, begin + within.values, begin)
        ends = tf.where(same, begin + until.values, end)
        # Without the space that was set before.
        return tuple(within.with_values(tf.maximum(part - 1, 0)) for part in (begins, ends))

    def join(self, words: Any) -> Any:
        """Return the strings `[N]` that pieces, ragged `[N, (T)]`, make."""
        return tf.strings.regex_replace(super().join(words), "^ ", "")

    def _cut(self, text: Any) -> tuple[tf.RaggedTensor, tuple[Any, Any, Any]]:
        """Return each word's index among the different words, ragged `[N, (words)]`.

        For each of the different words, W in all: its ids, the places where its pieces begin,
        both ragged `[W, (pieces)]`, and the word itself as far as its letters can be told apart.
        """
        words = split_tokens(_after_space(text), self.pattern)
        unique, which = tf.unique(words.values)
        spelt = self.spell(unique)
        size = tf.strings.length(spelt, "UTF8_CHAR")
        shown = compose(unique) if self.composed else unique
        unique = tf.where(size == tf.strings.length(shown, "UTF8_CHAR"), shown, spelt)
        # No token is a zero byte.
        characters = tf.strings.unicode_split(tf.where(size > LONGEST, "\0", spelt), "UTF-8")
        ids = characters.with_values(self._table.lookup(characters.values)).to_tensor(PADDING)
        ids, starts = self._merge(ids)
        unknown = ids == UNKNOWN
        again = unknown & tf.pad(unknown[:, :-1], [[0, 0], [1, 0]])
        real = (ids != PADDING) & ~again
        ids, starts = tf.ragged.boolean_mask(ids, real), tf.ragged.boolean_mask(starts, real)
        return words.with_values(which), (ids, starts, unique)

    def _merge(self, ids: Any) -> tuple[Any, Any]:
        """Return the pieces of characters `[W, M]`, and where each begins; both right-padded."""
        place = tf.range(tf.shape(ids)[1])
        starts = tf.broadcast_to(place, tf.shape(ids))

        def moved(values: Any) -> Any:
            return tf.pad(values[:, 1:], [[0, 0], [0, 1]])

        def body(ids: Any, starts: Any, going: Any) -> tuple[Any, Any, Any]:
            # One column more, as an empty row has no smallest number.
            pairs = self._joined.lookup(ids * self.size + moved(ids))
            first = tf.reduce_min(pairs, axis=1, keepdims=True)
            at = tf.argmin(pairs, axis=1, output_type=tf.int32)[:, None]
            at = tf.where(first < self.size, at, tf.shape(ids)[1])
            ids = tf.where(place < at, ids, tf.where(place == at, first, moved(ids)))
            starts = tf.where(place <= at, starts, moved(starts))
            return ids, starts, tf.reduce_any(first < self.size)

        first = (ids, starts, tf.size(ids) > 0)
        ids, starts, _ = tf.while_loop(lambda ids, starts, going: going, body, first)
        return ids, starts


def _flat(words: tf.RaggedTensor, pieces: tf.RaggedTensor) -> tf.RaggedTensor:
    """Return the pieces of all words of each text, word after word, ragged `[N, (T)]`."""
    return words.with_values(tf.gather(pieces, words.values)).merge_dims(1, 2)


def _after_space(text: Any) -> Any:
    text = tf.convert_to_tensor(text, tf.string)
    return tf.where(text == "", text, tf.strings.join([" ", text]))


def _ends(starts: tf.RaggedTensor, words: Any) -> tf.RaggedTensor:
    """Return where the pieces of words `[W]` end that begin at `starts`, ragged `[W, (pieces)]`."""
    sizes = tf.strings.length(words, "UTF8_CHAR")
    return tf.concat([starts[:, 1:], sizes[:, None]], axis=1)


def _learn(counts: Mapping[str, int], size: int) -> list[str]:
    """Return the pieces that sentencepiece learns from words and how often each occurs."""
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
