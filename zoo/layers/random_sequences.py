"""Sequences read a little differently each time, in training."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.layers.augmentation import Augmentation
from zoo.typing import Tensor


@keras.saving.register_keras_serializable("zoo")
class RandomPace(Augmentation):
    """Sequences cut, played at another speed, and unevenly, each differently; in training only.

    With strength s, a part of a sequence is kept, 1 - s of it or more, and read at e^-s to e^s
    times its speed, which swings by up to s around its mean. Between two steps vectors are
    interpolated linearly; of pictures the nearer is shown. A sequence that would get longer than
    the window ends with it.

    Args:
        strength: s, in 0..1, below 1; 0 does nothing.
        **kwargs: those of `keras.layers.Layer`: name, dtype.

    Raises:
        ValueError: the strength is outside of 0..1, or 1.

    Source: T. T. Um et al. 2017, arXiv:1706.00527: "time-warping", and "cropping".

    Example:
        >>> steps, lengths = tf.random.uniform([2, 8, 3]), tf.constant([8, 5])
        >>> same, _ = RandomPace(0.3)(steps, lengths)
        >>> other, ends = RandomPace(0.3)(steps, lengths, training=True)
        >>> bool(tf.reduce_all(same == steps)), other.shape, bool(tf.reduce_all(ends >= 1))
        (True, TensorShape([2, 8, 3]), True)
    """

    option = "pace"

    def call(
        self, steps: Tensor, lengths: Tensor, training: bool | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return `[B, T, ...]` of other lengths, and these `[B]`; rows of no steps stay so."""
        if not training or not self.strength:
            return steps, lengths
        rows, time = tf.unstack(tf.shape(steps)[:2])
        cut, begin, faster, swing = tf.unstack(self._uniform([4, rows]))
        last = tf.cast(lengths - 1, tf.float32)
        span = last * (1 - self.strength * (cut + 1) / 2)
        first = (last - span) * (begin + 1) / 2
        speed = tf.exp(self.strength * faster)
        ends = tf.minimum(tf.cast(span / speed, tf.int32) + 1, time)
        # One swing a sequence; its slope stays over -1, so that time never runs back.
        count = tf.cast(tf.maximum(ends, 1), tf.float32)[:, None]
        t = tf.range(time, dtype=tf.float32)[None]
        turn = 2 * math.pi * t / count
        t += self.strength * swing[:, None] * count * tf.sin(turn) / (2 * math.pi)
        places = first[:, None] + speed[:, None] * t
        places = tf.clip_by_value(places, 0, tf.maximum(last, 0)[:, None])
        return _at(steps, places), tf.where(lengths > 0, ends, 0)


@keras.saving.register_keras_serializable("zoo")
class RandomSignal(Augmentation):
    """Vectors scaled, shifted and with noise, each sequence differently; in training only.

    With strength s and features of deviation 1, a sequence is scaled by 1 - s / 3..1 + s / 3, each
    feature of it moved by up to s / 3, and each value by noise of deviation s / 6.

    Args:
        strength: s, in 0..1, below 1; 0 does nothing.
        **kwargs: those of `keras.layers.Layer`: name, dtype.

    Raises:
        ValueError: the strength is outside of 0..1, or 1.

    Source: T. T. Um et al. 2017, arXiv:1706.00527: "scaling" and "jittering".

    Example:
        >>> steps = tf.zeros([2, 8, 3])
        >>> RandomSignal(0.3)(steps, training=True).shape
        TensorShape([2, 8, 3])
    """

    def call(self, steps: Tensor, training: bool | None = None) -> Tensor:
        """`[B, T, D]` to the same shape."""
        if not training or not self.strength:
            return steps
        rows, _, features = tf.unstack(tf.shape(steps))
        scale = 1 + self.strength / 3 * self._uniform([rows, 1, 1])
        offset = self.strength / 3 * self._uniform([rows, 1, features])
        noise = keras.random.normal(
            tf.shape(steps), stddev=self.strength / 6, seed=self.seed_generator
        )
        return steps * tf.cast(scale, steps.dtype) + tf.cast(offset + noise, steps.dtype)


