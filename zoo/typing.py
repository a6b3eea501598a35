"""Names of what is passed around, so that a signature says where a shape can be looked up."""

from collections.abc import Callable
from typing import Any, TypeAlias, TypedDict

Tensor: TypeAlias = Any
"""A `tf.Tensor`, or what TensorFlow makes one of: an array, numbers, a variable, a Keras tensor.

TensorFlow has no type stubs, so that for a type checker this is anything.
"""

State: TypeAlias = Any
"""What stands between two time steps: a nested structure of tensors, the batch their first axis."""

Shape: TypeAlias = Any
"""Sizes of axes, None where one is not known: a tuple, a list or a `tf.TensorShape`."""

Recur: TypeAlias = Callable[..., Tensor]
"""`recur(v, k=0)` in a cell's `update`: v times the k-th recurrent weight."""


class Window(TypedDict):
    """What training and evaluation read: B rows, of streams cut in time or of whole sequences.

    It is a plain dict, so that `tf.data` and `tf.function` take it as it is.

    Attributes:
        inputs: what the model takes: a tensor `[B, ...]` of any dtype, most often `[B, T, ...]`, or
            a dict of such tensors.
        targets: `[B, ...]`, one for each weight: int32 for classes, float32 for real numbers.
            `[B]` is one a row, `[B, T]` one a time step, `[B, T, H]` the next H numbers at each.
        weights: float32, of the targets' shape: how much each one counts, 0 where there is none.
        reset: int32, `[B]`, or `[B, T]` for streams: 1 where row b starts a new sequence, 0 where
            it reads on.
    """

    inputs: Any
    targets: Tensor
    weights: Tensor
    reset: Tensor
