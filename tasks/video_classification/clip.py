"""One clip of a person's own data, wherever it lies."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.errors import UserError

SEQUENCE_FILES = {".csv", ".tsv", ".txt"}


class Clip(NamedTuple):
    """A clip of a class.

    Attributes:
        path: of its file, or of the folder of its frames.
        label: name of its class.
        split: "train", "validation", "test", or "" for one that is still to be chosen.
        group: what it was cut from: clips of a group stay together.
        array: where the file holds many clips, name of the array and row in it; or, of a table of
            sequences, how this one is called there, and which it is.
    """

    path: Path
    label: str
    split: str
    group: str
    array: tuple[str, int] | None = None

    @property
    def name(self) -> str:
        """Return the name of the clip for messages."""
        return f"{self.path}[{self.array[1]}]" if self.array else str(self.path)


def is_text(clip: Clip) -> bool:
    """Return whether a clip is a text file of its own."""
    return not clip.array and clip.path.suffix.lower() in SEQUENCE_FILES


def is_sequence(clip: Clip) -> bool:
    """Return whether a clip is of numbers `[T, features]`, and not of pictures.

    Of arrays it does, if it has fewer than three axes, or three and another type than uint8.

    Raises:
        UserError: it is a `.npy` that cannot be read.
    """
    path = clip.path
    if clip.array:
        return True
    if path.is_dir():
        return False
    if path.suffix.lower() != ".npy":
        return path.suffix.lower() in SEQUENCE_FILES
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        return array.ndim < 3 or (array.ndim == 3 and array.dtype != np.uint8)
    except (ValueError, OSError, EOFError, AttributeError) as error:
        raise UserError(f"{path} is not a .npy array of numbers") from error
