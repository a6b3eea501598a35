"""Options by name: what a function or a class can be given, and whether a value will do."""

import inspect
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from zoo.errors import UserError


class Option(NamedTuple):
    """What is known of an option.

    Attributes:
        annotation: its type, such as `int` or `str | None`; `Any` where nothing is said.
        default: its value if it is not set; `inspect.Parameter.empty` where it must be.
    """

    annotation: Any
    default: Any


def options_of(function: Callable[..., Any], without: Collection[str] = ()) -> dict[str, Option]:
    """Return the options of a function, or of a class's constructor, by name.

    Args:
        function: what is called with them; `*args` and `**kwargs` are no options.
        without: names that are left out.

    Example:
        >>> def build(units: int = 8, start: str | None = None, **kwargs): ...
        >>> options_of(build)
        {'units': Option(annotation=<class 'int'>, default=8), 'start': \
Option(annotation=str | None, default=None)}
    """
    try:
        signature = inspect.signature(function, eval_str=True)
    except NameError:
        # An annotation of what is imported for type checkers only.
        signature = inspect.signature(function)
    return {
        each.name: Option(_type(each), each.default)
        for each in signature.parameters.values()
        if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL) and each.name not in without
    }


def _type(parameter: inspect.Parameter) -> Any:
    """Return what a parameter is annotated with, without what `Annotated` adds to it."""
    if parameter.annotation is parameter.empty:
        return Any
    annotation = parameter.annotation
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def checked(name: str, value: Any, option: Option) -> Any:
    """Return a value as an option takes it: a list for any sequence, a float for an integer.

    A text may be written as a number, as the command line reads `--set source=12`. Where nothing is
    said of the type, it is that of the default.

    Raises:
        UserError: it is of another type.

    Example:
        >>> checked("dropout", 0, Option(float, 0.5)), checked("filters", (8, 16), Option(Any, ()))
        (0.0, [8, 16])
        >>> checked("start", None, Option(str | None, None))
    """
    annotation = option.annotation
    if annotation is Any or isinstance(annotation, str):
        known = option.default not in (None, inspect.Parameter.empty)
        annotation = type(option.default) if known else Any
    try:
        return _converted(value, annotation)
    except TypeError:
        raise UserError(f"{name} is {value!r}, but {_shown(annotation)} is needed") from None


def _converted(value: Any, annotation: Any) -> Any:
    """Return the value, of the type.

    Raises:
        TypeError: it is of another one.
    """
    origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if origin is Annotated:
        # What else is said of it, such as a range, is for the class to check.
        return _converted(value, arguments[0])
    if origin in (Union, types.UnionType):
        return _one_of(value, arguments)
    if origin is Literal:
        if value in arguments:
            return value
        raise TypeError
    if origin in (None, types.NoneType):
        if value is None:
            return None
        raise TypeError
    if origin is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if origin is str and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(origin, type):
        return value
    if issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise TypeError
        return dict(value)
    if issubclass(origin, Iterable) and origin is not str:
        if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
            raise TypeError
        inside = arguments[0] if arguments else Any
        return [_element(each, inside) for each in value]
    if origin is not Any and not _is(value, origin):
        raise TypeError
    return value


def _element(value: Any, annotation: Any) -> Any:
    """Return an element of a sequence; a number in it is no text."""
    if annotation is str and not isinstance(value, str):
        raise TypeError
    return _converted(value, annotation)


def _one_of(value: Any, annotations: Iterable[Any]) -> Any:
    """Return the value as the first type takes it that it has already, or else can have."""
    annotations = list(annotations)
    for annotation in annotations:
        if isinstance(annotation, type) and _is(value, annotation):
            return value
    for annotation in annotations:
        try:
            return _converted(value, annotation)
        except TypeError:
            continue
    raise TypeError


def _is(value: Any, kind: type) -> bool:
    """Return whether a value is of a type; a truth value is no number."""
    return isinstance(value, kind) and isinstance(value, bool) == (kind in (bool, object))


def _shown(annotation: Any) -> str:
    """Return how people read a type."""
    if get_origin(annotation) is Annotated:
        return _shown(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return " or ".join(_shown(each) for each in get_args(annotation))
    if annotation in (None, types.NoneType):
        return "nothing"
    inside = ", ".join(_shown(each) for each in get_args(annotation) if each is not ...)
    name = getattr(get_origin(annotation) or annotation, "__name__", str(annotation))
    name = "list" if name in ("Sequence", "tuple", "Iterable", "Collection") else name
    return f"{name}[{inside}]" if inside else name
