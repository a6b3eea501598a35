"""REINFORCE with the greedy answer as its baseline, against its formula."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding import decode
from zoo.topologies.one_to_many import OneToMany
from zoo.topologies.seq2seq import Seq2Seq
from zoo.training.objectives import SelfCritical
from zoo.training.objectives.self_critical import Rewarded, make_reward, mean_reward, rewarded
from zoo.training.replicas import Replicas
from zoo.training.settings import Settings
from zoo.training.step import Step
from zoo.training.trainer import Trainer
from zoo.training.windows import example_windows

V, T, START, END = 7, 5, 2, 3


@pytest.fixture
def captioner():
    keras.utils.set_random_seed(3)
    return OneToMany(
        vocab_size=V, image_shape=(2, 2, 1), encoder="linear", embedding=5, units=6, features=4
    )


def _windows(rows=3, captions=2):
    """Of each image, captions of differing length that end; the last window is filled up."""
    draw = np.random.default_rng(1)
    ends = draw.integers(4, V, (rows, captions, T))
    lengths = draw.integers(1, T, (rows, captions, 1))
    ends = np.where(np.arange(T) < lengths, ends, np.where(np.arange(T) == lengths, END, 0))
    starts = np.insert(ends[..., :-1], 0, START, axis=-1).astype("int32")
    images = draw.integers(0, 255, (rows, 2, 2, 1)).astype("uint8")
    return example_windows({"image": images, "tokens": starts}, ends, ends != 0, 4)


def _longest(told, references):
    """A reward that is easy to compute again: tokens, plus a tenth of the references' tokens."""
    return np.array(
        [len(one) + 0.1 * sum(map(len, truths)) for one, truths in zip(told, references)], "float32"
    )


def _ended(told):
    """Rows of tokens with the end, as lists."""
    tokens, lengths = told.tokens.numpy(), told.lengths.numpy()
    return [
        [*row[:length].tolist(), *([END] if length < T else [])]
        for row, length in zip(tokens, lengths)
    ]


def _seed_of(run_seed, update):
    seed = tf.constant([run_seed, 0])
    for place in (update, 0, 0):
        seed = tf.random.experimental.stateless_fold_in(seed, place)
    return seed


def _drawn_and_written(model, window, seed):
    images = window["inputs"]["image"]
    state = model.encode(images)
    written = decode(model.step, state, tf.fill([4], START), T, END)
    state = tf.nest.map_structure(lambda part: tf.repeat(part, 2, axis=0), state)
    drawn = decode(model.step, state, tf.fill([8], START), T, END, temperature=1.0, seed=seed)
    return _ended(drawn), _ended(written)


def _of_any_length(run, window):
    """In a graph that knows neither rows nor time steps, as windows of several sizes make it."""

    def spec(tensor):
        image = tensor.dtype == tf.uint8
        rest = tensor.shape[1:] if image else [None] * (tensor.shape.rank - 1)
        return tf.TensorSpec([None, *rest], tensor.dtype)

    return tf.function(run, input_signature=[tf.nest.map_structure(spec, window)])(window)


def test_a_window_is_what_was_drawn_and_its_advantage(captioner):
    window = next(iter(_windows()))
    drawn, written = _drawn_and_written(captioner, window, (1, 2))
    told = _of_any_length(lambda window: rewarded(captioner, window, _longest, (1, 2)), window)
    assert told["advantage"].shape == (4, 2, T)
    targets, weights = (told[key].numpy().reshape(8, T) for key in ("targets", "weights"))
    assert len(set(map(tuple, drawn))) > 2
    for row, tokens in enumerate(drawn):
        real = row < 6  # The fourth image fills the window up.
        assert targets[row, : len(tokens)].tolist() == tokens
        assert weights[row].tolist() == [float(real and t < len(tokens)) for t in range(T)]
        went_in = told["inputs"]["tokens"].numpy().reshape(8, T)[row]
        assert went_in[: len(tokens)].tolist() == [START, *tokens[:-1]]
        expected = (len(tokens) - len(written[row // 2])) * weights[row]
        np.testing.assert_allclose(
            told["advantage"].numpy().reshape(8, T)[row], expected, atol=1e-5
        )
    assert np.any(told["advantage"])


def _step(model, settings, reward, seed=0, **options):
    """One that moves by the gradient itself."""
    objective = Rewarded(reward, SelfCritical(reward="bleu", **options))
    players = objective.players(model, settings, lambda: keras.optimizers.SGD(1.0))
    players["model"].optimizer.build(model.trainable_variables)
    return Step(model, objective, players, settings, Replicas(), seed=seed)


def test_an_update_is_that_of_the_formula(captioner, plain_settings):
    model, window = captioner, next(iter(_windows()))
    before, seed = model.get_weights(), _seed_of(9, 0)
    drawn, written = _drawn_and_written(model, window, seed)
    weights = [weight.value for weight in model.trainable_variables]
    with tf.GradientTape() as tape:
        total, count = 0.0, 0
        for row, tokens in enumerate(drawn[:6]):
            advantage = len(tokens) - len(written[row // 2])
            state = model.encode(window["inputs"]["image"][row // 2][None])
            fed = START
            for token in tokens:
                logits, state = model.step(tf.constant([fed]), state)
                total -= advantage * tf.nn.log_softmax(logits)[0, token]
                fed, count = token, count + 1
        loss = total / count
    gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, weights)]
    step = _step(model, plain_settings(), _longest, seed=9, label_smoothing=0.1)
    step([window], model.initial_state(4))
    moved = [old - new for old, new in zip(before, model.get_weights())]
    for found, expected in zip(moved, gradients, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert max(np.abs(part).max() for part in moved) > 1e-3


def test_what_is_no_better_than_greedy_moves_nothing(captioner, plain_settings):
    before = captioner.get_weights()
    step = _step(captioner, plain_settings(), lambda told, _: np.ones(len(told), "float32"))
    step([next(iter(_windows()))], captioner.initial_state(4))
    for old, new in zip(before, captioner.get_weights()):
        np.testing.assert_array_equal(old, new)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bleu", "cider"])
def test_the_reward_grows(name):
    """Sources of one token are to be told as themselves twice: learnt from the reward alone."""
    keras.utils.set_random_seed(3)
    model = Seq2Seq(source_vocab_size=V, target_vocab_size=V, embedding=8, units=12)
    sources = np.repeat(np.arange(4, V), 8)[:, None].astype("int32")
    ends = np.concatenate([sources, sources, np.full_like(sources, END)], axis=1)
    starts = np.insert(ends[:, :-1], 0, START, axis=1)
    windows = example_windows({"source": sources, "tokens": starts}, ends, ends > 0, 24)
    settings = Settings(
        epochs=60 if name == "bleu" else 150, batch_size=24, learning_rate=0.03,
        schedule="constant", patience=200,
    )  # fmt: skip
    objective = SelfCritical(reward=name, reward_from=2)
    history = Trainer(model, settings, objective=objective).fit(windows, windows)
    rewards = history["val_reward"]
    assert rewards[0] < 0.5 * rewards[-1]
    best = mean_reward(model, windows, make_reward(name, windows))
    assert best == pytest.approx(rewards[-1], abs=1e-5)
    # The best that can be had without a look at the source.
    truths, reward = [[row.tolist()] for row in ends], make_reward(name, windows)
    naive = max(reward([[token, token, END]] * len(truths), truths).mean() for token in range(4, V))
    assert rewards[-1] > 1.5 * naive
