"""Run folders: `runs/<model>/<n>/`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import UserError
from zoo.utils.files import write_whole


@dataclass(frozen=True)
class Run:
    """One training run's folder: config.json, checkpoints/, logs/, plots/, metrics.csv.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def config(self) -> dict[str, Any]:
        """What was run: model, options, task, task_config, training, seed."""
        return json.loads(self.config_file.read_text(encoding="utf-8"))

    @property
    def config_file(self) -> Path:
        """Where that is kept."""
        return self.path / "config.json"

    def write_config(self, config: dict[str, Any]) -> None:
        """Keep what is run."""
        write_whole(self.config_file, json.dumps(config, indent=2, ensure_ascii=False))

    @property
    def checkpoints(self) -> Path:
        """The folder of all that is saved while training."""
        return self.path / "checkpoints"

    @property
    def weights(self) -> Path:
        """The best weights so far."""
        return self.checkpoints / "best.weights.h5"

    @property
    def metrics(self) -> Path:
        """One line an epoch."""
        return self.path / "metrics.csv"

    @property
    def has_results(self) -> bool:
        """Whether an epoch was ever finished, so that there is something to lose."""
        return self.metrics.exists() or self.weights.exists()


def new_run(root: str | Path, model: str, config: dict[str, Any]) -> Run:
    """Make the next free folder `root/model/<n>` and write its config.json.

    Raises:
        UserError: the folder cannot be made.
    """
    parent = Path(root) / model
    try:
        parent.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(p.name) for p in parent.iterdir() if p.name.isdigit()), default=0)
        while True:
            try:
                (parent / str(number)).mkdir()
                break
            except FileExistsError:
                number += 1
        run = Run(parent / str(number))
        run.checkpoints.mkdir()
        run.write_config(config)
    except OSError as error:
        raise UserError(
            f"cannot write the run to {parent}: {error.strerror}; choose another --runs folder"
        ) from error
    return run


def open_run(path: str | Path, trained: bool = True) -> Run:
    """The run in a folder.

    Args:
        path: the folder.
        trained: ask for the weights of an epoch, too.

    Raises:
        UserError: there is no folder, no config.json or no checkpoint.
    """
    run = Run(Path(path))
    if not run.path.is_dir():
        raise UserError(f"there is no run folder {path}: `zoo fit` prints where it writes")
    if not run.config_file.is_file():
        raise UserError(f"{path} is not a run folder: it has no config.json")
    if trained and not run.weights.is_file():
        raise UserError(f"the run {path} has no checkpoint yet: fit it for at least one epoch")
    try:
        run.config  # noqa: B018
    except ValueError as error:
        raise UserError(f"{run.config_file} is damaged: {error}") from error
    return run
