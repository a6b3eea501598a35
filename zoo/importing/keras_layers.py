"""Models with Keras' own recurrent layers as the same models with the zoo's."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.cells.gru import GRUCell, ResetBeforeGRUCell
from zoo.cells.lstm import LSTMCell
from zoo.cells.vanilla_rnn import VanillaRNNCell
from zoo.errors import UserError
from zoo.importing.keras_file import load_keras
from zoo.importing.paths import check_paths
from zoo.importing.saving import save_compared
from zoo.importing.weights import Weights, fill
from zoo.layers.bidirectional import Bidirectional
from zoo.layers.keras_like import KerasLike
from zoo.recurrence import Recurrence
from zoo.utils.keras_internals import is_functional, layers_within

_KINDS = (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN)
_GATES = {"LSTM": ("ifgo", "fiog"), "GRU": ("zrh", "zrh"), "SimpleRNN": ("h", "h")}
"""Keras' order of the gates, and the zoo's."""

_WITHOUT = {
    "stateful": False,
    "recurrent_dropout": 0.0,
    **dict.fromkeys(
        f"{part}_{kind}"
        for kind in ("regularizer", "constraint")
        for part in ("kernel", "recurrent", "bias")
    ),
    "activity_regularizer": None,
}
"""What the zoo's layers have not, and what it must be for the import."""

_GATED = {"activation": "tanh", "recurrent_activation": "sigmoid"}
"""The same of an LSTM or a GRU."""

_TIME = 7
_ROWS = 3


def import_keras(path: Path, out: Path) -> tuple[list[str], float]:
    """Write a model with Keras' LSTM, GRU and SimpleRNN layers, and `Bidirectional` ones of them.

    Args:
        path: a `.keras` file of a functional or sequential model, read in safe mode.
        out: the file to write.

    Returns:
        The names of the layers that were replaced, and the largest difference of the outputs for
        random inputs.

    Raises:
        UserError: the file is not safe, the model has no such layers or is of another kind, a layer
            has an option that the zoo has not, or the outputs differ.
    """
    check_paths(path, out)
    old = load_keras(path)
    if not is_functional(old):
        raise UserError(
            f"{path} holds a {type(old).__name__}, but a functional or sequential model is needed"
        )
    new, replaced = replace_layers(old)
    if not replaced:
        raise UserError(f"{path} holds no LSTM, GRU or SimpleRNN layer of Keras")
    inputs = _random_inputs(old)
    expected = keras.tree.flatten(old(inputs[0] if len(inputs) == 1 else inputs))
    return replaced, save_compared(new, out, inputs, [np.asarray(one) for one in expected])


def replace_layers(old: keras.Model) -> tuple[keras.Model, list[str]]:
    """The same model with the zoo's recurrences, its weights with it; and what was replaced.

    Raises:
        UserError: a layer has an option that the zoo has not.
    """
    pairs: list[tuple[Any, Any]] = []

    def clone(layer: Any) -> Any:
        if not isinstance(layer, keras.Layer):
            # An operation such as a sum of two layers' outputs.
            return layer.__class__.from_config(layer.get_config())
        _refuse_masks(layer)
        made = _counterpart(layer)
        pairs.append((layer, made or layer.__class__.from_config(layer.get_config())))
        return pairs[-1][1]

    new = keras.models.clone_model(old, clone_function=clone, recursive=True)
    replaced = []
    for layer, made in pairs:
        if isinstance(made, KerasLike):
            _copy(layer, made.recurrence)
            replaced.append(layer.name)
        else:
            made.set_weights(layer.get_weights())
    return new, replaced


def _refuse_masks(layer: Any) -> None:
    masking = isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False)
    if masking:
        raise UserError(
            f"the layer {layer.name} makes a mask, and at the steps that it leaves out the zoo's "
            "layers answer zero where Keras repeats the step before: set mask_zero=False, or leave "
            "the Masking layer out"
        )


