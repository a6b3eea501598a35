from dataclasses import dataclass
from typing import Annotated

import pytest

from zoo.errors import UserError
from zoo.utils.fields import Choices, Range, check_fields


@dataclass
class Journey:
    days: Annotated[int, Range(1, 9), "how long."] = 2
    speed: Annotated[float, Range(above=0, below=300)] = 80.0
    by: Annotated[str, Choices("", "rail", "road")] = "rail"
    notes: str = ""

    def __post_init__(self):
        check_fields(self)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"days": 0}, "days is 0, but 1 to 9 is needed"),
        ({"days": 10}, "days is 10, but 1 to 9 is needed"),
        ({"speed": 0.0}, "speed is 0.0, but more than 0 and less than 300 is needed"),
        ({"speed": 300.0}, "speed is 300.0, but"),
        ({"speed": float("inf")}, "speed is inf, but"),
        ({"by": "air"}, "by is 'air', but nothing, rail or road is needed"),
    ],
)
def test_what_is_outside_is_refused(values, message):
    with pytest.raises(UserError, match=message):
        Journey(**values)


@pytest.mark.parametrize("values", [{"days": 1}, {"days": 9}, {"speed": 0.5}, {"by": ""}])
def test_what_is_inside_is_taken(values):
    Journey(**values, notes="anything")
