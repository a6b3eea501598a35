"""Past seasons: which value each weight is of."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.layers.known_ahead import KnownAhead
from zoo.layers.past_seasons import PastSeasons


@pytest.mark.parametrize("length", [7, 6])
@pytest.mark.parametrize("known", [False, True])
def test_each_answer_is_a_sum_over_the_values_of_its_phase(length, known):
    season, count, horizon = 2, 3, 5
    rng = np.random.default_rng(1)
    register, context = rng.normal(size=(4, length)), rng.normal(size=(4, 8))
    ahead = rng.normal(size=(4, horizon, 3)) if known else ()
    layer = PastSeasons(season, count, horizon)
    inputs = tf.nest.map_structure(lambda part: tf.constant(part, tf.float32), (register, context))
    inputs = (*inputs, tf.constant(ahead, tf.float32) if known else ())
    assert (layer(inputs).numpy() == 0).all()
    for weight in layer.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    assert len(layer.trainable_variables) == 1 + known
    kernel = layer.trainable_variables[0].numpy().reshape(8, horizon, count)
    expected = np.zeros((4, horizon))
    for h in range(horizon):
        weights = context @ kernel[:, h]
        if known:
            weights = weights + ahead[:, h] @ layer.trainable_variables[1].numpy()
        # Of step t + h + 1 the last value of its phase, and those one and two seasons before.
        last = length - season + h % season
        places = [last - season * k for k in (2, 1, 0)]
        expected[:, h] = (weights * register[:, places]).sum(axis=1)
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-4, atol=1e-5)


def test_what_past_seasons_were_like_is_shown_beside_what_is_ahead():
    layer = KnownAhead(season=4, phases=2, covariates=1, horizon=3, outputs=2)
    ahead, own, context = tf.zeros([1, 3, 1]), np.zeros((1, 4, 1), "float32"), tf.zeros([1, 6])
    _, plain = layer((ahead, own, context))
    layer.of_step.bias.assign(tf.ones_like(layer.of_step.bias))
    _, plain = layer((ahead, own, context))
    for place, steps in [(0, {0, 2}), (1, {1}), (2, {0, 2}), (3, {1})]:
        other = own.copy()
        other[0, place] = 0.5
        _, hidden = layer((ahead, other, context))
        changed = np.abs(hidden.numpy() - plain.numpy()).max(axis=-1)[0] > 1e-6
        assert {*np.flatnonzero(changed).tolist()} == steps
