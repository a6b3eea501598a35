"""Folds: a model judged on all of a small data set, and then trained on all of it.

`runs/NAME/<n>/folds/<k>/` is the run of each fold, which is held out for its test; the folder
itself is the run of a model that learned from all. That one stops after as many epochs as the
folds' best ones were on average, as it has no validation. `folds.json` holds what the folds told.
"""

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo import registry
from zoo.api.finetune import task_to_go_on
from zoo.api.run import Run, new_run, open_run
from zoo.api.training import Training
from zoo.catalog.config import RunConfig
from zoo.catalog.entries import known_options
from zoo.errors import UserError
from zoo.task import Task
from zoo.training.folds import Folds
from zoo.training.replicas import Replicas


def fit_folds(
    config: RunConfig,
    base: RunConfig | None,
    overrides: Iterable[str],
    where: Replicas,
    count: int,
    runs: str | Path,
    verbose: bool,
) -> Run:
    """Train a model on each of some folds, and one on all of the data.

    Args:
        config: of the run, without what the data decide.
        base: that of the model to start from, if there is one.
        overrides: names of the options that a user set.
        where: the replicas that it runs on.
        count: of folds.
        runs: folder of all runs.
        verbose: show how it goes.

    Raises:
        UserError: the task has no folds, there are fewer than two, or a fold is set as well; there
            are several workers; or the data are too few.
    """
    _check(config, overrides, where, count)
    whole, task = _in_fold(config, base, overrides, f"all/{count}", None)
    folds = [
        _in_fold(config, base, overrides, f"{number}/{count}", whole)
        for number in range(1, count + 1)
    ]
    run = new_run(runs, whole)
    Folds(count, [], [], _has_test(task, whole)).write(run)
    for number, (each, _) in enumerate(folds, start=1):
        path = run.folds / str(number)
        (path / "checkpoints").mkdir(parents=True)
        Run(path).write_config(each.to_json())
    return resume_folds(run, where, verbose, [*(own for _, own in folds), task])


def resume_folds(run: Run, where: Replicas, verbose: bool, tasks: Iterable[Task] = ()) -> Run:
    """Train what is left of a run with folds.

    Args:
        run: the run.
        where: the replicas that it runs on.
        verbose: show how it goes.
        tasks: those of its folds and of all data that are made already.

    Raises:
        UserError: its folder is damaged.
        Interrupted: Ctrl-C or SIGTERM came.
    """
    ready = {task.fold: task for task in tasks}

    def training_of(config: RunConfig) -> Training:
        task = ready.get(config.task_options["fold"]) or config.make_task()
        return Training(config, task, where)

    folds = Folds.of(run)
    for number in range(len(folds.metrics) + 1, folds.count + 1):
        fold = open_run(run.folds / str(number), trained=False)
        _say(f"fold {number} of {folds.count}", verbose)
        training = training_of(fold.config)
        folds.best_epochs.append(training.run(fold, verbose, whole=run))
        task, model = training.task, fold.restore_model()
        folds.metrics.append(task.score(model, "test", training.config.training))
        folds.write(run)
    _say(f"all of the data, up to epoch {folds.epochs}, as the folds say", verbose)
    training_of(run.config).run(run, verbose, folds.epochs)
    return open_run(run.path)


def summary_of_folds(run: Run, split: str) -> dict[str, Any] | None:
    """Return what `zoo.evaluate` tells of a model that learned from all: the figures of its folds.

    Returns:
        None where the model is to be measured itself: it has no folds, or a test of its own.

    Raises:
        UserError: it has not been trained yet.
    """
    if split != "test" or not run.folds_file.exists():
        return None
    folds = Folds.of(run)
    if folds.own_test:
        return None
    if len(folds.metrics) < folds.count:
        raise UserError(
            f"the run {run.path} has {len(folds.metrics)} of its {folds.count} folds: go on with "
            f"`zoo fit --resume {run.path}`"
        )
    return folds.summary()


def _check(config: RunConfig, overrides: Iterable[str], where: Replicas, count: int) -> None:
    entry, task_class = registry.get("model", config.model), registry.load("task", config.task)
    if "fold" not in known_options(entry, task_class)["task_options"]:
        raise UserError(
            f"{config.model} has no folds: they are for models that name one class for each input, "
            "such as sequence-gru, text-bilstm-attention or digits-cnn"
        )
    if count < 2:
        raise UserError(f"folds is {count}, but 2 or more are needed")
    if "fold" in overrides:
        raise UserError("fold is set, but folds fits a model on each of them: leave one out")
    if where.workers > 1:
        raise UserError("folds are trained one after the other: name one machine only")


def _in_fold(
    config: RunConfig,
    base: RunConfig | None,
    overrides: Iterable[str],
    fold: str,
    whole: RunConfig | None,
) -> tuple[RunConfig, Task]:
    """Return the config of a model on a fold, with what its data decide, and its task.

    Which classes there are does not depend on the fold.
    """
    options = {**config.task_options, "fold": fold}
    if whole:
        options["classes"] = whole.task_options["classes"]
    config = replace(config, task_options=options)
    task = task_to_go_on(config, base) if base else config.make_task()
    return config.suited_to(task, overrides).decided_by(task, overrides), task


def _has_test(task: Task, config: RunConfig) -> bool:
    try:
        task.windows("test", config.training)
    except UserError:
        return False
    return True


def _say(line: str, verbose: bool) -> None:
    if verbose:
        print(line, file=sys.stderr)
