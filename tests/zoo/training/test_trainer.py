import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.evaluation.loop import evaluate
from zoo.training.objectives import CrossEntropy
from zoo.training.trainer import Trainer
from zoo.training.windows import example_windows, stream_windows


def _metrics(model, windows):
    return evaluate(model, windows, CrossEntropy()).metrics()


def test_evaluation_does_not_depend_on_window_or_batch_size(model, random_text):
    text = random_text(23, count=5)
    figures = [
        _metrics(model, stream_windows(text, batch, window, cut=False))
        for batch, window in ((1, 23), (2, 5), (5, 40))
    ]
    assert figures[0] == pytest.approx(figures[1], abs=1e-5)
    assert figures[0] == pytest.approx(figures[2], abs=1e-5)


def test_evaluation_is_the_mean_cross_entropy_of_whole_sequences(model, random_text):
    text = random_text(12, count=3)
    inputs, targets = (np.stack([t[part] for t in text]) for part in (0, 1))
    expected = keras.losses.sparse_categorical_crossentropy(targets, model(inputs), True)
    found = _metrics(model, stream_windows(text, 3, 4, cut=False))
    assert found["loss"] == pytest.approx(float(np.mean(expected)), abs=1e-5)


def test_a_window_as_long_as_the_sequence_is_full_bptt(model, random_text, plain_settings):
    inputs, targets, _ = random_text(15)[0]
    before = [w.numpy() for w in model.trainable_variables]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(
            keras.losses.sparse_categorical_crossentropy(targets[None], model(inputs[None]), True)
        )
    gradients = tape.gradient(loss, [w.value for w in model.trainable_variables])
    windows = stream_windows(random_text(15), 1, 15, cut=True)
    Trainer(model, plain_settings(learning_rate=0.5)).fit(windows, windows)
    for old, gradient, weight in zip(before, gradients, model.trainable_variables):
        np.testing.assert_allclose(
            weight.numpy(), old - 0.5 * tf.convert_to_tensor(gradient), atol=1e-6
        )


@pytest.fixture
def eagerly():
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def test_the_state_is_carried_and_no_gradient_crosses_a_window(
    model, eagerly, monkeypatch, random_text, plain_settings
):
    inputs, targets, _ = random_text(10)[0]
    windows = stream_windows(random_text(10), 1, 5, cut=True)
    _, state = model(inputs[None, :5], return_state=True)
    with tf.GradientTape() as tape:
        tape.watch(tf.nest.flatten(state))
        logits = model(inputs[None, 5:], state=state)
        loss = tf.reduce_mean(
            keras.losses.sparse_categorical_crossentropy(targets[None, 5:], logits, True)
        )
    expected = tape.gradient(loss, [w.value for w in model.trainable_variables])

    # The first update moves nothing, the second one by the gradient of its window alone.
    schedule = {"boundaries": [0], "values": [1e-30, 1.0]}
    settings = plain_settings(schedule="PiecewiseConstantDecay", schedule_config=schedule)
    score, seen = model.score, []
    monkeypatch.setattr(
        model,
        "score",
        lambda window, state, **how: seen.append(state) or score(window, state, **how),
    )
    before = [w.numpy() for w in model.trainable_variables]
    Trainer(model, settings).fit(windows, windows.take(0))
    np.testing.assert_allclose(tf.nest.flatten(seen[1])[0], tf.nest.flatten(state)[0], atol=1e-6)
    for old, gradient, weight in zip(before, expected, model.trainable_variables):
        np.testing.assert_allclose(old - weight.numpy(), tf.convert_to_tensor(gradient), atol=1e-5)


