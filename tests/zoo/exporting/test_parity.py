import functools
import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import UserError
from zoo.exporting import export as exports
from zoo.exporting.endpoints import numeric_endpoints, signature_of
from zoo.exporting.formats.litert import write_litert
from zoo.exporting.formats.onnx import write_onnx
from zoo.exporting.parity import ROWS, STEPS, measure_parity
from zoo.exporting.trained import Trained
from zoo.training.settings import Settings

SIZES = {"vocab_size": 17, "units": 12, "embedding": 9}


def _model():
    keras.utils.set_random_seed(3)
    return zoo.create("char-lstm", **SIZES)


def _task(*batches, unit=("", 1.0)):
    """A task of which a certificate needs the test batches only, and what is small beside them."""

    def windows(split, settings):
        assert (split, settings.batch_size) == ("test", ROWS)
        datasets = [tf.data.Dataset.from_tensors({"inputs": inputs}) for inputs in batches]
        return functools.reduce(lambda one, other: one.concatenate(other), datasets)

    return SimpleNamespace(
        raw_windows=windows, prepared=tf.identity, dataset="tokens", output_unit=lambda inputs: unit
    )


TOKENS = np.random.default_rng(1).integers(0, 17, (5, 40)).astype("int32")


def _certify(model, folder, *batches, **unit):
    config = SimpleNamespace(training=Settings(batch_size=2))
    return measure_parity(Trained(model, _task(*batches or [TOKENS], **unit), config), folder)


def _write(model, folder, **changed):
    """A SavedModel of the endpoints on numbers, some of them perhaps others."""
    module = tf.Module()
    module.kept = [variable.value for variable in model.variables]
    endpoints = {**numeric_endpoints(model), **changed}
    signatures = {name: signature_of(endpoint) for name, endpoint in endpoints.items()}
    tf.saved_model.save(module, str(folder), signatures)


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """The model, and a folder with all its forms."""
    model, folder = _model(), tmp_path_factory.mktemp("everything")
    _write(model, folder)
    for quantise in (False, True):
        write_litert(model, folder, quantise)
    write_onnx(model, folder)
    return model, folder


def test_every_form_is_certified_and_close(everything):
    told = _certify(*everything)
    forms = [
        f"{form} {name}"
        for form in ("SavedModel", "litert/model.tflite", "onnx")
        for name in ("forward", "step")
    ]
    own = {"batch of 64 against rows alone", "whole against step by step"}
    assert set(told["differences"]) == {*forms, *own}
    assert all(0 <= difference <= 1e-4 for difference in told["differences"].values())
    assert (told["rows"], told["steps"], told["tolerance"]) == (ROWS, STEPS, 1e-4)
    model, _ = everything
    whole = model(np.tile(TOKENS[:, :STEPS], (13, 1))[:ROWS]).numpy()
    assert told["largest_output"] == pytest.approx(np.abs(whole).max(), rel=1e-6)
    rough = told["quantised"]
    assert set(rough) == {f"litert/model-quantised.tflite {name}" for name in ("forward", "step")}
    # Rough, but of the same model: what it takes for likeliest is mostly the same.
    assert all(near["same"] > 0.5 and 0 < near["probabilities"] < 0.05 for near in rough.values())


def test_it_looks_at_long_examples_where_the_shortest_come_first(tmp_path):
    model = _model()
    told = _certify(model, tmp_path, TOKENS[:, :1], TOKENS[:, :9], TOKENS[:2, :12])
    assert told["steps"] == 9
    padded = np.pad(TOKENS[:, :9], [(0, 0), (0, STEPS - 9)])
    assert told["largest_output"] == pytest.approx(np.abs(model(padded)).max(), rel=1e-6)


def test_only_what_lies_in_the_folder_is_certified(everything, tmp_path):
    model, folder = everything
    names = shutil.ignore_patterns("litert", "onnx")
    told = _certify(model, shutil.copytree(folder, tmp_path / "copy", ignore=names))
    forms = {name.split()[0] for name in told["differences"]}
    assert forms == {"SavedModel", "batch", "whole"}
    assert "quantised" not in told


def _shifted(by):
    """The same model with one weight off, and one logit with it."""
    other = _model()
    values = other.head.bias.numpy()
    values[4] += by
    other.head.bias.assign(values)
    return other


def _write_one(form, model, folder):
    if form == "SavedModel":
        _write(model, folder)
    elif form == "onnx":
        write_onnx(model, folder)
    else:
        write_litert(model, folder, quantise="quantised" in form)


SLOW_ONNX = pytest.param("onnx", marks=pytest.mark.slow)


@pytest.mark.parametrize("form", ["SavedModel", "litert/model.tflite", SLOW_ONNX])
def test_a_wrong_weight_in_a_form_is_found(form, tmp_path):
    _write_one(form, _shifted(0.01), tmp_path)
    said = rf"^the outputs of {form} forward differ by 1\.0e-02, but only 1e-04 is allowed"
    with pytest.raises(UserError, match=said) as told:
        _certify(_model(), tmp_path)
    assert "\n" not in str(told.value)


