"""State dicts of `torch.nn.LSTM`, `GRU` and `RNN` as models of the zoo."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.errors import UserError
from zoo.importing.paths import check_paths
from zoo.importing.saving import save_compared
from zoo.importing.torch_file import read_torch
from zoo.importing.weights import Weights, fill
from zoo.layers.stack import RecurrentStack

_NAME = re.compile(r"(?:(.+)\.)?(weight|bias)_(ih|hh|hr)_l(\d+)(_reverse)?")
_GATES = {4: ("lstm", "ifgo", "fiog"), 3: ("gru", "rzn", "zrn"), 1: ("vanilla_rnn", "h", "h")}
"""By blocks of rows: the zoo's cell, PyTorch's order and the zoo's."""


@dataclass(frozen=True)
class TorchLayers:
    """A module of `torch.nn`, as its state dict tells it.

    Attributes:
        cell: the zoo's name.
        units: H.
        inputs: D.
        directions: of each layer from the bottom up, the weights forwards and perhaps backwards,
            with blocks in PyTorch's order.
        activation: of `torch.nn.RNN`, "tanh" or "relu".
    """

    cell: str
    units: int
    inputs: int
    directions: list[list[Weights]]
    activation: str = "tanh"


def import_torch(
    path: Path, out: Path, prefix: str | None = None, activation: str | None = None
) -> tuple[TorchLayers, float]:
    """Write the recurrent layers in a file of `torch.save` as a `.keras` file of the zoo's.

    Its model takes `[B, T, D]` and gives `[B, T, H]`, or `[B, T, 2H]` of both directions.

    Args:
        path: a state dict, or a checkpoint that holds one.
        out: the file to write.
        prefix: which module of a larger one, such as "encoder.rnn"; None for the only one.
        activation: "tanh" or "relu" of a `torch.nn.RNN`, which a state dict does not tell; None for
            tanh.

    Returns:
        What was found, and the largest difference of the written model's outputs from PyTorch's
        equations.

    Raises:
        UserError: the file is not safe or holds no such layers, or several; they have what the zoo
            has not; or the outputs differ.
    """
    check_paths(path, out)
    layers = find_layers(read_torch(path), str(path), prefix, activation)
    model = build(layers)
    x = np.random.default_rng(1).normal(size=(3, 11, layers.inputs)).astype("float32")
    return layers, save_compared(model, out, [x], [equations(layers, x)])


def find_layers(
    tensors: Mapping[str, np.ndarray], name: str, prefix: str | None, activation: str | None
) -> TorchLayers:
    """The one module of recurrent layers among tensors, by the names that PyTorch gives them.

    Raises:
        UserError: there is none, or several, or it is of a kind that the zoo has not.
    """
    modules: dict[str, dict[str, np.ndarray]] = {}
    for key, tensor in tensors.items():
        if match := _NAME.fullmatch(key):
            module = match[1] or ""
            modules.setdefault(module, {})[key.removeprefix(f"{module}.")] = tensor
    if prefix is None and len(modules) > 1:
        raise UserError(
            f"{name} has several recurrent modules: choose one by --prefix, of "
            f"{', '.join(sorted(modules))}"
        )
    chosen = prefix.rstrip(".") if prefix is not None else next(iter(modules), "")
    if chosen not in modules:
        there = (
            ", ".join(sorted(filter(None, modules))) or ", ".join(list(tensors)[:5]) or "nothing"
        )
        raise UserError(
            f"{name} holds no weights of torch.nn.LSTM, GRU or RNN"
            f"{f' named {chosen}' if chosen else ''}: it has {there}"
        )
    return _layers(modules[chosen], f"{name}: {chosen or 'its module'}", activation)


