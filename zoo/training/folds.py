"""What the folds of a run told: how good a model is that learned from all of its data."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.errors import UserError
from zoo.evaluation.bootstrap import LEVEL
from zoo.training.run import RunFolder
from zoo.utils.files import write_whole


@dataclass
class Folds:
    """What the folds of a run told.

    Attributes:
        count: how many there are.
        metrics: those of the test of each fold that is done.
        best_epochs: of each, the epoch whose weights are kept, counted from 1.
        own_test: whether the data have a test of their own, which is in no fold.
    """

    count: int
    metrics: list[dict[str, Any]]
    best_epochs: list[int]
    own_test: bool = False

    @classmethod
    def of(cls, run: RunFolder) -> "Folds":
        """Read the folds of a run.

        Raises:
            UserError: their file is damaged.
        """
        try:
            return cls(**json.loads(run.folds_file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise UserError(f"{run.folds_file} is damaged: {error}; fit the model anew") from error

    def write(self, run: RunFolder) -> None:
        """Write them beside the run, whole or not at all."""
        write_whole(run.folds_file, json.dumps(vars(self), indent=2, ensure_ascii=False) + "\n")

    @property
    def epochs(self) -> int:
        """Return how long a model is trained that has no validation to say so."""
        return max(1, round(sum(self.best_epochs) / len(self.best_epochs)))

    def summary(self) -> dict[str, Any]:
        """Return the mean of each metric over the folds, and the ends of its interval, `_low` and
        `_high`, but for those of a single class; `measured_on` says so.

        The interval is that of Student's t, at 95%. The folds' models share most of what they
        learned from, so that it is a little too narrow (Bengio and Grandvalet 2004).

        Example:
            >>> folds = Folds(2, [{"accuracy": 0.8}, {"accuracy": 0.9}], [3, 5])
            >>> accuracy, low, high, measured_on = folds.summary().values()
            >>> print(f"{accuracy:.2f}, {low:.2f} to {high:.2f}, on {measured_on}")
            0.85, 0.21 to 1.49, on 2 folds, mean and 95% interval (Student's t)
        """
        # Takes a second.
        from scipy.stats import t

        summary: dict[str, Any] = {}
        for name, first in self.metrics[0].items():
            values = [metrics[name] for metrics in self.metrics if name in metrics]
            if isinstance(first, str) or len(values) < len(self.metrics):
                continue
            summary[name] = float(np.mean(values))
            if "/" in name:
                continue
            half = t.ppf((1 + LEVEL) / 2, len(values) - 1) * np.std(values, ddof=1)
            half /= np.sqrt(len(values))
            summary[f"{name}_low"] = float(summary[name] - half)
            summary[f"{name}_high"] = float(summary[name] + half)
        how = f"{len(self.metrics)} folds, mean and {LEVEL:.0%} interval (Student's t)"
        return {**summary, "measured_on": how}

    def sentence(self) -> str:
        """Return the summary in one line, for a card.

        Example:
            >>> metrics = [{"accuracy": n, "naive/accuracy": 0.5} for n in (0.8, 0.9)]
            >>> print(Folds(2, metrics, [3, 5]).sentence())
            models of 2 folds reached, each on what it had not seen, accuracy 0.8500 (naive 0.5000)
        """
        summary = self.summary()
        means = []
        for name in summary:
            if f"{name}_low" in summary:
                naive = summary.get(f"naive/{name}")
                beside = "" if naive is None else f" (naive {naive:.4f})"
                means.append(f"{name} {summary[name]:.4f}{beside}")
        return (
            f"models of {self.count} folds reached, each on what it had not seen, "
            f"{', '.join(means)}"
        )
