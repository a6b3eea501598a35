"""What short runs of tokens say by themselves: a linear model beside a recurrent one."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from zoo.layers.reading import marks, start_marks
from zoo.typing import Tensor

BUCKETS = 65_521
"""A prime, so that hashes spread; with `_FACTOR` and any token they stay below 2^31."""

_FACTOR = 31_337
_LARGEST = 2**20
"""Numbers in the table at most, 4 MB: of many classes there are fewer buckets."""

_RATE = 10.0
"""How much faster the table learns than other weights do. Adam moves each of its entries as far as
any other weight, but a text is told by the sum of a few of them."""

_NOTHING, _EDGE, _FIRST = range(3)
"""Numbers of what is before a text's start, of the start or end itself, and of the first token."""


class NgramState(NamedTuple):
    """The last tokens `[B, longest - 1]`, and the sum `[B, size]` of `[B, 1]` n-grams."""

    last: Tensor
    total: Tensor
    count: Tensor


@keras.saving.register_keras_serializable("zoo")
class NgramSum(keras.layers.Layer):
    """s = 10 (sum of v(g) over all n-grams g) / sqrt(their number): tokens to one vector.

    N-grams are runs of 1 to `longest` tokens; the start and the end of a text are tokens, too, so
    that `s` is at any time what it would be if the text ended there. The vectors are found by a
    hash, zero at first, and of those n-grams that share one, the same.

    With the vector added to its logits, a recurrent classifier is as good a linear model of n-grams
    besides, which is what few texts are told by best.

    Args:
        size: of the vector.
        longest: tokens of the longest n-gram, at least 1.
        **kwargs: those of `keras.layers.Layer`: name, dtype.

    Raises:
        ValueError: `longest` is below 1.

    Example:
        >>> counted = NgramSum(2, longest=2)
        >>> _ = counted.table.assign(keras.ops.ones_like(counted.table))
        >>> vector, _ = counted(keras.ops.array([[5, 6, 7, 8]]))
        >>> vector.numpy().tolist()  # 10 · 9 / √9: a, b, c, d, ^a, ab, bc, cd, d$
        [[30.0, 30.0]]

    Source: A. Joulin et al. 2016, arXiv:1607.01759 (a linear model of hashed n-grams); H.-T. Cheng
    et al. 2016, arXiv:1606.07792 (beside a deep one).
    """

    def __init__(self, size: int, longest: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if longest < 1:
            raise ValueError(f"longest is {longest}, but n-grams have at least one token")
        self.size, self.longest = size, longest
        self.buckets = min(BUCKETS, max(1, _LARGEST // size))
        self.table = self.add_weight(
            shape=(self.buckets, size),
            initializer="zeros",
            dtype="float32",
            autocast=False,
            name="table",
        )
        self.built = True

    def initial_state(self, batch_size: int | Tensor) -> NgramState:
        """Return the state before a text: its start."""
        before = [_NOTHING] * (self.longest - 2) + [_EDGE]
        last = ops.array([before[: self.longest - 1]], "int32")
        return NgramState(
            ops.tile(last, (batch_size, 1)),
            ops.zeros((batch_size, self.size), "float32"),
            ops.zeros((batch_size, 1), "float32"),
        )

    def call(
        self,
        tokens: Tensor,
        state: NgramState | None = None,
        lengths: Tensor = None,
        reset: Tensor = None,
    ) -> tuple[Tensor, NgramState]:
        """Return the vector `[B, size]` of what each row has read of its text, and the new state.

        Args:
            tokens: `[B, T]`, 0 or more.
            state: as `initial_state` gives it; None for the start of a text.
            lengths: `[B]`, 0..T; None for T.
            reset: `[B]` or `[B, T]`, true where a row starts a new text.
        """
        batch, time = ops.shape(tokens)[0], ops.shape(tokens)[1]
        before, width = state or self.initial_state(batch), self.longest - 1
        read = marks(lengths, batch, time)
        starts = ops.cast(read & start_marks(reset, batch, time), "int32")
        texts = ops.cumsum(starts, axis=1)
        along = ops.concatenate([before.last, ops.cast(tokens, "int32") + _FIRST], axis=1)
        of_text = ops.concatenate([ops.zeros((batch, width), "int32"), texts], axis=1)
        own = _of_text(along, of_text, texts, range(width, -1, -1), time)
        latest = ops.sum(starts, axis=1, keepdims=True)
        counted = ops.cast(read & (texts == latest), "float32")[..., None]
        vectors, counts = self._vectors(own)
        earlier = ops.cast(latest == 0, "float32")
        total = before.total * earlier + ops.sum(vectors * counted, axis=1)
        count = before.count * earlier + ops.sum(counts * counted, axis=1)
        if width:
            ends = ops.sum(ops.cast(read, "int32"), axis=1, keepdims=True)
            places = ends + ops.arange(width)[None]
            along = ops.take_along_axis(along, places, axis=1)
            of_text = ops.take_along_axis(of_text, places, axis=1)
            along = ops.concatenate(_of_text(along, of_text, latest, range(width), 1), axis=1)
        state = NgramState(along[:, :width], total, count)
        return self._read(state), state

    def step(self, x_t: Tensor, state: NgramState) -> tuple[Tensor, NgramState]:
        """Run one token `[B]`: the vector of all that was read so far, and the new state."""
        newest = ops.cast(x_t, "int32")[:, None] + _FIRST
        along = ops.concatenate([state.last, newest], axis=1)
        vectors, counts = self._vectors(_newest_first(along))
        state = NgramState(along[:, 1:], state.total + vectors, state.count + counts)
        return self._read(state), state

    def _read(self, state: NgramState) -> Tensor:
        """Return the vector of a text that ends here."""
        edge = ops.full_like(state.count, _EDGE, dtype="int32")
        vectors, counts = self._vectors(
            _newest_first(ops.concatenate([state.last, edge], axis=1)), shortest=2
        )
        count = ops.maximum(state.count + counts, 1.0)
        vector = _RATE * (state.total + vectors) / ops.sqrt(count)
        return ops.cast(vector, self.compute_dtype)

    def _vectors(self, tokens: Sequence[Tensor], shortest: int = 1) -> tuple[Tensor, Tensor]:
        """Return the sum `[..., size]` of the n-grams that end at a token, and how many these are.

        Args:
            tokens: the token itself `[...]`, the one before it, and so on.
            shortest: tokens of the shortest n-gram.
        """
        key, total = ops.zeros_like(tokens[0]), 0.0
        count = ops.zeros_like(tokens[0][..., None], dtype="float32")
        for size, token in enumerate(tokens, start=1):
            key = (key * _FACTOR + token + size) % BUCKETS
            if size < shortest:
                continue
            there = ops.cast(token != _NOTHING, "float32")[..., None]
            total += ops.take(self.table, key % self.buckets, axis=0) * there
            count += there
        return ops.zeros_like(count) + total, count

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "size": self.size, "longest": self.longest}


def _newest_first(along: Tensor) -> list[Tensor]:
    """Return the columns of `[B, N]`, the last one first."""
    return [along[:, place] for place in reversed(range(along.shape[1]))]


def _of_text(
    along: Tensor, of_text: Tensor, texts: Tensor, places: Iterable[int], time: Tensor
) -> list[Tensor]:
    """Return tokens from each place on, as a text sees them that may have started after them.

    Args:
        along: tokens `[B, N]`.
        of_text: which text each is of, `[B, N]`.
        texts: which text it is that sees them, `[B, time]`.
        places: of the first.
        time: how many.
    """
    following = ops.concatenate([of_text[:, 1:], of_text[:, -1:]], axis=1)
    seen = []
    for place in places:
        along_here, of_text_here, following_here = (
            part[:, place : place + time] for part in (along, of_text, following)
        )
        outside = ops.where(following_here == texts, _EDGE, _NOTHING)
        seen.append(ops.where(of_text_here == texts, along_here, outside))
    return seen
