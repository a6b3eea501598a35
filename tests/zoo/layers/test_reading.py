import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.differences import FrameDifferences
from zoo.layers.reading import PooledStack


@pytest.fixture
def x():
    return np.random.default_rng(1).normal(size=(3, 6, 2)).astype("float32")


@pytest.mark.parametrize("pool", ["last", "mean", "max", "attention"])
def test_a_row_that_starts_anew_forgets_what_it_read(pool, x):
    read = PooledStack("gru", 4, pool=pool)
    _, before = read(x)
    reset = np.zeros((3, 6), "int32")
    # Row 2 starts anew past its end, which does not count.
    reset[0, 3], reset[1, 0], reset[2, 5] = 1, 1, 1
    v, _ = read(x, before, lengths=[6, 4, 5], reset=reset)
    np.testing.assert_allclose(v[0], read(x[:1, 3:])[0][0], atol=1e-6)
    np.testing.assert_allclose(v[1], read(x[1:2, :4])[0][0], atol=1e-6)
    longer, _ = read(np.concatenate([x, x[:, :5]], axis=1))
    np.testing.assert_allclose(v[2], longer[2], atol=1e-6)


@pytest.mark.parametrize("pool", ["last", "mean", "max", "attention"])
def test_a_row_that_has_ended_keeps_its_vector(pool, x):
    read = PooledStack("lstm", 4, pool=pool)
    before, state = read(x)
    after, state_after = read(x, state, lengths=[0, 6, 0], reset=np.ones(3, "int32"))
    np.testing.assert_allclose(after[0], before[0], atol=1e-6)
    np.testing.assert_allclose(after[1], before[1], atol=1e-6)
    for a, b in zip(tf.nest.flatten(state), tf.nest.flatten(state_after)):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_last_outputs_of_both_directions_are_their_final_states(x):
    read = PooledStack("gru", 4, bidirectional=True)
    v, state = read(x, lengths=[6, 2, 3])
    _, final = read.stack(x, lengths=[6, 2, 3])
    np.testing.assert_allclose(v, np.concatenate([part.h for part in final[0]], axis=1), atol=1e-6)
    assert state == () and read.initial_state(3) == ()


def test_maps_are_averaged_over_their_places():
    read = PooledStack("conv_lstm", 3, pool="max", image_shape=(4, 5))
    x = np.random.default_rng(1).normal(size=(2, 3, 4 * 5 * 2)).astype("float32")
    y, _ = read.stack(x)
    maps = np.reshape(y, (2, 3, 20, 3)).mean(axis=2)
    np.testing.assert_allclose(read(x)[0], maps.max(axis=1), atol=1e-6)


def test_without_attention_there_are_no_weights(x):
    with pytest.raises(ValueError, match="only the pooling 'attention'"):
        PooledStack("gru", 4).time_weights(x, [6, 6, 6])


def test_differences_go_on_over_windows_and_start_at_zero():
    x = np.random.default_rng(1).integers(0, 256, (3, 6, 2, 2, 1)).astype("uint8")
    layer = FrameDifferences((2, 2, 1))
    expected = np.diff(x.astype("float32"), axis=1, prepend=x[:, :1])
    whole, _ = layer(x)
    np.testing.assert_array_equal(whole, expected)
    _, state = layer(x[:, :3], lengths=[3, 2, 0])
    later, _ = layer(x[:, 3:], state, reset=[[0, 0, 0], [0, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(later[0], expected[0, 3:])
    np.testing.assert_array_equal(later[1, 0], x[1, 3] - x[1, 1].astype("float32"))
    assert not np.any(later[1, 2]) and not np.any(later[2, 0])


def test_a_cell_of_maps_is_refused_where_there_are_none():
    with pytest.raises(ValueError, match="conv_lstm gives 16 numbers a step where 4 are needed"):
        PooledStack("conv_lstm", 4)