@keras.saving.register_keras_serializable("zoo")
class RandomBody(Augmentation):
    """Bodies turned about the vertical, and half of them mirrored, in training only.

    With strength s, each sequence is turned by another angle, up to s times half a turn to either
    side. A joint's first coordinate goes across, the second up, the third, if there is one,
    forward; those of two are not turned.

    Args:
        strength: s, in 0..1, below 1; 0 turns nothing.
        coordinates: of a joint, 2 or 3.
        other_sides: for each joint the one on the other side, or itself; empty to mirror nothing.
        **kwargs: those of `keras.layers.Layer`: name, dtype.

    Raises:
        ValueError: the strength is outside of 0..1, or 1.

    Example:
        >>> bodies = tf.random.normal([2, 4, 15])
        >>> turned = RandomBody(0.9, other_sides=[0, 2, 1, 4, 3])(bodies, training=True)
        >>> size = lambda x: tf.norm(tf.reshape(x, [2, 4, 15]), axis=-1)
        >>> bool(tf.reduce_all(tf.abs(size(turned) - size(bodies)) < 1e-5))
        True
    """

    def __init__(
        self, strength: float, coordinates: int = 3, other_sides: Sequence[int] = (), **kwargs: Any
    ) -> None:
        super().__init__(strength, **kwargs)
        self.coordinates, self.other_sides = coordinates, tuple(other_sides)

    def call(self, steps: Tensor, training: bool | None = None) -> Tensor:
        """`[B, T, J * coordinates]` to the same shape; lengths and angles of bodies are kept."""
        if not training:
            return steps
        rows, time, features = tf.unstack(tf.shape(steps))
        bodies = tf.reshape(steps, [rows, time, features // self.coordinates, self.coordinates])
        side, angle = tf.unstack(self._uniform([2, rows, 1, 1]))
        if self.other_sides:
            signs = tf.constant([-1.0] + [1.0] * (self.coordinates - 1), steps.dtype)
            other = tf.gather(bodies, tf.constant(self.other_sides), axis=2) * signs
            bodies = tf.where(side[..., None] < 0, other, bodies)
        if self.strength and self.coordinates == 3:
            angle *= self.strength * math.pi
            cos, sin = (tf.cast(part, steps.dtype) for part in (tf.cos(angle), tf.sin(angle)))
            x, y, z = tf.unstack(bodies, axis=-1)
            bodies = tf.stack([cos * x - sin * z, y, sin * x + cos * z], axis=-1)
        return tf.reshape(bodies, tf.shape(steps))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "coordinates": self.coordinates,
            "other_sides": self.other_sides,
        }


@keras.saving.register_keras_serializable("zoo")
class RandomGaps(Augmentation):
    """Steps and features that are missing, others of each sequence; in training only.

    Each step but the first is missing with a chance of p, and shows what the last one before it
    did that is not, as a sensor that holds its value. Each feature is missing with the same chance,
    and is then 0 in all steps of the sequence; one of them is always there. Lengths, and what
    stands after the end, stay.

    Args:
        strength: p, in 0..1, below 1; 0 does nothing.
        together: how many features are missing together, one after the other, as the coordinates
            of a joint; 0 for none that ever is, as those of pictures.
        **kwargs: those of `keras.layers.Layer`: name, dtype.

    Raises:
        ValueError: the strength is outside of 0..1, or 1.

    Source: N. Neverova et al. 2014, arXiv:1501.00102: "ModDrop", of features where those are whole
    sensors.

    Example:
        >>> steps = tf.reshape(tf.range(1.0, 9), [1, 8, 1])
        >>> held = RandomGaps(0.99999)(steps, tf.constant([6]), training=True)
        >>> held.numpy().ravel().tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 7.0, 8.0]
    """

    option = "drop"

    def __init__(self, strength: float, together: int = 1, **kwargs: Any) -> None:
        super().__init__(strength, **kwargs)
        self.together = together

    def call(self, steps: Tensor, lengths: Tensor, training: bool | None = None) -> Tensor:
        """`[B, T, ...]` of lengths `[B]` to the same shape; `[B, T, D]` where features miss."""
        if not training or not self.strength:
            return steps
        rows, time = tf.unstack(tf.shape(steps)[:2])
        place = tf.range(time)[None]
        there = self._there(self._uniform([rows, time]))
        there |= (place == 0) | (place >= tf.cast(lengths, tf.int32)[:, None])
        # The first place up to which as many steps are there is that of the last one of them.
        count = tf.cumsum(tf.cast(there, tf.int32), axis=1)
        steps = tf.gather(steps, tf.searchsorted(count, count), batch_dims=1)
        if not self.together:
            return steps
        drawn = self._uniform([rows, 1, tf.shape(steps)[2] // self.together])
        there = self._there(drawn) | (drawn == tf.reduce_max(drawn, axis=-1, keepdims=True))
        return steps * tf.repeat(tf.cast(there, steps.dtype), self.together, axis=-1)

    def _there(self, drawn: Tensor) -> Tensor:
        """Return which are there, of numbers drawn between -1 and 1."""
        return drawn >= 2 * self.strength - 1

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "together": self.together}


def _at(steps: Tensor, places: Tensor) -> Tensor:
    """Return what `[B, T, ...]` would be at places `[B, S]` between 0 and T - 1."""
    if len(steps.shape) > 3:
        return tf.gather(steps, tf.cast(tf.round(places), tf.int32), batch_dims=1)
    before = tf.floor(places)
    share = tf.cast(places - before, steps.dtype)[..., None]
    at = tf.cast(before, tf.int32)
    after = tf.gather(steps, tf.minimum(at + 1, tf.shape(steps)[1] - 1), batch_dims=1)
    return (1 - share) * tf.gather(steps, at, batch_dims=1) + share * after
