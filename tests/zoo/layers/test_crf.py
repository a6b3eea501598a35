"""A linear chain against all sequences of tags, written out one by one."""

from itertools import pairwise, product

import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import crf

B, T, K = 3, 4, 3
LENGTHS = [4, 1, 3]


def random(*shape, seed):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


LOGITS = random(B, T, K, seed=1)
CHAIN = crf.Chain(random(K, K, seed=2), random(K, seed=3), random(K, seed=4))


def worth(row, tags):
    """s(x, y) of a row's logits and a sequence of tags, as the equation says."""
    own = sum(row[t, tag] for t, tag in enumerate(tags))
    pairs = sum(CHAIN.transitions[pair] for pair in pairwise(tags))
    return float(CHAIN.start[tags[0]] + own + pairs + CHAIN.end[tags[-1]])


def every(row):
    """All sequences of tags of a row, with what each is worth."""
    return {y: worth(LOGITS[row], y) for y in product(range(K), repeat=LENGTHS[row])}


@pytest.fixture(params=["eager", "graph", "compiled"])
def run(request):
    """Calls a function in one of three ways."""
    if request.param == "eager":
        return lambda function, *given: function(*given)
    compiled = request.param == "compiled"
    return lambda function, *given: tf.function(function, jit_compile=compiled)(*given)


def test_the_partition_sums_over_all_sequences(run):
    found = run(lambda x: crf.log_partition(x, tf.constant(LENGTHS), CHAIN), LOGITS)
    expected = [np.log(np.sum(np.exp([*every(row).values()]))) for row in range(B)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_score_is_that_of_its_sequence():
    tags = np.array([[2, 0, 1, 1], [1, 2, 2, 2], [0, 2, 1, 2]])
    found = crf.score(LOGITS, tf.constant(tags), tf.constant(LENGTHS), CHAIN)
    expected = [worth(LOGITS[row], tuple(tags[row, : LENGTHS[row]])) for row in range(B)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_marginals_are_shares_of_all_sequences(run):
    found = run(lambda x: crf.marginals(x, tf.constant(LENGTHS), CHAIN), LOGITS)
    for row in range(B):
        shares = np.zeros((T, K))
        for tags, value in every(row).items():
            for t, tag in enumerate(tags):
                shares[t, tag] += np.exp(value)
        length = LENGTHS[row]
        shares = shares[:length] / shares[:length].sum(axis=1, keepdims=True)
        np.testing.assert_allclose(np.exp(found[row, :length]), shares, rtol=1e-5)
        assert not np.any(found[row, length:])


def test_viterbi_finds_the_best_of_all_sequences(run):
    found = run(lambda x: crf.viterbi(x, tf.constant(LENGTHS), CHAIN), LOGITS)
    for row in range(B):
        every_one = every(row)
        assert tuple(np.array(found)[row, : LENGTHS[row]]) == max(every_one, key=every_one.get)


@pytest.mark.parametrize("part", range(4))
def test_gradients_of_the_loss_agree_with_finite_differences(part):
    tags, lengths = tf.constant([[2, 0, 1, 1], [1, 0, 0, 0], [0, 2, 1, 0]]), tf.constant(LENGTHS)
    given = [tf.constant(each) for each in (LOGITS, *CHAIN)]

    def loss(*given):
        chain = crf.Chain(*given[1:])
        whole = crf.log_partition(given[0], lengths, chain)
        return tf.reduce_sum(whole - crf.score(given[0], tags, lengths, chain))

    @tf.function
    def gradients(*given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            value = loss(*given)
        return tape.gradient(value, given)

    gradient = gradients(*given)[part].numpy()
    differences = np.zeros_like(gradient)
    for place in np.ndindex(*gradient.shape):
        step = np.zeros_like(gradient)
        step[place] = 1e-2
        pair = [[*given[:part], given[part] + s, *given[part + 1 :]] for s in (step, -step)]
        differences[place] = (loss(*pair[0]) - loss(*pair[1])) / 2e-2
    np.testing.assert_allclose(gradient, differences, atol=2e-3)


def test_what_is_forbidden_is_not_decoded_though_all_speaks_for_it():
    between = np.zeros((2, 2), "float32")
    between[0, 1] = crf.FORBIDDEN
    chain = crf.Chain(between, np.zeros(2, "float32"), np.zeros(2, "float32"))
    logits = tf.constant([[[60.0, 0.0], [0.0, 50.0], [0.0, 50.0]]])
    assert crf.viterbi(logits, tf.constant([3]), chain).numpy().tolist() == [[1, 1, 1]]


def test_without_worth_of_neighbours_each_word_of_a_long_sentence_is_by_itself():
    logits, lengths = tf.constant(100 * random(1, 300, K, seed=5)), tf.constant([300])
    layer = crf.LinearChain(K)
    tags = tf.argmax(logits, axis=-1, output_type=tf.int32)
    np.testing.assert_array_equal(crf.viterbi(logits, lengths, layer.chain), tags)
    alone = tf.nn.sparse_softmax_cross_entropy_with_logits(tags, logits)
    found = layer.negative_log_likelihood(logits, tags, lengths)
    np.testing.assert_allclose(found[0], tf.reduce_sum(alone), atol=0.1)


def test_half_precision_is_computed_in_single():
    found = crf.LinearChain(K, dtype="mixed_float16")(
        tf.cast(LOGITS, tf.float16), lengths=tf.constant(LENGTHS)
    )
    assert found.dtype == tf.float32
