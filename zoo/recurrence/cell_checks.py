"""Checks, where a cell is built, that it can be run over a sequence."""

from typing import Any

import tensorflow as tf

from zoo.cells.base import Cell, LinearCell, with_training
from zoo.cells.wrappers import CellWrapper
from zoo.recurrence.tracing import VariableScope, computing_type
from zoo.typing import State, Tensor
from zoo.utils.keras_internals import scratch_graph

# Rows and steps of the trial, unlikely to be the size of anything else.
_ROWS, _STEPS = 3, 5


def check_cell(cell: Cell, input_size: int) -> None:
    """Trace two steps of a cell that is built, one by one, and compare; nothing is computed.

    Args:
        cell: a zoo cell.
        input_size: D.

    Raises:
        ValueError: a step cannot be run over a sequence, or not be differentiated by running it
            again: shapes that do not fit, other products than at the step before, random numbers.

    Example:
        >>> from zoo.cells.gru import GRUCell
        >>> cell = GRUCell(4)
        >>> cell.build((None, 2))
        >>> check_cell(cell, 2)
    """
    first, second = _products(cell, input_size), _products(cell, input_size)
    if first != second:
        _refuse(
            cell,
            f"update calls recur for the weights {first} at one step and {second} at the next; "
            "let it make the same calls at every step",
        )


def _products(cell: Cell, input_size: int) -> list[int]:
    """The weights that a step calls `recur` for, in their order."""
    # A graph of a function, as `update` may read variables that are not the cell's: seeds.
    scratch = scratch_graph("cell_checks")
    with scratch.as_default():
        zeros = [tf.zeros(v.shape, computing_type(cell, v.dtype)) for v in cell.variables]
        with VariableScope(cell, cell.variables, zeros):
            z = _projection(cell, input_size)
            return _step(cell, z, scratch)


def _step(cell: Cell, z: Tensor, scratch: Any) -> list[int]:
    state = cell.get_initial_state(_ROWS)
    weights = tuple(with_training(cell.recurrent_weights, True))
    products: list[int] = []

    def recur(v: Tensor, k: int = 0) -> Tensor:
        if not 0 <= k < len(weights):
            _refuse(
                cell,
                f"update calls recur(v, {k}), but recurrent_weights() has {len(weights)}; list "
                "there what update multiplies by",
            )
        products.append(k)
        return cell.product(v, weights[k])

    before = len(scratch.get_operations())
    y, new = cell.update(z, state, recur)
    for op in scratch.get_operations()[before:]:
        if "Random" in op.type:
            _refuse(
                cell,
                f"update draws random numbers ({op.type}), but the gradient runs it again; draw "
                "them in project and join them to z",
            )
    _check_results(cell, state, y, new)
    return products


def _projection(cell: Cell, input_size: int) -> Tensor:
    """z `[B, G]`, after a look at its leading axes."""
    whole = isinstance(cell, LinearCell | CellWrapper)
    for lead in ([_STEPS, _ROWS], [_ROWS]) if whole else ([_ROWS],):
        x = tf.zeros([*lead, input_size], cell.compute_dtype)
        z = with_training(cell.project, True, x)
        if z.shape[: len(lead)] != lead or len(z.shape) == len(lead):
            _refuse(
                cell,
                f"project makes {z.shape} of {x.shape}; let it keep every axis but the last one, "
                "[..., D] -> [..., G]",
            )
    return z


def _check_results(cell: Cell, state: State, y: Tensor, new: State) -> None:
    size = tf.TensorShape([_ROWS]).concatenate(cell.output_size)
    if not size.is_compatible_with(y.shape):
        _refuse(
            cell,
            f"update returns an output of shape {_with_batch(y)}, but output_size is "
            f"{cell.output_size}; return one of [B, {cell.output_size}]",
        )
    kinds = [
        [(_with_batch(part), part.dtype) for part in tf.nest.flatten(tree)] for tree in (state, new)
    ]
    if kinds[0] != kinds[1]:
        needed, returned = (", ".join(f"{s} {t.name}" for s, t in kind) for kind in kinds)
        _refuse(
            cell,
            f"update returns a state of {returned}, but get_initial_state gives {needed}; return "
            "the same parts in the same order",
        )


def _with_batch(tensor: Any) -> str:
    """A shape as users read it, B for the rows of the trial."""
    sizes = ["B" if size == _ROWS and n == 0 else str(size) for n, size in enumerate(tensor.shape)]
    return f"[{', '.join(sizes)}]"


def _refuse(cell: Cell, reason: str) -> None:
    raise ValueError(f"{type(cell).__name__}: {reason}")
