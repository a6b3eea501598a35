"""A model with its data: one training of a run, begun or gone on with."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cached_property
from typing import Any

import keras
import tensorflow as tf
from filelock import FileLock, Timeout

from zoo.api.finetune import take_weights
from zoo.api.load import restore
from zoo.api.run import Run
from zoo.catalog.config import RunConfig
from zoo.diagnostics.horizon_log import HorizonLog
from zoo.diagnostics.windows import LENGTH, first_windows
from zoo.errors import Interrupted, UserError
from zoo.task import Task, is_whole
from zoo.topologies.base import SequenceModel
from zoo.training.callbacks import Curves, KeepBest, KeepLast, Metrics, Progress, TensorBoard
from zoo.training.checkpoints import Checkpoint, Checkpoints, Position
from zoo.training.replicas import Replicas
from zoo.training.step import check_windows
from zoo.training.trainer import Trainer


def newest_checkpoint(run: Run) -> tuple[Checkpoint | None, list[str]]:
    """Return the newest checkpoint that can be read, and a line for each newer one that cannot.

    It is None for a run that was stopped before its first.

    Raises:
        UserError: no checkpoint can be read, though the run has trained: to start anew would
            overwrite its metrics and its best weights.
    """
    checkpoint, unreadable = Checkpoints(run.checkpoints).newest()
    if checkpoint is None and (unreadable or run.has_results):
        why = unreadable[0] if unreadable else f"there is no checkpoint in {run.checkpoints}"
        more = f", nor can the {len(unreadable) - 1} before it" if len(unreadable) > 1 else ""
        raise UserError(
            f"cannot go on with the run {run.path}: {why}{more}; it was left as it is: fit the "
            "model anew, or use what is there of it"
        )
    return checkpoint, unreadable


def initial_model(config: RunConfig, task: Task, where: Replicas) -> SequenceModel:
    """Return the model with the weights that a training begins from.

    Args:
        config: of the run.
        task: made from it.
        where: the replicas in whose scope the weights are made.

    Raises:
        UserError: the task refuses the model, or that which it starts from cannot be read.
    """
    # Data that were prepared only now have drawn random numbers of their own.
    keras.utils.set_random_seed(config.seed)
    with where.scope(), _computing_in(config.training.precision):
        model = config.make_model()
    task.check(model)
    if config.start_from:
        learned = restore(config.start_from).model
        take_weights(model, learned, task.model_options(), task.outcome_options)
    return model


class Training:
    """A model with its data, made in one order, so that the same seed gives the same numbers.

    Args:
        config: what is run, with all that the data decide.
        task: made from it.
        where: the replicas that it runs on.
        diagnose: measure before training and after each epoch how far back gradients reach.
    """

    def __init__(
        self, config: RunConfig, task: Task, where: Replicas, diagnose: bool = False
    ) -> None:
        self.config, self.task, self.where, self.diagnose = config, task, where, diagnose
        settings = config.training
        keras.utils.set_random_seed(config.seed)
        self.train = task.windows("train", settings, seed=config.seed)
        everything = is_whole(task.fold)
        self.validation = None if everything else task.windows("validation", settings)
        check_windows(self.train, settings)
        model = initial_model(config, task, where)
        objective = task.objective(**config.objective)
        self.trainer = Trainer(model, settings, where, config.seed, objective)

    @cached_property
    def examples(self) -> int:
        """Return how many examples validation has; 0 if it has none, or that is not known."""
        return 0 if self.validation is None else _examples(self.validation)

    def run(self, run: Run, verbose: bool, epochs: int = 0, whole: Run | None = None) -> int:
        """Train on in the run's folder, which only the first of several workers writes.

        Args:
            run: the run.
            verbose: show a progress bar.
            epochs: of a training without validation, after how many it stops; 0 for all.
            whole: the run that it is a fold of, to be gone on with after an interruption.

        Returns:
            The epoch whose weights are kept, counted from 1.
        """
        try:
            with self._lock(run):
                return self._go_on(run, verbose, epochs)
        except Timeout as error:
            raise UserError(
                f"{run.path} is being trained by another process: wait for it"
            ) from error
        except Interrupted as error:
            raise Interrupted(error.number, f"zoo fit --resume {(whole or run).path}") from error

    def _go_on(self, run: Run, verbose: bool, epochs: int) -> int:
        start, unreadable = newest_checkpoint(run)
        for line in unreadable:
            print(f"{line}: going on from the one before", file=sys.stderr)
        position = start.position if start else Position()
        keeping = self._keeping(run, position, epochs)
        callbacks = [keeping, *self._telling(run, position, verbose)]
        checkpoints = Checkpoints(run.checkpoints)
        self.trainer.fit(self.train, self.validation, callbacks, checkpoints, start)
        return keeping.best_epoch if isinstance(keeping, KeepBest) else keeping.epochs

    def _lock(self, run: Run) -> Any:
        lock = FileLock(run.path / "lock")
        return lock.acquire(blocking=False) if self.where.chief else nullcontext()

    def _keeping(self, run: Run, position: Position, epochs: int) -> KeepBest | KeepLast:
        """Return the callback that keeps weights, and ends the training."""
        settings, history = self.trainer.settings, position.history
        path = run.weights_file if self.where.chief else None
        if self.validation is None:
            return KeepLast(path, epochs or settings.epochs, len(history))
        monitor = self.trainer.objective.monitor or self.task.monitor
        return KeepBest(path, monitor, settings.patience, history, self.examples)

    def _telling(self, run: Run, position: Position, verbose: bool) -> list[Any]:
        """Return the callbacks that write and show how the training goes, in one process."""
        if not self.where.chief:
            return []
        settings, history = self.trainer.settings, position.history
        windows = 0 if self.validation is None else int(self.validation.cardinality())
        bar = Progress(self.config.model, settings, position, windows, self.examples)
        return [
            # With new limits, if any: only now are they known to be of use, as nobody else trains
            # the run, and its checkpoint fits.
            keras.callbacks.LambdaCallback(
                on_train_begin=lambda _: run.write_config(self.config.to_json())
            ),
            Metrics(run.metrics_file, history),
            Curves(run.path / "plots" / "curves.png", history),
            TensorBoard(run.path / "logs"),
            *([self._horizon_log(run)] if self.diagnose else []),
            *([bar] if verbose else []),
        ]

    def _horizon_log(self, run: Run) -> HorizonLog:
        windows = first_windows(self.task, self.trainer.settings, LENGTH)
        folder, path = run.path / "logs" / "horizon", run.path / "plots" / "horizon.png"
        return HorizonLog(folder, path, self.task.objective(), windows)


def _examples(windows: tf.data.Dataset, most: int = 1000) -> int:
    """Return how many examples of one target each there are; 0 if they are not so, or are many."""
    rows = windows.element_spec["weights"].shape
    if len(rows) != 1 or int(windows.cardinality()) * (rows[0] or most) > most:
        return 0
    return sum(int(tf.math.count_nonzero(window["weights"])) for window in windows)


@contextmanager
def _computing_in(precision: str) -> Iterator[None]:
    """Make layers compute in a precision while it is open."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
