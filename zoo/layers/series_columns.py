"""What stands in which column of the inputs of a forecaster."""

from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from zoo.layers.calendar import NO_DAY, Calendar, Moment
from zoo.typing import Tensor

VALUE, DAY, SECOND, COVARIATES = 0, 1, 2, 3
"""Columns; from the last one on, what is known ahead, then of the past, then static."""


class Columns(NamedTuple):
    """The parts of inputs `[..., D]`.

    Attributes:
        value: `[...]`, NaN where it is missing.
        moment: `[...]`.
        known: `[..., H, K]`, covariates of the next steps; `()` without.
        past: `[..., P]`; `()` without.
        static: `[..., S]`, whole numbers.
    """

    value: Tensor
    moment: Moment
    known: Tensor
    past: Tensor
    static: Tensor


@dataclass(frozen=True)
class SeriesColumns:
    """How wide each part is.

    Args:
        horizon: H, steps ahead of which covariates are known.
        known: K, how many are known ahead.
        past: P, how many are known of the past only.
        static: S, how many columns of categories there are.

    Example:
        >>> SeriesColumns(horizon=4, known=2, past=1).width
        12
    """

    horizon: int
    known: int = 0
    past: int = 0
    static: int = 0

    @property
    def width(self) -> int:
        """Return D."""
        return COVARIATES + self.horizon * self.known + self.past + self.static

    def split(self, x: Tensor) -> Columns:
        """Take inputs `[..., D]` apart; covariates that are missing are 0, their mean."""
        past = COVARIATES + self.horizon * self.known
        static = past + self.past
        others = tf.where(x == x, x, 0.0)
        return Columns(
            x[..., VALUE],
            Moment(x[..., DAY], x[..., SECOND]),
            in_rows(others[..., COVARIATES:past], self.horizon, self.known) if self.known else (),
            others[..., past:static] if self.past else (),
            others[..., static:],
        )

    def held(self, x_t: Tensor) -> Tensor:
        """Return inputs `[B, D]` as a state holds them: all numbers, the value itself left out."""
        numbers = tf.where(x_t == x_t, x_t, 0.0)
        day = x_t[:, DAY]
        moment = [tf.where(day == day, day, NO_DAY), numbers[:, SECOND]]
        return tf.concat(
            [tf.stack([tf.zeros_like(day), *moment], axis=1), numbers[:, COVARIATES:]], axis=1
        )

    def after(
        self, x_t: Tensor, value: Tensor, calendar: Calendar, newest: Tensor = None
    ) -> Tensor:
        """Return the inputs `[B, D]` of the step after that of `x_t`, if `value` `[B]` comes.

        Covariates of the past are taken to be missing.

        Args:
            x_t: `[B, D]`, as `held` gives it.
            value: `[B]`.
            calendar: of the steps.
            newest: `[B, K]`, covariates of one step more than `x_t` knows ahead; None for those of
                the last one that it knows.
        """
        past = COVARIATES + self.horizon * self.known
        parts = [
            value[:, None],
            *(part[:, None] for part in calendar.after(self.split(x_t).moment)),
        ]
        if self.known:
            known = x_t[:, COVARIATES:past]
            parts += [known[:, self.known :], known[:, -self.known :] if newest is None else newest]
        parts += [tf.zeros_like(x_t[:, past : past + self.past]), x_t[:, past + self.past :]]
        return tf.concat(parts, axis=1)


def in_rows(flat: Tensor, rows: int, size: int) -> Tensor:
    """Return `[..., rows * size]` as `[..., rows, size]`."""
    if len(flat.shape) == 2:
        return tf.reshape(flat, [-1, rows, size])
    # Of `tf.shape(flat)[:-1]` after a dense layer ONNX would make all of the shape.
    table = tf.reshape(flat, [tf.shape(flat)[0], -1, rows, size])
    return tf.ensure_shape(table, [*flat.shape[:-1], rows, size])
