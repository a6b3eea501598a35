"""Scattered digits: drawn by their number, from digits of their own split, others in each epoch."""

from fractions import Fraction

import numpy as np
import pytest

import zoo
from tasks.image_classification.dataset import SPLITS, digit_images
from tasks.image_classification.drawn import scaled_digits, split_digits
from tasks.image_classification.scattered import LARGEST, PIECE, SIDE, SMALLEST, ScatteredDigits
from tasks.image_classification.task import ImageClassification
from zoo.errors import UserError
from zoo.training.settings import Settings

TRANSLATED, CLUTTERED = "scattered_digits/translated", "scattered_digits/cluttered"
SETTINGS = Settings(batch_size=64)


def box(image):
    """The smallest box around all ink: top, left, bottom, right."""
    rows, columns = np.nonzero(image[..., 0])
    return rows.min(), columns.min(), rows.max() + 1, columns.max() + 1


def test_a_number_draws_one_picture_and_another_number_another():
    data = ScatteredDigits(CLUTTERED)
    count = len(digit_images("test")[1])
    one, again = (data.draw("test", [5])[0] for _ in range(2))
    np.testing.assert_array_equal(one, again)
    images, labels = data.draw("test", [5, 5 + count, 5 + 2 * count])
    np.testing.assert_array_equal(images[:1], one)
    assert len({*labels.tolist()}) == 1
    assert len({image.tobytes() for image in images}) == 3


def test_the_clutter_of_one_digit_is_another_each_time():
    count = len(digit_images("train")[1])
    numbers = 7 + count * np.arange(40)
    (alone, _), (among, _) = (
        ScatteredDigits(name).draw("train", numbers) for name in (TRANSLATED, CLUTTERED)
    )
    assert (among >= alone).all() and (among.reshape(40, -1) != alone.reshape(40, -1)).any(1).all()
    clutter = {(one - other).tobytes() for one, other in zip(among, alone)}
    assert len(clutter) == 40
    most = 4 * PIECE**2
    assert all(0 < np.count_nonzero(one - other) <= most for one, other in zip(among, alone))


def test_digits_have_all_sizes_and_places():
    images, labels = ScatteredDigits(TRANSLATED).draw("train", np.arange(3000))
    boxes = np.array([box(image) for image in images])
    heights = boxes[:, 2] - boxes[:, 0]
    assert heights.min() >= SMALLEST - 4 and heights.max() == LARGEST
    assert boxes[:, :2].min() == 0 and boxes[:, 2:].max() == SIDE
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    np.testing.assert_allclose(middles.mean(axis=0), SIDE / 2, atol=1)
    assert {*labels.tolist()} == {*range(10)}


def test_a_digit_keeps_its_ink_at_each_size():
    digits, _ = digit_images("test")
    images, _ = ScatteredDigits(TRANSLATED).draw("test", np.arange(len(digits)))
    # Of the sizes only what follows from the pixels is known: the ink of each by that of its digit.
    shares = images.sum(axis=(1, 2, 3)) / digits.sum(axis=(1, 2))
    assert shares.min() > (SMALLEST / 8) ** 2 * 0.9 and shares.max() < (LARGEST / 8) ** 2 * 1.1


def test_no_digit_is_shown_in_two_splits():
    """The pictures of a split are drawn from its digits, those in the clutter, too."""
    for split in SPLITS:
        count = len(digit_images(split)[1])
        groups = ScatteredDigits(CLUTTERED).groups(split)
        assert np.bincount(groups, minlength=count).tolist() == [len(groups) // count] * count
        own = ScatteredDigits(TRANSLATED).draw(split, groups[:count])[1]
        np.testing.assert_array_equal(own, digit_images(split)[1])


def test_each_epoch_draws_others_and_the_same_seed_the_same():
    task = ImageClassification(CLUTTERED)
    windows = task.windows("train", SETTINGS, seed=1).take(2).repeat(2)
    first = [window["inputs"].numpy() for window in windows]
    again = task.windows("train", SETTINGS, seed=1).take(2).repeat(2)
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same["inputs"])
    assert len({image.tobytes() for window in first for image in window}) == 4 * 64
    # What a resumed run passes over.
    late = next(iter(task.windows("train", SETTINGS, seed=1).take(2).repeat().skip(3)))
    np.testing.assert_array_equal(late["inputs"], first[3])
    other = next(iter(task.windows("train", SETTINGS, seed=2)))
    assert not np.array_equal(other["inputs"], first[0])


@pytest.mark.slow
def test_what_is_measured_is_always_the_same_and_its_intervals_are_by_digit(check_measured):
    task = ImageClassification(CLUTTERED)
    one, two = (next(iter(task.windows("test", SETTINGS))) for _ in range(2))
    np.testing.assert_array_equal(one["inputs"], two["inputs"])
    model = zoo.create("digits-linear", **task.model_options())
    _, _, card = check_measured(task, model, SETTINGS)
    assert card["splits"]["test"]["examples"] == 3590
    assert card["splits"]["test"]["sha256"] == ImageClassification(CLUTTERED).fingerprint("test")
    assert card["splits"]["test"]["sha256"] != ImageClassification(TRANSLATED).fingerprint("test")
    rows = task.measure(model, "test", SETTINGS).sums[0]
    digits = ImageClassification(classes=task.classes, image_shape=[8, 8, 1])
    assert (task.resampled, digits.resampled) == ("digits", "images")
    assert len(np.unique(rows.groups)) == 359 and len(rows.groups) == len(rows.rows) == 3590


def test_other_models_learn_it_by_name_too(tmp_path):
    run = zoo.fit(
        "digits-linear", TRANSLATED, str(tmp_path / "data"), runs=tmp_path, verbose=False,
        steps=2, epochs=1,
    )  # fmt: skip
    assert run.config.options["image_shape"] == [SIDE, SIDE, 1]
    assert not (tmp_path / "data").exists()


def test_classes_of_another_kind_are_refused():
    task = ImageClassification(CLUTTERED, classes=["cat", "dog"], image_shape=[60, 60, 1])
    with pytest.raises(UserError, match="but the model knows cat, dog"):
        task.windows("test", SETTINGS)


def test_digits_are_scaled_as_exact_fractions_say():
    """Halfway pixels would otherwise be rounded up or down as the processor multiplies matrices."""
    size, image = 12, split_digits("test")[0][0].astype(int).tolist()
    side = len(image)

    def weights(place):
        middle = Fraction((2 * place + 1) * side, 2 * size) - Fraction(1, 2)
        middle = min(max(middle, 0), side - 1)
        return [max(0, 1 - abs(middle - at)) for at in range(side)]

    rows = [weights(place) for place in range(size)]
    exact = [
        [
            sum(
                a * b * image[y][x]
                for y, a in enumerate(up)
                if a
                for x, b in enumerate(across)
                if b
            )
            for across in rows
        ]
        for up in rows
    ]
    assert any(value.denominator == 2 for line in exact for value in map(Fraction, line))
    expected = [[round(value) for value in line] for line in exact]
    np.testing.assert_array_equal(scaled_digits("test", size)[0], expected)
