"""LiteRT files: a model on phones and small devices, with LiteRT's built-in operators only."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.errors import UserError
from zoo.exporting.endpoints import numeric_endpoints, signature_of
from zoo.topologies.base import SequenceModel
from zoo.utils.optional_packages import need
from zoo.utils.stderr import quietly

FOLDER = "litert"
TIME = 32
"""Time steps, tokens or frames, that `forward` takes: its shapes are fixed."""


def write_litert(
    model: SequenceModel,
    folder: Path,
    quantise: bool = False,
    endpoints: Mapping[str, Any] | None = None,
) -> Path:
    """Write `litert/model.tflite`, which shares its weights among the signatures.

    They are those of the SavedModel with the same names of inputs and outputs: `forward`, and of a
    model that has steps `step` and `initial_state` or `encode`. All take one row, and 32 time steps
    where there are any. Weights are float32; quantised, those of matrix products are int8 (dynamic
    range), in `litert/model-quantised.tflite`.

    Args:
        model: a built model.
        folder: of the export.
        quantise: whether to quantise.
        endpoints: those on numbers, by name; made if not given.

    Returns:
        The file.

    Raises:
        UserError: the model needs an operator that is not built into LiteRT.

    Source: https://ai.google.dev/edge/litert (signatures, post-training quantisation).
    """
    return write_litert_files(model, folder, [quantise], endpoints)[0]


def write_litert_files(
    model: SequenceModel,
    folder: Path,
    quantised: Sequence[bool],
    endpoints: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write the files of `write_litert`, from a model that is traced and saved once.

    Args:
        model: a built model.
        folder: of the export.
        quantised: for each file whether it is quantised.
        endpoints: those on numbers, by name; made if not given.

    Raises:
        UserError: the model needs an operator that is not built into LiteRT.
    """
    endpoints = endpoints or numeric_endpoints(model)
    functions = {name: _of_one_row(each) for name, each in endpoints.items()}
    with tempfile.TemporaryDirectory() as scratch:
        _save(model, functions, scratch)
        contents = [_converted(scratch, [*functions], quantise) for quantise in quantised]
    names = [f"model{'-quantised' if quantise else ''}.tflite" for quantise in quantised]
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, content in zip(names, contents, strict=True):
        (folder / FOLDER / name).write_bytes(content)
    return [folder / FOLDER / name for name in names]


def _of_one_row(endpoint: Any) -> Any:
    """Return an endpoint as a signature whose shapes are fixed: one row, `TIME` time steps."""
    specs = tf.nest.map_structure(_fixed, list(endpoint.input_signature))
    function = endpoint.python_function
    return signature_of(tf.function(function, input_signature=specs, autograph=False))


def _fixed(spec: tf.TensorSpec) -> tf.TensorSpec:
    shape = [
        size if size is not None else (1 if axis == 0 else TIME)
        for axis, size in enumerate(spec.shape)
    ]
    return tf.TensorSpec(shape, spec.dtype)


def _save(model: SequenceModel, functions: Mapping[str, Any], folder: str) -> None:
    module = tf.Module()
    # Plain variables: of Keras' own a converted step makes no numbers.
    module.variables_ = [variable.value for variable in model.variables]
    signatures = {name: each.get_concrete_function() for name, each in functions.items()}
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, folder, signatures, options)


def _converted(saved_model: str, signatures: list[str], quantise: bool) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model, signature_keys=signatures)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if quantise:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    try:
        return converter.convert()
    except Exception as error:
        raise UserError(f"the model cannot be written for LiteRT: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return what a converter says, in one line: first of all which operators it has not."""
    lacking = sorted(set(re.findall(r"'tf\.(\w+)' op is neither", str(error))))
    if lacking:
        return f"it needs {', '.join(lacking)}, and only LiteRT's built-in operators are there"
    return (str(error).splitlines() or [type(error).__name__])[0]


def check_litert() -> None:
    """Check that what runs the files is installed.

    Raises:
        UserError: it is not; the message says what to install.
    """
    need("LiteRT", "litert", ai_edge_litert="ai_edge_litert.interpreter")


def interpreter(path: Path) -> Any:
    """Return what runs a file.

    Raises:
        UserError: as `check_litert`.
    """
    check_litert()
    from ai_edge_litert.interpreter import Interpreter

    # It tells of each delegate that it makes.
    with quietly():
        made = Interpreter(str(path))
        made.allocate_tensors()
    return made
