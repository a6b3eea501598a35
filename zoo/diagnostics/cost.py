"""What a cell or a model costs: parameters, multiply-adds and state."""

import math
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from zoo import registry
from zoo.cells.base import LinearCell
from zoo.errors import UserError
from zoo.topologies.base import SequenceModel
from zoo.utils.keras_internals import function_in


def cell_card(name: str, input_size: int = 128, units: int = 128) -> dict[str, Any]:
    """Return a registered cell in figures, of one that is built and traced.

    Args:
        name: as `zoo list cells` gives it.
        input_size: D, the size of the input.
        units: H, the size of the output.

    Returns:
        A dict:

        - `name`, `equation` (the first line of the cell's docstring) and `paper`;
        - `parameters`, those that training changes, and `fixed_parameters`, those it does not;
        - `multiply_adds` of one time step of one row, input's part included, see below;
        - `state_size`, how many numbers one row carries from step to step;
        - `parallel`, whether all time steps can be computed at once.

        Counted are matrix products, einsums and two-dimensional convolutions, as traced; what is
        elementwise, and a product written as multiplication and sum, is not.

    Raises:
        UserError: there is no such cell, or it cannot be built in that size.

    Example:
        >>> card = cell_card("vanilla_rnn", input_size=3, units=4)
        >>> card["parameters"], card["multiply_adds"], card["state_size"], card["parallel"]
        (32, 28, 4, False)
    """
    entry = registry.get("cell", name)
    cell = build_cell(name, input_size, units)
    step = tf.function(lambda x, state: cell(x, state), autograph=False).get_concrete_function(
        tf.zeros([1, input_size], cell.compute_dtype), cell.get_initial_state(batch_size=1)
    )
    return {
        "name": name,
        "equation": entry.summary,
        "paper": entry.info.get("paper", ""),
        "parameters": _count(cell.trainable_weights),
        "fixed_parameters": _count(cell.non_trainable_weights),
        "multiply_adds": sum(map(_multiply_adds, step.graph.get_operations())),
        "state_size": sum(tf.nest.flatten(cell.state_size)),
        "parallel": isinstance(cell, LinearCell),
    }


def build_cell(name: str, input_size: int, units: int) -> Any:
    """Return a cell with weights.

    Raises:
        UserError: there is no such cell, or it cannot be built in that size.
    """
    for what, size in (("input size", input_size), ("units", units)):
        if size < 1:
            raise UserError(f"{what} is {size}, but at least 1 is needed")
    try:
        cell = registry.load("cell", name)(units)
        cell.build((None, input_size))
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"cannot build {name} with {units} units: {reason}") from error
    cell.built = True
    return cell


def model_multiply_adds(model: SequenceModel) -> int:
    """Count the multiply-adds of a whole model for an example of one time step, as of a cell.

    That is one step of a model that goes step by step, and all of one that takes no steps. What is
    done once for an example, such as looking at the picture that a caption is for, is included.

    Example:
        >>> from zoo.catalog.config import create
        >>> model_multiply_adds(create("digits-linear", classes=10, image_shape=[8, 8, 1]))
        640
    """
    call = tf.function(lambda inputs: model(inputs), autograph=False)
    graph = call.get_concrete_function(model.example_inputs(1, 1)).graph
    return sum(map(_multiply_adds, _operations(graph)))


def _operations(graph: Any) -> Iterator[Any]:
    """Yield those of a graph and, once each, of the loops and functions in it."""
    for operation in graph.get_operations():
        yield operation
        for name in {"body", "f"} & {*operation.node_def.attr}:
            inner = function_in(operation.graph, operation.get_attr(name).name)
            if inner is not None:
                yield from _operations(inner.graph)


def _count(weights: list[Any]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def _multiply_adds(op: Any) -> int:
    """Count those of one operation of a graph, 0 for one that is not counted."""
    if op.type not in _FACTORS:
        return 0
    return _FACTORS[op.type](op, *(tensor.shape.as_list() for tensor in op.inputs))


def _of_product(op: Any, left: list[int], right: list[int]) -> int:
    """Count, as each entry of the result sums over the inner dimension of the left matrix."""
    across = op.get_attr("transpose_a" if op.type == "MatMul" else "adj_x")
    return math.prod(op.outputs[0].shape) * left[-2 if across else -1]


def _of_einsum(op: Any, *shapes: list[int]) -> int:
    """Count every combination of the indices that occur, an ellipsis as its axes."""
    sizes: dict[Any, int] = {}
    terms = op.get_attr("equation").decode().split("->")[0].split(",")
    for term, shape in zip(terms, shapes):
        before, dots, after = term.partition("...")
        hidden = range(len(shape) - len(before) - len(after), 0, -1) if dots else []
        for index, size in zip([*before, *hidden, *after], shape):
            sizes[index] = max(size, sizes.get(index, 1))
    return math.prod(sizes.values())


def _of_convolution(op: Any, image: list[int], kernel: list[int]) -> int:
    """Count, as each entry of the result sums over a window of all channels of its group."""
    return math.prod(op.outputs[0].shape) * math.prod(kernel[:3])


_FACTORS: dict[str, Any] = {
    "MatMul": _of_product,
    "BatchMatMul": _of_product,
    "BatchMatMulV2": _of_product,
    "BatchMatMulV3": _of_product,
    "Einsum": _of_einsum,
    "Conv2D": _of_convolution,
}
