"""What one update is: truncation, accumulation, reduction."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.errors import UserError
from zoo.training.step import check_windows
from zoo.training.trainer import Trainer
from zoo.training.windows import example_windows, stream_windows


def _gradient_over(model, inputs, targets, begin, end, first):
    """Of the mean loss at the steps from `first` on, from the state before `begin`, without it."""
    state = model.initial_state(1)
    if begin:
        _, state = model(inputs[None, :begin], return_state=True)
    weights = [w.value for w in model.trainable_variables]
    with tf.GradientTape() as tape:
        logits = model(inputs[None, begin:end], state=state)[0, first - begin :]
        wanted = targets[first:end]
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(wanted, logits, True))
    return [tf.convert_to_tensor(g) for g in tape.gradient(loss, weights)]


def _frozen_until(update):
    """The learning rate is 1 at that update only, counted from 1."""
    ends, values = [update - 2, update - 1], [1e-30, 1.0, 1e-30]
    return {
        "schedule": "PiecewiseConstantDecay",
        "schedule_config": {"boundaries": ends, "values": values},
    }


def _moved(model, before):
    return [old - new for old, new in zip(before, model.get_weights())]


def test_a_longer_truncation_lets_gradients_go_back_over_windows_before(
    model, random_text, plain_settings
):
    """k1 = 4, k2 = 10: the third window's gradient goes back to step 2."""
    inputs, targets, _ = random_text(12)[0]
    expected = _gradient_over(model, inputs, targets, begin=2, end=12, first=8)
    settings = plain_settings(window=4, truncation=10, **_frozen_until(3))
    windows = stream_windows(random_text(12), 1, 4, cut=True, context=settings.context)
    before = model.get_weights()
    Trainer(model, settings).fit(windows, windows.take(0))
    for moved, gradient in zip(_moved(model, before), expected):
        np.testing.assert_allclose(moved, gradient, atol=1e-5)


def test_a_shorter_truncation_cuts_gradients_within_a_window(model, random_text, plain_settings):
    """k1 = 9, k2 = 4: pieces of 4, 4 and 1 steps, each from the state that the last one left."""
    inputs, targets, _ = random_text(9)[0]
    pieces = [(0, 4), (4, 8), (8, 9)]
    gradients = [_gradient_over(model, inputs, targets, a, b, a) for a, b in pieces]
    shares = [(b - a) / 9 for a, b in pieces]
    settings = plain_settings(window=9, truncation=4, learning_rate=1.0)
    windows = stream_windows(random_text(9), 1, 9, cut=True)
    before = model.get_weights()
    Trainer(model, settings).fit(windows, windows.take(0))
    for moved, *parts in zip(_moved(model, before), *gradients):
        expected = sum(share * part for share, part in zip(shares, parts))
        np.testing.assert_allclose(moved, expected, atol=1e-5)


def test_a_shorter_truncation_counts_the_losses_of_a_model_once(random_text, plain_settings):
    """The mean of those of its pieces, whose targets count nothing here."""
    sizes = {"vocab_size": 9, "embedding": 6, "units": 7}
    model = zoo.create("char-lstm", **sizes, dropout=0.0, activation_reg=1.0)
    inputs, targets, weights = random_text(8)[0]
    with tf.GradientTape() as tape:
        state, losses = None, []
        for begin in (0, 4):
            _, state = model(
                inputs[None, begin : begin + 4], state=state, return_state=True, training=True
            )
            state = tf.nest.map_structure(tf.stop_gradient, state)
            losses.append(model.losses[0])
        loss = tf.add_n(losses) / 2
    expected = tape.gradient(loss, [w.value for w in model.trainable_variables])
    before = model.get_weights()
    windows = stream_windows([(inputs, targets, 0 * weights)], 1, 8, cut=True)
    settings = plain_settings(window=8, truncation=4, learning_rate=1.0)
    Trainer(model, settings).fit(windows, windows.take(0))
    for moved, gradient in zip(_moved(model, before), expected):
        gradient = 0 if gradient is None else tf.convert_to_tensor(gradient)
        np.testing.assert_allclose(moved, gradient, atol=1e-6)


def test_truncation_is_refused_where_windows_are_not_cut_from_streams(plain_settings):
    windows = example_windows(np.ones((4, 6)), np.ones((4, 6)), np.ones((4, 6)), 2)
    with pytest.raises(UserError, match="truncation is for tasks whose windows are cut"):
        check_windows(windows, plain_settings(truncation=3))


def test_accumulated_windows_make_the_update_of_their_joint_loss(
    model, random_text, plain_settings
):
    """Two windows of 5 and 1 weighted steps: the mean of all six, not of two means."""
    inputs, targets, _ = random_text(6)[0]
    parts = [_gradient_over(model, inputs, targets, a, b, a) for a, b in ((0, 5), (5, 6))]
    windows = stream_windows(random_text(6), 1, 5, cut=True)
    before = model.get_weights()
    trainer = Trainer(model, plain_settings(accumulate=2, learning_rate=1.0))
    trainer.fit(windows, windows.take(0))
    assert int(model.optimizer.iterations) == 1
    for moved, a, b in zip(_moved(model, before), *parts):
        np.testing.assert_allclose(moved, (5 * a + b) / 6, atol=1e-5)


def test_an_epoch_ends_with_a_smaller_group_where_windows_do_not_divide(
    model, random_text, plain_settings
):
    windows = stream_windows(random_text(25), 1, 5, cut=True)
    history = Trainer(model, plain_settings(accumulate=2, epochs=2)).fit(windows, windows)
    assert int(model.optimizer.iterations) == 2 * 3 and len(history["loss"]) == 2


@pytest.mark.slow
def test_reduction_by_row_sums_over_time(model, random_text, plain_settings):
    """A rate divided by the number of steps makes up for it, as no window is cut short."""
    other = zoo.create("char-lstm", vocab_size=9, embedding=6, units=7, dropout=0.0)
    other.set_weights(model.get_weights())
    windows = stream_windows(random_text(30), 3, 5, cut=True)
    Trainer(model, plain_settings(learning_rate=0.5)).fit(windows, windows)
    Trainer(other, plain_settings(learning_rate=0.1, reduction="row")).fit(windows, windows)
    for a, b in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-6)
