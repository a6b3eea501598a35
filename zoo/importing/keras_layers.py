"""Models with Keras' own recurrent layers as the same models with the zoo's."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.errors import UserError
from zoo.importing.keras_file import load_keras
from zoo.importing.paths import check_paths
from zoo.importing.saving import save_compared
from zoo.layers import rnn
from zoo.utils.keras_internals import is_functional, layers_within

REPLACED = (
    "LSTM",
    "GRU",
    "SimpleRNN",
    "RNN",
    "Bidirectional",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
)
"""Keras' layers of these names become those of `zoo.layers`."""

_ALLOWED = {"float16": 1e-2, "bfloat16": 8e-2}
"""The largest difference of outputs by what a model computes in: about ten roundings."""

_TIME = 7
_ROWS = 3


def import_keras(path: Path, out: Path) -> tuple[list[str], float]:
    """Write a model with Keras' recurrent layers as the same model with those of `zoo.layers`.

    Args:
        path: a `.keras` or `.h5` file of a functional or sequential model, read in safe mode.
        out: the file to write.

    Returns:
        The names of the layers that were replaced, and the largest difference of the outputs for
        random inputs.

    Raises:
        UserError: the file is not safe, the model has no such layers or is of another kind, or the
            outputs differ by more than 1e-5, or ten roundings of a type of half width.
    """
    check_paths(path, out)
    old = load_keras(path)
    if not is_functional(old):
        raise UserError(
            f"{path} holds a {type(old).__name__}, but a functional or sequential model is needed"
        )
    if not old.built:
        raise UserError(
            f"{path} holds a model that was never called: call it once in Keras and save it again"
        )
    new, replaced = replace_layers(old)
    if not replaced:
        raise UserError(f"{path} holds no recurrent layer of Keras, such as LSTM or GRU")
    inputs = _random_inputs(old)
    expected = keras.tree.flatten(old(inputs[0] if len(inputs) == 1 else inputs))
    types = {layer.compute_dtype for layer in layers_within(old)}
    allowed = max(_ALLOWED.get(dtype, 1e-5) for dtype in types)
    return replaced, save_compared(new, out, inputs, [np.asarray(y) for y in expected], allowed)


def replace_layers(old: keras.Model) -> tuple[keras.Model, list[str]]:
    """Return the same model with the zoo's layers, and the names of those that were replaced."""
    config = keras.saving.serialize_keras_object(old)
    replaced = _replace(config)
    new = keras.saving.deserialize_keras_object(config, safe_mode=True)
    new.set_weights(old.get_weights())
    return new, replaced


def _replace(config: Any) -> list[str]:
    """Write the zoo's layers into a config; return the names of the outermost of them."""
    if isinstance(config, list):
        return [name for value in config for name in _replace(value)]
    if not isinstance(config, dict):
        return []
    own = str(config.get("module")).startswith("keras.") and not config.get("registered_name")
    kind = config.get("class_name")
    within = [name for value in list(config.values()) for name in _replace(value)]
    if not own or kind not in REPLACED:
        return within
    made = getattr(rnn, str(kind))
    name = keras.saving.get_registered_name(made)
    config.update(module=made.__module__, registered_name=name)
    return [config["config"]["name"]]


def _random_inputs(model: keras.Model) -> list[np.ndarray]:
    """Three rows of seven steps for each input; of whole numbers, such as every table has."""
    random = np.random.default_rng(1)
    tables = [layer.input_dim for layer in layers_within(model) if hasattr(layer, "input_dim")]
    inputs = []
    for tensor in model.inputs:
        sizes = [_TIME if size is None else size for size in tensor.shape[1:]]
        shape = [tensor.shape[0] or _ROWS, *sizes]
        # A model with a table of vectors may be given its numbers as floats.
        if tables:
            inputs.append(random.integers(0, min(tables), shape).astype(tensor.dtype))
        else:
            inputs.append(random.normal(size=shape).astype(tensor.dtype))
    return inputs
