"""Find, prepare and read data sets by name."""

import difflib
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds
from filelock import FileLock

from zoo.errors import UserError
from zoo.registry import unknown
from zoo.utils.files import data_folder
from zoo.utils.validation import reason


def load_split(
    name: str, split: str, data_dir: str | None, features: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    """Return a split of a data set as a list of examples, each a dict of numpy values.

    Args:
        name: as tensorflow-datasets knows it, such as `digits` or `cldr_phrases/en-fr`. The
            module that defines a bundled one must have been imported.
        split: "train", "validation" or "test", also cut to its first examples as "test[:3]". For
            each of the last two that a data set lacks, "train" gives up a tenth, from its end.
        data_dir: folder of prepared data sets; None for tensorflow-datasets' default.
        features: what each example must have.

    Raises:
        UserError: no such data set, or it would have to be downloaded first, or the folder cannot
            be written or read, or it lacks one of the features, or has too few examples.
    """
    return list(iterate_split(name, split, data_dir, features))


def iterate_split(
    name: str,
    split: str,
    data_dir: str | None,
    features: tuple[str, ...] = (),
    decoders: Any = None,
) -> Iterator[dict[str, Any]]:
    """Yield the examples of `load_split` one by one, for a split that would not fit into memory.

    `decoders` says what to leave as it is stored, see `tfds.decode`.
    """
    builder = prepared(name, data_dir)
    if missing := [feature for feature in features if feature not in builder.info.features]:
        raise UserError(
            f"the data set {name} has {', '.join(builder.info.features)}: choose one that has "
            f"{' and '.join(missing)}"
        )
    wanted = part_of(split, builder.info.splits)
    # What fits into memory would otherwise be kept there.
    config = tfds.ReadConfig(try_autocache=False)
    try:
        examples = builder.as_dataset(
            split=wanted, shuffle_files=False, read_config=config, decoders=decoders
        )
        yield from examples.as_numpy_iterator()
    except (ValueError, tf.errors.OpError, OSError, AssertionError) as error:
        raise UserError(
            f"cannot read {split} of the data set {name} in {builder.data_dir}: "
            f"{str(error).splitlines()[0]}"
        ) from error


def count_examples(name: str, split: str, data_dir: str | None) -> int:
    """Return how many examples `load_split` returns.

    Raises:
        UserError: as `load_split`.
    """
    splits = prepared(name, data_dir).info.splits
    try:
        return splits[part_of(split, splits)].num_examples
    except (ValueError, KeyError) as error:
        raise UserError(f"the data set {name} has no {split}: {error}") from error


def part_of(split: str, available: Any) -> str:
    """Return the tensorflow-datasets slice of a split, by ids, as no slice can be cut again."""
    if "validation" not in available and "val" in available:
        split = split.replace("validation", "val")
        available = {**available, "validation": available["val"]}
    name, _, first = split.removesuffix("]").partition("[:")
    lacking = [part for part in ("validation", "test") if part not in available]
    if "train" not in available or (name not in lacking and name != "train") or not lacking:
        return split
    count = available["train"].num_examples
    tenth = max(1, count // 10)
    parts = ["train", *lacking]
    start = 0 if name == "train" else count - tenth * (len(parts) - parts.index(name))
    end = count - tenth * len(lacking) if name == "train" else start + tenth
    if first:
        end = min(end, start + int(first))
    return f"train[{start}:{end}]"


def prepared(name: str, data_dir: str | None) -> tfds.core.DatasetBuilder:
    """Return the builder of a data set that is ready to be read.

    One that is bundled, or offered under the entry-point group `zoo.datasets`, is generated if need
    be.

    Raises:
        UserError: there is none of that name, or it cannot be read, generated or written.
    """
    folder = data_folder(data_dir)
    short = name.partition("/")[0]
    if short not in tfds.list_builders(with_community_datasets=False):
        _import_builders(short)
    try:
        builder = tfds.builder(name, data_dir=folder)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        raise UserError(_unknown_data_set(name)) from error
    except Exception as error:
        raise UserError(f"cannot read the data set {name} in {folder}: {error}") from error
    if Path(builder.data_dir).is_dir():
        return builder
    ours = type(builder).__module__.startswith("tasks.")
    if not ours and short not in _offered():
        raise UserError(
            f"the data set {name} is not prepared in {folder}: run `tfds build {name} "
            f"--data_dir {folder}` where there is a network, or give --data-dir"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Standard output is for answers; another process may be generating it, too.
        with FileLock(folder / f"{short}.lock"), redirect_stdout(sys.stderr):
            builder = tfds.builder(name, data_dir=folder)
            builder.download_and_prepare()
    except OSError as error:
        raise UserError(
            f"cannot write the data set {name} to {folder}: {error.strerror or error}; "
            "choose another --data-dir"
        ) from error
    return builder


def _import_builders(name: str) -> None:
    """Import the modules that define a data set, which makes it known to tensorflow-datasets.

    Raises:
        UserError: a package offers it that cannot be imported.
    """
    # A task knows its own; each may be asked for those of the others.
    for path in sorted(Path(__file__).parents[1].glob("*/dataset.py")):
        import_module(f"tasks.{path.parent.name}.dataset")
    if point := _offered().get(name):
        try:
            point.load()
        except Exception as error:
            raise UserError(
                f"the data set {name} of {point.value} cannot be imported: "
                f"{type(error).__name__} {reason(error)}"
            ) from error


def _offered() -> dict[str, EntryPoint]:
    """Return the data sets of other packages by name, none of them imported."""
    return {point.name: point for point in entry_points(group="zoo.datasets")}


def _unknown_data_set(name: str) -> str:
    """Return a message with the nearest names, or else with what is accepted."""
    known = [*tfds.list_builders(with_community_datasets=False), *_offered()]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if near:
        return unknown("data set", name, near)
    return f"unknown data set {name!r}: give the name of one in tensorflow-datasets, or a path"


def class_names(name: str, data_dir: str | None) -> list[str]:
    """Return the names of a data set's labels, in the order of their ids.

    Raises:
        UserError: as `load_split`, or the data set has no class labels.
    """
    features = prepared(name, data_dir).info.features
    label = features["label"] if "label" in features else None  # noqa: SIM401  has no get
    if not isinstance(label, tfds.features.ClassLabel):
        raise UserError(f"the data set {name} has no class labels: choose one that has `label`")
    return list(label.names)


class NamedClasses:
    """A tensorflow-datasets set with labels.

    Args:
        name: of it.
        data_dir: folder of prepared data sets.
    """

    def __init__(self, name: str, data_dir: str | None) -> None:
        self.name, self.data_dir = name, data_dir

    @property
    def classes(self) -> list[str]:
        """Return the names of the labels."""
        return class_names(self.name, self.data_dir)


def check_classes(classes: list[str], name: str, data_dir: str | None) -> None:
    """Check that a data set's labels mean the classes that a model knows.

    Raises:
        UserError: they do not.
    """
    names = class_names(name, data_dir)
    if names != list(classes):
        raise UserError(
            f"the data set {name} has the classes {', '.join(names)}, but the model knows "
            f"{', '.join(classes)}"
        )


def likeliest(classes: Sequence[str], logits: Any) -> dict[str, Any]:
    """Return the likeliest class of each row of `logits` `[N, classes]`, and all probabilities.

    Returns:
        `text` and `probability` `[N]`; `labels` and `probabilities` `[N, classes]`, the likeliest
        first.

    Example:
        >>> answers = likeliest(["no", "yes"], tf.constant([[0.0, 100.0]]))
        >>> answers["text"].numpy().tolist(), answers["labels"].numpy().tolist()
        ([b'yes'], [[b'yes', b'no']])
        >>> answers["probabilities"].numpy().tolist()
        [[1.0, 0.0]]
    """
    probabilities, order = tf.math.top_k(tf.nn.softmax(tf.cast(logits, tf.float32)), len(classes))
    labels = tf.gather(tf.constant(list(classes)), order)
    return {
        "text": labels[:, 0],
        "probability": probabilities[:, 0],
        "labels": labels,
        "probabilities": probabilities,
    }
