"""What every registered model must do, by being registered."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import registry
from zoo.exporting.endpoints import numeric_endpoints, signature_of

AT_TRAINING = {"dropout", "recurrent_dropout", "init_scale", "embedding_scale", "variational"}


def _options(name):
    """What a small model of that name is made with, its sizes apart."""
    return {**zoo.describe(name)["options"], **_sizes(name)}


def _sizes(name):
    entry = registry.get("model", name)
    sizes = dict(registry.builder_of(entry).info["example"])
    options = entry.info.get("options", {})
    if options.get("tied"):
        sizes.pop("outputs", None)
    if options.get("layers", 1) > 2:
        sizes["layers"] = 2
    if not options.get("projection", True):
        sizes["embedding"] = sizes["units"]
    return sizes


def _distinct():
    """Names of models that differ in more than their sizes, and what acts in training only."""
    found = {}
    for name in zoo.list_models():
        kept = {key: repr(value) for key, value in _options(name).items() if key not in AT_TRAINING}
        found.setdefault((zoo.describe(name)["topology"], *kept.items()), name)
    return sorted(found.values())


def _random(model, time=5):
    """Inputs like the model's example, with random values and a ragged end where it has one."""
    rng = np.random.default_rng(1)

    def fill(example):
        high = 200 if example.dtype == np.uint8 else 13
        return rng.integers(1, high, example.shape).astype(example.dtype)

    inputs = tf.nest.map_structure(fill, model.example_inputs(3, time))
    if isinstance(inputs, dict) and "lengths" in inputs:
        inputs["lengths"] = np.array([time, 1, time - 2], "int32")
    if isinstance(inputs, dict) and "source" in inputs:
        inputs["source"][1, 2:] = 0
    return inputs


MODELS = _distinct()


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    model = zoo.create(request.param, **_sizes(request.param))
    rng = np.random.default_rng(1)
    for weight in model.trainable_variables:
        # A kernel that starts at zero hides all that comes before it.
        if len(weight.shape) > 1 and not np.any(weight):
            weight.assign(rng.normal(0, 0.1, weight.shape))
    return model


def assert_close(ours, theirs):
    """Numbers are rounded as the largest among them is."""
    size = max(1.0, np.abs(theirs).max())
    np.testing.assert_allclose(ours, theirs, atol=1e-5 * size)


def _kind(name):
    """What is chosen by words and switches. Of other cells and sizes, the cells' tests speak."""
    chosen = {key: value for key, value in _options(name).items() if isinstance(value, str | bool)}
    chosen.pop("cell", None)
    return registry.builder_of(registry.get("model", name)).name, *sorted(chosen.items())


def _quickly(quick, names=MODELS):
    """A parametrization by all `names`, of which those that are not `quick` are slow."""
    marked = [n if n in quick else pytest.param(n, marks=pytest.mark.slow) for n in names]
    return pytest.mark.parametrize("model", marked, indirect=True)


# Compiling, tracing and files take long: in the quick suite one of each topology.
FIRST = [*{zoo.describe(name)["topology"]: name for name in reversed(MODELS)}.values()]
one_of_each = _quickly(FIRST)
KINDS = [*{_kind(name): name for name in reversed(MODELS)}.values()]
one_of_each_kind = _quickly(KINDS)
ALONE = {n for n in MODELS if registry.builder_of(registry.get("model", n)).name == "one_to_one"}
recurrent = _quickly(KINDS, [n for n in MODELS if n not in ALONE])


@one_of_each
def test_the_model_survives_a_keras_file(model, tmp_path):
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    inputs = _random(model)
    np.testing.assert_allclose(model(inputs), again(inputs), atol=1e-6)


@one_of_each_kind
def test_every_weight_gets_a_gradient(model):
    inputs = _random(model)
    with tf.GradientTape() as tape:
        outputs = [model(inputs)]
        if hasattr(model, "follow"):
            # Where it looks, and what reward it expects, are trained by these alone.
            outputs += model.follow(inputs["image"])
        loss = tf.add_n([tf.reduce_sum(tf.square(part)) for part in outputs])
    gradients = tape.gradient(loss, [w.value for w in model.trainable_variables])
    assert all(g is not None and np.abs(tf.convert_to_tensor(g)).max() > 0 for g in gradients)


