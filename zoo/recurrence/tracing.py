"""What one step of a cell does, found out by taking one."""

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras.src.backend import AutocastScope  # has no public name

from zoo.cells.base import Cell


@dataclass(frozen=True)
class Reads:
    """What one step of a cell does, found out by taking one.

    Attributes:
        weights: the cell's variables that a step reads.
        width: G, the size of a projection.
        pointwise: those that `update` reads itself.
        state: the nested structure of a state, holding nothing.
        products: for each call of `recur` in a step, in their order, the weight's number.
        operands: for each of them, which part of the state is multiplied; None for another vector.
        output: which part of the new state is the output; None if none is.
        summed: whether projection and first product enter as their sum, and nowhere else.
    """

    weights: list[keras.Variable]
    width: int
    pointwise: list[keras.Variable]
    state: Any
    products: list[int]
    operands: list[int | None]
    output: int | None
    summed: bool

    @classmethod
    def of(cls, cell: Cell, input_size: int) -> "Reads":
        """A step of two rows, traced and not computed."""
        products: list[int] = []
        operands: list[int | None] = []
        results: list[Any] = []
        with tf.Graph().as_default():
            values = [tf.zeros(v.shape, computing_type(cell, v.dtype)) for v in cell.variables]
            with Values(cell, cell.variables, values) as scope:
                recurrent = tf.nest.map_structure(
                    tf.convert_to_tensor, list(cell.recurrent_weights())
                )
                z = tf.identity(cell.project(tf.zeros((2, input_size), cell.compute_dtype)))
                state = tf.nest.map_structure(tf.identity, cell.get_initial_state(2))
                parts = tf.nest.flatten(state)
                before, scope.read = scope.read, []

                def recur(v: Any, k: int = 0) -> Any:
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
        )


class Values(keras.StatelessScope):
    """While it is open, variables read as the given tensors; it remembers which were read.

    It stands for the cell's `__call__`: variables also show the cell's computing type.
    """

    def __init__(self, cell: Cell, variables: list[keras.Variable], values: list[Any]) -> None:
        super().__init__()
        self.autocast = AutocastScope(cell.compute_dtype)
        self.values = {id(variable): value for variable, value in zip(variables, values)}
        self.read: list[keras.Variable] = []

    def get_current_value(self, variable: Any) -> Any:
        """What Keras asks for when a variable is read."""
        if index(variable, self.read) is None:
            self.read.append(variable)
        return self.values.get(id(variable))

    def __enter__(self) -> "Values":
        self.autocast.__enter__()
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.autocast.__exit__(*error)


def computing_type(cell: Cell, dtype: str) -> str:
    """The type that a variable of this type is read in."""
    return cell.compute_dtype if tf.as_dtype(dtype).is_floating else dtype


def index(thing: Any, things: list[Any]) -> int | None:
    """Where an object stands in a list; None if it does not."""
    return next((n for n, other in enumerate(things) if other is thing), None)


def _only_summed(one: Any, other: Any) -> bool:
    """Whether all that is done with two tensors of a graph is to add them."""
    users = one.consumers()
    added = users == other.consumers() and [op.type for op in users] == ["AddV2"]
    return added and one.shape == other.shape
