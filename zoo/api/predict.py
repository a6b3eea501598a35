"""`zoo.predict`: readable answers to raw inputs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.api.load import folder_of, restore
from zoo.errors import UserError
from zoo.exporting.endpoints import numeric_endpoints
from zoo.exporting.formats.saved_model import load_saved_model
from zoo.exporting.manifest import is_export
from zoo.readers.inputs import read_clip_parts, read_input
from zoo.training.run import Run
from zoo.utils.progress import progress
from zoo.utils.validation import reason


def predict(what: Run | str | Path, *inputs: str) -> list[dict[str, Any]]:
    """Readable predictions for raw inputs.

    Args:
        what: a run, its folder, an export, or the name of a ready-trained model.
        *inputs: text or paths, see `zoo.readers.inputs.read_input`.

    Returns:
        For each input a dict with `text`, the answer, and whatever else the task tells, such as
        `probability`.

    Raises:
        UserError: the model or an input cannot be read.
    """
    path = folder_of(what)
    if is_export(path):
        # The object must outlive the calls: its variables die with it.
        endpoints, description = load_saved_model(path)
        kind, options = description["input"], description["options"]
    else:
        model, task, _ = restore(path)
        endpoints = SimpleNamespace(**task.endpoints(model), **numeric_endpoints(model))
        kind, options = task.input_kind, task.input_options()
    # One at a time, as clips differ in length and size.
    if kind == "video" and hasattr(endpoints, "serve_part"):
        return [_watch(endpoints, given, options) for given in inputs]
    raw = [read_input(kind, given, **options) for given in inputs]
    return [_answer(endpoints.serve, one, name) for one, name in zip(raw, inputs)]


def _answer(served: Any, raw: Any, name: str) -> dict[str, Any]:
    with _sizes_told(name):
        return _readable(served(tf.expand_dims(raw, 0)))


def _watch(endpoints: Any, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """The answer to a video of any length, which is read and shown part by part."""
    state, confidence = endpoints.initial_state(1), []
    parts = read_clip_parts(name, **options)
    with _sizes_told(name):
        for part in progress(parts, "watching"):
            outputs, state = endpoints.serve_part(tf.expand_dims(part, 0), state)
            answer = _readable(outputs)
            confidence += answer["confidence"]
    return {**answer, "confidence": confidence}


@contextmanager
def _sizes_told(name: str) -> Iterator[None]:
    """What does not fit into the model is the user's."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        raise UserError(f"{name[:60]} cannot be taken: {reason(error)}") from error
    except TypeError as error:
        said = " ".join(str(error).split())
        raise UserError(f"{name} is not of the size that the model takes: {said}") from error


def _readable(outputs: dict[str, Any]) -> dict[str, Any]:
    """The only row of each output as plain Python values."""
    return {key: _plain_python(value.numpy()[0]) for key, value in outputs.items()}


def _plain_python(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    listed = np.asarray(value).tolist()
    return [_plain_python(part) for part in listed] if isinstance(listed, list) else listed
