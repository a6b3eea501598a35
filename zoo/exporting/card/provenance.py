"""How a model was made: the command, the epochs, the time, the versions."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zoo.catalog.config import RunConfig
from zoo.exporting.checksums import CARD, read_card
from zoo.task import Task
from zoo.training.checkpoints import Checkpoints
from zoo.training.run import RunFolder

_LIBRARIES = ("tensorflow", "keras", "numpy", "sequence-zoo")


def training(config: RunConfig, task: Task, made_from: Path | None) -> dict[str, Any]:
    """Return how a model came to its weights.

    Args:
        config: the run's.
        task: of the model.
        made_from: the folder of the run, or of an export, whose card is asked.

    Returns:
        `command`, `seed`; and of a run that is there `epochs`, `seconds` of training and `curve`,
        a dict of metrics for each epoch.
    """
    made = {"command": config.without_paths().to_command(task), "seed": config.seed}
    if made_from and (made_from / CARD).is_file():
        known = read_card(made_from).get("training", {})
        return {**made, **{k: known[k] for k in ("epochs", "seconds", "curve") if k in known}}
    if not made_from or not RunFolder(made_from).metrics_file.is_file():
        return made
    run = RunFolder(made_from)
    newest, _ = Checkpoints(run.checkpoints).newest()
    curve = run.read_metrics()
    seconds = round(newest.position.seconds, 1) if newest else None
    return {**made, "epochs": len(curve), "seconds": seconds, "curve": curve}


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that a metric may depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}
