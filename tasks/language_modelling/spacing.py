"""Words spaced as in print, of a whole text or while it is being written."""

from collections.abc import Iterable, Iterator
from os.path import commonprefix
from typing import Any

import tensorflow as tf

from tasks.common.words import close_set

_CLOSERS = r"[.,:;!?)\]}…؟،؛۔।॥።፣]"
"""What no space stands before: signs that end a sentence or a part of it, in many scripts."""

# A quotation ends on its line and within 200 characters: a reader waits no longer for its spacing.
_SPACING = (
    (r'" ([^"\n]{0,200}) "', r'"\1"'),
    (r" ' (s|t) ", r"'\1 "),
    (rf" ({_CLOSERS})", r"\1"),
    (r"([(\[{¿¡]) ", r"\1"),
    *close_set(),
)
_LINES = (r" ?\n ?", "\n")
_CONTINUATIONS = ("", ' "', ' x "', " s x")
"""What may follow and change the spacing of what is there: a quotation's end, or an 's."""


def spaced(before: Any, added: Any, printed: bool = True) -> Any:
    """Return strings `[N]` joined with the words `[N]` that follow them, spaced.

    Each word has a space before it, and only the spacing of what is added changes. An empty string
    takes the first word without a space.

    Args:
        before: the beginnings.
        added: the words, with a space between two.
        printed: as in print; else all spaces stay but those beside a line break.

    Example:
        >>> spaced(["The cat"], ['sat ( on a " mat " ) .']).numpy()[0].decode()
        'The cat sat (on a "mat").'
    """
    added = tf.strings.join(["", added], separator=" ")
    for pattern, replacement in (*(_SPACING if printed else ()), _LINES):
        added = tf.strings.regex_replace(added, pattern, replacement)
    open_already = tf.strings.regex_full_match(before, r"(?s)(.*[\s(\[{¿¡])?")
    if printed:
        last = tf.strings.regex_replace(before, r"(?s)^.*(.)$", r"\1")
        open_already |= _are_close(last, added)
    added = tf.where(open_already, tf.strings.regex_replace(added, "^ ", ""), added)
    return tf.strings.join([before, added])


def _are_close(last: Any, added: Any) -> Any:
    """Return whether no space stands between a last character and words that begin with one."""
    both = tf.strings.join([last, tf.strings.regex_replace(added, r"(?s)^( .).*$", r"\1")])
    return tf.reduce_any(
        [tf.strings.regex_full_match(both, pattern) for pattern, _ in close_set()], axis=0
    )


def flow(before: str, pieces: Iterable[str], printed: bool = True) -> Iterator[str]:
    """Yield `before`, then the text that `spaced` makes of all pieces, once nothing changes it.

    What follows an opening quotation mark waits for the closing one, and an apostrophe for the two
    words after it.

    Args:
        before: the beginning of the text.
        pieces: words with a space between two, at least one word each.
        printed: see `spaced`.

    Yields:
        Parts of the text, none empty. All together they are `spaced` of `before` and all words.

    Example:
        >>> list(flow("The cat", ['sat ( on', 'a " big', 'blue', 'mat " ) .']))
        ['The cat', ' sat (on', ' a "', 'big blue mat").']
    """
    if before:
        yield before
    waiting, written = "", len(before)
    for piece in pieces:
        waiting = f"{waiting} {piece}" if waiting else piece
        ends = [waiting + more for more in _CONTINUATIONS]
        ways = [way.decode() for way in spaced([before] * len(ends), ends, printed).numpy()]
        settled = commonprefix(ways)  # noqa: RUF071  letters are what is meant
        if len(settled) > written:
            yield settled[written:]
            written = len(settled)
        if all(way == ways[0] + more for way, more in zip(ways, _CONTINUATIONS)):
            # No quotation is open: only the last character matters to what follows.
            before, waiting, written = settled[-1:], "", 1
    if waiting:
        yield spaced([before], [waiting], printed).numpy()[0].decode()[written:]
