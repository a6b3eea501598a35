"""What the tasks have in common that learn from a data set: the card tells of it."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tasks.common.data import iterate_split, part_of, prepared
from zoo.task import Task
from zoo.utils.progress import progress

SHORT = 200
"""Characters of a text that a card has room for."""

SPLITS = ("train", "validation", "test")


class DataTask(Task):
    """A task whose data are a tensorflow-datasets set, or files of the user's."""

    def data_card(self) -> dict[str, Any]:
        """As `Task.data_card`; of a user's files only their hash is known."""
        path = Path(os.path.expanduser(self.dataset))
        if path.is_absolute():
            told = {"name": path.name, "version": "", "description": "A person's own files."}
            return {**told, "licence": "that of its files", "files": hash_files(path)}
        builder = prepared(self.dataset, self.data_dir)
        info = builder.info
        sizes = {split: info.splits[part_of(split, info.splits)].num_examples for split in SPLITS}
        return {
            "name": self.dataset,
            "version": str(info.version),
            "description": " ".join(info.description.split()),
            "homepage": info.homepage,
            "licence": info.redistribution_info.license or "not stated by the data set",
            "splits": {
                split: {"examples": count, "sha256": self.fingerprint(split)}
                for split, count in sizes.items()
            },
        }

    def fingerprint(self, split: str) -> str:
        """As `Task.fingerprint`."""
        path = Path(os.path.expanduser(self.dataset))
        if path.is_absolute():
            return hash_files(path)
        return hash_examples(self.dataset, split, self.data_dir)


def spread(total: int, count: int) -> list[int]:
    """Up to `count` places, evenly spaced among `total`.

    Example:
        >>> spread(10, 4), spread(2, 4)
        ([0, 2, 5, 7], [0, 1])
    """
    count = min(total, count)
    return [place * total // count for place in range(count)]


def hash_examples(name: str, split: str, data_dir: str | None) -> str:
    """SHA-256 of what a split's examples say, whatever files they are kept in.

    Raises:
        UserError: the data set cannot be read.
    """
    digest = hashlib.sha256()
    examples = iterate_split(name, split, data_dir)
    for example in progress(examples, f"hashing {split}"):
        for leaf in tf.nest.flatten(example):
            array = np.asarray(leaf, object if isinstance(leaf, bytes) else None)
            digest.update(f"{array.dtype} {array.shape}".encode())
            for part in array.ravel() if array.dtype == object else [array.tobytes()]:
                digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def hash_files(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files and their names; hidden ones are left out."""
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    for file in progress(files, f"hashing {path.name}"):
        inside = file.relative_to(path) if file != path else Path(file.name)
        if any(part.startswith(".") for part in inside.parts):
            continue
        with file.open("rb") as opened:
            content = hashlib.file_digest(opened, "sha256").digest()
        digest.update(inside.as_posix().encode() + b"\0" + content)
    return digest.hexdigest()
