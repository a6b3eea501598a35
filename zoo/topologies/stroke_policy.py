"""SPIRAL: a picture painted by a brush, each stroke chosen part by part."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.cells.base import positive_integer
from zoo.layers.brush import Brush
from zoo.layers.glimpses import box_filters, read_window
from zoo.layers.stack import RecurrentStack
from zoo.layers.strokes import over
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.typing import State, Tensor

RADII = (0.6, 1.0, 1.5, 2.0)
"""Half of the width of a stroke, in sixteenths of the canvas' longer side."""
PRESSURES = (0.7, 0.8, 0.9, 1.0)
"""How much ink a stroke lays on, 1 covers all."""
PARTS = ("flag", "end", "control", "size", "pressure")
"""Of a stroke, in the order in which they are chosen; flag 0 moves the brush, 1 paints."""


_PLACES = (1, 2)
"""The parts that are places."""
_GEOMETRY = 5

Choice = Callable[[int, Tensor], Tensor]
"""Of the number of a part, and its logits `[R, n]`, to what is chosen, int32 `[R]`."""


class Painting(NamedTuple):
    """What was painted, T strokes of each of B pictures.

    Attributes:
        tokens: int32 `[B, T, 5]`, the choices of each stroke, see `PARTS`. Of a move, what comes
            after the end is 0.
        canvases: `[B, T + 1, h, w, 1]`, 0..1: empty, and after each stroke.
    """

    tokens: Tensor
    canvases: Tensor


