"""Decoded pictures and clips, and what networks make of them: made once, kept on disk."""

import hashlib
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from filelock import FileLock

from zoo.errors import UserError
from zoo.readers.shards import shards_of
from zoo.readers.stored_pictures import StoredPicture
from zoo.utils.files import data_folder, flush_folder
from zoo.utils.progress import progress

_VERSION = 1
_AHEAD = 4
"""Items a worker that are made before they are written."""
Item = TypeVar("Item")
Made = TypeVar("Made")


class Cached(NamedTuple):
    """An array on disk, and which of the items are in it.

    Attributes:
        folder: where it lies, named after what it was made from.
        array: `[M, ...]`, read from disk where it is looked at.
        indices: those of the M items that could be made, rising.
        lengths: `[M]`, how much of each row's first axis was made; zeros follow.
        failed: why each other item could not be made, by index.
        notes: what was to be kept beside each of the M rows; None where nothing was.
    """

    folder: Path
    array: np.ndarray
    indices: np.ndarray
    lengths: np.ndarray
    failed: dict[int, str]
    notes: list[Any]


def cached_array(
    key: Any,
    shape: Sequence[Any],
    dtype: str,
    make: Callable[[int], np.ndarray],
    title: str,
    data_dir: str | None = None,
) -> Cached:
    """Return an array whose rows are made by several threads, or read if they were made before.

    It lies in `zoo_cache/<hash of the key>` in the folder of data sets; or in the folder that the
    environment variable ZOO_CACHE names, for data sets in a folder that is only to be read. It is
    written beside its place, flushed and renamed, so that it is there whole or not at all. A second
    process that wants the same waits for the first.

    Args:
        key: all that decides what is in it, as JSON values; see `file_key`.
        shape: `[N, ...]`, of all N items; `[N, None, ...]` for rows of any length, which then lie
            one after the other in `array`, `[sum of lengths, ...]`.
        dtype: of the numbers.
        make: from an item's index to its row, of shape `shape[1:]`, or shorter on its first axis.
            For an item that cannot be made it raises a UserError.
        title: what the progress bar says.
        data_dir: folder of prepared data sets.

    Raises:
        UserError: the folder cannot be written, or the disk is full.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> squares = cached_array("squares", (3,), "int32", lambda i: np.square(i), "", folder)
        >>> squares.array.tolist(), squares.indices.tolist()
        ([0, 1, 4], [0, 1, 2])
    """

    def rows() -> Iterator[Any]:
        return in_threads(lambda index: _try(make, index), range(shape[0]))

    return cached_rows(key, shape, dtype, rows, title, data_dir)


def cached_rows(
    key: Any,
    shape: Sequence[Any],
    dtype: str,
    rows: Callable[[], Iterable[Any]],
    title: str,
    data_dir: str | None = None,
) -> Cached:
    """Return an array whose rows can only be read one after the other, as `cached_array` does.

    Args:
        key: as for `cached_array`.
        shape: likewise; N is what the progress bar expects, and the most rows that are taken.
        dtype: likewise.
        rows: gives, for each item, its row; or `(row, note)` with a JSON value to keep beside it;
            or the UserError that says why there is none.
        title: what the progress bar says.
        data_dir: folder of prepared data sets.
    """
    parent = data_folder(os.environ.get("ZOO_CACHE") or data_dir) / "zoo_cache"
    text = json.dumps([_VERSION, key, list(shape), str(np.dtype(dtype))], sort_keys=True)
    folder = parent / hashlib.sha256(text.encode()).hexdigest()[:32]
    try:
        if not folder.is_dir():
            parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):
                if not folder.is_dir():
                    _make(folder, shape, dtype, rows, title)
        return _read(folder, shape[1:], dtype)
    except OSError as error:
        raise UserError(
            f"cannot keep {title or 'what was made'} in {folder}: {error.strerror or error}; "
            "choose another --data-dir, or name a folder in ZOO_CACHE"
        ) from error


def file_key(paths: Iterable[Path | StoredPicture]) -> list[Any]:
    """Return path, size and time of last change of each file, for a key; sizes of -1 for none.

    Of a folder it is a hash of these of the files in it; of a shard those of its whole table;
    of a picture in a table one of its bytes.
    """
    whole = [*paths]
    shards = {path: shards_of(path) for path in {*whole} if isinstance(path, Path)}
    return [
        key
        for path in whole
        for key in (
            [[str(file.absolute()), *_state(file)] for file in shards[path]]
            if isinstance(path, Path)
            else [path.digest]
        )
    ]


