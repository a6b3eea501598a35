"""Fitting a model of the catalog, and going on with what was begun."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zoo import registry
from zoo.api.finetune import task_to_go_on
from zoo.api.folds import fit_folds, resume_folds
from zoo.api.load import config_of, folder_of
from zoo.api.run import Run, new_run, open_run
from zoo.api.training import Training, newest_checkpoint
from zoo.catalog.config import RunConfig, resolve
from zoo.errors import UserError
from zoo.task import is_whole
from zoo.training.replicas import replicas
from zoo.utils.files import as_texts, check_not_empty
from zoo.utils.hub import is_on_hub

LIMITS = ("epochs", "steps", "minutes", "patience")
"""Settings that a run may be resumed with."""


def fit(
    name: str,
    dataset: str | Path | None = None,
    data_dir: str | Path | None = None,
    seed: int = 1,
    runs: str | Path = "runs",
    verbose: bool = True,
    devices: int = 1,
    start_from: Run | str | Path | None = None,
    folds: int = 0,
    diagnose: bool = False,
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
        folds: 2 or more to judge the model by so many folds of a person's own data, and to train it
            on all of them then, see `zoo.api.folds`; 0 for one training with the usual splits.
        diagnose: measure before training and after each epoch how far back gradients reach, see
            `HorizonLog`; not of folds.
        **overrides: options of the model (`units=64`), of its task, and of training (`epochs=3`).

    Returns:
        The run, its best weights kept.

    Raises:
        UserError: something that was asked for does not exist or cannot be.
        Interrupted: Ctrl-C or SIGTERM came; `resume` goes on from where it was.
    """
    check_not_empty(dataset=dataset, data_dir=data_dir, runs=runs, start_from=start_from)
    dataset, data_dir = as_texts(dataset=dataset, data_dir=data_dir)
    base = config_of(start_from) if start_from else None
    start = _lasting_name(start_from) if start_from else None
    config = resolve(name, overrides, dataset, data_dir, seed, start, base)
    where = replicas(devices)
    where.rows(config.training.batch_size)
    if is_whole(str(overrides.get("fold", ""))):
        raise UserError("fold is set to all of the data: say folds=5, which judges the model, too")
    if folds and diagnose:
        raise UserError("diagnose is for one training, and folds are several: leave one out")
    if folds:
        return fit_folds(config, base, overrides, where, folds, runs, verbose)
    task = task_to_go_on(config, base) if base else config.make_task()
    suited = config.suited_to(task, overrides)
    if verbose and where.chief:
        _tell_suited(config, suited)
    config = suited.decided_by(task, overrides)
    trained = Training(config, task, where, diagnose)
    run = new_run(runs, config) if where.chief else Run(Path(runs) / name)
    trained.run(run, verbose)
    return run


def _lasting_name(start_from: Run | str | Path) -> str:
    """Return what a model to start from is called wherever the run is read again."""
    if is_on_hub(start_from):
        return str(start_from)
    return str(folder_of(start_from).absolute())


def _tell_suited(usual: RunConfig, suited: RunConfig) -> None:
    """Say on standard error what the data set otherwise than the catalog."""
    groups = (
        (asdict(usual.training), asdict(suited.training)),
        (usual.objective, suited.objective),
        (usual.options, suited.options),
    )
    changes = [
        f"{key}={value}"
        for before, after in groups
        for key, value in after.items()
        if key not in before or before[key] != value
    ]
    if changes:
        print(f"set to suit the data: {', '.join(changes)}", file=sys.stderr)


def resume(
    run: Run | str | Path,
    verbose: bool = True,
    devices: int = 1,
    diagnose: bool = False,
    **limits: int | float,
) -> Run:
    """Go on with a run that was stopped, killed or cut off, from its newest checkpoint.

    It ends with the numbers that it would have ended with undisturbed. A run that has ended stays
    as it is.

    Args:
        run: a run or its folder.
        verbose: show a progress bar.
        devices: as in `fit`.
        diagnose: as in `fit`.
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
    if run.folds_file.exists():
        changed = min(limits, default="diagnose" if diagnose else "")
        if changed:
            raise UserError(
                f"{run.path} has folds, which go on as they were begun: leave out {changed}"
            )
        return resume_folds(run, replicas(devices), verbose)
    newest_checkpoint(run)
    where = replicas(devices)
    config = run.config.with_limits(limits)
    Training(config, config.make_task(), where, diagnose).run(run, verbose)
    return open_run(run.path, trained=False)
