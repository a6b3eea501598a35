"""What holds for every registered cell, whoever wrote it."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import registry
from zoo.recurrence import Recurrence

pytestmark = pytest.mark.compiled

CELLS = sorted(registry.entries("cell"))
B, T, D, H = 4, 7, 8, 4

every_cell = pytest.mark.parametrize("name", CELLS)
# In the quick suite every cell is held against its rows stepped by hand, with all gradients. For
# the rest, which takes long, the cells that most models are made of, one whose state is a matrix,
# and one that is scanned in parallel.
QUICK = ("vanilla_rnn", "lstm", "gru", "mlstm", "lru")
every_cell_some_quick = pytest.mark.parametrize(
    "name",
    [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in CELLS],
)
# Flags, directions and single steps are the engine's business: every cell meets all flags at once
# on its way back, and one cell of each kind (one product, several products, linear) the whole grid.
KINDS = ("lstm", "gru_reset_before", "min_gru")
DIRECTIONS = {"forward": False, "reverse": True}


def every_cell_and_each_kind(kinds, cells, quick=QUICK):
    """Each cell with those of `cells`, and one cell of each kind with all of `kinds`, by id."""

    def is_quick(name, key):
        """In the quick suite one cell meets the whole grid."""
        return name == KINDS[0] or (name in quick and key in cells)

    return [
        pytest.param(
            name,
            *values,
            id=f"{name}-{key}",
            marks=[] if is_quick(name, key) else pytest.mark.slow,
        )
        for name in CELLS
        for key, values in kinds.items()
        if name in KINDS or key in cells
    ]


every_cell_both_ways = pytest.mark.parametrize(
    ("name", "reverse"),
    [
        pytest.param(
            name,
            reverse,
            id=f"{name}-{key}",
            marks=[] if name in (*KINDS, *QUICK) else pytest.mark.slow,
        )
        for key, reverse in DIRECTIONS.items()
        for name in (CELLS if reverse else KINDS)
    ],
)

LENGTHS = np.array([7, 0, 4, 1])
RESET_ROWS = np.array([1, 1, 0, 0])
RESET_STEPS = np.array(
    [  # flags at the first and last step, two in a row, and past the end of a row
        [1, 0, 0, 1, 1, 0, 1],
        [1, 0, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 1, 1, 1],
        [0, 1, 0, 0, 0, 0, 0],
    ]
)
SEQUENCES = {
    "whole": {},
    "lengths": {"lengths": LENGTHS},
    "reset rows": {"reset": RESET_ROWS},
    "reset steps": {"reset": RESET_STEPS},
    "lengths and reset rows": {"lengths": LENGTHS, "reset": RESET_ROWS},
    "lengths and reset steps": {"lengths": LENGTHS, "reset": RESET_STEPS},
}


def cells_and_sequences(quick):
    kinds = {
        f"{kind}-{direction}": (arguments, reverse)
        for kind, arguments in SEQUENCES.items()
        for direction, reverse in DIRECTIONS.items()
    }
    cells = ["lengths and reset steps-reverse"]
    return pytest.mark.parametrize(
        ("name", "arguments", "reverse"), every_cell_and_each_kind(kinds, cells, quick)
    )


@keras.saving.register_keras_serializable("tests")
class KerasCell(keras.layers.Layer):
    """A zoo cell that does not look like one, so that `Recurrence` takes the ordinary loop."""

    def __init__(self, cell):
        super().__init__(dtype=cell.dtype_policy)
        self.cell, self.state_size, self.output_size = cell, cell.state_size, cell.output_size
        self.get_initial_state = cell.get_initial_state

    def build(self, input_shape):
        if not self.cell.built:
            self.cell.build(input_shape)

    def call(self, inputs, states):
        return self.cell.call(inputs, states)


def random(*shape):
    return tf.constant(np.random.default_rng(shape).normal(size=shape))


def make(name, reverse=False, units=H):
    """A recurrence in float64 whose weights, biases too, are all different from zero."""
    recurrence = Recurrence(registry.load("cell", name)(units, dtype="float64"), reverse)
    recurrence.build((None, None, D))
    for weight in recurrence.weights:
        weight.assign(0.7 * random(*weight.shape))
    return recurrence


def random_state(recurrence, batch=B):
    state = recurrence.initial_state(batch)
    flat = [random(*part.shape) + n for n, part in enumerate(tf.nest.flatten(state))]
    return tf.nest.pack_sequence_as(state, flat)


def results(function, x, state, weights):
    """Outputs, final state, and the gradients of a random mixture of them in everything."""
    sources = [x, *tf.nest.flatten(state), *[weight.value for weight in weights]]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        y, final = function(x, state)
        values = [y, *tf.nest.flatten(final)]
        loss = tf.add_n([tf.reduce_sum(value * random(*value.shape)) for value in values])
    gradients = tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return [*values, *gradients]


def assert_equal(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


def row_by_row(cell, x, state, reverse, lengths=None, reset=None):
    """The meaning of lengths, reset and reverse, spelled out for one row and step at a time."""
    batch, time, _ = x.shape
    lengths = np.full(batch, time) if lengths is None else lengths
    flags = np.zeros((batch, time), bool) if reset is None else np.array(reset, bool)
    if flags.ndim == 1:
        flags = flags[:, None] & (np.arange(time) == 0)
    rows = []
    for b in range(batch):
        row_state = tf.nest.map_structure(lambda part, b=b: part[b : b + 1], state)
        ys = [tf.zeros((1, cell.output_size), x.dtype)] * time
        steps = list(range(lengths[b]))
        for t in reversed(steps) if reverse else steps:
            # A sequence starts at a flag: forwards it is entered there, backwards left there.
            entered = t + 1 < lengths[b] and flags[b, t + 1] if reverse else flags[b, t]
            if entered:
                row_state = cell.get_initial_state(1)
            ys[t], row_state = cell(x[b : b + 1, t], row_state)
        rows.append((tf.stack(ys, axis=1), row_state))
    return tf.nest.map_structure(lambda *parts: tf.concat(parts, axis=0), *rows)


@cells_and_sequences(quick=CELLS)
def test_a_sequence_equals_each_row_stepped_by_hand(name, arguments, reverse):
    recurrence = make(name, reverse)
    x, state, weights = random(B, T, D), random_state(recurrence), recurrence.weights
    assert_equal(
        results(lambda x, s: recurrence(x, s, **arguments), x, state, weights),
        results(
            lambda x, s: row_by_row(recurrence.cell, x, s, reverse, **arguments), x, state, weights
        ),
    )


@cells_and_sequences(QUICK)
def test_the_hand_derived_gradient_equals_the_ordinary_loop(name, arguments, reverse):
    recurrence = make(name, reverse)
    ordinary = Recurrence(KerasCell(recurrence.cell), reverse)
    x, state, weights = random(B, T, D), random_state(recurrence), recurrence.weights
    assert_equal(
        results(lambda x, s: recurrence(x, s, **arguments), x, state, weights),
        results(lambda x, s: ordinary(x, s, **arguments), x, state, weights),
    )


@pytest.mark.parametrize(
    ("name", "time"), every_cell_and_each_kind({"one": (1,), "many": (T,)}, ["many"])
)
def test_a_sequence_equals_step_after_step(name, time):
    recurrence = make(name)
    x, state, weights = random(B, time, D), random_state(recurrence), recurrence.weights

    def stepped(x, state):
        ys = []
        for t in range(time):
            y, state = recurrence.step(x[:, t], state)
            ys.append(y)
        return tf.stack(ys, axis=1), state

    assert_equal(results(recurrence, x, state, weights), results(stepped, x, state, weights))


@pytest.mark.parametrize(
    ("name", "reverse", "time"),
    every_cell_and_each_kind(
        {f"{key}-{t}": (reverse, t) for key, reverse in DIRECTIONS.items() for t in (1, T)},
        [f"forward-{T}"],
    ),
)
def test_a_cell_runs_in_keras_rnn_and_equals_recurrence(name, reverse, time):
    recurrence = make(name, reverse)
    rnn = keras.layers.RNN(
        recurrence.cell,
        return_sequences=True,
        return_state=True,
        go_backwards=reverse,
        dtype="float64",
    )

    def in_keras(x, state):
        y, *final = rnn(x, initial_state=list(state))
        return (y[:, ::-1] if reverse else y), final

    x, state, weights = random(B, time, D), random_state(recurrence), recurrence.weights
    assert_equal(results(recurrence, x, state, weights), results(in_keras, x, state, weights))


@every_cell_some_quick
def test_lengths_mean_what_a_keras_mask_means(name):
    recurrence = make(name)
    rnn = keras.layers.RNN(
        recurrence.cell,
        return_sequences=True,
        return_state=True,
        zero_output_for_mask=True,
        dtype="float64",
    )

    def in_keras(x, state):
        y, *final = rnn(x, initial_state=list(state), mask=tf.sequence_mask(LENGTHS, T))
        return y, final

    x, state, weights = random(B, T, D), random_state(recurrence), recurrence.weights
    assert_equal(
        results(lambda x, s: recurrence(x, s, lengths=LENGTHS), x, state, weights),
        results(in_keras, x, state, weights),
    )


@every_cell_some_quick
def test_the_gradient_equals_central_finite_differences(name):
    """Along random directions, each of which moves every element of a variable."""
    recurrence = make(name, units=2)
    state = recurrence.initial_state(B)
    flat = [tf.Variable(random(*part.shape)) for part in tf.nest.flatten(state)]
    variables = [tf.Variable(random(B, T, D)), *flat, *[w.value for w in recurrence.weights]]

    @tf.function
    def loss():
        y, final = recurrence(
            variables[0],
            tf.nest.pack_sequence_as(state, [tf.identity(part) for part in flat]),
            lengths=LENGTHS,
            reset=RESET_STEPS,
        )
        values = [y, *tf.nest.flatten(final)]
        return tf.add_n([tf.reduce_sum(value * random(*value.shape)) for value in values])

    with tf.GradientTape() as tape:
        tape.watch(variables)  # those that are not trained, too
        value = loss()
    for variable, gradient in zip(variables, tape.gradient(value, variables), strict=True):
        for seed in range(3):
            direction = np.random.default_rng(seed).normal(size=variable.shape)
            numeric = finite_difference(loss, variable, direction)
            slope = np.sum(direction * tf.convert_to_tensor(gradient).numpy())
            np.testing.assert_allclose(slope, numeric, rtol=1e-6, atol=1e-7)


def finite_difference(loss, variable, direction, epsilon=3e-6):
    """(f(v + εd) - f(v - εd)) / 2ε for a direction d."""
    start, moved = variable.numpy(), []
    for sign in (1, -1):
        variable.assign(start + sign * epsilon * direction)
        moved.append(loss().numpy())
    variable.assign(start)
    return (moved[0] - moved[1]) / (2 * epsilon)


@pytest.fixture(params=["plain", pytest.param("compiled", marks=pytest.mark.slow)])
def loop(request):
    """The plain loop alone, or the compiled one beside it in the same graph."""
    if request.param == "plain":
        request.getfixturevalue("plain_loop")


@every_cell_both_ways
def test_one_graph_serves_every_batch_size_and_number_of_steps(loop, name, reverse):
    recurrence = make(name, reverse)
    signature = [
        tf.TensorSpec([None, None, D], "float64"),
        tf.TensorSpec([None], "int32"),
        tf.TensorSpec([None, None], "bool"),
    ]

    def run(x, lengths, reset):
        state = recurrence.initial_state(tf.shape(x)[0])
        weights = [weight.value for weight in recurrence.weights]
        with tf.GradientTape() as tape:
            tape.watch(weights)
            y, final = recurrence(x, state, lengths=lengths, reset=reset, training=True)
            loss = tf.reduce_sum(y**2) + tf.add_n([tf.reduce_sum(f) for f in tuple(final)])
        return [y, *final, *tape.gradient(loss, weights)]

    graph = tf.function(run, input_signature=signature)
    for batch, time in [(B, T), (1, 1)]:
        data = (
            random(batch, time, D),
            tf.constant(np.minimum(LENGTHS[:batch], time), "int32"),
            tf.constant(RESET_STEPS[:batch, :time], "bool"),
        )
        assert_equal(graph(*data), run(*data))


@pytest.mark.parametrize(
    "name",
    [n if n in ("lstm", "lru") else pytest.param(n, marks=pytest.mark.slow) for n in CELLS],
)
def test_a_compiled_training_step_equals_the_plain_loop(name):
    recurrence = make(name, reverse=True)
    x, state, weights = random(B, T, D), random_state(recurrence), recurrence.weights

    def run(x, state, training):
        call = lambda x, s: recurrence(  # noqa: E731
            x, s, lengths=LENGTHS, reset=RESET_STEPS, training=training
        )
        return results(call, x, state, weights)

    assert_equal(tf.function(run)(x, state, True), run(x, state, False))


@every_cell_some_quick
def test_a_keras_model_with_lengths_and_reset_survives_a_keras_file(name, tmp_path):
    x = keras.Input((None, D))
    lengths, reset = keras.Input((), dtype="int32"), keras.Input((None,), dtype="bool")
    cell = registry.load("cell", name)(H)
    y, state = Recurrence(cell, reverse=True)(x, lengths=lengths, reset=reset)
    model = keras.Model([x, lengths, reset], [y, *state])
    model.save(tmp_path / "model.keras")
    data = [tf.cast(random(B, T, D), "float32"), tf.constant(LENGTHS), tf.constant(RESET_STEPS > 0)]
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for before, after in zip(model(data), loaded(data), strict=True):
        np.testing.assert_array_equal(before, after)


@every_cell
def test_the_config_survives_json(name):
    config = Recurrence(registry.load("cell", name)(H, dtype="float64"), reverse=True).get_config()
    again = Recurrence.from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    recurrence = make(name, reverse=True)
    again.build((None, None, D))
    again.set_weights(recurrence.get_weights())
    x = random(B, T, D)
    np.testing.assert_array_equal(again(x)[0], recurrence(x)[0])


# Three bits less, errors eight times as large.
@pytest.mark.parametrize(
    ("half_type", "rtol", "atol"), [(tf.float16, 0.005, 0.02), (tf.bfloat16, 0.04, 0.16)]
)
@every_cell_some_quick
def test_half_precision_agrees_with_double_to_its_own_precision(name, half_type, rtol, atol):
    recurrence = make(name)
    half = Recurrence(registry.load("cell", name)(H, dtype=f"mixed_{half_type.name}"))
    half.build((None, None, D))
    half.set_weights(recurrence.get_weights())
    y, state = half(random(B, T, D), lengths=LENGTHS, reset=RESET_STEPS)
    assert {part.dtype for part in (y, *tf.nest.flatten(state))} == {half_type}
    expected, _ = recurrence(random(B, T, D), lengths=LENGTHS, reset=RESET_STEPS)
    np.testing.assert_allclose(tf.cast(y, "float64"), expected, rtol=rtol, atol=atol)


@every_cell
@pytest.mark.filterwarnings("error")
def test_a_model_that_builds_nothing_itself_makes_the_weights(name):
    """Keras then asks for them in the middle of a graph, and only warns if there is an error."""

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.recurrence = Recurrence(registry.load("cell", name)(H))

        def call(self, inputs):
            return self.recurrence(inputs)[0]

    model = Model()
    assert np.isfinite(model(tf.ones((B, T, D)))).all() and model.weights


@every_cell
def test_the_initial_state_is_zero_and_the_default(name):
    recurrence = make(name)
    state = recurrence.initial_state(B)
    assert all(part.shape[0] == B and not np.any(part) for part in tf.nest.flatten(state))
    x = random(B, T, D)
    np.testing.assert_array_equal(recurrence(x)[0], recurrence(x, initial_state=state)[0])


@every_cell
def test_a_cell_states_its_equation_and_its_source(name):
    entry = registry.get("cell", name)
    documentation = registry.load("cell", name).__doc__
    assert "=" in entry.summary and "_t" in entry.summary
    assert "Source:" in documentation
    assert "arXiv:" in entry.info["paper"] or "doi:" in entry.info["paper"]


@pytest.mark.parametrize("units", [0, -3, 2.5, "8"])
@every_cell
def test_a_size_that_is_not_a_positive_integer_is_refused(name, units):
    with pytest.raises(ValueError, match=r"units is .*, but a positive integer is needed"):
        registry.load("cell", name)(units)
