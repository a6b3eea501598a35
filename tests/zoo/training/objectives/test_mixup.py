"""Mixup: what is mixed with what, what it costs, and where it cannot be."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.zoo.training.stopping import StopAfter
from zoo.errors import UserError
from zoo.training.checkpoints import Checkpoints
from zoo.training.objectives import CrossEntropy, Reinforce, Update
from zoo.training.objectives.mixup import mixed_pairs
from zoo.training.settings import Settings
from zoo.training.trainer import Trainer
from zoo.training.windows import example_windows

SEED = tf.constant([1, 2])
SIZES = {"frame_shape": [3], "encoder": "none", "units": 4, "layers": 1, "mixed": 0}


def _model():
    return zoo.create("digits-linear", classes=3, image_shape=(2, 2, 1))


def _pictures(rows=6, seed=1):
    rng = np.random.default_rng(seed)
    return {
        "inputs": tf.constant(rng.integers(0, 256, (rows, 2, 2, 1)), tf.uint8),
        "targets": tf.constant(rng.integers(0, 3, rows), tf.int32),
        "weights": tf.ones(rows),
        "reset": tf.ones(rows, tf.int32),
    }


def _sequences(lengths, padding=-50.0):
    """Sequences of which each value tells its row, 1 more than its number."""
    rows, time = len(lengths), max(lengths)
    frames = np.full((rows, time, 3), padding, "float32")
    for row, length in enumerate(lengths):
        frames[row, :length] = row + 1
    return {
        "inputs": {"frames": tf.constant(frames), "lengths": tf.constant(lengths, tf.int32)},
        "targets": tf.range(rows),
        "weights": tf.ones(rows),
        "reset": tf.ones(rows, tf.int32),
    }


def _update(number=0):
    return Update(tf.constant(number), 10)


def test_rows_are_mixed_with_others_and_so_are_their_losses():
    model, window = _model(), _pictures()
    objective = CrossEntropy(mixup=1.0)
    mixed = objective.prepare(model, window, SEED, _update())
    share, other = mixed["partner"].share.numpy(), mixed["partner"].targets.numpy()
    order = np.array(
        [
            next(
                partner
                for partner, image in enumerate(window["inputs"].numpy() * 1.0)
                if np.allclose(row, (1 - s) * own + s * image, atol=1e-3)
            )
            for row, own, s in zip(mixed["inputs"].numpy(), window["inputs"].numpy(), share)
        ]
    )
    assert sorted(order) == list(range(6)) and (order != np.arange(6)).any()
    np.testing.assert_array_equal(other, window["targets"].numpy()[order])
    losses = objective.losses(model, mixed, (), training=True)
    chances = tf.nn.log_softmax(model(mixed["inputs"])).numpy()
    nll = -(1 - share) * chances[range(6), window["targets"]] - share * chances[range(6), other]
    assert float(losses.by_player["model"]) == pytest.approx(nll.sum(), rel=1e-5)
    metrics = objective.results(losses.sums.numpy().sum(axis=0))
    assert metrics["loss"] == pytest.approx(nll.mean(), rel=1e-5)
    # That of the larger share.
    right = chances.argmax(axis=1) == window["targets"].numpy()
    assert metrics["accuracy"] == pytest.approx(right.mean())
    plain = objective.losses(model, window, (), training=False)
    expected = CrossEntropy().losses(model, window, (), training=False)
    np.testing.assert_array_equal(plain.sums, expected.sums)


@pytest.mark.parametrize("strength", [0.2, 1.0, 5.0])
def test_shares_are_those_of_the_beta_distribution(strength):
    rows = 20_000
    window = {
        "inputs": tf.zeros([rows, 1]),
        "targets": tf.zeros(rows, tf.int32),
        "weights": tf.ones(rows),
        "reset": tf.ones(rows, tf.int32),
    }
    share = mixed_pairs(window, "inputs", strength, SEED)["partner"].share.numpy()
    assert share.min() >= 0 and share.max() <= 0.5
    drawn = np.random.default_rng(1).beta(strength, strength, rows)
    ends = np.linspace(0, 1, 21)
    drawn, share = (np.quantile(each, ends[1:-1]) for each in (np.minimum(drawn, 1 - drawn), share))
    np.testing.assert_allclose(share, drawn, atol=0.01)


def test_a_seed_repeats_the_pairs_and_each_other_draws_others():
    window = _pictures()
    one, again, other = (
        mixed_pairs(window, "inputs", 1.0, tf.constant([1, number])) for number in (0, 0, 1)
    )
    np.testing.assert_array_equal(one["inputs"], again["inputs"])
    assert np.abs(one["inputs"] - other["inputs"]).max() > 1


def test_of_two_sequences_the_longer_goes_on_alone_and_no_padding_is_seen():
    window = _sequences([6, 2, 4, 1, 5])
    mixed = mixed_pairs(window, "frames", 3.0, SEED)
    frames, lengths = mixed["inputs"]["frames"].numpy(), mixed["inputs"]["lengths"].numpy()
    share, partner = mixed["partner"].share.numpy(), mixed["partner"].targets.numpy()
    before = window["inputs"]["lengths"].numpy()
    np.testing.assert_array_equal(lengths, np.maximum(before, before[partner]))
    for row, other in enumerate(partner):
        t = np.arange(6)
        own = (t < before[row]) * (row + 1) * (1 - share[row])
        expected = own + (t < before[other]) * (other + 1) * share[row]
        np.testing.assert_allclose(frames[row, :, 0], expected, rtol=1e-5)


def test_what_is_not_whole_in_the_window_is_not_mixed():
    window = _sequences([3] * 40)
    # A clip that began before, or goes on after; and a row that only fills the window.
    reset = np.ones(40, "int32")
    weights = np.ones(40, "float32")
    reset[:10], weights[10:20] = 0, 0.0
    mixed = mixed_pairs(
        {**window, "reset": tf.constant(reset), "weights": tf.constant(weights)},
        "frames",
        3.0,
        SEED,
    )
    share, partner = mixed["partner"].share.numpy(), mixed["partner"].targets.numpy()
    whole = (reset == 1) & (weights == 1)
    np.testing.assert_array_equal(share > 0, whole & whole[partner])
    assert (share > 0).sum() > 3
    kept = share == 0
    np.testing.assert_array_equal(mixed["inputs"]["frames"][kept], window["inputs"]["frames"][kept])


def test_class_weights_and_smoothing_act_on_both_classes():
    model, window = _model(), _pictures()
    labels = np.repeat([0, 1, 2], [6, 2, 4])
    train = example_windows(np.ones((12, 2, 2, 1), "uint8"), labels, np.ones(12), 4)
    objective = CrossEntropy(mixup=1.0, class_weight="balanced", label_smoothing=0.1).begin(train)
    mixed = objective.prepare(model, window, SEED, _update())
    share, factors = mixed["partner"].share.numpy(), np.array([4 / 6, 4 / 2, 4 / 4])
    chances = tf.nn.log_softmax(model(mixed["inputs"])).numpy()
    expected = 0.0
    for targets, part in ((window["targets"], 1 - share), (mixed["partner"].targets, share)):
        targets = targets.numpy()
        each = -0.9 * chances[range(6), targets] - 0.1 * chances.mean(axis=1)
        expected += (part * factors[targets] * each).sum()
    losses = objective.losses(model, mixed, (), training=True)
    assert float(losses.by_player["model"]) == pytest.approx(expected, rel=1e-5)


def _trained(kind, folder, start=None, stop_after=None):
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(1)
    if kind == "pictures":
        model, inputs = _model(), rng.integers(0, 256, (8, 2, 2, 1)).astype("uint8")
    else:
        model = zoo.create("sequence-gru", **SIZES, classes=3, augment=0.2, drop=0.2)
        frames = rng.normal(size=(8, 5, 3)).astype("float32")
        inputs = {"frames": frames, "lengths": np.array([5, 3, 1, 4, 5, 2, 2, 5], "int32")}
    train = example_windows(inputs, rng.integers(0, 3, 8), np.ones(8), 4, 2)

    settings = Settings(epochs=2, batch_size=4, learning_rate=0.05, save_steps=1)
    trainer = Trainer(model, settings, seed=5, objective=CrossEntropy(mixup=0.5))
    return trainer.fit(
        train, None, [StopAfter(stop_after)], Checkpoints(folder), start
    ), model.get_weights()


@pytest.mark.parametrize("kind", ["pictures", pytest.param("steps", marks=pytest.mark.slow)])
def test_a_stopped_run_that_mixes_and_varies_goes_on_bit_by_bit(kind, tmp_path):
    (tmp_path / "whole").mkdir()
    history, weights = _trained(kind, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        _trained(kind, tmp_path, stop_after=2)
    start, _ = Checkpoints(tmp_path).newest()
    assert start.position.updates == 2
    resumed, again = _trained(kind, tmp_path, start)
    assert resumed == history
    for one, other in zip(weights, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_pairs_are_drawn_alike_within_a_compiled_step():
    window = _sequences([6, 2, 4, 1, 5])
    plain = mixed_pairs(window, "frames", 0.5, SEED)
    run = tf.function(lambda part: mixed_pairs(part, "frames", 0.5, SEED), jit_compile=True)
    tf.nest.map_structure(
        lambda one, other: np.testing.assert_allclose(one, other, atol=1e-5), plain, run(window)
    )


@pytest.mark.parametrize(
    ("name", "read"), [("text-lstm", "tokens"), ("tagger-bilstm", "words, characters")]
)
def test_texts_are_not_mixed(name, read):
    with pytest.raises(UserError, match=f"mixup is 0.2, but this model reads {read}: only"):
        Trainer(zoo.create(name), Settings(), objective=CrossEntropy(mixup=0.2))


def test_other_losses_and_many_targets_are_refused():
    with pytest.raises(UserError, match=r"mixup is 0.2, but this model is trained by another loss"):
        Reinforce(mixup=0.2)
    with pytest.raises(UserError, match="mixup is -1, but at least 0 is needed"):
        CrossEntropy(mixup=-1)
    windows = example_windows(np.ones((4, 3)), np.ones((4, 3), int), np.ones((4, 3)), 2)
    with pytest.raises(UserError, match=r"mixup is 0.2, but each example has many targets"):
        CrossEntropy(mixup=0.2).begin(windows)