def _state(path: Path) -> list[Any]:
    try:
        if path.is_dir():
            states = [[file.name, *_state(file)] for file in sorted(path.iterdir())]
            return [hashlib.sha256(json.dumps(states).encode()).hexdigest()]
        stat = path.stat()
        return [stat.st_size, stat.st_mtime_ns]
    except OSError:
        return [-1, 0]


def in_threads(make: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """Yield what is made of each item, in order, by as many threads as there are cores.

    Only a few items are made ahead, so that they need not all be in memory.
    """
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        rest = iter(items)
        begun = deque(pool.submit(make, item) for item in islice(rest, workers * _AHEAD))
        try:
            while begun:
                yield begun.popleft().result()
                begun.extend(pool.submit(make, item) for item in islice(rest, 1))
        finally:
            for future in begun:
                future.cancel()


def _try(make: Callable[[int], np.ndarray], index: int) -> Any:
    try:
        return make(index)
    except UserError as error:
        return error


def _make(
    folder: Path,
    shape: Sequence[Any],
    dtype: str,
    rows: Callable[[], Iterable[Any]],
    title: str,
) -> None:
    """Write the folder, with the lock on it held."""
    # Of rows of any length, at least one step each.
    needed = prod(1 if size is None else size for size in shape) * np.dtype(dtype).itemsize
    free = shutil.disk_usage(folder.parent).free
    if needed > free:
        raise UserError(
            f"{folder.parent} has {free / 1e6:,.0f} MB left, but {title or 'the cache'} takes "
            f"{needed / 1e6:,.0f} MB: make room, or name another folder in ZOO_CACHE"
        )
    # What a killed run has left.
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        _write(part, shape, dtype, rows(), title)
        os.rename(part, folder)
        flush_folder(folder.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(part: Path, shape: Sequence[Any], dtype: str, rows: Iterable[Any], title: str) -> None:
    about: dict[str, Any] = {"kept": [], "lengths": [], "failed": {}, "notes": []}
    # Written, not mapped: a full disk is then an error, and does not end the process.
    with (part / "array").open("wb") as file:
        for index, row in enumerate(progress(islice(rows, shape[0]), title, shape[0])):
            if isinstance(row, UserError):
                about["failed"][index] = str(row)
                continue
            values, note = row if isinstance(row, tuple) else (row, None)
            values = np.asarray(values, dtype)
            about["kept"].append(index)
            about["lengths"].append(len(values) if values.ndim else 1)
            about["notes"].append(note)
            file.write(_filled(values, shape[1:]).tobytes())
        file.flush()
        os.fsync(file.fileno())
    with (part / "rows.json").open("w", encoding="utf-8") as text:
        json.dump(about, text)
        text.flush()
        os.fsync(text.fileno())


def _filled(values: np.ndarray, shape: Sequence[Any]) -> np.ndarray:
    """Return a row brought to its whole shape by zeros at the end of its first axis."""
    length = len(values) if shape and shape[0] is None else None
    whole: tuple[Any, ...] = tuple(length if size is None else size for size in shape)
    if values.shape == whole:
        return values
    if values.shape[1:] != whole[1:] or len(values) > whole[0]:
        raise ValueError(f"a row has shape {values.shape}, but the array's are {tuple(shape)}")
    filled = np.zeros(whole, values.dtype)
    filled[: len(values)] = values
    return filled


def _read(folder: Path, shape: Sequence[Any], dtype: str) -> Cached:
    about = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
    ragged = len(shape) and shape[0] is None
    whole = (sum(about["lengths"]), *shape[1:]) if ragged else (len(about["kept"]), *shape)
    # Nothing cannot be mapped.
    array = (
        np.memmap(folder / "array", dtype, "r", shape=whole)
        if prod(whole)
        else np.empty(whole, dtype)
    )
    return Cached(
        folder,
        array,
        np.array(about["kept"], int),
        np.array(about["lengths"], int),
        {int(index): reason for index, reason in about["failed"].items()},
        about["notes"],
    )
