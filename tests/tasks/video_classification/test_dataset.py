from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow_datasets as tfds
from scipy.stats import kstest
from sklearn.ensemble import RandomForestClassifier

from tasks.image_classification.dataset import SPLITS, digit_images
from tasks.video_classification.dataset import (
    CLIPS,
    FRAMES,
    MOTIONS,
    MovingDigits,
    MovingPoints,
    draw_phases,
    render,
    track_points,
)

CHANCE = 1 / len(MOTIONS)


def tfrecords(folder):
    return {p.name: p.read_bytes() for p in folder.rglob("*.tfrecord*")}


@pytest.fixture(scope="module")
def folder(data_dir):
    """Where all tests have theirs: it takes a while to write."""
    MovingDigits(data_dir=data_dir).download_and_prepare()
    return Path(data_dir) / "moving_digits"


def read_clips(data_dir):
    """Each split as `(videos [N, T, S, S, 1], labels [N])`."""
    builder = tfds.builder("moving_digits", data_dir=data_dir)

    def read(split):
        pairs = tfds.as_numpy(builder.as_dataset(split, as_supervised=True))
        return tuple(map(np.stack, zip(*pairs, strict=True)))

    return {split: read(split) for split in SPLITS}


@pytest.fixture(scope="module")
def all_clips(folder):
    return read_clips(folder.parent)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Fewer of them, as many for each motion."""
    folder = tmp_path_factory.mktemp("some_clips")
    with pytest.MonkeyPatch.context() as patch:
        for number, split in enumerate(SPLITS, start=2):
            patch.setitem(CLIPS, split, number * len(MOTIONS))
        MovingDigits(data_dir=folder).download_and_prepare()
    return read_clips(folder)


@pytest.mark.slow
def test_preparing_twice_writes_the_same_bytes(folder, tmp_path):
    MovingDigits(data_dir=tmp_path).download_and_prepare()
    assert len(tfrecords(tmp_path)) == 3
    assert tfrecords(tmp_path) == tfrecords(folder)


def test_every_split_has_as_many_clips_of_each_motion(clips):
    for number, split in enumerate(SPLITS, start=2):
        counts = np.bincount(clips[split][1], minlength=len(MOTIONS))
        assert set(counts) == {number}
        assert CLIPS[split] % len(MOTIONS) == 0


def test_no_clip_and_no_frame_occurs_in_two_splits(clips):
    frames = [{frame.tobytes() for clip in clips[split][0] for frame in clip} for split in SPLITS]
    assert not (frames[0] & frames[1] or frames[0] & frames[2] or frames[1] & frames[2])


@pytest.mark.parametrize("split", SPLITS)
def test_every_clip_shows_a_digit_of_its_own_split(monkeypatch, split):
    shown = []
    monkeypatch.setattr(
        "tasks.video_classification.dataset.render", lambda digit, phases: shown.append(digit)
    )
    whole = SimpleNamespace(builder_config=SimpleNamespace(name="all"))
    list(MovingDigits._generate_examples(whole, split))
    own = {digit.tobytes() for digit in digit_images(split)[0]}
    assert len(shown) == CLIPS[split]
    assert {digit.tobytes() for digit in shown} <= own


@pytest.mark.parametrize("motion", MOTIONS)
def test_only_the_phases_that_a_motion_names_move_and_in_its_direction(motion):
    labels = np.full(50, list(MOTIONS).index(motion))
    phases = draw_phases(labels, np.random.default_rng(3))
    moved = np.round((np.diff(phases, axis=1) + 0.5) % 1 - 0.5, 9)  # the short way around
    assert (np.sign(moved) == MOTIONS[motion]).all()


def test_every_phase_of_every_frame_is_uniform_whatever_the_motion():
    labels = np.repeat(np.arange(len(MOTIONS)), 500)
    phases = draw_phases(labels, np.random.default_rng(4))
    p_values = [
        kstest(phases[labels == label, frame, phase], "uniform").pvalue
        for label in range(len(MOTIONS))
        for frame in (0, FRAMES // 2, FRAMES - 1)
        for phase in range(4)
    ]
    assert min(p_values) > 0.01 / len(p_values)


@pytest.fixture(scope="module")
def digit():
    return digit_images("train")[0][0]


def still(row=15.5 / 32, column=15.5 / 32, angle=0.0, log_scale=0.5):
    return np.array([[row, column, angle, log_scale]])


def test_moving_by_whole_pixels_is_a_roll_around_the_torus(digit):
    there, moved = (render(digit, still(row=0.9, column=x))[0] for x in (0.1, 0.1 - 5 / 32))
    np.testing.assert_array_equal(moved, np.roll(there, -5, axis=1))


def test_a_quarter_of_a_turn_is_clockwise_on_the_screen(digit):
    upright, turned = render(digit, still())[0], render(digit, still(angle=0.25))[0]
    np.testing.assert_array_equal(turned, np.rot90(upright, k=-1))


def test_a_larger_log_scale_is_a_larger_digit(digit):
    ink = [render(digit, still(log_scale=s)).sum(dtype=float) for s in (0, 0.25, 0.5, 0.75)]
    np.testing.assert_allclose(np.diff(np.log(ink)), np.log(ink[1] / ink[0]), rtol=0.05)
    assert ink[3] > 2 * ink[0]


def random_frames(videos, rng):
    return videos[np.arange(len(videos)), rng.integers(FRAMES, size=len(videos))]


def forest_accuracy(features, clips):
    """Test accuracy of a random forest trained on the features of the train split's clips."""
    (train, train_labels), (test, test_labels) = clips["train"], clips["test"]
    forest = RandomForestClassifier(50, random_state=0).fit(features(train), train_labels)
    return forest.score(features(test), test_labels)


