"""Finds, prepares and reads data sets by name."""

import os
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds

from zoo.errors import UserError
from zoo.registry import unknown


def load_split(name: str, split: str, data_dir: str | None) -> list[dict[str, Any]]:
    """A split of a data set as a list of examples, each a dict of numpy values.

    Args:
        name: as tensorflow-datasets knows it, such as `digits` or `cldr_phrases/en-fr`. The
            module that defines a bundled one must have been imported.
        split: "train", "validation" or "test"; a data set without "validation" gives up the last
            tenth of "train" for it.
        data_dir: folder of prepared data sets; None for tensorflow-datasets' default.

    Raises:
        UserError: no such data set, or it would have to be downloaded first, or the folder cannot
            be written.
    """
    builder = prepared(name, data_dir)
    have_validation = "validation" in builder.info.splits
    if not have_validation and split == "validation":
        split = "train[90%:]"
    elif not have_validation and split == "train":
        split = "train[:90%]"
    return list(builder.as_dataset(split=split, shuffle_files=False).as_numpy_iterator())


def prepared(name: str, data_dir: str | None) -> tfds.core.DatasetBuilder:
    """The builder of a data set that is ready to be read; a bundled one is generated if need be."""
    folder = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    try:
        builder = tfds.builder(name, data_dir=os.path.expanduser(folder))
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        raise UserError(unknown("data set", name, tfds.list_builders())) from error
    if Path(builder.data_dir).is_dir():
        return builder
    if not type(builder).__module__.startswith("tasks."):
        raise UserError(
            f"the data set {name} is not prepared in {folder}: run `tfds build {name} "
            f"--data_dir {folder}` where there is a network, or give --data-dir"
        )
    try:
        builder.download_and_prepare()
    except OSError as error:
        raise UserError(
            f"cannot write the data set {name} to {folder}: {error.strerror or error}; "
            "choose another --data-dir"
        ) from error
    return builder


def class_names(name: str, data_dir: str | None) -> list[str]:
    """The names of a data set's labels, in the order of their ids.

    Raises:
        UserError: as `load_split`, or the data set has no class labels.
    """
    features = prepared(name, data_dir).info.features
    label = features["label"] if "label" in features else None  # noqa: SIM401  has no get
    if not isinstance(label, tfds.features.ClassLabel):
        raise UserError(f"the data set {name} has no class labels: choose one that has `label`")
    return list(label.names)


def likeliest(classes: list[str], logits: Any) -> dict[str, Any]:
    """`text`, the likeliest class of each row of `logits` `[N, classes]`, and its `probability`.

    Example:
        >>> likeliest(["no", "yes"], tf.constant([[0.0, 100.0]]))["text"].numpy()
        array([b'yes'], dtype=object)
    """
    probabilities = tf.nn.softmax(logits)
    return {
        "text": tf.gather(tf.constant(classes), tf.argmax(probabilities, axis=-1)),
        "probability": tf.reduce_max(probabilities, axis=-1),
    }
