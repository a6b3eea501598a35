import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax
from tensorflow.lite.tools import flatbuffer_utils

import zoo
from tests.conformance.test_models import FIRST, MODELS, _sizes
from zoo import UserError
from zoo.exporting.formats.litert import TIME, interpreter, write_litert
from zoo.topologies.base import SequenceModel

# Converting takes a second or two: in the quick suite one that reads, one that writes, one that has
# no steps, and one that attends to its condition.
QUICK = {*FIRST, "translate-gru-attention"} - {"caption-lstm", "translate-gru"}


@pytest.fixture(
    scope="module",
    params=[n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in MODELS],
)
def exported(request, tmp_path_factory):
    model = zoo.create(request.param, **_sizes(request.param))
    return model, write_litert(model, tmp_path_factory.mktemp(request.param))


def _runners(path):
    made = interpreter(path)
    return {name: made.get_signature_runner(name) for name in made.get_signature_list()}


def _random(runner):
    """One row of whatever a signature takes; a state is not what a model would start from."""
    rng = np.random.default_rng(1)

    def fill(detail):
        whole = np.issubdtype(detail["dtype"], np.integer)
        values = rng.integers(1, 9, detail["shape"]) if whole else rng.normal(size=detail["shape"])
        return values.astype(detail["dtype"])

    return {name: fill(detail) for name, detail in runner.get_input_details().items()}


def _parts(named):
    return [named[f"state_{n}"] for n in range(sum(key.startswith("state_") for key in named))]


def _assert_parts(named, state):
    parts = tf.nest.flatten(state)
    assert len(_parts(named)) == len(parts)
    for part, expected in zip(_parts(named), parts):
        np.testing.assert_allclose(part, expected, atol=1e-5)


@pytest.mark.slow
def test_a_file_holds_built_in_operators_only(exported):
    _, path = exported
    codes = flatbuffer_utils.read_model(str(path)).operatorCodes
    assert codes
    assert not [code.customCode for code in codes if code.customCode]


def test_the_whole_equals_the_model(exported):
    model, path = exported
    forward = _runners(path)["forward"]
    given = _random(forward)
    found = forward(**given)
    state = _parts(given)
    inputs = {key: value for key, value in given.items() if not key.startswith("state_")}
    how = {}
    if state:
        structure = model.initial_state(1)
        how = {"state": tf.nest.pack_sequence_as(structure, list(map(tf.constant, state)))}
    expected, after = model(model.inputs_from(inputs), return_state=True, **how)
    np.testing.assert_allclose(found["outputs"], expected, atol=1e-5)
    if state:
        _assert_parts(found, after)


def test_steps_equal_those_of_the_model(exported):
    model, path = exported
    runners = _runners(path)
    if not (model.recurrent and model.steppable):
        assert set(runners) == {"forward"}
        return
    if model.conditional:
        condition = _random(runners["encode"])
        named, state = runners["encode"](**condition), model.encode(*condition.values())
    else:
        named = runners["initial_state"](batch_size=np.array(1, "int32"))
        state = model.initial_state(1)
    _assert_parts(named, state)
    rng = np.random.default_rng(2)
    like = _random(runners["step"])["x"]
    for _ in range(4):
        x = rng.permutation((like + rng.integers(0, 4)).ravel()).reshape(like.shape)
        named = runners["step"](x=x.astype(like.dtype), **named)
        outputs, state = model.step(tf.constant(x, like.dtype), state)
        np.testing.assert_allclose(named.pop("outputs"), outputs, atol=1e-5)
        _assert_parts(named, state)


def test_a_quantised_file_is_smaller_and_nearly_the_same(tmp_path):
    model = zoo.create("char-lstm", vocab_size=40, units=96, layers=1)
    exact = write_litert(model, tmp_path)
    rough = write_litert(model, tmp_path, quantise=True)
    assert (exact.name, rough.name) == ("model.tflite", "model-quantised.tflite")
    assert rough.stat().st_size < exact.stat().st_size / 2
    given = _random(_runners(exact)["forward"])
    one, other = (softmax(_runners(p)["forward"](**given)["outputs"]) for p in (exact, rough))
    assert one.shape == (1, TIME, 40)
    assert 0 < np.abs(one - other).max() < 0.02


class Gamma(SequenceModel):
    """Needs what LiteRT has not built in."""

    recurrent = False

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)
        self._finish()

    def call(self, inputs):
        return tf.math.igamma(tf.abs(self.dense(inputs)), 1.0)

    def initial_state(self, batch_size):
        return ()

    def example_inputs(self, batch_size=2, time=5):
        return np.zeros((batch_size, 3), "float32")


def test_an_operator_that_is_not_built_in_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"^the model cannot .* LiteRT: it needs Igamma, and only"):
        write_litert(Gamma(), tmp_path)
    assert not list(tmp_path.rglob("*.tflite"))


def test_a_missing_package_is_named_with_its_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(UserError, match=r'ai-edge-litert: pip install "sequence-zoo\[litert\]"'):
        interpreter(tmp_path / "model.tflite")
