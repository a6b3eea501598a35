import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding import decode, likely

LOGITS = tf.constant([[0.0, 2.0, 1.0, 0.0]])


def _constant(token, state):
    return tf.repeat(LOGITS, tf.shape(token)[0], axis=0), state


def test_greedy_takes_the_most_likely_token_fed_back():
    table = tf.one_hot([1, 3, 0, 2], 4)
    tokens, lengths, *_ = decode(lambda t, s: (tf.gather(table, t), s), (), [1, 2], 3)
    assert tokens.numpy().tolist() == [[3, 2, 0], [0, 1, 3]]
    assert lengths.numpy().tolist() == [3, 3]


def test_each_row_stops_at_its_own_end():
    def countdown(token, state):
        return tf.one_hot(token - 1, 9), state

    tokens, lengths, *_ = decode(countdown, (), [3, 7], 5, end=1)
    assert tokens.numpy().tolist() == [[2, 0, 0, 0, 0], [6, 5, 4, 3, 2]]
    assert lengths.numpy().tolist() == [1, 5]


def test_samples_follow_the_softmax_at_the_temperature():
    tokens, *_ = decode(_constant, (), tf.zeros(2000, tf.int32), 2, temperature=0.7, seed=(1, 2))
    shares = np.bincount(tokens.numpy().ravel(), minlength=4) / 4000
    assert np.allclose(shares, tf.nn.softmax(LOGITS / 0.7)[0], atol=0.03)


def test_the_seed_decides_the_sample():
    def draw(seed):
        return decode(_constant, (), [0], 50, temperature=1.0, seed=seed)[0].numpy().tolist()

    assert draw((1, 2)) == draw((1, 2)) != draw((2, 2))


def test_banned_tokens_never_come():
    tokens, *_ = decode(_constant, (), tf.zeros(50, tf.int32), 20, temperature=2.0, banned=(1, 3))
    assert set(np.unique(tokens)) == {0, 2}


def test_the_state_is_handed_on():
    def count(token, state):
        return tf.one_hot(state["n"], 9), {"n": state["n"] + 2}

    tokens, *_ = decode(count, {"n": tf.constant([1])}, [0], 4)
    assert tokens.numpy().tolist() == [[1, 3, 5, 7]]


def _likely_by_definition(row, top_k, top_p):
    """The set of one row, in float64, from the definitions of the papers."""
    order = sorted(range(len(row)), key=lambda token: (-row[token], token))
    order = [token for token in order if row[token] > -np.inf][: top_k or None]
    odds = np.exp(np.float64(row[order]) - row.max())
    odds /= odds.sum()
    smallest = next((n for n in range(1, len(order)) if odds[:n].sum() >= top_p), len(order))
    return set(order[: smallest if top_p < 1 else None])


@pytest.mark.parametrize("top_k", [0, 1, 3, 11, 12, 99])
@pytest.mark.parametrize("top_p", [0.0, 1e-30, 0.1, 0.45, 0.9, 0.999999, 1.0])
def test_the_likely_tokens_are_those_of_the_definition(top_k, top_p):
    draw = np.random.default_rng(top_k)
    logits = draw.normal(0, 3, (20, 12)).astype("float32")
    # Ties, what cannot be, certainty, and numbers whose exponentials are none.
    logits[5:10] = logits[5:10].round()
    logits[10:15, ::3] = -np.inf
    logits[15] = 0
    logits[16, 7] = 500
    logits[17:] *= 1e30
    masks = likely(tf.constant(logits), tf.constant(top_k), tf.constant(top_p)).numpy()
    for row, mask in zip(logits, masks):
        assert set(np.flatnonzero(mask)) == _likely_by_definition(row, top_k, top_p)


def test_among_equals_the_lower_ids_stay():
    logits = tf.zeros([1, 8])
    assert likely(logits, top_k=3).numpy().tolist() == [[True] * 3 + [False] * 5]
    assert likely(logits, top_p=0.3).numpy().tolist() == [[True] * 3 + [False] * 5]


def test_the_nucleus_is_that_of_the_temperature():
    # Shares 0.5, 0.3, 0.2; at temperature 0.25 they are 0.87, 0.11, 0.02.
    def drawn(temperature):
        shares = tf.math.log([[0.5, 0.2, 0.3]])
        tokens, *_ = decode(
            lambda token, state: (tf.repeat(shares, 500, axis=0), state),
            (),
            tf.zeros(500, tf.int32),
            1,
            temperature=temperature,
            top_p=0.85,
        )
        return set(tokens.numpy().ravel())

    assert drawn(1.0) == {0, 1, 2}
    assert drawn(0.25) == {0}


@pytest.mark.parametrize(
    ("top_k", "top_p", "allowed"), [(2, 1.0, [1, 2]), (0, 0.7, [1, 2]), (3, 0.99, [0, 1, 2])]
)
def test_only_likely_tokens_are_drawn_in_their_shares(top_k, top_p, allowed):
    shares = np.zeros(4)
    for seed in range(4):
        tokens, *_ = decode(
            _constant, (), tf.zeros(500, tf.int32), 4,
            temperature=1.0, seed=(seed, 9), top_k=tf.constant(top_k), top_p=tf.constant(top_p),
        )  # fmt: skip
        shares += np.bincount(tokens.numpy().ravel(), minlength=4) / 8000
    expected = np.zeros(4)
    expected[allowed] = tf.nn.softmax(LOGITS.numpy()[0, allowed])
    assert np.flatnonzero(shares).tolist() == allowed
    assert np.allclose(shares, expected, atol=0.02)


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0.0, "top_k": 2, "top_p": 0.5},
        {"temperature": 1e-38, "top_p": 0.9},
        {"temperature": 2.0, "top_k": 1},
        {"temperature": 1e30, "top_k": 1, "banned": (3,)},
        {"temperature": 2.0, "top_p": 1e-30},
    ],
)
def test_little_heat_or_one_likely_token_is_greedy(options):
    tokens, *_ = decode(_constant, (), tf.zeros(200, tf.int32), 2, **options)
    assert set(tokens.numpy().ravel()) == {1}


def test_a_banned_token_takes_no_place_among_the_likely():
    tokens, *_ = decode(
        _constant, (), tf.zeros(200, tf.int32), 2, temperature=1.0, banned=(1,), top_k=2
    )
    assert set(tokens.numpy().ravel()) == {0, 2}


def test_each_row_has_likely_tokens_of_its_own():
    def two_rows(token, state):
        return tf.constant([[9.0, 0.0, 0.0, 0.0], [0.0, 0.1, 0.2, 0.3]]), state

    tokens, *_ = decode(two_rows, (), [0, 0], 300, temperature=1.0, top_p=0.9)
    assert [set(row) for row in tokens.numpy()] == [{0}, {0, 1, 2, 3}]


def test_pieces_are_the_whole():
    def counted(token, state):
        return tf.one_hot((token + state) % 7, 7) * 2.0, state + 1

    options = {"temperature": 1.0, "top_k": 5}
    whole = decode(counted, tf.constant([0, 3]), [1, 2], 12, seed=(4, 5), **options)
    token, state, pieces = tf.constant([1, 2]), tf.constant([0, 3]), []
    for start, size in ((0, 1), (1, 4), (5, 7)):
        tokens, _, state, _ = decode(counted, state, token, size, seed=(4, 5 + start), **options)
        token = tokens[:, -1]
        pieces.append(tokens)
    assert tf.concat(pieces, axis=1).numpy().tolist() == whole.tokens.numpy().tolist()
    assert state.numpy().tolist() == whole.state.numpy().tolist()
