"""A trained model again, whatever it was kept as."""

from pathlib import Path
from typing import Any

from zoo.errors import UserError
from zoo.exporting.description import is_export, read_description
from zoo.exporting.saved_model import restore_export
from zoo.plans import create, task_and_settings
from zoo.ready import find
from zoo.runs import Run, open_run
from zoo.task import Task
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings


def folder_of(what: Run | str | Path) -> Path:
    """The folder of a run, of an export, or of a ready-trained model that is named."""
    return what.path if isinstance(what, Run) else find(what)


def restore(what: Run | str | Path) -> tuple[SequenceModel, Task, Settings]:
    """A model with its best weights, its task and its settings.

    Raises:
        UserError: there is no such folder or name, or it cannot be read.
    """
    path = folder_of(what)
    if is_export(path):
        return restore_export(path)
    run = open_run(path)
    task, settings = task_and_settings(run.config, run.config_file)
    model = create(run.config["model"], **run.config["options"])
    try:
        model.load_weights(str(run.weights))
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"cannot read the checkpoint {run.weights}: {error}") from error
    return model, task, settings


def config_of(what: Run | str | Path) -> dict[str, Any]:
    """What was run to make a model."""
    path = folder_of(what)
    return read_description(path)["config"] if is_export(path) else open_run(path).config
