import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.cells.gru import GRUCell
from zoo.cells.wrappers import ZoneoutCell
from zoo.layers.bidirectional import Bidirectional

pytestmark = pytest.mark.compiled
B, T, D, H = 3, 5, 2, 4


@pytest.mark.parametrize("merge", ["concat", "sum"])
@pytest.mark.parametrize("lengths", [None, [5, 2, 3]])
def test_it_equals_that_of_keras_with_its_weights(merge, lengths):
    x = np.random.default_rng(1).normal(size=(B, T, D)).astype("float32")
    theirs = keras.layers.Bidirectional(
        keras.layers.GRU(H, return_sequences=True, return_state=True, zero_output_for_mask=True),
        merge_mode=merge,
    )
    mask = None if lengths is None else tf.sequence_mask(lengths, T)
    theirs.build(x.shape)
    theirs.set_weights([np.random.normal(size=w.shape) for w in theirs.get_weights()])
    ours = Bidirectional(GRUCell(H), merge=merge)
    ours.build(x.shape)
    weights = []
    for kernel, recurrent, bias in np.split(np.array(theirs.get_weights(), object), 2):
        weights += [kernel, recurrent, bias[0], bias[1]]
    ours.set_weights(weights)
    y, (state, back) = ours(x, lengths=lengths)
    expected, forward_state, backward_state = theirs(x, mask=mask)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(state.h, forward_state, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(back.h, backward_state, rtol=1e-4, atol=1e-5)


def test_a_pair_of_states_starts_the_two_cells():
    layer = Bidirectional(GRUCell(H))
    x = np.ones((B, T, D), "float32")
    _, state = layer(x)
    np.testing.assert_array_equal(layer(x, layer.initial_state(B))[0], layer(x)[0])
    assert not np.allclose(layer(x, state)[0], layer(x)[0])


def test_a_keras_file_gives_the_same_model(tmp_path):
    x = keras.Input((None, D))
    y, _ = Bidirectional(GRUCell(H), GRUCell(3))(x)
    model = keras.Model(x, y)
    model.save(tmp_path / "model.keras")
    data = np.random.normal(size=(B, T, D)).astype("float32")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model(data), loaded(data))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Bidirectional(GRUCell(4), merge="mean"),
        lambda: Bidirectional(GRUCell(4), GRUCell(3), merge="sum"),
        lambda: Bidirectional(GRUCell(4))(np.ones((B, T, D)), initial_state=(1,)),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(wrong):
    with pytest.raises(ValueError, match="need"):
        wrong()


def with_gradients(run, x, weights):
    """Outputs and states, and the gradients of a mixture of them in the inputs and weights."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = tf.nest.flatten(run(x))
        loss = tf.add_n([tf.reduce_sum(tf.sin(value + n)) for n, value in enumerate(values)])
    return [*values, *tape.gradient(loss, [x, *[weight.value for weight in weights]])]


FLAGS = {"lengths": [5, 0, 3], "reset": [[0, 1, 0, 0, 1]] * B}


@pytest.mark.parametrize(
    ("way", "merge", "flags"),
    [
        pytest.param(lambda function: function, "concat", {}, id="eager-concat"),
        pytest.param(lambda function: function, "sum", FLAGS, id="eager-sum-flags"),
        pytest.param(
            tf.function, "concat", FLAGS, id="compiled-concat-flags", marks=pytest.mark.slow
        ),
        pytest.param(tf.function, "sum", {}, id="compiled-sum", marks=pytest.mark.slow),
    ],
)
def test_in_training_its_gradients_are_those_of_the_two_directions_by_themselves(way, merge, flags):
    layer = Bidirectional(GRUCell(H, dtype="float64"), merge=merge)
    layer.build((B, T, D))
    for weight in layer.weights:
        weight.assign(np.random.normal(size=weight.shape))
    x = tf.constant(np.random.normal(size=(B, T, D)))

    def two_directions(x):
        y, state = layer.forwards(x, **flags)
        y_back, back = layer.backwards(x, **flags)
        return (y + y_back if merge == "sum" else tf.concat([y, y_back], axis=-1)), (state, back)

    ours = way(lambda: with_gradients(lambda x: layer(x, training=True, **flags), x, layer.weights))
    apart = with_gradients(two_directions, x, layer.weights)
    for a, b in zip(ours(), apart, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.slow
def test_in_training_both_directions_draw_masks():
    layer = Bidirectional(ZoneoutCell(GRUCell(H), 0.5, seed=1))
    x = tf.ones((B, T, D))
    train, infer = (tf.function(lambda x, t=t: layer(x, training=t)[0]) for t in (True, False))
    first, second = train(x), train(x)
    for half in (slice(None, H), slice(H, None)):
        assert np.any(first[..., half] != second[..., half])
    np.testing.assert_array_equal(infer(x), infer(x))
