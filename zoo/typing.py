"""Names of what is passed around, so that a signature says where a shape can be looked up."""

from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A `tf.Tensor`, or what TensorFlow makes one of: an array, numbers, a variable, a Keras tensor.

TensorFlow has no type stubs, so that for a type checker this is anything.
"""

State: TypeAlias = Any
"""What stands between two time steps: a nested structure of tensors, the batch their first axis."""

Shape: TypeAlias = Any
"""Sizes of axes, None where one is not known: a tuple, a list or a `tf.TensorShape`."""