def _layers(tensors: Mapping[str, np.ndarray], name: str, activation: str | None) -> TorchLayers:
    if any("_hr_" in key for key in tensors):
        raise UserError(f"{name} has a proj_size, which the import has not: train without it")
    if "weight_hh_l0" not in tensors or tensors["weight_hh_l0"].ndim != 2:
        raise UserError(f"{name} has no weight_hh_l0 of two axes")
    rows, units = tensors["weight_hh_l0"].shape
    if not units or rows % units or rows // units not in _GATES:
        raise UserError(f"{name} has a weight_hh_l0 of shape {[rows, units]}, of no known kind")
    cell, _, _ = _GATES[rows // units]
    if activation and cell != "vanilla_rnn":
        raise UserError(f"--activation is for torch.nn.RNN, but {name} is a {cell}")
    ends = ["", "_reverse"] if "weight_hh_l0_reverse" in tensors else [""]
    count = 1 + max(int(_layer_of(key)) for key in tensors)
    biased = "bias_ih_l0" in tensors
    expected = {
        f"{part}_{side}_l{layer}{end}"
        for part in (["weight", "bias"] if biased else ["weight"])
        for side in ("ih", "hh")
        for layer in range(min(count, len(tensors)))
        for end in ends
    }
    if wrong := sorted(expected ^ {*tensors}):
        raise UserError(f"{name} is not whole: {wrong[0]} is missing, or one too many")
    inputs = tensors["weight_ih_l0"].shape[-1]
    directions = []
    for layer in range(count):
        size = units * len(ends) if layer else inputs
        shapes = {"weight_ih": (rows, size), "weight_hh": (rows, units), "bias_ih": (rows,)}
        shapes["bias_hh"] = (rows,)
        for key in (k for k in sorted(expected) if _layer_of(k) == str(layer)):
            wanted = shapes[key.partition("_l")[0]]
            if tensors[key].shape != wanted or tensors[key].dtype.kind != "f":
                raise UserError(
                    f"{name} has a {key} of {tensors[key].dtype} and shape "
                    f"{list(tensors[key].shape)}, but numbers of shape {list(wanted)} are needed"
                )
        directions.append([_weights(tensors, f"l{layer}{end}", rows) for end in ends])
    return TorchLayers(cell, units, inputs, directions, activation or "tanh")


def _layer_of(key: str) -> str:
    match = _NAME.fullmatch(key)
    assert match
    return match[4]


def _weights(tensors: Mapping[str, np.ndarray], end: str, rows: int) -> Weights:
    none = np.zeros(rows)
    return Weights(
        tensors[f"weight_ih_{end}"].astype("float64").T,
        tensors[f"weight_hh_{end}"].astype("float64").T,
        tensors.get(f"bias_ih_{end}", none).astype("float64"),
        tensors.get(f"bias_hh_{end}", none).astype("float64"),
    )


def build(layers: TorchLayers) -> keras.Model:
    """The same layers of the zoo: `[B, T, D]` to the outputs of the top layer."""
    _, order, wanted = next(gates for gates in _GATES.values() if gates[0] == layers.cell)
    both = len(layers.directions[0]) == 2
    options = {"activation": layers.activation} if layers.cell == "vanilla_rnn" else None
    stack = RecurrentStack(
        layers.cell,
        layers.units,
        len(layers.directions),
        bidirectional=both,
        cell_options=options,
        name="layers",
    )
    inputs = keras.Input((None, layers.inputs), name="inputs")
    outputs, _ = stack(inputs)
    for layer, weights in zip(stack.recurrences, layers.directions, strict=True):
        cells = [layer.forwards.cell, layer.backwards.cell] if both else [layer.cell]
        for cell, direction in zip(cells, weights, strict=True):
            fill(cell, direction, order, wanted)
    return keras.Model(inputs, outputs)


def equations(layers: TorchLayers, x: np.ndarray) -> np.ndarray:
    """What PyTorch's documentation says that the layers compute, step by step in float64.

    Source: https://docs.pytorch.org/docs/stable/nn.html#recurrent-layers
    """
    y = x.astype("float64")
    for weights in layers.directions:
        forwards = _run(layers, weights[0], y)
        if len(weights) == 2:
            backwards = _run(layers, weights[1], y[:, ::-1])[:, ::-1]
            forwards = np.concatenate([forwards, backwards], axis=-1)
        y = forwards
    return y


def _run(layers: TorchLayers, weights: Weights, x: np.ndarray) -> np.ndarray:
    W, U, b, c = weights
    h = memory = np.zeros((len(x), layers.units))
    outputs = []
    for t in range(x.shape[1]):
        of_input, of_state = x[:, t] @ W + b, h @ U + c
        if layers.cell == "lstm":
            i, f, g, o = np.split(of_input + of_state, 4, axis=-1)
            memory = _sigmoid(f) * memory + _sigmoid(i) * np.tanh(g)
            h = _sigmoid(o) * np.tanh(memory)
        elif layers.cell == "gru":
            (r_x, z_x, n_x), (r_h, z_h, n_h) = (np.split(a, 3, -1) for a in (of_input, of_state))
            z = _sigmoid(z_x + z_h)
            n = np.tanh(n_x + _sigmoid(r_x + r_h) * n_h)
            h = (1 - z) * n + z * h
        else:
            total = of_input + of_state
            h = np.tanh(total) if layers.activation == "tanh" else np.maximum(total, 0)
        outputs.append(h)
    return np.stack(outputs, axis=1)


def _sigmoid(x: Any) -> Any:
    return (1 + np.tanh(x / 2)) / 2
