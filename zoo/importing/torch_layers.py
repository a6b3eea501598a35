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
from zoo.importing.saving import largest_difference, save_compared
from zoo.importing.torch_file import read_torch
from zoo.importing.weights import Weights, fill
from zoo.layers.stack import RecurrentStack

_NAME = re.compile(r"(?:(.+)\.)?(weight|bias)_(ih|hh|hr)_l(\d+)(_reverse)?")
_CELLS = {4: "lstm", 3: "gru", 1: "vanilla_rnn"}
"""The zoo's cells by the gates and candidates that they have."""

_ORDERS = {
    "lstm": ("ifgo", "fiog"),
    "projected_lstm": ("ifgo", "fiog"),
    "gru": ("rzn", "zrn"),
    "vanilla_rnn": ("h", "h"),
}
"""The order of the gates in PyTorch and in the zoo."""

_TIMES = (11, 5, 2)
_ROUNDING = 1e-4


@dataclass(frozen=True)
class TorchLayers:
    """A module of `torch.nn`, as its state dict tells it.

    Attributes:
        cell: the zoo's name.
        units: H, the size of the outputs; of an LSTM with a projection its `proj_size`.
        inputs: D.
        directions: of each layer from the bottom up, the weights forwards and perhaps backwards,
            with blocks in PyTorch's order.
        activation: of `torch.nn.RNN`, "tanh" or "relu".
        memory: of an LSTM with a projection, its `hidden_size`; else None.
    """

    cell: str
    units: int
    inputs: int
    directions: list[list[Weights]]
    activation: str = "tanh"
    memory: int | None = None


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
            has not; or the outputs differ by more than float32's rounding.
    """
    check_paths(path, out)
    layers = find_layers(read_torch(path), str(path), prefix, activation)
    x, expected, rounding = sequences(layers)
    # Sums in another order were up to ten times as far off in networks of a few units, and up to
    # 2.5 times in those of 64 and 1024.
    allowed = min(max(1e-5, 20 * rounding), 1e-2)
    return layers, save_compared(build(layers), out, [x], [expected], allowed)


def sequences(layers: TorchLayers) -> tuple[np.ndarray, np.ndarray, float]:
    """Draw inputs `[3, T, D]` for which float32 can tell whether outputs are right.

    Rounding grows with what is summed and, where weights are large, with every time step, as each
    reads the one before: then T is small.

    Returns:
        The inputs, the outputs in float64, and how far those in float32 are from them, as a share
        of the largest where that is over 1.
    """
    x = np.random.default_rng(1).normal(size=(3, max(_TIMES), layers.inputs)).astype("float32")
    for time in _TIMES:
        expected = equations(layers, x[:, :time])
        # In a small network one computation may round luckily.
        nudged = (x[:, :time] * np.float32(1 + k * 2.0**-23) for k in range(-2, 3))
        rounding = max(
            largest_difference([equations(layers, near, "float32")], [expected]) for near in nudged
        )
        if rounding <= _ROUNDING:
            break
    return x[:, :time], expected, rounding


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
    cell, units, rows = _kind(tensors, name)
    if activation and cell != "vanilla_rnn":
        raise UserError(f"--activation is for torch.nn.RNN, but {name} is a {cell}")
    ends = ["", "_reverse"] if "weight_hh_l0_reverse" in tensors else [""]
    count = 1 + max(int(_layer_of(key)) for key in tensors)
    memory = rows // 4 if cell == "projected_lstm" else None
    parts = ["weight_ih", "weight_hh"]
    parts += ["bias_ih", "bias_hh"] if "bias_ih_l0" in tensors else []
    parts += ["weight_hr"] if memory else []
    layers = range(min(count, len(tensors)))
    expected = {f"{part}_l{layer}{end}" for part in parts for layer in layers for end in ends}
    if wrong := sorted(expected ^ {*tensors}):
        raise UserError(f"{name} is not whole: {wrong[0]} is missing, or one too many")
    inputs = tensors["weight_ih_l0"].shape[-1]
    directions = []
    for layer in range(count):
        size = units * len(ends) if layer else inputs
        shapes = {"weight_ih": (rows, size), "weight_hh": (rows, units), "bias_ih": (rows,)}
        shapes |= {"bias_hh": (rows,), "weight_hr": (units, memory or 0)}
        for key in (k for k in sorted(expected) if _layer_of(k) == str(layer)):
            wanted = shapes[key.partition("_l")[0]]
            if tensors[key].shape != wanted or tensors[key].dtype.kind != "f":
                raise UserError(
                    f"{name} has a {key} of {tensors[key].dtype} and shape "
                    f"{list(tensors[key].shape)}, but numbers of shape {list(wanted)} are needed"
                )
        directions.append([_weights(tensors, f"l{layer}{end}", rows) for end in ends])
    return TorchLayers(cell, units, inputs, directions, activation or "tanh", memory)


def _kind(tensors: Mapping[str, np.ndarray], name: str) -> tuple[str, int, int]:
    """Return the zoo's cell, H, and the rows of a kernel."""
    projected = any("_hr_" in key for key in tensors)
    for key in ("weight_hh_l0", "weight_hr_l0") if projected else ("weight_hh_l0",):
        if key not in tensors or tensors[key].ndim != 2:
            raise UserError(f"{name} has no {key} of two axes")
    rows, units = tensors["weight_hh_l0"].shape
    size = tensors["weight_hr_l0"].shape[-1] if projected else units
    blocks = rows // size if size and rows % size == 0 else 0
    if not units or blocks not in ({4} if projected else _CELLS):
        raise UserError(f"{name} has a weight_hh_l0 of shape {[rows, units]}, of no known kind")
    return "projected_lstm" if projected else _CELLS[blocks], units, rows


