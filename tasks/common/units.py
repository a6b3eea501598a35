"""The tokenizer of a unit: a word, a character, or a piece of a word."""

from collections.abc import Callable, Sequence
from functools import partial

from tasks.common.subwords import Subwords
from tasks.common.tokenizers import Characters, Spaced, Tokenizer, Words
from tasks.common.words import NEWEST
from zoo.errors import UserError


def check_unit(unit: str, units: Sequence[str]) -> None:
    """Refuse a unit that the task does not know.

    Args:
        unit: what a token is to be.
        units: those that the task knows, two or more.

    Raises:
        UserError: it is none of them.
    """
    if unit not in units:
        raise UserError(f"unit is {unit!r}, but {', '.join(units[:-1])} or {units[-1]} is needed")


def tokenizer_of(
    unit: str,
    units: Sequence[str],
    kind: str,
    lowercase: bool = False,
    rule: int = NEWEST,
) -> Callable[..., Tokenizer]:
    """Return a function that makes a tokenizer of tokens or, without any, one that can learn them.

    Args:
        unit: "word", "character", "subword" or "token".
        units: those of them that the task knows.
        kind: of the words, see `tasks.common.words.word_pattern`.
        lowercase: whether letters of either case are the same; not of "token".
        rule: which one words are cut by.

    Raises:
        UserError: the unit is none of those that the task knows.

    Example:
        >>> make = tokenizer_of("word", ("word", "character"), kind="signs")
        >>> make(make().learn(["a cat"])).tokens
        ['a', 'cat']
    """
    check_unit(unit, units)
    makers: dict[str, Callable[..., Tokenizer]] = {
        "word": partial(Words, kind=kind, lowercase=lowercase, rule=rule),
        "character": partial(Characters, lowercase=lowercase),
        "subword": partial(Subwords, lowercase=lowercase, rule=rule),
        "token": Spaced,
    }
    return makers[unit]
