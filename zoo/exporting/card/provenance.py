"""How a model was made: the command, the epochs, the time, the versions."""

import csv
import json
import platform
import shlex
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zoo import registry
from zoo.catalog import describe
from zoo.exporting.checksums import CARD, read_card
from zoo.task import Task
from zoo.training.checkpoints import Checkpoints
from zoo.training.run import Run

_LIBRARIES = ("tensorflow", "keras", "numpy", "sequence-zoo")
_OPTIONS = ("epochs", "steps", "minutes", "cell")
"""What `zoo fit` has options of its own for."""


def training(config: dict[str, Any], task: Task, made_from: Path | None) -> dict[str, Any]:
    """How a model came to its weights.

    Args:
        config: the run's.
        task: of the model.
        made_from: the folder of the run, or of an export, whose card is asked.

    Returns:
        `command`, `seed`; and of a run that is there `epochs`, `seconds` of training and `curve`,
        a dict of figures for each epoch.
    """
    told: dict[str, Any] = {"command": command(config, task), "seed": config["seed"]}
    if made_from and (made_from / CARD).is_file():
        known = read_card(made_from).get("training", {})
        return {**told, **{k: known[k] for k in ("epochs", "seconds", "curve") if k in known}}
    if not made_from or not Run(made_from).metrics.is_file():
        return told
    run = Run(made_from)
    newest, _ = Checkpoints(run.checkpoints).newest()
    curve = _curve(run.metrics)
    seconds = round(newest.position.seconds, 1) if newest else None
    return {**told, "epochs": len(curve), "seconds": seconds, "curve": curve}


def command(config: dict[str, Any], task: Task) -> str:
    """The `zoo fit` that trains a model like this, with all that differs from its defaults."""
    known = describe(config["model"])
    # What has no default is learned from the data, too.
    empty = {key for key, default in known["task_options"].items() if default is None}
    learned = {"dataset", "data_dir", *empty, *task.vocabularies, *task.outcomes, *task.learned}
    chosen = {
        **_changed(config["training"], known["training"]),
        **_changed(config["options"], known["options"], task.model_options()),
        **_changed(config["task_config"], known["task_options"], learned),
    }
    words = ["zoo", "fit", config["model"], "--seed", str(config["seed"])]
    if (dataset := config["task_config"]["dataset"]) != usual_dataset(config["model"], task):
        words += ["--dataset", Path(dataset).name if Path(dataset).is_absolute() else dataset]
    if start := config.get("start_from"):
        words += ["--from", Path(start).name]
    for key, value in chosen.items():
        if key in _OPTIONS:
            words += [f"--{key}", _written(value)]
        else:
            words += ["--set", f"{key}={_written(value)}"]
    return shlex.join(words)


def versions() -> dict[str, str]:
    """Of Python and of the libraries that a figure may depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def _changed(
    values: dict[str, Any], defaults: dict[str, Any], decided: Collection[str] = ()
) -> dict[str, Any]:
    """What is not as the catalog has it; what the data decided is not a user's choice."""
    return {
        key: value
        for key, value in values.items()
        if key not in decided and _written(value) != _written(defaults.get(key))
    }


def usual_dataset(name: str, task: Task) -> str:
    """The data set that a model is trained on where none is named."""
    return registry.get("model", name).info.get("dataset") or task.default_dataset


def _written(value: Any) -> str:
    """As `--set` reads it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _curve(metrics: Path) -> list[dict[str, float]]:
    with metrics.open(encoding="utf-8", newline="") as file:
        return [
            {key: int(value) if key == "epoch" else float(value) for key, value in row.items()}
            for row in csv.DictReader(file)
        ]
