"""Names of what a state is made of."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class StatePart(NamedTuple):
    """A part of a state.

    Attributes:
        name: as its cell calls it, such as "h".
        place: where it stands, such as "layer 2"; "" where all parts stand in one place.
        layer: the recurrent layer that it belongs to, from 1 on; 0 of what belongs to none.
    """

    name: str
    place: str
    layer: int


def state_parts(state: Any) -> list[StatePart]:
    """Return what the parts of a state are called, in the order of `tf.nest.flatten`.

    Args:
        state: named tuples as the cells have them, in tuples, lists and dicts. What is numbered in
            it are layers; where nothing is, all is one layer.

    Example:
        >>> from typing import NamedTuple
        >>> LSTMState = NamedTuple("LSTMState", [("h", int), ("c", int)])
        >>> [part.name for part in state_parts((LSTMState(1, 2),))]
        ['h', 'c']
        >>> state_parts({"layers": (LSTMState(1, 2), LSTMState(3, 4)), "pool": 5})[2:]
        [StatePart(name='h', place='layer 2', layer=2), StatePart(name='c', place='layer 2', \
layer=2), StatePart(name='pool', place='', layer=0)]
    """
    paths = list(_paths(state))
    numbered = any(isinstance(key, int) for path in paths for key in path)
    # Of what has one name only as a whole, such as two stacks of layers.
    short = [path[-2:] for path in paths]
    unique = len({*short}) == len(short)
    parts = [_part(near if unique else path, numbered) for near, path in zip(short, paths)]
    if len({part.place for part in parts}) == 1:
        return [part._replace(place="") for part in parts]
    return parts


def _part(path: tuple[str | int, ...], numbered: bool) -> StatePart:
    places = [key if isinstance(key, str) else f"layer {key + 1}" for key in path]
    numbers = [key + 1 for key in path if isinstance(key, int)]
    layer = numbers[-1] if numbers else int(not numbered)
    if not path or isinstance(path[-1], int):
        return StatePart("state", ", ".join(places), layer)
    return StatePart(places[-1], ", ".join(places[:-1]), layer)


def _paths(state: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(state, dict):
        for key in sorted(state):
            yield from _paths(state[key], (*path, str(key)))
    elif isinstance(state, tuple) and hasattr(state, "_fields"):
        for name, part in zip(state._fields, state):
            yield from _paths(part, (*path, name))
    elif isinstance(state, list | tuple):
        for number, part in enumerate(state):
            yield from _paths(part, (*path, number))
    else:
        yield path
