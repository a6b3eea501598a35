"""SavedModels that load with plain TensorFlow."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.catalog.config import RunConfig, made_task
from zoo.errors import UserError
from zoo.exporting.checksums import CARD, check_files
from zoo.exporting.endpoints import signature_of
from zoo.exporting.formats.graph_pruning import shrink
from zoo.exporting.formats.graph_safety import check_graph
from zoo.exporting.formats.warmup import write_warmup
from zoo.exporting.manifest import (
    EXAMPLES,
    MANIFEST,
    read_manifest,
    write_manifest,
)
from zoo.exporting.trained import Trained
from zoo.readers.modality import modality

UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    OSError,
    tf.errors.OpError,
)
"""What TensorFlow raises of a damaged SavedModel or checkpoint."""


def write_saved_model(trained: Trained, folder: Path) -> None:
    """Write a model with its task's pre- and post-processing as one SavedModel.

    `tf.saved_model.load(folder)` gives an object with the task's endpoints, `serve` among them, and
    those of `zoo.exporting.endpoints.numeric_endpoints`. Each is a signature, too, and `serve` is
    the `serving_default`. Beside it lie `assets.extra/zoo.json`, which says what goes in,
    `assets.extra/examples/`, and of these the requests that warm TensorFlow Serving up.

    Args:
        trained: the model and its task.
        folder: where to write; nothing is there.

    Raises:
        OSError: it cannot be written.
    """
    model, task, config = trained.model, trained.task, trained.config
    endpoints = {**trained.endpoints, **trained.numeric}
    module = tf.Module()
    # Plain variables: an object that tracks Keras' own would need Keras to load.
    module.variables_ = [variable.value for variable in model.variables]
    module.resources = task.resources()
    for endpoint, function in endpoints.items():
        setattr(module, endpoint, function)
    signatures = {name: signature_of(function) for name, function in endpoints.items()}
    signatures["serving_default"] = signatures["serve"]
    # Gradients are of no use to those who call it, and take a fifth of the file.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(folder), signatures, options)
    shrink(folder)
    examples = task.examples()
    (folder / EXAMPLES).mkdir(parents=True)
    for index, example in enumerate(examples):
        modality(task.input_kind).write(folder / EXAMPLES / str(index), example)
    write_warmup(folder, signatures["serve"].function_spec.arg_names[0], examples)
    manifest = {
        "model": config.model,
        "input": task.input_kind,
        "endpoints": sorted(endpoints),
        "recurrent": model.recurrent,
        # Before, `forward` and `step` took what the task had prepared.
        "raw": True,
        "options": task.input_options(),
        "config": config.portable().to_json(),
    }
    write_manifest(folder, manifest)


def load_saved_model(
    path: Path, manifest: dict[str, Any] | None = None
) -> tuple[Any, dict[str, Any]]:
    """Load an export, and read its manifest, see `zoo.exporting.manifest`.

    Args:
        path: of the export.
        manifest: what `read_manifest` gives, where it was read before.

    Raises:
        UserError: it is not an export of the zoo, or damaged, or holds no SavedModel, or one whose
            graph reaches outside of TensorFlow, see `zoo.exporting.formats.graph_safety`.
    """
    manifest = read_checked(path, manifest)
    if not (path / "saved_model.pb").is_file():
        raise UserError(f"{path} holds no SavedModel: export the run with --format saved_model")
    check_graph(path)
    try:
        loaded = tf.saved_model.load(str(path))
        if not hasattr(loaded, "serve"):
            raise ValueError("it does not say what it gives")
    except UNREADABLE as error:
        raise damaged(path, error) from error
    return loaded, manifest


def restore_export(path: Path, manifest: dict[str, Any] | None = None) -> Trained:
    """Read the Keras model of an export, with its task, settings and config.

    They are built from the manifest, and the weights are read as numbers: nothing that lies in
    the export is run.

    Args:
        path: of the export.
        manifest: what `read_manifest` gives, where it was read before.

    Raises:
        UserError: as `load_saved_model`; or it was written without the run's config.
    """
    where = path / MANIFEST
    config = RunConfig.from_json(read_checked(path, manifest)["config"], where)
    task, model = made_task(config, where), config.make_model()
    try:
        reader = tf.train.load_checkpoint(str(path / "variables" / "variables"))
        for index, variable in enumerate(model.variables):
            variable.assign(reader.get_tensor(f"variables_/{index}/.ATTRIBUTES/VARIABLE_VALUE"))
    except UNREADABLE as error:
        raise damaged(path, error) from error
    return Trained(model, task, config)


def read_checked(path: Path, manifest: dict[str, Any] | None = None) -> dict[str, Any]:
    """Read the manifest of an export whose files have the checksums of its card, if it has one.

    Args:
        path: of the export.
        manifest: what `read_manifest` gives, where it was read before: it is not read again.

    Raises:
        UserError: it is not an export of the zoo, or a file of it is damaged.
    """
    manifest = read_manifest(path) if manifest is None else manifest
    if (path / CARD).is_file():
        check_files(path)
    return manifest


def damaged(path: Path, error: Exception) -> UserError:
    """Return what to tell of an export that cannot be read."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return UserError(f"the export {path} is damaged: {reason}; export the run again")
