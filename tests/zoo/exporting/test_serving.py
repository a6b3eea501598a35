"""What docs/serving.md tells people to send."""

import base64
import json
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import zoo
from zoo.exporting.formats.litert import write_litert
from zoo.exporting.formats.onnx import write_onnx

TEXT = (Path(__file__).parents[3] / "docs" / "serving.md").read_text(encoding="utf-8")


def _bodies():
    """The model of the heading above, and the request."""
    for section in TEXT.split("\n### ")[1:]:
        for body in re.findall(r"```json\n(.*?)```", section.partition("\n## ")[0], re.DOTALL):
            yield section.partition("\n")[0], json.loads(body)


@pytest.fixture(scope="module")
def serve(small_exports):
    """A server of the small exports: `(model, signature, inputs) -> outputs`."""
    names = {model for model, _ in _bodies()}
    loaded = {name: tf.saved_model.load(str(small_exports[name].folder)) for name in names}
    written = {
        name: saved_model_pb2.SavedModel.FromString(
            (small_exports[name].folder / "saved_model.pb").read_bytes()
        )
        for name in names
    }

    def answer(model, endpoint, inputs):
        signature = written[model].meta_graphs[0].signature_def[endpoint]
        assert inputs.keys() <= signature.inputs.keys()
        given = {key: tf.make_ndarray(value) for key, value in signature.defaults.items()}
        for key, value in inputs.items():
            # The server reads each by the dtype of the signature, and checks its rank.
            info = signature.inputs[key]
            given[key] = np.array(_decoded(value), tf.as_dtype(info.dtype).as_numpy_dtype)
            assert given[key].ndim == len(info.tensor_shape.dim), key
        tensors = {key: tf.constant(value) for key, value in given.items()}
        return loaded[model].signatures[endpoint](**tensors)

    return answer


def _decoded(value):
    """Strings of JSON as a REST request has them."""
    if isinstance(value, list):
        return [_decoded(part) for part in value]
    if isinstance(value, dict):
        return base64.b64decode(value["b64"], validate=True)
    return value.encode() if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("model", "body"),
    [pytest.param(*case, id=f"{case[0]}-{n}") for n, case in enumerate(_bodies())],
)
def test_each_body_is_answered(serve, model, body):
    assert body.keys() == {"signature_name", "inputs"}
    outputs = serve(model, body["signature_name"], body["inputs"])
    assert outputs.keys() & {"text", "outputs", "state_0", "rest", "before", "next"}


def test_the_bodies_are_of_every_endpoint():
    asked = {body["signature_name"] for _, body in _bodies()}
    served = {"serving_default", "generate", "forward", "initial_state", "step", "encode"}
    assert asked == served | {"serve_part", "read", "tell", "margins"}


def test_the_client_asks_every_endpoint_for_what_it_has(serve, monkeypatch):
    """With messages that take whatever is put into them, in the place of those of the package."""
    asked = []

    class Field(SimpleNamespace):
        def CopyFrom(self, tensor):
            self.tensor = tensor

    class Inputs(dict):
        def __missing__(self, name):
            return self.setdefault(name, Field())

    def predict(request, timeout):
        spec = request.model_spec
        asked.append(spec.signature_name)
        given = {k: tf.make_ndarray(field.tensor).tolist() for k, field in request.inputs.items()}
        outputs = serve(spec.name, spec.signature_name, given)
        return SimpleNamespace(outputs={k: tf.make_tensor_proto(v) for k, v in outputs.items()})

    modules = {
        name: ModuleType(name) for name in ("grpc", "tensorflow_serving", "apis", "pb", "stub")
    }
    modules["grpc"].insecure_channel = str
    modules["pb"].PredictRequest = lambda: SimpleNamespace(
        model_spec=SimpleNamespace(), inputs=Inputs()
    )
    modules["stub"].PredictionServiceStub = lambda channel: SimpleNamespace(Predict=predict)
    modules["apis"].predict_pb2 = modules["pb"]
    modules["apis"].prediction_service_pb2_grpc = modules["stub"]
    monkeypatch.setitem(sys.modules, "grpc", modules["grpc"])
    monkeypatch.setitem(sys.modules, "tensorflow_serving", modules["tensorflow_serving"])
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", modules["apis"])
    (code,) = re.findall(r"```python\n(import grpc.*?)```", TEXT, re.DOTALL)
    exec(compile(code, "docs/serving.md", "exec"), {})
    assert {*asked} == {"serve", "generate", "forward", "initial_state", "step", "encode"}


@pytest.mark.slow
def test_the_programs_for_litert_and_onnx_agree(tmp_path, monkeypatch):
    model = zoo.create("char-lstm", units=6, embedding=6, vocab_size=9)
    write_litert(model, tmp_path / "my-model")
    write_onnx(model, tmp_path / "my-model")
    monkeypatch.chdir(tmp_path)
    codes = re.findall(r"```python\n(.*?)```", TEXT.partition("## LiteRT")[2], re.DOTALL)
    told = [{}, {}]
    for code, names in zip(codes, told, strict=True):
        exec(compile(code, "docs/serving.md", "exec"), names)
    expected = model(np.array([[2, 4, 5]]))[:, -1]
    for names in told:
        np.testing.assert_allclose(names["logits"], expected, atol=1e-5)


def test_the_program_is_built_as_it_says_itself():
    source = (Path(__file__).parents[3] / "examples" / "use_export.c").read_text(encoding="utf-8")
    build = re.search(r"gcc (.*?)\n\s*(.*)", source)
    assert build and all(part in TEXT for part in build.groups()[0].split() if part != "\\")
