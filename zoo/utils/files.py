"""Files that are there whole or not at all, and the folder of data sets."""

import os
import tempfile
from pathlib import Path
from typing import Any

from zoo.errors import UserError


def data_folder(data_dir: str | None = None) -> Path:
    """Return the folder of prepared data sets: `data_dir`, or else that of tensorflow-datasets."""
    folder = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    # Unlike Path's, it leaves the name of an unknown user as it is.
    return Path(os.path.expanduser(folder))


def check_not_empty(**names: object) -> None:
    """Refuse a name that is empty, such as that of a shell variable that is not set.

    Args:
        **names: values by the arguments' names; what is no string is passed over.

    Raises:
        UserError: one is empty, or nothing but white space.

    Example:
        >>> check_not_empty(dataset="digits", data_dir=None)
    """
    for argument, value in names.items():
        if isinstance(value, str) and not value.strip():
            raise UserError(f"{argument} is empty: give a value, or leave it out")


def as_texts(**paths: Any) -> list[str | None]:
    """Return paths as they are written, a name as it is, and None for nothing.

    Args:
        **paths: names and paths by the arguments' names.

    Raises:
        UserError: one is something else, such as the data themselves.

    Example:
        >>> as_texts(dataset=Path("reviews.csv"), data_dir=None)
        ['reviews.csv', None]
    """
    for argument, value in paths.items():
        if not isinstance(value, str | os.PathLike | None):
            raise UserError(
                f"{argument} is a {type(value).__name__}, but a name or a path is needed: save the "
                "data to a file first"
            )
    return [None if path is None else os.fspath(path) for path in paths.values()]


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        file = Path(scratch) / path.name
        with file.open("w", encoding="utf-8") as writing:
            writing.write(text)
            writing.flush()
            os.fsync(writing.fileno())
        os.replace(file, path)
    flush_folder(path.parent)


def flush_folder(path: Path) -> None:
    """Make what was renamed in a folder outlast a loss of power."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