@one_of_each
def test_the_graph_agrees_with_eager(model):
    inputs = _random(model)
    assert_close(tf.function(lambda x: model(x))(inputs), model(inputs))


@one_of_each
def test_the_compiled_graph_agrees_with_eager(model):
    inputs = _random(model)
    found = tf.function(lambda x: model(x), jit_compile=True)(inputs)
    assert_close(found, model(inputs))


@recurrent
def test_steps_equal_the_whole(model):
    if not model.steppable:
        pytest.skip("reads the future, too")
    inputs = _random(model)
    whole = model(inputs)
    conditional = model.conditional
    state = model.encode(inputs[model.condition]) if conditional else model.initial_state(3)
    x = model.named_inputs(inputs)[model.steps_on]
    outputs = []
    for t in range(x.shape[1]):
        y, state = model.step(x[:, t], state)
        outputs.append(y)
    stepped = tf.stack(outputs, axis=1)
    if isinstance(inputs, dict) and "lengths" in inputs:
        stepped = tf.gather(stepped, inputs["lengths"] - 1, batch_dims=1)
    assert_close(stepped, whole)


@recurrent
def test_the_state_can_be_carried_from_window_to_window(model):
    if model.conditional:
        state = model.initial_state(3)
        assert all(not np.any(part) for part in tf.nest.flatten(state))
        return
    if not model.steppable:
        assert not tf.nest.flatten(model.initial_state(3))
        return
    inputs = _random(model, time=6)
    if isinstance(inputs, dict):
        key = model.steps_on
        inputs["lengths"][:] = 6
        halves = [{key: inputs[key][:, s], "lengths": inputs["lengths"] * 0 + 3}
                  for s in (slice(0, 3), slice(3, 6))]  # fmt: skip
        whole = model(inputs)
    else:
        halves = [inputs[:, :3], inputs[:, 3:]]
        whole = model(inputs)[:, 3:]
    _, state = model(halves[0], return_state=True)
    y, _ = model(halves[1], state=state, return_state=True)
    assert_close(y, whole)
    fresh, _ = model(halves[1], state=state, reset=np.ones(3, "int32"), return_state=True)
    assert_close(fresh, model(halves[1]))


@one_of_each
def test_what_is_exported_equals_the_model(model):
    endpoints = numeric_endpoints(model)
    first = "encode" if model.conditional else "initial_state"
    steps = {first, "step"} if model.recurrent and model.steppable else set()
    assert endpoints.keys() == {"forward", *steps}
    call = {name: signature_of(endpoint) for name, endpoint in endpoints.items()}
    given = _random(model)
    named = model.named_inputs(given)
    state = {}
    if steps and not model.conditional:
        state = call["initial_state"](batch_size=tf.constant(3))
        _assert_states(state, model.initial_state(3))
    told = call["forward"](**_tensors(named), **state)
    assert_close(told.pop("outputs"), model(given))
    if steps and not model.conditional:
        _assert_states(told, model(given, return_state=True)[1])
    if not steps:
        return
    x = named[model.steps_on]
    own = model.initial_state(3)
    if model.conditional:
        condition = _tensors({model.condition: named[model.condition]})
        state, own = call["encode"](**condition), model.encode(*condition.values())
        _assert_states(state, own)
    for t in range(2):
        state = call["step"](x=tf.constant(x[:, t]), **state)
        y, own = model.step(x[:, t], own)
        assert_close(state.pop("outputs"), y)
        _assert_states(state, own)


def _tensors(named):
    return {name: tf.constant(value) for name, value in named.items()}


def _assert_states(named, own):
    parts = tf.nest.flatten(own)
    assert named.keys() == {f"state_{index}" for index in range(len(parts))}
    for index, part in enumerate(parts):
        assert_close(named[f"state_{index}"], part)


@pytest.mark.parametrize("name", zoo.list_models())
def test_the_entry_says_what_it_is(name):
    entry = registry.get("model", name)
    assert entry.summary.endswith(".")
    assert zoo.describe(name)["topology"] in registry.entries("topology")
    cell = entry.info.get("cell")
    assert cell is None or cell in registry.entries("cell")
