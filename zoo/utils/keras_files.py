"""Lets `keras.models.load_model` find the layers and cells of the zoo; imports no TensorFlow.

Keras knows a class by a registered name once its module was imported. A file says the module, and
Keras imports it for packages of its own only.
"""

import importlib
import importlib.util
import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_MODULES = re.compile(r"zoo\.(cells|layers|topologies)\.\w+|zoo\.recurrence(\.\w+)?")


def is_ours(registered_name: str, module: str) -> bool:
    """Return whether an object in a file of Keras is a layer, cell or model of the zoo.

    Example:
        >>> is_ours("zoo>GRUCell", "zoo.cells.gru"), is_ours("zoo>GRUCell", "os")
        (True, False)
    """
    registered = registered_name.startswith(("zoo>", "zoo.layers>"))
    return registered and _MODULES.fullmatch(module) is not None


def make_known(registered_name: Any, module: Any) -> None:
    """Import the module of an object in a file of Keras, if it is the zoo's and there is one."""
    name = str(module)
    if is_ours(str(registered_name), name) and importlib.util.find_spec(name):
        importlib.import_module(name)


def help_keras() -> None:
    """Let Keras find the zoo's classes: now if it is imported, else as soon as it is."""
    if "keras" in sys.modules:
        _install()
    else:
        sys.meta_path.insert(0, _Watcher())


class _Watcher(MetaPathFinder):
    """Finds nothing itself, and installs the hook once Keras has been imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return Keras' own spec, whose loader installs the hook at its end; None for another."""
        if name != "keras" or self not in sys.meta_path:
            return None
        # Out of the way while the others are asked, and back: TensorFlow looks and does not import.
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        sys.meta_path.insert(0, self)
        if spec and spec.loader:
            run = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                run(module)
                _install()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _install() -> None:
    keras = sys.modules["keras"]
    # The zoo runs on TensorFlow alone: with another backend it is not brought in.
    if hasattr(keras, "config") and keras.config.backend() == "tensorflow":
        from zoo.utils.keras_internals import before_a_class_is_sought

        before_a_class_is_sought(make_known)
