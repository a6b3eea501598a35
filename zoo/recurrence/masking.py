"""Where the rows of a batch start and end."""

from typing import NamedTuple

import keras
import tensorflow as tf

from zoo.typing import Tensor
from zoo.utils.keras_internals import mask_of, release_with_graph


class StepMasks(NamedTuple):
    """Where rows start and end, time-major, and the state that a start begins with.

    Attributes:
        valid: `[T, B]`, false where a row has ended; or None.
        resets: `[T, B]`, true where a row starts a new sequence; or None.
        fresh: the parts of the state that a new sequence starts from, each `[B, ...]`.
    """

    valid: Tensor
    resets: Tensor
    fresh: list[Tensor]

    def rows(self, sizes: list[int]) -> list["StepMasks"]:
        """Return the masks of the first `sizes[0]` rows, the next `sizes[1]`, and so on."""
        fresh = [tf.split(part, sizes) for part in self.fresh]
        masks = (_split(mask, sizes, 1) for mask in (self.valid, self.resets))
        return [StepMasks(v, r, list(f)) for v, r, *f in zip(*masks, *fresh)]

    def steps(self, sizes: list[int]) -> list["StepMasks"]:
        """Return the masks of the first `sizes[0]` time steps, the next `sizes[1]`, and so on."""
        masks = (_split(mask, sizes, 0) for mask in (self.valid, self.resets))
        return [StepMasks(v, r, self.fresh) for v, r in zip(*masks)]

    def start(self, t: Tensor, state: list[Tensor]) -> list[Tensor]:
        """Return the state before step t: fresh where a row starts a new sequence."""
        return state if self.resets is None else where(self.resets[t], self.fresh, state)

    def end(
        self, t: Tensor, old: list[Tensor], y: Tensor, new: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Return output and state after step t: zero, and the old state, where a row has ended."""
        if self.valid is None:
            return y, new
        return where(self.valid[t], y, tf.zeros_like(y)), where(self.valid[t], new, old)

    def end_gradient(
        self, t: Tensor, dy: Tensor, dnew: list[Tensor]
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        """Return the gradients of the step's own output and state, and those that pass it by."""
        if self.valid is None:
            return dy, dnew, None
        zero = tf.nest.map_structure(tf.zeros_like, dnew)
        valid = self.valid[t]
        return (
            where(valid, dy, tf.zeros_like(dy)),
            where(valid, dnew, zero),
            where(valid, zero, dnew),
        )

    def start_gradient(self, t: Tensor, dstate: list[Tensor]) -> tuple[list[Tensor], Tensor]:
        """Return the gradients of the state before step t, and of the fresh state there."""
        if self.resets is None:
            return dstate, None
        zero = tf.nest.map_structure(tf.zeros_like, dstate)
        return where(self.resets[t], zero, dstate), where(self.resets[t], dstate, zero)


class PackedSteps(NamedTuple):
    """Rows of which some steps are left out, the others moved to the front of each row.

    Attributes:
        order: `[B, T]`, the step that stands at each place.
        places: `[B, T]`, the place at which each step stands.
        lengths: `[B]`, how many steps each row has left.
        resets: `[B, T]`, true where a row starts a new sequence; or None.
    """

    order: Tensor
    places: Tensor
    lengths: Tensor
    resets: Tensor

    @classmethod
    def of(cls, mask: Tensor, resets: Tensor) -> "PackedSteps":
        """Pack the steps where `mask` `[B, T]` is true.

        Args:
            mask: booleans.
            resets: `[B, T]` booleans or None. Where the step of one is left out, it passes to the
                next that is not.
        """
        ones = tf.cast(mask, tf.int32)
        lengths = tf.reduce_sum(ones, axis=1)
        left_out = lengths[:, None] + tf.cumsum(1 - ones, axis=1)
        places = tf.where(mask, tf.cumsum(ones, axis=1), left_out) - 1
        order = tf.argsort(places, axis=1)
        if resets is not None:
            number = tf.cumsum(tf.cast(resets, tf.int32), axis=1)
            number = tf.gather(number, order, batch_dims=1)
            resets = number > tf.pad(number[:, :-1], [[0, 0], [1, 0]])
        return cls(order, places, lengths, resets)

    def pack(self, x: Tensor) -> Tensor:
        """Move the steps of `[B, T, ...]` to their places."""
        return _moved(x, self.order, self.places)

    def unpack(self, y: Tensor) -> Tensor:
        """Move the steps of `[B, T, ...]` back to where they came from."""
        return _moved(y, self.places, self.order)


def refuse_mask(layer: keras.layers.Layer, inputs: Tensor) -> None:
    """Raise if inputs carry a mask, which the layer would drop.

    Raises:
        ValueError: they do.
    """
    if mask_of(inputs) is not None:
        raise ValueError(
            f"the inputs of {layer.name} carry a mask, which {type(layer).__name__} does not take; "
            "pass lengths where it has them, or make the layer before without a mask"
        )


def _moved(x: Tensor, there: Tensor, back: Tensor) -> Tensor:
    """Take the steps `there` `[B, T]` of `[B, T, ...]`, of which `back` is the inverse.

    A gather's own gradient adds up, where here each step has one source: it takes three times as
    long as the way back.
    """

    @tf.custom_gradient
    def move(x: Tensor) -> Tensor:
        return tf.gather(x, there, batch_dims=1), lambda dy: _moved(dy, back, there)

    return release_with_graph(move(x))


def _split(mask: Tensor, sizes: list[int], axis: int) -> list[Tensor]:
    return [None] * len(sizes) if mask is None else tf.split(mask, sizes, axis=axis)


def where(rows: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """Choose by `rows`, `[B]` or `[T, B]`, in every part of a nested value."""

    def choose(yes: Tensor, no: Tensor) -> Tensor:
        chosen = rows
        for _ in range(len(no.shape) - len(rows.shape)):
            chosen = chosen[..., None]
        return tf.where(chosen, yes, no)

    return tf.nest.map_structure(choose, yes, no)
