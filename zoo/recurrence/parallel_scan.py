"""Linear recurrences for all time steps in parallel."""

import math
from typing import Any

import tensorflow as tf

from zoo.recurrence.backprop import Kept, Sequence, Weights, loop, swap
from zoo.recurrence.masking import Flags, where


class LinearSequence(Sequence):
    """A linear cell over `[B, T, D]`; of its loop, forward and backward are a scan."""

    def forward(self, x: Any, start: list[Any], flags: Flags, weights: Weights) -> tuple:
        """Outputs `[B, T, H]`, the final state, and the states in the cell's coordinates."""
        z = self._project(swap(x), weights)
        joined, passed = self._joined(z, start, flags, weights)
        h = _scan(*self._coefficients(joined, start, flags, weights))
        y, final = self._outputs(joined, h, flags, weights)
        return swap(y), [final, *passed], Kept(z if self.remember else None, [], [h])

    def backward(
        self,
        x: Any,
        start: list[Any],
        flags: Flags,
        weights: Weights,
        y: Any,
        kept: Kept,
        dy: Any,
        dfinal: list[Any],
    ) -> tuple[Any, list[Any], list[Any], Weights]:
        """Gradients of the inputs, of the states started from, and of the weights."""
        x, dy, (h,) = swap(x), swap(dy), kept.states
        z = kept.z if self.remember else self._project(x, weights)
        inner = (start, flags.fresh, weights)
        sources = [z, *tf.nest.flatten(inner)]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([*sources, h])
            joined, passed = self._joined(z, start, flags, weights)
            a, b = self._coefficients(joined, start, flags, weights)
            y, final = self._outputs(joined, h, flags, weights)
        dh = tape.gradient([y, final], h, [dy, dfinal[0]])
        dz, *gradients = tape.gradient(
            [y, a, b, *passed],
            sources,
            [dy, *_scan_gradient(a, h, dh), *dfinal[1:]],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        dstart, dfresh, dpointwise = tf.nest.pack_sequence_as(inner, gradients)
        dx, dweights = self._prepare_gradient(x, weights, dz, self._recurrent(weights))
        for n in self.pointwise:
            dweights.all[n] += dpointwise.all[n]
        return swap(dx), dstart, dfresh, dweights

    def _joined(self, z: Any, start: list[Any], flags: Flags, weights: Weights) -> tuple:
        """Joined projections `[T, B, ...]`, and what the last step of each row passes on."""
        with self._reading(weights):
            passed = self.cell.passed(z)
            before = [
                tf.concat([first[None], steps], axis=0) for first, steps in zip(start[1:], passed)
            ]
            given = [steps[:-1] for steps in before]
            if flags.resets is not None:
                given = where(flags.resets, flags.fresh[1:], given)
            joined = self.cell.joined(z, *given)
        if flags.valid is None:
            return joined, [steps[-1] for steps in before]
        lengths = tf.reduce_sum(tf.cast(flags.valid, tf.int32), axis=0)
        return joined, [tf.gather(swap(steps), lengths, batch_dims=1) for steps in before]

    def _coefficients(self, z: Any, start: list[Any], flags: Flags, weights: Weights) -> tuple:
        """a and b, `[T, B, N]`, of a scan that starts from zero."""
        with self._reading(weights):
            a, b = self.cell.coefficients(z)
            before, fresh = (self.cell.coordinates(part[0]) for part in (start, flags.fresh))
        if flags.resets is not None:
            resets = flags.resets[:, :, None]
            b = tf.where(resets, a * fresh + b, b)
            a = tf.where(resets, tf.zeros_like(a), a)
        if flags.valid is not None:
            valid = flags.valid[:, :, None]
            a = tf.where(valid, a, tf.ones_like(a))
            b = tf.where(valid, b, tf.zeros_like(b))
        return a, tf.concat([b[:1] + a[:1] * before, b[1:]], axis=0)

    def _outputs(self, z: Any, h: Any, flags: Flags, weights: Weights) -> tuple[Any, Any]:
        """Outputs `[T, B, H]` and the final state."""
        with self._reading(weights):
            state = self.cell.from_coordinates(h)
            y = self.cell.output(z, state)
        if flags.valid is not None:
            y = where(flags.valid, y, tf.zeros_like(y))
        return y, state[-1]


@tf.custom_gradient
def linear_scan(a: Any, b: Any) -> Any:
    """h_t = a_t h_(t-1) + b_t for t = 0..T-1 along the first axis, with h_(-1) = 0.

    The sequence is cut into about √T pieces, which advance side by side; then each piece receives
    the state that the one before it ended with. That takes about 2√T dependent steps, and three
    multiplications an element however long the sequence is. The gradient of h is a scan of the
    same kind from the other end (Martin and Cundy 2018, arXiv:1709.04057).

    Args:
        a: `[T, ...]`, real or complex.
        b: of the same shape.

    Returns:
        h, of the same shape.

    Example:
        >>> linear_scan(tf.constant([1.0, 0.5, 0.5]), tf.constant([4.0, 0.0, 1.0])).numpy()
        array([4., 2., 2.], dtype=float32)
    """
    h = _scan(a, b)

    return h, lambda dh: _scan_gradient(a, h, dh)


def _scan_gradient(a: Any, h: Any, dh: Any) -> tuple[Any, Any]:
    """The gradients in a and b."""
    nothing = tf.zeros_like(a[:1])
    later = tf.concat([tf.math.conj(a[1:]), nothing], axis=0)
    db = tf.reverse(_scan(tf.reverse(later, [0]), tf.reverse(dh, [0])), [0])
    return db * tf.math.conj(tf.concat([nothing, h[:-1]], axis=0)), db


def _scan(a: Any, b: Any) -> Any:
    time, rest = tf.shape(a)[0], tf.shape(a)[1:]
    static = a.shape[0]
    steps = (
        tf.cast(tf.math.ceil(tf.sqrt(tf.cast(time, tf.float32))), tf.int32)
        if static is None
        else math.isqrt(static - 1) + 1
    )
    pieces = -(-(time if static is None else static) // steps)

    def cut(x: Any) -> Any:
        """`[T, ...]` to `[steps, pieces, ...]`; the last piece is filled up with zeros."""
        filler = tf.zeros(tf.concat([[steps * pieces - time], rest], axis=0), x.dtype)
        x = tf.concat([x, filler], axis=0)
        x = tf.reshape(x, tf.concat([[pieces, steps], rest], axis=0))
        return tf.experimental.numpy.swapaxes(x, 0, 1)

    # Each piece from zero: what it adds, H, and what it does to the state it starts from, A.
    a, b = cut(a), cut(b)
    A, H = _advance(a, b, steps)
    # The state that each piece starts from.
    _, ends = _advance(A[-1], H[-1], pieces)
    starts = tf.concat([tf.zeros_like(ends[:1]), ends[:-1]], axis=0)
    h = tf.experimental.numpy.swapaxes(H + A * starts[None], 0, 1)
    return tf.reshape(h, tf.concat([[steps * pieces], rest], axis=0))[:time]


def _advance(a: Any, b: Any, time: Any) -> tuple[Any, Any]:
    """Step after step along the first axis: products of all a so far, and h."""
    left, right = (tf.TensorArray(x.dtype, time).unstack(x) for x in (a, b))

    def body(t: Any, A: Any, h: Any, As: Any, hs: Any) -> tuple[Any, ...]:
        a_t = left.read(t)
        A, h = a_t * A, a_t * h + right.read(t)
        return t + 1, A, h, As.write(t, A), hs.write(t, h)

    start = (tf.constant(0), tf.ones_like(a[0]), tf.zeros_like(b[0]))
    arrays = (tf.TensorArray(a.dtype, time), tf.TensorArray(b.dtype, time))
    _, _, _, As, hs = loop(body, (*start, *arrays), time)
    return As.stack(), hs.stack()
