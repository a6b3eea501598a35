from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import registry
from zoo.layers.attending import AttendingStack

FIXTURE = Path(__file__).parents[2] / "fixtures" / "attention.npz"
# PyTorch stacks i, f, g, o in an LSTM and r, z, n in a GRU; the numbers pick ours from these.
ORDER = {"lstm": (1, 0, 3, 2), "gru": (1, 0, 2)}
B, T, S, D, M, H = 3, 4, 5, 3, 6, 4
LENGTHS = [5, 2, 0]


def columns(rows, cell):
    gates = np.split(rows, len(ORDER[cell]))
    return np.concatenate([gates[k] for k in ORDER[cell]]).T


def cell_weights(w, cell, prefix=""):
    """Weights, or their gradients, of a PyTorch cell as ours has them."""
    parts = {key: w[f"{prefix}{key}"] for key in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    if cell == "gru":
        return [columns(parts[key], cell) for key in parts]
    # Ours has one bias, whose gradient is that of either.
    bias = parts["bias_ih"] + (0 if prefix else parts["bias_hh"])
    kernel = np.concatenate([parts["weight_hh"], parts["weight_ih"]], axis=1)
    return [columns(kernel, cell), columns(bias, cell)]


@pytest.mark.parametrize(
    ("name", "cell", "kind", "weights"),
    [
        ("bahdanau", "gru", "additive", ["memory_kernel", "query_kernel", "vector"]),
        ("luong", "lstm", "multiplicative", ["memory_kernel", "joint"]),
    ],
)
def test_outputs_and_gradients_are_those_of_pytorch(name, cell, kind, weights):
    with np.load(FIXTURE) as file:
        w = {key.removeprefix(f"{name}/"): file[key] for key in file if key.startswith(name)}
    stack = AttendingStack(cell, H, M, kind=kind, attention_units=7, dtype="float64")
    stack.build(w["x"].shape)
    ours = [*stack.recurrences[0].weights, *stack.attention.trainable_weights]
    ours += [stack.joint.kernel] if stack.joint else []
    for weight, value in zip(
        ours, [*cell_weights(w, cell), *[w[key] for key in weights]], strict=True
    ):
        weight.assign(value)
    x, values = tf.constant(w["x"]), tf.constant(w["values"])
    with tf.GradientTape() as tape:
        tape.watch([x, values])
        y, alignments, _ = stack(x, stack.start(stack.attention.remember(values, [5, 3])))
        loss = tf.reduce_sum(y**2) + tf.reduce_sum(alignments**2)
    np.testing.assert_allclose(y, w["y"], atol=1e-9)
    np.testing.assert_allclose(alignments, w["alignments"], atol=1e-9)
    expected = [w["gradient/x"], w["gradient/values"], *cell_weights(w, cell, "gradient/")]
    expected += [w[f"gradient/{key}"] for key in weights]
    gradients = tape.gradient(loss, [x, values, *[weight.value for weight in ours]])
    for found, gradient in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(found, gradient, atol=1e-8)


def made(cell="gru", dtype="float64", **options):
    """A stack with random weights, inputs and a state before them."""
    rng = np.random.default_rng(1)
    stack = AttendingStack(cell, H, M, dtype=dtype, **options)
    stack.build((B, T, D))
    for weight in stack.trainable_weights:
        weight.assign(rng.normal(size=weight.shape))
    x = tf.constant(rng.normal(size=(B, T, D)), stack.compute_dtype)
    values = tf.constant(rng.normal(size=(B, S, M)))
    return stack, x, stack.start(stack.attention.remember(values, LENGTHS))


def stepped(stack, x, state):
    outputs, alignments = [], []
    for t in range(x.shape[1]):
        y, state = stack.step(x[:, t], state)
        outputs.append(y)
        alignments.append(state.attention["alignment"])
    return np.stack(outputs, 1), np.stack(alignments, 1), state


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "location", "layers": 2, "cell": "mlstm"},
        {"kind": "monotonic", "layers": 3, "residual": True},
        {"kind": "scaled", "layers": 3, "residual": True, "coverage": True},
        {"kind": "multiplicative", "layers": 2, "residual": True, "feeding": False},
        {"cell": "layer_norm_lstm", "coverage": True},
    ],
)
def test_steps_equal_the_whole(options):
    stack, x, state = made(**options)
    y, alignments, after = stack(x, state)
    y_steps, alignments_steps, after_steps = stepped(stack, x, state)
    np.testing.assert_allclose(y, y_steps, atol=1e-9)
    np.testing.assert_allclose(alignments, alignments_steps, atol=1e-9)
    for one, other in zip(tf.nest.flatten(after), tf.nest.flatten(after_steps), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)
    assert y.shape == (B, T, stack.output_size)
    np.testing.assert_allclose(alignments.numpy().sum(-1)[:2], 1, atol=1e-9)
    assert not np.any(alignments[1, :, 2:]) and not np.any(alignments[2])


