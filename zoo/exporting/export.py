"""A trained model in every form that people deploy, written whole or not at all."""

import tempfile
from pathlib import Path
from typing import Any

from zoo.errors import UserError
from zoo.exporting.description import is_export
from zoo.exporting.saved_model import write_saved_model
from zoo.task import Task
from zoo.topologies.base import SequenceModel


def write_export(
    model: SequenceModel,
    task: Task,
    config: dict[str, Any],
    path: Path,
    overwrite: bool = False,
) -> None:
    """Write an export beside its place, and move it there when it is whole.

    Args:
        model: a built model.
        task: the task it was trained for.
        config: the run's.
        path: the folder to write.
        overwrite: replace the export that is there.

    Raises:
        UserError: the path exists and `overwrite` is false, or cannot be written.
    """
    check_target(path, overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            whole = Path(scratch) / "model"
            write_saved_model(model, task, whole, config)
            if path.exists():
                # The old one stays whole until the new one is; then it goes with the scratch.
                path.rename(Path(scratch) / "old")
            whole.rename(path)
    except OSError as error:
        raise UserError(f"cannot write the export to {path}: {error.strerror}") from error


def check_target(path: Path, overwrite: bool) -> None:
    """Refuse a path that exists, unless it is an export that may be replaced."""
    if path.exists() and not overwrite:
        raise UserError(f"{path} exists already: pass --overwrite to replace it")
    if path.exists() and (path.is_symlink() or not is_export(path)):
        raise UserError(f"{path} exists and is no export of the zoo: choose another path")
