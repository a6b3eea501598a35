"""Restore the capital letters of words in lower case, in the graph."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tasks.common.text import ROWS, lower, split_tokens
from tasks.common.words import normal


class Casing(tf.Module):
    """Writes each word as it is written most often, and a sentence's first letter large.

    A sentence starts where the text does, and after a token `.`, `!` or `?`. A word that is not
    all in lower case stays as it is: it was copied from elsewhere.

    Args:
        forms: words with capital letters, such as "I" or "Berlin"; see `learn_casing`.
        capital: whether a sentence starts with a capital letter.
        pattern: what a word is, see `split_tokens`; its words joined must be the text.

    Example:
        >>> casing = Casing(["Berlin", "TVs"], capital=True, pattern=r" ?[^ .]+|[ .]")
        >>> casing.restore(["two tvs in berlin. good."]).numpy()
        array([b'Two TVs in Berlin. Good.'], dtype=object)

    Source: the truecaser of Moses; P. Koehn et al. 2007, aclanthology.org/P07-2045.
    """

    def __init__(self, forms: list[str], capital: bool, pattern: str) -> None:
        super().__init__()
        self.forms, self.capital, self.pattern = forms, capital, pattern
        # No table may be empty.
        values = tf.constant(["", *forms])
        self._forms = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(lower(values), values), ""
        )

    def restore(self, text: Any) -> Any:
        """Return strings `[N]` with capital letters."""
        tokens = split_tokens(text, self.pattern)
        bare = tf.strings.regex_replace(tokens.values, "^ ", "")
        space = tf.where(bare == tokens.values, "", " ")
        form = self._forms.lookup(bare)
        bare = tf.where(form == "", bare, form)
        if self.capital:
            head = _upper(tf.strings.substr(bare, 0, 1, unit="UTF8_CHAR"))
            rest = tf.strings.regex_replace(bare, "(?s)^.", "")
            bare = tf.where(_starts(tokens), tf.strings.join([head, rest]), bare)
        return tf.strings.reduce_join(
            tokens.with_values(tf.strings.join([space, bare])), axis=1, separator=""
        )


def _upper(text: Any) -> Any:
    """Return characters in upper case, but for those that it would make longer, such as "ß"."""
    large = tf.strings.upper(text, "utf-8")
    same = tf.strings.length(large, "UTF8_CHAR") == tf.strings.length(text, "UTF8_CHAR")
    return tf.where(same, large, text)


def _starts(tokens: tf.RaggedTensor) -> Any:
    """Return whether each of the tokens, ragged `[N, (T)]`, starts a sentence, `[tokens]`."""
    ends = tf.strings.regex_full_match(tokens.values, " ?[.!?]")
    first = tf.ragged.range(tokens.row_lengths()).values == 0
    return first | tf.pad(ends, [[1, 0]])[:-1]


def learn_casing(texts: Sequence[str], pattern: str) -> tuple[list[str], bool]:
    """Return the `forms` and `capital` of a `Casing`, as texts have them.

    How a word is written where a sentence starts does not count. A sentence starts with a capital
    letter if more texts do than start with a small one.

    Example:
        >>> learn_casing(["We saw Bonn.", "They saw us.", "Saw it."], r" ?\\pL+|[^ ]| ")
        (['Bonn'], True)
    """
    counts: Counter[str] = Counter()
    for start in range(0, len(texts), ROWS):
        tokens = split_tokens(texts[start : start + ROWS], pattern)
        words, _, times = tf.unique_with_counts(tokens.values[~_starts(tokens)])
        for word, count in zip(words.numpy(), times.numpy().tolist()):
            counts[normal(word.decode(errors="replace").removeprefix(" "))] += count
    best: dict[str, str] = {}
    # The commonest form of a word comes last; of equals, that in lower case.
    for form in sorted(counts, key=lambda form: (counts[form], form)):
        best[form.lower()] = form
    firsts = [text[:1] for text in texts]
    capital = sum(map(str.isupper, firsts)) > sum(map(str.islower, firsts))
    return sorted(form for word, form in best.items() if form != word), capital
