"""Where texts and their labels come from: a data set by name, or a person's own files."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from tasks.common.data import load_split, prepared
from tasks.text_classification.table import LABEL, TEXT, Example, read_table
from zoo.errors import UserError
from zoo.readers.text import read_text_file
from zoo.utils.progress import progress

SPLITS = ("train", "validation", "test")
_CALLED = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
_ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_UNLABELLED = {"unsup", "unsupervised"}


def read_texts(
    dataset: str, data_dir: str | None, text_column: str = "", label_column: str = ""
) -> dict[str, list[Example]]:
    """The labelled texts of each split.

    Where nothing says which texts are for validation or for the test, a tenth of those for
    training is taken, of each label alike; equal texts stay together. Of each label one text is
    kept for training, a second one is for the test, a third one for validation, and so on, of each
    ten. Texts and labels that are empty are left out, and it is said how many.

    Args:
        dataset: a tensorflow-datasets name; a `.csv` or `.tsv` file, see `read_table`, which may
            have a column `split`; a folder of such files called `train.csv` and so on; or a folder
            of folders of `.txt` files, one folder a label, at its top or in folders called `train`
            and so on, as those of aclImdb.
        data_dir: folder of prepared data sets.
        text_column: the column, or the feature, that holds the texts; "" for the usual names.
        label_column: likewise.

    Raises:
        UserError: there is no such data set, it cannot be read, has fewer than two labels or too
            few texts, or texts for the test have a label that is not among those for training.
    """
    path = Path(dataset)
    if path.exists() or path.is_absolute() or path.name.lower().endswith(_ENDINGS):
        found = _from_path(path, text_column, label_column)
    else:
        found = _from_dataset(dataset, data_dir, text_column, label_column)
    found = _complete({split: _whole(rows, split) for split, rows in found.items()})
    _check_labels(found, dataset)
    return found


def _from_path(path: Path, text: str, label: str) -> dict[str, list[Example]]:
    if not path.exists():
        raise UserError(f"there is no file or folder {path}")
    if path.is_file():
        return _by_split(read_table(path, text, label))
    tables = {
        _CALLED[stem]: file
        for file in sorted(path.iterdir())
        if (stem := file.name.partition(".")[0].lower()) in _CALLED
        and file.name.lower().endswith(_ENDINGS)
    }
    folders = {
        _CALLED[inner.name.lower()]: inner
        for inner in sorted(path.iterdir())
        if inner.is_dir() and inner.name.lower() in _CALLED
    }
    if tables:
        found = {split: read_table(file, text, label) for split, file in tables.items()}
    elif folders:
        found = {split: _from_folders(inner) for split, inner in folders.items()}
    else:
        found = {"train": _from_folders(path)}
    if "train" not in found:
        raise UserError(f"{path} has {', '.join(found)}, but nothing called train")
    return found


def _by_split(rows: list[Example]) -> dict[str, list[Example]]:
    """Rows by what their column `split` says, all for training if there is none."""
    found: dict[str, list[Example]] = {}
    for row in rows:
        if row.split and row.split not in _CALLED:
            raise UserError(
                f"{row.place} has the split {row.split!r}, but train, validation or test is needed"
            )
        found.setdefault(_CALLED.get(row.split, "train"), []).append(row)
    return {"train": [], **found}


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
        raise UserError(
            f"{folder} has no folders of .txt files, one folder a label, and no train.csv or "
            "train.tsv: give a folder that has, or a .csv or .tsv file"
        )
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


def _read(file: Path) -> str:
    """A file's text. A blank one is left out later like any other, not refused."""
    return read_text_file(file).strip() if file.read_bytes().strip() else ""


def _from_dataset(
    name: str, data_dir: str | None, text: str, label: str
) -> dict[str, list[Example]]:
    info = prepared(name, data_dir).info
    text = text or next((key for key in TEXT if key in info.features), TEXT[0])
    label = label or next((key for key in LABEL if key in info.features), LABEL[0])
    found = {}
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
            found[split] = rows
    return {"train": [], **found}


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
    """Those with a text and a label."""
    kept = [row for row in rows if row.text and row.label]
    if len(kept) < len(rows):
        first = next(row for row in rows if not (row.text and row.label))
        print(
            f"left out {sum(not row.text for row in rows)} empty texts and "
            f"{sum(bool(row.text and not row.label) for row in rows)} texts without a label of "
            f"{split}, the first one at {first.place}",
            file=sys.stderr,
        )
    return kept


def _complete(found: dict[str, list[Example]]) -> dict[str, list[Example]]:
    """All three splits."""
    lacking = [split for split in SPLITS[1:] if not found.get(split)]
    if not lacking:
        return found
    whole = _without_single(found["train"])
    # Of each label the second of ten texts is for the test, the third for validation.
    places = {split: {"test": 1, "validation": 2}[split] for split in lacking}
    seen: Counter[str] = Counter()
    place: dict[str, int] = {}
    for row in whole:
        if row.text not in place:
            place[row.text] = seen[row.label] % 10
            seen[row.label] += 1
    cut = {split: [row for row in whole if place[row.text] == n] for split, n in places.items()}
    kept = [row for row in whole if place[row.text] not in places.values()]
    return {**found, **cut, "train": kept}


def _without_single(rows: list[Example]) -> list[Example]:
    """Those whose label has another text, too: one alone cannot be both learned and tested."""
    texts: dict[str, set[str]] = {label: set() for label in sorted({row.label for row in rows})}
    for row in rows:
        texts[row.label].add(row.text)
    single = [label for label, those in texts.items() if len(those) < 2]
    if single:
        print(
            f"left out the labels of one text each: {', '.join(single)}; a label needs two, one to "
            "learn it and one to test it",
            file=sys.stderr,
        )
    return [row for row in rows if row.label not in single]


def _check_labels(found: dict[str, list[Example]], dataset: str) -> None:
    labels = sorted({each.label for each in found["train"]})
    if len(labels) < 2:
        only = f" ({labels[0]})" if labels else ""
        raise UserError(
            f"{dataset} has {len(labels)} labels to learn{only}, but at least 2 are needed"
        )
    for split in SPLITS[1:]:
        if not found[split]:
            raise UserError(
                f"{dataset} has no texts for {split}, and too few to take some from those for "
                "training: at least one label needs three different texts"
            )
        if other := next((row for row in found[split] if row.label not in labels), None):
            raise UserError(
                f"{other.place}, for {split}, has the label {other.label!r}, which is none of "
                f"those for training: {', '.join(labels)}"
            )