@pytest.mark.parametrize("kind", ["additive", "scaled"])
def test_any_keras_cell_will_do(kind, monkeypatch):
    monkeypatch.setattr(registry, "load", lambda kind, name: keras.layers.LSTMCell)
    stack, x, state = made(kind=kind)
    np.testing.assert_allclose(stack(x, state)[0], stepped(stack, x, state)[0], atol=1e-9)


def test_layers_above_see_what_the_bottom_one_found():
    stack, x, state = made(layers=2, residual=True)
    y, _, _ = stack(x, state)
    alone, _, _ = made(layers=1)
    for weight, value in zip(
        [*alone.recurrences[0].weights, *alone.attention.weights],
        [*stack.recurrences[0].weights, *stack.attention.weights],
    ):
        weight.assign(value)
    below, _, _ = alone(x, state._replace(layers=state.layers[:1]))
    above, _ = stack.recurrences[1](below)
    np.testing.assert_allclose(y[..., :H], below[..., :H] + above, atol=1e-9)
    np.testing.assert_allclose(y[..., H:], below[..., H:], atol=1e-9)


@pytest.mark.parametrize(
    "kind", ["additive", pytest.param("multiplicative", marks=pytest.mark.slow)]
)
def test_graphs_of_any_and_of_known_shape_agree_with_eager(kind):
    stack, x, state = made(kind=kind)

    def results(x, values):
        with tf.GradientTape() as tape:
            tape.watch([x, values])
            memory = stack.attention.remember(values, LENGTHS)
            y, alignments, _ = stack(x, stack.start(memory), training=True)
            loss = tf.reduce_sum(tf.sin(y)) + tf.reduce_sum(alignments**2)
        weights = [weight.value for weight in stack.trainable_weights]
        return [y, *tape.gradient(loss, [x, values, *weights])]

    given = x, state.memory.values
    expected = results(*given)
    assert all(np.isfinite(found).all() for found in expected)
    compiled = tf.function(results, jit_compile=True, autograph=False)(*given)
    spec = [tf.TensorSpec([None, None, part.shape[2]], part.dtype) for part in given]
    dynamic = tf.function(results, input_signature=spec, autograph=False)(*given)
    for a, b, c in zip(expected, compiled, dynamic, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)
        np.testing.assert_allclose(a, c, atol=1e-9)


def test_half_precision_is_near_the_whole():
    (whole, x, state), (half, x_half, state_half) = (
        made(dtype=dtype) for dtype in ("float32", "mixed_bfloat16")
    )
    y, alignments, _ = half(x_half, state_half)
    expected, expected_alignments, _ = whole(x, state)
    assert y.dtype == "bfloat16" and alignments.dtype == "float32"
    np.testing.assert_allclose(tf.cast(y, "float32"), expected, atol=0.1)
    np.testing.assert_allclose(alignments, expected_alignments, atol=0.1)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="layers is 0"):
        AttendingStack("gru", 4, 6, layers=0)
    with pytest.raises(ValueError, match="attention of the kind 'additive' needs feeding"):
        AttendingStack("gru", 4, 6, feeding=False)
    with pytest.raises(ValueError, match="coverage needs feeding"):
        AttendingStack("gru", 4, 6, kind="scaled", coverage=True, feeding=False)
