import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from zoo.exporting.formats.warmup import FILE

STRING, MESSAGE = 9, 11


@pytest.fixture(scope="module")
def prediction_log():
    """The message, made of what the files of TensorFlow Serving declare."""
    file = descriptor_pb2.FileDescriptorProto(
        name="prediction_log.proto",
        package="tensorflow.serving",
        syntax="proto3",
        dependency=["tensorflow/core/framework/tensor.proto"],
    )
    own = ".tensorflow.serving."
    for name, fields in {
        "ModelSpec": {1: ("name", ""), 3: ("signature_name", "")},
        "Input": {1: ("key", ""), 2: ("value", ".tensorflow.TensorProto")},
        "PredictRequest": {1: ("model_spec", own + "ModelSpec"), 2: ("inputs", own + "Input")},
        "PredictLog": {1: ("request", own + "PredictRequest")},
        "PredictionLog": {6: ("predict_log", own + "PredictLog")},
    }.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in fields.items():
            label = 3 if field == "inputs" else 1
            kinds = {"type": MESSAGE, "type_name": kind} if kind else {"type": STRING}
            message.field.add(name=field, number=number, label=label, **kinds)
    pool = descriptor_pool.Default()
    pool.Add(file) if hasattr(pool, "Add") else pool.AddSerializedFile(file.SerializeToString())
    found = pool.FindMessageTypeByName("tensorflow.serving.PredictionLog")
    return message_factory.GetMessageClass(found)


@pytest.mark.slow
def test_each_example_is_a_request_to_serving_default(small_exports, prediction_log):
    # Of each kind of input: bytes, arrays, texts.
    for export in map(small_exports.get, ("digits-linear", "video-gru", "char-lstm")):
        records = [*tf.data.TFRecordDataset(str(export.folder / FILE)).as_numpy_iterator()]
        model = SavedModel.FromString((export.folder / "saved_model.pb").read_bytes())
        (given,) = model.meta_graphs[0].signature_def["serving_default"].inputs
        for record, raw in zip(records, export.raw, strict=True):
            log = prediction_log.FromString(record)
            assert log.SerializeToString(deterministic=True) == record
            request = log.predict_log.request
            assert request.model_spec.signature_name == "serving_default"
            assert [each.key for each in request.inputs] == [given]
            (batch,) = tf.make_ndarray(request.inputs[0].value)
            raw = raw.encode() if isinstance(raw, str) else raw
            np.testing.assert_array_equal(batch, raw)
