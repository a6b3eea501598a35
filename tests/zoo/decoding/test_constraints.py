import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding import beam_search, decode

V, END = 5, 1


def _stubborn(token, state):
    """Wants the token 3, then the end, then the others."""
    logits = tf.constant([[0.0, 4.0, 1.0, 5.0, 2.0]])
    return tf.repeat(logits, tf.shape(token)[0], axis=0), state


def _greedy(**rules):
    told = decode(_stubborn, (), tf.fill([2], 2), 6, end=END, **rules)
    return told.tokens.numpy().tolist()


def _beams(**rules):
    told = beam_search(_stubborn, (), tf.fill([2], 2), 6, END, width=1, **rules)
    return told.tokens[:, 0].numpy().tolist()


@pytest.mark.parametrize("search", [_greedy, _beams])
@pytest.mark.parametrize(
    ("rules", "tokens"),
    [
        ({}, [3, 3, 3, 3, 3, 3]),
        ({"banned": (3,)}, [0, 0, 0, 0, 0, 0]),
        ({"banned": (3,), "min_length": 2}, [4, 4, 0, 0, 0, 0]),
        ({"no_repeat_ngram": 1}, [3, 0, 0, 0, 0, 0]),
        ({"no_repeat_ngram": 1, "min_length": 3}, [3, 4, 2, 0, 0, 0]),
        # All but the end have been used.
        ({"no_repeat_ngram": 1, "min_length": 6, "banned": (0,)}, [3, 4, 2, 0, 0, 0]),
        ({"no_repeat_ngram": 2, "min_length": 6}, [3, 3, 4, 3, 2, 3]),
        ({"no_repeat_ngram": 3, "min_length": 6}, [3, 3, 3, 4, 3, 3]),
        ({"no_repeat_ngram": 7, "min_length": 6}, [3, 3, 3, 3, 3, 3]),
        ({"no_repeat_ngram": 2, "min_length": 6, "repeatable": (3,)}, [3, 3, 3, 3, 3, 3]),
    ],
)
def test_what_may_come(search, rules, tokens):
    assert search(**rules) == [tokens, tokens]
    numbers = {key: tf.constant(v) if isinstance(v, int) else v for key, v in rules.items()}
    assert search(**numbers) == [tokens, tokens]


@pytest.mark.parametrize("search", [_greedy, _beams])
def test_each_row_goes_on_after_its_own_prefix(search):
    prefix = tf.constant([[4, 4, 4, 0], [2, 0, 0, 0]])
    assert search(prefix=prefix, no_repeat_ngram=2) == [[4, 4, 4, 3, 3, 0], [2, 3, 3, 0, 0, 0]]
    # What is forced comes, whatever else is asked for, and also ends a row.
    assert search(prefix=[[4, 4], [2, 1]], banned=(4,)) == [[4, 4, 3, 3, 3, 3], [2, 0, 0, 0, 0, 0]]
    # One that is longer than what is made is cut.
    assert search(prefix=[[2] * 8] * 2) == [[2] * 6] * 2


def test_a_prefix_is_what_the_best_hypotheses_begin_with():
    logits = np.random.default_rng(1).normal(size=(V, V)).astype("float32")

    def step(token, state):
        return tf.gather(logits, token), state

    prefix = [[4, 3], [2, 0]]
    beams = beam_search(step, (), [0, 0], 6, END, width=4, n_best=4, prefix=prefix)
    assert np.isfinite(beams.scores).all()
    assert (beams.tokens[0, :, :2] == [4, 3]).numpy().all()
    assert (beams.tokens[1, :, 0] == 2).numpy().all() and len(
        set(beams.tokens[1, :, 1].numpy())
    ) > 1


def test_draws_obey_too():
    def even(token, state):
        return tf.zeros([300, V]), state

    told = decode(
        even, (), tf.zeros(300, tf.int32), 4, end=END, temperature=1.0, min_length=2,
        no_repeat_ngram=1, banned=(0,),
    )  # fmt: skip
    lengths = told.lengths.numpy()
    assert set(lengths) == {2, 3}
    for row, length in zip(told.tokens.numpy(), lengths):
        assert len(set(row[:length])) == length and not {0, END} & set(row[:length])
