"""A brush whose strokes are chosen part by part: what choices mean on a canvas, without weights."""

from collections.abc import Sequence

import tensorflow as tf

from zoo.layers.strokes import over, stroke_coverage
from zoo.typing import Tensor


class Brush:
    """Turns the choices of strokes into places, numbers and ink.

    A stroke is five choices: whether it paints or only moves, the cell of a grid over the canvas
    where it ends, the cell that it bends to, its size and its pressure. It begins where the brush
    is. Places are in pixels from the middle of the canvas, see `zoo.layers.strokes`.

    Args:
        image_shape: height, width, and 1.
        grid: places along the height and along the width.
        radii: half of the width of a stroke of each size, in sixteenths of the canvas' longer side.
        pressures: how much ink a stroke of each pressure lays on, 1 covers all.

    Attributes:
        parts: how many choices each part of a stroke has.

    Example:
        >>> brush = Brush((8, 8, 1), 4, (1.0, 2.0), (0.5, 1.0))
        >>> brush.parts, brush.places(tf.constant([0, 7])).numpy().tolist()
        ((2, 16, 16, 2, 2), [[-3.0, -3.0], [-1.0, 3.0]])
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        grid: int,
        radii: Sequence[float],
        pressures: Sequence[float],
    ) -> None:
        self.image_shape, self.grid = tuple(image_shape), grid
        self.radii, self.pressures = tuple(radii), tuple(pressures)
        self.parts = (2, grid**2, grid**2, len(self.radii), len(self.pressures))

    def proper(self, tokens: Tensor) -> Tensor:
        """Return choices `[..., 5]` within their ranges; of a move all are 0 but the end."""
        tokens = tf.clip_by_value(tf.cast(tokens, tf.int32), 0, tf.constant(self.parts) - 1)
        paints = tokens[..., :1]
        ones = tf.ones_like(tokens[..., :2])
        return tokens * tf.concat([ones, *[paints] * (len(self.parts) - 2)], axis=-1)

    def places(self, cells: Tensor) -> Tensor:
        """Return the middles of cells of the grid, in pixels from the middle: `[..., 2]`."""
        row, column = cells // self.grid, cells % self.grid
        parts = zip((row, column), self.image_shape)
        middles = [
            (tf.cast(part, tf.float32) + 0.5) * (length / self.grid) - length / 2
            for part, length in parts
        ]
        return tf.stack(middles, axis=-1)

    def starts(self, tokens: Tensor, first: Tensor) -> Tensor:
        """Return where each of proper strokes `[B, T, 5]` begins, `[B, T, 2]`.

        Args:
            tokens: the strokes.
            first: `[B, 2]`, where the brush is before them.
        """
        ends = self.places(tokens[..., 1])
        return tf.concat([first[:, None], ends[:, :-1]], axis=1)

    def points(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return control and end `[..., 2]`, radius and ink `[...]` of proper strokes."""
        flag, end, control, size, pressure = tf.unstack(tokens, axis=-1)
        side = max(self.image_shape[:2]) / 16
        paints = tf.cast(flag, tf.float32)
        radius = tf.gather(tf.constant(self.radii) * side, size)
        ink = paints * tf.gather(tf.constant(self.pressures), pressure)
        end, control = self.places(end), self.places(control)
        return control, end, tf.maximum(radius, 0.5), ink

    def render(self, tokens: Tensor, start: Tensor) -> Tensor:
        """Return the ink `[R, h, w, 1]` of proper strokes `[R, 5]` from `start` `[R, 2]` on."""
        control, end, radius, ink = self.points(tokens)
        height, width, _ = self.image_shape
        covered = stroke_coverage(start, control, end, radius, height, width)
        return (ink[:, None, None] * covered)[..., None]

    def painted(self, tokens: Tensor, starts: Tensor, canvas: Tensor) -> Tensor:
        """Return a canvas and what it is after each of some strokes, `[B, T + 1, h, w, 1]`.

        Args:
            tokens: `[B, T, 5]`, proper strokes.
            starts: `[B, T, 2]`, where they begin.
            canvas: `[B, h, w, 1]`, 0..1, before them.
        """
        flat = tf.reshape(tokens, [-1, len(self.parts)])
        ink = self.render(flat, tf.reshape(starts, [-1, 2]))
        canvases = [canvas]
        by_time = tf.reshape(ink, [-1, tokens.shape[1], *self.image_shape])
        for stroke in tf.unstack(by_time, axis=1):
            canvases.append(over(canvases[-1], stroke))
        return tf.stack(canvases, axis=1)

    def described(self, tokens: Tensor) -> Tensor:
        """Return proper strokes `[B, T, 5]` in numbers that a person reads: float32 `[B, T, 8]`.

        They are row and column of the start, of the point that the stroke bends to and of its end,
        in pixels from the top left corner; its width; and its ink, 0 of a move. The first begins
        in the middle of the canvas.
        """
        control, end, radius, ink = self.points(tokens)
        starts = self.starts(tokens, tf.zeros_like(end[:, 0]))
        middle = tf.constant([length / 2 for length in self.image_shape[:2]])
        control = tf.where(tokens[..., :1] > 0, control, (starts + end) / 2)
        places = [part + middle for part in (starts, control, end)]
        return tf.concat([*places, 2 * radius[..., None], ink[..., None]], axis=-1)
