"""What can be diagnosed, told apart without TensorFlow: a mistake is answered at once."""

from pathlib import Path
from typing import Literal

from zoo import registry
from zoo.diagnostics.memory_tasks import TASKS
from zoo.errors import UserError
from zoo.pretrained import find, ready_models
from zoo.utils.files import check_not_empty

Kind = Literal["cell", "trained", "catalog"]


def kind_of(what: str | Path) -> Kind:
    """Return whether a name or path is that of a cell, a trained model or one of the catalog.

    A name of a cell is always the cell. A folder that is called so is `./lstm`.

    Raises:
        UserError: it is none.

    Example:
        >>> kind_of("lstm"), kind_of("char-lstm"), kind_of("video-lstm")
        ('cell', 'trained', 'catalog')
    """
    check_not_empty(**{"what to diagnose": what})
    name = str(what)
    if isinstance(what, str) and name in registry.entries("cell"):
        return "cell"
    catalog = registry.entries("model")
    if name in catalog and name not in ready_models() and not Path(name).exists():
        return "catalog"
    known = {*registry.entries("cell"), *catalog, *ready_models()}
    if len(Path(name).parts) == 1 and not Path(name).exists() and name not in known:
        raise UserError(registry.unknown("cell, model or run", name, sorted(known)))
    find(name)
    return "trained"


def check_sizes(memory_task: str, parameters: int, length: int, steps: int) -> None:
    """Refuse sizes that nothing can be measured with.

    Raises:
        UserError: one is too small, or there is no such test of memory.
    """
    if memory_task not in TASKS:
        raise UserError(registry.unknown("test of memory", memory_task, TASKS))
    shortest = max(2, TASKS[memory_task].least)
    for key, value, least in (
        ("parameters", parameters, 1),
        ("length", length, shortest),
        ("steps", steps, 0),
    ):
        if value < least:
            raise UserError(f"{key} is {value}, but at least {least} is needed")
