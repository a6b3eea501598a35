"""Where tagged sentences come from: a data set by name, or a person's own files."""

from functools import partial
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from tasks.common.data import load_split, prepared
from tasks.common.sources import open_source
from tasks.common.splits import RULE, name_without_split, split_named
from tasks.common.tables import hub_folder
from tasks.sequence_labelling.columns import Sentence, read_with
from tasks.sequence_labelling.json_sentences import TAGS, read_json_sentences
from tasks.sequence_labelling.layout import Layout, is_universal
from tasks.sequence_labelling.spans import to_bio
from zoo.errors import UserError
from zoo.readers.json_rows import LINES, holds_objects
from zoo.readers.parquet import PARQUET
from zoo.readers.shards import first_shards, unsharded_name

_ENDINGS = (
    ".conllu", ".conll", ".conllx", ".conll03", ".bio", ".iob", ".iob2", ".bioes", ".tsv", ".txt",
    *LINES, *PARQUET,
)  # fmt: skip


def read_sentences(
    dataset: str,
    data_dir: str | None,
    tag_column: str = "",
    word_column: str = "",
    rule: str = RULE,
) -> dict[str, list[Sentence]]:
    """Return the sentences of each split; tags of entities are in the BIO scheme, see `to_bio`.

    Where validation or test is lacking, a tenth of the sentences for training is taken for it;
    those of the same words stay together. See `tasks.common.splits.assign`.

    Args:
        dataset: a tensorflow-datasets name, or the path of a file or folder, see `find_files`.
        data_dir: folder of prepared data sets.
        tag_column: see `read_columns`; of a data set with `tokens`, the feature with the tags.
        word_column: see `read_columns`; of a data set by name, the feature with the words.
        rule: see `tasks.common.splits.tell_rule`.

    Raises:
        UserError: there is no such data set, it cannot be read, or has too few sentences.
    """
    parts = open_source(
        dataset,
        partial(_from_files, tag_column=tag_column, word_column=word_column),
        partial(_from_dataset, dataset, data_dir, tag_column, word_column or "tokens"),
        lambda each: "\n".join(each.words),
        "sentences",
        rule=rule,
    )
    return {
        split: [each._replace(tags=to_bio(each.tags)) for each in sentences]
        for split, sentences in parts.items()
    }


def find_files(path: Path) -> dict[str, Path]:
    """Return the file of each split.

    - A folder: the files whose names say so, such as `en_ewt-ud-train.conllu`, `train.conll.gz`,
      `eng.train` and `eng.testa`, see `tasks.common.splits`. A file called just so, such as
      `train.txt`, goes before any other, such as `training-notes.txt`. Where there are CoNLL-U
      files, no others are looked at.
    - A file for training: the same, in its folder, of those that are named as it is.
    - Any other file, or the only one of a folder: all of it is `train`.

    Of a table in shards it is the first of them, and of a folder of the Hugging Face hub it is
    looked for where `tasks.common.tables.hub_folder` says.

    Raises:
        UserError: none is for training, or several are for one split.
    """
    if path.is_dir():
        path = hub_folder(path)
        files = first_shards(sorted(path.iterdir()))
        return _among(path, [each for each in files if _may_hold(each)])
    if (part := _part(path)) is None:
        return {"train": path}
    if part != "train":
        raise UserError(f"{path} is by its name for {part}: give the file for training")
    files = first_shards(sorted(path.parent.iterdir()))
    return _among(path.parent, [file for file in files if _rest(file) == _rest(path)])


def _among(folder: Path, files: list[Path]) -> dict[str, Path]:
    if any(map(is_universal, files)):
        files = [file for file in files if is_universal(file)]
    if not any(map(_part, files)) and len(files) == 1:
        return {"train": files[0]}
    parts: dict[str, Path] = {}
    for file in files:
        if (part := _part(file)) is None:
            continue
        if part in parts and _is_exact(parts[part]) != _is_exact(file):
            parts[part] = file if _is_exact(file) else parts[part]
            continue
        if part in parts:
            raise UserError(
                f"{folder} has {parts[part].name} and {file.name} for {part}: give the file for "
                "training that is meant"
            )
        parts[part] = file
    if "train" not in parts:
        names = ", ".join(file.name for file in files[:3]) or "none"
        raise UserError(f"{folder} has no file for training, such as train.conllu: found {names}")
    return parts


def _may_hold(path: Path) -> bool:
    """Return whether a file's name is one of columns: by its ending, or as `eng.train` is."""
    name = path.name.lower().removesuffix(".gz")
    ends = name.endswith(_ENDINGS) or bool(split_named(name.rpartition(".")[2]))
    return path.is_file() and not name.startswith(".") and ends


def _part(path: Path) -> str | None:
    return split_named(path.name)


def _is_exact(path: Path) -> bool:
    """Return whether a name says the part and nothing else, but for its ending."""
    return _rest(path).partition(".")[0] == "*"


def _rest(path: Path) -> str:
    """Return a file's name without what says its part, or its shard, and without `.gz`."""
    return name_without_split(unsharded_name(path)).removesuffix(".gz")


def _from_files(path: Path, tag_column: str, word_column: str) -> dict[str, list[Sentence]]:
    files = find_files(path)
    parts: dict[str, list[Sentence]] = {}
    layout: Layout | None = None
    # What stands where is decided once, on the largest part.
    for split, file in {"train": files["train"], **files}.items():
        if holds_objects(file):
            parts[split] = read_json_sentences(file, tag_column, word_column)
        else:
            parts[split], layout = read_with(file, tag_column, word_column, layout)
    return parts


def _from_dataset(
    name: str, data_dir: str | None, tag_column: str, word: str, split: str
) -> list[Sentence]:
    features = prepared(name, data_dir).info.features
    tag = tag_column or next((key for key in TAGS if key in features), "tags")
    examples = load_split(name, split, data_dir, (word, tag))
    names = _class_names(features[tag])
    return [
        Sentence(
            [each.decode() for each in example[word]],
            [names[each] if names else each.decode() for each in example[tag]],
            f"example {number} of {split} of {name}",
        )
        for number, example in enumerate(examples, start=1)
        if len(example[word])
    ]


def _class_names(feature: Any) -> list[str] | None:
    inner = getattr(feature, "feature", None)
    return inner.names if isinstance(inner, tfds.features.ClassLabel) else None
