"""The sequences of a task that a model is diagnosed on."""

from dataclasses import replace

import numpy as np

from zoo.errors import UserError
from zoo.task import Task
from zoo.training.settings import Settings
from zoo.typing import Window

LENGTH = 100
"""Time steps that are looked at, where a task cuts streams."""

_ROWS = 32


def first_windows(task: Task, settings: Settings, length: int) -> list[Window]:
    """Return the windows of the validation part up to the first that has targets.

    Args:
        task: whose data they are.
        settings: of the training.
        length: time steps of a window, where the task cuts streams.

    Raises:
        UserError: there is none.
    """
    settings = replace(settings, batch_size=_ROWS, window=length, truncation=0)
    windows = []
    for window in task.windows("validation", settings):
        windows.append(window)
        if np.any(window["weights"]):
            return windows
    raise UserError(f"the validation part of {task.dataset} is empty: there is nothing to look at")
