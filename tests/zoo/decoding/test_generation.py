"""From a condition to tokens."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding import beam_search, decode, generate
from zoo.topologies.seq2seq import Seq2Seq

FIRST, END = 1, 2


@pytest.fixture(scope="module")
def model():
    tf.keras.utils.set_random_seed(3)
    made = Seq2Seq(source_vocab_size=9, target_vocab_size=9, embedding=6, units=8, layers=2)
    # Livelier than fresh weights, which say the same word for ever.
    made.set_weights([4 * weight for weight in made.get_weights()])
    return made


@pytest.fixture(scope="module")
def source():
    return tf.constant(np.random.default_rng(2).integers(1, 9, (4, 5)), tf.int32)


def test_one_hypothesis_or_draws(model, source):
    told = generate(model, source, FIRST, 7, END, banned=(0,))
    first = tf.fill([4], FIRST)
    expected = decode(model.step, model.encode(source), first, 7, END, banned=(0,))
    np.testing.assert_array_equal(told.tokens, expected.tokens)
    hot = {"temperature": 1.5, "seed": (1, 2), "top_k": 4}
    told = generate(model, source, first, 7, END, **hot)
    expected = decode(model.step, model.encode(source), first, 7, END, **hot)
    np.testing.assert_array_equal(told.tokens, expected.tokens)
    np.testing.assert_array_equal(told.lengths, expected.lengths)


def test_several_hypotheses_are_searched_and_the_best_is_given(model, source):
    told = generate(model, source, FIRST, 7, END, beam_width=4, length_penalty=0.5)
    state, first = model.encode(source), tf.fill([4], FIRST)
    best = beam_search(model.step, state, first, 7, END, 4, length_penalty=0.5)
    np.testing.assert_array_equal(told.tokens, best.tokens[:, 0])
    np.testing.assert_array_equal(told.lengths, best.lengths[:, 0])
    assert told.state is None and told.watched is None


def test_scores_are_those_of_teacher_forcing(model, source):
    state, first = model.encode(source), tf.fill([4], FIRST)
    beams = beam_search(model.step, state, first, 6, END, 3, n_best=3, length_penalty=1.0)
    for n in range(3):
        tokens, lengths = beams.tokens[:, n].numpy(), beams.lengths[:, n].numpy()
        inputs = {"source": source, "tokens": np.insert(tokens, 0, FIRST, axis=1)}
        logs = tf.nn.log_softmax(model(inputs)).numpy()
        for row, length in enumerate(lengths):
            said = [*tokens[row, :length], *([END] if length < 6 else [])]
            sum_ = sum(logs[row, t, token] for t, token in enumerate(said))
            expected = sum_ / ((5 + len(said)) / 6)
            np.testing.assert_allclose(beams.scores[row, n], expected, rtol=1e-4)


@pytest.mark.slow
def test_every_number_is_an_input_of_an_export(model, source, tmp_path):
    numbers = {"max_length": 7, "beam_width": 4, "min_length": 3, "no_repeat_ngram": 2}

    @tf.function(
        input_signature=[tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([], tf.float32)]
        + [tf.TensorSpec([], tf.int32)] * 4
    )
    def serve(source, length_penalty, max_length, beam_width, min_length, no_repeat_ngram):
        return generate(
            model, source, FIRST, max_length, END, beam_width, length_penalty=length_penalty,
            min_length=min_length, no_repeat_ngram=no_repeat_ngram,
        ).tokens  # fmt: skip

    module = tf.Module()
    module.variables_ = [variable.value for variable in model.variables]
    module.serve = serve
    tf.saved_model.save(module, str(tmp_path / "export"))
    loaded = tf.saved_model.load(str(tmp_path / "export"))
    for numbers["beam_width"] in (1, 4):
        written = loaded.serve(source, 0.7, *numbers.values())
        here = generate(model, source, FIRST, end=END, length_penalty=0.7, **numbers)
        np.testing.assert_array_equal(written, here.tokens)
    assert loaded.serve(source[:0], 0.7, *numbers.values()).shape == (0, 7)


@pytest.mark.slow
def test_nothing_shorter_than_a_token_can_be_asked_for(model, source):
    with pytest.raises(ValueError, match="max_length must be at least 1"):
        generate(model, source, FIRST, 0, END)
    limited = tf.function(lambda longest: generate(model, source, FIRST, longest, END).tokens)
    assert limited(tf.constant(2)).shape == (4, 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="max_length must be at least 1"):
        limited(tf.constant(0))