def test_rows_of_weight_zero_change_nothing(model, random_text, plain_settings):
    other = zoo.create("char-lstm", vocab_size=9, embedding=6, units=7, dropout=0.0)
    other.set_weights(model.get_weights())
    text = random_text(6, count=3)
    inputs, targets = (np.stack([t[part] for t in text]) for part in (0, 1))
    for m, batch in ((model, 3), (other, 4)):
        windows = example_windows(inputs, targets, np.ones((3, 6)), batch)
        Trainer(m, plain_settings(batch_size=batch)).fit(windows, windows)
    for a, b in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_validation_leaves_training_as_it_was(model, random_text, plain_settings):
    other = zoo.create("char-lstm", vocab_size=9, embedding=6, units=7, dropout=0.0)
    other.set_weights(model.get_weights())
    train = stream_windows(random_text(40), 2, 5, cut=True)
    for m, seed in ((model, 5), (other, 6)):
        validation = stream_windows(random_text(30, seed=seed), 3, 4, cut=False)
        Trainer(m, plain_settings(epochs=3, optimizer="adam")).fit(train, validation)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights()))


def test_gradients_are_clipped_to_their_global_norm(model, random_text, plain_settings):
    windows = stream_windows(random_text(20), 1, 20, cut=True)
    before = model.get_weights()
    Trainer(model, plain_settings(learning_rate=1.0, clip_norm=0.01)).fit(windows, windows)
    moved = np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(before, model.get_weights())))
    assert moved == pytest.approx(0.01, rel=0.02)


@pytest.mark.slow
def test_compiled_and_plain_steps_agree(model, random_text, plain_settings):
    other = zoo.create("char-lstm", vocab_size=9, embedding=6, units=7, dropout=0.0)
    other.set_weights(model.get_weights())
    windows = stream_windows(random_text(40), 2, 5, cut=True)
    for m, jit in ((model, False), (other, True)):
        Trainer(m, plain_settings(jit_compile=jit)).fit(windows, windows)
    for a, b in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_keras_callbacks_see_every_step_and_can_stop(model, random_text, plain_settings):
    class Stop(keras.callbacks.Callback):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1

        def on_epoch_end(self, epoch, logs=None):
            assert {"loss", "accuracy", "val_loss", "learning_rate"} <= set(logs)
            self.model.stop_training = epoch == 1

    stop = Stop()
    windows = stream_windows(random_text(40), 2, 5, cut=True)
    history = Trainer(model, plain_settings(epochs=9)).fit(windows, windows, [stop])
    assert stop.steps == 2 * 4 and len(history["loss"]) == 2


def test_a_time_budget_ends_the_run(model, random_text, plain_settings):
    windows = stream_windows(random_text(4000), 2, 5, cut=True)
    history = Trainer(model, plain_settings(epochs=10_000, minutes=0.02)).fit(windows, windows)
    assert len(history["loss"]) < 10_000


def test_so_many_steps_end_the_run_and_its_schedule(model, random_text, plain_settings):
    windows = stream_windows(random_text(40), 2, 4, cut=True)
    trainer = Trainer(model, plain_settings(epochs=9, steps=7, schedule="cosine"))
    history = trainer.fit(windows, windows)
    assert int(model.optimizer.iterations) == 7 and len(history["loss"]) == 2
    assert history["learning_rate"][-1] == pytest.approx(0, abs=1e-9)


def test_label_smoothing_is_keras_and_figures_are_told_without_it(
    model, random_text, plain_settings
):
    text = random_text(8, count=2)
    windows = example_windows(*(np.stack([t[part] for t in text]) for part in (0, 1, 2)), 2)
    inputs, targets = next(iter(windows))["inputs"], next(iter(windows))["targets"]
    plain = _metrics(model, windows)["loss"]
    smooth = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)
    with tf.GradientTape() as tape:
        loss = smooth(tf.one_hot(targets, 9), model(inputs))
    weights = [w.value for w in model.trainable_variables]
    expected = [
        w - 0.5 * tf.convert_to_tensor(g) for w, g in zip(weights, tape.gradient(loss, weights))
    ]
    settings, objective = plain_settings(learning_rate=0.5), CrossEntropy(label_smoothing=0.2)
    history = Trainer(model, settings, objective=objective).fit(windows, windows)
    assert history["loss"] == [pytest.approx(plain, abs=1e-6)]
    for a, b in zip(model.trainable_variables, expected):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_trainer_can_train_again_from_a_fresh_optimizer(model, random_text, plain_settings):
    windows = stream_windows(random_text(16), 1, 4, cut=True)
    trainer = Trainer(model, plain_settings(optimizer="adam", epochs=2))
    for _ in range(2):
        before = model.get_weights()
        trainer.fit(windows, windows)
        assert int(model.optimizer.iterations) == 8
        assert not np.allclose(before[0], model.get_weights()[0])


