import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.images import image_encoder


@pytest.fixture
def images():
    return np.random.default_rng(1).integers(0, 256, (16, 12, 12, 3), "uint8")


def test_none_gives_the_values_as_they_are(images):
    vectors = image_encoder("none", (12, 12, 3), [], 0)(images)
    assert np.array_equal(vectors, images.reshape(16, -1))
    numbers = np.random.default_rng(1).normal(size=(5, 2)).astype("float32")
    assert np.array_equal(image_encoder("none", (2,), [], 0)(numbers), numbers)


def test_linear_gives_the_pixels_between_0_and_1(images):
    vectors = image_encoder("linear", (12, 12, 3), [], 0)(images)
    np.testing.assert_allclose(vectors, images.reshape(16, -1) / 255, rtol=1e-6)


def test_mlp_gives_units_without_negative_values(images):
    vectors = image_encoder("mlp", (12, 12, 3), [], 20)(images)
    assert vectors.shape == (16, 20)
    assert np.min(vectors) == 0


def test_cnn_ends_with_the_mean_of_each_channel(images):
    encoder = image_encoder("cnn", (12, 12, 3), [4, 6], 20)
    pools = [layer for layer in encoder.layers if isinstance(layer, keras.layers.MaxPooling2D)]
    vectors, maps = keras.Model(encoder.input, [encoder.layers[-1].input, pools[-1].output])(images)
    assert vectors.shape == encoder(images).shape == (16, 26)
    np.testing.assert_allclose(vectors[:, 20:], np.mean(maps, axis=(1, 2)), rtol=1e-5)


def test_cnn_gives_one_scale_whatever_the_contrast(images):
    encoder = image_encoder("cnn", (12, 12, 3), [4, 6], 20)
    for contrast in (1, 8):
        vectors = np.array(encoder(images // contrast, training=True))
        np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=1e-5)
        assert np.median(vectors.std(axis=0)) == pytest.approx(1, abs=0.05)


def test_groups_are_normalised_of_each_image_by_itself(images):
    encoder = image_encoder("cnn", (12, 12, 3), [4, 6], 20, normalization="group")
    alone = np.concatenate([encoder(images[n : n + 1], training=True) for n in range(3)])
    np.testing.assert_allclose(encoder(images, training=True)[:3], alone, atol=1e-5)
    assert not encoder.non_trainable_weights
    with pytest.raises(ValueError, match="normalization is 'layer', but one of batch, group"):
        image_encoder("cnn", (12, 12, 3), [4, 6], 20, normalization="layer")


@pytest.mark.parametrize(("side", "places"), [(47, 12 * 12), (48, 6 * 6)])
def test_cnn_halves_large_images_once_more(side, places):
    encoder = image_encoder("cnn", (side, side, 1), [2, 2], 3)
    (dense,) = (layer for layer in encoder.layers if isinstance(layer, keras.layers.Dense))
    assert dense.kernel.shape == (places * 2, 3)


def test_dropout_acts_in_training_only(images):
    encoder = image_encoder("mlp", (12, 12, 3), [], 200, dropout=0.5)
    np.testing.assert_array_equal(encoder(images), encoder(images))
    assert np.any(encoder(images, training=True) != encoder(images, training=True))


@pytest.mark.parametrize("kind", ["cnn", "maps", "mlp"])
@pytest.mark.parametrize("size", [12, 48])
def test_no_images_give_no_vectors(kind, size):
    encoder = image_encoder(kind, (size, size, 3), [4, 8], 5)
    signature = [tf.TensorSpec([None, size, size, 3])]
    for call in (encoder, tf.function(encoder, input_signature=signature)):
        for count in (0, 2):
            found = call(tf.zeros([count, size, size, 3]))
            assert found.shape == (count, *encoder.output_shape[1:])


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="vgg"):
        image_encoder("vgg", (8, 8, 1), [8], 8)


def test_what_another_network_sees_is_averaged_over_all_places():
    features = np.random.default_rng(1).normal(size=(2, 4, 4, 6)).astype("float32")
    encoder = image_encoder("pooled", (4, 4, 6), [], 5)
    moved = features[:, ::-1, ::-1]
    assert encoder(features).shape == (2, 5)
    assert np.allclose(encoder(features), encoder(moved), atol=1e-5)
    assert not np.allclose(encoder(features), encoder(features / 255), atol=1e-2)