@register(
    "architecture",
    "stroke_policy",
    topology="one_to_many",
    inputs="image",
    outputs="strokes",
    example={
        "units": 7,
        "filters": 3,
        "strokes": 3,
        "grid": 3,
        "image_shape": (7, 6, 1),
    },
)
@keras.saving.register_keras_serializable("zoo")
class StrokePolicy(SequenceModel):
    """h_t = cell(see(picture, canvas_(t-1), brush, action_(t-1)), h_(t-1)); action_t ~ decode(h_t).

    An action is a stroke of a brush: whether it paints or only moves, where it ends, the point that
    it bends to, its size and its pressure. It begins where the brush is, at first in the middle.
    One part is chosen after the other, each softmax conditioned on the parts before:

        s_0 = W h_t,  logits_k = head_k(s_(k-1)),  s_k = s_(k-1) + E_k(part_k)

    The head of a place scores each cell of a grid over the canvas by what two layers of
    convolutions see there, F, and by how it lies, G, as <F[cell], U s> + <G[cell], V s>. G is
    dy and dx from the brush, their squares and their product; for the point that a stroke bends to,
    from the middle between its start and its end.

    Called with pictures and with strokes, the model gives the probabilities of all parts of each
    stroke, conditioned on those before, and as the last number what it expects to gain from there
    on.
    `paint` chooses strokes, and no gradient goes through what is painted.

    Args:
        image_shape: height, width, and 1.
        strokes: T, for each picture.
        grid: places along the height and along the width.
        latent: numbers of noise that a picture starts from where none is shown to the model; 0 for
            a model that is shown one.
        filters: of the first convolution; the others have twice and four times as many.
        cell: name of the recurrent cell.
        units: size of each recurrent layer, and of s.
        layers: how many recurrent layers.

    Raises:
        ValueError: a size is out of range, or pictures are in colour.

    Example:
        >>> model = StrokePolicy(units=8, filters=2, strokes=5)
        >>> model(model.example_inputs(3)).shape, model.parts
        (TensorShape([3, 5, 523]), (2, 256, 256, 4, 4))

    Source: Y. Ganin, T. Kulkarni, I. Babuschkin, S. M. A. Eslami, O. Vinyals 2018, "Synthesizing
    programs for images using reinforced adversarial learning", arXiv:1804.01118.
    """

    steps_on = "strokes"

    def __init__(
        self,
        image_shape: Sequence[int] = (16, 16, 1),
        strokes: int = 8,
        grid: int = 16,
        latent: int = 0,
        filters: int = 8,
        cell: str = "lstm",
        units: int = 128,
        layers: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.image_shape = tuple(image_shape)
        if self.image_shape[2] != 1:
            raise ValueError(f"image_shape is {image_shape}, but ink has one channel")
        self.strokes = positive_integer("strokes", strokes)
        self.grid, self.latent = positive_integer("grid", grid), latent
        self.condition = "noise" if latent else "image"
        self.brush = Brush(self.image_shape, grid, RADII, PRESSURES)
        self.parts = self.brush.parts
        fine = positive_integer("filters", filters)
        self.fine = _convolution(fine, 1)
        self.coarse, self.small = _convolution(2 * fine, 2), _convolution(4 * fine, 2)
        self.flat = keras.layers.Flatten()
        self.seen = keras.layers.Dense(units, activation="relu")
        self.stack = RecurrentStack(cell, units, layers)
        self.stack.build((None, None, 2 * units))
        self.decoder = keras.layers.Dense(units)
        self.hidden = [keras.layers.Dense(units, activation="relu") for _ in self.parts]
        # A place is remembered as its row, its column, and what is seen there.
        self.chosen = [
            keras.layers.Embedding(2 * grid if part in _PLACES else size, units)
            for part, size in enumerate(self.parts)
        ]
        self.there = [keras.layers.Dense(units, use_bias=False) for _ in _PLACES]
        # In the beginning, each choice is about as likely as others.
        near = keras.initializers.RandomNormal(stddev=0.01)
        self.heads = [
            keras.layers.Dense(
                3 * fine + _GEOMETRY if part in _PLACES else size,
                kernel_initializer=near,
                dtype="float32",
            )
            for part, size in enumerate(self.parts)
        ]
        self.expected = keras.layers.Dense(1, kernel_initializer="zeros", dtype="float32")
        self.noise = keras.layers.Dense(units) if latent else None
        self._finish()

    def initial_state(self, batch_size: int | Tensor) -> State:
        """Return the state before the first stroke of a black picture, or of noise that is zero.

        `brush` is where the brush is, in pixels from the middle, `action` what is remembered of the
        last stroke.
        """
        empty = tf.zeros([batch_size, *self.image_shape])
        return {
            "wanted": tf.zeros([batch_size, self.latent]) if self.latent else empty,
            "canvas": empty,
            "brush": tf.zeros([batch_size, 2]),
            "action": tf.zeros([batch_size, self.stack.output_size], self.compute_dtype),
            "core": self.stack.initial_state(batch_size),
        }

    def encode(self, inputs: Tensor, training: bool | None = None) -> State:
        """Return the state before the first stroke for pictures `[B, h, w, 1]`, values 0..255.

        Of a model that is shown none, for noise `[B, latent]`.
        """
        state = self.initial_state(tf.shape(inputs)[0])
        wanted = tf.cast(inputs, tf.float32)
        return {**state, "wanted": wanted if self.latent else wanted / 255}

    def call(
        self,
        inputs: Tensor,
        state: State = None,
        reset: Tensor = None,
        return_state: bool = False,
        training: bool | None = None,
    ) -> Tensor:
        """Compute how likely each choice is, and what is expected, float32 `[B, T, L + 1]`.

        Args:
            inputs: `image` `[B, h, w, 1]`, values 0..255, or `noise` `[B, latent]`; and `strokes`
                `[B, T, 5]`, the choices that were made.
            state: not used: a painting starts from its picture.
            reset: not used, likewise.
            return_state: also give the state after the last stroke.
            training: makes no difference.
        """
        state = self.encode(inputs[self.condition])
        tokens = self.brush.proper(inputs["strokes"])
        starts = self.brush.starts(tokens, state["brush"])
        canvases = self.brush.painted(tokens, starts, state["canvas"])
        logits, state = self._score(Painting(tokens, canvases), starts, state)
        outputs = self._likely(logits)
        return (outputs, state) if return_state else outputs

    def score_painting(self, painting: Painting, wanted: Tensor) -> Tensor:
        """Compute the logits of all parts, and what is expected, of what was painted already.

        They are float32 `[B, T, L + 1]`; unlike probabilities, they tell rare choices apart.

        Args:
            painting: proper strokes, and the canvases that they made.
            wanted: what `encode` takes.
        """
        state = self.encode(wanted)
        starts = self.brush.starts(painting.tokens, state["brush"])
        return self._score(painting, starts, state)[0]

    def paint(self, state: State, noise: Tensor) -> Painting:
        """Choose T strokes and paint them, from a state of `encode` on.

        Args:
            state: of B rows.
            noise: `[B, T, L]`, added to the logits: of Gumbel's distribution for a draw, zeros for
                the likeliest choice each time.
        """
        time = noise.shape[1] or tf.shape(noise)[1]
        steps = tf.TensorArray(tf.float32, time).unstack(tf.transpose(noise, [1, 0, 2]))
        rows = noise.shape[0]
        kinds = [(tf.int32, [rows, len(self.parts)]), (tf.float32, [rows, *self.image_shape])]
        arrays = [tf.TensorArray(kind, time, element_shape=shape) for kind, shape in kinds]

        def body(t: Tensor, state: State, arrays: Any) -> tuple[Tensor, State, Any]:
            noises = tf.split(steps.read(t), self.parts, axis=-1)

            def choose(part: int, logits: Tensor) -> Tensor:
                return tf.argmax(logits + noises[part], axis=-1, output_type=tf.int32)

            tokens, _, state = self._stroke(choose, state)
            made = (tokens, state["canvas"])
            return t + 1, state, [array.write(t, part) for array, part in zip(arrays, made)]

        _, _, arrays = tf.while_loop(
            lambda t, *_: t < time, body, (tf.constant(0), state, arrays), maximum_iterations=time
        )
        tokens = tf.transpose(arrays[0].stack(), [1, 0, 2])
        after = tf.transpose(arrays[1].stack(), [1, 0, 2, 3, 4])
        return Painting(tokens, tf.concat([state["canvas"][:, None], after], axis=1))

    def step(self, x_t: Tensor, state: State) -> tuple[Tensor, State]:
        """Paint one stroke `[B, 5]`; return the probabilities `[B, L + 1]` and the state.

        The probabilities, and what is expected, are those before the stroke, each part conditioned
        on the parts of `x_t` before it.
        """
        tokens = self.brush.proper(x_t)
        _, logits, state = self._stroke(lambda part, _: tokens[:, part], state)
        return self._likely(logits), state

    def _likely(self, logits: Tensor) -> Tensor:
        """Return the probabilities of logits `[..., L + 1]`; what is expected stays.

        As probabilities choices are steady where logits, which may be in the hundreds, are rounded
        in another way.
        """
        *parts, expected = tf.split(logits, [*self.parts, 1], axis=-1)
        return tf.concat([*map(tf.nn.softmax, parts), expected], axis=-1)

    def _score(self, painting: Painting, starts: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the logits of strokes that begin at `starts`, and the state after them."""
        tokens, canvases = painting
        time = tokens.shape[1]
        flat = tf.reshape(tokens, [-1, len(self.parts)])
        before = tf.reshape(canvases[:, :-1], [-1, *self.image_shape])
        wanted = tf.repeat(state["wanted"], time, axis=0)
        starts = tf.reshape(starts, [-1, 2])
        seen, maps = self._see(wanted, before, starts)
        size = self.stack.output_size
        actions = tf.reshape(self._action(flat, maps), [-1, time, size])
        last = tf.concat([state["action"][:, None], actions[:, :-1]], axis=1)
        x = tf.concat([tf.reshape(seen, [-1, time, size]), last], axis=-1)
        # Of so few steps no loop is made, which ONNX would not read where their number is fixed.
        core, steps = state["core"], []
        for x_t in tf.unstack(x, axis=1):
            h, core = self.stack.step(x_t, core)
            steps.append(h)
        h = tf.reshape(tf.stack(steps, axis=1), [-1, size])
        _, outputs = self._decode(lambda part, _: flat[:, part], h, maps, starts)
        outputs = tf.reshape(outputs, [-1, time, outputs.shape[-1]])
        after = {
            "wanted": state["wanted"],
            "canvas": canvases[:, -1],
            "brush": self.brush.places(tokens[:, -1, 1]),
            "action": actions[:, -1],
            "core": core,
        }
        return outputs, after

    def _stroke(self, choose: Choice, state: State) -> tuple[Tensor, Tensor, State]:
        """Look, choose and paint; return the tokens `[R, 5]`, the outputs and the state after."""
        brush = state["brush"]
        seen, maps = self._see(state["wanted"], state["canvas"], brush)
        h, core = self.stack.step(tf.concat([seen, state["action"]], axis=-1), state["core"])
        tokens, outputs = self._decode(choose, h, maps, brush)
        after = {
            "wanted": state["wanted"],
            "canvas": over(state["canvas"], self.brush.render(tokens, brush)),
            "brush": self.brush.places(tokens[:, 1]),
            "action": self._action(tokens, maps),
            "core": core,
        }
        return tokens, outputs, after

    def _see(self, wanted: Tensor, canvas: Tensor, brush: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is seen `[R, units]`, and maps of the places, `[R, grid², 3 filters]`."""
        height, width, _ = self.image_shape
        rows, columns = (
            (np.arange(n, dtype="float32") + 0.5 - np.float32(n / 2)) for n in (height, width)
        )
        spread = max(height, width) / 10
        near_y = tf.exp(-(((rows - brush[:, :1]) / spread) ** 2))
        near_x = tf.exp(-(((columns - brush[:, 1:]) / spread) ** 2))
        here = (near_y[:, :, None] * near_x[:, None])[..., None]
        ground = np.stack(np.meshgrid(rows / height, columns / width, indexing="ij"), axis=-1)
        planes = [canvas, here, tf.zeros_like(canvas) + ground]
        if not self.latent:
            planes.append(wanted)
        fine = self.fine(tf.concat(planes, axis=-1))
        coarse = self.coarse(fine)
        seen = self.seen(self.flat(self.small(coarse)))
        if self.noise:
            seen += self.noise(wanted)
        return seen, tf.concat([self._on_grid(part) for part in (fine, coarse)], axis=-1)

    def _on_grid(self, features: Tensor) -> Tensor:
        """Return the means of maps `[R, a, b, C]` over the cells of the grid, `[R, grid², C]`."""
        height, width, channels = features.shape[1:]
        grid = self.grid
        if (height, width) != (grid, grid):
            f_y, f_x = (
                box_filters(tf.constant([n / 2]), float(n), grid, n) for n in (height, width)
            )
            features = read_window(features, f_y, f_x)
        return tf.reshape(tf.cast(features, tf.float32), [-1, grid**2, channels])

    def _action(self, tokens: Tensor, maps: Tensor) -> Tensor:
        """Return what is remembered of proper strokes `[R, 5]`, `[R, units]`."""
        parts = range(len(self.parts))
        return tf.add_n([self._remembered(part, tokens[:, part], maps) for part in parts])

    def _remembered(self, part: int, token: Tensor, maps: Tensor) -> Tensor:
        """Return E_k of choices `[R]` of a part, `[R, units]`."""
        if part not in _PLACES:
            return self.chosen[part](token)
        axes = tf.stack([token // self.grid, self.grid + token % self.grid], axis=-1)
        seen = self.there[_PLACES.index(part)](tf.gather(maps, token, batch_dims=1))
        return tf.reduce_sum(self.chosen[part](axes), axis=1) + seen

    def _decode(
        self, choose: Choice, h: Tensor, maps: Tensor, brush: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Choose part after part; return tokens `[R, 5]` and outputs `[R, L + 1]`."""
        s, origin = self.decoder(h), brush
        tokens: list[Tensor] = []
        outputs = []
        for part, head in enumerate(self.heads):
            logits = head(self.hidden[part](s))
            if part in _PLACES:
                query, form = tf.split(logits, [maps.shape[-1], _GEOMETRY], axis=-1)
                logits = tf.matmul(maps, query[..., None]) + self._form(origin) @ form[..., None]
                logits = tf.squeeze(logits, -1)
            token = choose(part, logits)
            # A move has no parts but its end.
            token = token * tokens[0] if part > 1 else token
            tokens.append(token)
            outputs.append(logits)
            s += self._remembered(part, token, maps)
            if part == _PLACES[0]:
                # A stroke bends around its middle.
                origin = (brush + self.brush.places(token)) / 2
        return tf.stack(tokens, axis=-1), tf.concat([*outputs, self.expected(h)], axis=-1)

    def _form(self, origin: Tensor) -> Tensor:
        """Return where cells lie from points `[R, 2]`, and its squares: `[R, grid², 5]`."""
        cells = self.brush.places(tf.range(self.grid**2))
        away = 2 * (cells - origin[:, None]) / max(self.image_shape)
        y, x = away[..., :1], away[..., 1:]
        return tf.concat([y, x, y * y, x * x, y * x], axis=-1)

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Return grey pictures, or noise that is zero, with strokes that only move."""
        strokes = np.zeros((batch_size, self.strokes, len(self.parts)), "int32")
        if self.latent:
            return {"noise": np.zeros((batch_size, self.latent), "float32"), "strokes": strokes}
        image = np.full((batch_size, *self.image_shape), 128, "uint8")
        return {"image": image, "strokes": strokes}


def _convolution(filters: int, strides: int) -> keras.layers.Layer:
    return keras.layers.Conv2D(filters, 3, strides, padding="same", activation="relu")
