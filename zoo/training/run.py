"""Run folders, `runs/<model>/<n>/`: where the files of a training lie."""

import csv
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import UserError
from zoo.utils.files import write_whole


@dataclass(frozen=True)
class RunFolder:
    """The folder of a training: config.json, checkpoints/, logs/, plots/, metrics.csv.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def config_file(self) -> Path:
        """Return the file that says what was run."""
        return self.path / "config.json"

    @property
    def checkpoints(self) -> Path:
        """Return the folder of all that is saved while training."""
        return self.path / "checkpoints"

    @property
    def weights_file(self) -> Path:
        """Return the file of the best weights so far."""
        return self.checkpoints / "best.weights.h5"

    @property
    def metrics_file(self) -> Path:
        """Return the file with one line of metrics an epoch."""
        return self.path / "metrics.csv"

    @property
    def folds(self) -> Path:
        """Return the folder of the runs of each fold, of a model that is judged by folds."""
        return self.path / "folds"

    @property
    def folds_file(self) -> Path:
        """Return the file with the metrics of each fold."""
        return self.path / "folds.json"

    @property
    def weights(self) -> Path:
        """Return the former name of `weights_file`."""
        warnings.warn("Run.weights is now Run.weights_file", DeprecationWarning, stacklevel=2)
        return self.weights_file

    @property
    def metrics(self) -> Path:
        """Return the former name of `metrics_file`; the numbers are in `Run.history`."""
        warnings.warn("Run.metrics is now Run.metrics_file", DeprecationWarning, stacklevel=2)
        return self.metrics_file

    @property
    def has_results(self) -> bool:
        """Return whether an epoch was ever finished, so that there is something to lose."""
        return self.metrics_file.exists() or self.weights_file.exists()

    def read_config(self) -> Any:
        """Return the JSON value that config.json holds.

        Raises:
            UserError: it is no JSON.
        """
        try:
            return json.loads(self.config_file.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise UserError(f"{self.config_file} is damaged: {error}") from error

    def write_config(self, values: Any) -> None:
        """Write a JSON value as config.json, whole or not at all."""
        write_whole(self.config_file, json.dumps(values, indent=2, ensure_ascii=False))

    def read_metrics(self) -> list[dict[str, float]]:
        """Return the metrics of each epoch, by name; none where no epoch was finished.

        Raises:
            UserError: metrics.csv is damaged.
        """
        if not self.metrics_file.is_file():
            return []
        try:
            with self.metrics_file.open(encoding="utf-8", newline="") as file:
                return [
                    {
                        name: int(cell) if name == "epoch" else float(cell)
                        for name, cell in row.items()
                    }
                    for row in csv.DictReader(file)
                ]
        except (ValueError, TypeError, csv.Error) as error:
            raise UserError(f"{self.metrics_file} is damaged: {error}") from error


def make_folder(root: str | Path, model: str) -> RunFolder:
    """Make the next free folder `root/model/<n>`.

    Raises:
        UserError: it cannot be made.
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
        folder = RunFolder(parent / str(number))
        folder.checkpoints.mkdir()
    except OSError as error:
        raise UserError(
            f"cannot write the run to {parent}: {error.strerror}; choose another --runs folder"
        ) from error
    return folder
