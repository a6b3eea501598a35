"""The public face: a dozen functions, from a model's name to its SavedModel."""

import inspect
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from filelock import FileLock, Timeout

from zoo import registry
from zoo.catalog import describe
from zoo.cell_card import cell_card
from zoo.compare import compare_cells, summary
from zoo.errors import Interrupted, UserError
from zoo.exporting.saved_model import (
    check_target,
    export_saved_model,
    load_saved_model,
)
from zoo.inputs import read_input
from zoo.runs import Run, new_run, open_run
from zoo.task import Task
from zoo.topologies.base import SequenceModel
from zoo.training.callbacks import Curves, KeepBest, Metrics, Progress
from zoo.training.checkpoints import Checkpoint, Checkpoints, Position
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer

__all__ = [
    "cell_card",
    "compare_cells",
    "create",
    "evaluate",
    "export",
    "fit",
    "load",
    "predict",
    "resume",
    "summary",
]


def create(name: str, **overrides: Any) -> SequenceModel:
    """Build a model of the catalog.

    Args:
        name: as `list_models` gives it.
        **overrides: constructor arguments of its topology, such as `units=64` or `cell="gru"`.

    Returns:
        A built `keras.Model` with fresh weights.

    Raises:
        UserError: there is no such model, cell or argument.

    Example:
        >>> import zoo
        >>> model = zoo.create("char-lstm", vocab_size=50, units=16)
        >>> model(model.example_inputs(2, time=3)).shape
        TensorShape([2, 3, 50])
    """
    entry = registry.get("model", name)
    options = model_options(entry)
    accepted = _accepted(_builder(entry))
    for key in overrides:
        if key not in accepted:
            raise UserError(registry.unknown(f"option of {name}", key, accepted))
    options |= overrides
    if cell := options.get("cell"):
        registry.get("cell", cell)
    try:
        return _builder(entry)(**options)
    except (ValueError, TypeError) as error:
        raise UserError(f"cannot build {name}: {str(error).splitlines()[0]}") from error


def model_options(entry: registry.Entry) -> dict[str, Any]:
    """The constructor arguments that a model's entry sets."""
    cell = entry.info.get("cell")
    return {**entry.info.get("options", {}), **({"cell": cell} if cell else {})}


def _builder(entry: registry.Entry) -> Any:
    if entry.target is None:
        return registry.load("topology", entry.info["topology"])
    return registry.load("model", entry.name)


def _accepted(function: Any) -> set[str]:
    parameters = inspect.signature(function).parameters.values()
    return {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}


@dataclass(frozen=True)
class Plan:
    """A model's entry with a user's overrides sorted into what they speak of."""

    model: str
    options: dict[str, Any]
    task: str
    task_options: dict[str, Any]
    settings: Settings


def plan(name: str, overrides: dict[str, Any]) -> Plan:
    """Sort overrides into the model's options, the task's, and training settings.

    Raises:
        UserError: the model or an override is not known.
    """
    entry = registry.get("model", name)
    task_class = registry.load("task", entry.info["task"])
    known = {
        "training": {field.name for field in fields(Settings)},
        "task_options": _accepted(task_class) - {"dataset", "data_dir"},
        "options": _accepted(_builder(entry)),
    }
    defaults = describe(name)
    chosen: dict[str, dict[str, Any]] = {
        "training": dict(entry.info.get("training", {})),
        "options": model_options(entry),
        "task_options": dict(entry.info.get("task_options", {})),
    }
    for key, value in overrides.items():
        place = next((place for place, names in known.items() if key in names), None)
        if place is None:
            raise UserError(
                registry.unknown(f"option of {name}", key, set().union(*known.values()))
            )
        if place != "training":
            _check_type(key, value, defaults[place].get(key))
        chosen[place][key] = value
    if cell := chosen["options"].get("cell"):
        registry.get("cell", cell)
    settings = _settings(chosen["training"])
    return Plan(name, chosen["options"], entry.info["task"], chosen["task_options"], settings)


def _check_type(key: str, value: Any, default: Any) -> None:
    """That a value is of its default's kind; a list of strings where the default says nothing."""
    kinds: tuple[type, ...]
    if isinstance(default, (list, tuple)) or default is None:
        kinds = (list, tuple)
    else:
        kinds = (int, float) if isinstance(default, float) else (type(default),)
    if not isinstance(value, kinds) or isinstance(value, bool) != isinstance(default, bool):
        raise UserError(f"{key} is {value!r}, but {kinds[-1].__name__} is needed")


