"""Tells on standard error what was left out: why, how much, and the first few of it."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence

_NAMED = 3


def left_out(where: object, noun: str, why: str, names: Sequence[str]) -> None:
    """Print what was left out of a data set; nothing if there are no names.

    Args:
        where: the file or folder.
        noun: what the names are of, in the singular.
        why: comes after the noun, such as "without a caption".
        names: of all that is left out.
    """
    if names:
        what = f"left out {counted(noun, names)} {why}"
        print(f"{where}: {what}: {first_few(names)}", file=sys.stderr)


def tell_alike(where: object, labels: Iterable[str]) -> None:
    """Print which labels differ by case only, and so may be meant to be one; nothing if none do.

    Args:
        where: the file or folder.
        labels: of the classes.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for label in sorted({*labels}):
        alike[label.casefold()].append(label)
    if several := [" and ".join(names) for names in alike.values() if len(names) > 1]:
        print(
            f"{where}: {first_few(several)} differ by case only: they are learned as different "
            "classes, so rename one if they are the same",
            file=sys.stderr,
        )


def counted(noun: str, things: Iterable[object]) -> str:
    """Return the number of things, and their noun: `2 images`.

    Example:
        >>> counted("image", "a"), counted("line", "ab")
        ('1 image', '2 lines')
    """
    count = len([*things])
    return f"{count} {noun}{'s' if count > 1 else ''}"


def first_few(names: Sequence[str]) -> str:
    """Return the first few names.

    Example:
        >>> first_few(["a", "b", "c", "d"])
        'a, b, c, ...'
    """
    return ", ".join([*names[:_NAMED], *(["..."] if len(names) > _NAMED else [])])
