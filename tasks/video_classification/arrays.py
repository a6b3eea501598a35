"""Sequences as one array `X` of `[N, T, D]`, and their labels as another, `y` of `[N]`."""

import hashlib
import re
from collections import defaultdict
from functools import lru_cache
from pathlib import Path

import numpy as np

from tasks.common.splits import split_named
from tasks.video_classification.clip import Clip
from zoo.errors import UserError
from zoo.readers.numbers import read_array

# The array's letter, and perhaps the split: `X.npy`, `y_train.npy`, `X-test`.
_NAME = re.compile(r"(x|y)(?:[ _-]?([^\W\d_]+))?", re.IGNORECASE)


def has_arrays(path: Path) -> bool:
    """Return whether a file is a `.npz`, or a folder holds `X.npy` or one `.npz` and no folders."""
    return bool(_parts(path))


def array_clips(path: Path) -> list[Clip]:
    """Return the sequences of `X` with the labels of `y`.

    They are in `X.npy` and `y.npy` in a folder, or in a `.npz` by these names; for splits, in
    `X_train`, `y_train` and so on. `X` is of `[N, T, D]`, or `[N, T]` for one feature a step; `y`
    holds whole numbers or texts, `[N]`. Where there are no splits, each sequence is a group of
    its own, but equal ones are one group.

    Args:
        path: the folder, or the `.npz` file.

    Raises:
        UserError: one of the two is missing, or of another shape or type.
    """
    clips = []
    for split, names in sorted(_parts(path).items()):
        for letter, other in ("xy", "yx"):
            if letter not in names:
                raise UserError(
                    f"{path} has {names[other][1]}, but no {letter} to it: X of [N, T, D] and y of "
                    "[N] labels are needed, in X.npy and y.npy"
                )
        file, name = names["x"]
        sequences = load_array(file, name)
        labels = _labels(*names["y"])
        if sequences.ndim not in (2, 3):
            shape = list(sequences.shape)
            raise UserError(f"{_called(file, name)} holds an array of shape {shape}, not [N, T, D]")
        if len(labels) != len(sequences):
            raise UserError(
                f"{path} has {len(sequences)} sequences in {name}, but {len(labels)} labels in "
                f"{names['y'][1]}: one for each is needed"
            )
        for row, label in enumerate(labels):
            group = f"{name}[{row}]"
            if not split or split == "train":
                group = f"{name} {hashlib.sha256(sequences[row].tobytes()).hexdigest()}"
            clips.append(Clip(file, label, split, group, (name, row)))
    return clips


def load_array(path: Path, name: str) -> np.ndarray:
    """Return the array of a `.npy` file, or that of a name in a `.npz`; it is read once.

    Raises:
        UserError: it cannot be read.
    """
    return _loaded(path, name, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _loaded(path: Path, name: str, changed: int) -> np.ndarray:
    if path.suffix.lower() == ".npz":
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return arrays[name]
        except (ValueError, OSError, EOFError, KeyError) as error:
            raise UserError(f"{path} has no array {name} of numbers or texts") from error
    return read_array(path)


def _parts(path: Path) -> dict[str, dict[str, tuple[Path, str]]]:
    """Return the file and the name of `x` and of `y` of each split, "" for all of them."""
    if path.is_file():
        named = [(path, name) for name in _names(path)]
    else:
        files = sorted(path.iterdir())
        named = [(file, file.stem) for file in files if file.suffix.lower() == ".npy"]
        packed = [file for file in files if file.suffix.lower() == ".npz"]
        if any(file.is_dir() for file in files):
            # Then each is a class, unless both arrays are there.
            if not {"x", "y"} <= {name[0].lower() for _, name in named if _NAME.fullmatch(name)}:
                return {}
        elif len(packed) == 1:
            named += [(packed[0], name) for name in _names(packed[0])]
    parts: dict[str, dict[str, tuple[Path, str]]] = defaultdict(dict)
    for file, name in named:
        match = _NAME.fullmatch(name)
        split = split_named(match[2]) if match and match[2] else ""
        if match and split is not None:
            parts[split][match[1].lower()] = (file, name)
    return parts if any("x" in names for names in parts.values()) else {}


def _names(path: Path) -> list[str]:
    if path.suffix.lower() != ".npz":
        return []
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return list(arrays)
    except (ValueError, OSError, EOFError) as error:
        raise UserError(f"{path} is not a .npz file of arrays") from error


def _labels(path: Path, name: str) -> list[str]:
    """Return labels as texts: those of whole numbers, too."""
    array = load_array(path, name)
    shape = array.shape
    if array.ndim > 1 and max(shape[1:]) == 1:
        array = array.reshape(len(array))
    if array.ndim != 1:
        raise UserError(
            f"{_called(path, name)} holds an array of shape {list(shape)}, but [N] is needed: the "
            "class of each sequence, as a number or a text"
        )
    if array.dtype.kind == "f" and np.array_equal(array, np.rint(array)):
        array = array.astype(np.int64)
    if array.dtype.kind not in "iuUS":
        raise UserError(
            f"{_called(path, name)} holds {array.dtype}, but whole numbers or texts are needed: "
            "the class of each sequence"
        )
    texts = np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array.astype(str)
    return [str(text).strip() for text in texts]


def _called(path: Path, name: str) -> str:
    return str(path) if path.stem == name else f"{path}, {name},"
