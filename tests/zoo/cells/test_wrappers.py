"""Wrapped cells: plain computations at inference, masks in training, gradients, files."""

import json
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit as sigmoid

from zoo.cells.base import Cell, HiddenState
from zoo.cells.gru import GRUCell
from zoo.cells.linear import MinGRUCell
from zoo.cells.lstm import LSTMCell
from zoo.cells.wrappers import (
    CellWrapper,
    HighwayCell,
    RecurrentWeightDrop,
    ResidualCell,
    VariationalDropoutCell,
    ZoneoutCell,
)
from zoo.recurrence import Recurrence

pytestmark = pytest.mark.compiled
B, T, H = 3, 5, 4
WRAPPERS = {
    "zoneout": lambda cell: ZoneoutCell(cell, 0.3, seed=1),
    "residual": ResidualCell,
    "highway": HighwayCell,
    "weight drop": lambda cell: RecurrentWeightDrop(cell, 0.3, seed=1),
    "variational": lambda cell: VariationalDropoutCell(cell, 0.3, seed=1),
    "nested": lambda cell: HighwayCell(VariationalDropoutCell(ZoneoutCell(cell, 0.2), 0.3)),
}
every_wrapper = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=list(WRAPPERS))
every_cell = pytest.mark.parametrize("make_cell", [LSTMCell, GRUCell])


class KerasCell(keras.layers.Layer):
    """A wrapper that does not look like a zoo cell, so that the ordinary loop runs."""

    def __init__(self, cell):
        super().__init__(dtype=cell.dtype_policy)
        self.cell, self.state_size, self.output_size = cell, cell.state_size, cell.output_size
        self.get_initial_state = cell.get_initial_state

    def call(self, inputs, states):
        return self.cell.call(inputs, states)


def random(*shape):
    return tf.constant(np.random.default_rng(shape).normal(size=shape))


def make(cell, size=H):
    recurrence = Recurrence(cell)
    recurrence.build((None, None, size))
    for weight in recurrence.weights:
        weight.assign(0.7 * random(*weight.shape))
    return recurrence


def random_state(cell, batch=B):
    return cell.State(*(random(batch, size) + n for n, size in enumerate(cell.state_size)))


def results(function, x, state, weights):
    sources = [x, *state, *[weight.value for weight in weights]]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        y, final = function(x, state)
        values = [y, *final]
        loss = tf.add_n([tf.reduce_sum(value * random(*value.shape)) for value in values])
    return [*values, *tape.gradient(loss, sources, unconnected_gradients="zero")]


