"""Models of glimpses: where they look, what they see there, and what they are made of."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.errors import UserError

SIZES = {
    "classes": 4, "image_shape": (12, 10, 1), "glimpses": 4, "glimpse_size": 3, "scales": 2,
    "glimpse_units": 8, "units": 6,
}  # fmt: skip


@pytest.fixture(params=["hard", "gaussian"])
def model(request):
    model = zoo.create("ram-digits", **SIZES, attention=request.param)
    last = model.locator.layers[-1]
    rng = np.random.default_rng(1)
    last.kernel.assign(rng.normal(0, 2, last.kernel.shape))
    last.bias.assign([0.3, -0.4])
    return model


@pytest.fixture
def images():
    return np.random.default_rng(2).integers(0, 256, (3, 12, 10, 1)).astype("uint8")


def test_the_first_glimpse_is_of_the_middle_and_the_others_where_the_model_says(model, images):
    path = model.follow(images)
    assert not path.places[:, 0].numpy().any()
    np.testing.assert_array_equal(path.places[:, 1:], path.means)
    assert path.logits.shape == (3, 4, 4) and path.places.shape == (3, 4, 2)
    assert np.abs(path.places[:, 1:]).min() > 0 and np.abs(path.places).max() <= 1
    np.testing.assert_array_equal(model(images), path.logits[:, -1])


def test_pictures_are_seen_differently_each_time_in_training_only(images):
    model = zoo.create("ram-digits", **SIZES, augment=0.3)
    seen = [model.encode(images, training=True).image.numpy() for _ in range(2)]
    assert np.abs(seen[0] - seen[1]).max() > 0.01 and seen[0].shape == images.shape
    np.testing.assert_allclose(model.encode(images).image, images / 255, rtol=1e-6)


def test_noise_moves_the_places_and_what_follows_from_them(model, images):
    noise = np.random.default_rng(3).normal(size=(3, 3, 2)).astype("float32")
    path = model.follow(images, noise)
    np.testing.assert_allclose(path.places[:, 1:], path.means + noise, atol=1e-6)
    plain = model.follow(images)
    np.testing.assert_array_equal(path.means[:, 0], plain.means[:, 0])
    assert not np.allclose(path.means[:, 1], plain.means[:, 1])


def test_a_path_that_is_given_again_is_answered_alike(model, images):
    path = model.follow(images)
    named = model.named_inputs(images)
    np.testing.assert_allclose(named["places"], path.places, atol=1e-6)
    np.testing.assert_allclose(model(named), path.logits, atol=1e-5)
    logits, state = model(named, return_state=True)
    stepped = model.encode(images)
    for t in range(4):
        np.testing.assert_allclose(stepped.place, path.places[:, t], atol=1e-5)
        y, stepped = model.step(stepped.place, stepped)
        np.testing.assert_allclose(y, logits[:, t], atol=1e-5)
    for one, other in zip(tf.nest.flatten(state), tf.nest.flatten(stepped)):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_retina_sees_squares_around_its_place(images):
    model = zoo.create("ram-digits", **SIZES)
    assert model.sizes == [3.0, 6.0]
    image = images[:1] / 255.0
    # The pixel in row 4, column 6 has its middle at (4.5, 6.5).
    place = np.array([[4.5 / 12 * 2 - 1, 6.5 / 10 * 2 - 1]], "float32")
    sharp, wide = model.retina(tf.constant(image, tf.float32), place)
    np.testing.assert_allclose(sharp, image[:, 3:6, 5:8], atol=1e-5)
    padded = np.pad(image[0, ..., 0], [(0, 0), (0, 1)])
    # Six pixels around the middle of one: from 1.5 to 7.5, and from 3.5 to 9.5.
    halves = (padded[1:7] + padded[2:8]) / 2
    halves = (halves[:, 3:9] + halves[:, 4:10]) / 2
    np.testing.assert_allclose(wide[0, ..., 0], halves.reshape(3, 2, 3, 2).mean((1, 3)), atol=1e-5)


def test_a_glimpse_of_what_is_far_outside_is_answered_all_the_same(model, images):
    places = np.array([[[0, 0], [9, 0], [0, -1e6], [1e6, 1e6]]] * 3, "float32")
    logits = model({"image": images, "places": places})
    assert np.isfinite(logits).all()
    state = model.encode(images)
    for t in range(4):
        y, state = model.step(places[:, t], state)
        np.testing.assert_allclose(y, logits[:, t], atol=1e-5)


def test_outside_of_the_picture_a_hard_glimpse_sees_black(images):
    model = zoo.create("ram-digits", **SIZES)
    image = tf.constant(images / 255.0, tf.float32)
    for place in ([9.0, 0.0], [0.0, -3.0], [1e30, 1e30]):
        assert not any(np.any(seen) for seen in model.retina(image, np.tile(place, (3, 1))))


@pytest.mark.parametrize("cell", ["gru", "mgu", "layer_norm_lstm", "min_lstm", "mlstm"])
def test_other_cells_look_too(cell, images):
    model = zoo.create("ram-digits", **SIZES, cell=cell)
    assert model(images).shape == (3, 4)


def test_one_glimpse_is_a_model_too(images):
    path = zoo.create("ram-digits", **{**SIZES, "glimpses": 1}).follow(images)
    assert path.logits.shape == (3, 1, 4) and path.means.shape == (3, 0, 2)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("attention", "soft", "attention is 'soft', but hard or gaussian is needed"),
        ("glimpses", 0, "glimpses is 0, but at least 1 is needed"),
        ("scales", 0, "scales is 0, but at least 1 is needed"),
        ("glimpse_size", 0, "glimpse_size is 0, but at least 1 is needed"),
    ],
)
def test_what_makes_no_model_is_refused(option, value, message):
    with pytest.raises(UserError, match=message):
        zoo.create("ram-digits", **{**SIZES, option: value})
