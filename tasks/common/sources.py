"""Where examples come from: a data set by name, or a person's own files. Decided here alone."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from tasks.common.splits import RULE, SPLITS, fill
from zoo.errors import UserError
from zoo.readers.parquet import PARQUET

ENDINGS = (
    ".csv", ".tsv", ".tab", ".txt", ".text", ".md", ".rst", ".json", ".jsonl", ".ndjson", ".npy",
    ".npz", ".conll", ".conllu", ".conllx", ".conll03", ".bio", ".iob", ".iob2", ".bioes", ".zip",
    *PARQUET,
)  # fmt: skip
"""How names end that are those of files, before `.gz`, also where the file is not there."""

Example = TypeVar("Example")


def is_path(dataset: str, bundled: str = "") -> bool:
    """Return whether a data set is a person's own file or folder, and not the name of one.

    It is a path if it begins with `/`, `.` or `~`, if it ends as files do, or if there is such a
    file or folder. Only the name of the bundled data set is never one: `./python_docs` is.

    Args:
        dataset: what a person has typed.
        bundled: name of the data set that a task brings.

    Raises:
        UserError: it is empty.

    Example:
        >>> is_path("./reviews"), is_path("~/reviews"), is_path("reviews.csv"), is_path("glue/sst2")
        (True, True, True, False)
    """
    if not dataset.strip():
        raise UserError("the name of the data set is empty: give a name or a path")
    if dataset == bundled:
        return False
    name = dataset.lower().removesuffix(".gz")
    return (
        dataset.startswith((".", "~", os.sep))
        or name != dataset.lower()
        or name.endswith(ENDINGS)
        or Path(dataset).exists()
    )


def whole_path(dataset: str | None, bundled: str = "") -> str | None:
    """Return a path from the root on, whether or not it is there; the name of any other data set.

    Args:
        dataset: what a person has typed, if anything.
        bundled: see `is_path`.

    Raises:
        UserError: it is empty.
    """
    if dataset is None or not is_path(dataset, bundled):
        return dataset
    path = _expanded(dataset)
    # The home of nobody is in no folder.
    return dataset if str(path).startswith("~") else str(path.absolute())


def own_path(dataset: str, bundled: str = "", needed: str = "file or folder") -> Path | None:
    """Return the path of a person's own data; None for a data set by name.

    Args:
        dataset: a name or a path.
        bundled: see `is_path`.
        needed: what should be there, for the message.

    Raises:
        UserError: it is empty, or a path where nothing is.
    """
    if not is_path(dataset, bundled):
        return None
    path = _expanded(dataset)
    if not path.exists():
        raise UserError(f"there is no {needed} {dataset}")
    return path


def open_source(
    dataset: str,
    from_path: Callable[[Path], Mapping[str, Sequence[Example]]],
    from_name: Callable[[str], Iterable[Example]],
    key: Callable[[Example], str],
    counted: str,
    bundled: str = "",
    label: Callable[[Example], str] | None = None,
    rule: str = RULE,
) -> dict[str, list[Example]]:
    """Return the examples of each split, of a data set by name or of a person's own.

    Args:
        dataset: a name or a path, see `is_path`.
        from_path: reads a file or folder: the splits that it has, of which "train" is one.
        from_name: reads a split of a data set by name.
        key: what examples are told apart by, where splits are lacking; see `splits.fill`.
        counted: what examples are, in the plural.
        bundled: see `is_path`.
        label: see `splits.fill`.
        rule: that of the run that asks, see `splits.tell_rule`.

    Raises:
        UserError: there is no such data set, it cannot be read, or has too few examples.
    """
    path = own_path(dataset, bundled)
    if path:
        return fill(from_path(path), key, dataset, counted, label, rule)
    parts = {split: list(from_name(split)) for split in SPLITS}
    return fill(parts, key, dataset, counted, label, rule)


def _expanded(dataset: str) -> Path:
    # Unlike Path's, it leaves the name of an unknown user as it is.
    return Path(os.path.expanduser(dataset))
