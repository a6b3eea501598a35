"""The base of tasks that learn from a data set, and the hashes that a model card records."""

import hashlib
import os
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tasks.common.data import iterate_split, part_of, prepared
from tasks.common.sources import whole_path
from tasks.common.splits import RULE, SPLITS
from zoo.task import Task
from zoo.utils.progress import progress

SHORT = 200
"""Characters of a text that a card has room for."""


class DataTask(Task):
    """A task whose data are a tensorflow-datasets set, or files of the user's.

    Args:
        dataset: a name, or a path, see `tasks.common.sources.is_path`.
        data_dir: folder of prepared data sets.
        split_rule: name of the rule by which files that are not split were split, see
            `tasks.common.splits`; it is in the config of a run. None where the task keeps none.

    Raises:
        UserError: `dataset` is empty.
    """

    learned: ClassVar[tuple[str, ...]] = ("split_rule",)

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        split_rule: str | None = None,
    ) -> None:
        super().__init__(whole_path(dataset, self.default_dataset), data_dir)
        self.split_rule = split_rule or ""
        self._keeps_rule = split_rule is not None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        rule = {"split_rule": self.split_rule} if self._keeps_rule else {}
        return {**super().get_config(), **rule}

    def data_card(self) -> dict[str, Any]:
        """Return the data's part of a model card; of a user's files only their hash is known."""
        path = Path(os.path.expanduser(self.dataset))
        if path.is_absolute():
            card = {"name": path.name, "version": "", "description": "A person's own files."}
            return {**card, "licence": "that of its files", "files": hash_files(path)}
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

    def numbers(self) -> str:
        """Return which ids the tokens of a model of texts have, for the card."""
        if not self.vocabularies:
            return ""
        names = " and ".join(f"`{name}`" for name in self.vocabularies)
        return (
            "`forward` and `step` take and give ids of tokens: 0 is padding, 1 an unknown token, 2 "
            "and 3 the start and the end of a text. From 4 on they are the tokens in their order "
            f"in `assets.extra/zoo.json`, under `config`, `task_config`: {names}."
        )

    def fingerprint(self, split: str) -> str:
        """Return the SHA-256 of a split's examples, or of all the user's files."""
        path = Path(os.path.expanduser(self.dataset))
        if path.is_absolute():
            return hash_files(path)
        return hash_examples(self.dataset, split, self.data_dir)


def rule_of(split_rule: str | None, learned: object) -> str:
    """Return the rule of a task: that of its config, "" in one of before there were names.

    Args:
        split_rule: what the config says.
        learned: what a config has that was learned from the data, such as a vocabulary; None for a
            new task.
    """
    if split_rule is not None:
        return split_rule
    return RULE if learned is None else ""


def spread(total: int, count: int) -> list[int]:
    """Return up to `count` places, evenly spaced among `total`.

    Example:
        >>> spread(10, 4), spread(2, 4)
        ([0, 2, 5, 7], [0, 1])
    """
    count = min(total, count)
    return [place * total // count for place in range(count)]


def hash_examples(name: str, split: str, data_dir: str | None) -> str:
    """Return the SHA-256 of a split's examples, whatever files hold them.

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
    """Return the SHA-256 of a file, or of a folder's files and their names, but for hidden ones."""
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
