"""The tokens of a text. Pure Python; imports no TensorFlow.

All patterns are made here from one set of character classes, those of `unicodedata`, and written
out as ranges: Python's `re` and RE2 in the graph then cut the same, whatever Unicode each knows.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain

from zoo.errors import UserError

PADDING, UNKNOWN, START, END = range(4)
SPECIAL = ["<pad>", "<unk>", "<start>", "<end>"]

NEWEST = 3
"""The rule that texts are cut by, of which a task's config says which one it is.

1 was another one for each task, where words were ASCII or of scripts that were listed. 2 differs
from 3 only in the kind "markup": there a number or a compound was one word, most often a new one.
"""

SPACED = r"[^\s\v\x1f]+|\n"
"""What stands between spaces, or a line break: for text that has been cut into tokens already."""

BETWEEN_SPACES = "[^\\s\\v\\x1f\u3000]+"
"""What stands between spaces, the ideographic one too: words that are set apart by hand."""

_APOSTROPHES = "'’·\u0387՚׳״"
_JOINS = f"{_APOSTROPHES}־‐‑\\-"
"""What joins the parts of a word: apostrophes, hyphens, and their like in Catalan and Hebrew."""

_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19FF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0x2E80, 0x2FDF),  # radicals of Han
    (0x3005, 0x3007),  # repetition and zero in Han
    (0x3021, 0x3029),
    (0x3031, 0x303C),
    (0x3041, 0x312F),  # Hiragana, Katakana, Bopomofo
    (0x31A0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0xA4CF),  # Han, Yi
    (0xA980, 0xA9FF),  # Javanese, Myanmar
    (0xAA60, 0xAADF),  # Myanmar, Tai Viet
    (0xF900, 0xFAFF),  # Han
    (0xFF66, 0xFF9F),  # Katakana of half width
    (0x16FE0, 0x18D7F),  # Tangut
    (0x1AFF0, 0x1B2FF),  # Katakana, Hiragana, Nushu
    (0x20000, 0x3FFFD),  # Han
)
"""Scripts that set no spaces between words."""

_ASIAN = ((0x2E80, 0x312F), (0x31A0, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF))
_WIDE_SIGNS = ((0x3001, 0x3003), (0x3008, 0x301F), (0xFF01, 0xFF0F), (0xFF1A, 0xFF20),
               (0xFF3B, 0xFF40), (0xFF5B, 0xFF65))  # fmt: skip
_NON_JOINER, _JOINER = 0x200C, 0x200D
_ALSO_MARKS = (0x0E33, 0x0EB3, 0xFF9E, 0xFF9F)
"""Letters that belong to the one before them."""

_STACKS = (0x1039, 0x17D2, 0x1A60)
"""Marks that set the next letter below the one before, in Myanmar, Khmer and Tai Tham."""

_SKIN, _TAGS, _FLAGS = (0x1F3FB, 0x1F3FF), (0xE0020, 0xE007F), (0x1F1E6, 0x1F1FF)


def _span(*ranges: tuple[int, int]) -> set[int]:
    return set(chain.from_iterable(range(first, last + 1) for first, last in ranges))


@cache
def _categories() -> dict[str, set[int]]:
    """Return all characters of each general category; planes without any letter are left out."""
    categories: dict[str, set[int]] = {}
    for code in chain(range(0xD800), range(0xE000, 0x40000), range(0xE0000, 0xE1000)):
        categories.setdefault(unicodedata.category(chr(code)), set()).add(code)
    return categories


def _of(*kinds: str) -> set[int]:
    """Return all characters whose category is one of these, such as "Nd", or begins so ("N")."""
    return {
        code for name, codes in _categories().items() if name.startswith(kinds) for code in codes
    }


def ranges(codes: Iterable[int]) -> str:
    r"""Write characters as the inside of a class in a regular expression, for `re` and RE2 alike.

    Example:
        >>> ranges(map(ord, "abcx]")), ranges([0x3B1, 0x3B2])
        ('\\x5da-cx', 'α-β')
    """
    runs: list[list[int]] = []
    for code in sorted(codes):
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(
        _literal(first) + ("-" + _literal(last) if last > first else "") for first, last in runs
    )


def _literal(code: int) -> str:
    plain = code > 0x7F or chr(code).isalnum()
    return chr(code) if plain else f"\\x{code:02x}"


@cache
def _parts() -> dict[str, str]:
    """Return the patterns that all others are put together from."""
    letters, marks, numbers = _of("L"), _of("M"), _of("N")
    digits = _of("Nd")
    unspaced = _span(*_UNSPACED) & ((letters | marks | numbers) - digits)
    unspaced |= _span(_UNSPACED[-1])
    joins = {_NON_JOINER, _JOINER}
    written = (letters | marks | joins) - unspaced
    words = written | (numbers - unspaced) | {ord("_")}
    word, first = ranges(words), ranges(words - marks - joins)
    run = f"[{first}][{word}]*"
    spelt = f"[{ranges(written - marks - joins)}][{ranges(written)}]*"
    digit, mark = ranges(digits), ranges((marks | {*_ALSO_MARKS}) - {*_STACKS})
    stack = ranges(_STACKS)
    syllable = ranges(unspaced)
    tails = ranges(marks | _span(_SKIN, _TAGS))
    # Neither in a word nor white space, a control character or one that only formats.
    nothing = _of("Z", "Cc") | (_of("Cf") - joins)
    sign = f"[^{word}{syllable}{ranges(nothing)}][{tails}]*"
    flag, joiner = ranges(_span(_FLAGS)), chr(_JOINER)
    return {
        "word": f"[{digit}]+(?:[.,٫٬][{digit}]+)+|{run}(?:[{_JOINS}]{run})*",
        "spelt": f"{spelt}(?:[{_APOSTROPHES}]{spelt})*",
        "numeral": f"[{ranges(words - written)}][{tails}]*",
        "letters": f"[{ranges(written)}]+",
        "syllable": f"[{syllable}][{mark}]*(?:[{stack}][{syllable}]?[{mark}]*)*",
        "sign": f"[{flag}]{{2}}|{sign}(?:{joiner}{sign})*|[{ranges(marks | joins)}]+",
    }


@cache
def close_set() -> tuple[tuple[str, str], ...]:
    """Return the patterns that join two tokens of scripts without spaces, and their replacements.

    They are applied one after the other. A match ends where the next one may begin.
    """
    codes = _span(*_UNSPACED) & _of("L", "M", "Nl") | _span(_UNSPACED[-1])
    selectors = _span((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
    signs = _span(*_WIDE_SIGNS)
    before = ranges(codes | signs | selectors)
    after = ranges((codes | signs) - _of("M") - {*_ALSO_MARKS})
    asian = ranges(_span(*_ASIAN) & _of("L", "Nl") | _span(_UNSPACED[-1]))
    each = (f"([{before}]) ([{after}])", r"\1\2")
    return each, each, (f"([{asian}]) ([0-9])", r"\1\2"), (f"([0-9]) ([{asian}])", r"\1\2")


_MARKUP = r"<[/a-zA-Z][^<>]{0,30}>"
_OLD_READ = (
    "Latin", "Greek", "Cyrillic", "Armenian", "Georgian", "Hebrew", "Arabic", "Devanagari",
    "Bengali", "Gujarati", "Gurmukhi", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala",
    "Ethiopic", "Hangul",
)  # fmt: skip
_OLD_WRITTEN = ("Latin", "Greek", "Cyrillic", "Hebrew", "Arabic", "Devanagari", "Hangul")


def _scripts(names: Iterable[str]) -> str:
    return "[" + "".join(rf"\p{{{name}}}" for name in names) + r"\p{M}]"


_OLD = {
    "words": r"[\p{L}\p{N}']+",
    "signs": r"[\p{L}\p{M}\p{N}_]+(?:['’][\p{L}\p{M}]+)?|[^\s\p{L}\p{M}\p{N}_]",
    "lines": r"\w+|[^\w\s\v\x1f]|\n",
    "markup": rf"{_scripts(_OLD_READ)}+(?:['’]{_scripts(_OLD_READ)}+)*|{_MARKUP}|[^\s]",
    "exact": f" ?(?:{_scripts(_OLD_WRITTEN)}+|[^ ])| ",
    "letters": f"{_scripts(_OLD_WRITTEN)}+",
}
"""The patterns of rule 1, for models that were trained with it. Only RE2 reads them all."""


@cache
def word_pattern(kind: str = "signs", rule: int = NEWEST) -> str:
    r"""Return a regular expression for `re` and RE2 of a token, where texts are cut into words.

    A word is a run of letters, marks, digits and underscores, and what apostrophes and hyphens
    join to it; or a number, such as 1,234.5. Of scripts that set no spaces between words, such as
    Han, Kana, Thai, Lao, Khmer and Myanmar, each letter is one, with the marks that belong to it.
    Any other visible character is a sign, with its marks; what makes up one emoji is one sign.
    White space, control characters and those that only format are not in any token.

    Args:
        kind: "words" for words alone, "signs" for words and signs, "lines" for line breaks, too;
            "markup" for letters in a row, digits and signs, one each, and marks of HTML, such as
            `<br />`, so that few tokens of a new text are new; "exact" for tokens
            that joined are the text: a space is part of what follows it, and runs of letters,
            single digits, signs and all other characters are tokens; "letters" for such a run.
        rule: which one; 1 is that of models that were trained before there were others.

    Raises:
        UserError: there is no such rule.

    Example:
        >>> cut("Don't run 1,5 km to तुम्हारी 学校!", word_pattern())
        ["Don't", 'run', '1,5', 'km', 'to', 'तुम्हारी', '学', '校', '!']
        >>> cut("Two 2-year-olds", word_pattern("exact"))
        ['Two', ' 2', '-', 'year', '-', 'olds']
    """
    if rule == 1:
        return _OLD[kind]
    if rule not in (2, NEWEST):
        raise UserError(f"tokenizer is {rule}, but this version of the zoo knows 1 to {NEWEST}")
    part = _parts()
    words = f"{part['word']}|{part['syllable']}"
    if kind == "exact":
        return f" ?(?:{part['letters']}|{part['syllable']}|{part['sign']}|[^ ])| "
    parts = words if rule == 2 else f"{part['spelt']}|{part['numeral']}|{part['syllable']}"
    return {
        "words": words,
        "signs": f"{words}|{part['sign']}",
        "lines": f"{words}|{part['sign']}|\\n",
        "letters": part["letters"],
        "markup": f"{_MARKUP}|{parts}|{part['sign']}",
    }[kind]


@cache
def half_word(kind: str = "signs") -> str:
    """Return a regular expression of the end of a text that its next piece may go on with.

    Words and signs up to a space, or to a letter of a script that sets none, with that letter; of
    the kind "markup" also what may be a mark.

    Example:
        >>> re.sub(half_word(), "", "two wor"), re.sub(half_word(), "", "学校图")
        ('two ', '学校')
    """
    letters = _span(*_UNSPACED) & _of("L", "Nl") | _span(_UNSPACED[-1])
    letter = ranges(letters - {*_ALSO_MARKS})
    other, stack = f"[^ \\t\\n\\r\\f{letter}]", ranges(_STACKS)
    if kind == "markup":
        other = f"(?:<[^<>]{{0,31}}|{other})"
    return f"(?:(?:[{letter}]{other}*[{stack}])*[{letter}]{other}*|{other}+)$"


def cut_rule(tokenizer: int, known: bool) -> int:
    """Return the rule of a task: that which is asked for, or else the newest.

    It is rule 1 where the tokens are known already and nobody says by which rule, as of models that
    were trained before.

    Example:
        >>> cut_rule(0, known=False), cut_rule(0, known=True)
        (3, 1)
    """
    return tokenizer or (1 if known else NEWEST)


def cut(text: str, pattern: str) -> list[str]:
    r"""Return the tokens of a text, as `tasks.common.text.split_tokens` cuts it in the graph.

    Args:
        text: to be cut.
        pattern: of this module, but for those of rule 1 other than "lines"; "" for characters.

    Example:
        >>> cut(" the <unk> 's mat . \n", SPACED)
        ['the', '<unk>', "'s", 'mat', '.', '\n']
    """
    return _compiled(pattern).findall(text) if pattern else list(text)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def normal(token: str) -> str:
    """Return a token in Unicode's form NFC, so that combining accents make no difference."""
    return unicodedata.normalize("NFC", token)


def commonest(
    tokens: Iterable[str] | Mapping[str, int], minimum: int = 1, size: int = 0
) -> list[str]:
    """Return the tokens that occur `minimum` times or more, the commonest first, by code points.

    `<unk>` is none of them, even if it is in the text: it stands for all that are unknown.

    Args:
        tokens: the tokens, or how often each occurs.
        minimum: how often, at least 1.
        size: keep so many at most; 0 for all.

    Example:
        >>> commonest("abracadabra", minimum=2)
        ['a', 'b', 'r']
        >>> commonest({"a": 5, "b": 2, "<unk>": 9}, size=1)
        ['a']
    """
    counts = Counter(tokens)
    del counts[SPECIAL[UNKNOWN]]
    often = [token for token, count in counts.items() if count >= minimum]
    return sorted(often, key=lambda token: (-counts[token], token))[: size or None]
