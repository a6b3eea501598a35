import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import registry
from zoo.cells import GRUCell, IndRNNCell, LSTMCell, PhasedLSTMCell, VanillaRNNCell
from zoo.diagnostics.compare_cells import build_cell
from zoo.diagnostics.diagnosis import Diagnosis, flows_of, window_loss
from zoo.diagnostics.horizon import ByLag, by_lag
from zoo.diagnostics.jacobian import gate_activations, saturations, spectral_radii
from zoo.diagnostics.price import prices
from zoo.diagnostics.probing import probed, recurrences
from zoo.errors import UserError
from zoo.layers.stack import RecurrentStack
from zoo.recurrence import Recurrence
from zoo.training.objectives import CrossEntropy

B, T, D, H = 3, 9, 4, 5
LENGTHS = np.array([9, 4, 6])
X = np.random.default_rng(1).normal(size=(B, T, D))
W = np.random.default_rng(2).normal(size=H)


def read(layer, loss, x=X, **options):
    """The one reading of a layer, and the gradient of `loss(outputs)` in its probes."""
    with tf.GradientTape() as tape, probed(layer, tape) as readings:
        total = loss(layer(tf.constant(x, layer.compute_dtype), **options)[0])
    (reading,) = readings
    return reading, tape.gradient(total, reading.probes)[0]


def last(lengths):
    """The loss W y at the last step of each row."""
    ends = np.asarray(lengths) - 1
    return lambda y: tf.reduce_sum(tf.gather(y, ends, batch_dims=1) * tf.cast(W, y.dtype))


def flows(layer, x=X, loss=None):
    def both(first):
        y = layer(tf.constant(x, layer.compute_dtype))[0]
        return (loss or last([x.shape[1]] * len(x)))(y), np.ones(len(x), bool)

    return flows_of(layer, both, "start")


def linear_layer(kernel):
    """h_t = h_(t-1) kernel + x_t W."""
    layer = Recurrence(VanillaRNNCell(H, activation="linear"))
    layer.build((None, None, D))
    layer.cell.recurrent_kernel.assign(kernel)
    return layer


def orthogonal():
    return np.linalg.qr(np.random.default_rng(3).normal(size=(H, H)))[0]


# The gradient, against derivations of its own


def test_a_vanilla_network_against_backpropagation_written_out():
    layer = Recurrence(VanillaRNNCell(H, dtype="float64"))
    reading, gradient = read(layer, last(LENGTHS), lengths=LENGTHS)
    lags = by_lag(reading, gradient, np.ones(B, bool))["state"]
    K, U, b = (np.asarray(w) for w in layer.cell.weights)
    for row, length in enumerate(LENGTHS):
        h, hs = np.zeros(H), []
        for x_t in X[row, :length]:
            h = np.tanh(x_t @ K + h @ U + b)
            hs.append(h)
        expected, delta = [], W
        for h in reversed(hs):
            delta = U @ ((1 - h**2) * delta)
            expected.append(np.linalg.norm(delta))
        np.testing.assert_allclose(lags.norms[row, :length], expected, rtol=1e-9)
        assert np.isnan(lags.norms[row, length:]).all()


def test_both_parts_of_an_lstm_against_finite_differences():
    layer = Recurrence(LSTMCell(H, dtype="float64"))
    x = X[:1, :4]
    reading, gradient = read(layer, last([4]), x)
    lags = by_lag(reading, gradient, np.ones(1, bool))
    cell, step = layer.cell, 1e-6
    for lag in range(1, 5):
        state = cell.get_initial_state(1)
        for t in range(4 - lag):
            _, state = cell(x[:, t], state)
        start = np.concatenate([np.asarray(part) for part in state], axis=1)
        moved = start + step * np.concatenate([np.eye(2 * H), -np.eye(2 * H)])
        parts = cell.State(*np.split(moved, 2, axis=1))
        for t in range(4 - lag, 4):
            y, parts = cell(np.repeat(x[:, t], 4 * H, axis=0), parts)
        up, down = np.split(np.asarray(y) @ W, 2)
        expected = (up - down) / (2 * step)
        for part, values in (("h", expected[:H]), ("c", expected[H:]), ("state", expected)):
            np.testing.assert_allclose(
                lags[part].norms[0, lag - 1], np.linalg.norm(values), rtol=1e-5, atol=1e-9
            )


def test_a_reversed_layer_counts_from_the_step_it_takes_last():
    one, other = (Recurrence(GRUCell(H), reverse=reverse) for reverse in (False, True))
    first = lambda y: tf.reduce_sum(y[:, 0] * tf.cast(W, y.dtype))  # noqa: E731
    expected = by_lag(*read(one, last([T] * B)), np.ones(B, bool))["state"]
    other.build((None, None, D))
    other.cell.set_weights(one.cell.get_weights())
    mirrored = by_lag(*read(other, first, X[:, ::-1]), np.ones(B, bool))["state"]
    np.testing.assert_allclose(mirrored.norms, expected.norms, rtol=1e-5)


