"""Classification: one of some classes for each input, whatever the inputs are."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from tasks.common.base import DataTask
from tasks.common.classes import confusion, logits_and_targets, measure_classes
from tasks.common.data import likeliest
from tasks.common.streams import tell
from zoo.evaluation.bootstrap import Evaluation
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings


class Classification(DataTask):
    """A task whose model names one of some classes for each input.

    A subclass sets `classes`, and makes windows of one target a row, whose class it is.

    Attributes:
        classes: their names, in the order of the model's outputs.
    """

    classes: list[str]
    monitor = "val_accuracy"
    outcomes = ("classes",)

    def measure(self, model: SequenceModel, split: str, settings: Settings) -> Evaluation:
        """Return `loss`, `accuracy` and more beside those of a constant answer, see
        `tasks.common.classes.measure_classes`."""
        windows = self.shown(self.windows(split, settings))
        return measure_classes(model, windows, self.classes, self.groups(split))

    def groups(self, split: str) -> np.ndarray | None:
        """Return which examples of a split belong together, `[N]`; None where none do."""
        return None

    def plot_split(self, model: SequenceModel, split: str, settings: Settings) -> Figure:
        """Draw how often each class was taken for each."""
        windows = self.shown(self.windows(split, settings), "classifying")
        logits, targets = logits_and_targets(model, windows)
        return confusion(self.classes, targets, logits.argmax(axis=-1))

    def likeliest(self, logits: Any) -> dict[str, Any]:
        """Name the classes of logits `[N, classes]`, see `tasks.common.data.likeliest`."""
        return likeliest(self.classes, logits)

    def tell(self) -> Any:
        """Return the endpoint `tell` of a stream, see `tasks.common.streams`."""
        return tell(len(self.classes), self.likeliest)
