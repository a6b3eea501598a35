"""The settings of every training, whatever its objective."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from zoo.utils.fields import Choices, Range, check_fields, documented


@documented
@dataclass(frozen=True)
class Settings:
    """How to train; a model's catalog entry holds its own defaults.

    What a training makes small is an objective, with settings of its own, see
    `zoo.training.objectives`.
    """

    epochs: Annotated[int, Range(1), "passes over the training windows, at most."] = 10
    steps: Annotated[int, Range(0), "updates in all, at most; 0 for no limit."] = 0
    batch_size: Annotated[int, Range(1), "parallel streams of a window."] = 32
    window: Annotated[
        int,
        Range(1),
        "new time steps of a window, where the task cuts streams: the k1 of truncated BPTT.",
    ] = 64
    truncation: Annotated[
        int,
        Range(0),
        "time steps that a gradient goes back, the k2; 0 for those of the window. A shorter one "
        "cuts the window, a longer one lets windows overlap.",
    ] = 0
    accumulate: Annotated[int, Range(1, 64), "windows whose gradients make one update."] = 1
    reduction: Annotated[
        str,
        Choices("token", "row"),
        '"token": the loss is the mean of all targets; "row": summed over the targets of a row, '
        "and the mean of all rows.",
    ] = "token"
    optimizer: Annotated[str, "name of a Keras optimizer."] = "adam"
    optimizer_config: Annotated[
        dict[str, Any], 'its other arguments, such as {"momentum": 0.9}.'
    ] = field(default_factory=dict)
    learning_rate: Annotated[float, Range(above=0), "the rate at the start."] = 1e-3
    schedule: Annotated[
        str,
        '"cosine" falls to zero over all updates, or over the minutes if they end before; '
        '"constant" stays; "staircase" multiplies by `decay` at each epoch after the first `hold`; '
        '"plateau" multiplies by `decay` after an epoch whose validation loss was no better than '
        'the best; or the name of a Keras schedule, such as "ExponentialDecay".',
    ] = "cosine"
    schedule_config: Annotated[
        dict[str, Any], "the arguments of a Keras schedule, which counts updates."
    ] = field(default_factory=dict)
    warmup: Annotated[
        float,
        Range(0, most=0.5),
        'share of all updates over which the rate of "cosine" first rises from zero.',
    ] = 0.0
    hold: Annotated[int, Range(0), 'see "staircase".'] = 0
    decay: Annotated[float, Range(above=0, most=1), 'see "staircase" and "plateau".'] = 0.5
    clip_norm: Annotated[
        float, Range(0), "gradients are scaled down to this global norm; 0 for never."
    ] = 1.0
    average_from: Annotated[
        int,
        Range(0),
        "epoch, counted from 1, from which on the weights after all updates are averaged (Polyak "
        "and Juditsky 1992; Izmailov et al. 2018, arXiv:1803.05407); validation and the best "
        "weights then are those of the average. 0 for never.",
    ] = 0
    precision: Annotated[
        str,
        Choices("float32", "mixed_bfloat16", "mixed_float16"),
        "in which training computes; variables, and the model that is loaded, are float32.",
    ] = "float32"
    patience: Annotated[
        int, Range(1), "epochs without a better validation metric after which training stops."
    ] = 10
    minutes: Annotated[
        float, Range(0), "stop at the end of the first update past that time; 0 for no limit."
    ] = 0.0
    save_steps: Annotated[
        int, Range(1), "windows from one checkpoint to the next, within an epoch."
    ] = 200
    jit_compile: Annotated[
        bool,
        "compile the training step as a whole with XLA; without, each recurrence is, in halves.",
    ] = False

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def context(self) -> int:
        """Return over how many time steps of the windows before a window's gradient goes back."""
        return max(0, self.truncation - self.window)

    def updates(self, epoch_windows: int) -> int:
        """Return the updates in all, of so many windows in an epoch."""
        total = -(-epoch_windows // self.accumulate) * self.epochs
        return min(total, self.steps) if self.steps else total

    def windows(self, epoch_windows: int) -> int:
        """Return the windows of all updates; the last of an epoch may have fewer than others.

        Example:
            >>> Settings(epochs=3, accumulate=4, steps=5).windows(6)
            16
        """
        each = -(-epoch_windows // self.accumulate)
        epochs, updates = divmod(self.updates(epoch_windows), each)
        return epochs * epoch_windows + updates * self.accumulate
