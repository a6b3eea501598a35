"""Callbacks of a training run: a progress bar, and the best weights."""

import csv
import io
import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as Bar,
)

from zoo.errors import UserError
from zoo.training.checkpoints import Position
from zoo.training.settings import Settings
from zoo.utils.files import flush_folder, write_whole

_FEW, _SMOOTHED = 200, 3
_UNSHOWN = ("learning_rate", "clipped")


class KeepBest(keras.callbacks.Callback):
    """Keeps the weights with the best value of a metric, and stops when it gets no better.

    Of fewer than 200 validation examples one more that is right by chance would choose the epoch:
    there the mean of it and the two before counts, from the third on, and of equal ones the last.

    Args:
        path: a `.weights.h5` file; there is always a whole one after the first epoch. None keeps
            nothing, for a worker that only has to stop when the others do.
        monitor: the metric; smaller is better for one that ends in `loss`, larger for others.
        patience: epochs without a better value after which training stops.
        history: the metrics of the epochs before, of a run that goes on.
        examples: how many there are in validation; 0 if that is not known.

    Raises:
        UserError: the weights cannot be written; those before them stay.
    """

    def __init__(
        self,
        path: Path | None,
        monitor: str,
        patience: int,
        history: Sequence[dict[str, Any]] = (),
        examples: int = 0,
    ) -> None:
        super().__init__()
        self.path, self.monitor, self.patience = path, monitor, patience
        self.few = 0 < examples < _FEW
        self.last: deque[float] = deque(maxlen=_SMOOTHED if self.few else 1)
        self.best: float | None = None
        self.epochs = self.best_epoch = self.waited = 0
        for logs in history:
            self._is_better(logs)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Stop a run that goes on if its patience is at its end."""
        self._stop_if_patience_ended()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save if better, else count."""
        if self._is_better(logs or {}) and self.path:
            _save_weights(self.model, self.path)
        self._stop_if_patience_ended()

    def _is_better(self, logs: dict[str, Any]) -> bool:
        self.epochs += 1
        self.last.append(logs[self.monitor])
        value = sum(self.last) / len(self.last)
        sign = -1 if self.monitor.endswith("loss") else 1
        better = self.best is None or sign * value > sign * self.best
        # A mean of fewer than three is not held against one of three.
        better |= self.few and (value == self.best or self.epochs <= _SMOOTHED)
        if better:
            self.best, self.best_epoch = value, self.epochs
        self.waited = self.epochs - self.best_epoch
        return better

    def _stop_if_patience_ended(self) -> None:
        if self.waited >= self.patience:
            self.model.stop_training = True


class KeepLast(keras.callbacks.Callback):
    """Keeps the weights of the newest epoch, and stops after some: there is no validation.

    Args:
        path: as of `KeepBest`.
        epochs: how many there are to be.
        done: how many there were before, of a run that goes on.
    """

    def __init__(self, path: Path | None, epochs: int, done: int = 0) -> None:
        super().__init__()
        self.path, self.epochs, self.done = path, epochs, done

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Stop a run that goes on if it has all its epochs."""
        self.model.stop_training = self.done >= self.epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save, and stop if it was the last epoch."""
        if self.path:
            _save_weights(self.model, self.path)
        self.model.stop_training = epoch + 1 >= self.epochs


def _save_weights(model: keras.Model, path: Path) -> None:
    scratch = path.with_name(f"saving-{path.name}")
    try:
        model.save_weights(scratch)
        os.replace(scratch, path)
        flush_folder(path.parent)
    except OSError as error:
        raise UserError(
            f"cannot save the weights to {path}: {error}; those before stay good"
        ) from error


class Progress(keras.callbacks.Callback):
    """A progress bar over all epochs, with the time left, and one line of metrics an epoch.

    Args:
        title: what is being trained.
        settings: how long training goes on.
        start: where a run stands that goes on.
        validation: windows of each validation, for a bar of their own; 0 for none.
        examples: those of validation, of one target each, for the interval of `val_accuracy`; 0 to
            tell none.
    """

    def __init__(
        self,
        title: str,
        settings: Settings,
        start: Position | None = None,
        validation: int = 0,
        examples: int = 0,
    ) -> None:
        super().__init__()
        self.title, self.start = title, start or Position()
        self.settings, self.validation, self.examples = settings, validation, examples

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Show the bar."""
        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self.steps, self.epochs = self.params["steps"], self.params["epochs"]
        done = self.steps * self.start.epoch + self.start.step
        total = self.settings.windows(self.steps)
        self.line = self.bar.add_task(self.title, total=total, completed=min(done, total))
        self.validating = self.bar.add_task(
            "validation", total=self.validation, visible=False, start=False
        )
        self.bar.start()
        self.epochs_done = self.start.epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move on."""
        self.bar.update(self.line, completed=self.steps * self.epochs_done + batch + 1)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Show how far validation is."""
        if self.validation:
            self.bar.reset(self.validating, visible=True)

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move on."""
        self.bar.advance(self.validating)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Hide the bar of the validation."""
        self.bar.update(self.validating, visible=False)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the epoch's metrics above the bar."""
        self.epochs_done = epoch + 1
        shown = {k: v for k, v in (logs or {}).items() if k not in _UNSHOWN}
        metrics = "  ".join(f"{name} {value:.4f}" for name, value in shown.items())
        if self.examples and "val_accuracy" in shown:
            low, high = _interval(shown["val_accuracy"], self.examples)
            metrics += f"  (val_accuracy of {self.examples} examples: {low:.2f} to {high:.2f})"
        self.bar.console.print(f"epoch {epoch + 1}/{self.epochs}  {metrics}", highlight=False)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Take the bar away."""
        self.bar.stop()


def _interval(share: float, examples: int) -> tuple[float, float]:
    """Return the 95% interval of a share of so many examples (Wilson 1927)."""
    # Takes a second, which only those that show it have to wait.
    from scipy.stats import binomtest

    interval = binomtest(round(share * examples), examples).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


class _History(keras.callbacks.Callback):
    """Remembers each epoch's metrics, for a file of them.

    Args:
        path: the file.
        history: the metrics of the epochs before, of a run that goes on.
    """

    def __init__(self, path: Path, history: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__()
        self.path = Path(path)
        self.history = list(history)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the metrics of the epoch."""
        self.history.append(dict(logs or {}))


class Metrics(_History):
    """Writes each epoch's metrics as one line of a CSV file, which is always whole."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write all lines anew."""
        super().on_epoch_end(epoch, logs)
        names = sorted(self.history[0])
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["epoch", *names])
        lines.writerows([n, *[old[name] for name in names]] for n, old in enumerate(self.history))
        write_whole(self.path, text.getvalue())


class Curves(_History):
    """Draws each metric over the epochs, training and validation in one plot, as a PNG.

    The picture's folder is made.
    """

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Draw the curves."""
        from zoo.evaluation.plots import curves_figure

        if not self.history:
            return
        self.path.parent.mkdir(exist_ok=True)
        curves_figure(self.history).savefig(self.path, dpi=100)


class TensorBoard(keras.callbacks.TensorBoard):
    """Writes each epoch's metrics for TensorBoard.

    That of Keras also counts every batch, which takes longer than all else that is done beside a
    step, for metrics that are not written.

    Args:
        folder: for the logs.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder), write_graph=False)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Do nothing."""

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Do nothing."""