def assert_equal(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@every_cell
@every_wrapper
def test_the_hand_derived_gradient_equals_the_ordinary_loop(wrap, make_cell):
    recurrence = make(wrap(make_cell(H, dtype="float64")))
    ordinary = Recurrence(KerasCell(recurrence.cell))
    arguments = {"lengths": [5, 0, 3], "reset": [0, 0, 1]}
    x, state, weights = random(B, T, H), random_state(recurrence.cell), recurrence.weights
    assert_equal(
        results(lambda x, s: recurrence(x, s, **arguments), x, state, weights),
        results(lambda x, s: ordinary(x, s, **arguments), x, state, weights),
    )


@every_cell
def test_zoneout_at_inference_moves_by_the_expectation(make_cell):
    recurrence = make(ZoneoutCell(make_cell(H, dtype="float64"), 0.3))
    cell, x = recurrence.cell.cell, random(B, T, H)
    state = start = random_state(cell)
    y, final = recurrence(x, start)
    for t in range(T):
        _, new = cell(x[:, t], state)
        state = cell.State(*(0.3 * old + 0.7 * s for old, s in zip(state, new)))
        np.testing.assert_allclose(y[:, t], state.h)
    assert_equal(final, state)


@every_cell
def test_residual_adds_the_input_to_the_output_alone(make_cell):
    recurrence = make(ResidualCell(make_cell(H, dtype="float64")))
    x = random(B, T, H)
    (y, final), (plain, plain_final) = recurrence(x), Recurrence(recurrence.cell.cell)(x)
    assert_equal([y, *final], [plain + x, *plain_final])


@every_cell
def test_highway_gates_between_output_and_input(make_cell):
    recurrence = make(HighwayCell(make_cell(H, dtype="float64")))
    cell, x = recurrence.cell, random(B, T, H)
    (y, final), (plain, plain_final) = recurrence(x), Recurrence(cell.cell)(x)
    t = sigmoid(x.numpy() @ cell.gate_kernel.numpy() + cell.gate_bias.numpy())
    assert_equal([y, *final], [plain * t + x * (1 - t), *plain_final])


@every_cell
@pytest.mark.parametrize("wrapper", [RecurrentWeightDrop, VariationalDropoutCell])
def test_dropout_changes_nothing_at_inference(wrapper, make_cell):
    recurrence = make(wrapper(make_cell(H, dtype="float64"), 0.3))
    x = random(B, T, H)
    (y, final), (plain, plain_final) = recurrence(x), Recurrence(recurrence.cell.cell)(x)
    assert_equal([y, *final], [plain, *plain_final])


def test_zoneout_in_training_keeps_a_share_of_old_values_at_each_step_anew():
    cell = ZoneoutCell(LSTMCell(8, dtype="float64"), 0.3, seed=1)
    recurrence = make(cell, 8)
    x, start = random(64, 20, 8), random_state(cell, 64)
    y, _ = recurrence(x, start, training=True)
    before = np.concatenate([start.h[:, None], y[:, :-1]], axis=1)
    kept = y.numpy() == before
    np.testing.assert_allclose(kept.mean(), 0.3, atol=0.02)
    assert not np.array_equal(kept[:, 0], kept[:, 1])


def trained_sequence(recurrence):
    """Inputs, initial state and outputs in training; the same masks can then be drawn again."""
    wrapper, x = recurrence.cell, random(B, T, H)
    start = random_state(wrapper)
    seed = tf.identity(wrapper.seed_generator.state.value)
    y, _ = recurrence(x, start, training=True)
    wrapper.seed_generator.state.assign(seed)
    return x, start, y


@every_cell
def test_weight_drop_in_training_uses_one_mask_for_all_steps(make_cell):
    recurrence = make(RecurrentWeightDrop(make_cell(H, dtype="float64"), 0.5, seed=1))
    x, state, y = trained_sequence(recurrence)
    wrapper, cell = recurrence.cell, recurrence.cell.cell
    weights = wrapper.recurrent_weights(training=True)
    for t in range(T):
        recur = lambda v, k=0: cell.product(v, weights[k])  # noqa: E731
        expected, state = cell.update(cell.project(x[:, t]), state, recur)
        np.testing.assert_allclose(y[:, t], expected)


def test_weight_drop_spares_biases_and_drops_its_share():
    wrapper = RecurrentWeightDrop(GRUCell(32), 0.4, seed=1)
    wrapper.build((None, 3))
    wrapper.cell.recurrent_bias.assign(np.ones(96))
    ((kernel, bias),) = wrapper.recurrent_weights(training=True)
    np.testing.assert_array_equal(bias, np.ones(96))
    dropped = kernel.numpy() == 0
    np.testing.assert_allclose(dropped.mean(), 0.4, atol=0.03)
    whole = wrapper.cell.recurrent_kernel.numpy()
    np.testing.assert_allclose(kernel, np.where(dropped, 0, whole / 0.6), rtol=1e-6)


def test_variational_masks_are_the_same_at_all_steps_and_differ_between_rows():
    cell = VariationalDropoutCell(LSTMCell(16), 0.4, seed=1)
    cell.build((None, 8))
    z = cell.project(tf.ones((T, 64, 8)), training=True).numpy()
    np.testing.assert_array_equal(z, np.broadcast_to(z[:1], z.shape))
    masks = z[0, :, -16:]
    np.testing.assert_allclose(np.unique(masks), [0, 1 / 0.6], rtol=1e-6)
    np.testing.assert_allclose((masks == 0).mean(), 0.4, atol=0.05)
    assert len(np.unique(masks, axis=0)) == 64


@every_cell
def test_variational_dropout_masks_inputs_and_recurrent_operands(make_cell):
    recurrence = make(VariationalDropoutCell(make_cell(H, dtype="float64"), 0.5, seed=1))
    x, state, y = trained_sequence(recurrence)
    wrapper, cell = recurrence.cell, recurrence.cell.cell
    x_mask, h_mask = wrapper._mask(x[:, 0], H), wrapper._mask(x[:, 0], H)
    weights = cell.recurrent_weights()
    for t in range(T):
        recur = lambda v, k=0: cell.product(v * h_mask, weights[k])  # noqa: E731
        expected, state = cell.update(cell.project(x[:, t] * x_mask), state, recur)
        np.testing.assert_allclose(y[:, t], expected)


# Compiling takes long: all in the slow suite. In the nested one are three of the others.
QUICK = {"zoneout-lstm-compiled", "weight drop-gru-compiled", "nested-gru-compiled"}
WAYS = [
    pytest.param(wrap, cell, run, marks=[] if quick else pytest.mark.slow, id=case)
    for key, wrap in WRAPPERS.items()
    for way, run in (("plain", lambda f: f), ("compiled", tf.function))
    for name, cell in (("lstm", LSTMCell), ("gru", GRUCell))
    for case in [f"{key}-{name}-{way}"]
    for quick in [case in QUICK or (way, name) == ("plain", "lstm")]
]


@pytest.mark.slow
@pytest.mark.parametrize(("wrap", "make_cell", "run"), WAYS)
def test_the_gradient_in_training_equals_that_of_the_same_masks_step_by_step(wrap, make_cell, run):
    recurrence = make(wrap(make_cell(H, dtype="float64")))
    cell, x = recurrence.cell, random(B, T, H)
    generators = [layer.seed_generator for layer in layers_of(cell)]
    seeds = [tf.identity(generator.state.value) for generator in generators]

    def stepped(x, state):
        z = cell.project(tf.transpose(x, [1, 0, 2]), training=True)
        weights, ys = cell.recurrent_weights(training=True), []
        for t in range(T):
            y, state = cell.update(z[t], state, lambda v, k=0: cell.product(v, weights[k]))
            ys.append(y)
        return tf.stack(ys, axis=1), state

    def all_results(function):
        for generator, seed in zip(generators, seeds):
            generator.state.assign(seed)
        return results(function, x, random_state(cell), recurrence.weights)

    def in_training(x, state):
        y, final = recurrence(x, state, training=True)
        # A call at inference before the gradient is taken must not matter.
        recurrence(x, state, training=False)
        return y, final

    assert_equal(run(lambda: all_results(in_training))(), all_results(stepped))


def layers_of(cell):
    """The random ones among a wrapper and those inside it."""
    while hasattr(cell, "cell"):
        if hasattr(cell, "seed_generator"):
            yield cell
        cell = cell.cell


@every_wrapper
def test_a_keras_file_gives_the_same_model(wrap, tmp_path):
    x = keras.Input((None, H))
    y, state = Recurrence(wrap(LSTMCell(H)))(x)
    model = keras.Model(x, [y, *state])
    model.save(tmp_path / "model.keras")
    data = tf.cast(random(B, T, H), "float32")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for before, after in zip(model(data), loaded(data), strict=True):
        np.testing.assert_array_equal(before, after)


@every_wrapper
def test_the_config_survives_json(wrap):
    config = Recurrence(wrap(GRUCell(H, dtype="float64"))).get_config()
    assert Recurrence.from_config(json.loads(json.dumps(config))).get_config() == config


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ZoneoutCell(LSTMCell(4), 1.0),
        lambda: ZoneoutCell("lstm", 0.1),
        lambda: ResidualCell(LSTMCell(4)).build((None, 3)),
        lambda: HighwayCell(LSTMCell(4)).build((None, 3)),
        lambda: RecurrentWeightDrop(MinGRUCell(4), 0.1).build((None, 3)),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(wrong):
    with pytest.raises(ValueError, match=r"^[^\n]+ needed[^\n]*$"):
        wrong()


class Doubled(CellWrapper):
    """A wrapper from elsewhere, which writes none of the pieces that draw."""

    def update(self, z, state, recur):
        y, new = super().update(z, state, recur)
        return 2 * y, new


def droppers():
    """Layers that drop, each with the outputs of a call."""
    cell = lambda: VariationalDropoutCell(ResidualCell(ZoneoutCell(GRUCell(5), 0.4)), 0.5)  # noqa: E731
    doubled = lambda: Doubled(RecurrentWeightDrop(GRUCell(5), 0.5))  # noqa: E731
    for make_cell in (cell, doubled):
        yield Recurrence(make_cell()), lambda y: y[0]
        yield keras.layers.RNN(make_cell(), return_sequences=True), lambda y: y
        x = keras.Input((3, 5))
        y, _ = Recurrence(make_cell())(x)
        yield keras.Model(x, keras.layers.RNN(make_cell())(y)), lambda y: y


@pytest.mark.parametrize("layer,outputs", droppers())
def test_calls_in_training_and_at_inference_do_not_touch_each_other(layer, outputs):
    x = np.random.default_rng(1).normal(size=(2, 3, 5)).astype("float32")
    still = np.array(outputs(layer(x)))
    for _ in range(2):
        assert np.any(np.array(outputs(layer(x, training=True))) != still)
        np.testing.assert_array_equal(outputs(layer(x, training=False)), still)
        np.testing.assert_array_equal(outputs(layer(x)), still)


@pytest.mark.slow
@pytest.mark.parametrize("layer,outputs", droppers())
def test_two_threads_in_both_modes_do_not_touch_each_other(layer, outputs):
    x = np.random.default_rng(1).normal(size=(2, 3, 5)).astype("float32")
    still = np.array(outputs(layer(x)))

    def run(training):
        return [np.array(outputs(layer(x, training=training))) for _ in range(15)]

    with ThreadPoolExecutor(2) as pool:
        drops, stills = pool.map(run, (True, False))
    assert all(np.any(y != still) for y in drops)
    for y in stills:
        np.testing.assert_array_equal(y, still)


class DropsItsInputs(Cell):
    """A cell that draws, written as any other."""

    def __init__(self, units, **kwargs):
        super().__init__(units, **kwargs)
        self.seeds = keras.random.SeedGenerator(1)

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, self.units)
        )

    def project(self, x, training=False):
        if training:
            x = keras.random.dropout(x, 0.5, seed=self.seeds)
        return keras.ops.matmul(x, self.kernel)

    def update(self, z, state, recur):
        h = keras.ops.tanh(z + recur(state.h))
        return h, HiddenState(h)


