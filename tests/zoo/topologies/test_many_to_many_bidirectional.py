import numpy as np
import pytest
import tensorflow as tf

from zoo.errors import UserError
from zoo.layers.crf import FORBIDDEN, Chain
from zoo.topologies.many_to_many_bidirectional import BidirectionalTagger

B, T = 3, 5


def make(**options):
    sizes = {"vocab_size": 12, "characters": 9, "outputs": 4, "embedding": 6, "units": 7}
    return BidirectionalTagger(**{**sizes, "character_filters": 5, **options})


def sentences(lengths=(5, 1, 3), time=T):
    rng = np.random.default_rng(1)
    inside = np.arange(time) < np.array(lengths)[:, None]
    inputs = {
        "words": np.where(inside, rng.integers(2, 12, (B, T))[:, :time], 0),
        "characters": np.where(inside[..., None], rng.integers(1, 9, (B, T, 4))[:, :time], 0),
        "lengths": np.array(lengths),
    }
    return {name: tf.constant(part, tf.int32) for name, part in inputs.items()}


def window(inputs, seed=2):
    weights = tf.sequence_mask(inputs["lengths"], T, tf.float32)
    targets = np.random.default_rng(seed).integers(0, 4, (B, T)).astype("int32")
    reset = tf.ones(B, tf.int32)
    return {
        "inputs": inputs, "targets": tf.constant(targets), "weights": weights, "reset": reset
    }  # fmt: skip


@pytest.mark.parametrize("crf", [False, True])
def test_each_word_depends_on_those_before_and_after_it(crf):
    model, inputs = make(crf=crf), sentences((5, 5, 5))
    before = model(inputs).numpy()
    for place in (0, T - 1):
        words = inputs["words"].numpy()
        words[:, place] = 1
        after = model({**inputs, "words": tf.constant(words)}).numpy()
        assert np.all(np.abs(after - before).max(axis=-1) > 1e-7)


@pytest.mark.parametrize("crf", [False, True])
def test_a_sentence_alone_gets_what_it_gets_among_longer_ones(crf):
    model = make(crf=crf)
    together, alone = model(sentences()), model(sentences((1, 1, 1), time=1))
    np.testing.assert_allclose(alone[1], together[1, :1], atol=1e-6)


def test_a_word_is_told_from_another_by_its_characters_alone():
    model, inputs = make(), sentences()
    words = tf.ones_like(inputs["words"])
    spelt = {**inputs, "words": words}, {**inputs, "words": words, "characters": words[..., None]}
    assert np.abs(model(spelt[0]) - model(spelt[1])).max() > 1e-6
    deaf = make(character_filters=0)
    np.testing.assert_array_equal(deaf(spelt[0]), deaf(spelt[1]))


def test_word_dropout_makes_words_unknown_in_training_alone():
    model, inputs = make(word_dropout=0.999999, dropout=0.0), sentences()
    unknown = {**inputs, "words": tf.ones_like(inputs["words"])}
    np.testing.assert_allclose(model(inputs, training=True), model(unknown), atol=1e-6)
    assert np.abs(model(inputs) - model(unknown)).max() > 1e-6


def test_the_loss_of_a_chain_is_shared_by_the_words_of_a_sentence():
    model = make(crf=True)
    model.crf.transitions.assign(np.random.default_rng(3).normal(size=(4, 4)))
    part = window(sentences())
    told, state = model.score(part, ())
    assert state == ()
    whole = model.crf.negative_log_likelihood(
        model.emissions(part["inputs"]), part["targets"], part["inputs"]["lengths"]
    )
    np.testing.assert_allclose(tf.reduce_sum(told.nll * part["weights"], axis=1), whole, rtol=1e-5)
    right = model.tags(part["inputs"]) == part["targets"]
    np.testing.assert_array_equal(told.right, tf.cast(right, tf.float32))


def test_a_chain_takes_no_label_smoothing():
    with pytest.raises(UserError, match=r"label_smoothing is 0.1, but a model with crf needs 0"):
        make(crf=True).score(window(sentences()), (), training=True, smoothing=0.1)


@pytest.mark.parametrize("crf", [False, True])
def test_tags_keep_to_what_may_follow_what(crf):
    between = np.full((4, 4), FORBIDDEN, "float32")
    np.fill_diagonal(between, 0)
    chain = Chain(tf.constant(between), tf.zeros(4), tf.zeros(4))
    model, inputs = make(crf=crf), sentences((5, 5, 5))
    assert any(len(set(row)) > 1 for row in model.tags(inputs).numpy())
    assert all(len(set(row)) == 1 for row in model.tags(inputs, chain).numpy())
