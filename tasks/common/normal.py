"""Unicode's normal form C in the graph, by core TensorFlow operations only."""

import unicodedata
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tasks.common.words import ranges

_LAST = 0x2FFFF
"""No character after it decomposes or combines, but for those that `unicodedata` finds none of."""

_SYLLABLE, _LEADING, _VOWEL, _TRAILING = 0xAC00, 0x1100, 0x1161, 0x11A7
_SYLLABLES, _VOWELS, _TRAILINGS = 11_172, 21, 28
_NONE = -1


class _Tables(NamedTuple):
    """Tables of `unicodedata`, each `keys` sorted; Hangul syllables follow a rule instead."""

    decomposed: tuple[np.ndarray, np.ndarray]
    classes: tuple[np.ndarray, np.ndarray]
    pairs: tuple[np.ndarray, np.ndarray]
    concerned: str


@cache
def _tables() -> _Tables:
    decomposed, classes, pairs, concerned = {}, {}, {}, set()
    hangul = range(_SYLLABLE, _SYLLABLE + _SYLLABLES)
    concerned |= {*range(_VOWEL, _VOWEL + _VOWELS), *range(_TRAILING + 1, _TRAILING + _TRAILINGS)}
    for code in (c for c in range(_LAST) if not 0xD800 <= c < 0xE000 and c not in hangul):
        character = chr(code)
        if combining := unicodedata.combining(character):
            classes[code] = combining
            concerned.add(code)
        parts = [*map(ord, unicodedata.normalize("NFD", character))]
        if parts == [code]:
            continue
        decomposed[code] = parts
        if unicodedata.normalize("NFC", character) != character:
            concerned.add(code)
        else:
            first, second = (int(p, 16) for p in unicodedata.decomposition(character).split())
            pairs[_pair(first, second)] = code
            concerned.add(second)
    longest = max(map(len, decomposed.values()))
    rows = [parts + [_NONE] * (longest - len(parts)) for parts in decomposed.values()]
    keys = sorted(pairs)
    return _Tables(
        (np.array([*decomposed], "int32"), np.array(rows, "int32")),
        (np.array([*classes], "int32"), np.array([*classes.values()], "int32")),
        (np.array(keys, "int64"), np.array([pairs[key] for key in keys], "int32")),
        f"[{ranges(concerned)}]",
    )


def _pair(first: Any, second: Any) -> Any:
    return first * (1 << 21) + second


def compose(texts: Any) -> Any:
    """Turn strings `[N]`, UTF-8, into normal form C, as `unicodedata.normalize` does.

    Only those are taken apart that have a character which may change.

    Example:
        >>> compose(tf.constant(["scho\\u0308n", "schön"])).numpy()[0].decode() == "schön"
        True

    Source: Unicode Standard Annex 15, unicode.org/reports/tr15.
    """
    texts = tf.convert_to_tensor(texts)
    concerned = tf.strings.regex_replace(texts, _tables().concerned, "") != texts
    places = tf.where(concerned)
    return tf.tensor_scatter_nd_update(texts, places, _composed(tf.gather_nd(texts, places)))


def _composed(texts: Any) -> Any:
    """Take texts apart, sort marks of different classes, and put together what goes together."""
    codes, row = _decomposed(tf.strings.unicode_decode(texts, "UTF-8"))
    classes = _looked_up(codes, *_tables().classes, 0)
    first = tf.pad(row[1:] != row[:-1], [[1, 0]], constant_values=True)[: tf.size(row)]
    segment = tf.cumsum(tf.cast((classes == 0) | first, tf.int64))
    order = tf.argsort(segment * 256 + tf.cast(classes, tf.int64), stable=True)
    codes, classes = tf.gather(codes, order), tf.gather(classes, order)
    state = (codes, classes, row, tf.zeros_like(codes, tf.bool), tf.size(codes) > 0)
    any_size = tf.TensorShape([None])
    codes, _, row, _, _ = tf.while_loop(
        lambda *state: state[-1],
        _join,
        state,
        shape_invariants=(any_size, any_size, any_size, any_size, tf.TensorShape([])),
    )
    rows = tf.RaggedTensor.from_value_rowids(codes, row, tf.size(texts, tf.int64))
    return tf.strings.unicode_encode(rows, "UTF-8")