def _settings(values: dict[str, Any]) -> Settings:
    """Settings with each value turned to its field's type."""
    typed: dict[str, Any] = {}
    for field in fields(Settings):
        if field.name in values:
            kind, value = type(field.default), values[field.name]
            if kind is float and isinstance(value, int):
                value = float(value)
            if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
                raise UserError(f"{field.name} is {value!r}, but {kind.__name__} is needed")
            typed[field.name] = value
    return Settings(**typed)


def fit(
    name: str,
    dataset: str | None = None,
    data_dir: str | None = None,
    seed: int = 1,
    runs: str | Path = "runs",
    verbose: bool = True,
    **overrides: Any,
) -> Run:
    """Train a model of the catalog and write a run folder.

    Args:
        name: as `list_models` gives it.
        dataset: a tensorflow-datasets name, or a path where the task takes one; None for the
            task's bundled data set.
        data_dir: folder of prepared data sets.
        seed: of the weights, of dropout and of the order of the data; the same seed gives the
            same run on the same machine.
        runs: folder of all runs.
        verbose: show a progress bar.
        **overrides: options of the model (`units=64`), of its task, and of training (`epochs=3`).

    Returns:
        The run, its best weights kept.

    Raises:
        UserError: something that was asked for does not exist or cannot be.
        Interrupted: Ctrl-C or SIGTERM came; `resume` goes on from where it was.
    """
    if not 0 <= seed < 2**32:
        raise UserError(f"seed is {seed}, but 0 to {2**32 - 1} is needed")
    chosen = plan(name, overrides)
    task: Task = registry.load("task", chosen.task)(
        dataset=dataset, data_dir=data_dir, **chosen.task_options
    )
    for key in sorted(set(overrides) & set(task.model_options()) - set(chosen.task_options)):
        raise UserError(f"{key} cannot be set: the data decide it")
    options = {**chosen.options, **task.model_options()}
    # After the data are prepared, which may draw random numbers of its own.
    keras.utils.set_random_seed(seed)
    train = task.windows("train", chosen.settings, seed=seed)
    validation = task.windows("validation", chosen.settings)
    model = create(name, **options)
    trainer = Trainer(model, chosen.settings)
    config = {
        "model": name,
        "options": options,
        "task": chosen.task,
        "task_config": task.get_config(),
        "training": asdict(chosen.settings),
        "seed": seed,
    }
    run = new_run(runs, name, config)
    _train(run, trainer, task, train, validation, None, verbose)
    return run


def resume(run: Run | str | Path, verbose: bool = True) -> Run:
    """Go on with a run that was stopped, killed or cut off, from its newest checkpoint.

    It ends with the numbers that it would have ended with undisturbed. A run that has ended stays
    as it is.

    Args:
        run: a run or its folder.
        verbose: show a progress bar.

    Returns:
        The run.

    Raises:
        UserError: the folder is no run, holds another model's checkpoint, or is in use.
    """
    run = open_run(run.path if isinstance(run, Run) else run, trained=False)
    start, damaged = Checkpoints(run.checkpoints).newest()
    for line in damaged:
        print(line, file=sys.stderr)
    config = run.config
    task, settings = _task_and_settings(run)
    # In the order of `fit`, for a run that was killed before its first checkpoint.
    keras.utils.set_random_seed(config["seed"])
    train = task.windows("train", settings, seed=config["seed"])
    validation = task.windows("validation", settings)
    trainer = Trainer(create(config["model"], **config["options"]), settings)
    _train(run, trainer, task, train, validation, start, verbose)
    return run


def _train(
    run: Run,
    trainer: Trainer,
    task: Task,
    train: tf.data.Dataset,
    validation: tf.data.Dataset,
    start: Checkpoint | None,
    verbose: bool,
) -> None:
    position = start.position if start else Position()
    history = position.history
    callbacks = [
        KeepBest(run.weights, task.monitor, trainer.settings.patience, history),
        Metrics(run.metrics, history),
        Curves(run.path / "figures" / "curves.png", history),
        keras.callbacks.TensorBoard(str(run.path / "logs"), write_graph=False),
        *([Progress(run.config["model"], position, trainer.settings.steps)] if verbose else []),
    ]
    lock = FileLock(run.path / "lock")
    try:
        with lock.acquire(blocking=False):
            trainer.fit(train, validation, callbacks, Checkpoints(run.checkpoints), start)
    except Timeout as error:
        raise UserError(f"{run.path} is being trained by another process: wait for it") from error
    except Interrupted as error:
        raise Interrupted(error.number, f"zoo fit --resume {run.path}") from error


