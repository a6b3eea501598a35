"""What goes in is what a loop over steps and coins makes it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.errors import UserError
from zoo.topologies.one_to_many import OneToMany
from zoo.topologies.seq2seq import Seq2Seq
from zoo.training.checkpoints import Checkpoints
from zoo.training.objectives import ScheduledSampling, SelfCritical, Update
from zoo.training.objectives.scheduled_sampling import mixed
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer
from zoo.training.windows import example_windows

V, B, T = 8, 4, 6


def _translator():
    keras.utils.set_random_seed(1)
    return Seq2Seq(source_vocab_size=V, target_vocab_size=V, embedding=5, units=6)


def _attending():
    keras.utils.set_random_seed(2)
    return Seq2Seq(
        source_vocab_size=V, target_vocab_size=V, embedding=5, units=6, attention="additive"
    )


def _captioner():
    keras.utils.set_random_seed(3)
    return OneToMany(
        vocab_size=V, image_shape=(2, 2, 1), encoder="linear", embedding=5, units=6, features=4
    )


def _examples(model, captions=(), count=B, seed=5):
    """Rows of differing length: tokens from 2, the start, on; targets to 3, the end."""
    draw = np.random.default_rng(seed)
    shape = (count, *captions)
    rows = draw.integers(4, V, (*shape, T))
    lengths = draw.integers(1, T, shape)[..., None]
    starts = np.where(np.arange(T) < lengths + 1, np.roll(rows, 1, axis=-1), 0)
    starts[..., 0] = 2
    ends = np.where(np.arange(T) < lengths, rows, np.where(np.arange(T) == lengths, 3, 0))
    if model.condition == "image":
        condition = draw.integers(0, 255, (count, 2, 2, 1)).astype("uint8")
    else:
        condition = draw.integers(1, V, (count, 5)).astype("int32")
    inputs = {model.condition: condition, "tokens": starts.astype("int32")}
    return inputs, ends, ends != 0


def _window(model, captions=()):
    return next(iter(example_windows(*_examples(model, captions), B)))


def _by_steps(model, window, share, seed):
    """With numpy, a row after the other, a token after the other."""
    tokens, weights = window["inputs"]["tokens"].numpy(), window["weights"].numpy()
    shape = tokens.shape
    copies = shape[1] if len(shape) == 3 else 1
    tokens, weights = tokens.reshape(-1, T), weights.reshape(-1, T)
    coins = tf.random.stateless_uniform([len(tokens), T - 1], seed).numpy() < share
    for row in range(len(tokens)):
        condition = window["inputs"][model.condition][row // copies][None]
        state, token = model.encode(condition), tokens[row, 0]
        for t in range(1, T):
            logits, state = model.step(tf.constant([token]), state)
            if weights[row, t] and not coins[row, t - 1]:
                # Never 0, which is padding.
                tokens[row, t] = 1 + np.argmax(logits[0, 1:])
            token = tokens[row, t]
    return tokens.reshape(shape)


@pytest.mark.parametrize(
    ("make", "captions", "jit"),
    [
        pytest.param(_translator, (), False, marks=pytest.mark.slow),
        pytest.param(_translator, (), True, marks=pytest.mark.slow),
        (_attending, (), False),
        pytest.param(_captioner, (), False, marks=pytest.mark.slow),
        pytest.param(_captioner, (3,), True, marks=pytest.mark.slow),
    ],
)
def test_what_goes_in_is_that_of_a_loop(make, captions, jit):
    model = make()
    window, seed = _window(model, captions), (7, 8)
    # Windows of several lengths make the graph know none.
    unknown = tf.TensorSpec([None] * (2 + len(captions)), tf.int32)

    @tf.function(input_signature=[unknown, tf.TensorSpec([])], jit_compile=jit)
    def run(tokens, share):
        inputs = {**window["inputs"], "tokens": tokens}
        return mixed(model, {**window, "inputs": inputs}, share, seed)

    true = window["inputs"]["tokens"].numpy()
    for share in (0.0, 0.5, 1.0):
        told = run(true, tf.constant(share))
        tokens = told["inputs"]["tokens"].numpy()
        np.testing.assert_array_equal(tokens, _by_steps(model, window, share, seed))
        assert np.array_equal(tokens, true) == (share == 1.0)
        np.testing.assert_array_equal(told["targets"], window["targets"])


@pytest.mark.parametrize("least", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("schedule", ["linear", "exponential", "inverse_sigmoid"])
def test_the_share_falls_from_one_to_its_end(schedule, least):
    sampling = ScheduledSampling(teacher_forcing=least, forcing_schedule=schedule)
    shares = np.array([sampling.true_share(Update(n, 11)) for n in range(13)])
    np.testing.assert_allclose(shares[[0, 10, 11, 12]], [1, least, least, least], atol=1e-6)
    assert np.all(np.diff(shares[:11]) < 0) or least == 1
    halfway = {"linear": 0.5, "exponential": 0.1 - 0.1 / 11, "inverse_sigmoid": 0.5}[schedule]
    np.testing.assert_allclose(shares[5], least + (1 - least) * halfway, atol=1e-3)
    assert sampling.true_share(Update(0, 1)) == 1


def _trained(folder=None, start=None, fail_after=None):
    model = _translator()
    windows = example_windows(*_examples(model, count=12), B, shuffle_seed=1)
    settings = Settings(epochs=3, batch_size=B, save_steps=1, learning_rate=0.01)
    objective = ScheduledSampling(teacher_forcing=0.2)

    class Failing(keras.callbacks.Callback):
        left = fail_after

        def on_train_batch_begin(self, batch, logs=None):
            if self.left == 0:
                raise KeyboardInterrupt
            self.left = self.left and self.left - 1

    Trainer(model, settings, seed=4, objective=objective).fit(
        windows, windows.take(0), [Failing()], Checkpoints(folder) if folder else None, start
    )
    return model.get_weights()


@pytest.mark.slow
def test_a_stopped_run_goes_on_with_the_same_coins(tmp_path):
    whole = _trained()
    with pytest.raises(KeyboardInterrupt):
        _trained(tmp_path, fail_after=5)
    start, _ = Checkpoints(tmp_path).newest()
    assert start.position.updates == 5
    for weight, expected in zip(_trained(start=start), whole, strict=True):
        np.testing.assert_array_equal(weight, expected)


@pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_an_update_is_that_of_teacher_forcing_on_what_went_in(plain_settings, jit):
    """The share is 1 at the first of two updates, 0 at the second."""
    model = _translator()
    windows = example_windows(*_examples(model), B)
    settings = plain_settings(epochs=2, batch_size=B, learning_rate=1.0, jit_compile=jit)
    objective = ScheduledSampling(teacher_forcing=0.0)
    for share in (1.0, 0.0):
        before = model.get_weights()
        window = mixed(model, next(iter(windows)), share, (0, 0))
        with tf.GradientTape() as tape:
            scores, _ = model.score(window, None)
            loss = tf.reduce_sum(scores.loss * window["weights"]) / tf.reduce_sum(window["weights"])
        weights = [weight.value for weight in model.trainable_variables]
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, weights)]
        model.set_weights([w - g for w, g in zip(before, gradients)])
    expected, model = model.get_weights(), _translator()
    Trainer(model, settings, objective=objective).fit(windows, windows.take(0))
    for weight, other in zip(model.get_weights(), expected):
        np.testing.assert_allclose(weight, other, atol=1e-5)


def test_a_model_that_reads_only_is_refused():
    model = zoo.create("char-lstm", vocab_size=9, embedding=6, units=7)
    with pytest.raises(UserError, match=r"teacher_forcing is 0.5, but .* caption or translate"):
        Trainer(model, Settings(), objective=ScheduledSampling(teacher_forcing=0.5))
    with pytest.raises(UserError, match=r"reward is 'bleu', but .* caption or translate"):
        Trainer(model, Settings(), objective=SelfCritical(reward="bleu"))
