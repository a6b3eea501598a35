"""Which fonts of this machine draw a text, and in which order its words stand on a line."""

import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from itertools import groupby

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

USUAL = "DejaVu Sans"
"""Comes with matplotlib."""

_PREFERRED = ("Noto Sans", "Noto Sans CJK SC", "WenQuanYi Zen Hei", "PingFang SC")
"""Taken before others, where they are installed."""

_UNSEEN = {"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"}
"""Categories of Unicode of which no sign is drawn."""

_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


def fonts_for(text: str) -> tuple[list[str], str]:
    """Choose the font families that together have the signs of a text.

    Args:
        text: of any script.

    Returns:
        The families, matplotlib's own first; and the signs that none of them has, each once.

    Example:
        >>> fonts_for("plain")
        (['DejaVu Sans'], '')
    """
    missing = {sign for sign in text if _is_drawn(sign)}
    chosen = []
    for name, path in _families(bool(missing - _signs(font_manager.findfont(USUAL)))):
        signs = missing & _signs(path)
        if signs or name == USUAL:
            chosen.append(name)
            missing -= signs
        if not missing:
            break
    return chosen, "".join(sorted(missing))


def _is_drawn(sign: str) -> bool:
    unseen = unicodedata.category(sign) in _UNSEEN or ord(sign) in _VARIATION_SELECTORS
    return not unseen


def _families(every: bool) -> Iterable[tuple[str, str]]:
    """Yield each family's name and the file of its upright font: the usual one, or every one."""
    yield USUAL, font_manager.findfont(USUAL)
    if not every:
        return
    manager = font_manager.fontManager
    # matplotlib keeps a list, which may be older than a font.
    for path in {*font_manager.findSystemFonts()} - {entry.fname for entry in manager.ttflist}:
        with suppress(Exception):
            manager.addfont(path)
    upright = sorted(
        (entry for entry in manager.ttflist if entry.name != USUAL),
        key=lambda entry: (
            entry.name not in _PREFERRED,
            entry.name,
            entry.style != "normal",
            abs(int(entry.weight) - 400) if str(entry.weight).isdigit() else 0,
        ),
    )
    for name, entries in groupby(upright, lambda entry: entry.name):
        yield name, next(entries).fname


@cache
def _signs(path: str) -> frozenset[str]:
    """Return the signs that a font file has; none of a file that matplotlib cannot draw with."""
    try:
        font = FT2Font(path)
        return frozenset(map(chr, font.get_charmap())) if font.scalable else frozenset()
    except (OSError, RuntimeError, ValueError):
        return frozenset()


def direction(text: str) -> str:
    """Return "right" or "left", where the first letter of a text's script starts from; or "".

    Example:
        >>> direction("abc"), direction("(שלום"), direction("12.")
        ('left', 'right', '')
    """
    for sign in text:
        kind = unicodedata.bidirectional(sign)
        if kind in ("L", "R", "AL"):
            return "left" if kind == "L" else "right"
    return ""


def visual_order(words: Sequence[str], base: str) -> list[int]:
    """Order the words of one line as they stand on paper, from the left to the right.

    A word of no direction, such as a number, goes with its neighbours where they agree, else with
    the whole text.

    Args:
        words: in the order of reading.
        base: "left" or "right", where the text starts from.

    Returns:
        Their places in `words`.

    Example:
        >>> visual_order(["see", "שלום", "עולם", "now"], "left")
        [0, 2, 1, 3]
        >>> visual_order(["שלום", "big", "cat", "עולם"], "right")
        [3, 1, 2, 0]

    Source: the rules of https://www.unicode.org/reports/tr9/ for whole words.
    """
    sides = [direction(word) for word in words]
    before, after = _nearest(sides, base), _nearest(sides[::-1], base)[::-1]
    resolved = [
        side or (one if one == other else base) for side, one, other in zip(sides, before, after)
    ]
    runs = [list(run) for _, run in groupby(range(len(words)), lambda place: resolved[place])]
    runs = [run[::-1] if resolved[run[0]] == "right" else run for run in runs]
    return [place for run in (runs[::-1] if base == "right" else runs) for place in run]


def _nearest(sides: Sequence[str], start: str) -> list[str]:
    """Return the last direction up to each place."""
    nearest = []
    for side in sides:
        start = side or start
        nearest.append(start)
    return nearest
