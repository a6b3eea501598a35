"""Writes reference captions: true, informative sentences about the objects of a scene."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from tasks.captioning.scenes import IMAGE_SIZE, SHAPES, Object

CLEAR = 10
"""Pixels by which an object must be off before a caption says where it is."""

_NUMBERS = ("no", "one", "two", "three", "four")
_Group = Sequence[Object]


def write_captions(objects: _Group, rng: Random, count: int = 5) -> list[str]:
    """Writes distinct captions of one scene, as many kinds of them as the scene allows.

    The first describes the first two objects in reading order. The others, in random order, say
    where in the picture an object is, what one unique object is like or next to, how many there
    are of something, what a whole group is like, or that nothing else is there.

    Args:
        objects: the scene in reading order, one to four objects.
        rng: chooses among all that could be said.
        count: how many captions.

    Example:
        >>> scene = [Object("circle", "red", "small", 15, 12), Object("7", "blue", "large", 18, 45)]
        >>> write_captions(scene, Random(0), count=1)
        ['a small red circle above a large blue 7']
    """
    captions = [_opening(objects)]
    while len(captions) < count:
        for form in rng.sample(_FORMS, len(_FORMS)):
            caption = form(objects, rng)
            if caption and caption not in captions and len(captions) < count:
                captions.append(caption)
    return captions


def _opening(objects: _Group) -> str:
    """Write: a small red circle above a large blue 7."""
    phrases = [_a(_full(item)) for item in objects[:2]]
    if len(phrases) == 1:
        return phrases[0]
    return f" {_relation(*objects[:2]) or 'and'} ".join(phrases)


def _place(objects: _Group, rng: Random) -> str | None:
    """Write: at the top left is a small red circle."""
    item = rng.choice(objects)
    corner = _corner(item)
    return f"at the {corner} is {_a(_full(item))}" if corner else None


def _definite(objects: _Group, rng: Random) -> str | None:
    """Write: the blue 7 is below the red circle; or: the large star is green."""
    if len(objects) > 1 and rng.random() < 0.5:
        return _converse(objects[0], objects[1], objects)
    item = objects[0]
    about, other = rng.choice(((item.size, item.colour), (item.colour, item.size)))
    return f"the {about} {item.kind} is {other}" if _unique(about, item.kind, objects) else None


def _converse(first: Object, second: Object, objects: _Group) -> str | None:
    relation = _relation(second, first)
    if relation and all(_unique(o.colour, o.kind, objects) for o in (first, second)):
        return f"the {second.colour} {second.kind} is {relation} the {first.colour} {first.kind}"
    return None


def _tally(objects: _Group, rng: Random) -> str | None:
    """Write: three shapes and one digit."""
    groups = list(_grouped(objects, rng.choice((_class, _coloured, _sized, _kind))).items())
    if len(groups) != 2:
        return None
    groups.sort(key=lambda item: -len(item[1]))
    return " and ".join(_number(len(group), name) for name, group in groups)


def _count(objects: _Group, rng: Random) -> str | None:
    """Write: there are two red circles."""
    look = rng.choice((_coloured_kind, _sized_coloured_kind, _coloured_class))
    name, group = rng.choice(list(_grouped(objects, look).items()))
    if len(group) == 1 and len(objects) > 1:
        return None
    return f"there {'is' if len(group) == 1 else 'are'} {_number(len(group), name)}"


def _group(objects: _Group, rng: Random) -> str | None:
    """Write: all three shapes are red."""
    look = rng.choice((_class, _kind, _coloured, _sized))
    name, group = rng.choice(list(_grouped(objects, look).items()))
    shared = [
        next(iter(values))
        for values in ({o.colour for o in group}, {o.size for o in group})
        if len(values) == 1 and not values & set(name.split())
    ]
    if len(group) == 1 or not shared:
        return None
    every = "both" if len(group) == 2 else f"all {_NUMBERS[len(group)]}"
    return f"{every} {_plural(name)} are {rng.choice(shared)}"


def _complete(objects: _Group, rng: Random) -> str | None:
    """Write: only a red circle and a blue 7."""
    phrases = [_a(f"{o.colour} {o.kind}") for o in objects]
    if len(phrases) > 2 or len(set(phrases)) < len(phrases):
        return None
    return "only " + " and ".join(phrases)


_FORMS: tuple[Callable[[_Group, Random], str | None], ...] = (
    _place,
    _definite,
    _tally,
    _count,
    _group,
    _complete,
)


def _class(item: Object) -> str:
    return "shape" if item.kind in SHAPES else "digit"


def _kind(item: Object) -> str:
    """Return the kind, or "digit" for a digit: groups need a plural, and "7s" is not a word."""
    return item.kind if item.kind in SHAPES else "digit"


def _coloured(item: Object) -> str:
    return f"{item.colour} object"


def _sized(item: Object) -> str:
    return f"{item.size} object"


def _coloured_kind(item: Object) -> str:
    return f"{item.colour} {_kind(item)}"


def _sized_coloured_kind(item: Object) -> str:
    return f"{item.size} {item.colour} {_kind(item)}"


def _coloured_class(item: Object) -> str:
    return f"{item.colour} {_class(item)}"


def _relation(a: Object, b: Object) -> str | None:
    right, down = b.x - a.x, b.y - a.y
    if abs(down) >= max(CLEAR, 2 * abs(right)):
        return "above" if down > 0 else "below"
    if abs(right) >= max(CLEAR, 2 * abs(down)):
        return "to the left of" if right > 0 else "to the right of"
    return None


def _corner(item: Object) -> str | None:
    right, down = item.x - IMAGE_SIZE // 2, item.y - IMAGE_SIZE // 2
    if min(abs(right), abs(down)) < CLEAR:
        return None
    return f"{'bottom' if down > 0 else 'top'} {'right' if right > 0 else 'left'}"


def _full(item: Object) -> str:
    return f"{item.size} {item.colour} {item.kind}"


def _unique(adjective: str, kind: str, objects: _Group) -> bool:
    return sum(o.kind == kind and adjective in (o.size, o.colour) for o in objects) == 1


def _a(words: str) -> str:
    return ("an " if words.startswith("8") else "a ") + words


def _number(number: int, name: str) -> str:
    return f"{_NUMBERS[number]} {name if number == 1 else _plural(name)}"


def _plural(name: str) -> str:
    return f"{name}s"


def _grouped(objects: _Group, look: Callable[[Object], str]) -> dict[str, list[Object]]:
    groups: dict[str, list[Object]] = {}
    for item in objects:
        groups.setdefault(look(item), []).append(item)
    return groups
