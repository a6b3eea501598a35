"""What a token of a text is: a word, a character, or a piece of a word."""

from collections.abc import Sequence

from tasks.common.subwords import Subwords, learn_subwords
from tasks.common.text import Vocabulary, most_common

UNITS = ("word", "character", "subword")

_SPACED = ("Latin", "Greek", "Cyrillic", "Hebrew", "Arabic", "Devanagari", "Hangul")
WORD = "[" + "".join(rf"\p{{{script}}}" for script in _SPACED) + r"\p{M}]+"
"""RE2: a whole word of a script that sets spaces between words."""

PATTERN = f" ?(?:{WORD}|[^ ])| "
"""RE2: such a word, or one of all other characters, such as a digit; a space belongs to what
follows it, so that the tokens joined are the text."""

_SUBWORDS = 8_000


def learn_tokens(
    texts: Sequence[str], unit: str, lowercase: bool, minimum_count: int, size: int
) -> list[str]:
    """The tokens of texts, see `Translation` for the arguments."""
    if unit == "subword":
        return learn_subwords(texts, PATTERN, size or _SUBWORDS, lowercase)
    return most_common(texts, _pattern(unit), minimum_count, size, lowercase)


def vocabulary(tokens: list[str], unit: str, lowercase: bool) -> Vocabulary:
    """What turns texts into ids of those tokens, and back."""
    if unit == "subword":
        return Subwords(tokens, PATTERN, lowercase)
    return Vocabulary(tokens, _pattern(unit), lowercase=lowercase)


def _pattern(unit: str) -> str:
    return PATTERN if unit == "word" else ""
