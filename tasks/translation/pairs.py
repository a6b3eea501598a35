"""Reads pairs of texts: from a tensorflow-datasets set, or from a file of one's own."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow_datasets as tfds

import tasks.translation.addition
import tasks.translation.dataset  # noqa: F401  makes the bundled ones known by name
from tasks.common.data import load_split, prepared
from tasks.translation.folder import Folder, choose, cut
from zoo.errors import UserError
from zoo.readers.text import read_text_file


class Pair(NamedTuple):
    """A text, its translation, and of what kind they are, if that is known."""

    source: str
    target: str
    kind: str = ""


def read_pairs(
    dataset: str, split: str, data_dir: str | None, source: str = "", target: str = ""
) -> list[Pair]:
    """The pairs of a split.

    Args:
        dataset: a tensorflow-datasets name; or the path of a folder, see `Folder`, or of a `.tsv`
            file, see `read_file`.
        split: "train", "validation" or "test", for a data set also a part of one (`test[:3]`).
        data_dir: folder of prepared data sets; None for tensorflow-datasets' default.
        source: the language to translate from, where the data know languages; empty for what a
            data set says, or see `choose`.
        target: the language to translate to, likewise.

    Raises:
        UserError: the data set or a file cannot be read, or holds no pairs, or not of those
            languages.
    """
    path = Path(os.path.expanduser(dataset))
    if is_path(path):
        if not _is_table(path):
            folder = Folder(path)
            known = choose(folder.languages, source, target, str(path))
            return [Pair(*pair) for pair in folder.read(split, *known)]
        _check_no_languages(dataset, source, target)
        return read_file(path, split)
    info = prepared(dataset, data_dir).info
    keys = _languages(dataset, info, source, target)
    label = info.features["kind"] if "kind" in info.features else None  # noqa: SIM401  no get
    names = label.names if isinstance(label, tfds.features.ClassLabel) else None
    return [
        Pair(
            example[keys[0]].decode(),
            example[keys[1]].decode(),
            names[example["kind"]] if names else "",
        )
        for example in load_split(dataset, split, data_dir)
    ]


def is_path(path: Path) -> bool:
    """Whether a data set is a person's own file or folder."""
    return path.exists() or path.is_absolute() or _is_table(path)


def _is_table(path: Path) -> bool:
    return path.name.lower().endswith((".tsv", ".tsv.gz"))


def read_file(path: Path, split: str) -> list[Pair]:
    """The pairs of a UTF-8 file with a source, a tab and its target on each line.

    What follows a second tab is not read, nor are blank lines and repeated pairs. Which of them
    are for validation and for the test says `cut`.

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
    return cut(list(pairs), split, ("validation", "test"), path)


def _pair(path: Path, number: int, line: str) -> Pair:
    source, target, *_ = (
        field.strip() for field in (line.removeprefix("\ufeff") + "\t").split("\t")
    )
    if not source or not target:
        raise UserError(
            f"line {number} of {path} is {line[:60]!r}: expected a source, a tab and its target"
        )
    return Pair(source, target)


def _languages(dataset: str, info: Any, source: str, target: str) -> tuple[str, str]:
    """The features that hold the source and the target."""
    features = info.features
    if isinstance(features, tfds.features.Translation):
        if info.supervised_keys and not source and not target:
            return info.supervised_keys
        return choose(features.languages, source, target, f"the data set {dataset}")
    if {"source", "target"} <= set(features):
        _check_no_languages(dataset, source, target)
        return "source", "target"
    raise UserError(
        f"the data set {dataset} has {', '.join(features)}: choose one with `source` and "
        "`target`, or one of translations"
    )


def _check_no_languages(dataset: str, source: str, target: str) -> None:
    if source or target:
        raise UserError(
            f"{dataset} names no languages: leave out source and target, which are for folders "
            "and for sets of translations"
        )
