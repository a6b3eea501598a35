"""SavedModels that load with plain TensorFlow."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.errors import UserError
from zoo.inputs import KINDS
from zoo.task import Task
from zoo.topologies.base import SequenceModel

DESCRIPTION = Path("assets.extra") / "zoo.json"
EXAMPLES = Path("assets.extra") / "examples"


def export_saved_model(
    model: SequenceModel, task: Task, path: str | Path, name: str, overwrite: bool = False
) -> Path:
    """Write a model with its task's pre- and post-processing as one SavedModel.

    `tf.saved_model.load(path)` gives an object with the task's endpoints, `serve` among them (the
    `serving_default` signature), and for a recurrent model that is not conditional
    `initial_state(batch_size)` and `step(x_t, state) -> (y_t, state)`. Beside it lie
    `assets.extra/zoo.json`, which says what goes in, and `assets.extra/examples/`.

    Args:
        model: a built model.
        task: the task it was trained for.
        path: the folder to write.
        name: the model's name in the catalog.
        overwrite: replace what is there.

    Returns:
        The path.

    Raises:
        UserError: the path exists and `overwrite` is false, or cannot be written.
    """
    path = Path(path)
    check_target(path, overwrite)
    endpoints = task.endpoints(model)
    module = tf.Module()
    # Plain variables: an object that tracks Keras' own would need Keras to load.
    module.variables_ = [variable.value for variable in model.variables]
    module.resources = task.resources()
    for endpoint, function in {**endpoints, **stepping(model)}.items():
        setattr(module, endpoint, function)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            whole = Path(scratch) / "model"
            tf.saved_model.save(module, str(whole), signatures={"serving_default": module.serve})
            _write_extras(whole, task, name, sorted({*endpoints, *stepping(model)}))
            if path.exists():
                # The old one stays whole until the new one is; then it goes with the scratch.
                path.rename(Path(scratch) / "old")
            whole.rename(path)
    except OSError as error:
        raise UserError(f"cannot write the export to {path}: {error.strerror}") from error
    return path


def check_target(path: Path, overwrite: bool) -> None:
    """Refuse a path that exists, unless it is an export that may be replaced."""
    if path.exists() and not overwrite:
        raise UserError(f"{path} exists already: pass --overwrite to replace it")
    if path.exists() and (path.is_symlink() or not (path / DESCRIPTION).is_file()):
        raise UserError(f"{path} exists and is no export of the zoo: choose another path")


def stepping(model: SequenceModel) -> dict[str, Any]:
    """`initial_state` and `step` as functions of any batch size; none where they say nothing."""
    if not (model.recurrent and model.steppable) or model.conditional:
        return {}

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32)])
    def initial_state(batch_size: Any) -> Any:
        return _plain(model.initial_state(batch_size))

    inputs = model.example_inputs(1, 1)
    inputs = inputs[model.sequence] if model.sequence else inputs
    x_spec = tf.TensorSpec([None, *inputs.shape[2:]], inputs.dtype)

    @tf.function(input_signature=[x_spec, state_signature(model)])
    def step(x_t: Any, state: Any) -> Any:
        state = tf.nest.pack_sequence_as(model.initial_state(1), tf.nest.flatten(state))
        y, state = model.step(x_t, state)
        return y, _plain(state)

    return {"initial_state": initial_state, "step": step}


def state_signature(model: SequenceModel) -> list[tf.TensorSpec]:
    """What an endpoint takes and gives for a state, of any batch size: a flat list of its parts."""
    parts = _plain(model.initial_state(1))
    return [tf.TensorSpec([None, *part.shape[1:]], part.dtype) for part in parts]


def _plain(state: Any) -> list[Any]:
    """A state as one flat list: the named tuples of the cells are not known where it is loaded."""
    return tf.nest.flatten(state)


def _write_extras(folder: Path, task: Task, name: str, endpoints: list[str]) -> None:
    examples = folder / EXAMPLES
    examples.mkdir(parents=True)
    for index, example in enumerate(task.examples()):
        _write_example(examples / str(index), example)
    description: dict[str, Any] = {"model": name, "input": task.input_kind}
    description["endpoints"] = endpoints
    if options := task.input_options():
        description["options"] = options
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2), encoding="utf-8")


def _write_example(stem: Path, example: Any) -> None:
    if isinstance(example, str):
        stem.with_suffix(".txt").write_text(example, encoding="utf-8")
    elif isinstance(example, bytes):
        stem.with_suffix(".png").write_bytes(example)
    else:
        np.save(stem.with_suffix(".npy"), example)


def load_saved_model(path: str | Path) -> tuple[Any, dict[str, Any]]:
    """An export and its description: `model`, `input`, `endpoints`, `options` of the reading.

    Raises:
        UserError: it is not an export of the zoo, or damaged.
    """
    description = Path(path) / DESCRIPTION
    if not description.is_file():
        raise UserError(f"{path} is no export of the zoo: it has no {DESCRIPTION}")
    try:
        said = json.loads(description.read_text(encoding="utf-8"))
        loaded = tf.saved_model.load(str(path))
        if said["input"] not in KINDS or not hasattr(loaded, "serve"):
            raise ValueError("what it takes or gives is not known")
    except (ValueError, KeyError, TypeError, AttributeError, OSError, tf.errors.OpError) as error:
        raise UserError(
            f"the export {path} is damaged: {str(error).splitlines()[0]}; export the run again"
        ) from error
    return loaded, {"options": {}, **said}
