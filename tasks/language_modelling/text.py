"""How text becomes tokens. Pure Python; imports no TensorFlow.

The language models and the n-gram baseline share these definitions, so their perplexities compare.
"""

import re
from collections import Counter
from collections.abc import Iterable

UNKNOWN = "<unk>"
"""Stands for every token that is not in the vocabulary."""

WORD = r"\w+|[^\w\s]|\n"
"""A run of ASCII letters, digits and underscores; any other visible character; a line break.

RE2 (`tf.strings.regex_replace`) reads this pattern the same way.
"""

MINIMUM_COUNT = {"character": 1, "word": 2}
"""How often a token must occur in the training data to be in the vocabulary."""

_WORD = re.compile(WORD, re.ASCII)


def split_words(text: str) -> list[str]:
    r"""Split text into words, punctuation characters and line breaks; spaces are dropped.

    >>> split_words("A \"del\" statement:\n   del x[0]")
    ['A', '"', 'del', '"', 'statement', ':', '\n', 'del', 'x', '[', '0', ']']
    """
    return _WORD.findall(text)


def build_vocabulary(tokens: Iterable[str], minimum_count: int) -> list[str]:
    """The distinct tokens that occur at least `minimum_count` times, the most frequent first.

    Ties are in code point order, so the result does not depend on the order of the tokens.
    `UNKNOWN` is not in the list: whoever uses it adds it where it wants.

    >>> build_vocabulary("abracadabra", minimum_count=2)
    ['a', 'b', 'r']
    """
    counts = Counter(tokens)
    kept = [token for token, count in counts.items() if count >= minimum_count]
    return sorted(kept, key=lambda token: (-counts[token], token))
