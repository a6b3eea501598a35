"""A cell that reads a context beside its inputs, with the weights of either."""

from typing import Any, NamedTuple

import tensorflow as tf

from zoo.cells.base import Cell
from zoo.typing import Tensor


class ContextCell(NamedTuple):
    """A cell whose inputs are some of its own, and a context.

    Attributes:
        kernel: `[D, G]`, of the inputs that are its own.
        context_kernel: `[C, G]`.
        bias: `[G]`.
    """

    cell: Cell
    kernel: Tensor
    context_kernel: Tensor
    bias: Tensor


def context_cell(cell: Any, context_size: int) -> ContextCell | None:
    """Split the weights of a built cell, of whose inputs the last `context_size` are a context.

    Returns:
        None of a cell whose projection is another map.

    Example:
        >>> from zoo.cells.gru import GRUCell
        >>> cell = GRUCell(4)
        >>> cell.build((None, 8))
        >>> context_cell(cell, 5).kernel.shape
        TensorShape([3, 12])
    """
    affine = cell.affine_projection() if isinstance(cell, Cell) else None
    if affine is None:
        return None
    kernel, bias = affine
    own = kernel.shape[0] - context_size
    return ContextCell(cell, kernel[:own], kernel[own:], tf.convert_to_tensor(bias))
