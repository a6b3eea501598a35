"""A Keras 3 / TensorFlow model zoo covering all sequence topologies.

The public face: `list_models`, `describe`, `create`, `fit`, `resume`, `evaluate`, `predict`,
`plot`, `generate`, `export`, `load`, `cell_card`, `compare_cells`, `list_recipes`, `reproduce`, and
`register` for new cells, topologies, tasks and models. TensorFlow is imported by the first of them
that needs it.
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
        plot,
        predict,
        resume,
    )
    from zoo.generating import generate
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
    "generate",
    "list_models",
    "list_recipes",
    "load",
    "plot",
    "predict",
    "register",
    "reproduce",
    "resume",
]
_LATER = dict.fromkeys(set(__all__) - {*globals()}, "zoo.api")
_LATER |= {"Run": "zoo.runs", "generate": "zoo.generating", "reproduce": "zoo.reproducing"}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
