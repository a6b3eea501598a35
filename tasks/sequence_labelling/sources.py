"""Where tagged sentences come from: a data set by name, or a person's own files."""

import re
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from tasks.common.data import load_split, numbered, prepared
from tasks.sequence_labelling.columns import Sentence, is_universal, read_columns
from tasks.sequence_labelling.spans import to_bio
from zoo.errors import UserError

SPLITS = ("train", "validation", "test")
_PARTS = {
    "train": r"train(ing)?",
    "validation": r"dev(el)?|val(id|idation)?|testa",
    "test": r"test|testb",
}
_ENDINGS = (".conllu", ".conll", ".conll03", ".bio", ".iob", ".iob2", ".bioes", ".tsv", ".txt")
_TAGS = ("tags", "ner", "ner_tags", "upos", "pos", "labels")


def read_sentences(
    dataset: str, data_dir: str | None, column: str = ""
) -> dict[str, list[Sentence]]:
    """The sentences of each split; tags of entities are in the BIO scheme, see `to_bio`.

    Args:
        dataset: a tensorflow-datasets name, or the path of a file or folder, see `find_files`.
        data_dir: folder of prepared data sets.
        column: see `read_columns`; of a data set with `tokens`, the feature that holds the tags.

    Raises:
        UserError: there is no such data set, it cannot be read, or has too few sentences.
    """
    path = Path(dataset)
    meant = path.is_absolute() or path.suffix.lower() in (*_ENDINGS, ".gz")
    if path.exists() or meant:
        read = _from_files(path, column)
    else:
        read = {split: _from_dataset(dataset, split, data_dir, column) for split in SPLITS}
    return {
        split: [each._replace(tags=to_bio(each.tags)) for each in sentences]
        for split, sentences in read.items()
    }


def find_files(path: Path) -> dict[str, Path]:
    """The file of each split.

    - A folder: the files whose names say so, such as `en_ewt-ud-train.conllu`, `train.conll.gz` or
      `eng.train`; for validation `dev`, `devel`, `val`, `valid`, `validation` or `testa`, for the
      test `test` or `testb`. A file called just so, such as `train.txt`, goes before any other,
      such as `training-notes.txt`. Where there are CoNLL-U files, no others are looked at.
    - A file for training: the same, in its folder, of those that are named as it is.
    - Any other file, or the only one of a folder: all of it is `train`.

    For what is not found, `train` gives up a tenth each; sentences of the same words stay together.

    Raises:
        UserError: there is no such file, none is for training, or several are for one split.
    """
    if not path.exists():
        raise UserError(f"there is no file {path}")
    if path.is_dir():
        return _among(path, [each for each in sorted(path.iterdir()) if _may_hold(each)])
    if (part := _part(path)) is None:
        return {"train": path}
    if part != "train":
        raise UserError(f"{path} is by its name for {part}: give the file for training")
    files = sorted(path.parent.iterdir())
    return _among(path.parent, [file for file in files if _rest(file) == _rest(path)])


def _among(folder: Path, files: list[Path]) -> dict[str, Path]:
    if any(map(is_universal, files)):
        files = [file for file in files if is_universal(file)]
    if not any(map(_part, files)) and len(files) == 1:
        return {"train": files[0]}
    found: dict[str, Path] = {}
    for file in files:
        if (part := _part(file)) is None:
            continue
        if part in found and _is_exact(found[part]) != _is_exact(file):
            found[part] = file if _is_exact(file) else found[part]
            continue
        if part in found:
            raise UserError(
                f"{folder} has {found[part].name} and {file.name} for {part}: give the file for "
                "training that is meant"
            )
        found[part] = file
    if "train" not in found:
        names = ", ".join(file.name for file in files[:3]) or "none"
        raise UserError(f"{folder} has no file for training, such as train.conllu: found {names}")
    return found


def _may_hold(path: Path) -> bool:
    """Whether a file's name is one of columns: by its ending, or as `eng.train` is."""
    name = path.name.lower().removesuffix(".gz")
    ends = name.endswith(_ENDINGS) or bool(_part(Path(name.rpartition(".")[2])))
    return path.is_file() and not name.startswith(".") and ends


def _part(path: Path) -> str | None:
    for split, words in _PARTS.items():
        if re.search(_alone(words), path.name.lower()):
            return split
    return None


def _is_exact(path: Path) -> bool:
    """Whether a name says the part and nothing else, but for its ending."""
    return _rest(path).partition(".")[0] == "*"


def _rest(path: Path) -> str:
    """A file's name without what says its part, and without `.gz`."""
    return re.sub(_alone("|".join(_PARTS.values())), "*", path.name.lower().removesuffix(".gz"))


def _alone(words: str) -> str:
    return rf"(?<![a-z])(?:{words})(?![a-z])"


def _from_files(path: Path, column: str) -> dict[str, list[Sentence]]:
    read = {split: read_columns(file, column) for split, file in find_files(path).items()}
    lacking = [split for split in SPLITS[1:] if split not in read]
    whole = read["train"]
    numbers = numbered(tuple(each.words) for each in whole)
    if lacking and max(numbers) < 9:
        raise UserError(
            f"{path} has {max(numbers) + 1} different sentences, but at least 10 are needed where "
            f"no files are named for {' and '.join(lacking)}; a blank line ends each"
        )
    # Of every ten different ones the ninth is for validation, the tenth for the test.
    places = {7 + SPLITS.index(split): split for split in lacking}
    cut: dict[str, list[Sentence]] = {split: [] for split in ("train", *lacking)}
    for number, each in zip(numbers, whole):
        cut[places.get(number % 10, "train")].append(each)
    return {**read, **cut}


def _from_dataset(name: str, split: str, data_dir: str | None, column: str) -> list[Sentence]:
    features = prepared(name, data_dir).info.features
    tag = column or next((key for key in _TAGS if key in features), "tags")
    examples = load_split(name, split, data_dir, ("tokens", tag))
    names = _class_names(features[tag])
    return [
        Sentence(
            [word.decode() for word in example["tokens"]],
            [names[tag] if names else tag.decode() for tag in example[tag]],
            f"example {number} of {split} of {name}",
        )
        for number, example in enumerate(examples, start=1)
        if len(example["tokens"])
    ]


def _class_names(feature: Any) -> list[str] | None:
    inner = getattr(feature, "feature", None)
    return inner.names if isinstance(inner, tfds.features.ClassLabel) else None
