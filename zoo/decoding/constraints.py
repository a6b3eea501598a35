"""Which token may come next."""

import tensorflow as tf

from zoo.typing import Tensor

NEVER = -float("inf")


class Constraints:
    """What a sequence must begin with, and what it must not hold.

    Args:
        max_length: T, tokens of the longest sequence, int.
        end: the token after which a row stops; None for none.
        banned: tokens never to generate.
        min_length: tokens before which no end comes, int.
        no_repeat_ngram: a run of so many tokens comes once in a row at most, int; 0 for any
            number of times (Paulus et al. 2017, arXiv:1705.04304, with 3).
        repeatable: tokens that make a run no repetition, such as `<unk>`, which stands for many.
        prefix: tokens `[N, P]` to begin with, right-padded with 0; whatever else is asked for,
            they come. None for none.

    Example:
        >>> rules = Constraints(4, end=1, banned=(0,), min_length=2)
        >>> rules.allowed(tf.zeros([1, 3]), tf.constant(0), rules.history(1)).numpy().tolist()
        [[-inf, -inf, 0.0]]
    """

    def __init__(
        self,
        max_length: int | Tensor,
        end: Tensor = None,
        banned: tuple[int, ...] = (),
        min_length: int | Tensor = 0,
        no_repeat_ngram: int | Tensor = 0,
        prefix: Tensor = None,
        repeatable: tuple[int, ...] = (),
    ) -> None:
        self.max_length, self.end, self.banned = max_length, end, tuple(banned)
        self.min_length, self.ngram = min_length, no_repeat_ngram
        self.repeatable = tuple(repeatable)
        # A tensor is not known to be 0.
        self.looks_back = not (isinstance(no_repeat_ngram, int) and no_repeat_ngram == 0)
        self.prefix = None
        if prefix is not None:
            prefix = tf.cast(prefix, tf.int32)
            missing = tf.maximum(max_length - tf.shape(prefix)[1], 0)
            self.prefix = tf.pad(prefix, [[0, 0], [0, missing]])

    def history(self, rows: Tensor) -> Tensor:
        """What `note` writes to and `allowed` reads: `[N, T]`, or nothing where it is not read."""
        return tf.zeros([rows, self.max_length if self.looks_back else 0], tf.int32)

    def note(self, history: Tensor, t: Tensor, tokens: Tensor) -> Tensor:
        """The history with the tokens `[N]` of step t."""
        if not self.looks_back:
            return history
        return tf.where(tf.range(self.max_length) == t, tokens[:, None], history)

    def allowed(self, logits: Tensor, t: Tensor, history: Tensor) -> Tensor:
        """Logits `[N, V]`, float32, with -inf for what must not come at step t."""
        size = logits.shape[-1]
        never = tf.reduce_any(tf.one_hot(self.banned, size, True, False), axis=0)
        if early := self._may_be_early():
            never |= (tf.range(size) == self.end) & (t < self.min_length)
        if self.banned or early:
            logits = tf.where(never, NEVER, logits)
        return self._without_repeats(logits, t, history) if self.looks_back else logits

    def forced(self, t: Tensor) -> Tensor:
        """Tokens `[N]` that come at step t, 0 where any may; None if that is so everywhere."""
        return None if self.prefix is None else self.prefix[:, t]

    def _may_be_early(self) -> bool:
        unlimited = isinstance(self.min_length, int) and self.min_length <= 0
        return self.end is not None and not unlimited

    def _without_repeats(self, logits: Tensor, t: Tensor, history: Tensor) -> Tensor:
        back, place = tf.range(1, self.ngram), tf.range(self.max_length)
        # Whether the tokens before each place are those before the next one: [N, T].
        before = tf.gather(history, tf.maximum(place[:, None] - back, 0), axis=1)
        newest = tf.gather(history, tf.maximum(t - back, 0), axis=1)[:, None]
        again = tf.reduce_all(before == newest, axis=-1) & (self.ngram > 0)
        again &= (place >= self.ngram - 1) & (place < t)
        for token in self.repeatable:
            again &= tf.reduce_all(before != token, axis=-1) & (history != token)
        rows = tf.broadcast_to(tf.range(tf.shape(history)[0])[:, None], tf.shape(history))
        limit = tf.where(again, NEVER, -NEVER)
        return tf.tensor_scatter_nd_min(logits, tf.stack([rows, history], axis=-1), limit)
