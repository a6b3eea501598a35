"""How often a series has a value: steps of seconds, days, business days or months."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

HOUR, DAY = 3600, 86400
UNITS = ("second", "day", "business_day", "month")

_LONGEST_SEASON = 400
_NAMES = {
    ("second", 60): "minutely",
    ("second", 1800): "half-hourly",
    ("second", HOUR): "hourly",
    ("day", 1): "daily",
    ("business_day", 1): "business-daily",
    ("day", 7): "weekly",
    ("month", 1): "monthly",
    ("month", 3): "quarterly",
    ("month", 12): "yearly",
}
# As in the M4 competition.
_HORIZONS = {
    ("second", HOUR): 48,
    ("day", 1): 14,
    ("business_day", 1): 14,
    ("day", 7): 13,
    ("month", 1): 18,
    ("month", 3): 8,
    ("month", 12): 6,
}
_LOOK_BACKS = {
    ("day", 1): 56,
    ("business_day", 1): 60,
    ("day", 7): 104,
    ("month", 1): 24,
    ("month", 3): 16,
    ("month", 12): 8,
}
_SHORTEST_LOOK_BACK = 32


@dataclass(frozen=True)
class Frequency:
    """The step from one value of a series to the next.

    Attributes:
        unit: "second", "day", "business_day" (Monday to Friday) or "month".
        count: how many of them a step has: an hour is 3,600 seconds, a week 7 days, a quarter 3
            months, a year 12. There is no step of several business days.

    Raises:
        ValueError: there is no such unit, or the count is not positive.

    Example:
        >>> hourly = Frequency("second", 3600)
        >>> hourly.name, hourly.seasons, hourly.horizon, hourly.look_back
        ('hourly', (24, 168), 48, 168)
        >>> Frequency("second", 86400) == Frequency("day", 1)
        True
    """

    unit: str
    count: int

    def __post_init__(self) -> None:
        if self.unit not in UNITS or self.count < 1 or (self.unit == UNITS[2] and self.count > 1):
            raise ValueError(f"there is no frequency of {self.count} {self.unit}")
        if self.unit == "second" and self.count % DAY == 0:
            object.__setattr__(self, "unit", "day")
            object.__setattr__(self, "count", self.count // DAY)

    @property
    def name(self) -> str:
        """Return what it is called, such as "hourly" or "every 15 minutes".

        Example:
            >>> Frequency("second", 900).name, Frequency("day", 10).name
            ('every 15 minutes', 'every 10 days')
        """
        if name := _NAMES.get((self.unit, self.count)):
            return name
        count, unit = self.count, self.unit
        for larger, seconds in (("hour", HOUR), ("minute", 60)):
            if unit == "second" and count % seconds == 0:
                count, unit = count // seconds, larger
        if unit == "month" and count % 12 == 0:
            count, unit = count // 12, "year"
        return f"every {count} {unit}s" if count > 1 else f"every {unit}"

    @property
    def seasons(self) -> tuple[int, ...]:
        """Return the usual seasons in steps, the shortest first, of those up to 400 steps.

        Those of steps under a day are a day and a week, or, where a day is too long, a minute and
        an hour; of days, a week; of weeks and months, a year. A season that is no whole number of
        steps is none.

        Example:
            >>> [Frequency(*step).seasons for step in (("second", 1800), ("day", 7), ("month", 12))]
            [(48, 336), (52,), ()]
        """
        if self.unit == "business_day":
            return (5,)
        if self.unit == "month":
            lengths = [12 / self.count]
        elif self.unit == "day":
            lengths = [52.0] if self.count == 7 else [7 / self.count]
        else:
            lengths = [DAY / self.count, 7 * DAY / self.count]
            if lengths[0] > _LONGEST_SEASON:
                lengths = [60 / self.count, HOUR / self.count]
        return tuple(
            int(length) for length in lengths if 1 < length <= _LONGEST_SEASON and length % 1 == 0
        )

    @property
    def horizon(self) -> int:
        """Return how many steps ahead are usually forecast, as in the M4 competition.

        Of a frequency that it has not: the shortest season, 48 at most; 14 where there is none.
        """
        usual = min(self.seasons[0], 48) if self.seasons else 14
        return _HORIZONS.get((self.unit, self.count), usual)

    @property
    def look_back(self) -> int:
        """Return how many values a model keeps: the longest season, or two of the shortest."""
        if usual := _LOOK_BACKS.get((self.unit, self.count)):
            return usual
        seasons = self.seasons or (1,)
        return max(seasons[-1], 2 * seasons[0], _SHORTEST_LOOK_BACK)

    def after(self, time: Any, steps: Any) -> Any:
        """Return the time that is some steps after another.

        Months are months: the 31st of January is followed by the end of February, and the end of a
        month by the end of the next one. Of business days, a time at a weekend counts as the
        Monday after it.

        Args:
            time: datetime64, or an array of them.
            steps: whole numbers, which may be negative, that broadcast with `time`.

        Returns:
            datetime64[s].

        Example:
            >>> str(Frequency("month", 1).after(np.datetime64("2023-02-28"), 1))
            '2023-03-31T00:00:00'
            >>> str(Frequency("business_day", 1).after(np.datetime64("2024-05-31T18:00"), 1))
            '2024-06-03T18:00:00'
        """
        time, steps = np.asarray(time, "datetime64[s]"), np.asarray(steps, "int64")
        if self.unit in ("second", "day"):
            return time + steps * self.count * (DAY if self.unit == "day" else 1)
        days = time.astype("datetime64[D]")
        if self.unit == "business_day":
            moved = np.busday_offset(days, steps, roll="forward")
        else:
            moved = move_months(days, steps * self.count)
        return moved.astype("datetime64[s]") + (time - days)

    def to_json(self) -> dict[str, Any]:
        """Return the unit and the count."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Frequency":
        """Return what `to_json` wrote.

        Example:
            >>> Frequency.from_json(Frequency("month", 3).to_json()).name
            'quarterly'
        """
        return cls(**values)


def move_months(days: Any, months: Any) -> Any:
    """Return days that are whole months later; the end of a month goes to the end of a month.

    Args:
        days: datetime64[D], any shape.
        months: int64 that broadcasts with it.
    """
    month = days.astype("datetime64[M]")
    last = month_length(month)
    day = (days - month.astype("datetime64[D]")).astype("int64") + 1
    moved = month + months
    ends = month_length(moved)
    day = np.where(day == last, ends, np.minimum(day, ends))
    return moved.astype("datetime64[D]") + (day - 1)


def month_length(months: Any) -> Any:
    """Return how many days months have, int64.

    Example:
        >>> month_length(np.array(["2023-02", "2024-02"], "datetime64[M]")).tolist()
        [28, 29]
    """
    first, following = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")
    return (following - first).astype("int64")
