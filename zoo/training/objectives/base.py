"""Objectives: the losses that players make small, and the metrics of a window."""

import abc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import keras
import tensorflow as tf

from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings
from zoo.typing import State, Tensor, Window
from zoo.utils.fields import check_fields


class Update(NamedTuple):
    """Which update of the weights is made.

    Attributes:
        number: counted from 0, an int32 scalar.
        total: updates of the whole training.
    """

    number: Tensor
    total: int


class Losses(NamedTuple):
    """The losses of a window.

    Attributes:
        by_player: a scalar for each player: its loss, summed over the window's targets, each times
            its weight. The step divides it by the sum of all weights, or by the number of rows.
        sums: float32 `[B, M]`, what each row adds to the objective's `metrics`. No gradient is
            taken of them.
        state: the state after the window, to carry on.
    """

    by_player: dict[str, Tensor]
    sums: Tensor
    state: State


class Player(NamedTuple):
    """Weights that one loss moves.

    Attributes:
        variables: trainable ones of the model, or of `network`. Each belongs to one player.
        optimizer: moves them; it is part of every checkpoint.
        updates: how many updates it makes while the training makes one, all on the same windows,
            each time prepared anew. A player of fewer updates makes them last.
        clip_norm: its gradients are scaled down to this global norm, by themselves; 0 for never.
        network: one of the player's own, such as a critic: its variables are moved by the player
            alone, and are part of every checkpoint, but of no export.
    """

    variables: Sequence[keras.Variable]
    optimizer: keras.optimizers.Optimizer
    updates: int = 1
    clip_norm: float = 1.0
    network: keras.layers.Layer | None = None


@dataclass(frozen=True)
class Objective(abc.ABC):
    """What training makes small: pure, and in the graph.

    A subclass is a frozen dataclass whose fields are its settings, see `zoo.utils.fields`, and
    is registered with `@register("objective", name)`. A task names it as its `objective_class`.
    Only `metrics`, `losses` and `results` have to be written.

    Attributes:
        metrics: names of the sums that `losses` gives.
        by_target: whether these are sums over targets, and `losses` asks the model for nothing but
            `run_window` or `score`: then evaluation may read windows that follow one another as
            one. It is said beside `losses`; a subclass with `losses` of its own says it anew.
        monitor: the validation metric that chooses the best weights; "" for that of the task.
    """

    metrics: ClassVar[tuple[str, ...]]
    by_target: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "losses" in vars(cls):
            cls.by_target = vars(cls).get("by_target", False)

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def monitor(self) -> str:
        """Return the validation metric that chooses the best weights; "" for that of the task."""
        return ""

    def check(self, model: SequenceModel, settings: Settings) -> None:  # noqa: B027
        """Raise if a model cannot be trained so, or not with these settings.

        Raises:
            UserError: it cannot.
        """

    def begin(self, train: tf.data.Dataset) -> "Objective":
        """Return this objective with what it learns from the training windows, if anything."""
        return self

    def phase(self, epoch: int) -> "Objective":
        """Return the objective of an epoch, counted from 1, of one that changes while training."""
        return self

    def players(
        self,
        model: SequenceModel,
        settings: Settings,
        make_optimizer: Callable[[], keras.optimizers.Optimizer],
    ) -> dict[str, Player]:
        """Return who moves which weights, by the names of `Losses.by_player`.

        Args:
            model: a built one; its trainable variables are shared out among the players.
            settings: of the training.
            make_optimizer: makes another optimizer as the settings ask for, with its schedule.
        """
        weights = model.trainable_variables
        return {"model": Player(weights, make_optimizer(), clip_norm=settings.clip_norm)}

    def prepare(self, model: SequenceModel, window: Window, seed: Tensor, update: Update) -> Window:
        """Return the window to train on, such as one with what the model itself wrote.

        Args:
            model: what is trained.
            window: as the task made it.
            seed: two integers, of whatever is drawn: others for each update, window and replica.
            update: which one is made.
        """
        return window

    @abc.abstractmethod
    def losses(self, model: SequenceModel, window: Window, state: State, training: bool) -> Losses:
        """Return the players' losses, the sums of the metrics, and the state after a window.

        Args:
            model: what is trained or evaluated.
            window: a prepared one, or a part of it in time; as the task made it in evaluation.
            state: before it.
            training: whether dropout acts, and the losses are used.
        """

    @abc.abstractmethod
    def results(self, sums: Any) -> dict[str, float]:
        """Return metrics from sums `[M]` over any rows, `loss` always among them."""

    def validate(self, model: SequenceModel, windows: Iterable[Window]) -> dict[str, float]:
        """Return further metrics of the validation windows, that are no function of sums."""
        return {}


def loss_and_accuracy(sums: Any) -> dict[str, float]:
    """Return the means of sums `[3]`: of a loss, of the weights, and of what is right.

    Example:
        >>> loss_and_accuracy([3.0, 2.0, 1.0])
        {'loss': 1.5, 'accuracy': 0.5}
    """
    loss, weight, right = (float(part) for part in sums)
    return {"loss": loss / max(weight, 1.0), "accuracy": right / max(weight, 1.0)}
