"""Greedy decoding of few rows, compiled as a whole where it runs often."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding import continued, generate
from zoo.recurrence import compiling
from zoo.recurrence.compiling import Compile, compiled
from zoo.topologies.many_to_many import ManyToMany
from zoo.topologies.one_to_many import OneToMany
from zoo.topologies.seq2seq import Seq2Seq

pytestmark = pytest.mark.compiled
FIRST, END, LONGEST = 1, 2, 6
SIZES = {"source_vocab_size": 9, "target_vocab_size": 9, "embedding": 6, "units": 8}
SOURCE = tf.TensorSpec([None, None], tf.int32)


@pytest.fixture
def chosen(shape_counters, monkeypatch):
    """Tells of each counter of shapes which it has chosen, all when it first met them."""
    monkeypatch.setattr(compiling, "DECODED_BEFORE", 0)
    return lambda: [[rows for rows, _ in shapes.chosen()] for shapes in shape_counters]


def lively(model):
    """Livelier than fresh weights, which say the same word for ever."""
    model.set_weights([4 * weight for weight in model.get_weights()])
    return model


def decoding(model, when, **how):
    """From what a model is conditioned on, or a token, to what it writes; see `continued`."""

    def write(condition):
        rows = tf.shape(condition)[0]
        if model.conditional:
            with compiled(Compile.NEVER):
                state, first = model.encode(condition), tf.fill([rows], FIRST)
        else:
            state, first = model.initial_state(rows), condition
        limits = {"max_length": LONGEST, "end": END, "banned": (0,)} | how
        limits = {name: of(condition) if callable(of) else of for name, of in limits.items()}
        with compiled(when):
            decoded = continued(model, state, first, **limits)
        return [part for part in decoded if part is not None]

    return write


def graph_of(function, spec):
    return tf.function(function, input_signature=[spec], autograph=False)


def assert_equal_answers(model, spec, *conditions, **how):
    """That a model writes the same, whether that is compiled or not."""
    plain, fast = (
        graph_of(decoding(model, when, **how), spec) for when in (Compile.NEVER, Compile.FREQUENT)
    )
    assert [holds_compiled_code(graph) for graph in (plain, fast)] == [False, True]
    for condition in conditions:
        for one, other in zip(plain(condition), fast(condition), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def holds_compiled_code(graph):
    definition = graph.get_concrete_function().graph.as_graph_def()
    return b"_XlaMustCompile" in definition.SerializeToString()


def sources(rows, time):
    return tf.constant(np.random.default_rng(rows + time).integers(1, 9, (rows, time)), tf.int32)


@pytest.mark.slow
def test_few_rows_are_compiled_and_each_length_counts(chosen):
    model = lively(Seq2Seq(**SIZES, attention="additive"))
    met = ((2, 3), (2, 3), (compiling.FEW_ROWS + 1, 3), (0, 3), (2, 4))
    assert_equal_answers(model, SOURCE, *(sources(*shape) for shape in met), min_length=3)
    assert chosen() == [[2, 2]]


@pytest.mark.slow
def test_a_translation_from_a_context_that_begins_with_given_words(chosen):
    model = lively(Seq2Seq(**SIZES, layers=2))
    prefix = tf.constant([[4, 5], [6, 0], [7, 0]])
    assert_equal_answers(model, SOURCE, sources(3, 4), prefix=prefix)
    assert chosen() == [[3]]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dot", "scaled", "location", "monotonic"])
@pytest.mark.parametrize("cell", ["lstm", "vanilla_rnn"])
def test_other_translations(chosen, kind, cell):
    model = lively(Seq2Seq(**SIZES, attention=kind, cell=cell))
    assert_equal_answers(model, SOURCE, sources(1, 5), sources(3, 4))
    assert chosen() == [[1, 3]]


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["none", "additive"])
def test_a_caption(chosen, attention):
    options = {"vocab_size": 9, "embedding": 6, "units": 8, "attention": attention}
    model = lively(OneToMany(image_shape=(8, 8, 1), **options))
    images = np.random.default_rng(1).integers(0, 255, (2, 8, 8, 1)).astype("uint8")
    assert_equal_answers(model, tf.TensorSpec([None, 8, 8, 1], tf.uint8), images)
    assert chosen() == [[2]]


@pytest.mark.slow
def test_a_text_of_a_length_and_a_temperature_that_the_graph_does_not_know(chosen):
    model = lively(ManyToMany(vocab_size=9, embedding=6, units=8))
    how = {
        "end": None,
        "max_length": lambda tokens: tokens[0],
        "temperature": lambda tokens: tf.cast(tokens[1] > 6, tf.float32),
        "seed": (1, 2),
    }
    tokens = tf.TensorSpec([None], tf.int32)
    # What is drawn is not compiled.
    assert_equal_answers(model, tokens, [3, 4], [5, 4], [5, 7], **how)
    assert chosen() == [[2, 2]]


@pytest.mark.slow
def test_neither_words_that_come_once_are_compiled_nor_what_may_be_saved():
    model = lively(Seq2Seq(**SIZES))
    once = decoding(model, Compile.FREQUENT, no_repeat_ngram=2)
    assert not holds_compiled_code(graph_of(once, SOURCE))
    serve = tf.function(lambda source: generate(model, source, FIRST, LONGEST, END).tokens)
    assert not holds_compiled_code(graph_of(serve, SOURCE))


def test_a_step_of_ones_own_is_not_compiled():
    class Own(Seq2Seq):
        def step(self, x_t, state):
            logits, state = super().step(x_t, state)
            known = tf.numpy_function(np.array, [logits], tf.float32)
            return tf.ensure_shape(known, logits.shape), state

        def steps_from(self, state, width=1):
            return self.step, state

    assert Seq2Seq.compiled_steps and type("Same", (Seq2Seq,), {}).compiled_steps
    assert not Own.compiled_steps
    graph = graph_of(decoding(lively(Own(**SIZES)), Compile.FREQUENT), SOURCE)
    assert not holds_compiled_code(graph)
    assert graph(sources(1, 3))[0].shape == (1, LONGEST)
