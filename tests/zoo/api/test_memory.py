"""A process that fits and evaluates many models frees their graphs."""

import gc

import pytest
import tensorflow as tf

import zoo
from zoo.cells.linear import LRUCell
from zoo.cells.lstm import LSTMCell
from zoo.layers.softmax import cross_entropy
from zoo.recurrence import Recurrence
from zoo.recurrence.parallel_scan import linear_scan


def live_graphs():
    """Count the graphs of functions that are still there."""
    gc.collect()
    # An isinstance would ask lazy modules for their class, and load them.
    return sum(issubclass(type(thing), tf.Graph) for thing in gc.get_objects())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits-mlp", "char-lstm"])
def test_fitting_and_evaluating_leaves_no_graph(name, data_dir, tmp_path):
    (tmp_path / "text.txt").write_text("A text of its own. " * 40)
    dataset = str(tmp_path / "text.txt") if name == "char-lstm" else None

    def fit():
        settings = {"units": 8, "steps": 1, "batch_size": 2, "verbose": False}
        return zoo.fit(name, dataset, data_dir, runs=tmp_path, **settings)

    run = fit()
    before = live_graphs()
    fit()
    assert live_graphs() == before
    zoo.evaluate(run.path, data_dir=data_dir)
    assert live_graphs() == before


def over(layer, **arguments):
    layer(tf.ones([2, 3, 3]))
    return lambda x: layer(x, **arguments)[0]


COMPUTATIONS = {
    "cross-entropy": lambda: lambda x: cross_entropy(x, tf.ones([4, 3]), tf.ones(4), [0, 3])[0],
    "linear scan": lambda: lambda x: linear_scan(x, x),
    "lstm": lambda: over(Recurrence(LSTMCell(2))),
    "lstm backwards": lambda: over(Recurrence(LSTMCell(2), reverse=True), lengths=[1, 3]),
    "linear cell": lambda: over(Recurrence(LRUCell(2))),
}


@pytest.mark.parametrize(
    "shape", [pytest.param((2, 3, 3), marks=pytest.mark.slow), (None, None, 3)]
)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow if n in ("lstm", "linear cell") else [])
        for n in COMPUTATIONS
    ],
)
def test_a_gradient_derived_by_hand_leaves_no_graph(name, shape):
    shape = (shape[0], 3) if name == "cross-entropy" else shape

    def gradient():
        compute = COMPUTATIONS[name]()

        @tf.function(input_signature=[tf.TensorSpec(shape)], autograph=False)
        def step(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(compute(x))
            return tape.gradient(loss, x)

        assert step(tf.ones([2, 3, 3] if len(shape) == 3 else [2, 3])) is not None

    gradient()
    before = live_graphs()
    gradient()
    assert live_graphs() == before
