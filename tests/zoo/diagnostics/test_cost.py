import json
import math

import pytest
import tensorflow as tf

from zoo import registry
from zoo.diagnostics.cost import _multiply_adds, cell_card
from zoo.errors import UserError

D, H = 5, 7


@pytest.mark.parametrize(
    ("name", "parameters", "multiply_adds", "state_size"),
    [
        ("vanilla_rnn", D * H + H * H + H, D * H + H * H, H),
        # Two biases of three gates each.
        ("gru", 3 * (D * H + H * H + 2 * H), 3 * (D * H + H * H), H),
        ("lstm", 4 * (D * H + H * H + H), 4 * (D * H + H * H), 2 * H),
    ],
)
def test_figures_counted_by_hand(name, parameters, multiply_adds, state_size):
    card = cell_card(name, input_size=D, units=H)
    assert card["parameters"] == parameters and card["fixed_parameters"] == 0
    assert card["multiply_adds"] == multiply_adds
    assert card["state_size"] == state_size and card["parallel"] is False
    assert "_t" in card["equation"] and card["paper"] == registry.get("cell", name).info["paper"]


@pytest.mark.parametrize("name", sorted(registry.entries("cell")))
def test_every_cell_has_a_card_in_the_default_sizes(name):
    card = cell_card(name)
    assert card["parameters"] + card["fixed_parameters"] > 0 and card["multiply_adds"] >= 0
    assert card["state_size"] > 0


def test_a_linear_cell_is_parallel():
    assert cell_card("min_gru", input_size=D, units=H)["parallel"] is True


def operation(function, *shapes):
    graph = tf.function(function).get_concrete_function(*map(tf.zeros, shapes)).graph
    return sum(map(_multiply_adds, graph.get_operations()))


@pytest.mark.parametrize(
    ("function", "shapes", "count"),
    [
        (lambda a, b: tf.matmul(a, b, transpose_a=True), ([4, 2], [4, 3]), 2 * 4 * 3),
        (lambda a, b: tf.matmul(a, b, adjoint_a=True), ([6, 4, 2], [6, 4, 3]), 6 * 2 * 4 * 3),
        (lambda a, b: tf.einsum("bij,bj->bi", a, b), ([2, 3, 4], [2, 4]), 2 * 3 * 4),
        (lambda a, b: tf.einsum("...j,jk->...k", a, b), ([2, 3, 4], [4, 5]), 2 * 3 * 4 * 5),
        (
            lambda a, b: tf.nn.conv2d(a, b, strides=2, padding="SAME"),
            ([1, 8, 8, 3], [5, 5, 3, 6]),
            4 * 4 * 6 * math.prod([5, 5, 3]),
        ),
        (lambda a, b: a * b, ([2, 3], [2, 3]), 0),
    ],
)
def test_each_counted_operation(function, shapes, count):
    assert operation(function, *shapes) == count


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lstmm",), "did you mean lstm"),
        (("lstm", 0), "input size is 0"),
        (("lstm", 3, -1), "units is -1"),
    ],
)
def test_what_cannot_be_is_said(arguments, said):
    with pytest.raises(UserError, match=said):
        cell_card(*arguments)


def test_show_tells_of_a_cell(zoo):
    code, out, _ = zoo("show", "lstm", "--units", H, "--input-size", D, "--json")
    assert code == 0 and json.loads(out) == cell_card("lstm", D, H)
    assert "multiply" in zoo("show", "gru")[1]


def test_show_suggests_a_cell_and_refuses_units_of_a_model(zoo):
    code, _, err = zoo("show", "lstmm")
    assert code == 2 and err.count("\n") == 1 and "did you mean lstm" in err
    code, _, err = zoo("show", "char-lstm", "--units", "3")
    assert code == 2 and err.count("\n") == 1 and "--units" in err


def test_list_cells_with_sizes(zoo):
    code, out, _ = zoo("list", "cells", "--sizes", "--name", "*gru", "--json")
    rows = json.loads(out)
    assert code == 0 and {"gru", "min_gru"} <= {row["name"] for row in rows}
    assert all(row["parameters"] > 0 for row in rows)
    assert "--sizes" in zoo("list", "tasks", "--sizes")[2]


def test_a_list_of_sizes_shows_its_progress_on_a_terminal_only(zoo, monkeypatch):
    assert "building" not in zoo("list", "cells", "--sizes", "--name", "gru")[2]
    monkeypatch.setenv("FORCE_COLOR", "1")
    code, out, err = zoo("list", "cells", "--sizes", "--name", "gru")
    assert code == 0 and "building" in err and "building" not in out and "no" in out.split()
