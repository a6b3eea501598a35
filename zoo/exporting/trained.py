"""A trained model with all that it needs to be used, exported and measured."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from zoo.catalog.config import RunConfig
from zoo.exporting.endpoints import numeric_endpoints
from zoo.task import Task
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings


@dataclass(frozen=True)
class Trained:
    """A model, what it was trained for, and by what.

    Attributes:
        model: a built model.
        task: the task it was trained for.
        config: what was run to make it.
    """

    model: SequenceModel
    task: Task
    config: RunConfig

    @property
    def settings(self) -> Settings:
        """Return the settings by which it was trained."""
        return self.config.training

    @property
    def endpoints(self) -> dict[str, Any]:
        """Return the task's endpoints by name, `serve` among them: made and traced once."""
        return self.task.served(self.model)

    @cached_property
    def numeric(self) -> dict[str, Any]:
        """Return the endpoints on numbers by name, see `zoo.exporting.endpoints`: made once."""
        return numeric_endpoints(self.model, self.task.prepared)
