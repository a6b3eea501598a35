import collections

import numpy as np
import pytest
import tensorflow_datasets as tfds
from sklearn.datasets import load_digits

from tasks.image_classification.dataset import SPLITS, Digits, digit_images


def tfrecords(folder):
    return {p.name: p.read_bytes() for p in folder.rglob("*.tfrecord*")}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    builder = Digits(data_dir=folder)
    builder.download_and_prepare()
    return builder, folder


def test_preparing_twice_writes_the_same_bytes(prepared, tmp_path):
    Digits(data_dir=tmp_path).download_and_prepare()
    assert len(tfrecords(tmp_path)) == 3
    assert tfrecords(tmp_path) == tfrecords(prepared[1])


def test_prepared_examples_are_scikit_learns_digits(prepared):
    original = load_digits()
    expected = collections.Counter(
        (image.astype(np.uint8).tobytes(), label)
        for image, label in zip(original.images, original.target, strict=True)
    )
    found = collections.Counter()
    for split in SPLITS:
        for image, label in tfds.as_numpy(prepared[0].as_dataset(split, as_supervised=True)):
            sixteenths = np.round(image / 255 * 16).astype(np.uint8)
            found[sixteenths.tobytes(), label] += 1
    assert found == expected


def test_no_image_is_in_two_splits():
    seen = [{image.tobytes() for image in digit_images(split)[0]} for split in SPLITS]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])


def test_splits_are_70_10_20_percent_of_every_class():
    totals = np.bincount(load_digits().target)
    for split, share in zip(SPLITS, (0.7, 0.1, 0.2), strict=True):
        counts = np.bincount(digit_images(split)[1])
        assert np.abs(counts - share * totals).max() <= 1


def test_prepared_splits_have_the_sizes_of_digit_images(prepared):
    for split in SPLITS:
        assert prepared[0].info.splits[split].num_examples == len(digit_images(split)[0])


def test_grey_levels_span_the_whole_byte():
    images = np.concatenate([digit_images(split)[0] for split in SPLITS])
    assert images.dtype == np.uint8
    assert (images.min(), images.max(), len(np.unique(images))) == (0, 255, 17)


def test_unknown_split_is_refused_with_the_names_that_exist():
    with pytest.raises(ValueError, match=r"'dev'.*train, validation, test"):
        digit_images("dev")


def test_digits_load_by_name(prepared):
    builder = tfds.builder("digits", data_dir=prepared[1])
    assert builder.info.version == "1.0.0"
    assert builder.info.supervised_keys == ("image", "label")
