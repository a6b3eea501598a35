import numpy as np
import pytest

from zoo import UserError
from zoo.readers.written_numbers import find_comma, read_numbers

NAN = float("nan")


def comma(*cells):
    return find_comma([(list(cells), list(range(1, len(cells) + 1)))], "a.csv")


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["1.5", "-2e3", "+7", ".5"], "", [1.5, -2000, 7, 0.5]),
        (["", "NA", "nan", "NULL", "?", ".", "#N/A", "1"], "", [NAN] * 7 + [1]),
        (
            ["1,5", "-0,25", "1.000", "1.234.567,5", "2"],
            "decimal",
            [1.5, -0.25, 1000, 1234567.5, 2],
        ),
        (["0,500", "1,250"], "decimal", [0.5, 1.25]),
        (["1234,567"], "decimal", [1234.567]),
        (["1,234.5", "1,234", "7"], "thousands", [1234.5, 1234, 7]),
        (["1,234,567"], "thousands", [1234567]),
        (["1 234,5", "12'345,6", "1\u202f234,5"], "decimal", [1234.5, 12345.6, 1234.5]),
        (["True", "false", ""], "", [1, 0, NAN]),
    ],
)
def test_numbers_are_read_as_people_write_them(cells, kind, values):
    assert comma(*cells) == kind
    numbers, wrong = read_numbers(cells, kind)
    assert np.array_equal(numbers, values, equal_nan=True) and not len(wrong)


def test_what_is_no_finite_number_is_named():
    for cells, at in ((["1", "x"], 1), (["inf", "1"], 0), (["1", "1e999"], 1), (["1_000", "1"], 0)):
        assert read_numbers(cells)[1].tolist() == [at]
    # Among decimal commas, a point stands between thousands or is a mistake.
    assert read_numbers(["1,5", "1.5"], "decimal")[1].tolist() == [1]


def test_commas_that_cannot_be_told_apart_are_refused():
    with pytest.raises(UserError, match=r"a.csv, line 2: 1,500 may be 1500 or 1.500"):
        comma("7", "1,500")
    with pytest.raises(UserError, match=r"1,5 in line 1 .* 1,234.5 in line 3 commas between"):
        comma("1,5", "2", "1,234.5")


def test_where_semicolons_set_cells_apart_a_comma_is_a_decimal_one():
    assert find_comma([(["1,500"], [1])], "a.csv", ";") == "decimal"
    assert find_comma([(["1,500.5"], [1])], "a.csv", ";") == "thousands"
