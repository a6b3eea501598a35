"""Named things: cells, topologies, architectures, objectives, tasks, models and modalities.

A registration is *read* before it is *run*: the decorator's arguments are literals, so that a
listing needs to parse a source file but not to import it, and `zoo list` answers without
TensorFlow. Only `load` imports.
"""

import ast
import difflib
import importlib
import importlib.util
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar

from zoo.errors import UserError
from zoo.registry.source import argument_meanings, defaults_of, fields_of, meanings, source_file

KINDS = {
    "cell": "cells",
    "topology": "topologies",
    "architecture": "architectures",
    "objective": "objectives",
    "task": "tasks",
    "model": "models",
    "modality": "modalities",
}
_OWN_FOLDERS = {
    "cell": "cells",
    "architecture": "topologies",
    "objective": "training/objectives",
    "modality": "readers",
}

RUN_ARGUMENTS = frozenset(
    (
        "name",
        "dataset",
        "data_dir",
        "seed",
        "runs",
        "verbose",
        "devices",
        "start_from",
        "folds",
        "diagnose",
    )
)
"""Of `zoo.fit`, which are no options."""

SETTINGS = "zoo.training.settings:Settings"
"""What is set of every training."""

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """One registered thing.

    Attributes:
        kind: one of `KINDS`.
        name: what users call it.
        target: the thing itself, or `"module:attribute"` where it can be imported from, or None
            for a model of the catalog, which its architecture builds, and for a topology.
        summary: the first line of its docstring.
        info: the decorator's other arguments, such as `paper` or `topology`.
        parameters: the keyword arguments that make one, with their defaults; None where the
            default is no literal.
        source: the distribution that brings it.
    """

    kind: str
    name: str
    target: Any
    summary: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    source: str = "sequence-zoo"


_registered: dict[str, dict[str, Entry]] = {kind: {} for kind in KINDS}
_scanned: dict[str, dict[str, Entry]] = {}


def register(kind: str, name: str, **info: Any) -> Callable[[T], T]:
    """Register the decorated class or function under a name.

    Args:
        kind: "cell", "architecture", "objective", "task", "model" or "modality".
        name: the name users will type. A name of the same kind that another object holds already
            is refused.
        **info: literals that listings show and filter by: `paper` for a cell; `topology`, one of
            the five, and `example`, small values of its sizes, for an architecture; `topology`,
            `dataset`, `objective` (the name of its `objective_class`, if that is not
            "cross_entropy") and so on for a task; `topology`, `task`, `cell`, `options` (keyword
            arguments of the builder) and `training` for a model.

    Returns:
        The decorator. It returns what it decorates.

    Raises:
        ValueError: the kind is unknown, the name is taken, an architecture names no topology, or an
            option has a name that says something else already.

    Example:
        >>> @register("cell", "echo-cell")
        ... class Echo:
        ...     '''Says it again.'''
        >>> get("cell", "echo-cell").summary
        'Says it again.'
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}: expected one of {', '.join(KINDS)}")

    def decorate(thing: T) -> T:
        summary = (getattr(thing, "__doc__", None) or "").strip().split("\n")[0]
        entry = Entry(kind, name, thing, summary, info, _signature(thing), _top_package(thing))
        _check(entry)
        held = entries(kind).get(name)
        if held is not None and _address(held.target) != _address(thing):
            raise ValueError(_taken(held))
        _registered[kind][name] = entry
        return thing

    return decorate


def register_topology(name: str, summary: str) -> None:
    """Add one of the five topologies, see `zoo.topologies.roads`."""
    _registered["topology"][name] = Entry("topology", name, None, summary)


def register_model(name: str, summary: str, architecture: str, **info: Any) -> None:
    """Add a model that an architecture builds: the catalog's way, see `zoo.catalog`.

    Args:
        name: the name users will type.
        summary: what it is, in one line.
        architecture: the registered one that builds it, whose topology is the model's.
        **info: `task`, `cell`, `options`, `task_options`, `dataset` and `training`; and
            `objective`, the name of what it is trained for, if that is not its task's.

    Raises:
        ValueError: the name is taken; or the architecture, the task and its objective call
            different options by one name.
        UserError: there is no such architecture.
    """
    if name in _registered["model"]:
        raise ValueError(_taken(_registered["model"][name]))
    whole = {"topology": get("architecture", architecture).info["topology"], **info}
    whole["architecture"] = architecture
    entry = Entry("model", name, None, summary, whole)
    _check(entry)
    _registered["model"][name] = entry


def documentation(model: Entry) -> dict[str, str]:
    """Return what the settings of a model's task, training and objective mean, from the source."""
    task = get("task", model.info["task"])
    return {
        **argument_meanings(_address(task.target) or ""),
        **meanings(SETTINGS),
        **meanings(_address(objective_of(model).target) or ""),
    }


