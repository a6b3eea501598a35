"""A bar on standard error that shows how far something is."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

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


def counting_bar(visible: bool) -> "Progress":
    """Return a bar that tells what is done, how many steps of how many, and the time left.

    Args:
        visible: whether it is shown at all.

    Example:
        >>> with counting_bar(visible=False) as bar:
        ...     line = bar.add_task("training", total=2)
        ...     bar.advance(line)
        >>> bar.tasks[0].completed
        1
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not visible,
    )
