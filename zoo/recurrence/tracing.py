"""What one step of a cell does, traced by taking one."""

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from zoo.cells.base import Cell, takes_training
from zoo.typing import State, Tensor
from zoo.utils.keras_internals import autocast_scope


@dataclass(frozen=True)
class CellTrace:
    """What one step of a cell does, traced by taking one.

    Attributes:
        weights: the cell's variables that a step reads.
        width: G, the size of a projection.
        pointwise: those that `update` reads itself.
        state: the nested structure of a state, holding nothing.
        products: for each call of `recur` in a step, in order, the number of the weight.
        operands: for each call, which part of the state is multiplied; None for another vector.
        output: which part of the new state is the output; None if none is.
        summed: whether projection and first product enter as their sum, and nowhere else.
        draws: whether `project` or `recurrent_weights` may be random, so that they run once only.
    """

    weights: list[keras.Variable]
    width: int
    pointwise: list[keras.Variable]
    state: State
    products: list[int]
    operands: list[int | None]
    output: int | None
    summed: bool
    draws: bool

    @classmethod
    def of(cls, cell: Cell, input_size: int) -> "CellTrace":
        """Trace a step of two rows; nothing is computed."""
        products: list[int] = []
        operands: list[int | None] = []
        results: list[Tensor] = []
        with tf.Graph().as_default() as graph:
            values = [tf.zeros(v.shape, computing_type(cell, v.dtype)) for v in cell.variables]
            with VariableScope(cell, cell.variables, values) as scope:
                recurrent = tf.nest.map_structure(
                    tf.convert_to_tensor, list(cell.recurrent_weights())
                )
                z = tf.identity(cell.project(tf.zeros((2, input_size), cell.compute_dtype)))
                state = tf.nest.map_structure(tf.identity, cell.get_initial_state(2))
                parts = tf.nest.flatten(state)
                before, scope.read = scope.read, []
                random = any("Random" in op.type for op in graph.get_operations())

                def recur(v: Tensor, k: int = 0) -> Tensor:
                    products.append(k)
                    operands.append(index(v, parts))
                    results.append(tf.identity(cell.product(v, recurrent[k])))
                    return results[-1]

                y, new = cell.update(z, state, recur)
        pointwise = scope.read
        return cls(
            weights=before + [v for v in pointwise if index(v, before) is None],
            width=z.shape[-1],
            pointwise=pointwise,
            state=tf.nest.map_structure(lambda _: None, state),
            products=products,
            operands=operands,
            output=index(y, tf.nest.flatten(new)),
            summed=bool(results) and _only_summed(z, results[0]),
            draws=random or takes_training(cell.project) or takes_training(cell.recurrent_weights),
        )


class VariableScope(keras.StatelessScope):
    """A scope in which a cell's variables read as other tensors, in the cell's computing type.

    Args:
        cell: the zoo cell, whose `__call__` the scope stands for.
        variables: those that are replaced.
        values: a tensor for each.

    Attributes:
        read: the variables that were read in the scope, in order.
    """

    def __init__(self, cell: Cell, variables: list[keras.Variable], values: list[Tensor]) -> None:
        super().__init__()
        self.autocast = autocast_scope(cell.compute_dtype)
        self.values = {id(variable): value for variable, value in zip(variables, values)}
        self.read: list[keras.Variable] = []

    def get_current_value(self, variable: Any) -> Tensor:
        """Return the tensor that stands for a variable; Keras asks when one is read."""
        if index(variable, self.read) is None:
            self.read.append(variable)
        return self.values.get(id(variable))

    def __enter__(self) -> "VariableScope":
        self.autocast.__enter__()
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.autocast.__exit__(*error)


def computing_type(cell: Cell, dtype: str) -> str:
    """Return the type that a variable of type `dtype` is read in."""
    return cell.compute_dtype if tf.as_dtype(dtype).is_floating else dtype


def index(thing: Any, things: list[Tensor]) -> int | None:
    """Return where an object stands in a list; None if it does not."""
    return next((n for n, other in enumerate(things) if other is thing), None)


def _only_summed(one: Tensor, other: Tensor) -> bool:
    """Return whether all that is done with two tensors of a graph is to add them."""
    users = one.consumers()
    added = users == other.consumers() and [op.type for op in users] == ["AddV2"]
    return added and one.shape == other.shape
