"""`.keras` and `.h5` files, read without running anything that lies in them."""

import importlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from zoo.errors import UserError
from zoo.importing.hdf5_file import is_hdf5, load_hdf5
from zoo.utils.archives import check_zip
from zoo.utils.keras_files import is_ours

_UNSAFE = {"Lambda", "__lambda__", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer"}
"""Layers that hold a program of their own."""


def load_keras(path: Path) -> keras.Model:
    """Read the model in a `.keras` or `.h5` file, of Keras' own layers and the zoo's, uncompiled.

    Args:
        path: the file.

    Raises:
        UserError: there is none, or it is damaged, or it holds a program, such as a Lambda layer,
            or anything that is neither Keras' nor the zoo's.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}")

    def check(config: Any) -> None:
        for part in _parts(config):
            _check(path, part)

    try:
        if is_hdf5(path):
            return load_hdf5(path, check)
        check_zip(path)
        with zipfile.ZipFile(path) as packed:
            check(json.loads(packed.read("config.json")))
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except UserError:
        raise
    except Exception as error:
        # Keras raises of everything, from KeyError to those of the HDF5 library.
        raise UserError(f"{path} is damaged: {_first_line(error)}") from error


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    """Every object that a config describes."""
    waiting = [config]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, dict):
            if "class_name" in thing:
                yield thing
            waiting += thing.values()
        elif isinstance(thing, list):
            waiting += thing


def _check(path: Path, part: dict[str, Any]) -> None:
    """Refuse what is neither Keras' own nor the zoo's; make the zoo's known."""
    name, module = str(part["class_name"]), str(part.get("module") or "")
    # Files of the older format have the registered name in place of the class's.
    registered = str(part.get("registered_name") or (name if ">" in name else ""))
    if name in _UNSAFE:
        raise UserError(
            f"{path} is refused: its {name} is a program of whoever made it, which may do "
            "anything; save the model without it"
        )
    if is_ours(registered, module):
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise UserError(f"{path} was made by another version of the zoo: {error}") from error
    elif ">" in registered or not (module in ("", "builtins") or _of_keras(module)):
        raise UserError(
            f"{path} is refused: its {name} of {module or registered} is neither Keras' nor the "
            "zoo's"
        )


def _of_keras(module: str) -> bool:
    return module == "keras" or module.startswith("keras.")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
