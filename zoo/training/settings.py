"""What a training run can be told."""

import math
from dataclasses import dataclass, field
from typing import Any

from zoo.errors import UserError

_FINITE = (
    "learning_rate",
    "decay",
    "clip_norm",
    "label_smoothing",
    "teacher_forcing",
    "minutes",
)
_AT_LEAST_ONE = (
    "epochs",
    "batch_size",
    "window",
    "accumulate",
    "patience",
    "save_steps",
    "reward_from",
)
_NOT_NEGATIVE = (
    "steps",
    "truncation",
    "hold",
    "clip_norm",
    "label_smoothing",
    "average_from",
    "minutes",
)
_CHOICES = {
    "reduction": ("token", "row"),
    "forcing_schedule": ("linear", "exponential", "inverse_sigmoid"),
    "reward": ("", "bleu", "cider"),
    "precision": ("float32", "mixed_bfloat16", "mixed_float16"),
}


_NOT_COMPILED = "what is written is scored outside of the graph: set jit_compile to False"


@dataclass(frozen=True)
class Settings:
    """How to train; a model's catalog entry holds its own defaults.

    Attributes:
        epochs: passes over the training windows, at most.
        steps: updates in all, at most; 0 for no limit.
        batch_size: parallel streams of a window.
        window: new time steps of a window, where the task cuts streams: the k1 of truncated BPTT.
        truncation: time steps that a gradient goes back, the k2; 0 for those of the window. A
            shorter one cuts the window, a longer one lets windows overlap.
        accumulate: windows whose gradients make one update, up to 64.
        reduction: "token": the loss is the mean of all targets; "row": summed over a row's
            targets, and the mean of all rows.
        optimizer: name of a Keras optimizer.
        optimizer_config: its other arguments, such as {"momentum": 0.9}.
        learning_rate: at the start; positive.
        schedule: "cosine" falls to zero over all updates, or over the minutes if they end before;
            "constant" stays; "staircase" multiplies by `decay` at each epoch after the first
            `hold`; "plateau" multiplies by `decay` after an epoch whose validation loss was no
            better than the best; or the name of a Keras schedule, such as "ExponentialDecay".
        schedule_config: the arguments of a Keras schedule, which counts updates.
        hold: see "staircase".
        decay: see "staircase" and "plateau"; in 0..1 without 0.
        clip_norm: gradients are scaled down to this global norm; 0 for never.
        label_smoothing: share of the target's probability that all classes have in common, in
            0..1 without 1, while training. Figures are told without it.
        average_from: epoch, counted from 1, from which on the weights after all updates are
            averaged (Polyak and Juditsky 1992; Izmailov et al. 2018, arXiv:1803.05407); validation
            and the best weights then are those of the average. 0 for never.
        teacher_forcing: share of true tokens among those that a model which generates is fed at
            the end of training, in 0..1; for the others it is fed its own, see
            `zoo.training.scheduled_sampling`. 1 for all, throughout.
        forcing_schedule: how that share falls from 1 over all updates: "linear", "exponential" or
            "inverse_sigmoid".
        reward: "bleu" or "cider": train a model that generates to write what scores better than
            what it would write, see `zoo.training.self_critical`; the best weights then are those
            with the best `val_reward`. "" for never.
        reward_from: epoch, counted from 1, from which on it is trained so. From there on, loss and
            accuracy of training are those of what the model draws.
        precision: "float32", or "mixed_bfloat16" or "mixed_float16", in which training computes;
            variables, and the model that is loaded, are float32.
        patience: epochs without a better validation figure after which training stops.
        minutes: stop at the end of the first update past that time; 0 for no limit.
        save_steps: windows from one checkpoint to the next, within an epoch.
        jit_compile: compile the training step with XLA.
    """

    epochs: int = 10
    steps: int = 0
    batch_size: int = 32
    window: int = 64
    truncation: int = 0
    accumulate: int = 1
    reduction: str = "token"
    optimizer: str = "adam"
    optimizer_config: dict[str, Any] = field(default_factory=dict)
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    schedule_config: dict[str, Any] = field(default_factory=dict)
    hold: int = 0
    decay: float = 0.5
    clip_norm: float = 1.0
    label_smoothing: float = 0.0
    average_from: int = 0
    teacher_forcing: float = 1.0
    forcing_schedule: str = "linear"
    reward: str = ""
    reward_from: int = 1
    precision: str = "float32"
    patience: int = 10
    minutes: float = 0.0
    save_steps: int = 200
    jit_compile: bool = False

    def __post_init__(self) -> None:
        for name in _FINITE:
            self._need(name, math.isfinite(getattr(self, name)), "a number is needed")
        for name in _AT_LEAST_ONE:
            self._need(name, getattr(self, name) >= 1, "at least 1 is needed")
        self._need("accumulate", self.accumulate <= 64, "at most 64 is possible")
        for name in _NOT_NEGATIVE:
            self._need(name, getattr(self, name) >= 0, "it must not be negative")
        self._need("learning_rate", self.learning_rate > 0, "it must be positive")
        self._need("decay", 0 < self.decay <= 1, "more than 0 and at most 1 is needed")
        self._need("label_smoothing", self.label_smoothing < 1, "it must be under 1")
        for name, choices in _CHOICES.items():
            shown = [choice or "nothing" for choice in choices]
            needed = f"{', '.join(shown[:-1])} or {shown[-1]} is needed"
            self._need(name, getattr(self, name) in choices, needed)
        self._need("teacher_forcing", 0 <= self.teacher_forcing <= 1, "0 to 1 is needed")
        self._need("reward", not (self.reward and self.jit_compile), _NOT_COMPILED)

    def _need(self, name: str, right: bool, what: str) -> None:
        if not right:
            raise UserError(f"{name} is {getattr(self, name)!r}, but {what}")

    @property
    def context(self) -> int:
        """Time steps of the windows before, over which the gradient of a window goes back."""
        return max(0, self.truncation - self.window)

    def updates(self, epoch_windows: int) -> int:
        """Updates in all, of so many windows in an epoch."""
        total = -(-epoch_windows // self.accumulate) * self.epochs
        return min(total, self.steps) if self.steps else total

    def windows(self, epoch_windows: int) -> int:
        """Windows of all updates; the last update of an epoch may have fewer than the others.

        Example:
            >>> Settings(epochs=3, accumulate=4, steps=5).windows(6)
            16
        """
        each = -(-epoch_windows // self.accumulate)
        epochs, updates = divmod(self.updates(epoch_windows), each)
        return epochs * epoch_windows + updates * self.accumulate
