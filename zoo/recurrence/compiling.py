"""Decides which sequences XLA compiles, in one place for training, inference and decoding."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from functools import partial
from itertools import count
from typing import Any

import tensorflow as tf

from zoo.cells.base import Cell
from zoo.typing import Tensor
from zoo.utils.keras_internals import in_keras_step, in_xla

# A shape is compiled when it is met this often: a second of compiling has to be earned back, which
# a last batch that is smaller, met once an epoch, or a single prediction does not.
CALLS_BEFORE = 4
# What decodes gains some milliseconds at each call.
DECODED_BEFORE = 100
# Beyond so many shapes of one function, the others run as a graph.
MOST_SHAPES = 32
# Of more rows, the products of a step take the time, and not what stands around them.
FEW_ROWS = 8

_numbers = count()


class Compile(Enum):
    """When XLA compiles a sequence.

    Attributes:
        NEVER: the loop is a part of the graph around it, or runs eagerly.
        ALWAYS: each shape at once, so that what is computed does not depend on what was before.
        FREQUENT: each shape that is met often, while the graph runs; see `FrequentShapes`.
    """

    NEVER = "never"
    ALWAYS = "always"
    FREQUENT = "frequent"


_scope: ContextVar[Compile | None] = ContextVar("compile", default=None)


@contextmanager
def compiled(when: Compile) -> Iterator[None]:
    """Say when sequences are compiled that are traced in this scope, with a gradient or without.

    For graphs that stay in this process. Outside, what is traced with `training=False` holds no
    compiled loop, but for Keras' own steps: it can be saved, and read where no compiler is.

    Example:
        >>> with compiled(Compile.ALWAYS):
        ...     pass
    """
    token = _scope.set(when)
    try:
        yield
    finally:
        _scope.reset(token)


def when_to_compile(cell: Cell, x: Tensor, training: bool) -> Compile:
    """Return when a sequence of a cell is compiled.

    Args:
        cell: a zoo cell.
        x: what it runs over, `[B, T, D]`.
        training: whether a gradient is expected.
    """
    one_step = x.shape[1] == 1 and not training
    if one_step or not (cell.compiled and tf.inside_function()) or in_xla():
        # Within a function that is compiled as a whole, the loop is compiled with it.
        return Compile.NEVER
    asked = _scope.get()
    if asked is not None:
        return asked
    if training:
        return Compile.ALWAYS if x.shape.is_fully_defined() else Compile.FREQUENT
    return Compile.FREQUENT if in_keras_step() else Compile.NEVER


def compiled_for_few_rows(
    function: Callable[..., Any], rows: Tensor, sizes: Sequence[int | Tensor]
) -> Callable[..., Any]:
    """Return a function of tensors, such as a loop that decodes, compiled where that pays.

    That is in the scope of `Compile.FREQUENT` only, for one to `FEW_ROWS` rows, and where all sizes
    were met often.

    Args:
        function: of nested tensors; all that it does, XLA can.
        rows: how many rows it runs on.
        sizes: what else decides what is compiled.
    """
    if _scope.get() is not Compile.FREQUENT or not tf.inside_function() or in_xla():
        return function
    shapes, switched = FrequentShapes(), Switched(function)
    number = tf.constant(0, tf.int64)
    for size in sizes:
        number = (number * 10_007 + tf.cast(size, tf.int64)) % 2**31

    def call(*arguments: Any) -> Any:
        few = (rows > 0) & (rows <= FEW_ROWS)
        often = tf.cond(
            few, lambda: shapes.frequent(rows, number, DECODED_BEFORE), lambda: tf.constant(False)
        )
        return switched(often, *arguments)

    return call


class FrequentShapes:
    """Counts the shapes `(B, T)` that a graph meets, in the graph.

    The counts live as long as the process, in tables that belong to no object: what holds such a
    graph has nothing more to save.
    """

    def __init__(self) -> None:
        self.name = f"zoo_shapes_{next(_numbers)}"

    def frequent(self, batch: Tensor, time: Tensor, before: int | None = None) -> Tensor:
        """Count a shape, and return whether it is to be compiled, a boolean.

        Args:
            batch: B, an integer.
            time: T, an integer.
            before: calls that are not compiled; None for `CALLS_BEFORE`.
        """
        before = CALLS_BEFORE if before is None else before
        calls, chosen = self._table("calls"), self._table("chosen")
        key = tf.cast(batch, tf.int64) * 2**32 + tf.cast(time, tf.int64)
        met = 1 + _find(calls, key, tf.constant(0, tf.int64))
        _insert(calls, key, met)

        def within_the_most() -> Tensor:
            number = _find(chosen, key, tf.raw_ops.LookupTableSizeV2(table_handle=chosen))
            _insert(chosen, key, number)
            return number < MOST_SHAPES

        return tf.cond(met > before, within_the_most, lambda: tf.constant(False))

    def chosen(self) -> list[tuple[int, int]]:
        """Return the shapes `(B, T)` that are compiled, in the order in which they were chosen."""
        keys, numbers = tf.raw_ops.LookupTableExportV2(
            table_handle=self._table("chosen"), Tkeys=tf.int64, Tvalues=tf.int64
        )
        pairs = sorted(zip(numbers.numpy().tolist(), keys.numpy().tolist()))
        return [divmod(key, 2**32) for number, key in pairs if number < MOST_SHAPES]

    def _table(self, what: str) -> Tensor:
        return tf.raw_ops.MutableHashTableV2(
            key_dtype=tf.int64, value_dtype=tf.int64, shared_name=f"{self.name}_{what}"
        )


class Switched:
    """A function of nested tensors, compiled where a boolean tensor is true."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._plain = function
        self._fast = tf.function(function, jit_compile=True, autograph=False)

    @tf.autograph.experimental.do_not_convert
    def __call__(self, compiled: Tensor | None, *arguments: Any) -> Any:
        """Call it with arguments; compiled of None is as true."""
        if compiled is None:
            return self._fast(*arguments)
        results: list[Any] = []

        def flat(function: Callable[..., Any]) -> list[Tensor]:
            results.append(function(*arguments))
            return [part for part in tf.nest.flatten(results[-1]) if part is not None]

        values = iter(tf.cond(compiled, partial(flat, self._fast), partial(flat, self._plain)))
        # What is None, such as residuals that are not stored, a condition cannot give.
        fill = lambda part: None if part is None else next(values)  # noqa: E731
        return tf.nest.map_structure(fill, results[0])


def _find(table: Tensor, key: Tensor, default: Tensor) -> Tensor:
    return tf.raw_ops.LookupTableFindV2(table_handle=table, keys=key, default_value=default)


def _insert(table: Tensor, key: Tensor, value: Tensor) -> None:
    tf.raw_ops.LookupTableInsertV2(table_handle=table, keys=key, values=value)
