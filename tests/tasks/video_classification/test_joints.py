"""Vectors that are joints."""

import numpy as np
import pytest

from tasks.video_classification.joints import centred, check_joints, other_sides
from zoo.errors import UserError


@pytest.mark.parametrize("joints", [2, 3])
def test_bodies_are_told_from_their_middle(joints):
    bodies = np.random.default_rng(1).normal(size=(4, 6 * joints)).astype("float32")
    moved = bodies + np.tile(np.arange(1, joints + 1, dtype="float32"), 6)
    np.testing.assert_allclose(centred(moved, joints), centred(bodies, joints), atol=1e-5)
    middle = centred(bodies, joints).numpy().reshape(4, 6, joints).mean(axis=1)
    np.testing.assert_allclose(middle, 0, atol=1e-6)


@pytest.mark.parametrize(
    ("joints", "shape", "message"),
    [
        (4, [12], "joints is 4, but 2 or 3"),
        (3, [20], "a time step is of 20 numbers, which are no joints of 3"),
        (3, [32, 32, 3], "a time step is of 32 x 32 x 3 numbers"),
    ],
)
def test_what_is_no_body_is_refused(joints, shape, message):
    with pytest.raises(UserError, match=message):
        check_joints(joints, shape)


def test_pairs_are_read_with_or_without_spaces():
    assert other_sides("1-3, 4 - 2", 6) == [0, 3, 4, 1, 2, 5]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ("left", "mirror has 'left', but pairs such as \"4-8,5-9\""),
        ("1-6", "mirror has joint 6, but there are 6, counted from 0"),
        ("1-2,2-3", "mirror has joint 2 twice"),
        ("1-1", "mirror has joint 1 twice"),
    ],
)
def test_pairs_that_are_none_are_refused(pairs, message):
    with pytest.raises(UserError, match=message):
        other_sides(pairs, 6)
