"""Where texts and their labels come from: a data set by name, or a person's own files."""

import sys
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from tasks.common.data import load_split, prepared
from tasks.common.notices import first_few, tell_alike
from tasks.common.sources import own_path
from tasks.common.splits import RULE, SPLITS, by_split, by_split_named, fill
from tasks.common.tables import LABEL, tables_in, tables_of_splits
from tasks.text_classification.table import TEXT, Example, read_examples
from zoo.errors import UserError
from zoo.readers.text import read_text_file
from zoo.utils.progress import progress

_UNLABELLED = {"unsup", "unsupervised"}


def read_texts(
    dataset: str,
    data_dir: str | None,
    text_column: str = "",
    label_column: str = "",
    rule: str = RULE,
    fold: str = "",
) -> dict[str, list[Example]]:
    """Return the labelled texts of each split.

    Where nothing says which texts are for validation or for the test, a tenth of those for
    training is taken, see `tasks.common.splits.assign`: each label is in all splits if it has
    three texts; equal texts stay together, and so do those of one `group`, `speaker` or `document`
    if a table has such a column. Empty texts and labels are left out and counted.

    Args:
        dataset: a tensorflow-datasets name; a table, see `read_examples`, which may have a column
            `split`; a folder of tables called `train.csv` and so on; or a folder of texts, at its
            top or in folders called `train` and so on: a folder of `.txt` files for each label, as
            in aclImdb, or a `.txt` file for each label with a text on each line.
        data_dir: folder of prepared data sets.
        text_column: the column, or the feature, that holds the texts; "" for the usual names.
        label_column: likewise.
        rule: see `tasks.common.splits.tell_rule`.
        fold: see `tasks.common.folds`.

    Raises:
        UserError: there is no such data set, it cannot be read, has fewer than two labels or too
            few texts, or texts for the test have a label that is not among those for training.
    """
    path = own_path(dataset)
    if path:
        parts = _from_path(path, text_column, label_column)
    else:
        parts = _from_dataset(dataset, data_dir, text_column, label_column)
    parts = {split: _whole(rows, split) for split, rows in parts.items()}
    if fold or not all(parts.get(split) for split in SPLITS):
        parts["train"] = _without_single(parts["train"])
    _check_labels(parts["train"], dataset)
    tell_alike(dataset, (row.label for rows in parts.values() for row in rows))
    _check_others(parts)
    return fill(
        parts,
        lambda each: each.key,
        dataset,
        label=lambda each: each.label,
        rule=rule,
        fold=fold,
    )


def _from_path(path: Path, text: str, label: str) -> dict[str, list[Example]]:
    if path.is_file():
        rows = read_examples(path, text, label)
        return by_split((row, row.split, row.place) for row in rows)
    tables = tables_of_splits(path)
    folders = by_split_named(each for each in path.iterdir() if each.is_dir())
    if tables:
        parts = {split: read_examples(file, text, label) for split, file in tables.items()}
    elif folders:
        parts = {split: _from_folders(inner) for split, inner in folders.items()}
    elif unknown := tables_in(path):
        names = first_few([table.name for table in unknown])
        raise UserError(
            f"{path} has {names}, but no table whose name speaks of a split: call that for "
            f"training train{unknown[0].suffix}, or give one table as the data set"
        )
    else:
        parts = {"train": _from_folders(path)}
    if "train" not in parts:
        raise UserError(f"{path} has {', '.join(parts)}, but nothing called train")
    return parts


def _from_folders(folder: Path) -> list[Example]:
    files: list[tuple[Path, str]] = []
    others: list[Path] = []
    for inner in sorted(folder.iterdir()):
        labelled = inner.is_dir() and inner.name not in _UNLABELLED
        inside = sorted(inner.iterdir()) if labelled else []
        texts = [file for file in inside if file.name.lower().endswith(".txt")]
        files += [(file, inner.name) for file in texts]
        others += sorted({*inside} - {*texts}) if texts else [inner]
    if not files:
        return _from_lines(folder)
    if others:
        print(
            f"left out {len(others)} files and folders of {folder} that are no .txt file in the "
            f"folder of a label, such as {others[0].relative_to(folder)}",
            file=sys.stderr,
        )
    return [
        Example(_read(file), label, str(file))
        for file, label in progress(files, f"reading {folder.name}")
    ]


