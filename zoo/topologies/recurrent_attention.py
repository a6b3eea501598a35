"""One picture, looked at glimpse by glimpse, one answer: recurrent models of attention."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.layers.glimpses import box_filters, gaussian_filters, read_window
from zoo.layers.stack import RecurrentStack
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.typing import State, Tensor


class Looking(NamedTuple):
    """What stands between two glimpses.

    Attributes:
        image: what is looked at, `[B, h, w, C]`, 0..1.
        core: the state of the recurrent layers.
        place: where the model looks next, `[B, 2]`: row and column, each from -1 to 1.
    """

    image: Tensor
    core: State
    place: Tensor


class Path(NamedTuple):
    """How a model looked at pictures, T glimpses of each.

    Attributes:
        logits: after each glimpse, `[B, T, classes]`.
        places: of the glimpses, `[B, T, 2]`.
        means: where the model would have looked next, after each glimpse but the last,
            `[B, T - 1, 2]`; with noise, the places lie around these.
        baselines: what it expected its reward to be, `[B, T - 1]`.
    """

    logits: Tensor
    places: Tensor
    means: Tensor
    baselines: Tensor


@register(
    "architecture",
    "recurrent_attention",
    topology="one_to_one",
    inputs="image",
    outputs="class",
    example={
        "units": 12,
        "glimpse_units": 10,
        "glimpse_size": 3,
        "scales": 2,
        "glimpses": 3,
        "image_shape": (12, 12, 1),
    },
)
@keras.saving.register_keras_serializable("zoo")
class RecurrentAttention(SequenceModel):
    """g_t = glimpse(image, l_t), h_t = cell(g_t, h_(t-1)), l_(t+1) = locator(h_t), y = W h_T + b.

    A glimpse is a retina: squares of pixels around a place, each twice as wide as the one before
    and of as few pixels, so that it is sharp in the middle only. What is seen, and where, make g_t.
    The first glimpse is of the middle of the picture. Called with pictures alone, the model looks
    where l_t says, without chance, and the answer is that after the last glimpse.

    With `attention` "hard" the retina averages over boxes, and no gradient goes through a place:
    the locator learns from reward alone, see `zoo.training.objectives.reinforce`. With "gaussian"
    the retina weighs with Gaussians, through which the gradient goes.

    The locator has a hidden layer, which the source's has not.

    Args:
        classes: how many.
        image_shape: height, width, channels.
        glimpses: T, how often the model looks.
        glimpse_size: pixels of each square of the retina, along a side.
        scales: squares of the retina, the smallest as sharp as the picture.
        glimpse_units: size of g_t, and of the two layers before it together.
        cell: name of the recurrent cell.
        units: size of each recurrent layer.
        layers: how many recurrent layers.
        dropout: share of what enters and of what leaves the recurrent layers that is dropped in
            training.
        attention: "hard" or "gaussian".

    Raises:
        ValueError: `attention` is neither, or there is nothing to look at or with.

    Source: V. Mnih et al. 2014, arXiv:1406.6247.

    Example:
        >>> model = RecurrentAttention(image_shape=(16, 16, 1), units=8, glimpse_units=8)
        >>> images = model.example_inputs(3)["image"]
        >>> model(images).shape, model.follow(images).places.shape
        (TensorShape([3, 10]), TensorShape([3, 6, 2]))
    """

    condition = "image"
    steps_on = "places"

    def __init__(
        self,
        classes: int = 10,
        image_shape: Sequence[int] = (60, 60, 1),
        glimpses: int = 6,
        glimpse_size: int = 8,
        scales: int = 3,
        glimpse_units: int = 128,
        cell: str = "lstm",
        units: int = 128,
        layers: int = 1,
        dropout: float = 0.0,
        attention: str = "hard",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if attention not in ("hard", "gaussian"):
            raise ValueError(f"attention is {attention!r}, but hard or gaussian is needed")
        for name, value in [("glimpses", glimpses), ("scales", scales)]:
            if value < 1:
                raise ValueError(f"{name} is {value}, but at least 1 is needed")
        if glimpse_size < 1:
            raise ValueError(f"glimpse_size is {glimpse_size}, but at least 1 is needed")
        self.image_shape, self.glimpses = tuple(image_shape), glimpses
        self.glimpse_size, self.hard = glimpse_size, attention == "hard"
        self.sizes = [float(glimpse_size * 2**scale) for scale in range(scales)]
        # The first glimpses are near the middle, from where each way is as far.
        near = keras.initializers.RandomNormal(stddev=0.01)
        half = max(1, glimpse_units // 2)
        self.seen = keras.layers.Dense(half, activation="relu")
        self.place = keras.layers.Dense(half, activation="relu")
        self.glimpse = keras.layers.Dense(glimpse_units, activation="relu")
        self.stack = RecurrentStack(cell, units, layers)
        self.dropout = keras.layers.Dropout(dropout)
        self.head = keras.layers.Dense(classes)
        self.locator = keras.Sequential(
            [
                keras.layers.Dense(units, activation="relu", dtype="float32"),
                keras.layers.Dense(2, activation="tanh", kernel_initializer=near, dtype="float32"),
            ]
        )
        self.baseline = keras.layers.Dense(1, dtype="float32") if self.hard else None
        # Where places are given, nobody asks for the next one.
        for layer in filter(None, (self.locator, self.baseline)):
            layer.build((None, self.stack.output_size))
        self._finish()

    def initial_state(self, batch_size: int | Tensor) -> Looking:
        """Return the state before a black picture's first glimpse; `encode` gives a real one's."""
        image = tf.zeros([batch_size, *self.image_shape])
        return Looking(image, self.stack.initial_state(batch_size), tf.zeros([batch_size, 2]))

    def encode(self, inputs: Tensor, training: bool | None = None) -> Looking:
        """Return the state before the first glimpse of images `[B, h, w, C]`, values 0..255."""
        state = self.initial_state(tf.shape(inputs)[0])
        return state._replace(image=tf.cast(inputs, tf.float32) / 255)

    def step(self, x_t: Tensor, state: Looking) -> tuple[Tensor, Looking]:
        """Look once: at places `[B, 2]`; return logits `[B, classes]`, and the new state.

        The new state's `place` is where the model would look next.
        """
        h, state = self._look(x_t, state)
        return self.head(h), state

    def call(
        self,
        inputs: Tensor,
        state: State = None,
        reset: Tensor = None,
        return_state: bool = False,
        training: bool | None = None,
    ) -> Tensor:
        """Compute logits: of images the last, `[B, classes]`; with places each, `[B, T, classes]`.

        Args:
            inputs: images `[B, h, w, C]`, values 0..255; or a dict of these, `image`, and of
                `places` `[B, T, 2]` to look at.
            state: not used: looking starts from the image.
            reset: not used, likewise.
            return_state: also give the state after the last glimpse.
            training: whether dropout acts.
        """
        if not isinstance(inputs, Mapping):
            path, state = self._follow(inputs, None, training)
            return (path.logits[:, -1], state) if return_state else path.logits[:, -1]
        places = inputs["places"]
        state = self.encode(inputs["image"])
        time = tf.shape(places)[1]
        images = tf.repeat(state.image, time, axis=0)
        g = self._glimpse(images, tf.reshape(places, [-1, 2]), training)
        g = tf.reshape(g, [-1, time, g.shape[-1]])
        y, core = self.stack(g, initial_state=state.core)
        logits = self.head(self.dropout(y, training=training))
        if not return_state:
            return logits
        return logits, Looking(state.image, core, self.locator(y[:, -1]))

    def follow(self, images: Tensor, noise: Tensor = None, training: bool | None = None) -> Path:
        """Look at images `[B, h, w, C]`, values 0..255, where the model itself wants to.

        Args:
            images: what to look at.
            noise: `[B, T - 1, 2]`, added to the places after the first; None for none.
            training: whether dropout acts.
        """
        return self._follow(images, noise, training)[0]

    def _follow(self, images: Tensor, noise: Tensor, training: bool | None) -> tuple[Path, Looking]:
        state = self.encode(images)
        outputs, places, means, baselines = [], [state.place], [], []
        for t in range(self.glimpses):
            h, state = self._look(state.place, state, training)
            outputs.append(h)
            if t == self.glimpses - 1:
                break
            means.append(state.place)
            if self.baseline:
                baselines.append(self.baseline(tf.stop_gradient(h))[:, 0])
            place = state.place if noise is None else state.place + noise[:, t]
            # What is drawn is a constant of the density that it was drawn from.
            state = state._replace(place=tf.stop_gradient(place) if self.hard else place)
            places.append(state.place)
        y = self.dropout(tf.stack(outputs, axis=1), training=training)
        none = tf.zeros([tf.shape(images)[0], 0])
        return (
            Path(
                self.head(y),
                tf.stack(places, axis=1),
                tf.stack(means, axis=1) if means else none[..., None] + tf.zeros([2]),
                tf.stack(baselines, axis=1) if baselines else none,
            ),
            state,
        )

    def _look(
        self, place: Tensor, state: Looking, training: bool | None = None
    ) -> tuple[Tensor, Looking]:
        """Return h_t of a glimpse, and the state with the place of the next."""
        h, core = self.stack.step(self._glimpse(state.image, place, training), state.core)
        return h, Looking(state.image, core, self.locator(h))

    def _glimpse(self, image: Tensor, place: Tensor, training: bool | None) -> Tensor:
        """Return g `[B, glimpse_units]` of images 0..1 at places `[B, 2]`."""
        windows = self.retina(image, place)
        count = self.glimpse_size**2 * self.image_shape[2] * len(self.sizes)
        seen = self.seen(tf.reshape(tf.stack(windows, axis=1), [-1, count]))
        g = self.glimpse(tf.concat([seen, self.place(place)], axis=-1))
        return self.dropout(g, training=training)

    def retina(self, image: Tensor, place: Tensor) -> list[Tensor]:
        """Return what is seen of images `[B, h, w, C]` at places `[B, 2]`, the sharpest first.

        Each is `[B, glimpse_size, glimpse_size, C]`, of as many pixels as `sizes` says.
        """
        height, width, _ = self.image_shape
        y, x = (place[:, 0] + 1) / 2 * height, (place[:, 1] + 1) / 2 * width
        return [
            read_window(image, self._filters(y, size, height), self._filters(x, size, width))
            for size in self.sizes
        ]

    def _filters(self, centre: Tensor, size: float, length: int) -> Tensor:
        count = self.glimpse_size
        if self.hard:
            return box_filters(centre, size, count, length)
        stride = size / count
        return gaussian_filters(centre, stride, stride / 2, count, length)

    def named_inputs(self, inputs: Any) -> dict[str, Any]:
        """Return inputs by name; with images alone, the places that the model looks at."""
        if isinstance(inputs, Mapping):
            return dict(inputs)
        return {"image": inputs, "places": self.follow(inputs).places}

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Return grey images, looked at in their middle."""
        image = np.full((batch_size, *self.image_shape), 128, "uint8")
        return {"image": image, "places": np.zeros((batch_size, time, 2), "float32")}
