"""The config of a run, as one value; and the one place where all that decides it is merged."""

import json
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import registry
from zoo.catalog.entries import (
    DATA,
    catalog_values,
    create,
    decided_by_data,
    defaults,
    known_options,
    objective_class,
)
from zoo.catalog.old_configs import options_before, sorted_settings
from zoo.catalog.options import checked, options_of
from zoo.errors import UserError
from zoo.training.settings import Settings
from zoo.utils.hub import is_on_hub

if TYPE_CHECKING:
    from zoo.task import Task
    from zoo.topologies.base import SequenceModel

FLAGS = ("epochs", "steps", "minutes", "cell")
"""What `zoo fit` has options of its own for."""


@dataclass(frozen=True)
class RunConfig:
    """All that decides a run, as plain values.

    Attributes:
        model: its name in the catalog.
        task: the name of its task.
        options: constructor arguments of the model.
        task_options: constructor arguments of the task, `dataset` and `data_dir` among them.
        training: how it is trained.
        objective: settings of the task's objective.
        seed: of the weights, of dropout and of the order of the data.
        start_from: the path of the model whose weights it starts from; None for none.
        decided: which `options` were decided by the data; None where that is not written down.
        asked: which `task_options` a user set, of those that else the data decide.
    """

    model: str
    task: str
    options: dict[str, Any] = field(default_factory=dict)
    task_options: dict[str, Any] = field(default_factory=dict)
    training: Settings = field(default_factory=Settings)
    objective: dict[str, Any] = field(default_factory=dict)
    seed: int = 1
    start_from: str | None = None
    decided: tuple[str, ...] | None = None
    asked: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # As they come back from JSON, so that a config equals what is read of its file.
        for name in ("options", "task_options", "objective"):
            object.__setattr__(self, name, _listed(getattr(self, name)))

    @property
    def dataset(self) -> str | None:
        """Name or path of the data set; None for the task's own."""
        return self.task_options.get("dataset")

    def to_json(self) -> dict[str, Any]:
        """Return JSON values, from which `from_json` makes it again."""
        values = asdict(self)
        values["task_config"] = values.pop("task_options")
        values["decided"] = None if self.decided is None else list(self.decided)
        values["asked"] = list(self.asked) or None
        return {key: value for key, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, values: Any, where: Path) -> "RunConfig":
        """Read the config of a run or an export, of this version or of one before.

        Args:
            values: as `to_json` gave them.
            where: the file that they were read from, for messages.

        Raises:
            UserError: something is missing, or of another version, or a plug-in is not installed.
        """
        try:
            entry = registry.get("model", values["model"])
            task_class = registry.load("task", values["task"])
            known = {group: set(names) for group, names in known_options(entry, task_class).items()}
            training, objective = sorted_settings(
                values["training"], values.get("objective"), known
            )
            task_options = dict(values["task_config"])
            if any(task_options.get(key) for key in task_class.vocabularies):
                task_options = {**task_class.once, **task_options}
            for key in {*task_options} - known["task_options"] - {*DATA}:
                raise KeyError(f"unknown option {key!r} of the task {values['task']}")
            decided = values.get("decided")
            return cls(
                model=values["model"],
                task=values["task"],
                options={**options_before(entry), **values["options"]},
                task_options=task_options,
                training=_settings(training),
                objective=_objective(entry, objective),
                seed=values["seed"],
                start_from=values.get("start_from"),
                decided=None if decided is None else tuple(decided),
                asked=tuple(values.get("asked", ())),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"{where} is damaged or of another version: {error}; fit the model anew"
            ) from error

    def make_task(self) -> "Task":
        """Make the task, which reads its data if these have not decided its options yet."""
        task = registry.load("task", self.task)(**self.task_options)
        task.objective_class = objective_class(registry.get("model", self.model))
        task.objective_options = dict(self.objective)
        return task

    def make_model(self) -> "SequenceModel":
        """Build the model, with fresh weights."""
        return create(self.model, **self.options)

    def suited_to(self, task: "Task", overrides: Iterable[str] = ()) -> "RunConfig":
        """Return the config with what suits the data better than the catalog's defaults.

        Args:
            task: made from this config.
            overrides: names of the options that a user set, which stay.
        """
        known = known_options(registry.get("model", self.model), type(task))
        suited = {} if self.start_from else task.suited_options()
        groups: dict[str, dict[str, Any]] = {
            group: {
                key: checked(key, value, known[group][key])
                for key, value in suited.items()
                if key in known[group] and key not in {*overrides}
            }
            for group in ("options", "training", "objective")
        }
        config = self.with_limits(groups["training"]) if groups["training"] else self
        return replace(
            config,
            options={**self.options, **groups["options"]},
            objective={**self.objective, **groups["objective"]},
        )

    def decided_by(self, task: "Task", overrides: Iterable[str] = ()) -> "RunConfig":
        """Return the config with what the data decide, such as the size of a vocabulary.

        Args:
            task: made from this config.
            overrides: names of the options that a user set.

        Raises:
            UserError: one of these is for the data to decide.
        """
        options = task.model_options()
        for key in sorted({*overrides} & {*options} - {*self.task_options}):
            raise UserError(f"{key} cannot be set: the data decide it")
        return replace(
            self,
            options={**self.options, **options},
            task_options=task.get_config(),
            decided=tuple(options),
            asked=tuple(sorted({*overrides} & decided_by_data(task))),
        )

    def with_limits(self, limits: Mapping[str, Any]) -> "RunConfig":
        """Return the config with other settings of training, such as more `epochs`."""
        return replace(self, training=_settings({**asdict(self.training), **limits}))

    def differences(self, other: "RunConfig") -> Iterator[tuple[str, Any, Any]]:
        """Yield what another config sets otherwise; what the data decide is left aside.

        Yields:
            The option's name, its value here, and that of the other.
        """
        decided = {*DATA, *self.decided_options()}
        for mine, others in (
            (asdict(self.training), asdict(other.training)),
            (self.objective, other.objective),
            (self.options, other.options),
            (self.task_options, other.task_options),
        ):
            for key in (key for key in others if key not in decided):
                value = mine.get(key, others[key])
                if value != others[key]:
                    yield key, value, others[key]

    def decided_options(self, task: "Task | None" = None) -> tuple[str, ...]:
        """Return which options of the model the data decided.

        Args:
            task: made from this config, if there is one already: a run of before says it nowhere.
        """
        if self.decided is not None:
            return self.decided
        return tuple((task or self.make_task()).model_options())

    def portable(self) -> "RunConfig":
        """Return the config without what holds only on the machine where it was trained."""
        start = self.start_from
        if start and not is_on_hub(start):
            start = Path(start).name
        return replace(self, task_options={**self.task_options, "data_dir": None}, start_from=start)

    def without_paths(self) -> "RunConfig":
        """Return the portable config with the name of a person's data in place of their path."""
        if not self.dataset or not Path(self.dataset).is_absolute():
            return self.portable()
        named = {**self.task_options, "dataset": Path(self.dataset).name}
        return replace(self, task_options=named).portable()

    def to_command(self, task: "Task | None" = None) -> str:
        """Return the `zoo fit` that makes this run again, with all that is not as by default.

        Args:
            task: made from this config, if there is one already.
        """
        usual = defaults(registry.get("model", self.model))
        decided = decided_by_data(registry.load("task", self.task)) - {*self.asked}
        words = ["zoo", "fit", self.model, "--seed", str(self.seed)]
        if self.dataset not in (None, self.usual_dataset):
            words += ["--dataset", str(self.dataset)]
        if directory := self.task_options.get("data_dir"):
            words += ["--data-dir", directory]
        if self.start_from:
            words += ["--from", self.start_from]
        for key, value in [
            *_changed(asdict(self.training), usual["training"]),
            *_changed(self.objective, usual["objective"]),
            *_changed(self.options, usual["options"], self.decided_options(task)),
            *_changed(self.task_options, usual["task_options"], {*DATA, *decided}),
        ]:
            if key == "fold" and value.startswith("all/"):
                words += ["--folds", value.removeprefix("all/")]
            elif key in FLAGS:
                words += [f"--{key}", _written(value)]
            else:
                words += ["--set", f"{key}={_written(value)}"]
        return shlex.join(words)

    @property
    def usual_dataset(self) -> str:
        """Return the data set that the model is trained on where none is named."""
        usual = registry.get("model", self.model).info.get("dataset")
        return usual or registry.load("task", self.task).default_dataset


