"""Reads pairs of texts: from a tensorflow-datasets set, or from a file of one's own."""

import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow_datasets as tfds

import tasks.translation.dataset  # noqa: F401  makes the bundled ones known by name
from tasks.common.data import load_split, prepared
from tasks.common.sources import own_path
from tasks.common.splits import RULE, by_split, fill
from tasks.common.tables import Table, read_table, tables_of_splits
from tasks.translation.folder import Folder, choose, has_languages
from tasks.translation.headers import SOURCE, TARGET, column_role, is_header
from zoo.errors import UserError
from zoo.readers.tables import are_numbers


class Pair(NamedTuple):
    """A text, its translation, and of what kind they are, if that is known."""

    source: str
    target: str
    kind: str = ""


def open_pairs(
    dataset: str,
    data_dir: str | None,
    source: str = "",
    target: str = "",
    columns: str = "",
    rule: str = RULE,
) -> Callable[[str], list[Pair]]:
    """Return what gives the pairs of a split.

    Where validation or test is lacking, a tenth of the sources for training is taken for it; pairs
    of one source stay together. See `tasks.common.splits.assign`.

    Args:
        dataset: a tensorflow-datasets name; or the path of a folder, see `Folder`, of a table, see
            `read_file`, or of a folder of tables called `train.csv` and so on.
        data_dir: folder of prepared data sets; None for tensorflow-datasets' default.
        source: the language to translate from, where the data know languages; empty for what a
            data set says, or see `choose`.
        target: the language to translate to, likewise.
        columns: of a table: those of the source and of the target, see `read_file`.
        rule: see `tasks.common.splits.tell_rule`.

    Raises:
        UserError: the data set or a file cannot be read, or holds no pairs, or not of those
            languages.
    """
    path = own_path(dataset)
    tables = tables_of_splits(path) if path and path.is_dir() and not has_languages(path) else {}
    if columns and not (tables or (path and path.is_file())):
        raise UserError(f"columns is {columns!r}, but {dataset} is no table: leave it out")
    if path is None:
        return partial(_from_name, dataset, data_dir, source, target)
    if path.is_file():
        parts = read_file(path, columns, source, target)
    elif "train" in tables:
        parts = {
            split: [
                pair for part in read_file(file, columns, source, target).values() for pair in part
            ]
            for split, file in tables.items()
        }
    else:
        folder = Folder(path)
        known = choose(folder.languages, source, target, str(path))
        parts = {
            split: [Pair(*pair) for pair in pairs] for split, pairs in folder.read(*known).items()
        }
    whole = fill(parts, lambda pair: pair.source, dataset, "sources", rule=rule)
    return whole.__getitem__


def _from_name(name: str, data_dir: str | None, source: str, target: str, split: str) -> list[Pair]:
    info = prepared(name, data_dir).info
    keys = _languages(name, info, source, target)
    label = info.features["kind"] if "kind" in info.features else None  # noqa: SIM401  no get
    names = label.names if isinstance(label, tfds.features.ClassLabel) else None
    return [
        Pair(
            example[keys[0]].decode(),
            example[keys[1]].decode(),
            names[example["kind"]] if names else "",
        )
        for example in load_split(name, split, data_dir)
    ]


def read_file(
    path: Path, columns: str = "", source: str = "", target: str = ""
) -> dict[str, list[Pair]]:
    """Return the pairs of a table, see `zoo.readers.tables.read_rows`, by its column `split`.

    The first row may name the columns: `source` and `target`, or languages, see
    `tasks.translation.headers`; that it is no pair is told. Else the source is the
    first column of texts and the target the second: not of numbers, nor of one text in all rows.
    Other columns, blank rows and repeated pairs are left out.

    Args:
        path: the file.
        columns: those of the source and of the target, by name or by number from 1, such as "2,4".
        source: the name of the source's column, such as its language.
        target: likewise.

    Raises:
        UserError: the file cannot be read, has no two columns of texts, or a row has no source or
            no target.
    """
    chosen = re.findall(r"[^,;\s]+", columns)
    if columns and len(chosen) != 2:
        raise UserError(f"columns is {columns!r}, but two are needed, such as columns=2,4")
    if bool(source) != bool(target):
        raise UserError(f"{path} is a table: name the columns of both source and target")
    chosen = chosen or [name for name in (source, target) if name]
    table = read_table(path, [*SOURCE, *TARGET, *chosen], ragged=True)
    if not table.named and is_header(table.names):
        table = read_table(path, table.names, ragged=True)
        names = ", ".join(name for name in table.names if name)
        print(f"{path}: its first row, {names}, names the columns and is no pair", file=sys.stderr)
    if source and not columns and not table.named:
        raise UserError(
            f"{path} names no languages: leave out source and target, or say columns=1,2"
        )
    places = _columns(table, chosen)
    sides = [table.cells(place) for place in places]
    rows = [
        (_pair(table, row.line, places, *(side[n] for side in sides)), split, where)
        for n, (row, split, where) in enumerate(
            zip(table.rows, table.splits(), map(table.place, table.rows))
        )
    ]
    return {split: list(dict.fromkeys(pairs)) for split, pairs in by_split(rows).items()}


def _columns(table: Table, chosen: Sequence[str]) -> list[int]:
    """Return those of the source and of the target."""
    if chosen:
        places = [table.column(name, (), "columns", "the texts") for name in chosen]
        for place in places:
            table.check_texts(place, "columns", "texts", chosen=True)
        return places
    roles = [column_role(name) if table.named else "" for name in table.names]
    places = [roles.index(side) for side in ("source", "target") if side in roles]
    if len(places) == 2:
        for place in places:
            table.check_texts(place, "columns", "texts")
        return places
    places = [place for place in range(len(table.names)) if _is_of_texts(table.cells(place))]
    several = len(places) > 2
    if len(places) < 2:
        raise UserError(
            f"{table.path} has {len(table.names)} columns, {len(places)} of texts and the others "
            "of numbers or of one word: expected a source, a tab and its target on each line, or "
            "say which columns they are, such as columns=2,4"
        )
    languages = [place for place in places if roles[place]]
    places = languages if len(languages) == 2 else places
    if several or places != [0, 1]:
        source, target = map(table.title, places[:2])
        print(
            f"{table.path}: {source} is the source, {target} the target; columns=... takes others",
            file=sys.stderr,
        )
    return places[:2]


def _is_of_texts(cells: list[str]) -> bool:
    """Return whether cells are no numbers, and say more than one thing."""
    return not are_numbers(cells) and not (len(cells) > 2 and len({*cells}) == 1)


def _pair(table: Table, line: int, places: Sequence[int], source: str, target: str) -> Pair:
    if not source or not target:
        text = (source or target)[:60]
        if not table.separator:
            blank, other = places[::-1] if source else places
            raise UserError(
                f"line {line} of {table.path} has nothing in {table.title(blank)}, but {text!r} in "
                f"{table.title(other)}: fill it in, leave out the row, or say which columns are "
                "meant, such as columns=2,4"
            )
        raise UserError(
            f"line {line} of {table.path} is {text!r}: expected a source, a tab and its target"
        )
    return Pair(source, target)


def _languages(dataset: str, info: Any, source: str, target: str) -> tuple[str, str]:
    """Return the features that hold the source and the target."""
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
