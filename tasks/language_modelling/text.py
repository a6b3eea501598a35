"""How text becomes tokens. Pure Python; imports no TensorFlow.

The language models and the n-gram baseline share these definitions, so their perplexities compare.
"""

from tasks.common.words import NEWEST, SPACED, cut, normal, word_pattern

UNITS = ("character", "word", "token")

MINIMUM_COUNT = {"character": 1, "word": 2, "token": 1}
"""How often a token must occur in the training data to be in the vocabulary."""


def pattern_of(unit: str, rule: int = NEWEST) -> str:
    """Return the pattern of a unit's tokens, as `tasks.common.words.cut` takes it."""
    return {"character": "", "word": word_pattern("lines", rule), "token": SPACED}[unit]


def are_composed(unit: str, rule: int = NEWEST) -> bool:
    """Return whether a token is the same however its accents are written."""
    return unit == "word" and rule > 1


def tokens_of(text: str, unit: str, rule: int = NEWEST) -> list[str]:
    r"""Return the tokens of a text.

    Example:
        >>> tokens_of('A "del" statement:\n   del x[0]', "word")
        ['A', '"', 'del', '"', 'statement', ':', '\n', 'del', 'x', '[', '0', ']']
    """
    tokens = cut(text, pattern_of(unit, rule))
    return [normal(token) for token in tokens] if are_composed(unit, rule) else tokens
