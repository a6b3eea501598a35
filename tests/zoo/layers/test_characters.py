import keras
import numpy as np
import tensorflow as tf

from zoo.layers.characters import CharacterEncoder

IDS = np.array([[3, 4, 5, 6], [5, 6, 0, 0], [7, 0, 0, 0]])


def test_it_is_the_most_of_each_run_of_characters():
    encoder = CharacterEncoder(9, embedding=2, filters=3, widths=(3,))
    found = encoder(IDS).numpy()
    kernel, bias = encoder.convolutions[0].get_weights()
    for ids, vector in zip(IDS, found):
        spelt = encoder.embedding.embeddings.numpy()[ids[ids > 0]]
        around = np.pad(spelt, [[1, 1], [0, 0]])
        runs = [np.einsum("wd,wdf->f", around[t : t + 3], kernel) for t in range(len(spelt))]
        np.testing.assert_allclose(vector, np.maximum(runs + bias, 0).max(axis=0), atol=1e-6)


def test_padding_changes_nothing():
    encoder = CharacterEncoder(9, filters=4, widths=(2, 3, 5))
    wider = np.pad(IDS, [[0, 0], [0, 6]])
    np.testing.assert_allclose(encoder(IDS), encoder(wider), atol=1e-6)


def test_it_is_made_again_from_its_configuration():
    encoder = CharacterEncoder(9, filters=4, widths=(2, 5), character_dropout=0.1, unknown=2)
    again = CharacterEncoder.from_config(encoder.get_config())
    encoder(IDS), again(IDS)
    again.set_weights(encoder.get_weights())
    np.testing.assert_array_equal(encoder(tf.constant(IDS)), again(tf.constant(IDS)))


def test_characters_are_unknown_in_training_alone_and_padding_stays():
    encoder = CharacterEncoder(9, filters=4, character_dropout=0.999999, unknown=2)
    unknown = np.where(IDS > 0, 2, 0)
    np.testing.assert_allclose(encoder(IDS, training=True), encoder(unknown), atol=1e-6)
    assert np.abs(encoder(IDS) - encoder(unknown)).max() > 1e-6


def test_other_characters_are_dropped_at_each_call_and_a_seed_repeats_them():
    runs, many = [], np.tile(IDS[:1], [50, 1])
    for _ in range(2):
        keras.utils.set_random_seed(3)
        encoder = CharacterEncoder(9, filters=4, character_dropout=0.3)
        runs.append([encoder(many, training=True).numpy() for _ in range(2)])
    np.testing.assert_array_equal(runs[0], runs[1])
    first, second = runs[0]
    assert np.abs(first - second).max() > 1e-6
    # Each of a word's four characters stays with a chance of 0.7.
    same = np.abs(first - encoder(many)).max(axis=1) < 1e-6
    assert 0 < same.mean() < 0.6
