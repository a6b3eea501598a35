from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tasks.common.data import check_classes, iterate_split, load_split, prepared
from tasks.image_classification.task import ImageClassification
from zoo.errors import UserError
from zoo.training.settings import Settings


@pytest.fixture
def stored(tmp_path):
    """Stores a small data set of grey images of two classes; gives its name and folder."""

    def store(**sizes):
        features = tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=(None, None, 1)),
                "label": tfds.features.ClassLabel(names=["dark", "light"]),
            }
        )

        def example(number):
            image = np.full((6 + number % 2, 6, 1), 200 * (number % 2), "uint8")
            return {"image": image, "label": number % 2}

        tfds.dataset_builders.store_as_tfds_dataset(
            name="shades",
            version="1.0.0",
            features=features,
            split_datasets={
                split: [(number, example(number)) for number in range(size)]
                for split, size in sizes.items()
            },
            data_dir=str(tmp_path),
        )
        return "shades", str(tmp_path)

    return store


@pytest.mark.parametrize(
    ("sizes", "shares"),
    [
        ({"train": 40, "validation": 5, "test": 7}, (40, 5, 7)),
        ({"train": 40, "test": 7}, (36, 4, 7)),
        ({"train": 40, "validation": 5}, (36, 5, 4)),
        ({"train": 40}, (32, 4, 4)),
        ({"train": 3}, (1, 1, 1)),
    ],
)
def test_train_gives_up_a_tenth_for_each_split_that_is_lacking(stored, sizes, shares):
    name, folder = stored(**sizes)
    parts = [load_split(name, split, folder) for split in ("train", "validation", "test")]
    assert tuple(map(len, parts)) == shares
    assert len(load_split(name, "test[:2]", folder)) == min(2, shares[2])


def test_examples_come_one_by_one_in_the_order_of_the_list(stored):
    name, folder = stored(train=40)
    examples = iterate_split(name, "train", folder)
    assert iter(examples) is examples, "nothing is listed"
    for found, expected in zip(examples, load_split(name, "train", folder), strict=True):
        assert np.array_equal(found["image"], expected["image"])


def test_images_of_several_sizes_are_brought_to_one(stored):
    name, folder = stored(train=40)
    task = ImageClassification(name, folder)
    images = [example["image"] for example in load_split(name, "train", folder)]
    assert {image.shape[0] for image in images} == {6, 7}
    (window, *_) = task.windows("validation", Settings(batch_size=4))
    assert window["inputs"].shape[1:] == task.image_shape
    assert set(np.unique(window["inputs"])) == {0, 200}


def test_two_can_prepare_at_once_and_say_nothing_on_standard_output(tmp_path, capfd):
    with ThreadPoolExecutor() as pool:
        one, other = pool.map(prepared, ["digits"] * 2, [str(tmp_path)] * 2)
    assert one.info.splits.keys() == other.info.splits.keys() == {"train", "validation", "test"}
    assert capfd.readouterr().out == ""


def test_a_data_set_without_a_feature_says_what_it_has(data_dir):
    with pytest.raises(UserError, match="digits has image, label: choose one that has video"):
        load_split("digits", "train", data_dir, ("video", "label"))


def test_a_data_set_with_other_classes_is_refused(data_dir):
    with pytest.raises(UserError, match=r"0, 1, .* but the model knows cat, dog"):
        check_classes(["cat", "dog"], "digits", data_dir)


def test_damaged_data_are_named(stored):
    name, folder = stored(train=40)
    for path in prepared(name, folder).data_path.glob("*train*"):
        path.unlink()
    with pytest.raises(UserError, match=f"cannot read train of the data set {name}"):
        load_split(name, "train", folder)


def test_an_unknown_name_gets_the_nearest_or_what_could_be_given(tmp_path):
    with pytest.raises(UserError, match="did you mean mnist"):
        load_split("mnistt", "train", str(tmp_path))
    with pytest.raises(UserError, match="or a path"):
        load_split("qqqqqqqq", "train", str(tmp_path))
