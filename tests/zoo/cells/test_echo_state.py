"""The echo state network: its papers' step in numpy, its fixed weights, and what can be read."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.cells.echo_state import EchoStateCell
from zoo.recurrence import Recurrence


def drawn(units=60, seed=1, inputs=2, **arguments):
    keras.utils.set_random_seed(seed)
    cell = EchoStateCell(units, dtype="float64", **arguments)
    cell.build((None, inputs))
    return cell


def radius(cell):
    return np.abs(np.linalg.eigvals(cell.recurrent_kernel.numpy())).max()


@pytest.mark.parametrize("leak", [1.0, 0.3])
def test_echo_state_equals_the_papers(leak, assert_equals_paper):
    def step(x, state, kernel, recurrent_kernel, bias):
        h = state[0]
        h = (1 - leak) * h + leak * np.tanh(x @ kernel + h @ recurrent_kernel + bias)
        return h, [h]

    assert_equals_paper(EchoStateCell(4, leak=leak, dtype="float64"), step)


@pytest.mark.slow
@pytest.mark.parametrize("connectivity", [0, 0.05, 1])
@pytest.mark.parametrize("units", [1, 2, 3, 40])
def test_the_spectral_radius_is_the_one_asked_for_whatever_is_drawn(units, connectivity):
    for seed in range(5):
        cell = drawn(units, seed, spectral_radius=0.7, connectivity=connectivity)
        assert radius(cell) == pytest.approx(0.7, rel=1e-6)


def test_the_reservoir_is_as_dense_as_asked_and_holds_a_ring():
    U = drawn(200, connectivity=0.1).recurrent_kernel.numpy()
    assert np.mean(U != 0) == pytest.approx(0.1 + 1 / 200, abs=0.01)
    assert np.all(U[np.arange(200), (np.arange(200) + 1) % 200])


def test_a_seed_gives_the_same_reservoir():
    one, same, other = (drawn(seed=seed).get_weights() for seed in (1, 1, 2))
    for a, b, c in zip(one, same, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.all(np.any(a != c, axis=-1))


def test_nothing_is_trained_and_the_input_has_a_gradient():
    recurrence = Recurrence(EchoStateCell(5))
    x = tf.ones((2, 7, 3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        last = recurrence(x)[0][:, -1]
    assert recurrence.trainable_weights == [] and len(recurrence.non_trainable_weights) == 3
    assert np.all(tape.gradient(last, x)[:, 0])


@pytest.mark.parametrize("leak", [1.0, 0.5])
def test_two_initial_states_are_forgotten(leak):
    recurrence = Recurrence(drawn(leak=leak))
    rng = np.random.default_rng(1)
    x = np.repeat(rng.normal(size=(1, 300, 2)), 2, axis=0)
    y, _ = recurrence(x, initial_state=[rng.uniform(-1, 1, size=(2, 60))])
    apart = np.abs(y[0] - y[1]).max(axis=-1)
    assert apart[0] > 0.1 and apart[-1] < 1e-6


def test_a_linear_readout_of_its_states_recalls_inputs_of_ten_steps_ago():
    rng = np.random.default_rng(1)
    x = rng.uniform(-0.1, 0.1, size=(1, 1000, 1))
    states = Recurrence(drawn(inputs=1))(x)[0][0].numpy()

    def features(rows):
        return np.concatenate([rows, np.ones((len(rows), 1))], axis=1)

    for ago in (1, 10):
        wanted, seen = x[0, 100 - ago : 1000 - ago, 0], features(states[100:])
        gram = seen[:600].T @ seen[:600] + 1e-8 * np.eye(61)
        readout = np.linalg.solve(gram, seen[:600].T @ wanted[:600])
        error = np.mean((seen[600:] @ readout - wanted[600:]) ** 2)
        assert error < 0.05 * np.var(wanted)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("spectral_radius", 0),
        ("spectral_radius", float("nan")),
        ("connectivity", -0.1),
        ("connectivity", 1.5),
        ("leak", 0),
        ("leak", 1.1),
    ],
)
def test_an_argument_out_of_its_range_is_refused_in_one_line(argument, value):
    with pytest.raises(ValueError, match=rf"{argument} is {value}, but .* is needed$"):
        EchoStateCell(4, **{argument: value})