def resolve(
    name: str,
    overrides: Mapping[str, Any] | None = None,
    dataset: str | None = None,
    data_dir: str | None = None,
    seed: int = 1,
    start_from: str | None = None,
    base: RunConfig | None = None,
) -> RunConfig:
    """Return the config of a run, from the catalog's defaults and what a user sets.

    What the data decide is added by `decided_by`, once they are read.

    Args:
        name: of a model, as `list_models` gives it.
        overrides: options by name: of training, of the objective, of the task, of the model.
        dataset: name or path of the data; None for those of `base`, or of the catalog.
        data_dir: folder of prepared data sets.
        seed: of the weights, of dropout and of the order of the data.
        start_from: the path of the model to start from.
        base: the config of that one, whose options hold where nothing else is set; of the same
            model, or of one of the same architecture, task and cell.

    Raises:
        UserError: the model or an override is not known, or is of a wrong type or out of range.
    """
    entry = registry.get("model", name)
    if base and base.model != name:
        if not _same_kind(entry, base.model):
            raise UserError(f"{start_from} is of {base.model}, not of {name}: name the same model")
        # Another model of the catalog has data of its own.
        dataset = entry.info.get("dataset") if dataset is None else dataset
    if not 0 <= seed < 2**32:
        raise UserError(f"seed is {seed}, but 0 to {2**32 - 1} is needed")
    task_class = registry.load("task", entry.info["task"])
    chosen = catalog_values(entry)
    if base:
        chosen["options"] |= base.options
        chosen["task_options"] = dict(base.task_options)
    known = known_options(entry, task_class)
    for key, value in (overrides or {}).items():
        group = next((group for group, options in known.items() if key in options), None)
        if group is None:
            raise UserError(
                registry.unknown(f"option of {name}", key, set().union(*known.values()))
            )
        chosen[group][key] = checked(key, value, known[group][key])
    if cell := chosen["options"].get("cell"):
        registry.get("cell", cell)
    usual = chosen["task_options"].get("dataset", entry.info.get("dataset"))
    return RunConfig(
        model=name,
        task=entry.info["task"],
        options=chosen["options"],
        task_options={
            **chosen["task_options"],
            "dataset": usual if dataset is None else dataset,
            "data_dir": data_dir,
        },
        training=_settings(chosen["training"]),
        objective=_objective(entry, chosen["objective"]),
        seed=seed,
        start_from=start_from,
    )


