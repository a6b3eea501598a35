"""Steps from one memory with products computed once are the stack's own steps."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.attending import AttendingStack
from zoo.layers.attending_steps import FoldedSteps, can_fold

ROWS, PLACES, SIZE, CONTEXT = 3, 6, 5, 7
STACKS = {
    "additive": {"cell": "gru"},
    "additive, gated, two residual layers": {
        "cell": "lstm", "layers": 2, "gated": True, "residual": True,
    },
    "dot": {"cell": "gru", "kind": "dot", "units": CONTEXT},
    "scaled, gated": {"cell": "lstm", "kind": "scaled", "gated": True},
    "multiplicative, no feeding, any cell": {
        "cell": "multiplicative_lstm", "kind": "multiplicative", "feeding": False,
    },
}  # fmt: skip


def made(options, dtype=None):
    keras.utils.set_random_seed(4)
    stack = AttendingStack(**{"units": 4, "memory_size": CONTEXT, "dtype": dtype, **options})
    stack.build((None, None, SIZE))
    return stack


def starting(stack, repeats=1):
    rng = np.random.default_rng(5)
    values = rng.normal(size=(ROWS, PLACES, CONTEXT)).astype("float32")
    # The last row has no place.
    memory = stack.attention.remember(np.repeat(values, repeats, 0), np.repeat([6, 4, 0], repeats))
    vectors = rng.normal(size=(ROWS * repeats, sum(stack.part_sizes))).astype("float32")
    x = rng.normal(size=(4, ROWS * repeats, SIZE)).astype("float32")
    return x, stack.start_from(memory, tf.cast(vectors, stack.compute_dtype))


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("name", STACKS)
def test_folded_steps_are_the_plain_ones(name, width):
    """Two rows may look at one row of the memory, which then is not repeated."""
    stack = made(STACKS[name])
    x, state = starting(stack, width)
    reader = tf.random.stateless_normal([CONTEXT, 3], (1, 2))
    folded = FoldedSteps(
        stack, tf.nest.map_structure(lambda a: a[::width], state.memory), width, reader
    )
    moving = state._replace(memory=())
    for x_t in x:
        y, state = stack.step(x_t, state)
        context = tf.linalg.matvec(
            state.memory.values, state.attention["alignment"], transpose_a=True
        )
        query = moving.fed if not stack.asks_after else None
        own, seen, moving = folded.step(x_t, moving)
        query = moving.layers[-1].h if stack.asks_after else query
        context = stack.gated(context, query)
        expected = y if stack.asks_after else y[:, :-CONTEXT]
        np.testing.assert_allclose(own, expected, atol=1e-5)
        np.testing.assert_allclose(seen, context @ reader, atol=1e-5)
        for ours, theirs in zip(
            tf.nest.flatten(moving), tf.nest.flatten(state._replace(memory=()))
        ):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_half_precision_stays_half():
    stack = made({"cell": "gru"}, "mixed_bfloat16")
    x, state = starting(stack)
    y, _, after = FoldedSteps(stack, state.memory).step(
        tf.cast(x[0], "bfloat16"), state._replace(memory=())
    )
    expected, _ = stack.step(x[0], state)
    assert y.dtype == "bfloat16" and after.attention["alignment"].dtype == "float32"
    np.testing.assert_allclose(
        tf.cast(y, "float32"), tf.cast(expected[:, :4], "float32"), atol=0.05
    )


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "gru", "kind": "location"},
        {"cell": "gru", "kind": "monotonic"},
        {"cell": "gru", "coverage": True},
        {"cell": "multiplicative_lstm"},
    ],
    ids=["location", "monotonic", "coverage", "another map of the inputs"],
)
def test_what_depends_on_the_past_is_not_folded(options):
    assert not can_fold(made(options))


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "gru"},
        {"cell": "lstm", "gated": True},
        {"cell": "gru", "kind": "location", "layers": 2},
        *(
            pytest.param(options, marks=pytest.mark.slow)
            for options in (
                {"cell": "gru", "kind": "monotonic"},
                {"cell": "gru", "coverage": True},
                {"cell": "multiplicative_lstm"},
            )
        ),
    ],
    ids=["additive", "gated", "location", "monotonic", "coverage", "another map of the inputs"],
)
@pytest.mark.parametrize(
    "steps",
    [pytest.param(2, marks=pytest.mark.slow, id="more places"), pytest.param(4, id="more steps")],
)
def test_gradients_of_the_whole_are_those_of_the_steps(options, steps):
    stack = made(options)
    x, state = starting(stack)
    x, values = tf.constant(np.swapaxes(x[:steps], 0, 1)), state.memory.values
    weights = [weight.value for weight in stack.trainable_variables]

    def gradients(run):
        with tf.GradientTape() as tape:
            tape.watch([x, values])
            memory = stack.attention.remember(values, [6, 4, 0])
            start = stack.start(memory, state.layers, state.fed)
            loss = tf.reduce_sum(tf.sin(run(x, start)))
        return tape.gradient(loss, [x, values, *weights], unconnected_gradients="zero")

    def step_by_step(x, state):
        outputs = []
        for x_t in tf.unstack(x, axis=1):
            y, state = stack.step(x_t, state)
            outputs.append(y)
        return tf.stack(outputs, axis=1)

    whole = tf.function(lambda x, state: stack(x, state)[0], autograph=False)
    expected = gradients(step_by_step)
    for run in (lambda x, state: stack(x, state)[0], whole):
        for ours, theirs in zip(gradients(run), expected):
            np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_no_rows_are_no_rows():
    stack = made({"cell": "gru"})
    x, state = starting(stack)
    none = tf.nest.map_structure(lambda a: a[:0], state)
    y, _, _ = FoldedSteps(stack, none.memory).step(x[0, :0], none._replace(memory=()))
    assert y.shape == (0, 4)