def _layer_of(key: str) -> str:
    match = _NAME.fullmatch(key)
    assert match
    return match[4]


def _weights(tensors: Mapping[str, np.ndarray], end: str, rows: int) -> Weights:
    none = np.zeros(rows)
    projection = tensors.get(f"weight_hr_{end}")
    return Weights(
        tensors[f"weight_ih_{end}"].astype("float64").T,
        tensors[f"weight_hh_{end}"].astype("float64").T,
        tensors.get(f"bias_ih_{end}", none).astype("float64"),
        tensors.get(f"bias_hh_{end}", none).astype("float64"),
        projection.astype("float64").T if projection is not None else None,
    )


def build(layers: TorchLayers) -> keras.Model:
    """The same layers of the zoo: `[B, T, D]` to the outputs of the top layer."""
    order, wanted = _ORDERS[layers.cell]
    both = len(layers.directions[0]) == 2
    options: dict[str, Any] = {}
    if layers.cell == "vanilla_rnn":
        options["activation"] = layers.activation
    elif layers.cell == "projected_lstm":
        options["memory"] = layers.memory
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


def equations(layers: TorchLayers, x: np.ndarray, dtype: str = "float64") -> np.ndarray:
    """Compute what PyTorch's documentation says that the layers compute, step by step.

    Source: https://docs.pytorch.org/docs/stable/nn.html#recurrent-layers
    """
    y = x.astype(dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        for weights in layers.directions:
            forwards = _run(layers, weights[0], y)
            if len(weights) == 2:
                backwards = _run(layers, weights[1], y[:, ::-1])[:, ::-1]
                forwards = np.concatenate([forwards, backwards], axis=-1)
            y = forwards
    return y


def _run(layers: TorchLayers, weights: Weights, x: np.ndarray) -> np.ndarray:
    W, U, b, c, P = (None if part is None else np.asarray(part, x.dtype) for part in weights)
    h = np.zeros((len(x), layers.units), x.dtype)
    memory = np.zeros((len(x), layers.memory or layers.units), x.dtype)
    outputs = []
    for t in range(x.shape[1]):
        of_input, of_state = x[:, t] @ W + b, h @ U + c
        if "lstm" in layers.cell:
            i, f, g, o = np.split(of_input + of_state, 4, axis=-1)
            memory = _sigmoid(f) * memory + _sigmoid(i) * np.tanh(g)
            h = _sigmoid(o) * np.tanh(memory)
            h = h if P is None else h @ P
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
