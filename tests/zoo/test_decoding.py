import numpy as np
import tensorflow as tf

from zoo.decoding import decode

LOGITS = tf.constant([[0.0, 2.0, 1.0, 0.0]])


def _constant(token, state):
    return tf.repeat(LOGITS, tf.shape(token)[0], axis=0), state


def test_greedy_takes_the_most_likely_token_fed_back():
    table = tf.one_hot([1, 3, 0, 2], 4)
    tokens, lengths = decode(lambda t, s: (tf.gather(table, t), s), (), [1, 2], 3)
    assert tokens.numpy().tolist() == [[3, 2, 0], [0, 1, 3]]
    assert lengths.numpy().tolist() == [3, 3]


def test_each_row_stops_at_its_own_end():
    def countdown(token, state):
        return tf.one_hot(token - 1, 9), state

    tokens, lengths = decode(countdown, (), [3, 7], 5, end=1)
    assert tokens.numpy().tolist() == [[2, 0, 0, 0, 0], [6, 5, 4, 3, 2]]
    assert lengths.numpy().tolist() == [1, 5]


def test_samples_follow_the_softmax_at_the_temperature():
    tokens, _ = decode(_constant, (), tf.zeros(2000, tf.int32), 2, temperature=0.7, seed=(1, 2))
    shares = np.bincount(tokens.numpy().ravel(), minlength=4) / 4000
    assert np.allclose(shares, tf.nn.softmax(LOGITS / 0.7)[0], atol=0.03)


def test_the_seed_decides_the_sample():
    def draw(seed):
        return decode(_constant, (), [0], 50, temperature=1.0, seed=seed)[0].numpy().tolist()

    assert draw((1, 2)) == draw((1, 2)) != draw((2, 2))


def test_banned_tokens_never_come():
    tokens, _ = decode(_constant, (), tf.zeros(50, tf.int32), 20, temperature=2.0, banned=(1, 3))
    assert set(np.unique(tokens)) == {0, 2}


def test_the_state_is_handed_on():
    def count(token, state):
        return tf.one_hot(state["n"], 9), {"n": state["n"] + 2}

    tokens, _ = decode(count, {"n": tf.constant([1])}, [0], 4)
    assert tokens.numpy().tolist() == [[1, 3, 5, 7]]