@pytest.mark.parametrize("run", [lambda f: f, tf.function], ids=["plain", "compiled"])
def test_a_cell_that_draws_in_project_has_the_gradient_of_what_it_drew(run):
    recurrence = Recurrence(DropsItsInputs(4, dtype="float64"))
    x = random(B, T, H)
    recurrence(x)
    np.testing.assert_array_equal(recurrence(x)[0], recurrence(x)[0])
    seed = tf.identity(recurrence.cell.seeds.state.value)

    def gradients(layer):
        recurrence.cell.seeds.state.assign(seed)
        sources = [x, *[w.value for w in recurrence.trainable_weights]]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            z = layer(x)
        return [z, *tape.gradient(z, sources)]

    def plain(x):
        z = recurrence.cell.project(tf.transpose(x, [1, 0, 2]), training=True)
        h = tf.zeros((B, 4), "float64")
        for t in range(T):
            h = tf.tanh(z[t] + h @ recurrence.cell.recurrent_kernel.value)
        return h

    ours = run(lambda: gradients(lambda x: recurrence(x, training=True)[1].h))()
    assert_equal(ours, gradients(plain))


def test_a_wrapper_that_would_switch_off_what_is_inside_is_refused():
    with pytest.raises(TypeError, match=r"^Deaf.project takes no training: [^\n]+$"):

        class Deaf(CellWrapper):
            def project(self, x):
                return super().project(x)


def test_a_recurrence_drops_in_training_alone():
    recurrence = Recurrence(VariationalDropoutCell(GRUCell(4), 0.5))
    x = np.ones((2, 3, 5), "float32")
    np.testing.assert_array_equal(recurrence(x)[0], recurrence(x, training=False)[0])
    assert np.any(recurrence(x, training=True)[0] != recurrence(x)[0])
