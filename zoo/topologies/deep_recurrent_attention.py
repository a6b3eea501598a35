"""One picture, several labels: a recurrent model of attention that reads what it sees, in order."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.cells.base import positive_integer
from zoo.layers.glimpses import box_filters, read_window
from zoo.layers.stack import RecurrentStack
from zoo.registry import register
from zoo.topologies.looking import Looking, LookingModel, Seen
from zoo.typing import State, Tensor

_SHRINK = 4
"""Pixels of the picture, along a side, that make one of the thumbnail."""
_FILTERS, _BETWEEN = (16, 16), 64


@register(
    "architecture",
    "deep_recurrent_attention",
    topology="one_to_many",
    inputs="image",
    outputs="class",
    example={
        "units": 7,
        "glimpse_units": 6,
        "glimpse_size": 3,
        "scales": 2,
        "glimpses": 1,
        "labels": 2,
        "image_shape": (8, 9, 1),
    },
)
@keras.saving.register_keras_serializable("zoo")
class DeepRecurrentAttention(LookingModel):
    """g_t = what(image, l_t) · where(l_t), h_t = lower(g_t), l_(t+1) = locator(upper(h_t)).

    Two stacks of recurrent layers, one over the other. The lower one reads glimpses, and after each
    N of them names one label of the picture, y = head(h_t): the first after N, the second after
    2 N. The upper one reads what the lower one made of them, and says where to look next.

    A context network sees the whole picture, four times smaller: two convolutions and a dense
    layer, from which the upper stack's first state and the first place are computed. The labels are
    of the lower stack, which starts from zero: where the places are the same, what the context
    network sees changes none of them.

    With two `directions` there are two such networks, of which the second names the labels from the
    last to the first; the model answers as the one whose own labels have the better mean score, see
    `better`. Each looks along a path of its own: places are `[B, 4]` then, and the logits of each
    glimpse `[B, 2, classes]`, of both.

    The retina, the path and attention are those of `zoo.topologies.looking.LookingModel`. The
    source's glimpse network has convolutions, this one two dense layers; its locator has no hidden
    layer, and its head has one, as here.

    Args:
        classes: how many, the last of them the end of a sequence.
        image_shape: height, width, channels.
        labels: S, how many labels of a picture are named at most.
        glimpses: N, how often the model looks before it names each.
        glimpse_size: pixels of each square of the retina, along a side.
        scales: squares of the retina, the smallest as sharp as the picture.
        glimpse_units: size of g_t.
        cell: name of the recurrent cell of both stacks.
        units: size of each recurrent layer.
        layers: how many recurrent layers each stack has.
        dropout: share of what enters and of what leaves the lower stack that is dropped in
            training.
        context: whether there is a context network; without, the model first looks at the middle.
        attention: "hard" or "gaussian".
        directions: 1, or 2 for forward and backward, with hard attention only.

    Raises:
        ValueError: `attention` or `directions` is none of these, or there is nothing to look at or
            with.

    Source: J. Ba, V. Mnih, K. Kavukcuoglu 2015, "Multiple object recognition with visual
    attention", arXiv:1412.7755.

    Example:
        >>> model = DeepRecurrentAttention(image_shape=(16, 24, 1), units=8, glimpse_units=8)
        >>> images = model.example_inputs(3)["image"]
        >>> model(images).shape, model.follow(images).places.shape
        (TensorShape([3, 2, 11]), TensorShape([3, 6, 2]))
    """

    def __init__(
        self,
        classes: int = 11,
        image_shape: Sequence[int] = (36, 56, 1),
        labels: int = 2,
        glimpses: int = 3,
        glimpse_size: int = 8,
        scales: int = 3,
        glimpse_units: int = 96,
        cell: str = "lstm",
        units: int = 128,
        layers: int = 1,
        dropout: float = 0.0,
        context: bool = True,
        attention: str = "hard",
        directions: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if directions not in (1, 2) or (directions == 2 and attention != "hard"):
            raise ValueError(
                f"directions is {directions} and attention {attention!r}, but 1, or 2 with hard "
                "attention, is needed"
            )
        self._set_retina(image_shape, glimpses, glimpse_size, scales, attention)
        self.labels = positive_integer("labels", labels)
        self.fixed = 0 if context else 1
        dense = keras.layers.Dense
        self.what = keras.Sequential([dense(glimpse_units, "relu"), dense(glimpse_units, "relu")])
        # From zero it would hide what is seen in the middle of a picture.
        self.where = dense(glimpse_units, "relu", bias_initializer="ones")
        self.lower = RecurrentStack(cell, units, layers)
        self.upper = RecurrentStack(cell, units, layers)
        self.dropout = keras.layers.Dropout(dropout)
        self.between = dense(units, "relu")
        self.head = dense(classes)
        self.upper.build((None, None, self.lower.output_size))
        self.context = self._context_network() if context else None
        self._make_locator(units, self.upper.output_size)
        self.backward = None
        if directions == 2:
            self.backward = DeepRecurrentAttention(**{**self._arguments, "directions": 1})
        self._finish()

    def _context_network(self) -> keras.Sequential:
        """Return the layers from a thumbnail to the upper stack's first state, and what guides."""
        height, width, channels = self.image_shape
        size = self.upper.output_size + sum(self._part_sizes)
        network = keras.Sequential(
            [
                keras.layers.Conv2D(_FILTERS[0], 3, padding="same", activation="relu"),
                keras.layers.Conv2D(_FILTERS[1], 3, 2, padding="same", activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dense(_BETWEEN, activation="relu"),
                keras.layers.Dense(size, activation="tanh"),
            ]
        )
        network.build((None, -(-height // _SHRINK), -(-width // _SHRINK), channels))
        return network

    @property
    def _part_sizes(self) -> list[int]:
        """Return the numbers of each part of the upper stack's state."""
        return [math.prod(part.shape[1:]) for part in tf.nest.flatten(self.upper.initial_state(1))]

    @property
    def locating(self) -> list[keras.Variable]:
        """Return the weights of all but what the labels are computed from."""
        context = self.context.trainable_variables if self.context else []
        return [*self.locator.trainable_variables, *self.upper.trainable_variables, *context]

    def readers(self) -> list[LookingModel]:
        """Return the networks that look at a picture: itself, and perhaps the backward one."""
        return [self] if self.backward is None else [self, self.backward]

    def in_order_of(self, reader: int, labels: Tensor) -> Tensor:
        """Return labels `[B, S]` from left to right in the order in which a reader names them."""
        return labels if reader == 0 else turned(labels, labels != self._end)

    @property
    def _end(self) -> int:
        return self.head.units - 1

    def initial_state(self, batch_size: int | Tensor) -> State:
        """Return the state before a glimpse at nothing; `encode` gives that of a picture."""
        own = self._own_initial_state(batch_size)
        return own if self.backward is None else (own, self.backward.initial_state(batch_size))

    def _own_initial_state(self, batch_size: int | Tensor) -> Looking:
        image = tf.zeros([batch_size, *self.image_shape])
        core = self.lower.initial_state(batch_size), self.upper.initial_state(batch_size)
        return Looking(image, core, tf.zeros([batch_size, 2]))

    def _begin(self, images: Tensor, training: bool | None) -> tuple[Looking, Tensor]:
        batch = tf.shape(images)[0]
        state = self._own_initial_state(batch)
        state = state._replace(image=tf.cast(images, tf.float32) / 255)
        if self.context is None:
            return state, tf.zeros([batch, self.upper.output_size])
        lower, upper = state.core
        vector = self.context(self.thumbnail(state.image), training=training)
        guides, *parts = tf.split(vector, [self.upper.output_size, *self._part_sizes], axis=-1)
        flat = [tf.reshape(p, tf.shape(zero)) for p, zero in zip(parts, tf.nest.flatten(upper))]
        upper = tf.nest.pack_sequence_as(upper, flat)
        return Looking(state.image, (lower, upper), self.locator(guides)), guides

    def thumbnail(self, image: Tensor) -> Tensor:
        """Return what the context network sees of images `[B, h, w, C]`, 0..1."""
        rows, columns = (
            box_filters(tf.constant([length / 2]), count * _SHRINK, count, length)
            for length in self.image_shape[:2]
            for count in [-(-length // _SHRINK)]
        )
        batch = tf.shape(image)[0]
        return read_window(image, tf.repeat(rows, batch, 0), tf.repeat(columns, batch, 0))

    def _glimpse(self, image: Tensor, place: Tensor, training: bool | None) -> Tensor:
        g = self.what(self.flat_windows(image, place)) * self.where(place)
        return self.dropout(g, training=training)

    def _logits(self, named: Tensor) -> Tensor:
        return self.head(self.between(named))

    def _advance(self, g: Tensor, core: State) -> Seen:
        lower, upper = core
        h, lower = self.lower.step(g, lower)
        u, upper = self.upper.step(h, upper)
        return Seen(h, u, (lower, upper))

    def _run(self, g: Tensor, core: State) -> Seen:
        lower, upper = core
        y, lower = self.lower(g, initial_state=lower)
        u, upper = self.upper(y, initial_state=upper)
        return Seen(y, u, (lower, upper))

    def encode(self, inputs: Tensor, training: bool | None = None) -> State:
        """Return the state before the first glimpse of images `[B, h, w, C]`, values 0..255."""
        own = super().encode(inputs, training)
        return own if self.backward is None else (own, self.backward.encode(inputs, training))

    def step(self, x_t: Tensor, state: State) -> tuple[Tensor, State]:
        """Look once, see `LookingModel.step`; with two directions, once each."""
        if self.backward is None:
            return super().step(x_t, state)
        own, other = state
        y, own = super().step(x_t[:, :2], own)
        z, other = self.backward.step(x_t[:, 2:], other)
        return tf.stack([y, z], axis=1), (own, other)

    def call(
        self,
        inputs: Tensor,
        state: State = None,
        reset: Tensor = None,
        return_state: bool = False,
        training: bool | None = None,
    ) -> Tensor:
        """Compute logits, see `LookingModel.call`: of images those of `combined`."""
        if self.backward is None:
            return super().call(inputs, state, reset, return_state, training)
        sides = [inputs, inputs]
        if isinstance(inputs, Mapping):
            places = inputs["places"]
            sides = [{**inputs, "places": part} for part in (places[..., :2], places[..., 2:])]
        y, own = super().call(sides[0], return_state=True, training=training)
        z, other = self.backward.call(sides[1], return_state=True, training=training)
        logits = tf.stack([y, z], axis=2) if isinstance(inputs, Mapping) else self.combined([y, z])
        return (logits, (own, other)) if return_state else logits

    def combined(self, logits: Sequence[Tensor]) -> Tensor:
        """Return of the labels' logits `[B, S, classes]` of each reader those of the answer."""
        return logits[0] if len(logits) == 1 else better(*logits)

    def named_inputs(self, inputs: Any) -> dict[str, Any]:
        """Return inputs by name; with images alone, the places that the model looks at."""
        if self.backward is None or isinstance(inputs, Mapping):
            return super().named_inputs(inputs)
        places = [reader.follow(inputs).places for reader in self.readers()]
        return {"image": inputs, "places": tf.concat(places, axis=-1)}

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Return grey images, looked at in their middle."""
        inputs = super().example_inputs(batch_size, time)
        return {**inputs, "places": np.repeat(inputs["places"], len(self.readers()), axis=-1)}


def better(forward: Tensor, backward: Tensor) -> Tensor:
    """Return those logits of two readers whose likeliest labels have the better mean score.

    A score is the logarithm of a probability, and counts up to the end of a sequence, that
    included. The last class is the end.

    Args:
        forward: `[B, S, classes]`, of labels from left to right.
        backward: likewise, from right to left.

    Returns:
        `[B, S, classes]`, of labels from left to right.

    Example:
        >>> sure, unsure = [[0.0, 9.0, 0.0], [9.0, 0.0, 0.0]], [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
        >>> logits = better(tf.constant([sure, unsure]), tf.constant([unsure, sure]))
        >>> tf.argmax(logits, axis=-1).numpy().tolist()
        [[1, 0], [0, 1]]
    """
    scores, answers = [], []
    for logits in (forward, backward):
        likelihood = tf.nn.log_softmax(tf.cast(logits, tf.float32))
        likeliest = tf.argmax(logits, axis=-1, output_type=tf.int32)
        going_on = likeliest != logits.shape[-1] - 1
        inside = tf.math.cumprod(tf.cast(going_on, tf.float32), axis=1, exclusive=True)
        best = tf.reduce_max(likelihood, axis=-1)
        scores.append(tf.reduce_sum(best * inside, axis=1) / tf.reduce_sum(inside, axis=1))
        answers.append(likeliest)
    turned_back = turned(backward, answers[1] != backward.shape[-1] - 1)
    return tf.where((scores[0] >= scores[1])[:, None, None], forward, turned_back)


def turned(values: Tensor, going_on: Tensor) -> Tensor:
    """Return the values of a sequence's labels from the last to the first, its end where it was.

    Args:
        values: `[B, S, ...]`, one for each label.
        going_on: `[B, S]`, False for the end of a sequence.

    Example:
        >>> labels = tf.constant([[1, 2, 3, 9], [4, 5, 9, 9], [9, 9, 9, 9]])
        >>> turned(labels, labels != 9).numpy().tolist()
        [[3, 2, 1, 9], [5, 4, 9, 9], [9, 9, 9, 9]]
    """
    before = tf.math.cumprod(tf.cast(going_on, tf.int32), axis=1)
    length = tf.reduce_sum(before, axis=1, keepdims=True)
    places = tf.range(tf.shape(going_on)[1])[None]
    return tf.gather(values, tf.where(places < length, length - 1 - places, places), batch_dims=1)
