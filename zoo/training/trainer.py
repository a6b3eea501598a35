"""The one training loop: truncated BPTT over windows, for every topology."""

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.errors import Interrupted, UserError
from zoo.evaluation.loop import RowSums
from zoo.topologies.base import SequenceModel
from zoo.training.averaging import WeightAverage
from zoo.training.checkpoints import Checkpoint, Checkpoints, Position
from zoo.training.interrupts import Interrupts
from zoo.training.objectives import CrossEntropy, Objective, Player
from zoo.training.optimizers import check_optimizer, optimizer_of
from zoo.training.replicas import Replicas
from zoo.training.schedules import learning_rate
from zoo.training.settings import Settings
from zoo.training.statistics import Statistics
from zoo.training.step import Step
from zoo.typing import State, Window

_WORKER_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


class Trainer:
    """Truncated backpropagation through time with carried state.

    Each window is run forward and backward; its final state, detached, starts the next window of
    the same streams (see `Step` for windows that are cut, overlap, or make one update together).
    Training and each evaluation carry a state of their own, which starts from zero.

    Args:
        model: any model of the zoo, made in the scope of the replicas.
        settings: how to train.
        replicas: where; None for here.
        seed: of whatever is drawn by the number of an update.
        objective: what is made small; None for cross-entropy.

    Attributes:
        players: of the last `fit`, by name: who moved which weights.

    Raises:
        UserError: Keras has no optimizer or schedule of that name, or not with those arguments; or
            the objective is not for such a model.
    """

    def __init__(
        self,
        model: SequenceModel,
        settings: Settings,
        replicas: Replicas | None = None,
        seed: int = 0,
        objective: Objective | None = None,
    ) -> None:
        self.model, self.settings = model, settings
        self.replicas, self.seed = replicas or Replicas(), seed
        self.objective = objective or CrossEntropy()
        self.objective.check(model, settings)
        # Before a run's folder is made and its data are read.
        check_optimizer(optimizer_of(settings, learning_rate(settings, 1)), settings)

    def fit(
        self,
        train: tf.data.Dataset,
        validation: tf.data.Dataset | None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        checkpoints: Checkpoints | None = None,
        start: Checkpoint | None = None,
    ) -> dict[str, list[float]]:
        """Train until the epochs, the steps, the minutes or the patience are used up.

        Args:
            train: windows whose number is known; cut in time where the settings truncate, see
                `zoo.training.step.check_windows`.
            validation: windows for the metrics named `val_...` after each epoch; None for none.
            callbacks: Keras callbacks; `logs` hold the objective's metrics, `learning_rate`, and
                `clipped`, the share of updates whose gradient was scaled down, if one can be.
            checkpoints: where to save, every `save_steps` windows, after each epoch, and on Ctrl-C
                or SIGTERM; None for nowhere.
            start: what was saved, to go on from there as if nothing had been.

        Returns:
            Each metric's value after each epoch.

        Raises:
            UserError: the loss or the gradient is not a finite number, a checkpoint cannot be
                saved, `start` is of another model, or another worker is gone.
            Interrupted: a signal came, and the run is saved.
        """
        self._begin(train)
        position, parts = Position(totals=self._nothing()), []
        steps = self.steps
        if start:
            position, parts = copy.deepcopy(start.position), list(start.state)
            self._restore(start)
        every = keras.callbacks.CallbackList(
            callbacks, model=self.model, epochs=self.settings.epochs, steps=steps, verbose=0
        )
        with Interrupts() as interrupts:
            saving = _Saving(checkpoints, interrupts, self._save, self.replicas.workers < 2)
            # One reading of the data for all epochs: what was read before is passed over.
            windows = iter(train.repeat().skip(position.epoch * steps + position.step))
            every.on_train_begin()
            try:
                while not self._ended(position):
                    every.on_epoch_begin(position.epoch)
                    logs = self._epoch(windows, every, position, parts, saving)
                    parts = []
                    with self._averaged():
                        self._statistics.measure()
                        if validation is not None:
                            metrics = self._validate(validation, every)
                            logs |= {f"val_{name}": value for name, value in metrics.items()}
                        every.on_epoch_end(position.epoch, logs)
                    self._decay_on_plateau(logs, position)
                    cut = position.step < steps
                    position.end_epoch(logs)
                    if not cut:
                        saving(position, [], due=True)
            except _WORKER_LOST as error:
                self._tell_lost_worker(error)
            finally:
                # Also after Ctrl-C or a failure: callbacks put away what they have begun.
                every.on_train_end()
        history = position.history
        return {name: [logs[name] for logs in history] for name in (history[0] if history else ())}

    def _nothing(self) -> list[float]:
        """Return the objective's sums before the first window."""
        return [0.0] * len(self._learning.metrics)

    def _begin(self, train: tf.data.Dataset) -> None:
        """Make fresh optimizers, with graphs of their own, and nothing averaged."""
        self.steps = int(train.cardinality())
        with self.replicas.scope():
            self._learning = self.objective.begin(train)
        self._sums = RowSums(self.model, self._learning)
        self._statistics = Statistics(self.model, train)
        self._step: Step | None = None
        rate = learning_rate(self.settings, self.steps)
        self._paced: Callable[[float], Any] | None = None
        if self.settings.minutes and self.settings.schedule == "cosine":
            # The time budget may end before the updates do: the rate then falls with the time.
            self._paced, rate = rate, self.settings.learning_rate
        # Those that follow the settings; a player may have another one.
        self._optimizers: list[keras.optimizers.Optimizer] = []

        def make_optimizer() -> keras.optimizers.Optimizer:
            self._optimizers.append(optimizer_of(self.settings, rate))
            return self._optimizers[-1]

        with self.replicas.scope():
            self.players = self._learning.players(self.model, self.settings, make_optimizer)
            _check_players(self.players, self.model)
            for player in self.players.values():
                player.optimizer.build(player.variables)
            # As Keras has it, for callbacks that ask for it.
            self.model.optimizer = self._first.optimizer
            averages = self.settings.average_from
            self.average = WeightAverage(self.model.variables) if averages else None
        self.model.stop_training = False

    @property
    def _first(self) -> Player:
        return next(iter(self.players.values()))

    def _step_of(self, epoch: int) -> Step:
        """Return the step of an epoch, counted from 1; a new one when the objective changes."""
        objective = self._learning.phase(epoch)
        if self._step is None or self._step.objective != objective:
            self._step = Step(
                self.model,
                objective,
                self.players,
                self.settings,
                self.replicas,
                self.settings.updates(self.steps),
                self.seed,
            )
        return self._step

    def _epoch(
        self,
        windows: Iterator[Window],
        every: Any,
        position: Position,
        parts: list[np.ndarray],
        saving: "_Saving",
    ) -> dict[str, Any]:
        """Return the rest of an epoch, from `position` and the parts of a carried state."""
        state, totals = None, np.array(position.totals)
        began = time.monotonic() - position.seconds
        update = self._step_of(position.epoch + 1)
        averages = self.average and position.epoch + 1 >= self.settings.average_from
        while position.step < self.steps:
            group = min(self.settings.accumulate, self.steps - position.step)
            taken = list(islice(windows, group))
            if state is None:
                state = self._state(len(taken[0]["reset"]), parts)
            every.on_train_batch_begin(position.step)
            self._pace(position)
            state, numbers = update(taken, state)
            sums, norms = np.split(numbers.numpy().astype("float64"), [len(totals)])
            totals += sums
            loss = self._learning.results(sums)["loss"]
            self._check_finite(loss, norms, position)
            if averages:
                self.average.add()  # type: ignore[union-attr]
            before, position.step = position.step, position.step + group
            position.updates += 1
            position.clipped += self._is_clipped(norms)
            every.on_train_batch_end(position.step - 1, {"loss": loss})
            position.seconds = time.monotonic() - began
            position.totals = totals.tolist()
            if self._spent(position) and position.step < self.steps:
                # With more steps or minutes, the run can go on from here.
                saving(position, tf.nest.flatten(state), due=True)
                break
            due = position.step // self.settings.save_steps > before // self.settings.save_steps
            saving(position, tf.nest.flatten(state), due and position.step < self.steps)
        rate = float(keras.ops.convert_to_numpy(self._first.optimizer.learning_rate))
        logs = {**self._learning.results(totals), "learning_rate": rate}
        if any(player.clip_norm for player in self.players.values()):
            logs["clipped"] = position.clipped / max(
                1, math.ceil(position.step / self.settings.accumulate)
            )
        return logs

    def _is_clipped(self, norms: np.ndarray) -> bool:
        """Return whether an update scaled a player's gradient down."""
        limits = [player.clip_norm or math.inf for player in self.players.values()]
        return any(limit < norm < math.inf for limit, norm in zip(limits, norms.tolist()))

    def _validate(self, windows: tf.data.Dataset, every: Any) -> dict[str, float]:
        """Return the objective's metrics, with a carried state of their own."""

        def counted(parts: Any) -> Iterator[Any]:
            # Windows that are joined are read together.
            each = 1 if parts is windows else math.ceil(len(windows) / len(parts))
            for number, part in enumerate(parts):
                steps = range(number * each, (number + 1) * each)
                for step in steps:
                    every.on_test_batch_begin(step)
                yield part
                for step in steps:
                    every.on_test_batch_end(step)

        every.on_test_begin()
        metrics = self._learning.results(self._sums(windows, counted).sum(axis=0))
        every.on_test_end()
        return {**metrics, **self._learning.validate(self.model, windows)}

    def _state(self, rows: int, parts: list[np.ndarray]) -> State:
        """Return the replicas' initial states, or those that were saved."""
        model, own = self.model, self.replicas.rows(rows)
        if not parts:
            run = self.replicas.run
            make = tf.function(lambda: run(lambda: model.initial_state(own)), autograph=False)
            return make() if self.replicas.strategy else model.initial_state(own)
        like = model.initial_state(own)
        types = [part.dtype for part in tf.nest.flatten(like)]
        cast = [tf.cast(part, dtype) for part, dtype in zip(parts, types, strict=True)]
        return tf.nest.pack_sequence_as(like, self.replicas.split(cast))

    def _ended(self, position: Position) -> bool:
        return (
            position.epoch >= self.settings.epochs
            or self.model.stop_training
            or self._spent(position)
        )

    def _spent(self, position: Position) -> bool:
        """Return whether the steps or the minutes are used up."""
        limit = self.settings.steps
        return bool(limit and position.updates >= limit) or (
            0 < 60 * self.settings.minutes < position.seconds
        )

    def _pace(self, position: Position) -> None:
        if self._paced:
            updates = self.settings.updates(self.steps)
            spent = position.seconds / (60 * self.settings.minutes)
            reached = max(position.updates, min(1.0, spent) * updates)
            for optimizer in self._optimizers:
                optimizer.learning_rate = float(self._paced(reached))

    def _decay_on_plateau(self, logs: dict[str, float], position: Position) -> None:
        watched = "val_loss" if "val_loss" in logs else "loss"
        before = [old[watched] for old in position.history]
        if self.settings.schedule == "plateau" and logs[watched] >= min(before, default=math.inf):
            for optimizer in self._optimizers:
                optimizer.learning_rate = self.settings.decay * optimizer.learning_rate

    def _averaged(self) -> AbstractContextManager:
        return self.average.in_place() if self.average else nullcontext()

    def _check_finite(self, loss: float, norms: np.ndarray, position: Position) -> None:
        # Where losses are scaled, a gradient that overflows is passed over, and the scale is less.
        scaled = self.settings.precision == "mixed_float16"
        if not (math.isfinite(loss) and (scaled or np.isfinite(norms).all())):
            norm = next((n for n in norms.tolist() if not math.isfinite(n)), float(norms[0]))
            clip = "a smaller clip_norm" if self.settings.clip_norm else "a clip_norm above 0"
            raise UserError(
                f"at step {position.step + 1} of epoch {position.epoch + 1} the loss became {loss} "
                f"and the gradient's norm {norm}: try a smaller learning_rate (it was "
                f"{self.settings.learning_rate}) or {clip}"
            )

    def _variables(self) -> list[keras.Variable]:
        """Return all that a step changes but for the carried state; the seeds are among them."""
        averaged = self.average.variables if self.average else []
        moving: list[keras.Variable] = []
        for player in self.players.values():
            moving += player.network.variables if player.network else []
            # Set anew before each update: a run may be resumed with or without a time budget.
            paced = self._paced and player.optimizer in self._optimizers
            variables = player.optimizer.variables
            moving += [v for v in variables if not (paced and v.name == "learning_rate")]
        return [*self.model.variables, *moving, *averaged]

    def _save(self, checkpoints: Checkpoints, position: Position, parts: list[Any]) -> None:
        # Half precision has no place in a file of numpy's, and loses nothing by this.
        state = [np.asarray(self.replicas.joined(part), "float32") for part in parts]
        if self.replicas.chief:
            arrays = [keras.ops.convert_to_numpy(variable) for variable in self._variables()]
            checkpoints.save(Checkpoint(position, arrays, state), position.updates)

    def _restore(self, start: Checkpoint) -> None:
        variables = self._variables()
        shapes = [tuple(variable.shape) for variable in variables]
        if shapes != [array.shape for array in start.variables]:
            raise UserError("the checkpoint is of another model or optimizer: fit the model anew")
        for variable, array in zip(variables, start.variables):
            variable.assign(array)

    def _tell_lost_worker(self, error: tf.errors.OpError) -> None:
        if self.replicas.workers < 2:
            raise error
        raise UserError(
            f"another of the {self.replicas.workers} workers is gone "
            f"({str(error).splitlines()[0][:80]}): start all of them again with --resume"
        ) from error


