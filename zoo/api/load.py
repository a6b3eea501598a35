"""`zoo.load`: a trained model again, whatever it was kept as."""

from pathlib import Path

import keras

from zoo.api.run import Run, open_run
from zoo.catalog.config import RunConfig, made_task
from zoo.exporting.formats.saved_model import restore_export
from zoo.exporting.manifest import MANIFEST, is_export, read_manifest
from zoo.exporting.trained import Trained
from zoo.importing.keras_file import load_keras
from zoo.pretrained import find
from zoo.utils.hub import is_on_hub


def load(what: Run | str | Path) -> keras.Model:
    """Return the trained Keras model of a run, of an export, or a ready-trained one by name.

    `hf://user/name`, or `hf://user/name@revision`, is an export on the Hugging Face Hub.

    No code from a file is run for it: the model is built from its manifest, and the weights are
    read as numbers. The model of a `.keras` or `.h5` file is read, too, if it holds nothing but
    layers of Keras and the zoo.

    Raises:
        UserError: there is no such folder, file or name, or it cannot be read, or is not safe.
    """
    if isinstance(what, str | Path) and not is_on_hub(what):
        path = Path(what)
        if path.suffix in (".keras", ".h5", ".hdf5"):
            return load_keras(path)
    return restore(what).model


def folder_of(what: Run | str | Path) -> Path:
    """Return the folder of a run, of an export, or of a ready-trained model that is named."""
    return what.path if isinstance(what, Run) else find(what)


def restore(what: Run | str | Path) -> Trained:
    """Read a model with its best weights, its task, settings and config.

    Raises:
        UserError: there is no such folder or name, or it cannot be read.
    """
    path = folder_of(what)
    if is_export(path):
        return restore_export(path)
    run = open_run(path)
    return Trained(run.restore_model(), made_task(run.config, run.config_file), run.config)


def config_of(what: Run | str | Path) -> RunConfig:
    """Return what was run to make a model."""
    path = folder_of(what)
    if not is_export(path):
        return open_run(path).config
    return RunConfig.from_json(read_manifest(path)["config"], path / MANIFEST)
