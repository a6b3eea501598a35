import numpy as np
import pytest

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
