"""Models that read labels off a picture: what each part of them may see, and what comes of it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.errors import UserError
from zoo.training.objectives import Reinforce, Update
from zoo.training.settings import Settings

SIZES = {
    "classes": 4, "image_shape": (12, 16, 1), "labels": 2, "glimpses": 2, "glimpse_size": 3,
    "scales": 1, "glimpse_units": 8, "units": 6,
}  # fmt: skip


def model_of(**options):
    model = zoo.create("dram-pairs", **{**SIZES, **options})
    last = model.locator.layers[-1]
    rng = np.random.default_rng(1)
    last.kernel.assign(rng.normal(0, 2, last.kernel.shape))
    last.bias.assign([0.3, -0.4])
    return model


@pytest.fixture(scope="module")
def model():
    return model_of()


@pytest.fixture
def images():
    return np.random.default_rng(2).integers(0, 256, (3, 12, 16, 1)).astype("uint8")


def test_a_label_is_named_after_each_two_glimpses(model, images):
    path = model.follow(images)
    assert path.logits.shape == (3, 4, 4) and path.places.shape == (3, 4, 2)
    labels = model(images)
    assert labels.shape == (3, 2, 4)
    np.testing.assert_array_equal(labels, path.logits.numpy()[:, [1, 3]])


def test_the_first_place_is_of_the_thumbnail_or_without_one_the_middle(model, images):
    path = model.follow(images)
    assert path.means.shape == (3, 4, 2) and path.baselines.shape == (3, 4)
    assert len({tuple(place) for place in path.places[:, 0].numpy().tolist()}) == 3
    plain = model_of(context=False)
    path = plain.follow(images)
    assert path.means.shape == (3, 3, 2) and path.baselines.shape == (3, 3)
    assert not path.places[:, 0].numpy().any() and plain.context is None


def test_a_thumbnail_is_the_mean_of_each_four_by_four_pixels(model, images):
    small = model.thumbnail(tf.constant(images / 255.0, tf.float32))
    means = images.reshape(3, 3, 4, 4, 4, 1).mean((2, 4)) / 255
    np.testing.assert_allclose(small, means, atol=1e-5)


def test_where_places_are_set_the_thumbnail_reaches_no_label(model, images):
    """The retina of 3x3 sees one corner; what the rest shows moves places and no logits."""
    places = np.full((3, 4, 2), -0.9, "float32")
    others = images.copy()
    others[:, 4:, 4:] = 255 - others[:, 4:, 4:]
    ours, theirs = (model({"image": part, "places": places}) for part in (images, others))
    np.testing.assert_array_equal(ours, theirs)
    one, other = (model.encode(part) for part in (images, others))
    assert np.abs(one.place - other.place).min() > 1e-4
    (lower, upper), (same, moved) = one.core, other.core
    assert not any(np.any(part) for part in tf.nest.flatten([lower, same]))
    assert all(np.any(a != b) for a, b in zip(tf.nest.flatten(upper), tf.nest.flatten(moved)))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model({"image": images, "places": places}) ** 2)
    weights = [weight.value for weight in model.locating]
    assert tape.gradient(loss, weights) == [None] * len(weights)


def test_a_path_that_is_set_again_is_answered_alike_and_step_by_step(model, images):
    path = model.follow(images)
    named = model.named_inputs(images)
    logits, state = model(named, return_state=True)
    np.testing.assert_allclose(logits, path.logits, atol=1e-5)
    stepped = model.encode(images)
    for t in range(4):
        np.testing.assert_allclose(stepped.place, path.places[:, t], atol=1e-5)
        y, stepped = model.step(stepped.place, stepped)
        np.testing.assert_allclose(y, logits[:, t], atol=1e-5)
    for one, other in zip(tf.nest.flatten(state), tf.nest.flatten(stepped)):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_noise_moves_all_places_and_what_follows_from_them(model, images):
    noise = np.random.default_rng(3).normal(size=(3, 4, 2)).astype("float32")
    path, plain = model.follow(images, noise), model.follow(images)
    np.testing.assert_allclose(path.places, path.means + noise, atol=1e-6)
    np.testing.assert_array_equal(path.means[:, 0], plain.means[:, 0])
    assert not np.allclose(path.means[:, 1], plain.means[:, 1])


@pytest.mark.parametrize("cell", ["gru", pytest.param("mlstm", marks=pytest.mark.slow)])
def test_other_cells_and_soft_attention_look_too(cell, images):
    soft = model_of(cell=cell, attention="gaussian")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(soft(images) ** 2)
    gradients = tape.gradient(loss, [weight.value for weight in soft.locating])
    assert all(np.abs(tf.convert_to_tensor(part)).max() > 0 for part in gradients)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("attention", "soft", "attention is 'soft', but hard or gaussian is needed"),
        ("labels", 0, "labels"),
        ("glimpses", 0, "glimpses is 0, but at least 1 is needed"),
    ],
)
def test_what_makes_no_model_is_refused(option, value, message):
    with pytest.raises(UserError, match=message):
        zoo.create("dram-pairs", **{**SIZES, option: value})


@pytest.fixture(scope="module")
def both():
    model = model_of(directions=2)
    rng = np.random.default_rng(7)
    for reader in model.readers():
        reader.head.kernel.assign(rng.normal(0, 8, reader.head.kernel.shape))
    return model


def test_the_answer_of_two_directions_is_the_one_with_the_better_mean_score(both, images):
    forward, backward = (reader.labelled(reader.follow(images).logits) for reader in both.readers())
    assert not np.allclose(forward, backward)
    scores = []
    for logits in (forward, backward):
        sure = tf.nn.log_softmax(logits).numpy().max(axis=-1)
        ended = logits.numpy()[:, 0].argmax(axis=-1) == 3
        scores.append(np.where(ended, sure[:, 0], sure.mean(axis=1)))
    answers = both(images).numpy().argmax(axis=-1)
    for row in range(3):
        side = int(scores[1][row] > scores[0][row])
        labels = (forward, backward)[side][row].numpy().argmax(axis=-1).tolist()
        going_on = labels[: labels.index(3)] if 3 in labels else labels
        expected = going_on[::-1] if side else going_on
        assert answers[row, : len(expected)].tolist() == expected


def test_both_directions_step_as_they_go(both, images):
    named = both.named_inputs(images)
    logits = both(named)
    assert named["places"].shape == (3, 4, 4) and logits.shape == (3, 4, 2, 4)
    state = both.encode(images)
    for t in range(4):
        places = np.concatenate([each.place for each in state], axis=1)
        np.testing.assert_allclose(places, named["places"][:, t], atol=1e-5)
        y, state = both.step(named["places"][:, t], state)
        np.testing.assert_allclose(y, logits[:, t], atol=1e-5)
    with pytest.raises(UserError, match="directions is 2 and attention 'gaussian'"):
        zoo.create("dram-pairs", **SIZES, directions=2, attention="gaussian")


@pytest.mark.slow
def test_each_direction_learns_its_own_order(both, images):
    objective = Reinforce(copies=2, reward_weight=0)
    window = {
        "inputs": tf.constant(images),
        "targets": tf.constant([[0, 1], [2, 3], [1, 1]]),
        "weights": tf.ones([3, 2]),
        "reset": tf.ones([3], tf.int32),
    }
    window = objective.prepare(both, window, tf.constant([1, 2]), Update(tf.constant(0), 1))
    assert window["noise"].shape == (3, 2, 4, 4)
    losses = objective.losses(both, window, both.initial_state(3), training=True)
    total = 0.0
    # The end, 3, stays where it is.
    for reader, order, noise in zip(
        both.readers(), ([[0, 1], [2, 3], [1, 1]], [[1, 0], [2, 3], [1, 1]]),
        tf.split(window["noise"], 2, axis=-1),
    ):  # fmt: skip
        path = reader.follow(tf.repeat(images, 2, axis=0), tf.reshape(noise, [6, 4, 2]))
        nll = -tf.nn.log_softmax(reader.labelled(path.logits))
        total += float(tf.reduce_sum(tf.gather(nll, np.repeat(order, 2, 0), batch_dims=2))) / 2
    assert float(losses.by_player["model"]) == pytest.approx(total, rel=1e-4)
    players = objective.players(both, Settings(), keras.optimizers.SGD)
    moved = [id(weight) for player in players.values() for weight in player.variables]
    assert sorted(moved) == sorted(id(weight) for weight in both.trainable_variables)


@pytest.mark.slow
def test_the_weights_of_both_directions_survive_a_file(both, images, tmp_path):
    both.save_weights(tmp_path / "both.weights.h5")
    again = model_of(directions=2)
    assert not np.allclose(again(images), both(images))
    again.load_weights(tmp_path / "both.weights.h5")
    np.testing.assert_array_equal(again(images), both(images))
