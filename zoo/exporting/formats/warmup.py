"""Requests that TensorFlow Serving runs before it takes others, so that the first one is fast."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

FILE = Path("assets.extra") / "tf_serving_warmup_requests"
"""Where TensorFlow Serving looks for them in an export."""


def write_warmup(folder: Path, name: str, examples: Iterable[Any]) -> None:
    """Write a request to `serving_default` for each example, a batch of one.

    The file is a TFRecord of `tensorflow.serving.PredictionLog`, written here as bytes: so a few
    field numbers are all that is needed of TensorFlow Serving.

    Args:
        folder: of the export.
        name: of the input.
        examples: raw inputs.

    Source: `prediction_log.proto`, `predict.proto` and `model.proto` in
    https://github.com/tensorflow/serving/tree/master/tensorflow_serving/apis
    """
    with tf.io.TFRecordWriter(str(folder / FILE)) as writer:
        for example in examples:
            batch = example[None] if isinstance(example, np.ndarray) else [example]
            writer.write(prediction_log(name, tf.make_tensor_proto(batch)))


def prediction_log(name: str, tensor: Any) -> bytes:
    """Return a `PredictionLog` with one request, its input a `TensorProto`."""
    spec = _field(3, b"serving_default")  # ModelSpec.signature_name
    entry = _field(1, name.encode()) + _field(2, tensor.SerializeToString())  # key and value
    request = _field(1, spec) + _field(2, entry)  # PredictRequest.model_spec, .inputs
    return _field(6, _field(1, request))  # PredictionLog.predict_log, PredictLog.request


def _field(number: int, content: bytes) -> bytes:
    """Return a field of a protocol buffer that has a length: a string or a message."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """Write seven bits a byte, the lowest first; the eighth says that more follow.

    Example:
        >>> _varint(300).hex()
        'ac02'
    """
    *more, last = (number >> shift & 127 for shift in range(0, max(1, number.bit_length()), 7))
    return bytes([*(bits | 128 for bits in more), last])
