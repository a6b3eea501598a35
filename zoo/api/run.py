"""`zoo.Run`: a training, and what came of it."""

from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from zoo.catalog.config import RunConfig
from zoo.errors import UserError
from zoo.topologies.base import SequenceModel
from zoo.training.run import RunFolder, make_folder


class Run(RunFolder):
    """A training: its folder, what was run, its metrics, and its model.

    What is read is read once: after the run has gone on, take the run that `zoo.resume` returns.

    Args:
        path: the folder, as `zoo fit` prints it.

    Example:
        >>> run = Run(Path("runs/char-lstm/1"))
        >>> run.metrics_file.name
        'metrics.csv'
    """

    @cached_property
    def config(self) -> RunConfig:
        """Return what was run.

        Raises:
            UserError: config.json cannot be read, or is of another version.
        """
        return RunConfig.from_json(self.read_config(), self.config_file)

    @cached_property
    def history(self) -> dict[str, list[float]]:
        """Return the value of each metric after each epoch, such as `run.history["val_loss"]`."""
        epochs = self.read_metrics()
        return {name: [epoch[name] for epoch in epochs] for name in (epochs[0] if epochs else ())}

    @cached_property
    def model(self) -> SequenceModel:
        """Return the model with the best weights.

        Raises:
            UserError: there are none yet, or they cannot be read.
        """
        return self.restore_model()

    def restore_model(self) -> SequenceModel:
        """Build the model anew, with the best weights.

        Raises:
            UserError: there are none yet, or they cannot be read.
        """
        check_trained(self)
        model = self.config.make_model()
        try:
            model.load_weights(str(self.weights_file))
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"cannot read the checkpoint {self.weights_file}: {error}") from error
        return model

    def evaluate(self, split: str = "test", **options: Any) -> dict[str, Any]:
        """Measure the model on a split, see `zoo.evaluate`."""
        from zoo.api.evaluate import evaluate

        return evaluate(self, split, **options)

    def _repr_html_(self) -> str:
        """Return a small table for notebooks: what was run, and the metrics of the last epoch."""
        rows = {
            "model": self.config.model,
            "task": self.config.task,
            "data": self.config.dataset,
            "folder": self.path,
            "epochs": len(self.history.get("epoch", ())),
            **{f"last {name}": f"{values[-1]:.4g}" for name, values in self.history.items()
               if name != "epoch"},
        }  # fmt: skip
        cells = (
            f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>"
            for name, value in rows.items()
        )
        return f"<table>{''.join(cells)}</table>"


def new_run(root: str | Path, config: RunConfig) -> Run:
    """Make the next free folder `root/<model>/<n>` and write its config.json.

    Raises:
        UserError: the folder cannot be made.
    """
    run = Run(make_folder(root, config.model).path)
    try:
        run.write_config(config.to_json())
    except OSError as error:
        raise UserError(
            f"cannot write the run to {run.path}: {error.strerror}; choose another --runs folder"
        ) from error
    return run


def open_run(path: str | Path, trained: bool = True) -> Run:
    """Return the run in a folder.

    Args:
        path: the folder.
        trained: ask for the weights of an epoch, too.

    Raises:
        UserError: there is no folder, no config.json or no checkpoint, or the first cannot be read.
    """
    run = Run(Path(path))
    if not run.path.is_dir():
        raise UserError(f"there is no run folder {path}: `zoo fit` prints where it writes")
    if not run.config_file.is_file():
        raise UserError(f"{path} is not a run folder: it has no config.json")
    if trained:
        check_trained(run)
    run.read_config()
    return run


def check_trained(run: Run) -> None:
    """Refuse a run that has no weights yet.

    Raises:
        UserError: it has none.
    """
    if not run.weights_file.is_file():
        raise UserError(f"the run {run.path} has no checkpoint yet: fit it for at least one epoch")
