"""What a training run can be told."""

import math
from dataclasses import dataclass

from zoo.errors import UserError


@dataclass(frozen=True)
class Settings:
    """How to train; a model's catalog entry holds its own defaults.

    Attributes:
        epochs: passes over the training windows, at most.
        steps: windows of training in all, at most; 0 for no limit.
        batch_size: parallel streams of a window.
        window: time steps of a window, where the task cuts streams: the k of truncated BPTT.
        optimizer: name of a Keras optimizer.
        learning_rate: at the start; positive.
        schedule: "cosine" falls to zero over all steps; "constant" stays.
        clip_norm: gradients are scaled down to this global norm; 0 for never.
        label_smoothing: share of the target's probability that all classes have in common, in
            0..1 without 1, while training. Figures are told without it.
        patience: epochs without a better validation figure after which training stops.
        minutes: stop at the end of the first step past that time; 0 for no limit.
        save_steps: windows from one checkpoint to the next, within an epoch.
        jit_compile: compile the training step with XLA.
    """

    epochs: int = 10
    steps: int = 0
    batch_size: int = 32
    window: int = 64
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    clip_norm: float = 1.0
    label_smoothing: float = 0.0
    patience: int = 10
    minutes: float = 0.0
    save_steps: int = 200
    jit_compile: bool = False

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "window", "patience", "save_steps"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}, but at least 1 is needed")
        for name in ("learning_rate", "clip_norm", "label_smoothing", "minutes"):
            if not math.isfinite(getattr(self, name)):
                raise UserError(f"{name} is {getattr(self, name)}, but a number is needed")
        if self.learning_rate <= 0:
            raise UserError(f"learning_rate is {self.learning_rate}, but it must be positive")
        if self.label_smoothing >= 1:
            raise UserError(f"label_smoothing is {self.label_smoothing}, but it must be under 1")
        for name in ("clip_norm", "label_smoothing", "minutes", "steps"):
            if getattr(self, name) < 0:
                raise UserError(f"{name} is {getattr(self, name)}, but it must not be negative")
        if self.schedule not in ("cosine", "constant"):
            raise UserError(f"schedule is {self.schedule!r}, but cosine or constant is needed")

    def all_steps(self, epoch_steps: int) -> int:
        """Windows of training in all, of so many in an epoch."""
        total = epoch_steps * self.epochs
        return min(total, self.steps) if self.steps else total
