"""The maths of one time step, one file a family of cells.

Each is imported from here by the name of its class: `from zoo.cells import LSTMCell`.
"""

from functools import cache
from pathlib import Path

from zoo.registry import read_registrations
from zoo.utils.lazy import lazy_face

_BASES = dict.fromkeys(("Cell", "DenseCell", "HiddenState", "LinearCell"), "zoo.cells.base")
_WRAPPERS = dict.fromkeys(
    (
        "CellWrapper",
        "HighwayCell",
        "RecurrentWeightDrop",
        "ResidualCell",
        "VariationalDropoutCell",
        "ZoneoutCell",
    ),
    "zoo.cells.wrappers",
)


@cache
def _modules() -> dict[str, str]:
    modules = {**_BASES, **_WRAPPERS}
    for path in Path(__file__).parent.glob("[!_]*.py"):
        for entry in read_registrations(path, f"zoo.cells.{path.stem}"):
            module, _, name = entry.target.partition(":")
            modules[name] = module
    return modules


__getattr__, __dir__ = lazy_face(__name__, _modules)
