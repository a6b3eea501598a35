"""Vectors that are the joints of a body."""

import re
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from zoo.errors import UserError


def check_joints(joints: int, shape: Sequence[int]) -> None:
    """Raise if a time step is not of joints.

    Args:
        joints: coordinates of each.
        shape: of a time step.

    Raises:
        UserError: so many coordinates are none of a joint, or the numbers are no multiple of them.
    """
    if joints not in (2, 3):
        raise UserError(f"joints is {joints}, but 2 or 3 coordinates of each are needed, or 0")
    if len(shape) != 1 or shape[0] % joints:
        raise UserError(
            f"joints is {joints}, but a time step is of {' x '.join(map(str, shape))} numbers, "
            f"which are no joints of {joints} coordinates each"
        )


def other_sides(pairs: str, count: int) -> list[int]:
    """Return for each joint the one on the other side, or itself; empty if there are no pairs.

    Args:
        pairs: such as "4-8,5-9", joints counted from 0.
        count: how many joints there are.

    Raises:
        UserError: it is none, or a joint is not there, or in two pairs.

    Example:
        >>> other_sides("1-2", 4), other_sides("", 4)
        ([0, 2, 1, 3], [])
    """
    if not pairs.strip():
        return []
    sides = list(range(count))
    for pair in pairs.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*-\s*(\d+)\s*", pair)
        if not match:
            raise UserError(f'mirror has {pair.strip()!r}, but pairs such as "4-8,5-9" are needed')
        one, other = int(match[1]), int(match[2])
        if max(one, other) >= count:
            raise UserError(
                f"mirror has joint {max(one, other)}, but there are {count}, counted from 0"
            )
        if one == other or sides[one] != one or sides[other] != other:
            twice = one if sides[one] != one else other
            raise UserError(f"mirror has joint {twice} twice: a joint is in one pair at most")
        sides[one], sides[other] = other, one
    return sides


def centred(steps: Any, joints: int) -> Any:
    """Return bodies `[..., J * joints]` around the middle of their joints.

    Args:
        steps: of J joints, one after the other.
        joints: coordinates of each.

    Example:
        >>> centred(tf.constant([[1.0, 2.0, 3.0, 6.0]]), 2).numpy().tolist()
        [[-1.0, -2.0, 1.0, 2.0]]
    """
    shape = tf.shape(steps)
    bodies = tf.reshape(steps, tf.concat([shape[:-1], [shape[-1] // joints, joints]], axis=0))
    return tf.reshape(bodies - tf.reduce_mean(bodies, axis=-2, keepdims=True), shape)