def _counterpart(layer: Any) -> KerasLike | None:
    """The zoo's layer for one of Keras' recurrent ones; None for any other."""
    both = isinstance(layer, keras.layers.Bidirectional)
    recurrent = layer.forward_layer if both else layer
    if type(recurrent) not in _KINDS:
        for inner in layers_within(layer):
            if isinstance(inner, keras.layers.RNN):
                raise UserError(
                    f"the layer {layer.name} holds a {type(inner).__name__}, but LSTM, GRU, "
                    "SimpleRNN and Bidirectional ones of them are imported"
                )
        return None
    if both:
        inside: Any = _two_ways(layer)
    else:
        inside = Recurrence(_cell(recurrent), recurrent.go_backwards, dtype=recurrent.dtype_policy)
    return KerasLike(
        inside,
        recurrent.return_sequences,
        recurrent.return_state,
        recurrent.dropout,
        name=layer.name,
        trainable=layer.trainable,
        dtype=recurrent.dtype_policy,
    )


def _two_ways(layer: Any) -> Bidirectional:
    ways = [layer.forward_layer, layer.backward_layer]
    merge = {"concat": "concat", "sum": "sum"}.get(layer.merge_mode)
    if not merge:
        raise UserError(
            f"the layer {layer.name} has the merge_mode {layer.merge_mode!r}, but concat or sum is "
            "needed"
        )
    alike = ("dropout", "return_sequences", "return_state", "dtype_policy")
    usual = not ways[0].go_backwards and ways[1].go_backwards
    if (
        type(ways[0]) is not type(ways[1])
        or not usual
        or any(getattr(ways[0], key) != getattr(ways[1], key) for key in alike)
    ):
        raise UserError(f"the layer {layer.name} has directions that differ in more than weights")
    return Bidirectional(_cell(ways[0]), _cell(ways[1]), merge, dtype=ways[0].dtype_policy)


def _cell(layer: Any) -> Any:
    """The zoo's cell for a layer of Keras."""
    config = layer.get_config()
    kind = type(layer).__name__
    wanted = _WITHOUT if kind == "SimpleRNN" else {**_WITHOUT, **_GATED}
    for option, needed in wanted.items():
        if config.get(option, needed) != needed:
            raise UserError(
                f"the layer {layer.name} has {option}={_shown(config[option])}, but the zoo's has "
                f"only {needed!r}"
            )
    options = {"units": layer.units, "dtype": layer.dtype_policy}
    if kind == "LSTM":
        return LSTMCell(**options)
    if kind == "GRU":
        return (GRUCell if layer.reset_after else ResetBeforeGRUCell)(**options)
    return VanillaRNNCell(activation=layer.activation, **options)


def _shown(value: Any) -> str:
    return str(value.get("class_name")) if isinstance(value, dict) else repr(value)


def _copy(layer: Any, recurrence: Any) -> None:
    """The weights of one of Keras' layers, which may be bidirectional."""
    if isinstance(recurrence, Bidirectional):
        _copy(layer.forward_layer, recurrence.forwards)
        _copy(layer.backward_layer, recurrence.backwards)
        return
    kernel, recurrent, *bias = layer.get_weights()
    none = np.zeros(kernel.shape[-1])
    first, second = bias[0] if bias and bias[0].ndim == 2 else ([*bias, none][0], none)
    fill(recurrence.cell, Weights(kernel, recurrent, first, second), *_GATES[type(layer).__name__])


def _random_inputs(model: keras.Model) -> list[np.ndarray]:
    """Three rows of seven steps for each input; of whole numbers, such as every table has."""
    random = np.random.default_rng(1)
    tables = [layer.input_dim for layer in layers_within(model) if hasattr(layer, "input_dim")]
    inputs = []
    for tensor in model.inputs:
        shape = [_ROWS, *(_TIME if size is None else size for size in tensor.shape[1:])]
        # A model with a table of vectors may be given its numbers as floats.
        if tables:
            inputs.append(random.integers(0, min(tables), shape).astype(tensor.dtype))
        else:
            inputs.append(random.normal(size=shape).astype(tensor.dtype))
    return inputs
