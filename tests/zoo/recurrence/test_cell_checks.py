"""Cells that no sequence can be made of are refused in one line, where they are built."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from zoo import registry
from zoo.cells.base import HiddenState
from zoo.cells.gru import GRUCell
from zoo.cells.linear import MinGRUCell
from zoo.cells.lstm import LSTMState
from zoo.cells.vanilla_rnn import VanillaRNNCell
from zoo.cells.wrappers import ResidualCell, VariationalDropoutCell, ZoneoutCell
from zoo.recurrence import Recurrence
from zoo.recurrence.cell_checks import check_cell

D, H = 2, 4


class CountsCalls(VanillaRNNCell):
    calls = 0

    def update(self, z, state, recur):
        self.calls += 1
        for _ in range(self.calls % 2):
            z = z + recur(state.h)
        return super().update(z, state, recur)


class DrawsSeeded(VanillaRNNCell):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seeds = keras.random.SeedGenerator(1)

    def update(self, z, state, recur):
        return super().update(z + keras.random.normal(z.shape, seed=self.seeds), state, recur)


class DrawsUnseeded(VanillaRNNCell):
    def update(self, z, state, recur):
        return super().update(keras.random.dropout(z, 0.5), state, recur)


class DrawsInTensorFlow(MinGRUCell):
    def coefficients(self, z):
        a, b = super().coefficients(z)
        return a, b * tf.random.stateless_uniform(tf.shape(b), [1, 2])


class FlattensRows(VanillaRNNCell):
    def project(self, x):
        return ops.reshape(super().project(x), (-1,))


class LosesSteps(MinGRUCell):
    def project(self, x):
        return ops.reshape(super().project(x), (-1, 2 * self.units))


class AddsAPart(VanillaRNNCell):
    def update(self, z, state, recur):
        h, _ = super().update(z, state, recur)
        return h, LSTMState(h, h)


class GrowsItsState(VanillaRNNCell):
    def update(self, z, state, recur):
        h, _ = super().update(z, state, recur)
        return h, HiddenState(ops.concatenate([h, h], axis=-1))


class RoundsItsState(VanillaRNNCell):
    def update(self, z, state, recur):
        h, _ = super().update(z, state, recur)
        return h, HiddenState(ops.cast(h, "int32"))


class HalvesItsOutput(VanillaRNNCell):
    def update(self, z, state, recur):
        h, new = super().update(z, state, recur)
        return h[:, : self.units // 2], new


class ListsTooFew(VanillaRNNCell):
    def update(self, z, state, recur):
        return super().update(z + recur(state.h, 1), state, recur)


BROKEN = {
    CountsCalls: r"weights \[0, 0\] at one step and \[0\] at the next; let it make the same",
    DrawsSeeded: r"draws random numbers \(StatelessRandom.*\), .*; draw them in project",
    DrawsUnseeded: r"draws random numbers \(.*Random.*\), .*; draw them in project",
    DrawsInTensorFlow: r"draws random numbers \(StatelessRandom.*\), .*; draw them in project",
    FlattensRows: r"project makes \(12,\) of \(3, 2\); let it keep every axis but the last",
    LosesSteps: r"project makes \(15, 8\) of \(5, 3, 2\); let it keep every axis but the last",
    AddsAPart: r"a state of \[B, 4\] float32, \[B, 4\] float32, but .* \[B, 4\] float32; return",
    GrowsItsState: r"a state of \[B, 8\] float32, but get_initial_state gives \[B, 4\] float32; ",
    RoundsItsState: r"a state of \[B, 4\] int32, but get_initial_state gives \[B, 4\] float32; ",
    HalvesItsOutput: r"an output of shape \[B, 2\], but output_size is 4; return one of \[B, 4\]",
    ListsTooFew: r"calls recur\(v, 1\), but recurrent_weights\(\) has 1; list there",
}


@pytest.mark.parametrize("cell", BROKEN, ids=lambda cell: cell.__name__)
def test_a_cell_that_breaks_the_contract_is_refused(cell):
    with pytest.raises(ValueError, match=BROKEN[cell]) as error:
        Recurrence(cell(H)).build((None, None, D))
    assert str(error.value).startswith(f"{cell.__name__}: ") and "\n" not in str(error.value)


@pytest.mark.parametrize("policy", ["float32", "float64", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", sorted(registry.entries("cell")))
def test_every_registered_cell_keeps_it_under_every_policy(name, policy):
    cell = registry.load("cell", name)(H, dtype=policy)
    cell.build((None, 8))
    check_cell(cell, 8)


def test_checking_draws_nothing():
    cell = ZoneoutCell(VariationalDropoutCell(ResidualCell(GRUCell(D)), 0.5, seed=1), 0.5, seed=2)
    cell.build((None, D))
    states = [wrapper.seed_generator.state for wrapper in (cell, cell.cell)]
    before = [np.array(state) for state in states]
    check_cell(cell, D)
    np.testing.assert_array_equal(before, [np.array(state) for state in states])


@pytest.mark.parametrize(
    "call",
    [
        lambda layer: tf.function(layer)(tf.ones((3, 5, D))),
        lambda layer: layer(keras.Input((None, D))),
    ],
    ids=["function", "model"],
)
def test_it_is_checked_while_a_graph_is_traced(call):
    with pytest.raises(ValueError, match="DrawsSeeded: update draws random numbers"):
        call(Recurrence(DrawsSeeded(H)))
