"""How text becomes tokens. Pure Python; imports no TensorFlow.

The language models and the n-gram baseline share these definitions, so their perplexities compare.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

UNKNOWN = "<unk>"
"""Stands for every token that is not in the vocabulary."""

WORD = r"\w+|[^\w\s\v\x1f]|\n"
"""A run of ASCII letters, digits and underscores; any other visible character; a line break.

RE2 (`tf.strings.regex_replace`) reads this pattern the same way.
"""

TOKEN = r"[^\s\v\x1f]+|\n"
"""What stands between spaces, or a line break: for text that has been cut into tokens already."""

PATTERN = {"character": "", "word": WORD, "token": TOKEN}
"""What a token of each unit is, as `tasks.common.text.Vocabulary` takes it."""

MINIMUM_COUNT = {"character": 1, "word": 2, "token": 1}
"""How often a token must occur in the training data to be in the vocabulary."""

_WORD = re.compile(WORD, re.ASCII)
_TOKEN = re.compile(TOKEN, re.ASCII)


def split_words(text: str) -> list[str]:
    r"""Split text into words, punctuation characters and line breaks; spaces are dropped.

    >>> split_words("A \"del\" statement:\n   del x[0]")
    ['A', '"', 'del', '"', 'statement', ':', '\n', 'del', 'x', '[', '0', ']']
    """
    return _WORD.findall(text)


def split_at_spaces(text: str) -> list[str]:
    r"""Split text that has been cut into tokens already; a line break is a token, too.

    >>> split_at_spaces(" the <unk> 's mat . \n")
    ['the', '<unk>', "'s", 'mat', '.', '\n']
    """
    return _TOKEN.findall(text)


SPLIT = {"character": list, "word": split_words, "token": split_at_spaces}
"""What splits text into the tokens of each unit."""


def build_vocabulary(
    tokens: Iterable[str] | Mapping[str, int], minimum_count: int, size: int = 0
) -> list[str]:
    """The distinct tokens that occur at least `minimum_count` times, the most frequent first.

    Ties are in code point order, so the result does not depend on the order of the tokens.
    `UNKNOWN` is not in the list, even if it is in the text: whoever uses it adds it where it wants.

    Args:
        tokens: the tokens, or how often each occurs.
        minimum_count: at least 1.
        size: keep this many at most; 0 for no limit.

    Example:
        >>> build_vocabulary("abracadabra", minimum_count=2)
        ['a', 'b', 'r']
        >>> build_vocabulary({"a": 5, "b": 2, "<unk>": 9}, minimum_count=1, size=1)
        ['a']
    """
    counts = Counter(tokens)
    kept = [t for t, count in counts.items() if count >= minimum_count and t != UNKNOWN]
    return sorted(kept, key=lambda token: (-counts[token], token))[: size or None]
