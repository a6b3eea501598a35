import numpy as np
import pytest
from keras import ops

from zoo.layers.ngrams import BUCKETS, NgramSum

CLASSES = 3


@pytest.fixture(params=[1, 2, 4])
def counted(request):
    layer = NgramSum(CLASSES, request.param)
    layer.table.assign(np.random.default_rng(1).normal(size=(layer.buckets, CLASSES)))
    return layer


def by_hand(layer, texts):
    """The vectors of texts, lists of tokens, from their n-grams written out."""
    rows = []
    for text in texts:
        marked = [1, *(token + 2 for token in text), 1]
        grams = [
            marked[i : i + n]
            for n in range(1, layer.longest + 1)
            for i in range(len(marked) - n + 1)
            if n > 1 or marked[i] != 1
        ]
        total = np.zeros(CLASSES)
        for gram in grams:
            key = 0
            for size, token in enumerate(reversed(gram), start=1):
                key = (key * 31_337 + token + size) % BUCKETS
            total += layer.table.numpy()[key % layer.buckets]
        rows.append(10 * total / np.sqrt(max(len(grams), 1)))
    return np.array(rows)


TEXTS = [[4, 5, 6, 7, 4], [9], [8, 8, 8]]


@pytest.fixture
def padded():
    tokens = np.full((3, 6), 0, "int32")
    for row, text in enumerate(TEXTS):
        tokens[row, : len(text)] = text
    return tokens, np.array([len(text) for text in TEXTS], "int32")


def test_each_ngram_counts_once_and_the_ends_are_tokens(counted, padded):
    tokens, lengths = padded
    vectors, _ = counted(tokens, lengths=lengths)
    np.testing.assert_allclose(vectors, by_hand(counted, TEXTS), rtol=1e-4, atol=1e-5)


def test_in_pieces_and_step_by_step_it_is_the_same(counted, padded):
    tokens, lengths = padded
    state = counted.initial_state(3)
    for begin in (0, 2, 4):
        left = np.clip(lengths - begin, 0, 2)
        vectors, state = counted(tokens[:, begin : begin + 2], state, lengths=left)
    np.testing.assert_allclose(vectors, by_hand(counted, TEXTS), rtol=1e-4, atol=1e-5)
    state = counted.initial_state(1)
    for place, token in enumerate(TEXTS[0], start=1):
        vector, state = counted.step(ops.array([token]), state)
        expected = by_hand(counted, [TEXTS[0][:place]])
        np.testing.assert_allclose(vector, expected, rtol=1e-4, atol=1e-5)


def test_what_was_before_a_new_text_does_not_count(counted):
    tokens = np.array([[4, 5, 6, 7, 8, 9]], "int32")
    for starts, text in (([2], [6, 7, 8, 9]), ([1, 5], [9]), ([0], [4, 5, 6, 7, 8, 9])):
        reset = np.isin(np.arange(6), starts)[None]
        _, before = counted(np.array([[3, 3]], "int32"))
        vectors, state = counted(tokens, before, reset=reset)
        np.testing.assert_allclose(vectors, by_hand(counted, [text]), rtol=1e-4, atol=1e-5)
        vectors, _ = counted.step(ops.array([3]), state)
        np.testing.assert_allclose(vectors, by_hand(counted, [[*text, 3]]), rtol=1e-4, atol=1e-5)


def test_a_row_without_tokens_keeps_its_state(counted, padded):
    tokens, lengths = padded
    expected, state = counted(tokens, lengths=lengths)
    reset = np.ones(3, bool)
    again, _ = counted(tokens, state, lengths=np.zeros(3, "int32"), reset=reset)
    np.testing.assert_allclose(again, expected, rtol=1e-6)


def test_many_classes_have_fewer_buckets():
    assert NgramSum(1000, 2).table.shape == (1048, 1000)
    with pytest.raises(ValueError, match="longest is 0"):
        NgramSum(3, 0)
