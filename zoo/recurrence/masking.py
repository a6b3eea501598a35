"""Where the rows of a batch start and end."""

from typing import Any, NamedTuple

import tensorflow as tf


class Flags(NamedTuple):
    """Where rows start and end, time-major, and the state that a start begins with.

    Attributes:
        valid: `[T, B]`, false where a row has ended; or None.
        resets: `[T, B]`, true where a row starts a new sequence; or None.
        fresh: the parts of the state that a new sequence starts from, each `[B, ...]`.
    """

    valid: Any
    resets: Any
    fresh: list[Any]

    def rows(self, sizes: list[int]) -> list["Flags"]:
        """Those of the first rows, the next ones, and so on."""
        fresh = [tf.split(part, sizes) for part in self.fresh]
        flags = (_split(flag, sizes, 1) for flag in (self.valid, self.resets))
        return [Flags(v, r, list(f)) for v, r, *f in zip(*flags, *fresh)]

    def steps(self, sizes: list[int]) -> list["Flags"]:
        """Those of the first time steps, the next ones, and so on."""
        flags = (_split(flag, sizes, 0) for flag in (self.valid, self.resets))
        return [Flags(v, r, self.fresh) for v, r in zip(*flags)]

    def start(self, t: Any, state: list[Any]) -> list[Any]:
        """The state before step t: fresh where a row starts a new sequence."""
        return state if self.resets is None else where(self.resets[t], self.fresh, state)

    def end(self, t: Any, old: list[Any], y: Any, new: list[Any]) -> tuple[Any, list[Any]]:
        """Output and state after step t: zero, and the old state, where a row has ended."""
        if self.valid is None:
            return y, new
        return where(self.valid[t], y, tf.zeros_like(y)), where(self.valid[t], new, old)

    def end_gradient(self, t: Any, dy: Any, dnew: list[Any]) -> tuple[Any, list[Any], Any]:
        """Gradients that reach the step's own output and state, and those that pass it by."""
        if self.valid is None:
            return dy, dnew, None
        zero = tf.nest.map_structure(tf.zeros_like, dnew)
        valid = self.valid[t]
        return (
            where(valid, dy, tf.zeros_like(dy)),
            where(valid, dnew, zero),
            where(valid, zero, dnew),
        )

    def start_gradient(self, t: Any, dstate: list[Any]) -> tuple[list[Any], Any]:
        """The gradients that cross the start of step t, and that reach the fresh state there."""
        if self.resets is None:
            return dstate, None
        zero = tf.nest.map_structure(tf.zeros_like, dstate)
        return where(self.resets[t], zero, dstate), where(self.resets[t], dstate, zero)


def _split(flag: Any, sizes: list[int], axis: int) -> list[Any]:
    return [None] * len(sizes) if flag is None else tf.split(flag, sizes, axis=axis)


def where(rows: Any, yes: Any, no: Any) -> Any:
    """Choose by `rows`, `[B]` or `[T, B]`, in every part of a nested value."""

    def choose(yes: Any, no: Any) -> Any:
        chosen = rows
        for _ in range(len(no.shape) - len(rows.shape)):
            chosen = chosen[..., None]
        return tf.where(chosen, yes, no)

    return tf.nest.map_structure(choose, yes, no)
