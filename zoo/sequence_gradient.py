"""The gradient of a whole sequence, derived by hand once for all cells."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import tensorflow as tf
from keras.src.backend import AutocastScope  # has no public name

from zoo.cells.base import Cell


@dataclass(frozen=True)
class Reads:
    """What a cell's `update` uses besides its arguments.

    Attributes:
        weights: the cell's variables that it reads.
        products: for each call of `recur` in a step, in their order, the weight's number.
        operands: for each of them, which part of the state is multiplied; None for another vector.
    """

    weights: list[keras.Variable]
    products: list[int]
    operands: list[int | None]

    @classmethod
    def of(cls, cell: Cell, input_size: int) -> "Reads":
        """Found out by one step of the cell."""
        products: list[int] = []
        operands: list[int | None] = []
        dtype = cell.compute_dtype
        recurrent = [_cast(weight, dtype) for weight in cell.recurrent_weights()]
        state = cell.get_initial_state(1)
        parts = tf.nest.flatten(state)

        def recur(v: Any, k: int = 0) -> Any:
            products.append(k)
            operands.append(_index(v, parts))
            return cell.product(v, recurrent[k])

        with _Values(cell, cell.variables, [_cast(v, dtype) for v in cell.variables]) as scope:
            z = cell.project(keras.ops.zeros((1, input_size), dtype))
            scope.read.clear()
            cell.update(z, state, recur)
        return cls(scope.read, products, operands)


class _Values(keras.StatelessScope):
    """While it is open, variables read as the given tensors; it remembers which were read.

    It stands for the cell's `__call__`: variables also show the cell's computing type.
    """

    def __init__(self, cell: Cell, variables: list[keras.Variable], values: list[Any]) -> None:
        super().__init__()
        self.autocast = AutocastScope(cell.compute_dtype)
        self.values = {id(variable): value for variable, value in zip(variables, values)}
        self.read: list[keras.Variable] = []

    def get_current_value(self, variable: Any) -> Any:
        if not any(variable is known for known in self.read):
            self.read.append(variable)
        return self.values.get(id(variable))

    def __enter__(self) -> "_Values":
        self.autocast.__enter__()
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.autocast.__exit__(*error)


@dataclass(frozen=True)
class Flags:
    """Where rows start and end.

    Attributes:
        valid: `[T, B]`, false where a row has ended; or None.
        resets: `[T, B]`, true where a row starts a new sequence; or None.
        fresh: the state that a new sequence starts from.
    """

    valid: Any
    resets: Any
    fresh: Any

    def start(self, t: Any, state: Any) -> Any:
        """The state before step t: fresh where a row starts a new sequence."""
        return state if self.resets is None else _where(self.resets[t], self.fresh, state)

    def end(self, t: Any, old: Any, y: Any, new: Any) -> tuple[Any, Any]:
        """Output and state after step t: zero, and the old state, where a row has ended."""
        if self.valid is None:
            return y, new
        return _where(self.valid[t], y, tf.zeros_like(y)), _where(self.valid[t], new, old)

    def end_gradient(self, t: Any, dy: Any, dnew: Any) -> tuple[Any, Any, Any]:
        """Gradients that reach the step's own output and state, and those that pass it by."""
        if self.valid is None:
            return dy, dnew, None
        zero = tf.nest.map_structure(tf.zeros_like, dnew)
        valid = self.valid[t]
        return (
            _where(valid, dy, tf.zeros_like(dy)),
            _where(valid, dnew, zero),
            _where(valid, zero, dnew),
        )

    def start_gradient(self, t: Any, dstate: Any) -> tuple[Any, Any]:
        """The gradients that cross the start of step t, and that reach the fresh state there."""
        if self.resets is None:
            return dstate, None
        zero = tf.nest.map_structure(tf.zeros_like, dstate)
        return _where(self.resets[t], zero, dstate), _where(self.resets[t], dstate, zero)