@pytest.mark.slow
def test_one_frame_alone_is_at_chance(all_clips):
    rng = np.random.default_rng(0)
    accuracy = forest_accuracy(lambda v: random_frames(v, rng).reshape(len(v), -1), all_clips)
    error = np.sqrt(CHANCE * (1 - CHANCE) / CLIPS["test"])
    assert abs(accuracy - CHANCE) < 3 * error


@pytest.mark.slow
def test_two_frames_are_far_above_chance(all_clips):
    """The control of the test above: the same classifier, on how the digit was displaced."""

    def displacement(videos):
        first, second = (np.fft.fft2(videos[:, t, ..., 0].astype(float)) for t in (0, 1))
        spectrum = second * first.conj()
        correlation = np.fft.ifft2(spectrum / (np.abs(spectrum) + 1e-6)).real
        return np.fft.fftshift(correlation, axes=(1, 2))[:, 11:22, 11:22].reshape(len(videos), -1)

    assert forest_accuracy(displacement, all_clips) > 0.5


def test_the_video_feature_gives_frames_of_bytes(clips):
    assert clips["test"][0].shape == (4 * len(MOTIONS), FRAMES, 32, 32, 1)
    assert clips["test"][0].dtype == np.uint8
    assert clips["test"][0].max() > 200


@pytest.mark.parametrize("motion", MOTIONS)
def test_tracked_points_move_like_the_digit(motion):
    rng = np.random.default_rng(5)
    phases = draw_phases(np.full(200, list(MOTIONS).index(motion)), rng)
    points = np.stack([track_points(one, rng) for one in phases]).astype(float)
    assert points.min() >= 0 and points.max() < 1
    steps = (np.diff(points, axis=1) + 0.5) % 1 - 0.5
    row, column, angle, log_scale = MOTIONS[motion]
    pivot = steps[..., :2].mean(axis=(0, 1))
    np.testing.assert_allclose(np.sign(np.round(pivot, 2)), (row, column))
    side = (points[..., 4:] - points[..., 2:4] + 0.5) % 1 - 0.5
    before, after = side[:, :-1], side[:, 1:]
    turned = before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0]
    assert np.sign(np.round(np.median(turned), 3)) == -angle
    if not log_scale:
        return
    grown = np.median(np.diff(np.linalg.norm(side, axis=-1), axis=1))
    assert np.sign(grown) == log_scale


def test_sequences_of_points_differ_in_length(tmp_path, monkeypatch):
    monkeypatch.setitem(CLIPS, "train", 48)
    MovingPoints(data_dir=tmp_path).download_and_prepare()
    examples = tfds.builder("moving_points", data_dir=tmp_path).as_dataset("train")
    lengths = {len(example["sequence"]) for example in tfds.as_numpy(examples)}
    assert min(lengths) >= FRAMES // 2 and max(lengths) <= FRAMES and len(lengths) > 4


@pytest.mark.slow
def test_the_small_config_trains_on_the_first_clips_and_is_judged_by_all(all_clips, data_dir):
    small = tfds.builder("moving_digits/200", data_dir=data_dir)
    small.download_and_prepare()
    counts = {split: small.info.splits[split].num_examples for split in SPLITS}
    assert counts == {**CLIPS, "train": 200}
    videos = {video.tobytes() for video in all_clips["train"][0]}
    train = list(tfds.as_numpy(small.as_dataset("train")))
    assert all(example["video"].tobytes() in videos for example in train)
    assert {int(example["label"]) for example in train} == {*range(len(MOTIONS))}
