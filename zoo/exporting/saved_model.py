"""SavedModels that load with plain TensorFlow."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.errors import UserError
from zoo.exporting.description import (
    DESCRIPTION,
    EXAMPLES,
    read_description,
    write_description,
)
from zoo.plans import create, task_and_settings
from zoo.task import Task
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings


def write_saved_model(
    model: SequenceModel, task: Task, folder: Path, config: dict[str, Any]
) -> None:
    """Write a model with its task's pre- and post-processing as one SavedModel.

    `tf.saved_model.load(folder)` gives an object with the task's endpoints, `serve` among them (the
    `serving_default` signature), and for a recurrent model that is not conditional
    `initial_state(batch_size)` and `step(x_t, state) -> (y_t, state)`. Beside it lie
    `assets.extra/zoo.json`, which says what goes in, and `assets.extra/examples/`.

    Args:
        model: a built model.
        task: the task it was trained for.
        folder: where to write; nothing is there.
        config: the run's, from which the model can be built again; of it only `model` is needed
            to use the endpoints.

    Raises:
        OSError: it cannot be written.
    """
    endpoints = {**task.endpoints(model), **stepping(model)}
    module = tf.Module()
    # Plain variables: an object that tracks Keras' own would need Keras to load.
    module.variables_ = [variable.value for variable in model.variables]
    module.resources = task.resources()
    for endpoint, function in endpoints.items():
        setattr(module, endpoint, function)
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    _write_examples(folder / EXAMPLES, task)
    said = {
        "model": config["model"],
        "input": task.input_kind,
        "endpoints": sorted(endpoints),
        "options": task.input_options(),
        "config": _portable(config),
        "weights": [[variable.path, list(variable.shape)] for variable in model.variables],
    }
    write_description(folder, said)


def _portable(config: dict[str, Any]) -> dict[str, Any]:
    """A run's config without what holds on the machine only where it was trained."""
    if "task_config" not in config:
        return config
    return {**config, "task_config": {**config["task_config"], "data_dir": None}}


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


def _write_examples(folder: Path, task: Task) -> None:
    folder.mkdir(parents=True)
    for index, example in enumerate(task.examples()):
        _write_example(folder / str(index), example)


def _write_example(stem: Path, example: Any) -> None:
    if isinstance(example, str):
        stem.with_suffix(".txt").write_text(example, encoding="utf-8")
    elif isinstance(example, bytes):
        stem.with_suffix(".png").write_bytes(example)
    else:
        np.save(stem.with_suffix(".npy"), example)


def load_saved_model(path: Path) -> tuple[Any, dict[str, Any]]:
    """An export and its description, see `zoo.exporting.description`.

    Raises:
        UserError: it is not an export of the zoo, or damaged, or holds no SavedModel.
    """
    said = read_description(path)
    if not (path / "saved_model.pb").is_file():
        raise UserError(f"{path} holds no SavedModel: export the run with --format saved_model")
    try:
        loaded = tf.saved_model.load(str(path))
        if not hasattr(loaded, "serve"):
            raise ValueError("it does not say what it gives")
    except (ValueError, KeyError, TypeError, AttributeError, OSError, tf.errors.OpError) as error:
        raise damaged(path, error) from error
    return loaded, said


def restore_export(path: Path) -> tuple[SequenceModel, Task, Settings]:
    """The Keras model of an export, its task and its settings.

    They are built from the description, and the weights are read as numbers: nothing that lies in
    the export is run.

    Raises:
        UserError: as `load_saved_model`; or it was written without the run's config.
    """
    said = read_description(path)
    config, where = said.get("config", {}), path / DESCRIPTION
    task, settings = task_and_settings(config, where)
    model = create(config["model"], **config["options"])
    try:
        reader = tf.train.load_checkpoint(str(path / "variables" / "variables"))
        for index, variable in enumerate(model.variables):
            variable.assign(reader.get_tensor(f"variables_/{index}/.ATTRIBUTES/VARIABLE_VALUE"))
    except (ValueError, tf.errors.OpError) as error:
        raise damaged(path, error) from error
    return model, task, settings


def damaged(path: Path, error: Exception) -> UserError:
    """What to tell of an export that cannot be read."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return UserError(f"the export {path} is damaged: {reason}; export the run again")
