"""From a model's name and what a user overrides to all that is needed to build and train it."""

import inspect
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from zoo import registry
from zoo.catalog import describe
from zoo.errors import UserError
from zoo.task import Task
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings


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
        return registry.load("topology", registry.builder_of(entry))
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
    dataset: str | None = None


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
            value = _typed(key, value, defaults[place].get(key))
        chosen[place][key] = value
    if cell := chosen["options"].get("cell"):
        registry.get("cell", cell)
    settings = settings_from(chosen["training"])
    return Plan(
        name,
        chosen["options"],
        entry.info["task"],
        chosen["task_options"],
        settings,
        entry.info.get("dataset"),
    )


def _typed(key: str, value: Any, default: Any) -> Any:
    """A value of its default's kind: a list where that says nothing; for a text also an integer.

    Raises:
        UserError: it is of another kind.
    """
    kinds: tuple[type, ...]
    if isinstance(default, str) and type(value) is int:
        return str(value)
    if isinstance(default, (list, tuple)) or default is None:
        kinds = (list, tuple)
    else:
        kinds = (int, float) if isinstance(default, float) else (type(default),)
    if not isinstance(value, kinds) or isinstance(value, bool) != isinstance(default, bool):
        raise UserError(f"{key} is {value!r}, but {kinds[-1].__name__} is needed")
    return value


def settings_from(values: dict[str, Any]) -> Settings:
    """Settings with each value turned to its field's type."""
    typed: dict[str, Any] = {}
    for field in fields(Settings):
        if field.name in values:
            default = {} if field.default is MISSING else field.default
            kind, value = type(default), values[field.name]
            if kind is float and isinstance(value, int):
                value = float(value)
            if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
                raise UserError(f"{field.name} is {value!r}, but {kind.__name__} is needed")
            typed[field.name] = value
    return Settings(**typed)


def task_and_settings(config: dict[str, Any], path: Path) -> tuple[Task, Settings]:
    """As the config of a run or an export has them, which also holds a model and its options.

    Raises:
        UserError: something is missing, or of another version; `path` is where it was read.
    """
    try:
        _ = config["model"], {**config["options"]}, config["seed"]
        task = registry.load("task", config["task"])(**config["task_config"])
        return task, Settings(**config["training"])
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{path} is damaged or of another version: {error}; fit the model anew"
        ) from error
