"""What happens beside a training run: a progress bar, and the best weights kept."""

import os
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


class KeepBest(keras.callbacks.Callback):
    """Keeps the weights with the best figure, and stops when it gets no better.

    Args:
        path: a `.weights.h5` file; there is always a whole one after the first epoch.
        monitor: the figure; smaller is better for one that ends in `loss`, larger for others.
        patience: epochs without a better figure after which training stops.
    """

    def __init__(self, path: Path, monitor: str, patience: int) -> None:
        super().__init__()
        self.path, self.monitor, self.patience = Path(path), monitor, patience
        self.best: float | None = None
        self.waited = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save if better, else count."""
        value = (logs or {})[self.monitor]
        sign = -1 if self.monitor.endswith("loss") else 1
        if self.best is None or sign * value > sign * self.best:
            self.best, self.waited = value, 0
            scratch = self.path.with_name(f"saving-{self.path.name}")
            self.model.save_weights(scratch)
            os.replace(scratch, self.path)
        else:
            self.waited += 1
            if self.waited >= self.patience:
                self.model.stop_training = True


class Progress(keras.callbacks.Callback):
    """A progress bar over all epochs, with the time left, and one line of figures an epoch.

    Args:
        title: what is being trained.
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title

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
        self.line = self.bar.add_task(self.title, total=self.steps * self.epochs)
        self.bar.start()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move on."""
        self.bar.advance(self.line)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the epoch's figures above the bar."""
        shown = {k: v for k, v in (logs or {}).items() if k != "learning_rate"}
        figures = "  ".join(f"{name} {value:.4f}" for name, value in shown.items())
        self.bar.console.print(f"epoch {epoch + 1}/{self.epochs}  {figures}", highlight=False)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Take the bar away."""
        self.bar.stop()


class Curves(keras.callbacks.Callback):
    """Draws each figure over the epochs, training and validation in one plot, as a PNG.

    Args:
        path: the picture; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = Path(path)
        self.history: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remember."""
        self.history.append(dict(logs or {}))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Draw."""
        from matplotlib.figure import Figure

        if not self.history:
            return
        names = [n for n in self.history[0] if f"val_{n}" in self.history[0]]
        figure = Figure(figsize=(5 * len(names), 4), layout="constrained")
        epochs = range(1, len(self.history) + 1)
        for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names):
            for key, label in ((name, "training"), (f"val_{name}", "validation")):
                axes.plot(epochs, [logs[key] for logs in self.history], marker=".", label=label)
            axes.set(xlabel="epoch", title=name)
            axes.legend()
        self.path.parent.mkdir(exist_ok=True)
        figure.savefig(self.path, dpi=100)
