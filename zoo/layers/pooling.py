"""One vector from the outputs at all time steps, updated as the steps come."""

from typing import Any, NamedTuple

import keras
from keras import ops

from zoo.typing import Shape, State, Tensor

_NEVER = -1e9
"""Less than any energy or output; finite, so that a row without a step gives numbers."""


class Last(NamedTuple):
    """The last output `[B, H]`, and whether there was one, 0 or 1 `[B, 1]`."""

    y: Tensor
    seen: Tensor


class Mean(NamedTuple):
    """The sum of the outputs `[B, H]`, and their number `[B, 1]`."""

    total: Tensor
    count: Tensor


class Attended(NamedTuple):
    """A weighted sum `[B, H]` and the weights' own `[B, 1]`, over exp of the highest `[B, 1]`."""

    total: Tensor
    weight: Tensor
    highest: Tensor


class Pooling(keras.layers.Layer):
    """Outputs `[B, T, H]`, of which those count that `[B, T]` marks, to one vector `[B, H]`.

    What steps up to any time come to is a small state, float32: `of` gives that of some steps,
    `join` that of one stretch of time and the next, and `read` the vector, zero of no step. So a
    sequence in one piece, in several, or step by step gives the same.

    Args:
        size: H.
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def initial_state(self, batch_size: int | Tensor) -> State:
        """The state before any step."""
        raise NotImplementedError

    def of(self, y: Tensor, mask: Tensor) -> State:
        """The state after outputs `[B, T, H]` alone, of those where `mask` `[B, T]` is true."""
        raise NotImplementedError

    def join(self, first: State, second: State) -> State:
        """The state after one stretch of time and the next."""
        raise NotImplementedError

    def read(self, state: State) -> Tensor:
        """The vector `[B, H]`, float32."""
        raise NotImplementedError

    def _nothing(self, batch_size: int | Tensor) -> tuple[Tensor, Tensor]:
        return ops.zeros((batch_size, self.size), "float32"), ops.zeros((batch_size, 1), "float32")


class LastPooling(Pooling):
    """The last output that counts.

    Args:
        size: H.
        backwards: how many entries, the last ones of H, come from a recurrence that ran backwards;
            of them it is the first output, which is made last.
    """

    def __init__(self, size: int, backwards: int = 0, **kwargs: Any) -> None:
        super().__init__(size, **kwargs)
        self.backwards = backwards

    def initial_state(self, batch_size: int | Tensor) -> Last:
        """None yet."""
        return Last(*self._nothing(batch_size))

    def of(self, y: Tensor, mask: Tensor) -> Last:
        """The last one."""
        y, mask = ops.cast(y, "float32"), ops.cast(mask, "int32")
        last = ops.shape(mask)[1] - 1 - ops.argmax(ops.flip(mask, axis=1), axis=1)
        forwards = self.size - self.backwards
        output = ops.concatenate(
            [_at(y, last)[:, :forwards], _at(y, ops.argmax(mask, axis=1))[:, forwards:]], axis=1
        )
        seen = ops.cast(ops.max(mask, axis=1, keepdims=True), "float32")
        return Last(output * seen, seen)

    def join(self, first: Last, second: Last) -> Last:
        """The later one, if there is one."""
        earlier = (1 - second.seen) * first.y
        return Last(second.y + earlier, ops.maximum(first.seen, second.seen))

    def read(self, state: Last) -> Tensor:
        """The output."""
        return state.y


class MeanPooling(Pooling):
    """The mean of the outputs that count.

    Example:
        >>> pool = MeanPooling(1)
        >>> y = ops.reshape(ops.array([1.0, 3.0, 8.0]), (1, 3, 1))
        >>> pool.read(pool.of(y, ops.array([[True, True, False]]))).numpy().tolist()
        [[2.0]]
    """

    def initial_state(self, batch_size: int | Tensor) -> Mean:
        """Nothing, of no step."""
        return Mean(*self._nothing(batch_size))

    def of(self, y: Tensor, mask: Tensor) -> Mean:
        """Sum and number."""
        counted = ops.cast(mask, "float32")[..., None]
        return Mean(ops.sum(ops.cast(y, "float32") * counted, axis=1), ops.sum(counted, axis=1))

    def join(self, first: Mean, second: Mean) -> Mean:
        """Both added."""
        return Mean(first.total + second.total, first.count + second.count)

    def read(self, state: Mean) -> Tensor:
        """The sum over the number."""
        return state.total / ops.maximum(state.count, 1)


class MaxPooling(Pooling):
    """The largest of the outputs that count, of each entry by itself."""

    def initial_state(self, batch_size: int | Tensor) -> State:
        """Less than any output."""
        return ops.full((batch_size, self.size), _NEVER, "float32")

    def of(self, y: Tensor, mask: Tensor) -> State:
        """The largest."""
        return ops.max(ops.where(mask[..., None], ops.cast(y, "float32"), _NEVER), axis=1)

    def join(self, first: State, second: State) -> State:
        """The larger."""
        return ops.maximum(first, second)

    def read(self, state: State) -> Tensor:
        """The state, unless no step came."""
        return ops.where(state > _NEVER, state, 0)


class AttentionPooling(Pooling):
    """Σ_t α_t y_t, α = softmax over the steps that count of e_t = v · tanh(W y_t + b).

    Kept up by the sums of exp(e_t - m) y_t and of exp(e_t - m), m the highest energy so far
    (Milakov and Gimelshein 2018, arXiv:1805.02867).

    Args:
        size: H, also that of W y_t.

    Example:
        >>> pool = AttentionPooling(4)
        >>> y, mask = ops.ones((2, 3, 4)), ops.array([[True] * 3, [True, True, False]])
        >>> pool.shares(y, mask).numpy().round(2).tolist()
        [[0.33000001311302185, 0.33000001311302185, 0.33000001311302185], [0.5, 0.5, 0.0]]

    Source: Z. Yang et al., "Hierarchical attention networks for document classification", NAACL
    2016, equations 5 to 7.
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(size, **kwargs)
        self.inner = keras.layers.Dense(size, activation="tanh")
        # A bias here would move all energies alike.
        self.outer = keras.layers.Dense(1, use_bias=False)

    def build(self, input_shape: Shape) -> None:
        """Make W, b and v."""
        self.inner.build((None, self.size))
        self.outer.build((None, self.size))

    def initial_state(self, batch_size: int | Tensor) -> Attended:
        """Nothing, of no step."""
        nothing, weight = self._nothing(batch_size)
        return Attended(nothing, weight, weight + _NEVER)

    def of(self, y: Tensor, mask: Tensor) -> Attended:
        """Both sums, and the highest energy."""
        parts, highest = self._parts(y, mask)
        total = ops.sum(parts[..., None] * ops.cast(y, "float32"), axis=1)
        return Attended(total, ops.sum(parts, axis=1, keepdims=True), highest)

    def join(self, first: Attended, second: Attended) -> Attended:
        """Both sums over exp of the higher of the two, added."""
        highest = ops.maximum(first.highest, second.highest)
        a, b = (ops.exp(part.highest - highest) for part in (first, second))
        return Attended(
            a * first.total + b * second.total, a * first.weight + b * second.weight, highest
        )

    def read(self, state: Attended) -> Tensor:
        """The weighted mean."""
        return state.total / ops.where(state.weight > 0, state.weight, 1)

    def shares(self, y: Tensor, mask: Tensor) -> Tensor:
        """α `[B, T]`: rows sum to 1, and are 0 where `mask` `[B, T]` is false."""
        parts, _ = self._parts(y, mask)
        total = ops.sum(parts, axis=1, keepdims=True)
        return parts / ops.where(total > 0, total, 1)

    def _parts(self, y: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """exp(e_t - m) `[B, T]`, and m `[B, 1]`."""
        energies = ops.cast(self.outer(self.inner(y))[..., 0], "float32")
        energies = ops.where(mask, energies, _NEVER)
        highest = ops.max(energies, axis=1, keepdims=True)
        return ops.exp(energies - highest) * ops.cast(mask, "float32"), highest


_KINDS = {
    "last": LastPooling,
    "mean": MeanPooling,
    "max": MaxPooling,
    "attention": AttentionPooling,
}


def pooling(kind: str, size: int, backwards: int = 0) -> Pooling:
    """A pooling by its name, built.

    Args:
        kind: "last", "mean", "max" or "attention".
        size: of the outputs.
        backwards: as in `LastPooling`.

    Raises:
        ValueError: the kind is none of these.

    Example:
        >>> pooling("max", 8).initial_state(2).shape
        TensorShape([2, 8])
    """
    if kind not in _KINDS:
        raise ValueError(f"pooling is {kind!r}, but {', '.join(_KINDS)} is needed")
    layer = LastPooling(size, backwards) if kind == "last" else _KINDS[kind](size)
    layer.build(None)
    return layer


def _at(y: Tensor, place: Tensor) -> Tensor:
    """`y[b, place[b]]`."""
    return ops.take_along_axis(y, ops.cast(place, "int32")[:, None, None], axis=1)[:, 0]
