"""Fields of a dataclass that say their range and their meaning where they are declared."""

import dataclasses
import inspect
import math
import textwrap
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from zoo.errors import UserError

T = TypeVar("T", bound=type)
_WIDTH = 88


@dataclasses.dataclass(frozen=True)
class Range:
    """Finite numbers between two ends, each of which is among them or not.

    Args:
        least: the least number.
        most: the largest number.
        above: numbers are larger than this one.
        below: numbers are less than this one.

    Example:
        >>> str(Range(1)), str(Range(0)), str(Range(above=0, most=1))
        ('at least 1', 'at least 0', 'more than 0 and at most 1')
    """

    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf
    below: float = math.inf

    def __contains__(self, value: float) -> bool:
        inside = self.least <= value <= self.most and self.above < value < self.below
        return math.isfinite(value) and inside

    def __str__(self) -> str:
        if math.isfinite(self.least) and math.isfinite(self.most):
            return f"{self.least} to {self.most}"
        ends = {
            "at least": self.least,
            "more than": self.above,
            "at most": self.most,
            "less than": self.below,
        }
        return " and ".join(f"{word} {end}" for word, end in ends.items() if math.isfinite(end))


@dataclasses.dataclass(frozen=True)
class Choices:
    """Values to choose from; "" among them is nothing.

    Example:
        >>> str(Choices("", "bleu", "cider"))
        'nothing, bleu or cider'
    """

    values: tuple[str, ...]

    def __init__(self, *values: str) -> None:
        object.__setattr__(self, "values", values)

    def __contains__(self, value: object) -> bool:
        return value in self.values

    def __str__(self) -> str:
        *first, last = [value or "nothing" for value in self.values]
        return f"{', '.join(first)} or {last}"


def check_fields(instance: Any) -> None:
    """Raise if a field of a dataclass is not within the range or the choices that it declares.

    Raises:
        UserError: it says the field, its value and what is needed.
    """
    for name, notes in _notes(type(instance)).items():
        value = getattr(instance, name)
        for allowed in notes:
            if isinstance(allowed, Range | Choices) and value not in allowed:
                raise UserError(f"{name} is {value!r}, but {allowed} is needed")


def documented(kind: T) -> T:
    """Append the meaning and the range of each field to the docstring of a dataclass.

    A field is declared as `name: Annotated[type, range, meaning] = default`; a range may be left
    out.

    Example:
        >>> @documented
        ... @dataclasses.dataclass
        ... class Trip:
        ...     '''A way.'''
        ...     days: Annotated[int, Range(1), "how long it takes."] = 3
        >>> print(Trip.__doc__)
        A way.
        <BLANKLINE>
        Attributes:
            days: how long it takes. At least 1; 3 if not given.
    """
    defaults = {field.name: field for field in dataclasses.fields(kind)}
    lines = ["Attributes:"]
    for name, notes in _notes(kind).items():
        texts = [note for note in notes if isinstance(note, str)]
        limits = [str(note) for note in notes if isinstance(note, Range)]
        limits += [f"one of {note}" for note in notes if isinstance(note, Choices)]
        field = defaults[name]
        factory = field.default_factory
        default = field.default if factory is dataclasses.MISSING else factory()
        if default is not dataclasses.MISSING:
            limits.append(f"{default!r} if not given")
        end = "; ".join(limits)
        entry = " ".join([f"{name}:", *texts, f"{end[:1].upper()}{end[1:]}." if end else ""])
        wrapped = textwrap.wrap(entry.strip(), _WIDTH, subsequent_indent="    ")
        lines += textwrap.indent("\n".join(wrapped), "    ").split("\n")
    kind.__doc__ = "\n".join([inspect.cleandoc(kind.__doc__ or ""), "", *lines])
    return kind


def _notes(kind: type) -> dict[str, tuple[Any, ...]]:
    """Return what is annotated of each field beside its type."""
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in dataclasses.fields(kind)]
    return {
        name: get_args(hints[name])[1:] if get_origin(hints[name]) is Annotated else ()
        for name in names
    }