@pytest.mark.slow
def test_differences_are_measured_in_the_unit_of_each_row(everything, tmp_path):
    model, folder = everything
    plain, sizes = _certify(model, folder), np.full(ROWS, 1e-3)
    units = _certify(model, folder, unit=("the spread", sizes * 1e6))
    assert units["unit"] == "the spread" and "unit" not in plain
    assert units["largest_output"] == pytest.approx(plain["largest_output"] / 1e3, rel=1e-6)
    for key, difference in plain["differences"].items():
        assert units["differences"][key] == pytest.approx(difference / 1e3, rel=1e-3, abs=1e-12)
    assert all(near.keys() == {"outputs"} for near in units["quantised"].values())
    # What is nothing beside 1 is a tenth of what these rows are measured in.
    _write(_shifted(1e-4), tmp_path)
    with pytest.raises(UserError, match=r"differ by 1\.0e-01 times the spread, but only 1e-04"):
        _certify(model, tmp_path, unit=("the spread", sizes))


@pytest.mark.parametrize("form", ["SavedModel", "litert/model-quantised.tflite"])
def test_a_weight_that_is_no_number_is_found(form, tmp_path):
    _write_one(form, _shifted(np.nan), tmp_path)
    with pytest.raises(UserError, match=f"{form} forward"):
        _certify(_model(), tmp_path)


def test_a_model_that_gives_no_numbers_is_found_though_all_its_forms_agree(tmp_path):
    # The difference of two such is none either, and no comparison with it is true.
    with pytest.raises(UserError, match="an output of batch of 64 against rows alone is no number"):
        _certify(_shifted(np.nan), tmp_path)


def test_steps_that_forget_are_found_though_the_whole_is_right(tmp_path):
    model = _model()
    right = numeric_endpoints(model)["step"]

    @tf.function(input_signature=right.input_signature)
    def step(x, state):
        outputs, after = right(x, state)
        return outputs, [after[0], state[1]]

    _write(model, tmp_path, step=step)
    with pytest.raises(UserError, match="the outputs of SavedModel step differ"):
        _certify(model, tmp_path)


def test_rows_alone_are_all_rows(tmp_path, monkeypatch):
    # The last row alone is another, after a batch that is right.
    model, call = _model(), type(_model()).call

    def off(self, inputs, *args, **kwargs):
        outputs = call(self, inputs, *args, **kwargs)
        if isinstance(outputs, tuple):
            return outputs
        alone = tf.cast((tf.shape(inputs)[0] == 1) & (inputs[0, 0] == TOKENS[4, 0]), tf.float32)
        return outputs + alone

    monkeypatch.setattr(type(model), "call", off)
    with pytest.raises(UserError, match="batch of 64 against rows alone differ by 1"):
        _certify(model, tmp_path)


class Leaky(type(_model())):
    """A row's answer depends on the rows beside it."""

    def call(self, inputs, *args, **kwargs):
        outputs = super().call(inputs, *args, **kwargs)
        if isinstance(outputs, tuple):
            return outputs
        return outputs + tf.reduce_mean(outputs, axis=0, keepdims=True)


def test_rows_that_depend_on_each_other_are_found(tmp_path):
    with pytest.raises(UserError, match="batch of 64 against rows alone differ"):
        _certify(Leaky(**SIZES), tmp_path)


@pytest.mark.slow
def test_one_answer_is_taken_after_the_last_step_of_each_row(tmp_path):
    model = zoo.create("sequence-gru", features=3, units=6, classes=4)
    example = model.example_inputs(7, 50)
    rng = np.random.default_rng(2)
    inputs = {
        name: part if name == "lengths" else rng.normal(size=part.shape).astype(part.dtype)
        for name, part in example.items()
    }
    inputs["lengths"] = np.array([50, 1, 9, 33, 32, 2, 0], "int32")
    assert _certify(model, tmp_path, inputs)["differences"]["whole against step by step"] < 1e-5


def test_half_precision_has_a_tolerance_of_its_own(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        told = _certify(_model(), tmp_path)
    finally:
        keras.config.set_dtype_policy("float32")
    assert told["tolerance"] == 5e-2
    assert max(told["differences"].values()) <= 5e-2


def test_an_export_that_fails_its_certificate_leaves_nothing_behind(run, tmp_path, monkeypatch):
    write = exports.write_saved_model

    def planted(trained, folder):
        weight = trained.model.trainable_variables[0]
        before = weight.numpy()
        weight.assign(before + 0.1)
        write(trained, folder)
        weight.assign(before)

    monkeypatch.setattr(exports, "write_saved_model", planted)
    with pytest.raises(UserError, match=r"SavedModel forward differ.*nothing was written"):
        zoo.export(run, tmp_path / "folder" / "model", metrics=False)
    assert not list(tmp_path.rglob("*.*"))
    assert not (tmp_path / "folder" / "model").exists()
