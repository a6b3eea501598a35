"""Every ready-made model, one entry each, in a file a kind of task. Imports no TensorFlow.

`architecture` is what builds the model, which says by which topology inputs and outputs go.
`options` are its constructor arguments, `task_options` those of the task, and `training` fields of
`zoo.training.settings.Settings` or of the task's objective. What is not said is left at its
default. Sizes that the data decide, such as `vocab_size`, are those of the bundled data set.
"""

from typing import Any

from zoo import registry
from zoo.catalog.entries import defaults


def list_models(
    topology: str | None = None,
    task: str | None = None,
    cell: str | None = None,
    name: str | None = None,
) -> list[str]:
    """Return the names of the models that match every argument, sorted.

    Args:
        topology: such as "many_to_one".
        task: such as "tagging".
        cell: such as "lstm".
        name: a wildcard, such as "video*".

    Raises:
        UserError: there is no such topology, task or cell.

    Example:
        >>> list_models(topology="one_to_one", name="*-cnn")
        ['digits-cnn']
    """
    for kind, choice in (("topology", topology), ("task", task), ("cell", cell)):
        if choice is not None:
            registry.get(kind, choice)
    return registry.select("model", name, topology=topology, task=task, cell=cell)


def describe(name: str) -> dict[str, Any]:
    """Return what a model is and all that can be set, with defaults, as plain values.

    Returns:
        `name`, `summary`, `source`, `topology`, `task`, `cell`; and `options` of the model,
        `task_options`, `objective` and `training`, which `create` and `fit` can override. Sizes
        that the data decide are set by `fit` from the data. `documentation` says what the options
        of the task and the settings of training and of the objective mean.

    Raises:
        UserError: there is no such model; the message names the nearest ones.

    Example:
        >>> describe("char-lstm")["topology"]
        'many_to_many'
    """
    entry = registry.get("model", name)
    return {
        "name": name,
        "summary": entry.summary,
        "source": entry.source,
        "topology": entry.info["topology"],
        "task": entry.info["task"],
        "cell": entry.info.get("cell"),
        **defaults(entry),
        "documentation": registry.documentation(entry),
    }
