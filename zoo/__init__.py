"""A Keras 3 / TensorFlow model zoo covering all sequence topologies.

The public face: `list_models`, `describe`, `create`, `fit`, `resume`, `evaluate`, `predict`,
`export`, `load`, `cell_card`, `compare_cells`, `list_recipes`, `reproduce`, and `register` for new
cells, topologies, tasks and models. TensorFlow is imported by the first of them that needs it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zoo.catalog import describe, list_models
from zoo.errors import UserError
from zoo.recipes import list_recipes
from zoo.registry import register

if TYPE_CHECKING:
    from zoo.api import (
        cell_card,
        compare_cells,
        create,
        evaluate,
        export,
        fit,
        load,
        predict,
        resume,
    )
    from zoo.reproducing import reproduce
    from zoo.runs import Run

__all__ = [
    "Run",
    "UserError",
    "cell_card",
    "compare_cells",
    "create",
    "describe",
    "evaluate",
    "export",
    "fit",
    "list_models",
    "list_recipes",
    "load",
    "predict",
    "register",
    "reproduce",
    "resume",
]
_LATER = set(__all__) - {*globals(), "Run"}


def __getattr__(name: str) -> Any:
    if name == "reproduce":
        return import_module("zoo.reproducing").reproduce
    if name in _LATER:
        return getattr(import_module("zoo.api"), name)
    if name == "Run":
        return import_module("zoo.runs").Run
    raise AttributeError(f"module 'zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
