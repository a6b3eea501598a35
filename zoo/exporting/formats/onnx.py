"""ONNX files, through Keras: for onnxruntime and all else that reads the format."""

import inspect
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.errors import UserError
from zoo.exporting.endpoints import numeric_endpoints, signature_of
from zoo.topologies.base import SequenceModel
from zoo.utils.optional_packages import need

FOLDER = "onnx"
OPSET = 18
"""The newest that the converter writes right."""


def write_onnx(
    model: SequenceModel, folder: Path, endpoints: Mapping[str, Any] | None = None
) -> list[Path]:
    """Write a file for each endpoint on numbers: `onnx/step.onnx`, `onnx/forward.onnx` and so on.

    They are those of the SavedModel, of any batch size and length, with the same names, but that
    of a state that is given back: `next_state_0` and so on. Weights are float32, and each file has
    its own.

    Args:
        model: a built model.
        folder: of the export.
        endpoints: those on numbers, by name; made if not given.

    Returns:
        The files.

    Raises:
        UserError: `tf2onnx` is not installed, or cannot convert the model.

    Source: https://onnx.ai; https://github.com/onnx/tensorflow-onnx.
    """
    check_onnx()
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    return [
        _write(model, name, each, folder / FOLDER)
        for name, each in (endpoints or numeric_endpoints(model)).items()
        # Zeros: whoever runs the file makes them.
        if name != "initial_state"
    ]


def check_onnx() -> None:
    """Check that what writes and runs the files is installed.

    Raises:
        UserError: it is not; the message says what to install.
    """
    need("ONNX", "onnx", onnx="onnx", tf2onnx="tf2onnx", onnxruntime="onnxruntime")


def sessions(folder: Path) -> dict[str, Any]:
    """Return what runs each of the files, by the name of its endpoint.

    Raises:
        UserError: as `check_onnx`.
    """
    check_onnx()
    return {path.stem: _session(path) for path in folder.glob("*.onnx")}


def _session(path: Path) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


class Endpoint(keras.Model):
    """An endpoint as a model of its own, which is what Keras exports."""

    def __init__(self, model: SequenceModel, endpoint: Any) -> None:
        super().__init__()
        self.inner, self.endpoint = model, endpoint
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return what the endpoint gives, by name."""
        taken = inspect.signature(self.endpoint.python_function).parameters
        outputs = self.endpoint.python_function(*inputs)
        # An output may not have the name of an input.
        return {f"next_{name}" if name in taken else name: part for name, part in outputs.items()}


@contextmanager
def _choices_of_missing_numbers() -> Iterator[None]:
    """Let the converter write `tf.where(there, x, 0)` as a choice while it is open.

    It writes `there * x` else, which is NaN where x is.
    """
    select = import_module("tf2onnx.onnx_opset.controlflow").Select
    product = select.__dict__["version_7"]

    def choice(cls: Any, context: Any, node: Any, **how: Any) -> None:
        if node.get_attr_value("handles_nan", False):
            raise ValueError(f"{node.name} cannot be written as a choice")
        node.set_attr("handles_nan", 1)
        cls.version_9(context, node, **how)

    select.version_7 = classmethod(choice)
    try:
        yield
    finally:
        select.version_7 = product


def _write(model: SequenceModel, name: str, endpoint: Any, folder: Path) -> Path:
    function = signature_of(endpoint)
    names = inspect.signature(function.python_function).parameters
    specs = [
        tf.TensorSpec(spec.shape, spec.dtype, name)
        for name, spec in zip(names, function.input_signature)
    ]
    path = folder / f"{name}.onnx"
    how = {"format": "onnx", "verbose": False, "opset_version": OPSET}
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), _choices_of_missing_numbers():
            # Keras asks numpy for what it no longer has.
            warnings.simplefilter("ignore", FutureWarning)
            Endpoint(model, function).export(path, input_signature=[specs], **how)
        # What the converter writes without an error need not be a graph that runs.
        _session(path)
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{name} cannot be written as ONNX: {reason}") from error
    finally:
        logging.disable(logging.NOTSET)
    return path