def hand_derived(cell: Cell, reads: Reads, z: Any, state: Any, flags: Flags) -> tuple[Any, Any]:
    """`update` over `z [T, B, G]` from `state`: outputs `[T, B, H]` and the final state.

    Forward keeps the state before each step, S, and the recurrent products, R. Backward runs one
    loop for the gradients of z and R, and takes the recurrent weights' gradients from all of R's
    at once. What else `update` reads is small, and its gradient is summed up inside the loop.
    """
    dtype = cell.compute_dtype
    recurrent = [_cast(weight, dtype) for weight in cell.recurrent_weights()]
    weights = [_cast(weight, dtype) for weight in reads.weights]
    inputs = (z, state, flags.fresh, recurrent, weights)

    @tf.custom_gradient
    def run(*flat: Any) -> Any:
        z, state, fresh, recurrent, weights = tf.nest.pack_sequence_as(inputs, flat)
        sequence = _Sequence(cell, reads, replace(flags, fresh=fresh), recurrent, weights, state)
        y, final, R, S = sequence.forward(z, state)

        def gradient(dy: Any, *dfinal: Any) -> Any:
            return tf.nest.flatten(sequence.backward(z, R, S, dy, list(dfinal)))

        return (y, *tf.nest.flatten(final)), gradient

    y, *final = run(*tf.nest.flatten(inputs))
    return y, tf.nest.pack_sequence_as(state, final)


class _Sequence:
    """The two loops over time."""

    def __init__(
        self, cell: Cell, reads: Reads, flags: Flags, recurrent: Any, weights: Any, like: Any
    ) -> None:
        self.cell, self.reads, self.flags = cell, reads, flags
        self.recurrent, self.weights, self.like = recurrent, weights, like

    def pack(self, flat: Any) -> Any:
        return tf.nest.pack_sequence_as(self.like, list(flat))

    def product(self, n: int, v: Any, weight: Any = None) -> Any:
        """The n-th recurrent product of a step."""
        k = self.reads.products[n]
        return self.cell.product(v, self.recurrent[k] if weight is None else weight)

    def update(self, z: Any, state: Any, weights: Any, recur: Callable) -> tuple[Any, list[Any]]:
        """The cell's `update`, reading the given tensors in place of its variables."""
        with _Values(self.cell, self.reads.weights, weights):
            y, new = self.cell.update(z, state, recur)
        return y, tf.nest.flatten(new)

    def forward(self, z: Any, state: Any) -> tuple[Any, Any, list[Any], list[Any]]:
        """Outputs, final state, all recurrent products, and all states before a step."""
        time, start = tf.shape(z)[0], tf.nest.flatten(state)
        zs = tf.TensorArray(z.dtype, time).unstack(z)

        def body(t: Any, flat: Any, ys: Any, rs: Any, states: Any) -> tuple[Any, ...]:
            state = self.flags.start(t, self.pack(flat))
            products: list[Any] = []

            def recur(v: Any, k: int = 0) -> Any:
                products.append(self.product(len(products), v))
                return products[-1]

            y, new = self.update(zs.read(t), state, self.weights, recur)
            old = tf.nest.flatten(state)
            y, new = self.flags.end(t, old, y, new)
            rs = [array.write(t, r) for array, r in zip(rs, products)]
            states = [array.write(t, part) for array, part in zip(states, old)]
            return t + 1, new, ys.write(t, y), rs, states

        ys = tf.TensorArray(z.dtype, time)
        rs = [tf.TensorArray(z.dtype, time) for _ in self.reads.products]
        states = [tf.TensorArray(part.dtype, time) for part in start]
        _, final, ys, rs, states = loop(body, (tf.constant(0), start, ys, rs, states), time)
        return ys.stack(), self.pack(final), [r.stack() for r in rs], [s.stack() for s in states]

    def backward(self, z: Any, R: Any, S: Any, dy: Any, dfinal: list[Any]) -> tuple[Any, ...]:
        """Gradients of the projections, the states started from, and all weights."""
        time = tf.shape(z)[0]
        zs, dys = (tf.TensorArray(a.dtype, time).unstack(a) for a in (z, dy))
        rs, states = ([tf.TensorArray(a.dtype, time).unstack(a) for a in A] for A in (R, S))
        computed = [n for n, part in enumerate(self.reads.operands) if part is None]

        def body(
            n: Any, dstate: Any, dfresh: Any, dweights: Any, dzs: Any, drs: Any, vs: Any
        ) -> tuple[Any, ...]:
            t = time - 1 - n
            dy_t, dnew, past = self.flags.end_gradient(t, dys.read(t), dstate)
            state, products = [part.read(t) for part in states], [r.read(t) for r in rs]
            dz, dstate, dw, dr, v = self.step_gradient(zs.read(t), state, products, dy_t, dnew)
            if past is not None:
                dstate = _sum(dstate, past)
            dstate, at_reset = self.flags.start_gradient(t, dstate)
            if at_reset is not None:
                dfresh = _sum(dfresh, at_reset)
            drs = [array.write(t, part) for array, part in zip(drs, dr)]
            vs = [array.write(t, v[n]) for array, n in zip(vs, computed)]
            return n + 1, dstate, dfresh, _sum(dweights, dw), dzs.write(t, dz), drs, vs

        dfresh = [tf.zeros_like(part) for part in dfinal]
        dweights = [tf.zeros_like(weight) for weight in self.weights]
        dzs = tf.TensorArray(z.dtype, time)
        drs = [tf.TensorArray(r.dtype, time) for r in R]
        vs = [tf.TensorArray(z.dtype, time) for _ in computed]
        _, dstate, dfresh, dweights, dzs, drs, vs = loop(
            body, (tf.constant(0), dfinal, dfresh, dweights, dzs, drs, vs), time
        )
        operands = dict(zip(computed, [v.stack() for v in vs]))
        V = [S[part] if part is not None else operands[n] for n, part in self._operands()]
        drecurrent = self.recurrent_gradient(V, [dr.stack() for dr in drs])
        return dzs.stack(), dstate, dfresh, drecurrent, dweights

    def step_gradient(
        self, z: Any, state: Any, products: Any, dy: Any, dnew: Any
    ) -> tuple[Any, list[Any], list[Any], list[Any], list[Any]]:
        """One step back: gradients of z, state, weights and products, and the operands.

        The products are given, not computed again. Their gradients are found from the last to the
        first, as each operand may depend on the products before it.
        """
        operands: list[Any] = []

        def recur(v: Any, k: int = 0) -> Any:
            operands.append(v)
            return products[len(operands) - 1]

        sources = [z, *state, *self.weights, *products]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(sources)
            y, new = self.update(z, self.pack(state), self.weights, recur)

        def back(values: Any, cotangents: Any) -> list[Any]:
            zero = tf.UnconnectedGradients.ZERO
            return tape.gradient(values, sources, cotangents, unconnected_gradients=zero)

        total, first = back([y, *new], [dy, *dnew]), len(sources) - len(products)
        for n, part in reversed(self._operands()):
            dr = total[first + n]
            dv = _vjp(lambda v, n=n: self.product(n, v), [operands[n]], dr)
            if part is None:
                total = _sum(total, back([operands[n]], dv))
            else:
                total[1 + part] += dv[0]
        split = 1 + len(state)
        return total[0], total[1:split], total[split:first], total[first:], operands

    def recurrent_gradient(self, V: list[Any], dR: list[Any]) -> list[Any]:
        """The recurrent weights' gradients, from the operands and gradients of all steps."""

        def rows(a: Any) -> Any:
            return tf.reshape(a, tf.concat([[-1], tf.shape(a)[2:]], axis=0))

        flat = tf.nest.flatten(self.recurrent)
        total = [tf.zeros_like(weight) for weight in flat]
        for n, k in enumerate(self.reads.products):

            def product(*weights: Any, n: int = n, k: int = k) -> Any:
                recurrent = tf.nest.pack_sequence_as(self.recurrent, weights)
                return self.product(n, rows(V[n]), recurrent[k])

            total = _sum(total, _vjp(product, flat, rows(dR[n])))
        return tf.nest.pack_sequence_as(self.recurrent, total)

    def _operands(self) -> list[tuple[int, int | None]]:
        return list(enumerate(self.reads.operands))


