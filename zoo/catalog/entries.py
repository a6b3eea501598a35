"""The defaults that the entry of a model sets, and all options that it has."""

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from zoo import registry
from zoo.catalog.options import Option, options_of
from zoo.errors import UserError
from zoo.training.settings import Settings

if TYPE_CHECKING:
    from zoo.topologies.base import SequenceModel

DATA = ("dataset", "data_dir")
"""Arguments of a task that say where its data are."""


def defaults(entry: registry.Entry) -> dict[str, dict[str, Any]]:
    """Return all that can be set of a model, with its defaults; imports no TensorFlow.

    Returns:
        `options`, `task_options`, `objective` and `training`, each a dict of defaults by name.
    """
    chosen = catalog_values(entry)
    builder = registry.builder_of(entry)
    task = registry.get("task", entry.info["task"])
    known = {
        "options": builder.parameters,
        "task_options": {key: value for key, value in task.parameters.items() if key not in DATA},
        "objective": registry.objective_of(entry).parameters,
        "training": asdict(Settings()),
    }
    return {group: {**values, **chosen[group]} for group, values in known.items()}


def create(name: str, **overrides: Any) -> "SequenceModel":
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
    builder = _builder(entry)
    known = options_of(builder)
    for key in overrides:
        if key not in known:
            raise UserError(registry.unknown(f"option of {name}", key, known))
    options = catalog_values(entry)["options"] | overrides
    if cell := options.get("cell"):
        registry.get("cell", cell)
    try:
        return builder(**options)
    except (ValueError, TypeError) as error:
        raise UserError(f"cannot build {name}: {str(error).splitlines()[0]}") from error


def catalog_values(entry: registry.Entry) -> dict[str, dict[str, Any]]:
    """Return what a model's entry sets, by what it speaks of."""
    info = entry.info
    own = {each.name for each in fields(Settings)}
    training = info.get("training", {})
    cell = {"cell": info["cell"]} if info.get("cell") else {}
    return {
        "training": {key: value for key, value in training.items() if key in own},
        "objective": {key: value for key, value in training.items() if key not in own},
        "task_options": dict(info.get("task_options", {})),
        "options": {**info.get("options", {}), **cell},
    }


def known_options(entry: registry.Entry, task_class: Any) -> dict[str, dict[str, Option]]:
    """Return what can be set of a model, by what it speaks of.

    Raises:
        UserError: the task and the model call an option by one name that the data do not decide.
    """
    task_options, options = options_of(task_class, without=DATA), options_of(_builder(entry))
    if shared := {*task_options} & {*options} - decided_by_data(task_class):
        raise UserError(
            f"the model {entry.name} and its task both have the option {min(shared)}, of which "
            "only one could be set: one of them has to call it something else"
        )
    return {
        "training": options_of(Settings),
        "objective": options_of(objective_class(entry)),
        "task_options": task_options,
        "options": options,
    }


def objective_class(entry: registry.Entry) -> Any:
    """Return what a model is trained for, a subclass of `zoo.training.objectives.Objective`."""
    own = entry.info.get("objective")
    task_class = registry.load("task", entry.info["task"])
    return registry.load("objective", own) if own else task_class.objective_class


def decided_by_data(task_class: Any) -> set[str]:
    """Return the options of a task that the data decide where they are not set."""
    return {*task_class.vocabularies, *task_class.outcomes, *task_class.learned}


def _builder(entry: registry.Entry) -> Any:
    builder = registry.builder_of(entry)
    return registry.load(builder.kind, builder.name)
