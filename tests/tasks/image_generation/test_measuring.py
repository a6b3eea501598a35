"""Draws in chunks cost what they cost all at once."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tasks.image_generation.measuring import bounds
from zoo.training.objectives.elbo import (
    gaussian_kl,
    importance_bound,
    log_weights,
    reconstruction,
)


@pytest.mark.slow
def test_chunks_of_draws_cost_what_all_draws_cost_together():
    sizes = {"image_shape": (5, 4, 1), "latent": 2, "glimpses": 3, "units": 6}
    model = zoo.create("draw-digits", **sizes, read_size=2, write_size=2)
    for weight in model.trainable_variables:
        weight.assign(np.random.default_rng(1).normal(0, 0.5, weight.shape))
    images = 255 * np.random.default_rng(0).integers(0, 2, (3, 5, 4, 1)).astype("uint8")
    seed = tf.constant([1, 2])
    ours = bounds(model, images, seed, samples=12, at_once=4)
    seeds = [tf.random.experimental.stateless_fold_in(seed, n) for n in range(3)]
    noise = [tf.random.stateless_normal([4, 3, 2], one, alg="philox") for one in seeds]
    noise = tf.tile(tf.concat(noise, axis=0), [3, 1, 1])
    repeated = np.repeat(images, 12, axis=0)
    strokes, _ = model.strokes(noise, model.encode(repeated))
    kl = tf.reshape(gaussian_kl(strokes.mean, strokes.log_sigma), [3, 12, 3])
    wrong = tf.reshape(reconstruction(strokes, repeated), [3, 12])
    weights = tf.reshape(log_weights(strokes, repeated), [3, 12])
    np.testing.assert_allclose(ours.kl, tf.reduce_mean(kl, axis=1), rtol=1e-4)
    np.testing.assert_allclose(ours.reconstruction, tf.reduce_mean(wrong, axis=1), rtol=1e-4)
    np.testing.assert_allclose(ours.importance, importance_bound(weights), rtol=1e-4)
    np.testing.assert_allclose(ours.bound, ours.reconstruction + tf.reduce_sum(ours.kl, axis=1))
