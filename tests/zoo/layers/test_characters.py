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
    encoder = CharacterEncoder(9, filters=4, widths=(2, 5))
    again = CharacterEncoder.from_config(encoder.get_config())
    encoder(IDS), again(IDS)
    again.set_weights(encoder.get_weights())
    np.testing.assert_array_equal(encoder(tf.constant(IDS)), again(tf.constant(IDS)))
