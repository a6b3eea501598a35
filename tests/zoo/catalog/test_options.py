"""Which values an option takes, by its annotation."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pytest

from zoo.catalog.options import Option, checked, options_of
from zoo.errors import UserError


@pytest.mark.parametrize(
    ("annotation", "value", "result"),
    [
        (int, 3, 3),
        (float, 3, 3.0),
        (str, "x", "x"),
        (str, 3, "3"),
        (bool, True, True),
        (str | None, "x", "x"),
        (str | None, 3, "3"),
        (str | None, None, None),
        (int | None, 3, 3),
        (int | str, 3, 3),
        (str | int, 3, 3),
        (float | None, 3, 3.0),
        (list[str] | None, ["a"], ["a"]),
        (Sequence[int], (1, 2), [1, 2]),
        (tuple[float, ...], [1], [1.0]),
        (dict[str, Any], {"a": 1}, {"a": 1}),
        (Literal["a", "b"], "b", "b"),
        (Annotated[float, "how much."], 1, 1.0),
        (Any, {"a"}, {"a"}),
    ],
)
def test_a_value_of_its_annotation_is_taken(annotation, value, result):
    taken = checked("x", value, Option(annotation, None))
    assert taken == result and type(taken) is type(result)


@pytest.mark.parametrize(
    ("annotation", "value", "needed"),
    [
        (int, True, "int"),
        (int, 2.5, "int"),
        (float, "2", "float"),
        (bool, 1, "bool"),
        (str, 2.5, "str"),
        (str | None, ["a"], "str or nothing"),
        (list[str] | None, [1], "list[str] or nothing"),
        (Sequence[int], "12", "list[int]"),
        (list[int], [1, "2"], "list[int]"),
        (dict[str, int], [1], "dict[str, int]"),
        (Literal["a"], "c", "Literal"),
        (Annotated[int, "how many."], "3", "int"),
    ],
)
def test_any_other_value_is_refused_in_one_line(annotation, value, needed):
    with pytest.raises(UserError) as error:
        checked("x", value, Option(annotation, None))
    assert str(error.value).startswith(f"x is {value!r}, but {needed}")


def test_where_nothing_is_said_the_default_says_the_type():
    def plain(units=3, cell=None, **more): ...

    known = options_of(plain)
    assert checked("cell", "x", known["cell"]) == "x"
    assert checked("units", 5, known["units"]) == 5
    with pytest.raises(UserError, match="units is 'x', but int is needed"):
        checked("units", "x", known["units"])
