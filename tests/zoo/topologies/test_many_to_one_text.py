import numpy as np
import pytest

from zoo.topologies.many_to_one_text import TextToOne

SMALL = {"vocab_size": 20, "embedding": 6, "units": 5, "dropout": 0.0}


@pytest.fixture
def texts():
    tokens = np.random.default_rng(1).integers(4, 20, (3, 6)).astype("int32")
    return {"tokens": tokens, "lengths": np.array([6, 2, 4], "int32")}


def test_in_training_a_share_of_the_tokens_is_unknown(texts):
    model = TextToOne(**SMALL, word_dropout=0.999999, unknown=3)
    unknown = {**texts, "tokens": np.full((3, 6), 3, "int32")}
    np.testing.assert_allclose(model(texts, training=True), model(unknown), atol=1e-6)
    assert np.abs(model(texts) - model(unknown)).max() > 1e-3


def test_words_weigh_what_they_count_in_the_answer(texts):
    model = TextToOne(**SMALL, pooling="attention", bidirectional=True)
    weights = np.array(model.token_weights(texts))
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    assert not weights[1, 2:].any() and not weights[2, 4:].any()
    y, _ = model.reader.stack(model.embedding(texts["tokens"]), lengths=texts["lengths"])
    pooled = np.einsum("bt,bth->bh", weights, y)
    np.testing.assert_allclose(model(texts), model.head(pooled), atol=1e-5)
    assert model.weighs and not TextToOne(**SMALL).weighs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"word_dropout": 1}, "word_dropout is 1, but 0 to below 1 is needed"),
        ({"dropout": -0.1}, "dropout is -0.1, but 0 to below 1 is needed"),
        ({"ngrams": -1}, "ngrams is -1, but 0 or more is needed"),
    ],
)
def test_what_is_out_of_range_is_named(options, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        TextToOne(**{**SMALL, **options})
