"""The convolutional LSTM."""

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from zoo.cells.base import Cell, block_values, is_positive_integer, positive_integer
from zoo.cells.lstm import LSTMState
from zoo.registry import register
from zoo.typing import Recur, Shape, Tensor


@register("cell", "conv_lstm", paper="Shi et al. 2015, arXiv:1506.04214")
class ConvLSTMCell(Cell):
    """i, f, g, o = W * x_t + U * h_(t-1) + b; c_t = σ(f) c_(t-1) + σ(i) tanh(g), * a convolution.

    h_t = σ(o) tanh(c_t). An LSTM over frames, in which a gate at a pixel reads the pixels around
    it. Frames come flattened, `[B, height · width · channels]`, and output and state are flattened
    likewise with `units` channels. The peepholes of the paper are left out, as in
    `keras.layers.ConvLSTM2D`, which shares these weights: `kernel` (W, `[k, k, channels, 4F]`),
    `recurrent_kernel` (U, `[k, k, F, 4F]`) and `bias` (`[4F]`), whose forget part starts at one.

    Args:
        units: F, the number of filters.
        image_shape: height and width of a frame, positive. Give that of your frames.
        kernel_size: k, positive. The convolutions keep the frame's size.

    Raises:
        ValueError: image_shape or kernel_size is not positive, or inputs do not divide into pixels.

    Example:
        >>> from keras import ops
        >>> cell = ConvLSTMCell(4, image_shape=(5, 6))
        >>> y, state = cell(ops.ones((2, 5 * 6 * 3)), cell.get_initial_state(2))
        >>> y.shape, tuple(cell.kernel.shape)
        (TensorShape([2, 120]), (3, 3, 3, 16))

    Source: X. Shi et al., "Convolutional LSTM network: a machine learning approach for
    precipitation nowcasting" (2015), equation 3.
    """

    State = LSTMState
    gate_names = ("f", "i", "o")
    # On a CPU, XLA's convolutions are slower than TensorFlow's.
    compiled = False

    def __init__(
        self,
        units: int,
        image_shape: Sequence[int] = (2, 2),
        kernel_size: int = 3,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        self.image_shape = tuple(image_shape)
        sizes = self.image_shape
        if len(sizes) != 2 or not all(map(is_positive_integer, sizes)):
            raise ValueError(
                f"image_shape is {image_shape!r}, but two positive integers, height and width, "
                "are needed"
            )
        self.kernel_size = positive_integer("kernel_size", kernel_size)

    @property
    def state_size(self) -> list[int]:
        """The size of a flattened frame of F channels, twice."""
        return [self.output_size] * 2

    @property
    def output_size(self) -> int:
        """The size of a flattened frame of F channels."""
        return math.prod(self.image_shape) * self.units

    def build(self, input_shape: Shape) -> None:
        """Make the weights for flattened frames of size `input_shape[-1]`."""
        height, width = self.image_shape
        channels, left = divmod(input_shape[-1], height * width)
        if left:
            raise ValueError(
                f"inputs have size {input_shape[-1]}, but a multiple of {height} x {width} pixels "
                "is needed"
            )
        around, wide = (self.kernel_size, self.kernel_size), 4 * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(*around, channels, wide), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(*around, self.units, wide), initializer="orthogonal"
        )
        self.bias = self.add_weight(
            name="bias", shape=(wide,), initializer=block_values(0, 1, 0, 0)
        )

    def project(self, x: Tensor) -> Tensor:
        """W * x + b: `[..., height · width · channels] -> [..., height · width · 4F]`."""
        maps = self._convolve(x, self.kernel) + self.bias
        size = math.prod(self.image_shape) * 4 * self.units
        return ops.reshape(maps, (*ops.shape(x)[:-1], size))

    def product(self, v: Tensor, weight: Tensor) -> Tensor:
        """U * v: `[B, height · width · F] -> [B, height · width · 4F]`."""
        size = math.prod(self.image_shape) * 4 * self.units
        return ops.reshape(self._convolve(v, weight), (-1, size))

    def update(self, z: Tensor, state: LSTMState, recur: Recur) -> tuple[Tensor, LSTMState]:
        """The gates at each pixel, then memory and output."""
        pixels = (-1, math.prod(self.image_shape), 4 * self.units)
        gates = ops.split(ops.reshape(z + recur(state.h), pixels), 4, axis=-1)
        i, f, g, o = (ops.reshape(gate, (-1, self.output_size)) for gate in gates)
        c = ops.sigmoid(f) * state.c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, LSTMState(h, c)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "image_shape": list(self.image_shape),
            "kernel_size": self.kernel_size,
        }

    def _convolve(self, frames: Tensor, kernel: Tensor) -> Tensor:
        """Flattened frames, however many dimensions lead, to maps `[N, height, width, 4F]`."""
        images = ops.reshape(frames, (-1, *self.image_shape, kernel.shape[2]))
        return ops.conv(images, kernel, padding="same", data_format="channels_last")