def test_nothing_goes_back_over_the_start_of_a_sequence():
    layer, resets = Recurrence(GRUCell(H)), np.zeros((B, T), bool)
    resets[1, 5] = True
    lags = by_lag(*read(layer, last([T] * B), reset=resets), np.ones(B, bool))["state"]
    assert lags.lengths.tolist() == [T, T - 5, T]


def test_steps_after_the_loss_are_no_lags_and_rows_without_one_do_not_count():
    layer = Recurrence(GRUCell(H))
    early = lambda y: tf.reduce_sum(y[:2, 4] * tf.cast(W, y.dtype))  # noqa: E731
    lags = by_lag(*read(layer, early), np.array([True, True, False]))["state"]
    assert lags.norms.shape == (2, 5) and (lags.norms > 0).all()


def test_a_clock_is_no_memory():
    layer = Recurrence(PhasedLSTMCell(H))
    assert {*by_lag(*read(layer, last([T] * B)), np.ones(B, bool))} == {"state", "h", "c"}


def test_probes_change_nothing_and_go_again():
    stack = RecurrentStack("lstm", units=H, layers=2)
    x = tf.constant(X, "float32")
    before = stack(x)[0]
    with tf.GradientTape() as tape, probed(stack, tape) as readings:
        np.testing.assert_allclose(stack(x)[0], before, atol=1e-6)
    assert [reading.layer for reading in readings] == ["layer 1", "layer 2"]
    assert all("_run" not in vars(layer) for _, layer in recurrences(stack))
    np.testing.assert_array_equal(stack(x)[0], before)


