"""The layers that take the place of Keras' own give what those give, forward and backward."""

from contextlib import contextmanager

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import layers
from zoo.cells import LSTMCell, MinGRUCell
from zoo.cells.wrappers import ZoneoutCell

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
FRAMES = {"ConvLSTM1D": (6,), "ConvLSTM2D": (6, 5), "ConvLSTM3D": (4, 3, 3)}
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
    "cell of keras": lambda of, **o: of.RNN(keras.layers.GRUCell(H), **o),
    "cell of the zoo": lambda of, **o: of.RNN(LSTMCell(H), **o),
    "scan": lambda of, **o: of.RNN(MinGRUCell(H), **o),
    "wrapped": lambda of, **o: of.RNN(ZoneoutCell(LSTMCell(H), 0.3), **o),
    "stack of the zoo's": lambda of, **o: of.RNN([LSTMCell(H), keras.layers.GRUCell(3)], **o),
}
every_kind = pytest.mark.parametrize("make", KINDS.values(), ids=list(KINDS))


def random(*shape):
    return np.random.default_rng(shape).normal(size=shape)


def pair(make, x, spread=True, **options):
    """Keras' layer and the zoo's, with the same weights, none of them zero."""
    theirs, ours = make(keras.layers, **options), make(layers, **options)
    theirs(x), ours(x)
    if spread:
        theirs.set_weights([random(*w.shape) / 2 for w in theirs.weights])
    ours.set_weights(theirs.get_weights())
    return theirs, ours


def numbers(layer, x, **arguments):
    """Outputs and states; and the gradients of x, the initial state and the weights."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        start = arguments.get("initial_state", [])
        tape.watch([x, *start])
        outputs = tf.nest.flatten(layer(x, **arguments))
        loss = sum(
            tf.reduce_sum(y * tf.cast(random(*y.shape), y.dtype)) for y in outputs if y.shape[0]
        )
    sources = [x, *start, *layer.trainable_variables]
    gradients = tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return [np.array(value) for value in [*outputs, *gradients]]


def compare(theirs, ours, x, atol=2e-6, **arguments):
    expected, actual = (numbers(layer, x, **arguments) for layer in (theirs, ours))
    for one, other in zip(expected, actual, strict=True):
        np.testing.assert_allclose(other, one, atol=atol, rtol=atol)


@contextmanager
def global_policy(dtype):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    yield
    keras.config.set_dtype_policy(before)


def runs_by_engine(layer):
    return not isinstance(layer._zoo_loop.choice.runs, str)


@pytest.mark.parametrize("go_backwards", [False, True], ids=["", "backwards"])
@every_kind
def test_outputs_states_and_gradients_are_those_of_keras(make, go_backwards):
    x = random(B, T, D).astype("float32")
    for sequences, zero, mask in [
        (False, False, None),
        (True, False, None),
        (False, False, MASK),
        (True, False, MASK),
        (True, True, MASK),
    ]:
        options = {"go_backwards": go_backwards, "return_sequences": sequences}
        theirs, ours = pair(make, x, return_state=True, **options)
        theirs.zero_output_for_mask = ours.zero_output_for_mask = zero
        compare(theirs, ours, x, mask=mask)
        assert runs_by_engine(ours)


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    "options",
    [
        {"padding": "same"},
        {"strides": 2, "use_bias": False, "return_sequences": True},
        {"dilation_rate": 2, "padding": "same", "go_backwards": True, "return_sequences": True},
    ],
    ids=["same", "strides", "dilation"],
)
def test_frames_are_convolved_as_keras_does(name, data_format, options):
    frame = (*FRAMES[name], 2)
    frame = frame if data_format == "channels_last" else frame[::-1]
    x = random(2, 3, *frame).astype("float32")
    options = {**options, "data_format": data_format, "return_state": True}
    theirs, ours = pair(lambda of, **o: getattr(of, name)(3, 2, **o), x, **options)
    compare(theirs, ours, x, atol=1e-5)
    compare(theirs, ours, x, atol=1e-5, mask=np.array([[1, 0, 1], [0, 1, 0]], bool))
    assert runs_by_engine(ours)


@pytest.mark.parametrize("dtype", ["float64", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("kind", ["lstm", "gru", "gru before", "simple", "stack"])
def test_other_precisions(kind, dtype):
    x = random(B, T, D).astype("float64" if dtype == "float64" else "float32")
    if kind == "stack":
        with global_policy(dtype):
            theirs, ours = pair(KINDS[kind], x, return_sequences=True)
    else:
        theirs, ours = pair(KINDS[kind], x, return_sequences=True, dtype=dtype)
    atol = {"float64": 1e-12, "mixed_float16": 2e-2, "mixed_bfloat16": 2e-1}[dtype]
    assert ours(x).dtype == theirs(x).dtype == ours.compute_dtype
    compare(theirs, ours, x, atol=atol, mask=MASK)
    assert runs_by_engine(ours)
