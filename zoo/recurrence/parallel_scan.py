"""Linear recurrences for all time steps in parallel."""

import math

import tensorflow as tf

from zoo.recurrence.backprop import DifferentiatedScan, Residuals, Weights, loop, swap
from zoo.recurrence.masking import StepMasks, where
from zoo.typing import Tensor
from zoo.utils.keras_internals import release_with_graph


class ParallelScan(DifferentiatedScan):
    """A linear cell over `[B, T, D]`, whose loops, forward and backward, are scans."""

    def forward(self, x: Tensor, start: list[Tensor], masks: StepMasks, weights: Weights) -> tuple:
        """Return outputs `[B, T, H]`, the final state, and what backward needs."""
        z = self._project(swap(x), weights)
        joined, passed = self._joined(z, start, masks, weights)
        h = _scan(*self._coefficients(joined, start, masks, weights))
        y, final = self._outputs(joined, h, masks, weights)
        return swap(y), [final, *passed], Residuals(z if self.remember else None, [], [h])

    def backward(
        self,
        x: Tensor,
        start: list[Tensor],
        masks: StepMasks,
        weights: Weights,
        y: Tensor,
        residuals: Residuals,
        dy: Tensor,
        dfinal: list[Tensor],
    ) -> tuple[Tensor, list[Tensor], list[Tensor], Weights]:
        """Return the gradients of inputs, initial state, fresh state and weights."""
        x, dy, (h,) = swap(x), swap(dy), residuals.states
        z = residuals.z if self.remember else self._project(x, weights)
        inner = (start, masks.fresh, weights)
        sources = [z, *tf.nest.flatten(inner)]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([*sources, h])
            joined, passed = self._joined(z, start, masks, weights)
            a, b = self._coefficients(joined, start, masks, weights)
            y, final = self._outputs(joined, h, masks, weights)
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

    def _joined(self, z: Tensor, start: list[Tensor], masks: StepMasks, weights: Weights) -> tuple:
        """Return joined projections `[T, B, ...]`, and what each row's last step passes on."""
        with self._reading(weights):
            passed = self.cell.passed(z)
            before = [
                tf.concat([first[None], steps], axis=0) for first, steps in zip(start[1:], passed)
            ]
            received = [steps[:-1] for steps in before]
            if masks.resets is not None:
                received = where(masks.resets, masks.fresh[1:], received)
            joined = self.cell.joined(z, *received)
        if masks.valid is None:
            return joined, [steps[-1] for steps in before]
        lengths = tf.reduce_sum(tf.cast(masks.valid, tf.int32), axis=0)
        return joined, [tf.gather(swap(steps), lengths, batch_dims=1) for steps in before]

    def _coefficients(
        self, z: Tensor, start: list[Tensor], masks: StepMasks, weights: Weights
    ) -> tuple:
        """Return a and b, `[T, B, N]`, of a scan that starts from zero."""
        with self._reading(weights):
            a, b = self.cell.coefficients(z)
            before, fresh = (self.cell.coordinates(part[0]) for part in (start, masks.fresh))
        if masks.resets is not None:
            resets = masks.resets[:, :, None]
            b = tf.where(resets, a * fresh + b, b)
            a = tf.where(resets, tf.zeros_like(a), a)
        if masks.valid is not None:
            valid = masks.valid[:, :, None]
            a = tf.where(valid, a, tf.ones_like(a))
            b = tf.where(valid, b, tf.zeros_like(b))
        return a, tf.concat([b[:1] + a[:1] * before, b[1:]], axis=0)

    def _outputs(
        self, z: Tensor, h: Tensor, masks: StepMasks, weights: Weights
    ) -> tuple[Tensor, Tensor]:
        """Return outputs `[T, B, H]` and the final state."""
        with self._reading(weights):
            state = self.cell.from_coordinates(h)
            y = self.cell.output(z, state)
        if masks.valid is not None:
            y = where(masks.valid, y, tf.zeros_like(y))
        return y, state[-1]


def linear_scan(a: Tensor, b: Tensor) -> Tensor:
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
    return release_with_graph(_differentiated_scan(a, b))


@tf.custom_gradient
def _differentiated_scan(a: Tensor, b: Tensor) -> Tensor:
    h = _scan(a, b)
    return h, lambda dh: _scan_gradient(a, h, dh)


def _scan_gradient(a: Tensor, h: Tensor, dh: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients in a and b."""
    nothing = tf.zeros_like(a[:1])
    later = tf.concat([tf.math.conj(a[1:]), nothing], axis=0)
    db = tf.reverse(_scan(tf.reverse(later, [0]), tf.reverse(dh, [0])), [0])
    return db * tf.math.conj(tf.concat([nothing, h[:-1]], axis=0)), db


def _scan(a: Tensor, b: Tensor) -> Tensor:
    time, rest = tf.shape(a)[0], tf.shape(a)[1:]
    static = a.shape[0]
    steps = (
        tf.cast(tf.math.ceil(tf.sqrt(tf.cast(time, tf.float32))), tf.int32)
        if static is None
        else math.isqrt(static - 1) + 1
    )
    pieces = -(-(time if static is None else static) // steps)

    def cut(x: Tensor) -> Tensor:
        """Cut `[T, ...]` into `[steps, pieces, ...]`; zeros fill up the last piece."""
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


def _advance(a: Tensor, b: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
    """Return the products of all a so far, and h, for each step along the first axis."""
    left, right = (tf.TensorArray(x.dtype, time).unstack(x) for x in (a, b))

    def body(
        t: Tensor, A: Tensor, h: Tensor, As: tf.TensorArray, hs: tf.TensorArray
    ) -> tuple[Tensor, ...]:
        a_t = left.read(t)
        A, h = a_t * A, a_t * h + right.read(t)
        return t + 1, A, h, As.write(t, A), hs.write(t, h)

    start = (tf.constant(0), tf.ones_like(a[0]), tf.zeros_like(b[0]))
    arrays = (tf.TensorArray(a.dtype, time), tf.TensorArray(b.dtype, time))
    _, _, _, As, hs = loop(body, (*start, *arrays), time)
    return As.stack(), hs.stack()
