"""Faces of packages, whose names are imported when they are first used."""

from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_face(
    package: str, modules: Callable[[], Mapping[str, str]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return a package's `__getattr__` and `__dir__`.

    Args:
        package: its name.
        modules: to a mapping from each name to the module that it is imported from; called when a
            name is first asked for.

    Example:
        >>> get, names = lazy_face("a", lambda: {"sqrt": "math"})
        >>> get("sqrt")(9.0), names()
        (3.0, ['sqrt'])
        >>> get("cube")
        Traceback (most recent call last):
        AttributeError: module 'a' has no attribute 'cube'
    """

    def get(name: str) -> object:
        if not name.startswith("_") and name in modules():
            return getattr(import_module(modules()[name]), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get, lambda: sorted(modules())
