"""One picture, looked at glimpse by glimpse, one answer: recurrent models of attention."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.layers.augmentation import RandomView
from zoo.layers.stack import RecurrentStack
from zoo.registry import register
from zoo.topologies.looking import Looking, LookingModel, Seen
from zoo.typing import State, Tensor


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
class RecurrentAttention(LookingModel):
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
        augment: how differently pictures are seen each time in training, see `RandomView`; 0..1, 0
            for not at all.

    Raises:
        ValueError: `attention` is neither, `augment` is outside of its range, or there is nothing
            to look at or with.

    Source: V. Mnih et al. 2014, arXiv:1406.6247.

    Example:
        >>> model = RecurrentAttention(image_shape=(16, 16, 1), units=8, glimpse_units=8)
        >>> images = model.example_inputs(3)["image"]
        >>> model(images).shape, model.follow(images).places.shape
        (TensorShape([3, 10]), TensorShape([3, 6, 2]))
    """

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
        augment: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.view = RandomView(augment) if augment else None
        self._set_retina(image_shape, glimpses, glimpse_size, scales, attention)
        half = max(1, glimpse_units // 2)
        self.seen = keras.layers.Dense(half, activation="relu")
        self.place = keras.layers.Dense(half, activation="relu")
        self.glimpse = keras.layers.Dense(glimpse_units, activation="relu")
        self.stack = RecurrentStack(cell, units, layers)
        self.dropout = keras.layers.Dropout(dropout)
        self.head = keras.layers.Dense(classes)
        self._make_locator(units, self.stack.output_size)
        self._finish()

    def initial_state(self, batch_size: int | Tensor) -> Looking:
        """Return the state before a black picture's first glimpse; `encode` gives a real one's."""
        image = tf.zeros([batch_size, *self.image_shape])
        return Looking(image, self.stack.initial_state(batch_size), tf.zeros([batch_size, 2]))

    def _begin(self, images: Tensor, training: bool | None) -> tuple[Looking, Tensor]:
        if self.view:
            images = self.view(images, training=training)
        state = self.initial_state(tf.shape(images)[0])
        # The first place is fixed: nothing guides it.
        guides = tf.zeros([tf.shape(images)[0], self.stack.output_size])
        return state._replace(image=tf.cast(images, tf.float32) / 255), guides

    def _glimpse(self, image: Tensor, place: Tensor, training: bool | None) -> Tensor:
        seen = self.seen(self.flat_windows(image, place))
        g = self.glimpse(tf.concat([seen, self.place(place)], axis=-1))
        return self.dropout(g, training=training)

    def _advance(self, g: Tensor, core: State) -> Seen:
        h, core = self.stack.step(g, core)
        return Seen(h, h, core)

    def _run(self, g: Tensor, core: State) -> Seen:
        y, core = self.stack(g, initial_state=core)
        return Seen(y, y, core)

    def answers(self, logits: Tensor) -> Tensor:
        """Return the logits after the last glimpse, `[B, classes]`."""
        return logits[:, -1]