def load(run: Run | str | Path) -> SequenceModel:
    """The trained model of a run, with its best weights.

    Raises:
        UserError: the folder is not a run, or has no checkpoint.
    """
    return restore(run)[0]


def restore(run: Run | str | Path) -> tuple[SequenceModel, Task, Settings]:
    """A run's model with its best weights, its task and its settings."""
    run = open_run(run.path if isinstance(run, Run) else run)
    task, settings = _task_and_settings(run)
    model = create(run.config["model"], **run.config["options"])
    try:
        model.load_weights(str(run.weights))
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"cannot read the checkpoint {run.weights}: {error}") from error
    return model, task, settings


def _task_and_settings(run: Run) -> tuple[Task, Settings]:
    """As config.json has them, which also holds a model and its options."""
    config = run.config
    try:
        _ = config["model"], {**config["options"]}, config["seed"]
        task = registry.load("task", config["task"])(**config["task_config"])
        return task, Settings(**config["training"])
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{run.path}/config.json is damaged or of another version: {error}; fit the model anew"
        ) from error


def evaluate(
    run: Run | str | Path,
    split: str = "test",
    dataset: str | None = None,
    data_dir: str | None = None,
) -> dict[str, float]:
    """The figures of a run's task on a split.

    Args:
        run: a run or its folder.
        split: "train", "validation" or "test".
        dataset: another data set than the one it was trained on.
        data_dir: folder of prepared data sets, if not that of the training.

    Raises:
        UserError: the run or the data set cannot be read.
    """
    if split not in ("train", "validation", "test"):
        raise UserError(f"unknown split {split!r}: expected train, validation or test")
    model, task, settings = restore(run)
    task.dataset = dataset or task.dataset
    task.data_dir = data_dir or task.data_dir
    return task.score(model, split, settings)


def predict(run_or_export: Run | str | Path, *inputs: str) -> list[dict[str, Any]]:
    """Readable predictions for raw inputs.

    Args:
        run_or_export: a run, its folder, or the folder of an exported SavedModel.
        *inputs: text or paths, see `zoo.inputs.read_input`.

    Returns:
        For each input a dict with `text`, the answer, and whatever else the task tells, such as
        `probability`.

    Raises:
        UserError: the model or an input cannot be read.
    """
    if isinstance(run_or_export, Run) or not (Path(run_or_export) / "saved_model.pb").is_file():
        model, task, _ = restore(run_or_export)
        served, kind = task.endpoints(model)["serve"], task.input_kind
    else:
        # The object must outlive the calls: its variables die with it.
        exported, description = load_saved_model(run_or_export)
        served, kind = exported.serve, description["input"]
    raw = [read_input(kind, given) for given in inputs]
    # One at a time, as clips differ in length and size.
    return [_readable(served(tf.expand_dims(one, 0))) for one in raw]


def _readable(outputs: dict[str, Any]) -> dict[str, Any]:
    """The only row of each output as plain Python values."""
    return {key: _plain_python(value.numpy()[0]) for key, value in outputs.items()}


def _plain_python(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    listed = np.asarray(value).tolist()
    return [_plain_python(part) for part in listed] if isinstance(listed, list) else listed


def export(run: Run | str | Path, path: str | Path, overwrite: bool = False) -> Path:
    """Write a run's model as a SavedModel that takes raw input and gives readable output.

    Args:
        run: a run or its folder.
        path: the folder to write.
        overwrite: replace the export that is there.

    Returns:
        The path.

    Raises:
        UserError: the run cannot be read, or the path exists or cannot be written.
    """
    # Before the model is loaded, so that the answer comes at once.
    check_target(Path(path), overwrite)
    run = open_run(run.path if isinstance(run, Run) else run)
    model, task, _ = restore(run)
    return export_saved_model(model, task, path, run.config["model"], overwrite)
