"""Strokes that are learned from reward: against the expected reward itself, and what it sums to."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.errors import UserError
from zoo.layers.critic import spectral_norm
from zoo.topologies.stroke_policy import PRESSURES, RADII, Painting
from zoo.training.objectives import StrokeReward, Update
from zoo.training.objectives.stroke_worth import (
    discounted,
    gumbel,
    likeliest,
    log_probability,
    picture_errors,
)
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer

SIZES = {"image_shape": (6, 6, 1), "strokes": 1, "grid": 2, "units": 6, "filters": 2}
FIRST = Update(tf.constant(0), 4)
SEED = tf.constant([3, 4])


def make(**options):
    """A model whose choices are of unlike probability, and which expects something."""
    model = zoo.create("spiral-digits", **{**SIZES, **options})
    rng = np.random.default_rng(3)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return model


def window_of(rows, model, same=True):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (1 if same else rows, 6, 6, 1)).astype("uint8")
    return {
        "inputs": {
            "image": tf.constant(np.broadcast_to(images, (rows, 6, 6, 1))),
            "strokes": tf.zeros([rows, model.strokes, 5], tf.int32),
        },
        "targets": tf.zeros([rows], tf.int32),
        "weights": tf.ones([rows]),
        "reset": tf.ones([rows], tf.int32),
    }


def every_stroke(model):
    """All proper strokes `[N, 1, 5]`: moves to each cell, and each way of painting."""
    moves = [[0, end, 0, 0, 0] for end in range(4)]
    paints = np.stack(
        np.meshgrid(*map(np.arange, (4, 4, len(RADII), len(PRESSURES))), indexing="ij"), -1
    ).reshape(-1, 4)
    painted = np.concatenate([np.ones((len(paints), 1), int), paints], axis=1)
    return np.concatenate([moves, painted])[:, None].astype("int32")


@pytest.mark.slow
@pytest.mark.parametrize("subtract", ["learned", pytest.param("others", marks=pytest.mark.slow)])
def test_the_mean_gradient_is_that_of_the_expected_reward(subtract):
    """Of a single stroke all choices can be counted; the head of the flag speaks of them all."""
    model, rows, draws = make(), 1000, 10
    strokes = every_stroke(model)
    image = window_of(1, model)["inputs"]["image"]
    images = np.repeat(image, len(strokes), axis=0)
    state = model.encode(images)
    ink = model.brush.render(strokes[:, 0], state["brush"])
    canvases = tf.stack([tf.zeros_like(ink), ink], axis=1)
    errors = picture_errors(canvases, images).numpy()
    gains = errors[:, 0] - errors[:, 1] - 1.0 * (canvases[:, 1].numpy().mean(axis=(1, 2, 3)) < 0.01)

    def expected():
        painting = Painting(tf.constant(strokes), canvases)
        likelihood, _ = log_probability(
            model, model.score_painting(painting, images), painting.tokens
        )
        probability = np.exp(likelihood[:, 0].numpy().astype("float64"))
        assert probability.sum() == pytest.approx(1, abs=1e-4)
        return (probability * gains).sum()

    variable = model.heads[0].bias
    bias, exact = variable.numpy(), []
    for index in range(2):
        ends = []
        for step in (0.05, -0.05):
            variable.assign(bias + step * np.eye(2)[index])
            ends.append(expected())
        exact.append((ends[0] - ends[1]) / 0.1)
    variable.assign(bias)
    assert np.abs(exact).max() > 0.05

    objective = StrokeReward(copies=2, subtract=subtract, expected_weight=0.0, entropy_weight=0.0)

    def gradient(seed):
        window = objective.prepare(model, window_of(rows, model), seed, FIRST)
        with tf.GradientTape() as tape:
            losses = objective.losses(model, window, (), training=True)
        return tape.gradient(losses.by_player["model"], variable.value) / rows

    drawn = np.stack([-gradient(tf.constant([seed, 0])).numpy() for seed in range(draws)])
    error = drawn.std(axis=0) / np.sqrt(draws)
    assert (error < 0.02).all()
    np.testing.assert_allclose(drawn.mean(axis=0), exact, atol=0.005 + 4 * error.max())


def test_no_gradient_goes_through_what_is_painted():
    """Whether canvases depend on weights or are constants, every weight learns the same."""
    model, objective = make(strokes=3), StrokeReward(copies=2)
    weights = [weight.value for weight in model.trainable_variables]

    def gradients(factor):
        with tf.GradientTape() as tape:
            window = objective.prepare(model, window_of(3, model), SEED, FIRST)
            painting = window["painting"]
            # Of the same value, with or without a gradient.
            nothing = factor * (weights[-1] - tf.stop_gradient(weights[-1]))
            canvases = painting.canvases * (1 + tf.reduce_sum(nothing))
            window = {**window, "painting": painting._replace(canvases=canvases)}
            loss = objective.losses(model, window, (), training=True).by_player["model"]
        return [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, weights)]

    for one, other in zip(gradients(0.0), gradients(9.0), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_gains_of_strokes_sum_to_what_the_error_falls_by():
    model, objective = make(strokes=4, grid=6), StrokeReward()
    window = objective.prepare(model, window_of(5, model, same=False), SEED, FIRST)
    canvases = window["painting"].canvases
    images = tf.repeat(window["inputs"]["image"], 4, axis=0)
    errors = picture_errors(canvases, images)
    gains = objective.gains(errors, canvases).numpy()
    inked = canvases[:, -1].numpy().mean(axis=(1, 2, 3)) >= 0.01
    assert inked.any()
    np.testing.assert_allclose(
        gains.sum(1)[inked], (errors[:, 0] - errors[:, -1])[inked], atol=1e-5
    )
    np.testing.assert_allclose(discounted(gains, 1.0)[:, 0], gains.sum(axis=1), rtol=1e-5)


def test_an_empty_canvas_costs_its_last_stroke_the_penalty():
    canvases = np.zeros((2, 4, 6, 6, 1), "float32")
    canvases[1, 2:] = 0.5
    errors = np.ones((2, 4), "float32")
    gains = StrokeReward(empty_penalty=0.7).gains(tf.constant(errors), tf.constant(canvases))
    np.testing.assert_allclose(gains, [[0, 0, -0.7], [0, 0, 0]])


def test_errors_are_seen_through_a_blur_and_as_a_share_of_an_empty_canvas():
    rng = np.random.default_rng(0)
    image = (255 * rng.integers(0, 2, (1, 9, 9, 1))).astype("uint8")
    beside = np.zeros((1, 9, 9, 1), "uint8")
    beside[0, 4, 4] = 255
    near, far = np.roll(beside, 1, axis=2), np.roll(beside, 3, axis=2)
    canvases = np.stack([np.zeros_like(near), near, far, beside], axis=1) / np.float32(255)
    sharp = picture_errors(canvases, beside, blur=False)[0].numpy()
    blurred = picture_errors(canvases, beside)[0].numpy()
    np.testing.assert_allclose(sharp, [1, 2, 2, 0])
    assert blurred[1] < blurred[2] and blurred[3] == 0
    np.testing.assert_allclose(picture_errors(image[:, None] / np.float32(255), image), [[0]])


def test_the_same_seed_paints_the_same_and_each_copy_another():
    model, objective = make(strokes=3, grid=6), StrokeReward(copies=3)
    window = window_of(4, model)
    one, same, other = (
        objective.prepare(model, window, tf.constant([seed, 0]), FIRST)["painting"].tokens.numpy()
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.shape == (12, 3, 5) and len({row.tobytes() for row in one}) > 9


def test_choices_are_drawn_as_often_as_their_softmax_says():
    logits = np.log([0.1, 0.2, 0.7]).astype("float32")
    drawn = np.argmax(logits + gumbel([20_000, 3], SEED).numpy(), axis=-1)
    np.testing.assert_allclose(np.bincount(drawn) / 20_000, [0.1, 0.2, 0.7], atol=0.01)


def test_choices_of_equal_probability_have_an_entropy_of_one_unless_a_stroke_moves():
    model = make()
    tokens = tf.constant([[[1, 2, 3, 0, 1]], [[0, 2, 0, 0, 0]]])
    likelihood, entropy = log_probability(model, tf.zeros([2, 1, sum(model.parts) + 1]), tokens)
    np.testing.assert_allclose(entropy[:, 0], [1.0, 0.4], rtol=1e-5)
    nats = np.log([2 * 4 * 4 * len(RADII) * len(PRESSURES), 2 * 4])
    np.testing.assert_allclose(likelihood[:, 0], -nats, rtol=1e-5)


def test_evaluation_paints_the_likeliest_strokes():
    model, objective = make(strokes=3, grid=6), StrokeReward()
    window = window_of(3, model, same=False)
    sums = objective.losses(model, window, (), training=False).sums
    images = window["inputs"]["image"]
    painting = model.paint(model.encode(images), likeliest(model, 3))
    np.testing.assert_allclose(sums[:, 0], picture_errors(painting.canvases, images)[:, -1])
    assert objective.results([1.0, 2.0, 0.0, 0.0]) == {"loss": 0.5, "entropy": 0.0}


def test_training_stops_where_nothing_is_tried_any_more():
    objective = StrokeReward(least_entropy=0.5)
    assert objective.results([1.0, 2.0, 1.2, 2.0]) == {"loss": 0.5, "entropy": 0.6}
    with pytest.raises(UserError, match=r"entropy of 0\.2 of 1.*set entropy_weight higher than"):
        objective.results([1.0, 2.0, 0.4, 2.0])
    with pytest.raises(UserError, match="copies is 1: at least 2 are needed"):
        StrokeReward(subtract="others", copies=1)


def test_the_weight_of_the_entropy_falls_to_its_share():
    model, objective = make(), StrokeReward(entropy_weight=0.2, entropy_decay=0.01)
    weights = [
        float(
            objective.prepare(model, window_of(1, model), SEED, Update(tf.constant(n), 4))[
                "entropy_weight"
            ]
        )
        for n in (0, 2, 4)
    ]
    np.testing.assert_allclose(weights, [0.2, 0.02, 0.002], rtol=1e-5)


def test_only_what_paints_strokes_is_trained_so():
    with pytest.raises(UserError, match="such as spiral-digits"):
        Trainer(zoo.create("digits-linear"), Settings(), objective=StrokeReward())


def judged(**options):
    model = make(strokes=2, grid=6)
    objective = StrokeReward(reward="critic", copies=2, **options)
    dataset = tf.data.Dataset.from_tensors(window_of(4, model, same=False))
    return model, objective.begin(dataset)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"critic_loss": "wasserstein", "complement": False}])
def test_each_of_painter_and_critic_learns_from_its_own_loss(options):
    model, objective = judged(**options)
    window = objective.prepare(model, window_of(4, model, same=False), SEED, FIRST)
    groups = {
        "model": [w.value for w in model.trainable_variables],
        "critic": [w.value for w in objective.critic.trainable_variables],
    }
    with tf.GradientTape(persistent=True) as tape:
        losses = objective.losses(model, window, (), training=True).by_player
    for player, weights in groups.items():
        for name, loss in losses.items():
            gradients = tape.gradient(loss, weights)
            moved = [g is not None and np.abs(tf.convert_to_tensor(g)).max() > 0 for g in gradients]
            # A bias of a critic may add as much to both of its scores.
            own = moved[::2] if player == "critic" else moved
            assert all(own) if name == player else not any(moved)


def test_the_critic_sees_a_half_of_the_canvas_beside_the_other_half_of_the_picture():
    _, objective = judged()
    canvases, images = tf.zeros([4, 6, 6, 1]), tf.fill([4, 6, 6, 1], 255.0)
    seen = objective.seen(canvases, images, tf.range(4)).numpy()[..., 0]
    left = np.arange(6) < 3
    for own, half in zip(seen == 0, [left[None], ~left[None], left[:, None], ~left[:, None]]):
        np.testing.assert_array_equal(own, np.broadcast_to(half, (6, 6)))


def test_what_a_critic_gives_is_as_much_however_large_its_scores_are():
    model, objective = judged(critic_loss="wasserstein", expected_weight=0.0, entropy_weight=0.0)
    window = objective.prepare(model, window_of(4, model, same=False), SEED, FIRST)
    weights = [w.value for w in model.trainable_variables]

    def gradients():
        with tf.GradientTape() as tape:
            loss = objective.losses(model, window, (), training=True).by_player["model"]
        return tf.linalg.global_norm(tape.gradient(loss, weights)).numpy()

    before = gradients()
    objective.critic.kernels[-1].assign(1000 * objective.critic.kernels[-1])
    assert before > 0.01
    np.testing.assert_allclose(gradients(), before, rtol=0.1)


def test_spectral_norms_are_the_largest_singular_values():
    rng = np.random.default_rng(0)
    for shape in ((4, 4, 2, 6), (30, 7), (5, 1)):
        kernel = rng.normal(size=shape).astype("float32")
        exact = np.linalg.svd(kernel.reshape(-1, shape[-1]), compute_uv=False)[0]
        assert float(spectral_norm(tf.constant(kernel), 30)) == pytest.approx(exact, rel=0.02)
        assert float(spectral_norm(tf.constant(kernel))) == pytest.approx(exact, rel=0.15)
