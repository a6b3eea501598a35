"""The convolutional LSTM against Keras' own and against its equations, in numpy."""

import keras
import numpy as np
import pytest
from scipy.special import expit as sigmoid

from zoo.cells.conv_lstm import ConvLSTMCell
from zoo.recurrence import Recurrence

HEIGHT, WIDTH, CHANNELS, FILTERS = 4, 5, 2, 3


def random_recurrence():
    rng = np.random.default_rng(0)
    cell = ConvLSTMCell(FILTERS, image_shape=(HEIGHT, WIDTH), dtype="float64")
    recurrence = Recurrence(cell)
    recurrence.build((2, 5, HEIGHT * WIDTH * CHANNELS))
    recurrence.set_weights([0.5 * rng.normal(size=w.shape) for w in recurrence.weights])
    return recurrence, rng.normal(size=(2, 5, HEIGHT, WIDTH, CHANNELS))


def convolve(image, kernel):
    """Each pixel's neighbourhood, zero past the edges, times the kernel."""
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)))
    out = np.zeros((*image.shape[:3], kernel.shape[-1]))
    for dy in range(3):
        for dx in range(3):
            out += padded[:, dy : dy + HEIGHT, dx : dx + WIDTH] @ kernel[dy, dx]
    return out


def test_it_equals_keras_with_the_same_weights():
    recurrence, frames = random_recurrence()
    theirs = keras.layers.ConvLSTM2D(
        FILTERS,
        3,
        padding="same",
        data_format="channels_last",
        recurrent_activation="sigmoid",
        return_sequences=True,
        return_state=True,
        dtype="float64",
    )
    theirs.build(frames.shape)
    theirs.set_weights(recurrence.get_weights())
    y, h, c = theirs(frames)
    ours, state = recurrence(frames.reshape(2, 5, -1))
    np.testing.assert_allclose(ours, np.reshape(y, (2, 5, -1)), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(state.h, np.reshape(h, (2, -1)), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(state.c, np.reshape(c, (2, -1)), rtol=1e-9, atol=1e-12)


def test_a_gate_reads_the_pixels_around_its_own():
    recurrence, frames = random_recurrence()
    W, U, b = recurrence.get_weights()
    y, state = recurrence(frames.reshape(2, 5, -1))
    h = c = np.zeros((2, HEIGHT, WIDTH, FILTERS))
    for t in range(5):
        a = convolve(frames[:, t], W) + convolve(h, U) + b
        i, f = sigmoid(a[..., :3]), sigmoid(a[..., 3:6])
        g, o = np.tanh(a[..., 6:9]), sigmoid(a[..., 9:])
        c = f * c + i * g
        h = o * np.tanh(c)
        np.testing.assert_allclose(y[:, t], h.reshape(2, -1), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(state.h, h.reshape(2, -1), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(state.c, c.reshape(2, -1), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (3,)}, "image_shape is .*, but two positive integers"),
        ({"image_shape": (0, 3)}, "image_shape is .*, but two positive integers"),
        ({"kernel_size": 0}, "kernel_size is 0, but a positive integer is needed"),
    ],
)
def test_a_wrong_size_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ConvLSTMCell(4, **arguments)


def test_inputs_that_are_no_whole_frames_are_refused():
    with pytest.raises(ValueError, match="inputs have size 7, but a multiple of 2 x 3 pixels"):
        ConvLSTMCell(4, image_shape=(2, 3)).build((None, 7))