def test_steps_taken_one_by_one_are_seen_as_the_whole_sequence():
    stack = RecurrentStack("gru", units=H)
    x = tf.constant(X, "float32")
    stack(x)

    class Stepping(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.stack = stack

        def call(self, x):
            state = stack.initial_state(B)
            for t in range(T):
                y, state = stack.step(x[:, t], state)
            return y[:, None], state

    norms = []
    for layer, ends in ((stack, [T] * B), (Stepping(), [1] * B)):
        with tf.GradientTape() as tape, probed(layer, tape) as readings:
            total = last(ends)(layer(x)[0])
        parts = tape.gradient(total, readings[0].probes)
        gradient = parts[0] if len(parts) == 1 else tf.stack(parts, axis=1)
        norms.append(by_lag(readings[0], gradient, np.ones(B, bool))["state"].norms)
    np.testing.assert_allclose(*norms, rtol=1e-5)


# The horizon


@pytest.mark.parametrize(("scale", "horizon"), [(1.0, None), (0.5, 8), (0.2, 4)])
def test_the_horizon_of_a_linear_layer_is_known(scale, horizon):
    x = np.random.default_rng(1).normal(size=(2, 12, D))
    (flow,), _ = flows(linear_layer(scale * orthogonal()), x)
    lags = flow.lags["state"]
    assert lags.horizon() == horizon and lags.factor == pytest.approx(scale, rel=1e-4)
    assert flow.verdict == ("lasts" if horizon is None else "vanishes")
    np.testing.assert_allclose(flow.radii, scale, rtol=1e-4)
    text = Diagnosis("it", "", [flow]).explanation
    assert ("all 12 steps" if horizon is None else f"from {horizon} of 12 steps") in text
    assert Diagnosis("it", "", [flow]).rows()[0]["under 1% from lag"] == (
        "more than 12" if horizon is None else str(horizon)
    )


def test_an_exploding_gradient_is_called_so():
    (flow,), _ = flows(linear_layer(2 * orthogonal()))
    assert flow.verdict == "explodes" and flow.lags["state"].growth == pytest.approx(2 ** (T - 1))
    assert "explodes" in Diagnosis("it", "", [flow]).explanation


def test_an_independent_network_of_ones_forgets_nothing():
    layer = Recurrence(IndRNNCell(H))
    layer.build((None, None, D))
    layer.cell.recurrent_kernel.assign(np.ones(H))
    layer.cell.bias.assign(np.full(H, 9.0))
    (flow,), _ = flows(layer)
    assert flow.lags["state"].horizon() is None
    np.testing.assert_allclose(flow.lags["state"].relative, 1, rtol=1e-6)


def test_a_loss_that_sees_no_state_is_not_called_vanishing():
    (flow,), _ = flows(Recurrence(GRUCell(H)), loss=lambda y: 0.0 * tf.reduce_sum(y))
    assert flow.verdict == "none" and Diagnosis("it", "", [flow]).rows()[0]["factor a step"] == ""


def test_a_gradient_that_is_no_number_is_refused():
    with pytest.raises(UserError, match="no finite number"):
        flows(linear_layer(np.full((H, H), np.inf)))


def test_a_dip_is_no_horizon_and_few_long_rows_do_not_speak_for_all():
    assert ByLag(np.array([[1, 0.001, 0.5, 0.001]])).horizon() == 4
    short, long = np.full((9, 3), np.nan), np.ones((1, 3))
    short[:, 0] = 1
    assert ByLag(np.concatenate([short, long])).horizon() is None


# The Jacobian and the gates


@pytest.mark.parametrize("exact", [128, 1], ids=["eigenvalues", "powers"])
def test_the_spectral_radius_of_a_known_matrix(exact):
    turn = 0.9 * np.array([[0.6, -0.8], [0.8, 0.6]])
    kernel = np.zeros((H, H))
    kernel[:2, :2], kernel[2:, 2:] = turn, 0.3 * np.eye(3)
    reading, _ = read(linear_layer(kernel), last([T] * B))
    np.testing.assert_allclose(spectral_radii(reading, exact=exact), 0.9, rtol=0.01)


def test_both_ways_to_a_radius_agree():
    reading, _ = read(Recurrence(LSTMCell(H)), last([T] * B))
    exact, powers = (spectral_radii(reading, exact=exact) for exact in (128, 1))
    np.testing.assert_allclose(exact, powers, rtol=0.03)


def test_padding_is_in_no_measure():
    layer = Recurrence(GRUCell(H))
    whole, _ = read(layer, last(LENGTHS), lengths=LENGTHS)
    x = X.copy()
    x[np.arange(T) >= LENGTHS[:, None]] = 1e3
    other, _ = read(layer, last(LENGTHS), x, lengths=LENGTHS)
    assert saturations(whole) == saturations(other)
    np.testing.assert_array_equal(spectral_radii(whole), spectral_radii(other))


def test_the_gates_of_an_lstm_have_their_names():
    layer = Recurrence(LSTMCell(H))
    layer.build((None, None, D))
    layer.cell.bias.assign(np.repeat([20.0, -20.0, 0.0, 0.0], H))
    gates = saturations(read(layer, last([T] * B))[0])
    assert {*gates} == {"f", "i", "o"}
    assert gates["f"]["high"] == gates["i"]["low"] == 1 and gates["f"]["low"] == 0
    assert gates["o"]["high"] + gates["o"]["low"] < 0.2


def test_the_gates_of_every_cell_are_as_many_as_their_names():
    for name in registry.entries("cell"):
        cell = build_cell(name, 8, 8)
        z = np.zeros((1, cell.project(np.zeros((1, 8), "float32")).shape[-1]), "float32")
        gates = gate_activations(cell, z, np.zeros((1, sum(cell.state_size)), "float32"))
        names = " ".join(cell.gate_names).split()
        assert not names or [*gates] == names, name


@pytest.mark.parametrize(
    "name",
    [
        n if n in ("lru", "gru_reset_before") else pytest.param(n, marks=pytest.mark.slow)
        for n in sorted(registry.entries("cell"))
    ],
)
def test_every_cell_can_be_diagnosed(name):
    layer = Recurrence(build_cell(name, 8, 8))
    x = np.random.default_rng(1).normal(size=(2, 5, 8))
    (flow,), _ = flows(layer, x, lambda y: tf.reduce_sum(y[:, -1]))
    assert flow.lags["state"].norms.shape == (2, 5) and np.isfinite(flow.radii).all()
    assert len(flow.radii) and flow.to_json()["gradient"]["state"]["by_lag"][0] == 1


def test_a_cell_of_keras_is_diagnosed_as_its_twin():
    ours, theirs = Recurrence(VanillaRNNCell(H)), Recurrence(keras.layers.SimpleRNNCell(H))
    x = tf.constant(X, "float32")
    ours(x), theirs(x)
    theirs.cell.set_weights(ours.cell.get_weights())
    (one,), _ = flows(ours)
    (other,), _ = flows(theirs)
    np.testing.assert_allclose(one.lags["state"].norms, other.lags["state"].norms, rtol=1e-4)
    np.testing.assert_allclose(one.radii, other.radii, rtol=1e-4)


# Models


def test_a_window_counts_the_last_target_of_each_row_only():
    model = zoo.create("char-lstm", vocab_size=9, embedding=6, units=7, layers=2, dropout=0.0)
    rng = np.random.default_rng(1)
    window = {
        "inputs": rng.integers(0, 9, (B, T)).astype("int32"),
        "targets": rng.integers(0, 9, (B, T)).astype("int32"),
        "weights": (np.arange(T) < np.array([9, 6, 0])[:, None]).astype("float32"),
        "reset": np.eye(1, T, dtype="int32").repeat(B, axis=0),
    }
    loss = window_loss(model, CrossEntropy(), [window])
    logits = model(window["inputs"])
    nll = -tf.nn.log_softmax(logits).numpy()
    expected = [nll[b, t, window["targets"][b, t]] for b, t in ((0, 8), (1, 5))]
    total, rows = loss(False)
    assert float(total) == pytest.approx(sum(expected), rel=1e-5)
    assert rows.tolist() == [True, True, False]
    measured, _ = flows_of(model, loss, "start")
    assert [flow.layer for flow in measured] == ["layer 1", "layer 2"]
    assert measured[0].lags["state"].lengths.tolist() == [9, 6]


@pytest.mark.slow
def test_memory_grows_with_the_steps_that_a_gradient_goes_back():
    reading, _ = read(Recurrence(VanillaRNNCell(H)), last([8] * B), X[:, :8])
    costs = prices([reading], 8)
    assert [price.steps for price in costs] == [1, 2, 4, 8]
    assert costs[-1].bytes == 8 * costs[0].bytes and all(price.seconds > 0 for price in costs)
