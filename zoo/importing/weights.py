"""Weights of recurrent layers from elsewhere, put into cells of the zoo."""

from typing import Any, NamedTuple

import numpy as np


class Weights(NamedTuple):
    """W `[D, G]`, U `[H, G]`, and the biases b and c `[G]` of W x + b and U h + c.

    The columns are equal blocks, one a gate. An LSTM with a projection also has P `[M, H]`.
    """

    kernel: Any
    recurrent: Any
    bias: Any
    recurrent_bias: Any
    projection: Any = None


def fill(cell: Any, weights: Weights, order: str, wanted: str) -> None:
    """Assign weights to a cell.

    Args:
        cell: of one of the classes `LSTMCell`, `GRUCell`, `ResetBeforeGRUCell`, `VanillaRNNCell`,
            `ProjectedLSTMCell`; it is built.
        weights: of the layer, from elsewhere.
        order: a letter for each block of `weights`.
        wanted: the same letters in the order of the cell.

    Example:
        >>> from zoo.cells.vanilla_rnn import VanillaRNNCell
        >>> cell = VanillaRNNCell(1)
        >>> cell.build((None, 1))
        >>> fill(cell, Weights([[2.0]], [[3.0]], [4.0], [0.5]), "h", "h")
        >>> float(cell.bias[0])
        4.5
    """
    W, U, b, c = (_reordered(np.asarray(part), order, wanted) for part in weights[:4])
    if not hasattr(cell, "recurrent_kernel"):
        # The zoo's LSTM has one kernel, whose first rows are U.
        cell.kernel.assign(np.concatenate([U, W]))
        cell.bias.assign(b + c)
        return
    if weights.projection is not None:
        cell.projection.assign(weights.projection)
    cell.kernel.assign(W)
    cell.recurrent_kernel.assign(U)
    if hasattr(cell, "recurrent_bias"):
        cell.bias.assign(b)
        cell.recurrent_bias.assign(c)
    else:
        cell.bias.assign(b + c)


def _reordered(blocks: np.ndarray, order: str, wanted: str) -> np.ndarray:
    parts = dict(zip(order, np.split(blocks, len(order), axis=-1), strict=True))
    return np.concatenate([parts[letter] for letter in wanted], axis=-1)
