"""What a new version of Keras or TensorFlow may break, one test a private hook."""

import ast
import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.utils import keras_internals as internals

ROOT = Path(__file__).parents[3]
PRIVATE_MODULES = ("keras.src", "tensorflow.python", "tensorflow.compiler")
PUBLIC = {"_replace", "_fields", "_asdict"}  # of a NamedTuple
OF_OTHERS = {"_extract_corpus_statistics", "_compute_score_from_stats"}  # of sacrebleu's metrics
TREES = {
    path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8"))
    for package in ("zoo", "tasks")
    for path in sorted((ROOT / package).rglob("*.py"))
    if path.name != "keras_internals.py"
}


def own_names():
    """Methods and attributes that begin with an underscore and are the project's own."""
    for tree in TREES.values():
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(name=name):
                    yield name
                case ast.Attribute(value=ast.Name("self"), attr=name, ctx=ast.Store()):
                    yield name


ALLOWED = {*own_names(), *PUBLIC, *OF_OTHERS}


def private_name(node):
    """What a node of a syntax tree uses of the inside of Keras or TensorFlow; None if nothing."""
    match node:
        case ast.Import():
            names = [alias.name for alias in node.names]
        case ast.ImportFrom():
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        case ast.Attribute(value=ast.Name("self" | "cls") | ast.Call(func=ast.Name("super"))):
            names = []
        case ast.Attribute(attr="__internal__"):
            return ast.unparse(node)
        case ast.Attribute(attr=attribute):
            hidden = attribute.startswith("_") and not attribute.startswith(("__", "_zoo_"))
            if hidden and attribute not in ALLOWED:
                return ast.unparse(node)
            names = [ast.unparse(node)]
        case _:
            names = []
    return next((name for name in names if name.startswith(PRIVATE_MODULES)), None)


@pytest.mark.parametrize("path", TREES, ids=str)
def test_nothing_else_reaches_into_keras_or_tensorflow(path):
    assert not [name for node in ast.walk(TREES[path]) if (name := private_name(node))]


@pytest.mark.parametrize(
    "line",
    [
        "from keras.src import backend",
        "import tensorflow.python.eager",
        "tf.__internal__.FuncGraph('x')",
        "keras.src.backend",
        "layer._flatten_layers()",
    ],
)
def test_the_test_above_sees_what_it_forbids(line):
    assert any(map(private_name, ast.walk(ast.parse(line))))


def test_variables_read_in_another_type_inside_a_scope_only():
    variable = keras.Variable(np.ones(2, "float32"))
    with internals.autocast_scope("float16"):
        assert tf.convert_to_tensor(variable).dtype == tf.float16
    assert tf.convert_to_tensor(variable).dtype == tf.float32


def test_the_mask_of_an_embedding_is_read():
    y = keras.layers.Embedding(5, 3, mask_zero=True)(np.array([[1, 0]]))
    np.testing.assert_array_equal(internals.mask_of(y), [[True, False]])
    assert internals.mask_of(tf.ones([1])) is None


def test_layers_are_listed_at_any_depth():
    inner = keras.layers.Dense(1)
    x = keras.Input((3,))
    outer = keras.Model(x, keras.Sequential([keras.layers.ReLU(), inner])(x))
    assert any(layer is inner for layer in internals.layers_within(outer))
    assert any(layer is outer for layer in internals.layers_within(outer))


def test_a_graph_of_layers_is_told_from_a_program():
    class Own(keras.Model):
        pass

    x = keras.Input((3,))
    assert internals.is_functional(keras.Model(x, keras.layers.Dense(1)(x)))
    assert internals.is_functional(keras.Sequential([keras.layers.Dense(1)]))
    assert not internals.is_functional(Own())


def test_the_cell_of_convolutions_is_known():
    assert internals.is_conv_lstm_cell(keras.layers.ConvLSTM2D(3, 2).cell)
    assert not internals.is_conv_lstm_cell(keras.layers.LSTMCell(3))


def test_what_cudnn_serves_is_asked_of_keras(monkeypatch):
    layers = keras.layers.LSTM(3), keras.layers.GRU(3), keras.layers.GRU(3, reset_after=False)
    assert not any(map(internals.cudnn_serves, layers))  # There is no GPU.
    module = sys.modules["keras.src.backend.tensorflow.rnn"]
    monkeypatch.setattr(module, "_is_gpu_available", lambda: True)
    assert [internals.cudnn_serves(layer) for layer in layers] == [True, True, False]
    others = [
        keras.layers.LSTM(3, activation="relu"),
        keras.layers.LSTM(3, recurrent_dropout=0.1),
        keras.layers.GRU(3, unroll=True),
    ]
    assert not any(map(internals.cudnn_serves, others))


def test_a_call_comes_before_keras_looks_for_a_class(monkeypatch):
    from keras.src.saving import serialization_lib as library

    monkeypatch.setattr(library, "_retrieve_class_or_fn", library._retrieve_class_or_fn.__wrapped__)
    calls = []
    for _ in range(2):
        internals.before_a_class_is_sought(lambda *what: calls.append(what))
    config = {"class_name": "Gone", "registered_name": "a>Gone", "module": "a.b", "config": {}}
    with pytest.raises(TypeError, match="Could not locate class 'Gone'"):
        keras.saving.deserialize_keras_object(config)
    assert calls == [("a>Gone", "a.b")]