def _decomposed(texts: tf.RaggedTensor) -> tuple[Any, Any]:
    """Return the code points of texts, each as what it consists of, and which text each is of."""
    codes = texts.values
    keys, rows = _tables().decomposed
    place = tf.minimum(tf.searchsorted(keys, codes), len(keys) - 1)
    alone = tf.pad(codes[:, None], [[0, 0], [0, rows.shape[1] - 1]], constant_values=_NONE)
    parts = tf.where((tf.gather(keys, place) == codes)[:, None], tf.gather(rows, place), alone)
    index = codes - _SYLLABLE
    trailing = index % _TRAILINGS
    jamo = tf.stack(
        [
            _LEADING + index // (_VOWELS * _TRAILINGS),
            _VOWEL + index % (_VOWELS * _TRAILINGS) // _TRAILINGS,
            tf.where(trailing > 0, _TRAILING + trailing, _NONE),
            *[tf.fill(tf.shape(codes), _NONE)] * (rows.shape[1] - 3),
        ],
        axis=1,
    )
    parts = tf.where(((index >= 0) & (index < _SYLLABLES))[:, None], jamo, parts)
    real = parts != _NONE
    row = tf.broadcast_to(texts.value_rowids()[:, None], tf.shape(parts, tf.int64))
    return tf.boolean_mask(parts, real), tf.boolean_mask(row, real)


def _join(codes: Any, classes: Any, row: Any, tried: Any, going: Any) -> tuple[Any, ...]:
    """Join to each starter the first character after it that can be, if there is one.

    A starter is a character that is no mark. A mark is out of reach if the one before it is of the
    same class; and each is tried once, as what was left over does not go with what comes of others.
    """
    size = tf.size(codes)
    place = tf.range(size)
    starts = classes == 0
    starters = tf.cast(tf.where(starts)[:, 0], tf.int32)
    count = tf.cumsum(tf.cast(starts, tf.int32), exclusive=True)
    before = tf.gather(tf.pad(starters, [[1, 0]]), count)
    own = (count > 0) & (tf.gather(row, before) == row)
    reached = (before == place - 1) | (tf.pad(classes, [[1, 0]])[:-1] < classes)
    both = _looked_up(_together(tf.gather(codes, before), codes), *_tables().pairs, _NONE)
    both = _hangul(tf.gather(codes, before), codes, both)
    can = own & reached & ~tried & (both != _NONE)
    first = tf.math.unsorted_segment_min(tf.where(can, place, size), before, size)
    joined = can & (tf.gather(first, before) == place)
    # What is joined to one before it can take nothing at the same time.
    joined &= ~tf.gather(joined, before)
    at = tf.boolean_mask(before, joined)
    codes = tf.tensor_scatter_nd_update(codes, at[:, None], tf.boolean_mask(both, joined))
    done = tf.scatter_nd(at[:, None], tf.boolean_mask(place, joined), [size])
    tried |= own & (place < tf.gather(done, before))
    left = ~joined
    codes, classes, row, tried = (
        tf.boolean_mask(part, left) for part in (codes, classes, row, tried)
    )
    return codes, classes, row, tried, tf.reduce_any(joined)


def _together(first: Any, second: Any) -> Any:
    return _pair(tf.cast(first, tf.int64), tf.cast(second, tf.int64))


def _hangul(first: Any, second: Any, other: Any) -> Any:
    """Return the syllable of two parts of one; `other` where they are none."""
    leading, vowel, trailing = first - _LEADING, second - _VOWEL, second - _TRAILING
    index = first - _SYLLABLE
    opens = (leading >= 0) & (leading < _SYLLABLES // (_VOWELS * _TRAILINGS))
    opens &= (vowel >= 0) & (vowel < _VOWELS)
    closes = (index >= 0) & (index < _SYLLABLES) & (index % _TRAILINGS == 0)
    closes &= (trailing > 0) & (trailing < _TRAILINGS)
    both = tf.where(opens, _SYLLABLE + (leading * _VOWELS + vowel) * _TRAILINGS, other)
    return tf.where(closes, first + trailing, both)


def _looked_up(codes: Any, keys: np.ndarray, values: np.ndarray, default: int) -> Any:
    place = tf.minimum(tf.searchsorted(keys, codes), len(keys) - 1)
    return tf.where(tf.gather(keys, place) == codes, tf.gather(values, place), default)
