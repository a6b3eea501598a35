"""Fitting a model of the catalog, and going on with what was begun."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from filelock import FileLock, Timeout

from zoo import registry
from zoo.api.finetune import take_weights, task_to_go_on
from zoo.api.load import config_of, folder_of, restore
from zoo.api.run import Run, new_run, open_run
from zoo.catalog.config import RunConfig, resolve
from zoo.errors import Interrupted, UserError
from zoo.task import Task
from zoo.training.callbacks import Curves, KeepBest, Metrics, Progress, TensorBoard
from zoo.training.checkpoints import Checkpoint, Checkpoints, Position
from zoo.training.replicas import Replicas, replicas
from zoo.training.step import check_windows
from zoo.training.trainer import Trainer
from zoo.utils.files import check_not_empty

LIMITS = ("epochs", "steps", "minutes", "patience")
"""Settings that a run may be resumed with."""


def fit(
    name: str,
    dataset: str | None = None,
    data_dir: str | None = None,
    seed: int = 1,
    runs: str | Path = "runs",
    verbose: bool = True,
    devices: int = 1,
    start_from: Run | str | Path | None = None,
    **overrides: Any,
) -> Run:
    """Train a model of the catalog and write a run folder.

    Args:
        name: as `list_models` gives it.
        dataset: a tensorflow-datasets name, or a path where the task takes one; None for the
            bundled data set of the model or of its task.
        data_dir: folder of prepared data sets.
        seed: of the weights, of dropout and of the order of the data; the same seed gives the
            same run on the same machine.
        runs: folder of all runs.
        verbose: show a progress bar.
        devices: replicas on this machine that share each batch, see `zoo.training.replicas`.
            Several machines are named by TF_CONFIG; each then runs the same command.
        start_from: a trained model to fine-tune, of the same name or of the same architecture,
            task and cell: a run, an export, or the name of a ready-trained model. Its options are
            kept, and its vocabularies grow by what is new in the data.
        **overrides: options of the model (`units=64`), of its task, and of training (`epochs=3`).

    Returns:
        The run, its best weights kept.

    Raises:
        UserError: something that was asked for does not exist or cannot be.
        Interrupted: Ctrl-C or SIGTERM came; `resume` goes on from where it was.
    """
    check_not_empty(dataset=dataset, data_dir=data_dir, runs=runs, start_from=start_from)
    base = config_of(start_from) if start_from else None
    start = str(folder_of(start_from).absolute()) if start_from else None
    config = resolve(name, overrides, dataset, data_dir, seed, start, base)
    where = replicas(devices)
    where.rows(config.training.batch_size)
    task = task_to_go_on(config, base) if base else config.make_task()
    config = config.decided_by(task, overrides)
    trained = _Training(config, task, where)
    run = new_run(runs, config) if where.chief else Run(Path(runs) / name)
    trained.run(run, verbose)
    return run


def resume(
    run: Run | str | Path, verbose: bool = True, devices: int = 1, **limits: int | float
) -> Run:
    """Go on with a run that was stopped, killed or cut off, from its newest checkpoint.

    It ends with the numbers that it would have ended with undisturbed. A run that has ended stays
    as it is.

    Args:
        run: a run or its folder.
        verbose: show a progress bar.
        devices: as in `fit`.
        **limits: new `epochs`, `steps`, `minutes` or `patience` of the whole run, to make it longer
            or shorter than it was begun; kept in its config.json.

    Returns:
        The run.

    Raises:
        UserError: the folder is no run, holds another model's checkpoint or none that can be read
            though it has trained, or is in use; or something else than a limit is given. The run
            is left as it is.
    """
    for key in set(limits) - set(LIMITS):
        raise UserError(registry.unknown("limit of a run", key, LIMITS))
    run = open_run(run.path if isinstance(run, Run) else run, trained=False)
    _newest_checkpoint(run)
    where = replicas(devices)
    config = run.config.with_limits(limits)
    _Training(config, config.make_task(), where).run(run, verbose)
    return open_run(run.path, trained=False)


def _newest_checkpoint(run: Run) -> tuple[Checkpoint | None, list[str]]:
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


class _Training:
    """A model with its data, made in one order, so that the same seed gives the same numbers."""

    def __init__(self, config: RunConfig, task: Task, where: Replicas) -> None:
        self.config, self.task, self.where = config, task, where
        settings = config.training
        keras.utils.set_random_seed(config.seed)
        self.train = task.windows("train", settings, seed=config.seed)
        self.validation = task.windows("validation", settings)
        check_windows(self.train, settings)
        # Data that were prepared only now have drawn random numbers of their own.
        keras.utils.set_random_seed(config.seed)
        with where.scope(), _computing_in(settings.precision):
            model = config.make_model()
        task.check(model)
        if config.start_from:
            learned = restore(config.start_from).model
            take_weights(model, learned, task.model_options(), task.outcome_options)
        objective = task.objective(**config.objective)
        self.trainer = Trainer(model, settings, where, config.seed, objective)

    def run(self, run: Run, verbose: bool) -> None:
        """Train on in the run's folder, which only the first of several workers writes."""
        try:
            with self._lock(run):
                start, unreadable = _newest_checkpoint(run)
                for line in unreadable:
                    print(f"{line}: going on from the one before", file=sys.stderr)
                self.trainer.fit(
                    self.train,
                    self.validation,
                    self._callbacks(run, start.position if start else Position(), verbose),
                    Checkpoints(run.checkpoints),
                    start,
                )
        except Timeout as error:
            raise UserError(
                f"{run.path} is being trained by another process: wait for it"
            ) from error
        except Interrupted as error:
            raise Interrupted(error.number, f"zoo fit --resume {run.path}") from error

    def _lock(self, run: Run) -> Any:
        lock = FileLock(run.path / "lock")
        return lock.acquire(blocking=False) if self.where.chief else nullcontext()

    def _callbacks(self, run: Run, position: Position, verbose: bool) -> list[Any]:
        settings, history = self.trainer.settings, position.history
        best = run.weights_file if self.where.chief else None
        monitor = self.trainer.objective.monitor or self.task.monitor
        examples = _examples(self.validation)
        stopping = KeepBest(best, monitor, settings.patience, history, examples)
        if not self.where.chief:
            return [stopping]
        windows = int(self.validation.cardinality())
        return [
            # With new limits, if any: only now are they known to be of use, as nobody else trains
            # the run, and its checkpoint fits.
            keras.callbacks.LambdaCallback(
                on_train_begin=lambda _: run.write_config(self.config.to_json())
            ),
            stopping,
            Metrics(run.metrics_file, history),
            Curves(run.path / "plots" / "curves.png", history),
            TensorBoard(run.path / "logs"),
            *(
                [Progress(self.config.model, settings, position, windows, examples)]
                if verbose
                else []
            ),
        ]


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