def _from_lines(folder: Path) -> list[Example]:
    """Return the lines of the texts in a folder, each file of which is called after a label."""
    files = [file for file in sorted(folder.iterdir()) if file.name.lower().endswith(".txt")]
    if len(files) < 2:
        raise UserError(
            f"{folder} has no folders of .txt files, one folder a label, and no train.csv or "
            "train.tsv: give a folder that has, or a .csv or .tsv file"
        )
    print(
        f"{folder}: each of its {len(files)} .txt files is a label, each line a text",
        file=sys.stderr,
    )
    return [
        Example(line.strip(), file.stem, f"{file}, line {number}")
        for file in files
        for number, line in enumerate(_read(file).split("\n"), start=1)
        if line.strip()
    ]


def _read(file: Path) -> str:
    """Read a file's text; a blank one is left out later like any other, not refused."""
    return read_text_file(file).strip() if file.read_bytes().strip() else ""


def _from_dataset(
    name: str, data_dir: str | None, text: str, label: str
) -> dict[str, list[Example]]:
    info = prepared(name, data_dir).info
    text = text or next((key for key in TEXT if key in info.features), TEXT[0])
    label = label or next((key for key in LABEL if key in info.features), LABEL[0])
    parts = {}
    for split in SPLITS:
        examples = load_split(name, split, data_dir, (text, label))
        names = _names(info.features[label])
        rows = [
            Example(
                _text(example[text], name, text).strip(),
                _label(example[label], names),
                f"example {number} of {split} of {name}",
            )
            for number, example in enumerate(examples, start=1)
        ]
        # Some data sets keep the labels of their test to themselves.
        if any(row.label for row in rows):
            parts[split] = rows
    return {"train": [], **parts}


def _names(feature: Any) -> list[str] | None:
    return feature.names if isinstance(feature, tfds.features.ClassLabel) else None


def _text(value: Any, name: str, feature: str) -> str:
    if not isinstance(value, bytes):
        raise UserError(f"the feature {feature} of the data set {name} is no text: say text_column")
    return value.decode(errors="replace")


def _label(value: Any, names: list[str] | None) -> str:
    if names is not None:
        return names[value] if value >= 0 else ""
    return value.decode() if isinstance(value, bytes) else str(value)


def _whole(rows: list[Example], split: str) -> list[Example]:
    """Return the rows with a text and a label, and report the others on stderr."""
    complete = [row for row in rows if row.text and row.label]
    if len(complete) < len(rows):
        first = next(row for row in rows if not (row.text and row.label))
        print(
            f"left out {sum(not row.text for row in rows)} empty texts and "
            f"{sum(bool(row.text and not row.label) for row in rows)} texts without a label of "
            f"{split}, the first one at {first.place}",
            file=sys.stderr,
        )
    return complete


def _without_single(rows: list[Example]) -> list[Example]:
    """Return the rows whose label has another text, too: one cannot be both learned and tested."""
    texts: dict[str, set[str]] = {label: set() for label in sorted({row.label for row in rows})}
    for row in rows:
        texts[row.label].add(row.key)
    single = [label for label, those in texts.items() if len(those) < 2]
    if single:
        print(
            f"left out the labels of one text each: {', '.join(single)}; a label needs two, one to "
            "learn it and one to test it",
            file=sys.stderr,
        )
    return [row for row in rows if row.label not in single]


def _check_labels(rows: list[Example], dataset: str) -> None:
    labels = sorted({each.label for each in rows})
    if len(labels) < 2:
        only = f" ({labels[0]})" if labels else ""
        raise UserError(
            f"{dataset} has {len(labels)} labels to learn{only}, but at least 2 are needed"
        )


def _check_others(parts: dict[str, list[Example]]) -> None:
    """Check that all labels are among those to learn."""
    labels = sorted({each.label for each in parts["train"]})
    for split in SPLITS[1:]:
        if other := next((row for row in parts.get(split, ()) if row.label not in labels), None):
            raise UserError(
                f"{other.place}, for {split}, has the label {other.label!r}, which is none of "
                f"those for training: {', '.join(labels)}"
            )
