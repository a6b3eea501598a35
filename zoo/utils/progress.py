"""A bar on standard error that shows how far something is."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def progress(items: Iterable[Item], title: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items, with a bar that is gone at the end; without one where nobody looks.

    Args:
        items: what is gone through.
        title: what stands before the bar.
        total: how many items there are, where `len` does not tell.

    Example:
        >>> list(progress("ab", "reading"))
        ['a', 'b']
    """
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    seen = console.is_terminal or console.is_jupyter
    yield from track(items, title, total, console=console, transient=True, disable=not seen)