def objective_of(model: Entry) -> Entry:
    """Return what a model is trained for: its own objective, or else that of its task."""
    task = get("task", model.info["task"])
    usual = task.info.get("objective", "cross_entropy")
    return get("objective", model.info.get("objective", usual))


def builder_of(model: Entry) -> Entry:
    """Return what builds a model: its architecture, or itself where it is a function."""
    return model if model.target else get("architecture", model.info["architecture"])


def _check(entry: Entry) -> None:
    """Refuse what can be seen to be wrong of a registration.

    Raises:
        ValueError: it is.
    """
    importlib.import_module("zoo.topologies.roads")
    roads = ", ".join(_registered["topology"])
    if entry.kind == "topology":
        raise ValueError(
            f"the topologies are {roads}: register {entry.name} as "
            f'@register("architecture", {entry.name!r}, topology=ONE_OF_THEM), entry-point group '
            "zoo.architectures"
        )
    topology = entry.info.get("topology")
    if entry.kind == "architecture" and topology not in _registered["topology"]:
        raise ValueError(
            f"the architecture {entry.name} has the topology {topology!r}, but one of {roads} is "
            "needed"
        )
    if entry.kind in ("architecture", "task", "objective", "model"):
        own = {*entry.parameters} - ({"dataset", "data_dir"} if entry.kind == "task" else set())
        _refuse_shared(entry, own & (_setting_names() | RUN_ARGUMENTS), "a run")
    if entry.kind == "model":
        _check_model(entry)


def _check_model(model: Entry) -> None:
    """Refuse a model whose architecture, task and objective call options by one name.

    A task's option without a default is one that the data decide, for the model as well.
    """
    task = entries("task").get(model.info.get("task", ""))
    if task is None:
        return
    builder = builder_of(model)
    decided = {key for key, default in task.parameters.items() if default is None}
    _refuse_shared(model, {*builder.parameters} & {*task.parameters} - decided, task.name)
    objective = objective_of(model)
    others = {*builder.parameters} | {*task.parameters}
    _refuse_shared(model, others & {*objective.parameters}, objective.name)


def _refuse_shared(entry: Entry, shared: set[str], other: str) -> None:
    if shared:
        names = " and ".join(sorted(shared))
        raise ValueError(
            f"the {entry.kind} {entry.name} cannot have the option {names}, which is one of "
            f"{other}: call it something else"
        )


@cache
def _setting_names() -> frozenset[str]:
    """Return the names of the settings of all trainings."""
    return frozenset(fields_of(SETTINGS))


def entries(kind: str) -> dict[str, Entry]:
    """Return all entries of a kind by name, sorted; nothing heavy is imported."""
    if kind not in _scanned:
        discovered: dict[str, Entry] = {}
        for entry in _discover(kind):
            held = {**discovered, **_registered[kind]}.get(entry.name, entry)
            if _address(held.target) == _address(entry.target):
                discovered[entry.name] = entry
            else:
                _warn_left_out(entry.target, _taken(held))
        _scanned[kind] = discovered
    merged = {**_scanned[kind], **_registered[kind]}
    return {name: merged[name] for name in sorted(merged)}


def get(kind: str, name: str) -> Entry:
    """Return the entry of that name.

    Raises:
        UserError: there is none; the message names the nearest ones.
    """
    known = entries(kind)
    if name not in known:
        raise UserError(unknown(kind, name, known))
    return known[name]


