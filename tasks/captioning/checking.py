"""Reads captions and says whether every claim they make is true in a scene.

The grammar; a caption of it makes at least three claims:

    caption  = ["there is" | "there are" | "only"] item {"and" item}
             | existent relation existent
             | definite "is" (size | colour | relation (existent | definite))
             | "at the" corner "is" existent
             | ("both" | "all three" | "all four") group "are" (size | colour)
    item     = existent | number group
    existent = ("a" | "an") thing                   "an" before 8
    definite = "the" thing
    thing    = [size] [colour] kind                 kind: circle, ..., diamond, 0, ..., 9
    group    = [size] [colour] (kind | "shape" | "digit" | "object"), plural from two on
    relation = "above" | "below" | "to the left of" | "to the right of"
    corner   = "top left" | "top right" | "bottom left" | "bottom right"

What makes a claim true:

- "a thing": at least one such object. "the thing": exactly one. A number, also in "both" and
  "all three": exactly so many.
- Items joined by "and" speak of different objects: "a red circle and a small circle" needs two.
  With "only", they are all there is.
- "above": the centre is at least `MARGIN` pixels higher, and at least half as far up as aside,
  that is, within 63 degrees of straight up; on a diagonal, "above" and "to the left of" are both
  right, as in English. The other relations likewise. Captions are written with a wider margin.
- "at the top left": the centre is at least `MARGIN` pixels above the image's, and as many to its
  left. The other corners likewise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from tasks.captioning.scenes import COLOURS, DIGITS, IMAGE_SIZE, SHAPES, SIZES, Object

MARGIN = 6
"""Pixels by which an object must be off to be above, at the top, and so on."""
MIN_CLAIMS = 3
"""A caption that claims less, such as "two shapes", says too little to count as a caption."""

_NUMBERS = {"the": 1, "one": 1, "both": 2, "two": 2, "three": 3, "four": 4}
_CLASSES = {"shape": SHAPES, "digit": DIGITS, "object": SHAPES + DIGITS}
_RELATIONS = {
    "above": (0, -1),
    "below": (0, 1),
    "to the left of": (-1, 0),
    "to the right of": (1, 0),
}
_CORNERS = {
    "top left": (-1, -1),
    "top right": (1, -1),
    "bottom left": (-1, 1),
    "bottom right": (1, 1),
}


def holds(caption: str, objects: Iterable[Object]) -> bool:
    """Return whether every claim of the caption is true in the scene.

    A caption that the grammar above cannot read, or that makes fewer than `MIN_CLAIMS` claims,
    does not hold.

    Args:
        caption: lower case, words separated by one space.
        objects: the scene.

    Example:
        >>> scene = [Object("circle", "red", "small", 30, 12), Object("7", "blue", "large", 32, 45)]
        >>> holds("a small red circle above a blue 7", scene)
        True
        >>> holds("there are two red circles", scene), holds("a scene", scene)
        (False, False)
    """
    scene = tuple(objects)
    if count_claims(caption) < MIN_CLAIMS:
        return False
    only, items = _read(caption)
    everything = len(scene) if only else 0
    for referents in product(*(list(item.referents(scene)) for item in items)):
        together = frozenset().union(*referents)
        if sum(map(len, referents)) == len(together) >= everything:
            return True
    return False


def count_claims(caption: str) -> int:
    """Return how many claims the caption makes; 0 if the grammar cannot read it.

    A size, a colour, a kind ("circle", "shape", "digit", "7"), a number, "the", "only", a place
    and a relation are one claim each; "a" and "object" are none.

    Example:
        >>> count_claims("the red circle is above a large 7"), count_claims("a nice picture")
        (6, 0)
    """
    only, items = _read(caption)
    return only + sum(item.claims() for item in items)


def truth_rate(captions: Sequence[str], scenes: Sequence[Iterable[Object]]) -> float:
    """Return the share of captions that hold, each in its own scene, from 0 to 1.

    Raises:
        ValueError: if there are no captions, or not as many as scenes.

    Example:
        >>> truth_rate(["only a red 7", "only a red 1"], [[Object("7", "red", "large", 9, 9)]] * 2)
        0.5
    """
    if not captions or len(captions) != len(scenes):
        raise ValueError(
            f"got {len(captions)} captions for {len(scenes)} scenes; pass one caption a scene"
        )
    return sum(map(holds, captions, scenes)) / len(captions)


class _Phrase(NamedTuple):
    """A noun in the singular, and what is said before it ("" for nothing)."""

    size: str
    colour: str
    noun: str

    def claims(self) -> int:
        return bool(self.size) + bool(self.colour) + (self.noun != "object")

    def fits(self, item: Object) -> bool:
        return (
            item.kind in _CLASSES.get(self.noun, (self.noun,))
            and self.size in ("", item.size)
            and self.colour in ("", item.colour)
        )


class _Item(NamedTuple):
    """What one part of a caption speaks of: a number of objects, and what is said of each."""

    number: int | None  # None for "a": at least one
    phrase: _Phrase
    says: str = ""  # a size, a colour, a place or a relation
    anchor: _Item | None = None  # what the relation is to

    def claims(self) -> int:
        placed = 2 if self.says in _CORNERS else bool(self.says)
        own = (self.number is not None) + self.phrase.claims() + placed
        return own + (self.anchor.claims() if self.anchor else 0)

    def referents(self, scene: Sequence[Object]) -> Iterator[frozenset[Object]]:
        """Return every set of objects that this part can truly speak of."""
        fitting = [item for item in scene if self.phrase.fits(item)]
        true = [item for item in fitting if self._is_true_of(item, scene)]
        if self.number is None:
            yield from (frozenset([item]) for item in true)
        elif len(true) == len(fitting) == self.number:
            yield frozenset(true)

    def _is_true_of(self, item: Object, scene: Sequence[Object]) -> bool:
        if self.anchor:
            anchors = frozenset().union(*self.anchor.referents(scene))
            return any(_is_towards(self.says, item.x - o.x, item.y - o.y) for o in anchors)
        if self.says in _CORNERS:
            u, v = _CORNERS[self.says]
            half = IMAGE_SIZE // 2
            return min(u * (item.x - half), v * (item.y - half)) >= MARGIN
        return self.says in ("", item.size, item.colour)


def _is_towards(relation: str, right: int, down: int) -> bool:
    """Return whether an offset in pixels points where the relation says."""
    u, v = _RELATIONS[relation]
    along, aside = u * right + v * down, abs(v * right - u * down)
    return along >= MARGIN and 2 * along >= aside


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(words) + ")"


_ADJECTIVES = f"(?:{_any(SIZES)} )?(?:{_any(COLOURS)} )?"
_THING = _ADJECTIVES + _any(SHAPES + DIGITS)
_ONE = _ADJECTIVES + _any((*SHAPES, *DIGITS, *_CLASSES))
_MANY = _ADJECTIVES + _any((*SHAPES, *_CLASSES)) + "s"
_A = r"(?:an(?= 8)|a(?! 8))"
_QUALITY = _any((*SIZES, *COLOURS))
_RELATION = _any(_RELATIONS)

_ITEM = f"(?:{_A} {_THING}|one {_ONE}|{_any(('two', 'three', 'four'))} {_MANY})"
_LISTING = re.compile(
    "(?:there is (?=an? |one )|there are (?=two |three |four )|(?P<only>only ))?"
    f"(?P<items>{_ITEM}(?: and {_ITEM})*)"
)
_SENTENCES = [
    re.compile(pattern)
    for pattern in (
        f"(?P<subject>{_A} {_THING}) (?P<says>{_RELATION}) (?P<anchor>{_A} {_THING})",
        f"(?P<subject>the {_THING}) is (?P<says>{_RELATION}) (?P<anchor>(?:the|{_A}) {_THING})",
        f"(?P<subject>the {_THING}) is (?P<says>{_QUALITY})",
        f"at the (?P<says>{_any(_CORNERS)}) is (?P<subject>{_A} {_THING})",
        f"(?P<subject>(?:both|all three|all four) {_MANY}) are (?P<says>{_QUALITY})",
    )
]


def _read(caption: str) -> tuple[bool, list[_Item]]:
    """Return whether the caption says "only", and its parts: none if the grammar cannot read it."""
    if match := _LISTING.fullmatch(caption):
        return bool(match["only"]), [_item(part) for part in match["items"].split(" and ")]
    for sentence in _SENTENCES:
        if match := sentence.fullmatch(caption):
            return False, [_item(**match.groupdict())]
    return False, []


def _item(subject: str, says: str | None = None, anchor: str | None = None) -> _Item:
    """Build an item from "the small circle", "two red shapes", and so on."""
    *before, noun = subject.removeprefix("all ").split()
    size, colour = (next((w for w in before if w in known), "") for known in (SIZES, COLOURS))
    phrase = _Phrase(size, colour, noun if noun in DIGITS else noun.removesuffix("s"))
    return _Item(_NUMBERS.get(before[0]), phrase, says or "", _item(anchor) if anchor else None)
