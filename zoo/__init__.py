"""A Keras 3 / TensorFlow model zoo covering all sequence topologies.

The public face: `list_models`, `ready_models`, `describe`, `create`, `fit`, `resume`, `evaluate`,
`predict`, `plot`, `generate`, `generate_pictures`, `export`, `load`, `verify`, `open_stream`,
`import_torch`, `import_keras`, `accelerate`, `cell_card`, `compare_cells`, `list_recipes`,
`reproduce`, `diagnose`, `report`, `compare_runs`, `Recurrence`, and `register` for new cells,
topologies, tasks and models. TensorFlow is imported by the first of them that needs it.
"""

from typing import TYPE_CHECKING

from zoo.catalog import describe, list_models
from zoo.catalog.recipes import list_recipes
from zoo.errors import UserError
from zoo.pretrained import ready_models
from zoo.registry import register
from zoo.utils.keras_files import help_keras as _help_keras
from zoo.utils.lazy import lazy_face as _lazy_face

if TYPE_CHECKING:
    from zoo.api.diagnose import diagnose
    from zoo.api.evaluate import evaluate
    from zoo.api.export import export
    from zoo.api.fit import fit, resume
    from zoo.api.generate import generate, generate_pictures
    from zoo.api.load import load
    from zoo.api.plot import plot
    from zoo.api.predict import predict
    from zoo.api.report import compare_runs, report
    from zoo.api.reproduce import reproduce
    from zoo.api.run import Run
    from zoo.api.stream import open_stream
    from zoo.api.verify import verify
    from zoo.catalog.config import create
    from zoo.diagnostics.compare_cells import compare_cells
    from zoo.diagnostics.cost import cell_card
    from zoo.importing.keras_layers import import_keras
    from zoo.importing.torch_layers import import_torch
    from zoo.layers.accelerate import accelerate
    from zoo.recurrence import Recurrence

__all__ = [
    "Recurrence",
    "Run",
    "UserError",
    "accelerate",
    "cell_card",
    "compare_cells",
    "compare_runs",
    "create",
    "describe",
    "diagnose",
    "evaluate",
    "export",
    "fit",
    "generate",
    "generate_pictures",
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
    "report",
    "reproduce",
    "resume",
    "verify",
]
_LAZY = {
    "Recurrence": "zoo.recurrence",
    "Run": "zoo.api.run",
    "accelerate": "zoo.layers.accelerate",
    "cell_card": "zoo.diagnostics.cost",
    "compare_cells": "zoo.diagnostics.compare_cells",
    "compare_runs": "zoo.api.report",
    "create": "zoo.catalog.config",
    "diagnose": "zoo.api.diagnose",
    "evaluate": "zoo.api.evaluate",
    "export": "zoo.api.export",
    "fit": "zoo.api.fit",
    "generate": "zoo.api.generate",
    "generate_pictures": "zoo.api.generate",
    "import_keras": "zoo.importing.keras_layers",
    "import_torch": "zoo.importing.torch_layers",
    "load": "zoo.api.load",
    "open_stream": "zoo.api.stream",
    "plot": "zoo.api.plot",
    "predict": "zoo.api.predict",
    "report": "zoo.api.report",
    "reproduce": "zoo.api.reproduce",
    "resume": "zoo.api.fit",
    "verify": "zoo.api.verify",
}


_help_keras()
__getattr__, _ = _lazy_face(__name__, lambda: _LAZY)


def __dir__() -> list[str]:
    return __all__
