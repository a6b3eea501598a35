"""How an input is made by hand, on a page."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Movement:
    """How a movement that is drawn in the plane becomes an input `[steps, 2 · points]`.

    Attributes:
        steps: time steps that it is brought to, evenly along the way.
        points: where the points stand at first, each across and down, 0..1 of the plane. The first
            is moved; the others, if there are any, move with it, and turn and grow about it.
        low: the numbers that stand for the left and the upper edge.
        high: those for the right and the lower edge.
        down_first: whether of a point the number for down comes before that for across.
        wraps: whether what leaves the plane comes in again on its other side.
        numbers: what the numbers of a step are, for who draws.
    """

    steps: int
    points: Sequence[tuple[float, float]] = ((0.5, 0.5),)
    low: tuple[float, float] = (0.0, 0.0)
    high: tuple[float, float] = (1.0, 1.0)
    down_first: bool = False
    wraps: bool = False
    numbers: str = "across and down"


@dataclass(frozen=True)
class Panel:
    """What a page offers, beside files and examples, to make an input of a model.

    Attributes:
        made: "text" that is typed, a "picture" or a "movement" that is drawn, or nothing, "".
        movement: how a movement becomes an input.
        note: a sentence for who makes one; "" for none.

    Raises:
        ValueError: there is nothing of that name, or a movement that is not described.
    """

    made: str = ""
    movement: Movement | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.made not in ("text", "picture", "movement", ""):
            raise ValueError(f"made is {self.made!r}, but text, picture, movement or '' is needed")
        if (self.made == "movement") != (self.movement is not None):
            raise ValueError("a movement needs its description, and nothing else has one")

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values.

        Example:
            >>> Panel("text").to_json()
            {'made': 'text', 'movement': None, 'note': ''}
        """
        return asdict(self)
