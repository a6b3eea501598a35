"""Real digits in black and white, and what they cost without a model."""

import numpy as np
import pytest

from tasks.common.data import load_split
from tasks.image_classification.dataset import digit_images
from tasks.image_generation.baselines import independent_pixels, pixels_of_classes
from tasks.image_generation.dataset import binary_digits


def test_each_picture_is_its_digit_in_paper_and_ink():
    images, labels = binary_digits("test")
    grey, same = digit_images("test")
    np.testing.assert_array_equal(labels, same)
    assert images.dtype == np.uint8 and set(np.unique(images)) == {0, 255}
    # Where a pixel of 8x8 is nearly all ink or none, so are most of its four.
    four = (images / 255).reshape(-1, 8, 2, 8, 2).mean(axis=(2, 4))
    assert four[grey > 240].mean() > 0.95 and four[grey < 15].mean() < 0.05


def test_the_builder_gives_the_same(data_dir):
    examples = load_split("binary_digits", "validation", data_dir)
    images, labels = binary_digits("validation")
    # In another order.
    ours = sorted((image.tobytes(), label) for image, label in zip(images, labels))
    assert sorted((each["image"].tobytes(), each["label"]) for each in examples) == ours


def test_what_the_digits_cost_without_a_model():
    (train, classes), (test, _) = binary_digits("train"), binary_digits("test")
    assert independent_pixels(train, test).mean() == pytest.approx(98.3, abs=0.05)
    assert pixels_of_classes(train, classes, test).mean() == pytest.approx(71.4, abs=0.05)


def test_the_costs_are_those_of_probabilities_that_sum_to_one():
    rng = np.random.default_rng(0)
    train, classes = rng.integers(0, 2, (20, 4)), rng.integers(0, 3, 20)
    every = np.array([[n >> bit & 1 for bit in range(4)] for n in range(16)])
    for costs in (independent_pixels(train, every), pixels_of_classes(train, classes, every)):
        assert np.exp(-costs).sum() == pytest.approx(1)
