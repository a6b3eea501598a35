import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.topologies.base import scores
from zoo.topologies.seq2seq import Seq2Seq

SIZES = {"source_vocab_size": 20, "target_vocab_size": 10, "embedding": 5, "units": 6}
SOURCE = np.array([[3, 4, 5, 6], [7, 8, 0, 0], [9, 0, 0, 0]])


def context(model, source):
    return model.encode(source)["context"].numpy()


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("reading", ["forward", "backward", "both"])
def test_padding_does_not_reach_the_context(cell, reading):
    model = Seq2Seq(**SIZES, cell=cell, reading=reading)
    alone = [context(model, row[row > 0][None])[0] for row in SOURCE]
    np.testing.assert_allclose(context(model, SOURCE), alone, atol=1e-6)


@pytest.mark.parametrize("layers", [1, 2])
def test_reading_backward_is_reading_the_turned_source_forward(layers):
    backward = Seq2Seq(**SIZES, layers=layers, reading="backward")
    forward = Seq2Seq(**SIZES, layers=layers, reading="forward")
    forward.set_weights(backward.get_weights())
    turned = np.array([[6, 5, 4, 3], [8, 7, 0, 0], [9, 0, 0, 0]])
    np.testing.assert_allclose(context(backward, SOURCE), context(forward, turned), atol=1e-6)


def test_reading_both_ways_joins_the_two_contexts():
    both = Seq2Seq(**SIZES, reading="both")
    forward, backward = (Seq2Seq(**SIZES, reading=way) for way in ("forward", "backward"))
    for way, encoder in zip((forward, backward), both.encoders):
        way.source_embedding.set_weights(both.source_embedding.get_weights())
        way.encoders[0].set_weights(encoder.get_weights())
    joined = np.concatenate([context(forward, SOURCE), context(backward, SOURCE)], axis=1)
    np.testing.assert_allclose(context(both, SOURCE), joined, atol=1e-6)


def test_all_that_the_decoder_knows_of_the_source_is_the_context():
    model = Seq2Seq(**SIZES)
    tokens = np.array([[1, 2, 3]])
    one, other = (model({"source": row[None], "tokens": tokens}) for row in SOURCE[:2])
    assert np.abs(one - other).max() > 1e-3
    model.encode = lambda source, training=None: Seq2Seq.encode(model, SOURCE[:1])
    one, other = (model({"source": row[None], "tokens": tokens}) for row in SOURCE[:2])
    np.testing.assert_array_equal(one, other)


def test_an_unknown_reading_is_refused():
    with pytest.raises(ValueError, match="reading is 'sideways', but forward or backward or both"):
        Seq2Seq(**SIZES, reading="sideways")


ATTENDING = {
    "additive": {"reading": "both", "attention": "additive", "tied": True},
    "deep": {"attention": "location", "layers": 3, "residual": True, "reading": "both"},
    "fed": {"cell": "lstm", "attention": "scaled", "coverage": 0.5, "tied": True},
    "apart": {"cell": "lstm", "attention": "multiplicative", "feeding": False, "layers": 2},
}
attending = pytest.mark.parametrize("options", ATTENDING.values(), ids=ATTENDING)
SOURCES = np.array([[3, 4, 5, 6], [7, 8, 0, 0], [0, 0, 0, 0]])
TOKENS = np.array([[1, 2, 3], [1, 4, 5], [1, 6, 0]])


@attending
def test_steps_give_what_the_whole_gives_and_look_where_it_looks(options):
    model = Seq2Seq(**SIZES, **options)
    inputs = {"source": SOURCES, "tokens": TOKENS}
    whole, alignments, _ = model(inputs, return_alignments=True, return_state=True)
    np.testing.assert_allclose(np.sum(alignments, axis=-1), [[1] * 3, [1] * 3, [0] * 3], atol=1e-6)
    assert not np.any(alignments[1, :, 2:])
    state = model.encode(SOURCES)
    for t in range(3):
        logits, state = model.step(TOKENS[:, t], state)
        np.testing.assert_allclose(logits, whole[:, t], atol=1e-5)
        np.testing.assert_allclose(model.alignment(state), alignments[:, t], atol=1e-6)


@attending
def test_a_row_alone_gets_what_it_gets_beside_longer_ones(options):
    model = Seq2Seq(**SIZES, **options)
    together = model({"source": SOURCES, "tokens": TOKENS})
    alone = model({"source": SOURCES[1:2, :2], "tokens": TOKENS[1:2]})
    np.testing.assert_allclose(together[1:2], alone, atol=1e-6)


@attending
def test_rows_of_a_state_can_be_gathered_as_a_beam_search_does(options):
    model = Seq2Seq(**SIZES, **options)
    rows = [1, 1, 0, 2]
    _, state = model.step(TOKENS[:, 0], model.encode(SOURCES))
    logits, _ = model.step(TOKENS[:, 1], state)
    gathered = tf.nest.map_structure(lambda part: tf.gather(part, rows), state)
    found, _ = model.step(TOKENS[rows, 1], gathered)
    np.testing.assert_allclose(found, tf.gather(logits, rows), atol=1e-6)


