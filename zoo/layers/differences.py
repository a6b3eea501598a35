"""What changes from each frame to the next."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from zoo.layers.reading import marks, start_marks
from zoo.typing import Tensor


class Frame(NamedTuple):
    """The last frame `[B, *shape]`, and whether there was one, 0 or 1 `[B, 1]`."""

    pixels: Tensor
    seen: Tensor


@keras.saving.register_keras_serializable("zoo")
class FrameDifferences(keras.layers.Layer):
    """d_t = x_t - x_(t-1), zero at the first frame of each sequence.

    Args:
        shape: of a frame.

    Example:
        >>> x = ops.reshape(ops.array([1.0, 3.0, 8.0]), (1, 3, 1))
        >>> d, state = FrameDifferences([1])(x, lengths=ops.array([2]))
        >>> d.numpy().ravel().tolist(), state.pixels.numpy().item()
        ([0.0, 2.0, 5.0], 3.0)
    """

    def __init__(self, shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shape = tuple(shape)

    def initial_state(self, batch_size: int | Tensor) -> Frame:
        """No frame yet."""
        pixels = ops.zeros((batch_size, *self.shape), self.compute_dtype)
        return Frame(pixels, ops.zeros((batch_size, 1), self.compute_dtype))

    def call(
        self,
        frames: Tensor,
        state: Frame | None = None,
        lengths: Tensor = None,
        reset: Tensor = None,
    ) -> tuple[Tensor, Frame]:
        """Frames `[B, T, *shape]` to their differences, likewise, and the last frame of each row.

        The other arguments are those of `PooledStack.call`. What comes after a row's end means
        nothing.
        """
        frames = ops.cast(frames, self.compute_dtype)
        batch, time = ops.shape(frames)[0], ops.shape(frames)[1]
        state = state or self.initial_state(batch)
        along = ops.concatenate([state.pixels[:, None], frames], axis=1)
        first = (ops.arange(time) == 0)[None] & (state.seen == 0)
        first |= start_marks(reset, batch, time)
        first = ops.reshape(first, (batch, time, *[1] * len(self.shape)))
        differences = ops.where(first, 0, frames - along[:, :-1])
        ends = ops.sum(ops.cast(marks(lengths, batch, time), "int32"), axis=1)
        place = ops.reshape(ends, (batch, 1, *[1] * len(self.shape)))
        seen = ops.maximum(state.seen, ops.cast(ends[:, None] > 0, state.seen.dtype))
        return differences, Frame(ops.take_along_axis(along, place, axis=1)[:, 0], seen)
