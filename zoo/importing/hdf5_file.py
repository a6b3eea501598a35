"""Files of Keras' older format, `.h5`, read in safe mode."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import keras

from zoo.errors import UserError
from zoo.utils.archives import largest_unpacked

_BEGINS = b"\x89HDF\r\n\x1a\n"


def is_hdf5(path: Path) -> bool:
    """Return whether a file is of that format, whatever its name.

    Example:
        >>> is_hdf5(Path(__file__))
        False
    """
    with path.open("rb") as file:
        return file.read(len(_BEGINS)) == _BEGINS


def load_hdf5(path: Path, check: Callable[[Any], None]) -> keras.Model:
    """Read the model in a `.h5` file, as Keras 3 or Keras 2 wrote it, uncompiled.

    Args:
        path: the file.
        check: called with the model's config, before anything is made of it; it raises where that
            is not safe.

    Raises:
        UserError: the file holds weights alone, or leads out of itself, or would take over a
            hundred times its size.
        Exception: of any kind, as h5py and Keras raise them for what is damaged.
    """
    with h5py.File(path) as file:
        _refuse_what_leads_out(path, file)
        config = file.attrs.get("model_config")
    if config is None:
        raise UserError(
            f"{path} holds weights and no model: build the model in Keras, load_weights, and save "
            "it as .keras"
        )
    config = json.loads(config)
    check(config)
    with tempfile.TemporaryDirectory() as folder:
        # Keras goes by the ending.
        copied = shutil.copy(path, Path(folder) / "model.h5")
        _from_keras_2(config)
        with h5py.File(copied, "r+") as file:
            file.attrs["model_config"] = json.dumps(config)
        return keras.saving.load_model(copied, compile=False, safe_mode=True)


def _refuse_what_leads_out(path: Path, file: h5py.File) -> None:
    """Refuse links, data that lie in other files, and data that unpack to too much."""
    total = 0
    for group in _groups(file):
        for key in group:
            name = f"{group.name}/{key}".replace("//", "/")
            if not _is_inside(group, key):
                raise UserError(f"{path} is refused: {name} is a link")
            thing = group[key]
            if isinstance(thing, h5py.Dataset):
                if thing.external or thing.is_virtual:
                    raise UserError(f"{path} is refused: {name} lies in another file")
                total += thing.nbytes
    if total > largest_unpacked(path):
        raise UserError(f"{path} is refused: it would unpack to over a hundred times its size")


def _groups(file: h5py.File) -> Iterator[h5py.Group]:
    """Yield every group once."""
    waiting, seen = [file["/"]], set()
    while waiting:
        group = waiting.pop()
        if group.id not in seen:
            seen.add(group.id)
            yield group
            # A link is refused where its group is looked at.
            inside = [key for key in group if _is_inside(group, key)]
            waiting += [group[key] for key in inside if isinstance(group[key], h5py.Group)]


def _is_inside(group: h5py.Group, key: str) -> bool:
    return isinstance(group.get(key, getlink=True), h5py.HardLink)


def _from_keras_2(config: Any) -> None:
    """Write what Keras 2 wrote in another way as Keras 3 reads it; the rest stays."""
    if isinstance(config, list):
        for value in config:
            _from_keras_2(value)
    elif isinstance(config, dict):
        # An option of recurrent layers, here at its default.
        if config.get("time_major") is False:
            del config["time_major"]
        # A layer inside of another was known by its name alone.
        alone = "config" in config and "module" not in config
        if alone and hasattr(keras.layers, str(config.get("class_name"))):
            config.update(module="keras.layers", registered_name=None)
        for value in config.values():
            _from_keras_2(value)
