"""DRAW: a picture that is painted stroke by stroke, and looked at stroke by stroke."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.cells.base import positive_integer
from zoo.layers.glimpses import gaussian_filters, read_window, write_window
from zoo.layers.stack import RecurrentStack
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.typing import State, Tensor

_SPREAD = 10.0
"""Where log sigma² of a window ends, on both sides: beyond it, numbers would overflow."""


class Grid(NamedTuple):
    """A grid of Gaussians over a picture, its places in pixels from 0 at the edge.

    Attributes:
        f_y: filters along the height, `[B, N, h]`.
        f_x: filters along the width, `[B, N, w]`.
        intensity: `[B]`, gamma.
        place: `[B, 4]`: the centre's row and column, the stride and sigma.
    """

    f_y: Tensor
    f_x: Tensor
    intensity: Tensor
    place: Tensor


class Strokes(NamedTuple):
    """What was painted: of one step `[B, ...]`, of all of them `[B, T, ...]`.

    Attributes:
        canvas: `[..., P]`, the logits of all pixels after the step, c_t.
        mean: `[..., Z]`, mu_t of q(z_t).
        log_sigma: `[..., Z]`, the logarithm of its sigma_t.
        z: `[..., Z]`, what was drawn.
        place: `[..., 4]`, where the step wrote, see `Grid`; zeros without attention.
    """

    canvas: Tensor
    mean: Tensor
    log_sigma: Tensor
    z: Tensor
    place: Tensor


@register(
    "architecture",
    "draw",
    topology="one_to_many",
    inputs="image",
    outputs="canvas",
    example={
        "units": 9,
        "latent": 3,
        "glimpses": 4,
        "image_shape": (7, 6, 1),
        "read_size": 3,
        "write_size": 2,
    },
)
@keras.saving.register_keras_serializable("zoo")
class Draw(SequenceModel):
    """c_t = c_(t-1) + write(h_t), h_t = decoder(z_t, h_(t-1)); pixels are on with sigmoid(c_T).

    A picture x is read again before each stroke, together with what is still wrong:

        e_t = x - sigmoid(c_(t-1))
        r_t = read(x, e_t, h_(t-1))
        g_t = encoder((r_t, h_(t-1)), g_(t-1))
        z_t = mu_t + sigma_t noise_t,  mu_t = W g_t + a,  sigma_t = exp(V g_t + b)

    With noise from N(0, 1) that is a draw from q(z_t | x, z_1 .. z_(t-1)). Where no picture is
    shown, z_t is the noise itself, a draw from the prior, and what is painted is a new picture.
    `encode` starts from a picture, `initial_state` from none; both go through the same `step`.

    With attention, `read` is gamma F_Y x F_X^T of the picture and of the error, and `write` is
    F_Y^T w_t F_X / gamma with a patch w_t = W h_t; F_Y and F_X are grids of N Gaussians whose
    centre, stride, sigma and intensity gamma are read off h, see `zoo.layers.glimpses`. Without,
    `read` gives all of x and e_t, and `write` is W h_t. The first canvas c_0 is learned; the first
    states are zero, where the paper learns them.

    Args:
        image_shape: height, width, channels.
        latent: Z, numbers of each z_t.
        glimpses: T, how often a picture is looked at and painted on. A canvas goes on growing with
            further strokes, for which it was not trained.
        cell: name of the recurrent cell of encoder and decoder.
        units: size of their layers.
        layers: how many layers each of them has.
        attention: whether reading and writing are through windows.
        read_size: N of the window that reads, 2 or more.
        write_size: N of the window that writes, 2 or more.

    Raises:
        ValueError: a size is out of range.

    Example:
        >>> model = Draw(image_shape=(8, 8, 1), latent=4, glimpses=7, units=16)
        >>> model(model.example_inputs(3)).shape
        TensorShape([3, 7, 8, 8, 1])

    Source: K. Gregor, I. Danihelka, A. Graves, D. Rezende, D. Wierstra 2015, "DRAW: A recurrent
    neural network for image generation", arXiv:1502.04623.
    """

    condition = "image"
    steps_on = "noise"

    def __init__(
        self,
        image_shape: Sequence[int] = (16, 16, 1),
        latent: int = 16,
        glimpses: int = 10,
        cell: str = "lstm",
        units: int = 128,
        layers: int = 1,
        attention: bool = True,
        read_size: int = 5,
        write_size: int = 5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.image_shape, self.attention = tuple(image_shape), attention
        self.latent = positive_integer("latent", latent)
        self.glimpses = positive_integer("glimpses", glimpses)
        self.pixels = math.prod(self.image_shape)
        for name, size in (("read_size", read_size), ("write_size", write_size)):
            if attention and size < 2:
                raise ValueError(f"{name} is {size}, but 2 or more is needed")
        self.read_size, self.write_size = read_size, write_size
        channels = self.image_shape[2]
        self.encoder = RecurrentStack(cell, units, layers)
        self.decoder = RecurrentStack(cell, units, layers)
        read = 2 * (read_size**2 * channels if attention else self.pixels)
        self.encoder.build((None, None, read + self._hidden_size))
        self.decoder.build((None, None, self.latent))
        self.posterior = keras.layers.Dense(2 * self.latent)
        written = write_size**2 * channels if attention else self.pixels
        self.write = keras.layers.Dense(written)
        if attention:
            self.read_place, self.write_place = keras.layers.Dense(5), keras.layers.Dense(5)
        self.first_canvas = self.add_weight(
            name="first_canvas", shape=(self.pixels,), initializer="zeros"
        )
        self._finish()

    @property
    def _hidden_size(self) -> int:
        return self.decoder.recurrences[-1].cell.output_size

    def initial_state(self, batch_size: int | Tensor) -> State:
        """Return the state before the first stroke of a picture that is not shown to the model.

        `written` is what was added to the first canvas, `hidden` is the decoder's last output.
        """
        return {
            "image": tf.zeros([batch_size, self.pixels]),
            "shown": tf.zeros([batch_size, 1]),
            "written": tf.zeros([batch_size, self.pixels]),
            "hidden": tf.zeros([batch_size, self._hidden_size], self.compute_dtype),
            "encoder": self.encoder.initial_state(batch_size),
            "decoder": self.decoder.initial_state(batch_size),
        }

    def encode(self, inputs: Tensor, training: bool | None = None) -> State:
        """Return the state before the first stroke for pictures `[B, h, w, c]`, values 0..255."""
        image = tf.reshape(tf.cast(inputs, tf.float32) / 255, [-1, self.pixels])
        state = self.initial_state(tf.shape(image)[0])
        return {**state, "image": image, "shown": tf.ones_like(state["shown"])}

    def call(
        self,
        inputs: Tensor,
        state: State = None,
        reset: Tensor = None,
        return_state: bool = False,
        training: bool | None = None,
    ) -> Tensor:
        """Compute how likely each pixel is on after each stroke, `[B, T, h, w, c]`, 0..1.

        Args:
            inputs: `image` `[B, h, w, c]`, values 0..255, and `noise` `[B, T, Z]`.
            state: not used: a painting starts from its picture.
            reset: not used, likewise.
            return_state: also give the state after the last stroke.
            training: makes no difference.
        """
        strokes, state = self.strokes(inputs["noise"], self.encode(inputs["image"]))
        shape = tf.shape(inputs["noise"])
        canvas = tf.reshape(tf.sigmoid(strokes.canvas), [shape[0], shape[1], *self.image_shape])
        return (canvas, state) if return_state else canvas

    def strokes(self, noise: Tensor, state: State) -> tuple[Strokes, State]:
        """Paint on from a state, a stroke for each of the T parts of the noise.

        Args:
            noise: `[B, T, Z]`; z itself in rows that were shown no picture.
            state: as `encode` or `initial_state` gives it, or as was left by the strokes before.

        Returns:
            All that was painted, `[B, T, ...]`, and the state after it.
        """
        time = noise.shape[1] or tf.shape(noise)[1]
        sizes = (self.pixels, self.latent, self.latent, self.latent, 4)
        steps = tf.TensorArray(tf.float32, time).unstack(
            tf.transpose(tf.cast(noise, tf.float32), [1, 0, 2])
        )
        rows = noise.shape[0]
        arrays = [tf.TensorArray(tf.float32, time, element_shape=[rows, n]) for n in sizes]

        def body(t: Tensor, state: State, arrays: Any) -> tuple[Tensor, State, Any]:
            stroke, state = self._stroke(steps.read(t), state)
            return t + 1, state, [a.write(t, part) for a, part in zip(arrays, stroke)]

        loop = (tf.constant(0), state, arrays)
        _, state, arrays = tf.while_loop(
            lambda t, *_: t < time, body, loop, maximum_iterations=time
        )
        parts = (tf.transpose(array.stack(), [1, 0, 2]) for array in arrays)
        return Strokes(*parts), state

    def step(self, x_t: Tensor, state: State) -> tuple[Tensor, State]:
        """Paint one stroke from noise `[B, Z]`; return the canvas `[B, h, w, c]` and the state.

        The canvas says how likely each pixel is on, 0..1. As a probability it is steady where the
        logit, which may be in the hundreds, is rounded in another way.
        """
        stroke, state = self._stroke(tf.cast(x_t, tf.float32), state)
        return tf.reshape(tf.sigmoid(stroke.canvas), [-1, *self.image_shape]), state

    def _stroke(self, noise: Tensor, state: State) -> tuple[Strokes, State]:
        """Look, choose z_t `[B, Z]` and paint with it."""
        hidden = state["hidden"]
        glimpse = self._read(state["image"], self._canvas(state["written"]), hidden)
        joined = tf.concat([tf.cast(glimpse, hidden.dtype), hidden], axis=-1)
        seen, encoder = self.encoder.step(joined, state["encoder"])
        mean, log_sigma = tf.split(tf.cast(self.posterior(seen), tf.float32), 2, axis=-1)
        z = tf.where(state["shown"] > 0, mean + tf.exp(log_sigma) * noise, noise)
        hidden, decoder = self.decoder.step(tf.cast(z, hidden.dtype), state["decoder"])
        added, place = self._write(hidden)
        written = state["written"] + added
        after = {
            **state,
            "written": written,
            "hidden": hidden,
            "encoder": encoder,
            "decoder": decoder,
        }
        return Strokes(self._canvas(written), mean, log_sigma, z, place), after

    def _canvas(self, written: Tensor) -> Tensor:
        return tf.cast(tf.convert_to_tensor(self.first_canvas), tf.float32) + written

    def _read(self, image: Tensor, canvas: Tensor, hidden: Tensor) -> Tensor:
        """Return what is seen of pictures `[B, P]` and of the error of a canvas, `[B, R]`."""
        error = image - tf.sigmoid(canvas)
        if not self.attention:
            return tf.concat([image, error], axis=-1)
        pictures = [tf.reshape(part, [-1, *self.image_shape]) for part in (image, error)]
        grid = self._grid(self.read_place(hidden), self.read_size)
        patch = read_window(tf.concat(pictures, axis=-1), grid.f_y, grid.f_x)
        size = 2 * self.read_size**2 * self.image_shape[2]
        return grid.intensity[:, None] * tf.reshape(patch, [-1, size])

    def _write(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return what a stroke adds to the canvas, `[B, P]`, and its place `[B, 4]`."""
        patch = tf.cast(self.write(hidden), tf.float32)
        if not self.attention:
            return patch, tf.zeros_like(patch[:, :4])
        grid = self._grid(self.write_place(hidden), self.write_size)
        size = self.write_size
        patch = tf.reshape(patch, [-1, size, size, self.image_shape[2]])
        added = tf.reshape(write_window(patch, grid.f_y, grid.f_x), [-1, self.pixels])
        return added / grid.intensity[:, None], grid.place

    def _grid(self, numbers: Tensor, size: int) -> Grid:
        """Return the grid of N = `size` that five numbers `[B, 5]` of the decoder ask for.

        They are those of the row and the column of the centre, in [-1, 1] over the picture, log
        sigma², the logarithm of the stride, and that of the intensity.
        """
        height, width, _ = self.image_shape
        row, column, spread, stride, intensity = tf.unstack(
            tf.cast(numbers, tf.float32), 5, axis=-1
        )
        # In the paper the first pixel lies at 1, here its middle at 0.5.
        centre_y, centre_x = (
            (length + 1) / 2 * (part + 1) - 0.5 for part, length in ((row, height), (column, width))
        )
        stride = (max(height, width) - 1) / (size - 1) * tf.exp(stride)
        sigma = tf.exp(tf.clip_by_value(spread, -_SPREAD, _SPREAD) / 2)
        return Grid(
            gaussian_filters(centre_y, stride, sigma, size, height),
            gaussian_filters(centre_x, stride, sigma, size, width),
            tf.exp(intensity),
            tf.stack([centre_y, centre_x, stride, sigma], axis=-1),
        )

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Return grey pictures with noise that is zero."""
        return {
            "image": np.full((batch_size, *self.image_shape), 128, "uint8"),
            "noise": np.zeros((batch_size, self.glimpses, self.latent), "float32"),
        }
