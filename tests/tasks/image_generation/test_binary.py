"""Grey pixels are called binary only where somebody says how."""

import numpy as np
import pytest
import tensorflow as tf

from tasks.image_generation.binary import binarised, binary_pictures
from zoo.errors import UserError

GREY = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1)).astype("uint8")


def test_grey_is_refused_with_its_value_and_what_to_set():
    both = np.array([[[[0], [255]]]], "uint8")
    assert binary_pictures(both, "", "mine") is both
    with pytest.raises(UserError, match=r"mine has grey pixels, such as 7 of 255.*set binarize"):
        binary_pictures(np.array([[[[0], [7]]]], "uint8"), "", "mine")


def test_in_the_graph_grey_is_refused_too():
    run = tf.function(lambda images: binarised(images, ""))
    both = tf.constant([[[[0.0], [255.0]]]])
    np.testing.assert_array_equal(run(both), both)
    with pytest.raises(tf.errors.InvalidArgumentError, match="pixels are grey"):
        run(tf.constant([[[[0.0], [254.0]]]]))


def test_a_threshold_is_at_half():
    on = binarised(GREY, "threshold").numpy()
    np.testing.assert_array_equal(on, np.where(GREY >= 128, 255, 0))


def test_a_sample_is_as_bright_as_its_grey_and_the_same_for_the_same_picture():
    even = np.full((40, 16, 16, 1), 64, "uint8")
    # Pictures that are equal are drawn alike; one pixel less makes another.
    even[np.arange(40), np.arange(40) % 16, np.arange(40) // 16] = np.arange(40)[:, None]
    drawn = binarised(even, "sample").numpy()
    assert set(np.unique(drawn)) == {0, 255}
    assert drawn.mean() == pytest.approx(64, abs=4)
    assert len({one.tobytes() for one in drawn}) == 40
    np.testing.assert_array_equal(binarised(even[7:9], "sample"), drawn[7:9])
    black_and_white = np.where(GREY > 99, 255, 0)
    np.testing.assert_array_equal(binarised(black_and_white, "sample"), black_and_white)


@pytest.mark.parametrize("way", ["threshold", "sample"])
def test_pictures_of_a_data_set_are_made_binary_as_those_that_are_served(way):
    ours = binary_pictures(GREY, way, "mine")
    assert ours.dtype == np.uint8
    np.testing.assert_array_equal(ours, tf.function(lambda x: binarised(x, way))(GREY))
