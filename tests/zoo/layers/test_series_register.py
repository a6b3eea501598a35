"""The register of a series, beside a plain loop over its values."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.layers.series_register import SeriesRegister, running_max

NAN = float("nan")


def by_hand(values, length, season, resets=()):
    """The values of a series filled one by one, and how many of them were seen at each step."""
    filled, frames = [], []
    for t, value in enumerate(values):
        if t in resets:
            filled = []
        if np.isnan(value) and filled:
            value = filled[-season] if len(filled) >= season else filled[-1]
        filled = filled + ([] if np.isnan(value) else [value])
        frames.append(filled[-length:])
    return frames


def seen_part(frames, row, step):
    count = int(frames.seen[row, step])
    return frames.values[row, step].numpy()[frames.values.shape[-1] - count :]


numbers = st.one_of(st.just(NAN), st.integers(-5, 5).map(float))


@settings(max_examples=25)
@given(
    st.lists(numbers, min_size=12, max_size=12),
    st.sampled_from([(3, 1), (4, 2), (5, 3), (4, 4)]),
    st.sets(st.integers(0, 11), max_size=3),
)
def test_frames_are_those_of_a_loop_over_the_values(values, sizes, resets):
    register = SeriesRegister(*sizes)
    reset = np.isin(np.arange(12), list(resets))[None]
    frames, state = register.whole(np.array([values], "float32"), register.initial_state(1), reset)
    wanted = by_hand(values, *sizes, resets)
    for step, frame in enumerate(wanted):
        np.testing.assert_array_equal(seen_part(frames, 0, step), frame)
    np.testing.assert_array_equal(frames.observed[0], ~np.isnan(values))
    assert float(state.seen[0]) == len(wanted[-1])


@settings(max_examples=25)
@given(
    st.lists(numbers, min_size=10, max_size=10),
    st.sampled_from([(3, 1), (5, 2), (4, 4)]),
    st.integers(1, 9),
    st.booleans(),
)
def test_steps_and_parts_equal_the_whole(values, sizes, cut, gaps_count):
    register = SeriesRegister(*sizes, gaps_count=gaps_count)
    x = tf.constant([values])
    whole, after = register.whole(x, register.initial_state(1))
    _, state = register.whole(x[:, :cut], register.initial_state(1))
    rest, end = register.whole(x[:, cut:], state)
    np.testing.assert_array_equal(whole.seen[:, cut:], rest.seen)
    state = register.initial_state(1)
    for step in range(10):
        frame, state = register.step(x[:, step], state)
        np.testing.assert_array_equal(
            seen_part(whole, 0, step), frame.values[0, sizes[0] - int(frame.seen[0]) :]
        )
        for part, other in zip(register.summary(whole), register.summary(frame)):
            np.testing.assert_allclose(part[:, step], other, rtol=1e-5, atol=1e-6)
    for one, other in zip(after, state):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(after, end):
        np.testing.assert_array_equal(one, other)


def test_a_graph_of_any_length_fills_in_the_same_way():
    register = SeriesRegister(4, 2)
    values = np.array([[1, NAN, NAN, 4, NAN, 6, NAN]], "float32")
    state = register.initial_state(1)
    signature = [tf.TensorSpec([None, None], tf.float32)]
    anyhow = tf.function(lambda x: register.whole(x, state), input_signature=signature)
    for one, other in zip(tf.nest.flatten(anyhow(values)), tf.nest.flatten(
        register.whole(values, state)
    )):  # fmt: skip
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("level", [0.0, 1e6])
def test_level_and_spread_are_those_of_the_values_seen(level):
    values = np.array([[3, 5, 4, 8, 6]], "float32") + np.float32(level)
    register = SeriesRegister(6, 2)
    frames, _ = register.whole(values, register.initial_state(1))
    summary = register.summary(frames)
    np.testing.assert_allclose(summary.level[0, -1], level + 5.2, rtol=1e-6)
    # Changes over a season are 1, 3 and 2; one more is the mean change of a step, 2.25.
    np.testing.assert_allclose(summary.spread[0, -1], (1 + 3 + 2 + 2.25) / 4, rtol=1e-6)
    np.testing.assert_allclose(summary.place[0, -1], 0.8 / 2.0625, atol=1e-5)
    wanted = np.array([0, -3, -1, -2, 2, 0]) / 2.0625
    np.testing.assert_allclose(summary.shape[0, -1], wanted, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 7.25, 1e8, -3e12])
def test_a_constant_series_has_a_least_spread_and_nothing_in_its_units(value):
    register = SeriesRegister(8, 3)
    frames, _ = register.whole(np.full((1, 20), value, "float32"), register.initial_state(1))
    summary = register.summary(frames)
    assert not np.any(summary.varied)
    assert np.all(summary.spread > 0)
    assert not np.any(summary.shape)
    np.testing.assert_array_equal(register.naive(frames, summary, 5), np.float32(value))


def test_naive_forecasts_repeat_the_last_season_or_the_last_value_before_there_is_one():
    register = SeriesRegister(4, 3)
    frames, _ = register.whole(np.array([[1.0, 2, 3, 4, 5]]), register.initial_state(1))
    naive = register.naive(frames, register.summary(frames), 4)[0].numpy()
    np.testing.assert_array_equal(naive[-1], [3, 4, 5, 3])
    np.testing.assert_array_equal(naive[1], [2, 1, 2, 2])
    assert naive[0].tolist() == [1, 1, 1, 1]


def test_other_bases_are_the_level_and_nothing():
    for base, value in (("mean", 3.0), ("zero", 0.0)):
        register = SeriesRegister(4, 1, base)
        frames, _ = register.whole(np.array([[1.0, 5.0]]), register.initial_state(1))
        assert register.naive(frames, register.summary(frames), 2)[0, -1].numpy().tolist() == [
            value,
            value,
        ]


@pytest.mark.parametrize(("season", "base"), [(1, "seasonal"), (4, "seasonal"), (1, "zero")])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_filled_values_do_not_make_a_series_look_calm(season, base, share):
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, (50, 400)).astype("float32")
    holes = np.where(rng.random(values.shape) < share, NAN, values).astype("float32")
    spreads = []
    for x, gaps_count in ((values, True), (holes, False), (holes, True)):
        register = SeriesRegister(120, season, base, gaps_count)
        frames, _ = register.whole(x, register.initial_state(50))
        spreads.append(register.summary(frames).spread.numpy()[:, -1].mean())
    assert spreads[1] == pytest.approx(spreads[0], rel=0.05)
    if base == "seasonal":
        assert spreads[2] < spreads[0] * (1 - share / 2)


def test_where_all_values_are_filled_they_count():
    register = SeriesRegister(6, 2, gaps_count=False)
    values = np.array([[3.0, 7.0, *[NAN] * 9]], "float32")
    frames, state = register.whole(values, register.initial_state(1))
    assert not np.any(state.there)
    summary = register.summary(frames)
    assert np.isfinite(summary.spread).all() and summary.spread[0, -1] > 0.5


def test_a_season_longer_than_the_register_and_an_unknown_base_are_refused():
    with pytest.raises(ValueError, match="season is 5"):
        SeriesRegister(4, 5)
    with pytest.raises(ValueError, match="base is 'trend'"):
        SeriesRegister(4, 1, "trend")


@pytest.mark.parametrize("known", [True, False])
def test_the_largest_so_far_is_that_of_numpy(known):
    x = np.random.default_rng(1).integers(-9, 9, (3, 13, 2)).astype("int32")
    shape = x.shape if known else (None, None, 2)
    largest = tf.function(running_max, input_signature=[tf.TensorSpec(shape, tf.int32)])(x)
    np.testing.assert_array_equal(largest, np.maximum.accumulate(x, axis=1))
