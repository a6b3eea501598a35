"""Fine-tuning: a run that starts from the weights of another model."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from zoo import registry
from zoo.catalog.config import RunConfig
from zoo.errors import UserError
from zoo.task import Task
from zoo.topologies.base import SequenceModel


def task_to_go_on(config: RunConfig, base: RunConfig) -> Task:
    """Make the task that a model was trained for, on other data.

    Tokens that only the new data have come after those that the model knows. Classes are those of
    the new data.

    Args:
        config: of the new run, resolved with that of the model to start from.
        base: the config of that model.
    """
    if config.dataset == base.dataset:
        return config.make_task()
    kind = registry.load("task", config.task)
    learned = {*kind.vocabularies, *kind.outcomes}
    unlearned = {key: value for key, value in config.task_options.items() if key not in learned}
    # Texts are cut as they were, also by a rule that the config of an older run does not name.
    before = base.make_task().get_config()
    if "tokenizer" in before:
        unlearned["tokenizer"] = unlearned.get("tokenizer") or before["tokenizer"]
    if "spaced" in before and unlearned.get("spaced") is None:
        unlearned["spaced"] = before["spaced"]
    fresh = replace(config, task_options=unlearned).make_task()
    options = fresh.get_config()
    for key in kind.vocabularies:
        old, new = config.task_options[key], options.get(key) if fresh.vocabularies_grow else None
        options[key] = list(dict.fromkeys([*old, *new])) if new else old
    return replace(config, task_options=options).make_task()


def take_weights(
    model: SequenceModel,
    base: SequenceModel,
    decided: dict[str, Any],
    anew: Collection[str] = Task.outcome_options,
) -> None:
    """Give a model the weights of another, whose vocabularies may be smaller.

    The rows or columns of new tokens, and a layer for another number of classes, stay as they
    started.

    Args:
        model: a new one.
        base: a trained one of the same structure.
        decided: the options of the new one that its data decided.
        anew: those whose numbers mean other things in other data, such as how many classes.

    Raises:
        UserError: they differ in more than vocabularies and classes.
    """
    old = base.get_config()
    changed = {
        key: (old.get(key), size)
        for key, size in decided.items()
        if isinstance(size, int) and old.get(key) != size
    }
    grown = {pair for key, pair in changed.items() if key not in anew}
    if len(base.variables) != len(model.variables):
        raise UserError("the model to start from has other layers: leave out what changes them")
    for one, other in zip(base.variables, model.variables):
        learned, weights = one.numpy(), np.array(other.numpy())
        sizes = {pair for pair in zip(learned.shape, weights.shape) if pair[0] != pair[1]}
        if learned.ndim != weights.ndim or not sizes <= {*changed.values()}:
            raise UserError(
                f"{other.path} has the shape {list(weights.shape)}, but {list(learned.shape)} in "
                "the model to start from: leave out what changes its sizes"
            )
        if sizes <= grown:
            weights[tuple(map(slice, learned.shape))] = learned
            other.assign(weights)