def loop(body: Callable, variables: tuple, time: Any) -> Any:
    """`body` for each time step; the first variable counts them."""
    return tf.while_loop(lambda t, *_: t < time, body, variables, maximum_iterations=time)


def _vjp(function: Callable, arguments: list[Any], cotangents: Any) -> list[Any]:
    """Gradients of `function(*arguments)` in each argument, weighted by `cotangents`."""
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        values = function(*arguments)
    return tape.gradient(
        values, arguments, cotangents, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )


def _cast(weight: Any, dtype: str) -> Any:
    """A tensor of the computing type, for each part of a weight."""

    def cast(part: Any) -> Any:
        tensor = tf.convert_to_tensor(part)
        return tf.cast(tensor, dtype) if tensor.dtype.is_floating else tf.identity(tensor)

    return tf.nest.map_structure(cast, weight)


def _sum(one: list[Any], other: list[Any]) -> list[Any]:
    return [a + b for a, b in zip(one, other)]


def _index(thing: Any, things: list[Any]) -> int | None:
    """Where an object stands in a list; None if it does not."""
    return next((n for n, other in enumerate(things) if other is thing), None)


def _where(rows: Any, yes: Any, no: Any) -> Any:
    """Choose row by row, `rows [B]`, in every part of a nested value."""

    def choose(yes: Any, no: Any) -> Any:
        return tf.where(tf.reshape(rows, [-1] + [1] * (len(no.shape) - 1)), yes, no)

    return tf.nest.map_structure(choose, yes, no)