def _same_kind(entry: registry.Entry, other: str) -> bool:
    """Return whether a model of the catalog is built as another is, for the same task."""
    theirs = registry.entries("model").get(other)
    parts = ("architecture", "task", "cell")
    return theirs is not None and all(
        entry.info.get(part) == theirs.info.get(part) is not None for part in parts
    )


def made_task(config: RunConfig, where: Path) -> "Task":
    """Make the task of a run or an export that was read.

    Args:
        config: the run's.
        where: the file that it was read from, for messages.

    Raises:
        UserError: its options do not make one.
    """
    try:
        return config.make_task()
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{where} is damaged or of another version: {error}; fit the model anew"
        ) from error


def _settings(values: Mapping[str, Any]) -> Settings:
    """Return settings, each value turned to its field's type."""
    known = options_of(Settings)
    return Settings(**{key: checked(key, value, known[key]) for key, value in values.items()})


def _objective(entry: registry.Entry, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return all settings of a model's objective, each value turned to its field's type."""
    kind = objective_class(entry)
    known = options_of(kind)
    return asdict(kind(**{key: checked(key, value, known[key]) for key, value in values.items()}))


def _changed(
    values: Mapping[str, Any], usual: Mapping[str, Any], decided: Collection[str] = ()
) -> list[tuple[str, Any]]:
    """Return what is not as by default; what the data decided is not a user's choice."""
    return [
        (key, value)
        for key, value in values.items()
        if key not in decided and _written(value) != _written(usual.get(key))
    ]


def _written(value: Any) -> str:
    """Return a value as `--set` reads it: as JSON, or a text that is none as it is."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return value
    return json.dumps(value, ensure_ascii=False)


def _listed(value: Any) -> Any:
    """Return the same values with lists for tuples, as JSON has them."""
    if isinstance(value, Mapping):
        return {key: _listed(each) for key, each in value.items()}
    return [_listed(each) for each in value] if isinstance(value, list | tuple) else value
