"""Reads pairs of texts: from a tensorflow-datasets set, or from a file of one's own."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow_datasets as tfds

import tasks.translation.addition
import tasks.translation.dataset  # noqa: F401  makes the bundled ones known by name
from tasks.data import load_split, prepared
from zoo.errors import UserError
from zoo.inputs import read_text_file

_FOLDS = {"validation": (18,), "test": (19,), "train": range(18)}


class Pair(NamedTuple):
    """A text, its translation, and of what kind they are, if that is known."""

    source: str
    target: str
    kind: str = ""


def read_pairs(dataset: str, split: str, data_dir: str | None) -> list[Pair]:
    """The pairs of a split.

    Args:
        dataset: a tensorflow-datasets name, or the path of a `.tsv` file, see `read_file`.
        split: "train", "validation" or "test", for a data set also a part of one (`test[:3]`).
        data_dir: folder of prepared data sets; None for tensorflow-datasets' default.

    Raises:
        UserError: the data set or the file cannot be read, or holds no pairs.
    """
    if Path(dataset).suffix == ".tsv":
        return read_file(Path(os.path.expanduser(dataset)), split)
    info = prepared(dataset, data_dir).info
    source, target = _languages(dataset, info)
    label = info.features["kind"] if "kind" in info.features else None  # noqa: SIM401  no get
    names = label.names if isinstance(label, tfds.features.ClassLabel) else None
    return [
        Pair(
            example[source].decode(),
            example[target].decode(),
            names[example["kind"]] if names else "",
        )
        for example in load_split(dataset, split, data_dir)
    ]


def read_file(path: Path, split: str) -> list[Pair]:
    """The pairs of a UTF-8 file with a source, a tab and its target on each line.

    What follows a second tab is not read, nor are blank lines and repeated pairs. Of each twenty
    different sources, in the order of the file, the first eighteen are for training, the next one
    for validation and the last one for the test, each with all its targets.

    Args:
        path: the file.
        split: "train", "validation" or "test".

    Raises:
        UserError: the file cannot be read, a line has no source or no target, or there are fewer
            than twenty different sources.
    """
    pairs = dict.fromkeys(
        _pair(path, number, line)
        for number, line in enumerate(read_text_file(path).split("\n"), start=1)
        if line.strip()
    )
    sources = list(dict.fromkeys(pair.source for pair in pairs))
    if len(sources) < 20:
        raise UserError(f"{path} has {len(sources)} different sources: at least 20 are needed")
    chosen = {source for n, source in enumerate(sources) if n % 20 in _FOLDS[split]}
    return [pair for pair in pairs if pair.source in chosen]


def _pair(path: Path, number: int, line: str) -> Pair:
    source, target, *_ = (
        field.strip() for field in (line.removeprefix("\ufeff") + "\t").split("\t")
    )
    if not source or not target:
        raise UserError(
            f"line {number} of {path} is {line[:60]!r}: expected a source, a tab and its target"
        )
    return Pair(source, target)


def _languages(dataset: str, info: Any) -> tuple[str, str]:
    """The features that hold the source and the target."""
    if {"source", "target"} <= set(info.features):
        return "source", "target"
    if isinstance(info.features, tfds.features.Translation) and info.supervised_keys:
        return info.supervised_keys
    raise UserError(
        f"the data set {dataset} has {', '.join(info.features)}: choose one with `source` and "
        "`target`, or one of translations"
    )
