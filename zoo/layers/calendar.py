"""Sine and cosine of where a time stands in its day, week and year."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from zoo.typing import Tensor

_DAY, _WEEK, _YEAR = 1.0, 7.0, 365.2425
_MONTH = _YEAR / 12
_HARMONICS = {_DAY: 2, _WEEK: 3, _YEAR: 2}
"""Three tell all days of a week apart; two, a morning from an evening, or spring from autumn."""
NO_DAY = -1e9
"""The day of a state without dates: it holds no NaN."""


class Moment(NamedTuple):
    """Times as numbers that float32 holds exactly.

    Attributes:
        day: float32 `[...]`, days since 1970-01-01; NaN where there are no dates.
        second: float32 `[...]`, of the day.
    """

    day: Tensor
    second: Tensor


@dataclass(frozen=True)
class Calendar:
    """Calendar features of series of one frequency: of the cycles that its steps divide.

    Args:
        unit: "second", "day", "business_day" or "month".
        count: how many of them a step is.

    Raises:
        ValueError: the unit is none of these.

    Example:
        >>> hourly = Calendar("second", 3600)
        >>> hourly.features(Moment(tf.constant([0.5]), tf.constant([0.0]))).shape
        TensorShape([1, 14])
        >>> [float(x[0]) for x in hourly.after(Moment(tf.constant([3.0]), tf.constant([82800.0])))]
        [4.0, 0.0]
    """

    unit: str
    count: int = 1

    def __post_init__(self) -> None:
        if self.unit not in ("second", "day", "business_day", "month"):
            raise ValueError(
                f"frequency_unit is {self.unit!r}, but second, day, business_day or month is needed"
            )

    @property
    def size(self) -> int:
        """Return how many features there are; 0 for yearly steps."""
        return 2 * len(self._waves())

    def features(self, moment: Moment) -> Tensor:
        """Return sines and cosines, float32 `[..., size]`; 0 where there is no date."""
        there = moment.day > NO_DAY / 2
        if not self.size:
            return tf.zeros([*tf.unstack(tf.shape(there)), 0])
        day, share = moment.day[..., None], moment.second[..., None] / 86400.0
        cycles, times = (np.array(part, "float32") for part in zip(*self._waves()))
        # The day's number is large: only its place in the cycle may meet the share of a day.
        angle = (day - cycles * tf.floor(day / cycles) + share) * (2 * math.pi * times / cycles)
        waves = tf.concat([tf.sin(angle), tf.cos(angle)], axis=-1)
        return tf.where(there[..., None], waves, 0.0)

    def after(self, moment: Moment) -> Moment:
        """Return the times one step later; months are of mean length."""
        day, second = moment
        if self.unit == "second":
            second = second + float(self.count % 86400)
            days = tf.floor(second / 86400.0)
            return Moment(day + float(self.count // 86400) + days, second - days * 86400.0)
        if self.unit == "month":
            return Moment(day + _MONTH * self.count, second)
        if self.unit == "day":
            return Moment(day + float(self.count), second)
        for _ in range(self.count):
            # 1970-01-01 was a Thursday, so that day 1 was a Friday and day 2 a Saturday.
            of_week = day - _WEEK * tf.floor(day / _WEEK)
            day = day + tf.where(of_week == 1.0, 3.0, tf.where(of_week == 2.0, 2.0, 1.0))
        return Moment(day, second)

    def _waves(self) -> list[tuple[float, int]]:
        """Return each cycle that is longer than a step, with each multiple of its frequency."""
        lengths = {"second": 1 / 86400, "day": _DAY, "business_day": _DAY, "month": _MONTH}
        step = lengths[self.unit] * self.count
        # A week of weekly steps, or a year of yearly ones, always stands at the same place.
        return [
            (cycle, times)
            for cycle, most in _HARMONICS.items()
            for times in range(1, most + 1)
            if step * times * 2 <= cycle
        ]
