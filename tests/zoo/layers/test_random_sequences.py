"""Sequences of another pace, signals, and bodies: what is kept, and that only training sees it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.augmentation import RandomView
from zoo.layers.random_sequences import RandomBody, RandomGaps, RandomPace, RandomSignal

LAYERS = {
    "pace": lambda: RandomPace(0.4),
    "signal": lambda: RandomSignal(0.4),
    "body": lambda: RandomBody(0.4, 3, [1, 0]),
    "gaps": lambda: RandomGaps(0.4, 2),
    "view": lambda: RandomView(0.3, flip=True),
}


def _run(layer, steps, lengths, training):
    if isinstance(layer, RandomPace):
        return layer(steps, lengths, training=training)
    if isinstance(layer, RandomGaps):
        return layer(steps, lengths, training=training), lengths
    return layer(steps, training=training), lengths


def _inputs(name):
    shape = (5, 12, 8, 8, 1) if name == "view" else (5, 12, 6)
    rng = np.random.default_rng(1)
    return tf.constant(rng.uniform(0, 255, shape), tf.float32), tf.constant([12, 7, 1, 2, 0])


@pytest.mark.parametrize("name", LAYERS)
def test_nothing_changes_but_in_training(name):
    steps, lengths = _inputs(name)
    same, ends = _run(LAYERS[name](), steps, lengths, False)
    np.testing.assert_array_equal(same, steps)
    np.testing.assert_array_equal(ends, lengths)
    other, ends = _run(LAYERS[name](), steps, lengths, True)
    assert other.shape == steps.shape
    assert np.abs(other[0] - steps[0]).max() > 0.01
    assert ends[4] == 0 and np.all(ends.numpy()[:4] >= 1) and np.all(ends <= 12)


@pytest.mark.parametrize("name", LAYERS)
def test_each_row_and_each_call_differs_and_a_seed_repeats(name):
    steps, _ = _inputs(name)
    alike, full = tf.repeat(steps[:1], 5, axis=0), tf.fill([5], 12)
    runs = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        layer = LAYERS[name]()
        runs.append([_run(layer, alike, full, True)[0].numpy() for _ in range(2)])
    np.testing.assert_array_equal(runs[0], runs[1])
    first, second = runs[0]
    assert np.abs(first - second).max() > 0.01
    assert np.abs(first - first[:1]).max() > 0.01


def test_time_runs_forward_within_the_sequence_at_about_the_speed_asked_for():
    rows, time, strength = 200, 50, 0.4
    # A value tells its place, and padding would be seen.
    steps = np.full((rows, time, 1), -1000.0, "float32")
    lengths = np.random.default_rng(1).integers(1, time + 1, rows)
    for row, length in enumerate(lengths):
        steps[row, :length, 0] = np.arange(length)
    paced, ends = RandomPace(strength)(tf.constant(steps), tf.constant(lengths), training=True)
    spans = []
    for row, (places, end, length) in enumerate(zip(paced.numpy()[..., 0], ends.numpy(), lengths)):
        places = places[:end]
        assert places.min() >= 0 and places.max() <= length - 1, row
        assert np.all(np.diff(places) >= 0), row
        if end < time and length > 20:
            spans.append((places[-1] - places[0]) / (length - 1))
    # A part of 1 - s or more is kept; the last step may end just before it.
    assert 1 - strength - 0.1 < min(spans) < 0.75 and max(spans) > 0.9
    faster = ends.numpy() / lengths
    assert faster[lengths > 20].min() < 0.6 and faster[lengths > 20].max() > 1.1


def test_pictures_of_another_pace_are_pictures_that_were_there():
    pictures = tf.constant(np.arange(10, dtype="uint8").reshape(1, 10, 1, 1, 1))
    paced, _ = RandomPace(0.5)(pictures, tf.constant([10]), training=True)
    assert paced.dtype == tf.uint8
    assert set(paced.numpy().ravel()) <= set(range(10))


def test_a_clip_is_seen_alike_in_all_its_frames():
    frame = np.random.default_rng(1).uniform(0, 255, (4, 1, 10, 10, 3)).astype("float32")
    clips = tf.constant(np.repeat(frame, 6, axis=1))
    seen = RandomView(0.2, flip=True)(clips, training=True)
    np.testing.assert_allclose(seen, tf.repeat(seen[:, :1], 6, axis=1), atol=1e-3)
    assert np.abs(seen[:, 0] - clips[:, 0]).max() > 1


def test_a_body_keeps_its_form_and_its_height():
    bodies = np.random.default_rng(1).normal(size=(6, 5, 4, 3)).astype("float32")
    turned = RandomBody(0.9)(tf.reshape(bodies, [6, 5, 12]), training=True)
    turned = turned.numpy().reshape(bodies.shape)
    np.testing.assert_array_equal(turned[..., 1], bodies[..., 1])

    def between(joints):
        return np.linalg.norm(joints[:, :, :, None] - joints[:, :, None], axis=-1)

    np.testing.assert_allclose(between(turned), between(bodies), atol=1e-5)
    assert np.abs(turned - bodies).max() > 0.1


@pytest.mark.parametrize("coordinates", [2, 3])
def test_a_mirrored_body_has_its_other_side(coordinates):
    bodies = np.random.default_rng(1).normal(size=(40, 1, 3 * coordinates)).astype("float32")
    layer = RandomBody(0.0, coordinates, [0, 2, 1])
    seen = layer(tf.constant(bodies), training=True).numpy()
    joints = bodies.reshape(40, 1, 3, coordinates)
    mirrored = joints[:, :, [0, 2, 1]] * ([-1] + [1] * (coordinates - 1))
    same = np.all(seen == bodies, axis=(1, 2))
    other = np.all(seen == mirrored.reshape(bodies.shape), axis=(1, 2))
    assert np.all(same ^ other) and 8 < other.sum() < 32


def test_a_missing_step_shows_the_last_one_that_is_there_and_padding_stays():
    rows, time, share = 200, 20, 0.3
    # A value tells its place.
    steps = np.broadcast_to(np.arange(time, dtype="float32")[:, None, None], (rows, time, 2, 1))
    lengths = np.random.default_rng(1).integers(0, time + 1, rows)
    layer = RandomGaps(share, together=0)
    seen = layer(tf.constant(steps), tf.constant(lengths), training=True).numpy()
    np.testing.assert_array_equal(seen[:, :, 0], seen[:, :, 1])
    places, held = seen[:, :, 0, 0], 0
    for row, length in zip(places, lengths):
        np.testing.assert_array_equal(row[length:], np.arange(length, time))
        there = row[:length] == np.arange(length)
        assert there[:1].all()
        np.testing.assert_array_equal(np.diff(row[:length]) > 0, there[1:])
        last = np.maximum.accumulate(np.where(there, np.arange(length), 0))
        np.testing.assert_array_equal(row[:length], last)
        held += (~there).sum()
    assert share - 0.05 < held / np.maximum(lengths - 1, 0).sum() < share + 0.05


@pytest.mark.parametrize("together", [1, 3])
def test_a_missing_joint_is_at_0_throughout_and_one_is_always_there(together):
    rows, parts = 300, 4
    steps, lengths = tf.ones([rows, 5, parts * together]), tf.fill([rows], 5)
    seen = RandomGaps(0.3, together)(steps, lengths, training=True).numpy()
    joints = seen.reshape(rows, 5, parts, together)
    assert set(joints.ravel()) == {0.0, 1.0}
    np.testing.assert_array_equal(joints, np.broadcast_to(joints[:, :1, :, :1], joints.shape))
    assert 0.2 < 1 - joints.mean() < 0.4
    few = RandomGaps(0.99, together)(steps, lengths, training=True).numpy()
    assert few.reshape(rows, 5, parts, together)[:, 0, :, 0].sum(axis=1).min() == 1


@pytest.mark.compiled
def test_gaps_are_drawn_within_a_compiled_step():
    layer = RandomGaps(0.5)
    steps, lengths = tf.random.normal([3, 9, 4]), tf.constant([9, 4, 0])
    seen = tf.function(lambda: layer(steps, lengths, training=True), jit_compile=True)()
    assert seen.shape == steps.shape and np.abs(seen - steps).max() > 0.01
    np.testing.assert_array_equal(seen[2][seen[2] != 0], steps[2][seen[2] != 0])


STRENGTHS = {
    RandomPace: "pace",
    RandomSignal: "augment",
    RandomBody: "augment",
    RandomGaps: "drop",
}


@pytest.mark.parametrize(("layer", "option"), STRENGTHS.items())
def test_strengths_out_of_range_are_refused(layer, option):
    with pytest.raises(ValueError, match=f"{option} is 1, but 0 to below 1"):
        layer(1)


@pytest.mark.parametrize("layer", [RandomBody(0.2, 2, other_sides=[1, 0]), RandomGaps(0.2, 3)])
def test_a_layer_is_built_anew_from_its_config(layer):
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
