"""The layers that take the place of Keras' own give what those give, forward and backward."""

import inspect
import json
import subprocess
import sys
from contextlib import contextmanager

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import layers
from zoo.cells import LSTMCell, MinGRUCell
from zoo.cells.wrappers import ZoneoutCell
from zoo.layers.keras_loop import KerasLoop

B, T, D, H = 6, 5, 3, 4
# Ended early, begun late, broken, all, none, and one step.
MASK = np.array(
    [
        [1, 1, 1, 0, 0],
        [0, 0, 1, 1, 1],
        [1, 0, 1, 1, 0],
        [1, 1, 1, 1, 1],
        [0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0],
    ],
    bool,
)
NAMES = [
    "LSTM",
    "GRU",
    "SimpleRNN",
    "RNN",
    "Bidirectional",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
]
FRAMES = {"ConvLSTM1D": (6,), "ConvLSTM2D": (5, 4), "ConvLSTM3D": (4, 3, 3)}
STACK = [keras.layers.LSTMCell, keras.layers.GRUCell, keras.layers.SimpleRNNCell]
KINDS = {
    "lstm": lambda of, **o: of.LSTM(H, **o),
    "lstm with other functions": lambda of, **o: of.LSTM(
        H, activation="relu", recurrent_activation="hard_sigmoid", use_bias=False, **o
    ),
    "lstm by gate": lambda of, **o: of.LSTM(H, implementation=1, **o),
    "gru": lambda of, **o: of.GRU(H, **o),
    "gru without bias": lambda of, **o: of.GRU(H, activation=None, use_bias=False, **o),
    "gru before": lambda of, **o: of.GRU(H, reset_after=False, **o),
    "gru before, without bias": lambda of, **o: of.GRU(
        H, reset_after=False, use_bias=False, recurrent_activation="softmax", **o
    ),
    "simple": lambda of, **o: of.SimpleRNN(H, **o),
    "simple without bias": lambda of, **o: of.SimpleRNN(
        H, activation=lambda x: tf.nn.elu(x), use_bias=False, **o
    ),
    "stack": lambda of, **o: of.RNN([kind(H + n) for n, kind in enumerate(STACK)], **o),
    "cell of Keras": lambda of, **o: of.RNN(keras.layers.GRUCell(H), **o),
    "cell of the zoo": lambda of, **o: of.RNN(LSTMCell(H), **o),
    "scan": lambda of, **o: of.RNN(MinGRUCell(H), **o),
    "wrapped": lambda of, **o: of.RNN(ZoneoutCell(LSTMCell(H), 0.3), **o),
    "stack with the zoo's": lambda of, **o: of.RNN([LSTMCell(H), keras.layers.GRUCell(3)], **o),
}
SLOW = ("lstm by gate", "gru without bias", "gru before, without bias", "simple without bias")
every_kind = pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, id=name, marks=pytest.mark.slow if name in SLOW else [])
        for name, make in KINDS.items()
    ],
)


def random(*shape):
    return np.random.default_rng(shape).normal(size=shape)


X = random(B, T, D).astype("float32")


def pair(make, x=X, **options):
    """Keras' layer and the zoo's, with the same weights, none of them zero."""
    theirs, ours = make(keras.layers, **options), make(layers, **options)
    theirs(x), ours(x)
    theirs.set_weights([random(*w.shape) / 2 for w in theirs.weights])
    ours.set_weights(theirs.get_weights())
    return theirs, ours


def numbers(layer, x, **arguments):
    """Outputs and states; and the gradients of x, the initial state and the weights."""
    x = tf.constant(x)
    start = arguments.get("initial_state", [])
    with tf.GradientTape() as tape:
        tape.watch([x, *start])
        outputs = tf.nest.flatten(layer(x, **arguments))
        loss = sum(tf.reduce_sum(y * tf.cast(random(*y.shape), y.dtype)) for y in outputs)
    sources = [x, *start, *layer.trainable_variables]
    gradients = tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return [np.array(value) for value in [*outputs, *gradients]]


def compare(theirs, ours, x=X, atol=2e-6, **arguments):
    expected, actual = (numbers(layer, x, **arguments) for layer in (theirs, ours))
    for one, other in zip(expected, actual, strict=True):
        wide = [np.asarray(each, "float64") for each in (other, one)]
        np.testing.assert_allclose(*wide, atol=atol, rtol=atol)


def runs_by_engine(layer):
    return isinstance(layer._zoo_loop.choice.runs, KerasLoop)


def set_all(both, **values):
    for layer in both:
        for name, value in values.items():
            setattr(layer, name, value)


