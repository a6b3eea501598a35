import sys

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.conformance.test_models import MODELS, _random, _sizes
from tests.zoo.exporting.formats.test_litert import Gamma
from zoo import UserError
from zoo.exporting.formats.onnx import check_onnx, sessions, write_onnx
from zoo.topologies.forecaster import Forecaster

# Converting takes seconds: in the quick suite one without steps, one with, one that is conditional.
QUICK = {"digits-cnn", "char-lstm", "caption-lstm"}
ROWS = 3


@pytest.fixture(
    scope="module",
    params=[n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in MODELS],
)
def exported(request, tmp_path_factory):
    model = zoo.create(request.param, **_sizes(request.param))
    folder = tmp_path_factory.mktemp(request.param)
    written = write_onnx(model, folder)
    return model, written, sessions(folder / "onnx")


def _run(session, **given):
    names = [output.name for output in session.get_outputs()]
    told = dict(zip(names, session.run(None, {k: np.asarray(v) for k, v in given.items()})))
    return {name.removeprefix("next_"): value for name, value in told.items()}


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["steps", "segments"])
def test_missing_numbers_are_left_out_as_in_the_model(tmp_path, encoder):
    sizes = {"horizon": 3, "look_back": 6, "season": 4, "seasons": (4,), "units": 4, "segment": 2}
    covariates = {"known_covariates": 1, "past_covariates": 1, "categories": (2,)}
    model = Forecaster(**sizes, **covariates, encoder=encoder)
    rng = np.random.default_rng(1)
    for weight in model.trainable_variables:
        weight.assign_add(rng.normal(size=weight.shape, scale=0.1))
    write_onnx(model, tmp_path)
    session = sessions(tmp_path / "onnx")["forward"]
    for time in (5, 9):
        x = rng.normal(size=(ROWS, time, model.example_inputs(1).shape[-1])).astype("float32")
        x[:, 2, 0] = x[0, 0, 0] = x[1, 3, 1] = np.nan
        state = model.initial_state(ROWS)
        answer = _run(session, series=x, **_numbered(state))
        np.testing.assert_allclose(answer["outputs"], model(x), atol=1e-5)


def _named(model, time):
    given = _random(model, time)
    return model.named_inputs(given)


def _numbered(state):
    return {f"state_{n}": part for n, part in enumerate(tf.nest.flatten(state))}


def _assert_state(named, state):
    expected = _numbered(state)
    assert named.keys() == expected.keys()
    for name, part in expected.items():
        np.testing.assert_allclose(named[name], part, atol=1e-5)


def test_there_is_a_file_for_each_endpoint_on_numbers(exported):
    model, written, found = exported
    steps = {"step"} if model.recurrent and model.steppable else set()
    encode = {"encode"} if model.conditional else set()
    assert {path.name for path in written} == {f"{n}.onnx" for n in {"forward"} | steps | encode}
    assert all(path.is_file() for path in written)
    assert len(found) == len(written)


@pytest.mark.parametrize("time", [5, 9])
def test_the_whole_equals_the_model_at_any_length(exported, time):
    model, _, found = exported
    named = _named(model, time)
    carried = model.recurrent and model.steppable and not model.conditional
    state = _numbered(model.initial_state(ROWS)) if carried else {}
    told = _run(found["forward"], **named, **state)
    expected, after = model(model.inputs_from(named), return_state=True)
    np.testing.assert_allclose(told.pop("outputs"), expected, atol=1e-5)
    if carried:
        _assert_state(told, after)


def test_steps_equal_those_of_the_model(exported):
    model, _, found = exported
    if "step" not in found:
        assert not (model.recurrent and model.steppable)
        return
    named = _named(model, 4)
    if model.conditional:
        condition = {model.condition: named[model.condition]}
        told, state = _run(found["encode"], **condition), model.encode(*condition.values())
        _assert_state(told, state)
    else:
        state = model.initial_state(ROWS)
        told = _numbered(state)
    x = named[model.steps_on]
    for t in range(x.shape[1]):
        told = _run(found["step"], x=x[:, t], **told)
        outputs, state = model.step(x[:, t], state)
        np.testing.assert_allclose(told.pop("outputs"), outputs, atol=1e-5)
        _assert_state(told, state)


def test_what_cannot_be_converted_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"^forward cannot be written as ONNX: ") as told:
        write_onnx(Gamma(), tmp_path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("package", ["onnx", "tf2onnx", "onnxruntime"])
def test_a_missing_package_is_named_with_its_extra(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=rf'needs {package}: pip install "sequence-zoo\[onnx\]"'):
        check_onnx()