class _Saving:
    """Saves when it is time, and ends training when a signal has come."""

    def __init__(
        self,
        checkpoints: Checkpoints | None,
        interrupts: Interrupts,
        save: Callable[[Checkpoints, Position, list[Any]], None],
        alone: bool,
    ) -> None:
        self.checkpoints, self.interrupts, self.save = checkpoints, interrupts, save
        self.alone = alone

    def __call__(self, position: Position, parts: list[Any], due: bool) -> None:
        # Of several workers one cannot save by itself: each has the state of its own rows.
        if self.checkpoints and (due or (self.interrupts.got and self.alone)):
            self.save(self.checkpoints, position, parts)
        if self.interrupts.got:
            raise Interrupted(self.interrupts.got)


def _check_players(players: dict[str, Player], model: SequenceModel) -> None:
    """Raise if a weight is moved by two players or by none.

    Raises:
        ValueError: it is; a weight that stays as it is has `trainable` set to False.
    """
    shares = [id(variable) for player in players.values() for variable in player.variables]
    weights = {id(weight): weight.path for weight in model.trainable_variables}
    for key, path in weights.items():
        if shares.count(key) != 1:
            raise ValueError(f"{path} belongs to {shares.count(key)} players, but 1 is needed")
    networks = [player.network for player in players.values() if player.network]
    own = {id(weight) for network in networks for weight in network.trainable_variables}
    if set(shares) - set(weights) - own:
        raise ValueError(
            "a player has variables that are no trainable ones of the model or its own"
        )
