"""The bound against sums that are done in another way: by chance, by quadrature, as a VAE."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.training.objectives import Elbo, Update
from zoo.training.objectives.elbo import (
    gaussian_kl,
    importance_bound,
    log_weights,
    reconstruction,
)
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer

SIZES = {"image_shape": (4, 3, 1), "units": 6, "read_size": 2, "write_size": 2}
RNG = np.random.default_rng(2)
IMAGES = 255 * RNG.integers(0, 2, (5, 4, 3, 1)).astype("uint8")


def make(name="draw-digits", spread=0.6, **options):
    model = zoo.create(name, **SIZES, **options)
    rng = np.random.default_rng(1)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, spread, weight.shape))
    return model


def window(noise, images=IMAGES):
    rows = len(images)
    return {
        "inputs": {"image": tf.constant(images), "noise": tf.constant(noise, tf.float32)},
        "targets": tf.zeros([rows], tf.int32),
        "weights": tf.ones([rows]),
        "reset": tf.ones([rows], tf.int32),
    }


def test_the_kl_is_that_of_many_draws():
    rng = np.random.default_rng(4)
    mean, sigma = rng.normal(size=(3, 5)), np.exp(rng.normal(0, 0.5, (3, 5)))
    z = mean + sigma * rng.normal(size=(200_000, 3, 5))
    posterior = -(((z - mean) / sigma) ** 2) / 2 - np.log(sigma)
    drawn = (posterior + z**2 / 2).sum(axis=-1)
    exact = gaussian_kl(tf.constant(mean), tf.constant(np.log(sigma))).numpy()
    spread = drawn.std(axis=0) / np.sqrt(len(drawn))
    assert (np.abs(drawn.mean(axis=0) - exact) < 5 * spread).all()
    assert (spread < 0.05).all()


def test_the_kl_of_the_prior_from_itself_is_nothing():
    assert gaussian_kl(tf.zeros([2, 7, 5]), tf.zeros([2, 7, 5])).numpy().tolist() == [[0.0] * 7] * 2


def test_one_stroke_without_attention_is_a_variational_autoencoder():
    """Kingma and Welling 2014, arXiv:1312.6114, with the gates of one step from zero around it."""
    model = make("draw-digits-full", latent=4)
    noise = RNG.normal(size=(5, 1, 4)).astype("float32")
    results = Elbo().losses(model, window(noise), (), training=True)

    def sigmoid(v):
        return 1 / (1 + np.exp(-v))

    def hidden(stack, v):
        cell = stack.recurrences[0].cell
        gates = v @ cell.kernel.numpy()[6:] + cell.bias.numpy()
        _, i, o, g = np.split(gates, 4, axis=-1)
        return sigmoid(o) * np.tanh(sigmoid(i) * np.tanh(g))

    def dense(layer, v):
        return v @ layer.kernel.numpy() + layer.bias.numpy()

    x = IMAGES.reshape(5, -1) / 255
    first = model.first_canvas.numpy()
    fed = np.concatenate([x, x - sigmoid(first), np.zeros((5, 6))], axis=-1)
    mean, log_sigma = np.split(dense(model.posterior, hidden(model.encoder, fed)), 2, axis=-1)
    z = mean + np.exp(log_sigma) * noise[:, 0]
    on = sigmoid(first + dense(model.write, hidden(model.decoder, z)))
    wrong = -(x * np.log(on) + (1 - x) * np.log(1 - on)).sum(axis=-1)
    divergence = (mean**2 + np.exp(log_sigma) ** 2 - 1 - 2 * log_sigma).sum(axis=-1) / 2
    expected = np.stack([wrong + divergence, np.ones(5), wrong, divergence], axis=1)
    np.testing.assert_allclose(results.sums, expected, rtol=1e-4)
    np.testing.assert_allclose(results.by_player["model"], (wrong + divergence).sum(), rtol=1e-5)


@pytest.fixture(scope="module")
def exact():
    """A model with one number in each of two z, and -log p(x) of the pictures by quadrature."""
    model = make(latent=1)
    points, weights = np.polynomial.hermite_e.hermegauss(40)
    pairs = np.stack(np.meshgrid(points, points), axis=-1).reshape(-1, 2, 1).astype("float32")
    heavy = np.log(np.outer(weights, weights).ravel() / (2 * np.pi))
    strokes, _ = model.strokes(pairs, model.initial_state(len(pairs)))
    nats = []
    for image in IMAGES:
        wrong = reconstruction(strokes, np.repeat(image[None], len(pairs), axis=0)).numpy()
        nats.append(-np.logaddexp.reduce(heavy - wrong.astype("float64")))
    return model, np.array(nats)


def weights_of(model, draws):
    noise = np.random.default_rng(8).normal(size=(5 * draws, 2, 1)).astype("float32")
    images = np.repeat(IMAGES, draws, axis=0)
    strokes, _ = model.strokes(noise, model.encode(images))
    kl = tf.reduce_sum(gaussian_kl(strokes.mean, strokes.log_sigma), axis=1)
    bound = reconstruction(strokes, images) + kl
    shape = [5, draws]
    return tf.reshape(log_weights(strokes, images), shape), tf.reshape(bound, shape)


def test_many_draws_together_cost_what_quadrature_says(exact):
    model, nats = exact
    weights, bounds = weights_of(model, 20_000)
    np.testing.assert_allclose(importance_bound(weights), nats, atol=0.05)
    # With the KL in closed form or drawn, one draw costs the same in the mean, and more.
    one = -tf.reduce_mean(weights, axis=1).numpy()
    np.testing.assert_allclose(tf.reduce_mean(bounds, axis=1), one, atol=0.1)
    assert (one > nats + 0.01).all()


def test_the_bound_falls_to_that_of_more_draws_together(exact):
    weights, _ = weights_of(exact[0], 600)
    one = -tf.reduce_mean(weights, axis=1)
    several = tf.reduce_mean(importance_bound(tf.reshape(weights, [5 * 60, 10])))
    many = importance_bound(weights)
    # Of the same draws, always; and not only in the mean.
    assert (np.asarray(one) >= np.asarray(many)).all()
    assert tf.reduce_mean(one) > several > tf.reduce_mean(many)


def prepared(seed, update=0):
    before = window(np.zeros((5, 3, 2)))
    after = Elbo().prepare(None, before, tf.constant(seed), Update(tf.constant(update), 9))
    assert after["inputs"]["image"] is before["inputs"]["image"]
    return after["inputs"]["noise"].numpy()


def test_noise_is_drawn_for_each_update_row_stroke_and_number():
    one = prepared([1, 2])
    np.testing.assert_array_equal(one, prepared([1, 2]))
    assert len({*one.ravel().tolist()}) == one.size
    assert not np.isin(prepared([1, 3]), one).any()


def test_every_weight_learns_from_noise_that_is_not_that_of_the_windows():
    model, objective = make(latent=2), Elbo()
    # Noise that is no number would make a loss that is none.
    before = window(np.full((5, 3, 2), np.nan))
    with tf.GradientTape() as tape:
        after = objective.prepare(model, before, tf.constant([1, 2]), Update(tf.constant(0), 1))
        loss = objective.losses(model, after, (), training=True).by_player["model"]
    weights = [weight.value for weight in model.trainable_variables]
    assert np.isfinite(loss)
    for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0, weight.name


def test_only_what_paints_has_a_bound():
    with pytest.raises(zoo.UserError, match="such as draw-digits"):
        Trainer(zoo.create("digits-linear"), Settings(), objective=Elbo())