@attending
def test_scores_and_gradients_are_those_of_the_logits(options):
    model = Seq2Seq(**SIZES, **options)
    inputs, targets = {"source": SOURCES, "tokens": TOKENS}, tf.constant(TOKENS[:, ::-1])
    weights = [weight.value for weight in model.trainable_weights]
    found = []
    for plain in (False, True):
        with tf.GradientTape() as tape:
            if plain:
                told = scores(model(inputs, training=True), targets)
            else:
                state = model.initial_state(3)
                told, after = model.score({"inputs": inputs, "targets": targets}, state, True)
                assert after is state
            loss = tf.reduce_sum(told.loss) + sum(model.losses)
        assert bool(model.losses) == bool(model.coverage)
        gradients = map(tf.convert_to_tensor, tape.gradient(loss, weights))
        found.append([told.nll, told.right, *gradients])
    for one, other in zip(*found, strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_output_layer_sees_state_context_and_the_token_before():
    model = Seq2Seq(**SIZES, **ATTENDING["additive"])
    before = model.encode(SOURCES)
    logits, after = model.step(TOKENS[:, 0], before)
    weights = np.array(after.attention["alignment"])
    context = np.einsum("bs,bsd->bd", weights, after.memory.values)
    embeddings = model.target_embedding.embeddings.numpy()
    seen = np.concatenate([after.fed, context, embeddings[TOKENS[:, 0]]], axis=1)
    kernel, bias = model.readout.get_weights()
    read = seen @ kernel + bias
    np.testing.assert_allclose(logits, read @ embeddings.T, atol=1e-5)


def test_only_the_first_layer_of_a_residual_encoder_reads_both_ways():
    model = Seq2Seq(**SIZES, **ATTENDING["deep"])
    assert [len(encoder.recurrences) for encoder in model.encoders] == [1, 1]
    read = [encoder(model.source_embedding(SOURCES[:1]))[0] for encoder in model.encoders]
    second, third = model.upper_encoder.recurrences
    y, _ = second(tf.concat(read, axis=-1))
    values = y + third(y)[0]
    np.testing.assert_allclose(model.encode(SOURCES[:1]).memory.values, values, atol=1e-6)


def test_weights_tied_without_attention_are_refused():
    with pytest.raises(ValueError, match="tied output weights need attention"):
        Seq2Seq(**SIZES, tied=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["additive", "scaled", "monotonic"])
def test_alignments_find_the_token_that_is_to_be_copied(kind):
    keras.utils.set_random_seed(1)
    model = Seq2Seq(14, 14, embedding=16, units=32, reading="both", attention=kind)
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_variables)
    rng, S = np.random.default_rng(1), 8

    def pairs(count):
        """Random tokens, to be said again: from the first, as a monotonic reader walks."""
        source = rng.integers(2, 14, (count, S)).astype("int32")
        said = source if kind == "monotonic" else source[:, ::-1]
        return source, np.pad(said[:, :-1], [[0, 0], [1, 0]], constant_values=1), said

    @tf.function(autograph=False)
    def update(source, tokens, targets):
        window = {"inputs": {"source": source, "tokens": tokens}, "targets": targets}
        with tf.GradientTape() as tape:
            told, _ = model.score(window, (), training=True)
            loss = tf.reduce_mean(told.loss)
        gradients = tape.gradient(loss, [weight.value for weight in model.trainable_variables])
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    for _ in range(400):
        update(*map(tf.constant, pairs(64)))
    source, tokens, targets = pairs(100)
    logits, looked = model({"source": source, "tokens": tokens}, return_alignments=True)
    assert np.mean(np.argmax(logits, axis=-1) == targets) > 0.95
    places = np.arange(S) if kind == "monotonic" else np.arange(S)[::-1]
    # The outputs of a neighbour tell of a token, too.
    near = np.abs(np.argmax(looked, axis=-1) - places) <= 1
    assert near.mean() > 0.9


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"attention": "additive"},
        {"attention": "multiplicative", "tied": True},
        {"attention": "scaled"},
    ],
    ids=["context", "additive", "tied", "scaled"],
)
def test_steps_from_a_state_are_steps(options):
    model = Seq2Seq(source_vocab_size=9, target_vocab_size=11, embedding=6, units=8, **options)
    state = model.encode(tf.constant([[3, 4, 5], [6, 7, 0]]))
    step, moving = model.steps_from(state, 2)
    state, moving = (
        tf.nest.map_structure(lambda a: tf.repeat(a, 2, axis=0), part) for part in (state, moving)
    )
    for token in ([1, 2, 3, 4], [5, 6, 7, 8]):
        logits, state = model.step(tf.constant(token), state)
        ours, moving = step(tf.constant(token), moving)
        np.testing.assert_allclose(ours, logits, atol=1e-5)
    if model.attends:
        np.testing.assert_allclose(model.alignment(moving), model.alignment(state), atol=1e-6)
