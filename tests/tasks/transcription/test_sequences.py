"""Digit sequences: drawn by their number, from digits of their own split, in blocks for testing."""

from functools import cache

import numpy as np
import pytest

from tasks.image_classification.dataset import SPLITS, digit_images
from tasks.image_classification.drawn import split_digits
from tasks.transcription import sequences
from tasks.transcription.sequences import BLOCK, NAMES, WIDTH, DigitSequences
from tasks.transcription.task import Transcription
from zoo.errors import UserError
from zoo.training.settings import Settings

PAIRS, UP_TO_3, SUM = NAMES
SETTINGS = Settings(batch_size=64)


@pytest.fixture
def squares(monkeypatch):
    """Draws squares in place of digits, grey as a function of their numbers says; gives the splits
    that were asked for."""

    def draw(grey):
        asked = set()

        @cache
        def scaled(split, size):
            asked.add(split)
            greys = grey(np.arange(len(split_digits(split)[1])), split)
            return np.tile(greys[:, None, None], (1, size, size)).astype("uint8")

        monkeypatch.setattr(sequences, "scaled_digits", scaled)
        return asked

    return draw


def runs_of_ink(image):
    """The columns of a picture in which there is ink, as lengths of runs."""
    ink = np.concatenate([[0], image[..., 0].any(axis=0), [0]]).astype(int)
    return np.flatnonzero(np.diff(ink) == -1) - np.flatnonzero(np.diff(ink) == 1)


def test_a_number_draws_one_picture_and_another_number_another():
    data = DigitSequences(UP_TO_3)
    numbers = [5, 5, 364, 723]
    images, labels = data.draw("test", numbers)
    np.testing.assert_array_equal(images[0], images[1])
    np.testing.assert_array_equal(labels[0], labels[1])
    assert len({image.tobytes() for image in images}) == 3
    own = digit_images("test")[1][5]
    assert all(own in row for row in labels)


@pytest.mark.parametrize("split", SPLITS)
def test_a_picture_shows_digits_of_its_own_split_and_of_one_block_of_it(squares, split):
    data = DigitSequences(UP_TO_3)

    def block(numbers, split):
        return numbers % data.blocks(split) + 1 if split != "train" else np.ones(len(numbers))

    asked = squares(block)
    groups = data.groups(split)
    images, _ = data.draw(split, np.arange(300))
    assert asked == {split}
    greys = [set(np.unique(image)) - {0} for image in images]
    assert all(len(grey) == 1 for grey in greys)
    if split != "train":
        # Pictures of one group show one block, those of different groups have no digit in common.
        assert [grey.pop() - 1 for grey in greys] == groups[:300].tolist()
        count = len(digit_images(split)[1])
        assert np.bincount(np.arange(count) % data.blocks(split)).min() >= BLOCK


def test_digits_stand_beside_one_another_and_labels_follow_them(squares):
    squares(lambda numbers, split: split_digits(split)[1][numbers] + 1)
    images, labels = DigitSequences(UP_TO_3).draw("train", np.arange(200))
    counts = (labels < 10).sum(axis=1)
    assert {*counts.tolist()} == {1, 2, 3}
    for image, row, count in zip(images, labels, counts):
        assert row[count:].tolist() == [10] * (4 - count)
        runs = runs_of_ink(image)
        # Side by side they may touch.
        assert len(runs) <= count and 10 * count <= runs.sum() <= min(16 * count, WIDTH)
        seen = image[..., 0].max(axis=0)
        greys = [
            int(grey) for n, grey in enumerate(seen) if grey and (n == 0 or seen[n - 1] != grey)
        ]
        # Of two equal digits that touch, one is seen.
        assert len(greys) < count or greys == (row[:count] + 1).tolist()
    pairs, both = DigitSequences(PAIRS).draw("train", np.arange(200)), DigitSequences(SUM)
    images, sums = both.draw("train", np.arange(200))
    np.testing.assert_array_equal(images, pairs.images)
    np.testing.assert_array_equal(sums[:, 0], pairs.labels.sum(axis=1))
    assert pairs.labels.max() == 9 and sums.max() <= 18


def test_a_label_after_the_end_does_not_count():
    data = DigitSequences(UP_TO_3)
    _, labels = data.draw("train", np.arange(50))
    counts = (labels < 10).sum(axis=1)
    np.testing.assert_array_equal(data.weights(labels).sum(axis=1), counts + 1)


def test_each_epoch_draws_others_and_the_same_seed_the_same():
    task = Transcription(UP_TO_3)
    windows = task.windows("train", SETTINGS, seed=1).take(2).repeat(2)
    first = [window["inputs"].numpy() for window in windows]
    assert len({image.tobytes() for window in first for image in window}) == 4 * 64
    # What a resumed run passes over.
    late = next(iter(task.windows("train", SETTINGS, seed=1).take(2).repeat().skip(3)))
    np.testing.assert_array_equal(late["inputs"], first[3])
    assert late["targets"].shape == late["weights"].shape == (64, 4)
    other = next(iter(task.windows("train", SETTINGS, seed=2)))
    assert not np.array_equal(other["inputs"], first[0])
    one, same = (next(iter(task.windows("test", SETTINGS))) for _ in range(2))
    np.testing.assert_array_equal(one["inputs"], same["inputs"])


def test_labels_that_a_model_does_not_know_or_name_are_refused():
    task = Transcription(PAIRS)
    task.dataset = UP_TO_3
    with pytest.raises(UserError, match="up to 3 labels a picture, but the model names 2 at most"):
        task.windows("test", SETTINGS)
    task.dataset = SUM
    with pytest.raises(UserError, match="but the model knows 0, 1, 2"):
        task.windows("test", SETTINGS)
    longer = Transcription(UP_TO_3)
    longer.dataset = PAIRS
    window = next(iter(longer.windows("validation", SETTINGS)))
    assert window["targets"].shape == (64, 4) and (window["targets"].numpy()[:, 2:] == 10).all()
    window = next(iter(longer.windows("train", SETTINGS, seed=1)))
    assert window["targets"].shape == (64, 4) and (window["targets"].numpy()[:, 2:] == 10).all()
    assert window["weights"].numpy().sum(axis=1).tolist() == [2.0] * 64
    with pytest.raises(UserError, match="there is no data set mnist of pictures and sequences"):
        Transcription("mnist")