def test_weights_are_averaged_from_an_epoch_on_for_validation_only(
    model, random_text, plain_settings
):
    seen, kept = [], []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.get_weights())

        def on_epoch_end(self, epoch, logs=None):
            kept.append(self.model.get_weights())

    windows = stream_windows(random_text(20), 1, 10, cut=True)
    settings = plain_settings(epochs=3, average_from=2, learning_rate=0.5)
    Trainer(model, settings).fit(windows, windows, [Watch()])
    # Two updates an epoch; what the callback sees is not averaged yet within its own update.
    for n, weight in enumerate(model.get_weights()):
        np.testing.assert_array_equal(kept[0][n], seen[1][n])
        np.testing.assert_allclose(kept[1][n], np.mean([seen[2][n], seen[3][n]], 0), atol=1e-6)
        last = np.mean([weights[n] for weights in seen[2:]], 0)
        np.testing.assert_allclose(kept[2][n], last, atol=1e-6)
        np.testing.assert_array_equal(weight, seen[-1][n])


@pytest.mark.slow
@pytest.mark.parametrize(
    "precision", [pytest.param("mixed_bfloat16", marks=pytest.mark.slow), "mixed_float16"]
)
def test_half_precision_trains_nearly_as_float32(precision, random_text, plain_settings):
    losses = []
    for policy in ("float32", precision):
        keras.utils.set_random_seed(3)
        keras.config.set_dtype_policy(policy)
        try:
            model = zoo.create("char-lstm", vocab_size=9, embedding=6, units=7, dropout=0.0)
            windows = stream_windows(random_text(60), 2, 5, cut=True)
            settings = plain_settings(epochs=4, learning_rate=0.5, clip_norm=1.0, precision=policy)
            losses.append(Trainer(model, settings).fit(windows, windows)["loss"])
        finally:
            keras.config.set_dtype_policy("float32")
    assert losses[0][-1] < losses[0][0] - 0.01
    assert losses[1] == pytest.approx(losses[0], abs=0.02)


@pytest.mark.parametrize("k1, k2", [(4, 4), (4, 10), (12, 4)])
def test_resetting_one_row_leaves_the_others_bit_identical(
    model, k1, k2, random_text, plain_settings
):
    settings = plain_settings(window=k1, truncation=k2)
    (window, *_) = stream_windows(random_text(36), 3, k1, cut=True, context=settings.context)
    reset = {**window, "reset": window["reset"].numpy()}
    reset["reset"][1, -2] = 1
    states = []
    for one in (window, reset):
        _, state = model.score(one, model.initial_state(3), training=True)
        states.append([np.asarray(part) for part in tf.nest.flatten(state)])
    for a, b in zip(*states):
        np.testing.assert_array_equal(a[[0, 2]], b[[0, 2]])
        assert not np.array_equal(a[1], b[1])


def test_windows_of_any_length_run_forward_as_the_whole_sequence(model, random_text):
    inputs, _, _ = random_text(23)[0]
    whole = model(inputs[None])
    for length in (1, 5, 16):
        state, outputs = model.initial_state(1), []
        for start in range(0, 23, length):
            part = inputs[None, start : start + length]
            y, state = model(part, state=state, return_state=True)
            outputs.append(y)
        np.testing.assert_allclose(tf.concat(outputs, axis=1), whole, atol=1e-5)


@pytest.mark.parametrize(("limit", "share"), [(1e-6, 1.0), (1e6, 0.0), (0.0, None)])
def test_the_share_of_clipped_updates_is_told(model, random_text, plain_settings, limit, share):
    windows = stream_windows(random_text(15), 1, 5, cut=True)
    history = Trainer(model, plain_settings(clip_norm=limit)).fit(windows, windows)
    assert history.get("clipped", [None]) == [share]