def test_an_attribute_may_be_set_before_the_constructor_runs():
    class Noted(keras.Model):
        def __new__(cls, *args, **kwargs):
            model = super().__new__(cls)
            internals.set_before_init(model, "note", {"units": 3})
            return model

    assert Noted().note == {"units": 3}


def test_a_scratch_graph_reads_variables_that_were_made_before():
    variable, before = tf.Variable(2.0), tf.constant(1.0)
    with internals.scratch_graph("scratch").as_default() as graph:
        keras.random.uniform((2,), seed=keras.random.SeedGenerator(1))
        variable.read_value() + before
    assert {"ReadVariableOp", "AddV2"} <= {op.type for op in graph.get_operations()}


def gradients_registered():
    gc.collect()
    from tensorflow.python.framework import ops

    return {name for name in ops.gradient_registry._registry if name.startswith("CustomGradient")}


def squared(release):
    @tf.custom_gradient
    def square(x):
        return x * x, lambda dy: 2 * x * dy

    return tf.function(lambda x: release(square(x)))


@pytest.mark.parametrize(
    ("release", "freed"), [(internals.release_with_graph, True), (lambda result: result, False)]
)
def test_a_graph_with_a_gradient_of_its_own_is_freed(release, freed):
    before = gradients_registered()
    run, x = squared(release), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = run(x)
    assert float(tape.gradient(y, x)) == 6
    graph = weakref.ref(run.get_concrete_function(x).graph)
    del run, tape, y
    gc.collect()
    assert (graph() is None) == freed
    assert (gradients_registered() == before) == freed


def test_a_gradient_outlives_the_tracing_of_its_graph():
    run, x = squared(internals.release_with_graph), tf.Variable(3.0)
    run(x)
    gc.collect()
    with tf.GradientTape() as tape:
        y = tf.function(run)(x)
    assert float(tape.gradient(y, x)) == 6
    assert float(internals.release_with_graph(tf.constant(1.0))) == 1


def test_the_body_of_a_loop_is_a_function_in_its_graph():
    @tf.function
    def run(x):
        return tf.while_loop(lambda x: x < 9, lambda x: [x * 3], [x])

    graph = run.get_concrete_function(tf.constant(1)).graph
    (loop,) = [op for op in graph.get_operations() if "While" in op.type]
    body = internals.function_in(graph, loop.get_attr("body").name)
    assert "Mul" in {op.type for op in body.graph.get_operations()}
    assert internals.function_in(graph, "no such function") is None


def test_the_fingerprint_is_of_the_graph_that_lies_there(tmp_path):
    def fingerprint():
        return tf.saved_model.experimental.read_fingerprint(str(tmp_path)).saved_model_checksum

    tf.saved_model.save(tf.Module(), str(tmp_path))
    old, path = fingerprint(), tmp_path / "saved_model.pb"
    path.write_bytes(path.read_bytes() + path.read_bytes())
    assert fingerprint() == old
    internals.write_fingerprint(tmp_path)
    assert fingerprint() != old


REPLICAS = """
import keras, tensorflow as tf
from zoo.utils.keras_internals import devices_are_made, take_gradients_as_summed
(processor,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
print(devices_are_made())
strategy = tf.distribute.MirroredStrategy(["cpu:0", "cpu:1"])
with strategy.scope():
    for hook in (lambda optimizer: None, take_gradients_as_summed):
        weight = keras.Variable([0.0])
        optimizer = keras.optimizers.SGD(1.0)
        optimizer.build([weight])
        hook(optimizer)
        strategy.run(tf.function(lambda: optimizer.apply([tf.constant([1.0])], [weight])))
        print(-weight.numpy()[0])
print(devices_are_made())
"""


@pytest.mark.slow
def test_devices_are_seen_and_gradients_are_summed_once():
    result = subprocess.run(
        [sys.executable, "-c", REPLICAS],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split() == ["False", "2.0", "1.0", "True"]


def test_a_step_of_keras_is_told_from_what_it_saves(tmp_path):
    traced = {}

    class Noting(keras.layers.Layer):
        def call(self, x):
            traced.setdefault(tf.inside_function() and internals.in_keras_step(), len(traced))
            return x

    model = keras.Sequential([keras.Input((2,)), Noting(), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    steps = {
        "fit": lambda: model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0),
        "evaluate": lambda: model.evaluate(np.ones((2, 2)), np.ones((2, 1)), verbose=0),
        "predict": lambda: model.predict(np.ones((2, 2)), verbose=0),
        "export": lambda: model.export(tmp_path, verbose=False),
        "a function": lambda: tf.function(model)(np.ones((2, 2), "float32")),
    }
    answers = {}
    for name, run in steps.items():
        traced.clear()
        run()
        answers[name] = True in traced
    assert answers == dict.fromkeys(("fit", "evaluate", "predict"), True) | {
        "export": False,
        "a function": False,
    }


@pytest.mark.parametrize("jit_compile", [False, True])
def test_what_is_compiled_as_a_whole_knows_it(jit_compile):
    seen = [internals.in_xla()]

    def inner(x):
        seen.append(internals.in_xla())
        return x

    tf.function(tf.function(inner), jit_compile=jit_compile)(tf.ones(2))
    assert seen == [False, jit_compile]