@every_kind
def test_outputs_states_and_gradients_are_those_of_keras(make):
    both = pair(make, return_state=True)
    compare(*both)
    set_all(both, return_sequences=True)
    compare(*both, mask=MASK)
    set_all(both, go_backwards=True, zero_output_for_mask=True)
    compare(*both, mask=MASK)
    assert runs_by_engine(both[1])


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(KINDS["lstm"], id="lstm"),
        pytest.param(KINDS["stack"], id="stack", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("zero", [False, True])
def test_every_way_to_answer_under_a_mask(make, go_backwards, sequences, zero):
    both = pair(make, go_backwards=go_backwards, return_sequences=sequences)
    set_all(both, zero_output_for_mask=zero)
    compare(*both, mask=MASK)


@pytest.mark.parametrize("kind", ["lstm", "gru before"])
@pytest.mark.parametrize(("batch", "time"), [(1, 1), (1, 4), (3, 1)])
def test_a_single_row_or_step_and_an_initial_state(kind, batch, time):
    x = random(batch, time, D).astype("float32")
    both = pair(KINDS[kind], x, return_sequences=True, return_state=True)
    states = 2 if kind == "lstm" else 1
    start = [tf.constant(random(batch, H + n)[:, :H], "float32") for n in range(states)]
    compare(*both, x, initial_state=start)
    compare(*both, x, initial_state=start, mask=np.ones((batch, time), bool))
    compare(*both, x, mask=np.zeros((batch, time), bool))


CONVOLUTIONS = {
    "same": {"padding": "same"},
    "strides": {"strides": 2, "use_bias": False, "return_sequences": True},
    "dilation": {"dilation_rate": 2, "padding": "same", "go_backwards": True},
}


@pytest.mark.parametrize(
    ("name", "options", "data_format"),
    [
        ("ConvLSTM1D", "strides", "channels_last"),
        ("ConvLSTM2D", "same", "channels_last"),
        ("ConvLSTM2D", "strides", "channels_first"),
        ("ConvLSTM2D", "dilation", "channels_last"),
        ("ConvLSTM3D", "same", "channels_last"),
        ("ConvLSTM1D", "dilation", "channels_first"),
    ],
)
def test_frames_are_convolved_as_keras_does(name, options, data_format):
    frame = (*FRAMES[name], 2)
    frame = frame if data_format == "channels_last" else frame[::-1]
    x = random(2, 3, *frame).astype("float32")
    options = {**CONVOLUTIONS[options], "data_format": data_format, "return_state": True}
    both = pair(lambda of, **o: getattr(of, name)(3, 2, **o), x, **options)
    compare(*both, x, atol=1e-5, mask=np.array([[1, 0, 1], [0, 1, 0]], bool))
    assert runs_by_engine(both[1])


@contextmanager
def global_policy(dtype):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    yield
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("dtype", ["float64", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize(
    "kind",
    [
        "lstm",
        "gru",
        *(pytest.param(k, marks=pytest.mark.slow) for k in ("gru before", "simple", "stack")),
    ],
)
def test_other_precisions(kind, dtype):
    x = X.astype("float64" if dtype == "float64" else "float32")
    with global_policy(dtype):
        theirs, ours = pair(KINDS[kind], x, return_sequences=True)
    atol = {"float64": 1e-12, "mixed_float16": 2e-2, "mixed_bfloat16": 2e-1}[dtype]
    assert ours(x).dtype == theirs(x).dtype == ours.compute_dtype
    compare(theirs, ours, x, atol=atol, mask=MASK)
    assert runs_by_engine(ours)


def test_a_cell_of_another_precision_than_its_layer():
    theirs, ours = pair(lambda of: of.RNN(keras.layers.GRUCell(H, dtype="float64")))
    assert ours(X).dtype == theirs(X).dtype == "float32"
    compare(theirs, ours)


DROPPING = {
    "dropout": {"dropout": 0.4},
    "recurrent": {"recurrent_dropout": 0.4},
    "both": {"dropout": 0.3, "recurrent_dropout": 0.3},
    "by gate": {"dropout": 0.4, "implementation": 1, "use_cudnn": False},
}


@pytest.mark.parametrize(
    ("kind", "drops"),
    [
        ("lstm", "both"),
        ("gru", "recurrent"),
        ("gru before", "dropout"),
        *(
            pytest.param(kind, drops, marks=pytest.mark.slow)
            for kind in ("lstm", "gru", "gru before", "gru without bias")
            for drops in DROPPING
        ),
        ("simple", "dropout"),
        ("simple", "both"),
    ],
)
def test_the_same_is_dropped_from_the_same_seed(kind, drops):
    both = pair(KINDS[kind], seed=3, return_sequences=True, **DROPPING[drops])
    compare(*both, training=True, mask=MASK)
    assert not np.allclose(both[1](X, training=True), both[1](X))
    assert not np.allclose(both[1](X, training=True), both[1](X, training=True))
    assert runs_by_engine(both[1])


def test_stacked_cells_and_frames_drop_the_same():
    cells = [keras.layers.LSTMCell, keras.layers.SimpleRNNCell]
    options = {"dropout": 0.3, "recurrent_dropout": 0.3, "seed": 5}
    both = pair(lambda of: of.RNN([cell(H, **options) for cell in cells]))
    compare(*both, training=True)
    x = random(2, 3, 4, 4, 2).astype("float32")
    both = pair(lambda of: of.ConvLSTM2D(3, 2, padding="same", **options), x)
    compare(*both, x, atol=1e-5, training=True)


def test_the_state_is_carried_and_reset_as_keras_does():
    both = pair(KINDS["lstm"], stateful=True)
    for layer in both:
        layer.reset_state()
    compare(*both)
    compare(*both, mask=MASK)
    first = [np.array(layer(X)) for layer in both]
    for layer in both:
        layer.reset_state()
    again = [np.array(layer(X)) for layer in both]
    np.testing.assert_allclose(*again, atol=1e-6)
    assert not np.allclose(first, again)


@pytest.mark.parametrize(
    "merge_mode",
    ["concat", None, *(pytest.param(m, marks=pytest.mark.slow) for m in ("sum", "mul", "ave"))],
)
@pytest.mark.parametrize("of", [layers, keras.layers], ids=["", "around Keras' layers"])
def test_both_directions(merge_mode, of):
    def make(other):
        inside = (keras.layers if other is keras.layers else of).GRU(
            H, return_sequences=True, return_state=True
        )
        return other.Bidirectional(inside, merge_mode)

    theirs, ours = pair(make)
    compare(theirs, ours, mask=MASK)
    assert runs_by_engine(ours.forward_layer) and runs_by_engine(ours.backward_layer)


@pytest.mark.parametrize(
    ("batch", "time"),
    [
        (None, None),
        *(pytest.param(*sizes, marks=pytest.mark.slow) for sizes in ((B, None), (None, T), (B, T))),
    ],
)
def test_models_of_them_answer_as_those_of_keras(batch, time):
    def make(of):
        inputs = keras.Input((time, D), batch_size=batch)
        y = keras.layers.Masking()(inputs)
        y, h = of.GRU(H, return_sequences=True, return_state=True)(y)
        y = of.Bidirectional(of.LSTM(3, return_sequences=True))(y)
        return keras.Model(inputs, of.GRU(H)(y, initial_state=h))

    theirs, ours = make(keras.layers), make(layers)
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    assert ours.output_shape == theirs.output_shape == (batch, H)
    ours.set_weights(theirs.get_weights())
    x = np.where(MASK[..., None], X, 0)
    np.testing.assert_allclose(ours(x), theirs(x), atol=1e-6)
    y = ours.predict(x, batch_size=B, verbose=0)
    np.testing.assert_allclose(y, theirs(x), atol=1e-6)
    lines = []
    ours.summary(print_fn=lines.append)
    assert "?" not in "".join(lines)


@pytest.mark.parametrize("time", [None, 4])
def test_it_stands_inside_of_a_layer_that_is_called_at_each_step(time):
    def make(of):
        keras.utils.set_random_seed(2)
        inputs = keras.Input((time, 5, D))
        return keras.Model(inputs, keras.layers.TimeDistributed(of.LSTM(H))(inputs))

    x = random(2, 4, 5, D).astype("float32")
    np.testing.assert_allclose(make(layers)(x), make(keras.layers)(x), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_arguments_and_docs_are_there_as_in_keras(name):
    ours, theirs = getattr(layers, name), getattr(keras.layers, name)
    for method in ("__init__", "call"):
        both = [inspect.signature(getattr(kind, method)).parameters for kind in (ours, theirs)]
        assert [(p.name, p.default) for p in both[0].values()] == [
            (p.name, p.default) for p in both[1].values()
        ]
    assert issubclass(ours, theirs) and ours.__name__ == name


def test_fit_does_not_compile_around_the_engine():
    model = keras.Sequential([keras.Input((None, D)), layers.LSTM(H), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert not layers.LSTM(H).supports_jit and not model.jit_compile


def test_what_asks_for_another_loop_is_left_to_keras():
    theirs, ours = pair(KINDS["lstm"], unroll=True)
    compare(theirs, ours)
    assert not hasattr(ours, "_zoo_loop")
    with pytest.raises(ValueError, match="cuDNN is not supported"):
        layers.LSTM(H, use_cudnn=True)(X)


def test_what_cudnn_serves_is_left_to_it(monkeypatch):
    monkeypatch.setattr("zoo.layers.keras_loop.cudnn_serves", lambda layer: True)
    runs = {
        layers.LSTM(H): False,
        layers.GRU(H): False,
        layers.LSTM(H, use_cudnn=False): True,
        layers.SimpleRNN(H): True,
    }
    for layer, by_engine in runs.items():
        layer(X)
        assert hasattr(layer, "_zoo_loop") == by_engine


class Doubling(keras.layers.SimpleRNNCell):
    """A cell of a user's own."""

    def call(self, sequence, states, training=False):
        y, states = super().call(sequence, states, training)
        return 2 * y, states


def test_cells_that_the_engine_does_not_know_are_run_by_keras():
    outside = keras.Variable(2.0)
    for cell in (
        lambda: Doubling(H),
        lambda: keras.layers.GRUCell(H, activation=lambda x: x * outside),
        lambda: keras.layers.GRUCell(H, activation=keras.layers.PReLU()),
        lambda: [Doubling(H), keras.layers.GRUCell(H)],
    ):
        theirs, ours = pair(lambda of, cell=cell: of.RNN(cell()))
        compare(theirs, ours)
        assert not runs_by_engine(ours)


def test_a_cell_that_is_changed_is_run_as_it_is_now():
    theirs, ours = pair(KINDS["lstm"], seed=3)
    compare(theirs, ours, training=True)
    for layer in (theirs, ours):
        layer.cell.recurrent_dropout, layer.cell.dropout_mask_count = 0.5, 4
        layer.cell.implementation = 1
    compare(theirs, ours, training=True)


def test_masks_of_other_forms_and_numbers_of_other_types():
    theirs, ours = pair(KINDS["simple"])
    compare(theirs, ours, mask=MASK[..., None])
    compare(theirs, ours, mask=MASK.astype("float32"))
    tokens = np.arange(B * T * D).reshape(B, T, D) % 3
    np.testing.assert_allclose(ours(tokens), theirs(tokens), atol=1e-6)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two models, one with Keras' layers and one with the zoo's, and a folder to save in."""

    def make(of):
        inputs = keras.Input((None, D))
        y = of.Bidirectional(of.LSTM(H, return_sequences=True), merge_mode="sum")(inputs)
        y = of.RNN(keras.layers.GRUCell(H), return_sequences=True)(y)
        return keras.Model(inputs, of.SimpleRNN(2, kernel_regularizer="l2", seed=1)(y))

    return make(keras.layers), make(layers), tmp_path_factory.mktemp("files")


def test_a_file_keeps_the_layers(files):
    _, ours, folder = files
    ours.save(folder / "ours.keras")
    loaded = keras.models.load_model(folder / "ours.keras")
    np.testing.assert_array_equal(loaded(X), ours(X))
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in ours.layers]
    assert loaded.layers[-1].units == 2 and loaded.layers[-1].kernel_regularizer.l2 == 0.01


@pytest.mark.slow
def test_a_file_of_the_zoo_is_read_with_layers_of_keras(files):
    _, ours, folder = files
    ours.save(folder / "for_keras.keras")
    code = (
        "import sys, keras, numpy as np\n"
        f"names = {{'zoo.layers>' + name: getattr(keras.layers, name) for name in {NAMES}}}\n"
        "model = keras.models.load_model('for_keras.keras', custom_objects=names)\n"
        f"print(model(np.array({X.tolist()}, 'float32')).numpy().tolist(), 'zoo' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    answer, imported = result.stdout.splitlines()[-1].rsplit(" ", 1)
    np.testing.assert_allclose(np.array(json.loads(answer)), ours(X), atol=1e-6)
    assert imported == "False"


@pytest.mark.parametrize("name", ["of.weights.h5", "of.keras"])
def test_weights_are_read_from_the_files_of_either(files, name):
    folder = files[2]
    for model, other in (files[:2], files[1::-1]):
        model.set_weights([random(*w.shape) for w in model.weights])
        path = folder / name
        model.save(path) if name.endswith(".keras") else model.save_weights(path)
        other.load_weights(path)
        np.testing.assert_allclose(other(X), model(X), atol=1e-5)
