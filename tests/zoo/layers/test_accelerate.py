"""Models of Keras whose layers are run by the engine stay the models that they were."""

import keras
import numpy as np
import pytest
from keras.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Dense,
    GRUCell,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    TimeDistributed,
)

import zoo
from zoo import UserError
from zoo import cells as zoo_cells
from zoo.layers.keras_loop import KerasLoop
from zoo.utils.keras_internals import layers_within

B, T, D = 4, 3, 3
X = np.random.default_rng(1).normal(size=(B, T, D)).astype("float32")
Y = np.random.default_rng(2).normal(size=(B, 2)).astype("float32")


class Own(SimpleRNNCell):
    """A cell of a user's own."""


class Loop(SimpleRNN):
    """A layer with a loop of its own."""

    def inner_loop(self, sequences, initial_state, mask, training=False):
        last = sequences[:, -1, :1]
        return last, last[:, None], initial_state


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = [Bidirectional(LSTM(3, return_sequences=True)), GRU(2)]

    def call(self, x):
        for layer in self.encoder:
            x = layer(x)
        return x


def functional():
    inputs = keras.Input((None, D))
    inside = keras.Sequential([keras.Input((None, D)), LSTM(D, return_sequences=True)])
    y = Bidirectional(GRU(3, return_sequences=True), merge_mode="sum")(inside(inputs))
    y = RNN([LSTMCell(3), GRUCell(2)], return_sequences=True)(y)
    return keras.Model(inputs, RNN(zoo_cells.LSTMCell(2))(y))


def encoder_decoder():
    inputs = keras.Input((None, D))
    y, h, c = LSTM(3, return_state=True)(inputs)
    y, *_ = Bidirectional(GRU(3, return_sequences=True, return_state=True))(
        inputs, initial_state=[h, c]
    )
    return keras.Model(inputs, LSTM(2)(y, initial_state=[h[:, :2], c[:, :2]]))


MODELS = {
    "sequential": lambda: keras.Sequential([keras.Input((None, D)), LSTM(3), Dense(2)]),
    "not built": lambda: keras.Sequential([GRU(3, dropout=0.2, seed=1), Dense(2)]),
    "functional": functional,
    "initial states": encoder_decoder,
    "subclassed": Subclassed,
}


COMPILED = ("sequential", "not built")


def loops(model):
    holders = [vars(layer).get("_zoo_loop") for layer in layers_within(model)]
    return [holder.choice.runs for holder in holders if holder]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow if n in ("not built", "initial states") else [])
        for n in MODELS
    ],
)
def test_it_answers_and_trains_as_before(name):
    histories, answers = [], []
    for run in (lambda model: model, zoo.accelerate):
        keras.utils.set_random_seed(1)
        model = run(MODELS[name]())
        # The larger ones step by step, which spares tracing them.
        model.compile("sgd", "mse", run_eagerly=name not in COMPILED)
        history = model.fit(X, Y, batch_size=3, epochs=1, shuffle=False, verbose=0)
        histories.append(history.history["loss"])
        answers.append(model.predict(X, verbose=0))
    np.testing.assert_allclose(*histories, rtol=1e-5)
    np.testing.assert_allclose(*answers, atol=1e-5)
    assert loops(model) and all(isinstance(loop, KerasLoop) for loop in loops(model))


def test_what_was_compiled_before_is_made_anew():
    model = MODELS["sequential"]()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    before = model.predict(X, verbose=0)
    model.jit_compile = True
    zoo.accelerate(model)
    assert model.predict_function is None and not model.jit_compile and not loops(model)
    np.testing.assert_allclose(model.predict(X, verbose=0), before, atol=1e-6)
    assert loops(model)


def test_the_file_and_the_weights_are_those_of_before(tmp_path):
    model = functional()
    classes = [type(layer) for layer in layers_within(model)]
    paths, config = [w.path for w in model.weights], model.to_json()
    assert zoo.accelerate(zoo.accelerate(model)) is model
    model(X)
    assert model.to_json() == config
    assert [type(layer) for layer in layers_within(model)] == classes
    assert [w.path for w in model.weights] == paths
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(X), model(X), atol=1e-6)
    assert not loops(loaded)


def test_each_layer_is_named_on_demand(capsys):
    def model():
        layers = [
            LSTM(3, return_sequences=True, name="first"),
            TimeDistributed(Dense(3), name="each"),
            RNN(Own(3), return_sequences=True, name="own"),
            SimpleRNN(3, unroll=True, return_sequences=True, name="unrolled"),
            GRU(3, use_cudnn=True, return_sequences=True, name="cudnn"),
            Loop(1, name="loop"),
        ]
        return keras.Sequential([keras.Input((T, D)), *layers])

    zoo.accelerate(model())
    assert capsys.readouterr().out == ""
    zoo.accelerate(model(), summary=True)
    assert capsys.readouterr().out.splitlines() == [
        "first (LSTM): run by the engine",
        "own (RNN): left to Keras: the engine has no Own",
        "unrolled (SimpleRNN): left to Keras: unroll=True asks for another loop",
        "cudnn (GRU): left to Keras: use_cudnn=True asks for cuDNN",
        "loop (Loop): left to Keras: its class has a loop of its own",
    ]


def test_layers_of_the_zoo_are_as_they_were(capsys):
    model = keras.Sequential([keras.Input((None, D)), zoo.layers.LSTM(3, name="reads")])
    zoo.accelerate(model, summary=True)
    assert capsys.readouterr().out == "reads (LSTM): run by the engine\n"
    assert "inner_loop" not in vars(model.layers[0])


@pytest.mark.parametrize("thing", ["model.keras", None, LSTM])
def test_what_is_no_model_is_refused_in_one_line(thing):
    with pytest.raises(UserError, match=r"takes a Keras model or layer, but \w+ was passed$"):
        zoo.accelerate(thing)
