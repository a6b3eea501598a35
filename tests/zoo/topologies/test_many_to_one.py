import numpy as np
import pytest

from zoo.topologies.many_to_one import ManyToOne

CASES = (0.0, False), (0.4, True)
SMALL = {"frame_shape": (8, 8, 1), "filters": (4,), "features": 6, "units": 5}


@pytest.fixture
def clips():
    frames = np.random.default_rng(1).integers(0, 256, (3, 6, 8, 8, 1)).astype("uint8")
    return {"frames": frames, "lengths": np.array([6, 2, 4], "int32")}


@pytest.mark.parametrize("bidirectional", [False, True])
def test_frames_weigh_what_they_count_in_the_answer(bidirectional, clips):
    model = ManyToOne(**SMALL, pooling="attention", bidirectional=bidirectional)
    weights = np.array(model.frame_weights(clips))
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    assert not weights[1, 2:].any() and not weights[2, 4:].any()
    vectors = model.encoder(clips["frames"].reshape(-1, 8, 8, 1))
    y, _ = model.reader.stack(np.reshape(vectors, (3, 6, -1)), lengths=clips["lengths"])
    pooled = np.einsum("bt,bth->bh", weights, y)
    np.testing.assert_allclose(model(clips), model.head(pooled), atol=1e-5)


def test_the_second_stream_sees_motion_and_nothing_else(clips):
    model = ManyToOne(**SMALL, two_stream=True)
    # With the first stream silenced, more light changes nothing, but other motion does.
    for weight in model.encoder.trainable_weights[-2:]:
        weight.assign(weight * 0)
    dark = clips["frames"] // 2
    brighter = {**clips, "frames": dark + 100}
    np.testing.assert_allclose(model({**clips, "frames": dark}), model(brighter), atol=1e-5)
    assert np.abs(model({**clips, "frames": dark[:, ::-1]}) - model(brighter)).max() > 1e-4


def test_changes_are_channels_beside_the_frame_step_by_step_as_in_the_whole(clips):
    model = ManyToOne(**SMALL, changes=True, normalization="group")
    assert model.encoder.input_shape == (None, 8, 8, 2)
    state = model.initial_state(3)
    for t in range(6):
        logits, state = model.step(clips["frames"][:, t], state)
    whole = {**clips, "frames": clips["frames"], "lengths": np.full(3, 6, "int32")}
    np.testing.assert_allclose(logits, model(whole), atol=1e-5)
    # The first frame of a clip has changed from nothing.
    still = {"frames": clips["frames"][:, :1], "lengths": np.ones(3, "int32")}
    shown = np.concatenate([still["frames"][:, 0], np.zeros((3, 8, 8, 1), "uint8")], axis=-1)
    read, _ = model.reader(model.encoder(shown)[:, None])
    np.testing.assert_allclose(model(still), model.head(read), atol=1e-5)
    with pytest.raises(ValueError, match="two_stream and changes"):
        ManyToOne(**SMALL, changes=True, two_stream=True)


def test_a_model_that_augments_answers_as_one_that_does_not(clips):
    plain, other = (ManyToOne(**SMALL, augment=strength, flip=flip) for strength, flip in CASES)
    other.set_weights([*plain.get_weights(), *other.get_weights()[len(plain.weights) :]])
    np.testing.assert_allclose(plain(clips), other(clips), atol=1e-6)
    assert np.abs(other(clips, training=True) - other(clips)).max() > 1e-5
    assert other.pace.strength == 0.4 and not ManyToOne(**SMALL, augment=0.4, pace=0.0).pace


def test_what_is_missing_in_training_is_at_its_mean_and_nothing_else_is_missing(clips):
    frames = np.random.default_rng(1).normal(size=(3, 5, 6)).astype("float32")
    bodies = {"frames": frames, "lengths": np.array([5, 2, 4], "int32")}
    sizes = {"frame_shape": (6,), "encoder": "none", "units": 5, "two_stream": True}
    normal = {"mean": [1.0] * 6, "deviation": [2.0] * 6}
    plain = ManyToOne(**sizes, **normal, coordinates=3, augment=0.0)
    model = ManyToOne(**sizes, **normal, coordinates=3, augment=0.0, drop=0.999999)
    model.set_weights([*plain.get_weights(), *model.get_weights()[len(plain.weights) :]])
    np.testing.assert_allclose(model(bodies), plain(bodies), atol=1e-6)
    # Of two joints one is left, and of all steps the first.
    still = np.repeat(frames[:, :1], 5, axis=1)
    left, right = still.copy(), still.copy()
    left[..., :3], right[..., 3:] = 1.0, 1.0
    answers = [plain({**bodies, "frames": part}) for part in (left, right)]
    answer = model(bodies, training=True)
    nearest = np.min([np.abs(answer - one).max(axis=1) for one in answers], axis=0)
    np.testing.assert_array_less(nearest, 1e-5)
    # A checkpoint holds what is drawn from.
    assert any(variable is model.gaps.seed_generator.state for variable in model.variables)
    # Of pictures, steps alone.
    assert ManyToOne(**SMALL, drop=0.2).gaps.together == 0


def test_bodies_are_normalised_after_they_are_turned():
    frames = np.random.default_rng(1).normal(size=(3, 5, 6)).astype("float32")
    clips = {"frames": frames, "lengths": np.array([5, 2, 4], "int32")}
    sizes = {"frame_shape": (6,), "encoder": "none", "units": 5, "mixed": 4, "two_stream": True}
    mean, deviation = [1.0, 2, 3, 4, 5, 6], [2.0, 1, 3, 1, 2, 1]
    inside = ManyToOne(**sizes, coordinates=3, augment=0.0, mean=mean, deviation=deviation)
    outside = ManyToOne(**sizes)
    outside.set_weights(inside.get_weights())
    normal = {**clips, "frames": ((frames - mean) / deviation).astype("float32")}
    np.testing.assert_allclose(inside(clips), outside(normal), atol=1e-5)


def test_places_are_not_mixed():
    with pytest.raises(ValueError, match="mixed is 4, but the encoder is maps"):
        ManyToOne(**SMALL, encoder="maps", cell="conv_lstm", mixed=4)


def test_a_bidirectional_model_carries_nothing(clips):
    model = ManyToOne(**SMALL, bidirectional=True)
    assert not model.steppable
    logits, state = model(clips, state=model.initial_state(3), return_state=True)
    assert state == () and logits.shape == (3, 8)


def test_maps_are_for_a_convolutional_cell():
    with pytest.raises(ValueError, match="conv_lstm"):
        ManyToOne(**SMALL, encoder="maps", cell="gru")
