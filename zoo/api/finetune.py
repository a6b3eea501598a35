"""Fine-tuning: a run that starts from the weights of another model."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from zoo import registry
from zoo.catalog.config import Plan
from zoo.errors import UserError
from zoo.task import Task
from zoo.topologies.base import SequenceModel

_ANEW = ("classes", "outputs")
"""Options whose numbers mean other things in other data."""


def task_to_go_on(
    plan: Plan,
    base: dict[str, Any],
    given: Iterable[str],
    dataset: str | None,
    data_dir: str | None,
) -> Task:
    """The task that a model was trained for, on other data.

    Tokens that only the new data have come after those that the model knows. Classes are those of
    the new data.

    Args:
        plan: what is asked for.
        base: the config of the model to start from, whose options hold where nothing else is given.
        given: names of the options that are given.
        dataset: the new data; None for those that it was trained on.
        data_dir: folder of prepared data sets.
    """
    kind = registry.load("task", plan.task)
    changed = {key: plan.task_options[key] for key in given if key in plan.task_options}
    same = {**base["task_config"], "data_dir": data_dir, **changed}
    if dataset is None or dataset == same["dataset"]:
        return kind(**same)
    learned = {*kind.vocabularies, *kind.outcomes}
    fresh = kind(**{k: v for k, v in same.items() if k not in learned} | {"dataset": dataset})
    found = fresh.get_config()
    for key in kind.vocabularies:
        # Pieces of words have an order of their own, and spell any word.
        if base["task_config"].get("unit") != "subword" and found.get(key):
            found[key] = list(dict.fromkeys([*same[key], *found[key]]))
        else:
            found[key] = same[key]
    return kind(**found)


def take_weights(model: SequenceModel, base: SequenceModel, decided: dict[str, Any]) -> None:
    """Give a model the weights of another, whose vocabularies may be smaller.

    The rows or columns of new tokens, and a layer for another number of classes, stay as they
    started.

    Args:
        model: a new one.
        base: a trained one of the same structure.
        decided: the options of the new one that its data decided.

    Raises:
        UserError: they differ in more than vocabularies and classes.
    """
    old = base.get_config()
    changed = {
        key: (old.get(key), size)
        for key, size in decided.items()
        if isinstance(size, int) and old.get(key) != size
    }
    grown = {pair for key, pair in changed.items() if key not in _ANEW}
    if len(base.variables) != len(model.variables):
        raise UserError("the model to start from has other layers: leave out what changes them")
    for one, other in zip(base.variables, model.variables):
        given, kept = one.numpy(), np.array(other.numpy())
        sizes = {pair for pair in zip(given.shape, kept.shape) if pair[0] != pair[1]}
        if given.ndim != kept.ndim or not sizes <= {*changed.values()}:
            raise UserError(
                f"{other.path} has the shape {list(kept.shape)}, but {list(given.shape)} in the "
                "model to start from: leave out what changes its sizes"
            )
        if sizes <= grown:
            kept[tuple(map(slice, given.shape))] = given
            other.assign(kept)