def load(kind: str, name: str) -> Any:
    """Return the registered class or function itself, imported if need be."""
    target = get(kind, name).target
    if not isinstance(target, str):
        return target
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


def select(kind: str, pattern: str | None = None, **wanted: str | None) -> list[str]:
    """Return the names of a kind that match a wildcard and the given values of `info`.

    Args:
        kind: one of `KINDS`.
        pattern: a shell wildcard such as `"video*"`; None matches all.
        **wanted: values that `info` must hold; None matches all.
    """
    return [
        name
        for name, entry in entries(kind).items()
        if (pattern is None or fnmatchcase(name, pattern))
        and all(value is None or entry.info.get(key) == value for key, value in wanted.items())
    ]


def unknown(what: str, name: str, known: Any) -> str:
    """Return the message for a name that is not known, with the nearest ones.

    Example:
        >>> unknown("cell", "lstmm", ["gru", "lstm"])
        "unknown cell 'lstmm': did you mean lstm?"
    """
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.65)
    if near:
        return f"unknown {what} {name!r}: did you mean {' or '.join(near)}?"
    return f"unknown {what} {name!r}: known are {', '.join(known) or 'none'}"


def _discover(kind: str) -> Iterator[Entry]:
    """Find the entries of the zoo's own folders, then of installed packages."""
    if folder := _OWN_FOLDERS.get(kind):
        for path in sorted((Path(__file__).parents[1] / folder).glob("*.py")):
            yield from read_registrations(path, f"zoo.{folder.replace('/', '.')}.{path.stem}")
    if kind == "topology":
        importlib.import_module("zoo.topologies.roads")
    if kind == "model":
        for path in sorted((Path(__file__).parents[1] / "catalog" / "models").glob("[!_]*.py")):
            importlib.import_module(f"zoo.catalog.models.{path.stem}")
    for point in entry_points(group=f"zoo.{KINDS[kind]}"):
        try:
            yield from _from_entry_point(kind, point)
        except Exception as error:
            _warn_left_out(point.value, error)


def _from_entry_point(kind: str, point: EntryPoint) -> Iterator[Entry]:
    source = point.dist.name if point.dist else point.module
    for entry in read_registrations(source_file(point.module), point.module, source):
        if entry.target == f"{point.module}:{point.attr}":
            _check(entry)
        if entry.kind == kind and entry.target == f"{point.module}:{point.attr}":
            yield entry
            return
    raise ImportError(f"{point.attr} is not decorated with @register({kind!r}, ...)")


def read_registrations(path: Path, module: str, source: str = "sequence-zoo") -> Iterator[Entry]:
    """Yield the registrations that a source file makes, read without importing it."""
    source_tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in source_tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(
                    func=ast.Name("register") | ast.Attribute(attr="register"),
                    args=[ast.Constant(str(kind)), ast.Constant(str(name))],
                ) if kind in KINDS:
                    info = {k.arg: ast.literal_eval(k.value) for k in decorator.keywords if k.arg}
                    summary = (ast.get_docstring(node) or "").split("\n")[0]
                    yield Entry(
                        kind,
                        name,
                        f"{module}:{node.name}",
                        summary,
                        info,
                        defaults_of(node, source_tree),
                        source,
                    )


def _signature(thing: Any) -> dict[str, Any]:
    """Return the arguments that have a default, of a function or a class that was imported."""
    parameters = inspect.signature(thing).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _top_package(thing: Any) -> str:
    package = getattr(thing, "__module__", "").partition(".")[0]
    return "sequence-zoo" if package in ("zoo", "tasks") else package


def _address(target: Any) -> str | None:
    """Return the `"module:attribute"` of a target, imported or not; None for a catalog's model."""
    if target is None or isinstance(target, str):
        return target
    return f"{target.__module__}:{target.__qualname__}"


def _taken(held: Entry) -> str:
    return f"the {held.kind} name {held.name!r} is taken by {_address(held.target) or held.source}"


def _warn_left_out(plug_in: str, why: object) -> None:
    warnings.warn(f"the plug-in {plug_in} was left out: {why}", stacklevel=3)
