"""A Keras 3 / TensorFlow model zoo covering all sequence topologies.

The public face: `list_models`, `ready_models`, `describe`, `create`, `fit`, `resume`, `evaluate`,
`predict`, `plot`, `generate`, `export`, `load`, `verify`, `open_stream`, `import_torch`,
`import_keras`, `cell_card`, `compare_cells`, `list_recipes`, `reproduce`, and `register` for new
cells, topologies, tasks and models. TensorFlow is imported by the first of them that needs it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zoo.catalog import describe, list_models
from zoo.errors import UserError
from zoo.ready import ready_models
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
    from zoo.importing.keras_layers import import_keras
    from zoo.importing.torch_layers import import_torch
    from zoo.reproducing import reproduce
    from zoo.runs import Run
    from zoo.streaming import open_stream
    from zoo.verifying import verify

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
    "import_keras",
    "import_torch",
    "list_models",
    "list_recipes",
    "load",
    "open_stream",
    "plot",
    "predict",
    "ready_models",
    "register",
    "reproduce",
    "resume",
    "verify",
]
_LATER = dict.fromkeys(set(__all__) - {*globals()}, "zoo.api")
_LATER |= {
    "Run": "zoo.runs",
    "generate": "zoo.generating",
    "import_keras": "zoo.importing.keras_layers",
    "import_torch": "zoo.importing.torch_layers",
    "open_stream": "zoo.streaming",
    "reproduce": "zoo.reproducing",
    "verify": "zoo.verifying",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
