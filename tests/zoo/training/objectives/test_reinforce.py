"""REINFORCE of glimpses: against the expected reward itself, and who learns from what."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.errors import UserError
from zoo.topologies.looking import Path
from zoo.training.objectives import Reinforce, Update
from zoo.training.objectives.reinforce import mean_of_others, surrogate
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer

SIZES = {
    "classes": 3, "image_shape": (8, 8, 1), "glimpses": 2, "glimpse_size": 3, "scales": 1,
    "glimpse_units": 8, "units": 6,
}  # fmt: skip
FIRST = Update(tf.constant(0), 1)


def model_of(**options):
    return zoo.create("ram-digits", **{**SIZES, **options})


def window_of(rows, glimpse=1):
    rng = np.random.default_rng(glimpse)
    image = rng.integers(0, 256, (1, 8, 8, 1)).astype("uint8")
    return {
        "inputs": tf.constant(np.repeat(image, rows, axis=0)),
        "targets": tf.zeros([rows], tf.int32),
        "weights": tf.ones([rows]),
        "reset": tf.ones([rows], tf.int32),
    }


@pytest.fixture
def torn():
    """A model whose answer to a picture depends on where it looks the second time, and no other."""
    model = model_of()
    rng = np.random.default_rng(3)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 1.0, weight.shape))
    last = model.locator.layers[-1]
    last.kernel.assign(0.1 * last.kernel)
    last.bias.assign([0.2, -0.1])
    model.head.kernel.assign(50 * model.head.kernel)
    noise = tf.constant(rng.normal(0, 0.4, (500, 1, 2)), tf.float32)
    logits = model.follow(window_of(500)["inputs"], noise).logits[:, -1].numpy()
    # The class 0 is the answer to half of what is drawn.
    model.head.bias.assign_sub([np.median(logits[:, 0] - logits[:, 1:].max(axis=1)), 0.0, 0.0])
    return model


def reward_on_a_grid(model, image, side=91):
    """Where the class 0 is the answer, for second glimpses all over the picture and beyond it."""
    line = np.linspace(-3, 3, side).astype("float32")
    places = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 1, 2)
    places = np.concatenate([np.zeros_like(places), places], axis=1)
    images = np.repeat(image, len(places), axis=0)
    logits = model({"image": images, "places": places}).numpy()[:, -1]
    probability = tf.nn.softmax(logits).numpy()[:, 0].astype("float64")
    right = (logits.argmax(axis=-1) == 0).astype("float64")
    return places[:, 1], {"right": right, "probability": probability}


def expected_reward(places, reward, mean, sigma):
    density = np.exp(-((places - mean) ** 2).sum(axis=1) / (2 * sigma**2))
    return (density * reward).sum() / density.sum()


@pytest.mark.parametrize(
    ("worth", "subtract"),
    [
        ("right", "learned"),
        pytest.param("right", "others", marks=pytest.mark.slow),
        pytest.param("probability", "learned", marks=pytest.mark.slow),
    ],
)
def test_the_mean_gradient_is_that_of_the_expected_reward(torn, worth, subtract):
    sigma, rows = 0.4, 1500
    image = window_of(1)["inputs"].numpy()
    places, rewards = reward_on_a_grid(torn, image)
    variable = torn.locator.layers[-1].bias
    bias = variable.numpy()
    mean = torn.follow(tf.constant(image)).means[0, 0].numpy()
    assert 0.1 < expected_reward(places, rewards[worth], mean, sigma) < 0.9
    exact = []
    for axis in range(2):
        ends = []
        for step in (0.05, -0.05):
            variable.assign(bias + step * np.eye(2)[axis])
            moved = torn.follow(tf.constant(image)).means[0, 0].numpy()
            ends.append(expected_reward(places, rewards[worth], moved, sigma))
        exact.append((ends[0] - ends[1]) / 0.1)
    variable.assign(bias)
    assert np.abs(exact).max() > 0.1

    objective = Reinforce(copies=2, sigma=sigma, worth=worth, subtract=subtract)

    @tf.function
    def gradient(seed):
        window = objective.prepare(torn, window_of(rows), seed, FIRST)
        with tf.GradientTape() as tape:
            losses = objective.losses(torn, window, torn.initial_state(rows), training=True)
        return tape.gradient(losses.by_player["places"], variable.value) / rows

    drawn = np.stack([-gradient(tf.constant([seed, 0])).numpy() for seed in range(8)])
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    assert (error < 0.03).all()
    np.testing.assert_allclose(drawn.mean(axis=0), exact, atol=0.02 + 4 * error.max())


def losses_of(model, objective):
    window = objective.prepare(model, window_of(5), tf.constant([1, 2]), FIRST)
    return objective.losses(model, window, model.initial_state(5), training=True)


@pytest.mark.parametrize(
    ("player", "weight", "layers"),
    [
        ("model", 0.0, {"others"}),
        ("model", 0.5, {"others", "locator"}),
        ("places", 0.5, {"others", "locator"}),
        ("baseline", 0.5, {"baseline"}),
    ],
)
def test_the_classes_never_say_where_to_look(torn, player, weight, layers):
    """Of "model" the locator gets a gradient from the reward alone; that of "places" moves it."""
    weights = torn.trainable_variables
    own = {
        "locator": torn.locator.trainable_variables, "baseline": torn.baseline.trainable_variables,
    }  # fmt: skip
    name_of = {id(w): name for name, part in own.items() for w in part}
    with tf.GradientTape() as tape:
        loss = losses_of(torn, Reinforce(reward_weight=weight)).by_player[player]
    reached = {
        name_of.get(id(each), "others")
        for each, gradient in zip(weights, tape.gradient(loss, [w.value for w in weights]))
        if gradient is not None and np.abs(gradient).max() > 0
    }
    assert reached == layers


def test_soft_attention_learns_where_to_look_from_the_classes():
    model = model_of(attention="gaussian")
    objective = Reinforce()
    window = objective.prepare(model, window_of(5), tf.constant([1, 2]), FIRST)
    assert window.keys() == window_of(5).keys()
    with tf.GradientTape() as tape:
        losses = objective.losses(model, window, model.initial_state(5), training=True)
    assert losses.by_player.keys() == {"model"}
    gradient = tape.gradient(losses.by_player["model"], model.locator.layers[-1].kernel.value)
    assert np.abs(gradient).max() > 0
    (player,) = objective.players(model, Settings(), keras.optimizers.SGD).values()
    assert len(player.variables) == len(model.trainable_variables)


def test_each_player_moves_its_own_weights(torn):
    players = Reinforce().players(torn, Settings(), keras.optimizers.SGD)
    sizes = {name: len(player.variables) for name, player in players.items()}
    assert sizes == {"model": len(torn.trainable_variables) - 6, "places": 4, "baseline": 2}


def test_a_drawn_place_is_a_constant_of_its_own_density():
    means = tf.Variable([[[0.1, -0.2]], [[0.0, 0.3]]])
    noise = tf.constant([[[0.3, 0.1]], [[-0.2, 0.05]]])
    advantage = tf.constant([[1.0], [-2.0]])
    with tf.GradientTape() as tape:
        places = tf.concat([tf.zeros([2, 1, 2]), means + noise], axis=1)
        path = Path(tf.zeros([2, 2, 3]), places, means, tf.zeros([2, 1]))
        loss = tf.reduce_sum(surrogate(path, advantage, sigma=0.5))
    expected = -advantage.numpy()[..., None] * noise.numpy() / 0.25
    np.testing.assert_allclose(tape.gradient(loss, means), expected, rtol=1e-5)


def test_evaluation_looks_where_the_model_means_to_and_draws_nothing(torn):
    window, objective = window_of(5), Reinforce()
    state = torn.initial_state(5)
    first, again = (objective.losses(torn, window, state, training=False).sums for _ in range(2))
    np.testing.assert_array_equal(first, again)
    logits = torn(window["inputs"])
    right = (logits.numpy().argmax(axis=-1) == 0).astype("float32")
    np.testing.assert_array_equal(first[:, 2], right)
    # Step by step, each glimpse where the state says.
    state = torn.encode(window["inputs"])
    for _ in range(2):
        stepped, state = torn.step(state.place, state)
    np.testing.assert_allclose(stepped, logits, atol=1e-5)


def test_the_same_seed_draws_the_same_places_and_others_do_not(torn):
    draw = Reinforce(copies=3, sigma=0.2).prepare
    one, same, other = (
        draw(torn, window_of(50), tf.constant([seed, 0]), FIRST)["noise"] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other) and one.shape == (50, 3, 1, 2)
    assert np.std(one) == pytest.approx(0.2, abs=0.02)


def test_the_sums_of_a_row_are_means_over_its_copies(torn):
    window = window_of(5)
    noise = tf.constant(np.random.default_rng(1).normal(size=(5, 4, 1, 2)), tf.float32)
    sums = (
        Reinforce(copies=4)
        .losses(torn, {**window, "noise": noise}, torn.initial_state(5), training=True)
        .sums
    )
    for row in range(5):
        path = torn.follow(tf.repeat(window["inputs"][row : row + 1], 4, axis=0), noise[row])
        right = path.logits[:, -1].numpy().argmax(axis=-1) == 0
        assert float(sums[row, 2]) == pytest.approx(right.mean())


def test_the_mean_of_the_others_leaves_each_copy_out():
    worth = tf.constant([[1.0], [0.0], [0.0], [0.5]])
    np.testing.assert_allclose(mean_of_others(worth, 2)[:, 0], [0.0, 1.0, 0.5, 0.0])
    with pytest.raises(UserError, match="copies is 1: at least 2 are needed"):
        Reinforce(subtract="others", copies=1)


def test_a_model_that_looks_nowhere_is_refused():
    with pytest.raises(UserError, match="OneToOne looks at no places: reinforce is for models"):
        Trainer(zoo.create("digits-linear"), Settings(), objective=Reinforce())


READING = {
    "classes": 3, "image_shape": (8, 8, 1), "labels": 2, "glimpses": 1, "glimpse_size": 3,
    "scales": 1, "glimpse_units": 8, "units": 6,
}  # fmt: skip


@pytest.fixture(scope="module")
def reader():
    """A model of two labels, each named after one glimpse whose place it chooses."""
    model = zoo.create("dram-pairs", **READING)
    rng = np.random.default_rng(4)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 0.7, weight.shape))
    last = model.locator.layers[-1]
    last.kernel.assign(0.1 * last.kernel)
    # So that the labels depend on the places as much as can be.
    sharp = model.head.kernel
    sharp.assign(8 * sharp)
    model.baseline.kernel.assign(0.1 * model.baseline.kernel)
    model.baseline.bias.assign([0.5])
    return model


def sequences_of(rows, end=False):
    window = window_of(rows)
    weights = [1.0, 0.0] if end else [1.0, 1.0]
    return {
        **window,
        "targets": tf.tile(tf.constant([[1, 2]]), [rows, 1]),
        "weights": tf.tile(tf.constant([weights]), [rows, 1]),
    }


@pytest.mark.slow
@pytest.mark.parametrize("subtract", ["learned", pytest.param("others", marks=pytest.mark.slow)])
def test_of_several_labels_the_mean_gradient_is_that_of_the_summed_reward(reader, subtract):
    """The expected Σ_s Π_(i <= s) p_i, as the same draws have it a little beside: both places move
    it, the first one by both labels."""
    sigma, rows, step = 0.4, 1200, 0.02
    image = window_of(1)["inputs"]
    drawn = np.random.default_rng(5).normal(0, sigma, (4000, 2, 2)).astype("float32")
    images = tf.repeat(image, len(drawn), axis=0)
    variable = reader.locator.layers[-1].bias
    bias = variable.numpy()

    @tf.function
    def expected():
        sure = tf.nn.softmax(reader.follow(images, drawn).logits)
        first, second = sure[:, 0, 1], sure[:, 1, 2]
        return tf.reduce_mean(first + first * second)

    exact = []
    for axis in range(2):
        ends = []
        for sign in (1, -1):
            variable.assign(bias + sign * step * np.eye(2)[axis])
            ends.append(float(expected()))
        exact.append((ends[0] - ends[1]) / (2 * step))
    variable.assign(bias)
    assert np.abs(exact).max() > 0.05

    objective = Reinforce(copies=2, sigma=sigma, subtract=subtract)

    @tf.function
    def gradient(seed):
        window = objective.prepare(reader, sequences_of(rows), seed, FIRST)
        with tf.GradientTape() as tape:
            losses = objective.losses(reader, window, reader.initial_state(rows), training=True)
        return tape.gradient(losses.by_player["places"], variable.value) / rows

    means = np.stack([-gradient(tf.constant([seed, 0])).numpy() for seed in range(6)])
    error = means.std(axis=0) / np.sqrt(len(means))
    assert (error < 0.03).all()
    np.testing.assert_allclose(means.mean(axis=0), exact, atol=0.01 + 4 * error.max())


@pytest.mark.parametrize("end", [False, True])
def test_what_is_after_the_end_is_worth_nothing_and_moves_nothing(reader, end):
    """Nobody learns from a label, or from the way to it, that no sequence has."""
    objective = Reinforce(copies=2, reward_weight=0)
    window = objective.prepare(reader, sequences_of(4, end), tf.constant([1, 2]), FIRST)
    noise = tf.reshape(window["noise"], [-1, 2, 2])
    path = reader.follow(tf.repeat(window["inputs"], 2, axis=0), noise)
    nll = -tf.nn.log_softmax(path.logits)
    first, second = nll[:, 0, 1].numpy(), nll[:, 1, 2].numpy()
    losses = objective.losses(reader, window, reader.initial_state(4), training=True)
    named = (first.sum() + (0 if end else second.sum())) / 2
    assert float(losses.by_player["model"]) == pytest.approx(named, rel=1e-4)
    ends = np.exp(-first) + (0 if end else np.exp(-first - second))
    missed = (ends - path.baselines[:, 0]) ** 2
    if not end:
        missed = missed + (np.exp(-first - second) - path.baselines[:, 1]) ** 2
    wrong = float(np.sum(missed)) / 2
    assert float(losses.by_player["baseline"]) == pytest.approx(wrong, rel=1e-4)
    assert losses.sums[:, 1].numpy().tolist() == [1.0 if end else 2.0] * 4


def test_the_labels_never_say_where_to_look(reader):
    """The upper layers and the context network, too, are moved by reward alone."""
    objective = Reinforce(reward_weight=0)
    window = objective.prepare(reader, sequences_of(4), tf.constant([1, 2]), FIRST)
    weights = [weight.value for weight in reader.locating]
    with tf.GradientTape(persistent=True) as tape:
        losses = objective.losses(reader, window, reader.initial_state(4), training=True)
        by_player = losses.by_player
    assert all(
        part is None or not np.any(part) for part in tape.gradient(by_player["model"], weights)
    )
    assert all(
        np.abs(tf.convert_to_tensor(part)).max() > 0
        for part in tape.gradient(by_player["places"], weights)
    )
    players = objective.players(reader, Settings(), keras.optimizers.SGD)
    assert len(players["places"].variables) == len(weights)
    assert sum(len(player.variables) for player in players.values()) == len(
        reader.trainable_variables
    )


def test_places_far_from_the_middle_may_cost_something(reader):
    window = Reinforce(copies=2).prepare(reader, sequences_of(4), tf.constant([1, 2]), FIRST)
    state = reader.initial_state(4)
    plain, held = (
        Reinforce(copies=2, centre_weight=weight).losses(reader, window, state, True).by_player
        for weight in (0.0, 0.5)
    )
    noise = tf.reshape(window["noise"], [-1, 2, 2])
    path = reader.follow(tf.repeat(window["inputs"], 2, axis=0), noise)
    cost = float(tf.reduce_sum(path.means**2)) / 2
    difference = float(held["places"] - plain["places"])
    assert difference == pytest.approx(0.5 * cost, rel=1e-3)
    assert float(held["model"]) == pytest.approx(float(plain["model"]))
