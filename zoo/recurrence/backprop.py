"""The gradient of a whole sequence, derived by hand once for all cells."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from zoo.cells.base import Cell
from zoo.recurrence.masking import Flags, where
from zoo.recurrence.tracing import Reads, Values, computing_type, index


class Weights(NamedTuple):
    """The tensors that stand for a cell's weights.

    Attributes:
        all: one for each variable that is read.
        recurrent: what `recurrent_weights` gave, where that runs outside; else empty.
    """

    all: list[Any]
    recurrent: Any


class Kept(NamedTuple):
    """What backward needs of forward, time-major.

    Attributes:
        z: projections, `[T, B, G]`; where `Reads.summed`, with the first product added. None if
            projections and products are to be computed again.
        products: the others, each `[T, B, R]`.
        states: the parts of the state before each step, but for the part that is the output.
    """

    z: Any
    products: list[Any]
    states: list[Any]


def differentiated(
    forward: Callable, backward: Callable, x: Any, state: Any, flags: Flags, weights: Weights
) -> tuple[Any, Any]:
    """`forward(x, state, flags, weights)`, whose gradient `backward` computes."""
    start = tf.nest.flatten(state)
    inputs = (x, start, flags.fresh, weights)

    @tf.custom_gradient
    def both(*flat: Any) -> Any:
        x, start, fresh, weights = tf.nest.pack_sequence_as(inputs, flat)
        rows = flags._replace(fresh=fresh)
        y, final, kept = forward(x, start, rows, weights)

        def gradient(dy: Any, *dfinal: Any) -> Any:
            given = (x, start, rows, weights, y, kept, dy, list(dfinal))
            return tf.nest.flatten(backward(*given))

        return (y, *final), gradient

    y, *final = both(*tf.nest.flatten(inputs))
    return y, tf.nest.pack_sequence_as(state, final)


class Sequence:
    """A cell over `[B, T, D]`, forward and backward; states are lists of their parts.

    Args:
        cell: the zoo cell.
        reads: what its step does.
        projected: the inputs are the cell's projections, `[B, T, G]`, already.
        remember: keep the projections and products of all steps for backward, or compute them
            again there, which takes a third more products and much less memory.
    """

    def __init__(self, cell: Cell, reads: Reads, projected: bool, remember: bool) -> None:
        self.cell, self.reads = cell, reads
        self.projected, self.remember = projected, remember
        self.variables = reads.pointwise if projected else reads.weights
        self.pointwise = [
            n for n, v in enumerate(self.variables) if index(v, reads.pointwise) is not None
        ]
        self.plain = getattr(cell.product, "__func__", None) is Cell.product
        # A sum of projection and first product is kept as one, and its gradient is that of both.
        self.apart = range(1 if reads.summed else 0, len(reads.products))

    def weights(self) -> Weights:
        """The weights as tensors of the computing type."""
        cast = lambda w: tf.nest.map_structure(self._cast, w)  # noqa: E731
        recurrent = cast(list(self.cell.recurrent_weights())) if self.projected else []
        return Weights([cast(variable) for variable in self.variables], recurrent)

    def forward(self, x: Any, start: list[Any], flags: Flags, weights: Weights) -> tuple:
        """Outputs `[B, T, H]`, the final state, and what backward needs."""
        z, recurrent = self._prepare(swap(x), weights)
        time = tf.shape(z)[0]
        zs = tf.TensorArray(z.dtype, time, clear_after_read=False).unstack(z)
        parts = [n for n in range(len(start)) if n != self.reads.output]

        def body(t: Any, z_t: Any, state: Any, ys: Any, kept: Any) -> tuple[Any, ...]:
            state = flags.start(t, state)
            products: list[Any] = []

            def recur(v: Any, k: int = 0) -> Any:
                products.append(self._product(len(products), v, recurrent))
                return products[-1]

            y, new = self._update(z_t, state, weights, recur)
            y, new = flags.end(t, state, y, new)
            keeping = [state[n] for n in parts]
            if self.remember:
                keeping += [products[n] for n in self.apart]
                keeping += [z_t + products[0]] if self.reads.summed else []
            kept = [array.write(t, value) for array, value in zip(kept, keeping, strict=True)]
            return t + 1, zs.read(tf.minimum(t + 1, time - 1)), new, ys.write(t, y), kept

        types = [start[n].dtype for n in parts]
        if self.remember:
            types += [z.dtype] * len(self.reads.products)
        kept = [tf.TensorArray(dtype, time) for dtype in types]
        ys = tf.TensorArray(z.dtype, time)
        # The step to come is read ahead: XLA would read it where it is used, once for each use.
        first = tf.reduce_sum(z[:1], axis=0)
        _, _, final, ys, kept = loop(body, (tf.constant(0), first, start, ys, kept), time)
        kept = [array.stack() for array in kept]
        states, products = kept[: len(parts)], kept[len(parts) :]
        if self.remember and self.reads.summed:
            z = products.pop()
        return swap(ys.stack()), final, Kept(z if self.remember else None, products, states)

    def backward(
        self,
        x: Any,
        start: list[Any],
        flags: Flags,
        weights: Weights,
        y: Any,
        kept: Kept,
        dy: Any,
        dfinal: list[Any],
    ) -> tuple[Any, list[Any], list[Any], Weights]:
        """Gradients of the inputs, of the states started from, and of the weights.

        One loop for the gradients of projections and products; those of the large weights come
        from all of them at once. What else `update` reads is small, and summed up in the loop.
        """
        x = swap(x)
        S = self._states(start, flags, y, kept)
        z, R = (kept.z, kept.products) if self.remember else self._again(x, S, weights)
        recurrent = self._recurrent(weights)
        turned = self._turned(recurrent)
        time = tf.shape(z)[0]
        zs, dys = (tf.TensorArray(a.dtype, time).unstack(a) for a in (z, swap(dy)))
        rs, states = ([tf.TensorArray(a.dtype, time).unstack(a) for a in A] for A in (R, S))
        computed = [n for n, part in enumerate(self.reads.operands) if part is None]

        def body(
            n: Any, dstate: Any, dfresh: Any, dweights: Any, dzs: Any, drs: Any, vs: Any
        ) -> tuple[Any, ...]:
            t = time - 1 - n
            dy_t, dnew, past = flags.end_gradient(t, dys.read(t), dstate)
            state, products = [part.read(t) for part in states], [r.read(t) for r in rs]
            dz, dstate, dw, dr, v = self._step_gradient(
                zs.read(t), state, products, dy_t, dnew, weights, turned
            )
            if past is not None:
                dstate = _sum(dstate, past)
            dstate, at_reset = flags.start_gradient(t, dstate)
            if at_reset is not None:
                dfresh = _sum(dfresh, at_reset)
            drs = [array.write(t, part) for array, part in zip(drs, dr)]
            vs = [array.write(t, v[n]) for array, n in zip(vs, computed)]
            return n + 1, dstate, dfresh, _sum(dweights, dw), dzs.write(t, dz), drs, vs

        dfresh = [tf.zeros_like(part) for part in dfinal]
        dpointwise = [tf.zeros_like(weights.all[n]) for n in self.pointwise]
        dzs = tf.TensorArray(z.dtype, time)
        drs = [tf.TensorArray(r.dtype, time) for r in R]
        vs = [tf.TensorArray(z.dtype, time) for _ in computed]
        _, dstart, dfresh, dpointwise, dzs, drs, vs = loop(
            body, (tf.constant(0), dfinal, dfresh, dpointwise, dzs, drs, vs), time
        )
        dz = dzs.stack()
        dR = ([dz] if self.reads.summed else []) + [dr.stack() for dr in drs]
        operands = dict(zip(computed, [v.stack() for v in vs]))
        V = [S[part] if part is not None else operands[n] for n, part in self._operands()]
        drecurrent = self._recurrent_gradient(V, dR, recurrent)
        dx, dweights = self._prepare_gradient(x, weights, dz, drecurrent)
        for n, part in zip(self.pointwise, dpointwise):
            dweights.all[n] += part
        return swap(dx), dstart, dfresh, dweights

    def _reading(self, weights: Weights) -> Values:
        """While it is open, the cell reads these tensors in place of its variables."""
        return Values(self.cell, self.variables, weights.all)

    def _project(self, x: Any, weights: Weights) -> Any:
        """Projections `[T, B, G]` of inputs `[T, B, D]`."""
        if self.projected:
            return x
        with self._reading(weights):
            z = self.cell.project(_rows(x))
        return _steps(z, x)

    def _recurrent(self, weights: Weights) -> list[Any]:
        if self.projected:
            return weights.recurrent
        with self._reading(weights):
            return tf.nest.map_structure(tf.convert_to_tensor, list(self.cell.recurrent_weights()))

    def _prepare(self, x: Any, weights: Weights) -> tuple[Any, list[Any]]:
        """All that stands before the loop."""
        return self._project(x, weights), self._recurrent(weights)

    def _prepare_gradient(
        self, x: Any, weights: Weights, dz: Any, drecurrent: list[Any]
    ) -> tuple[Any, Weights]:
        sources = (x, weights)
        dx, *dweights = _vjp(
            lambda *flat: tf.nest.flatten(
                self._prepare(*tf.nest.pack_sequence_as(sources, list(flat)))
            ),
            tf.nest.flatten(sources),
            [dz, *tf.nest.flatten(drecurrent)],
        )
        return dx, tf.nest.pack_sequence_as(weights, dweights)

    def _update(self, z: Any, state: Any, weights: Weights, recur: Callable) -> tuple:
        """Output and parts of the new state of one step."""
        with self._reading(weights):
            y, new = self.cell.update(z, tf.nest.pack_sequence_as(self.reads.state, state), recur)
        return y, tf.nest.flatten(new)

    def _product(self, n: int, v: Any, recurrent: list[Any]) -> Any:
        """The n-th recurrent product of a step."""
        return self.cell.product(v, recurrent[self.reads.products[n]])

    def _turned(self, recurrent: list[Any]) -> list[Any]:
        """The recurrent weights as `_product_gradient` takes them.

        A matrix is transposed once: the product with a transposed view costs about twice as much,
        at each step.
        """
        if not self.plain:
            return recurrent
        kernels = [weight[0] if isinstance(weight, tuple) else weight for weight in recurrent]
        return [tf.transpose(kernel) for kernel in kernels]

    def _product_gradient(self, n: int, v: Any, dr: Any, turned: list[Any]) -> Any:
        """The gradient of the n-th product in its operand."""
        k = self.reads.products[n]
        if self.plain:
            return tf.matmul(dr, turned[k])
        return _vjp(lambda v: self.cell.product(v, turned[k]), [v], dr)[0]

    def _states(self, start: list[Any], flags: Flags, y: Any, kept: Kept) -> list[Any]:
        """All parts of the state before each step."""
        S, n = list(kept.states), self.reads.output
        if n is not None:
            # Past a row's end this is zero and not its last output, where no gradient asks for it.
            before = tf.concat([start[n][None], swap(y)[:-1]], axis=0)
            if flags.resets is not None:
                before = where(flags.resets, flags.fresh[n], before)
            S.insert(n, before)
        return S

    def _again(self, x: Any, S: list[Any], weights: Weights) -> tuple[Any, list[Any]]:
        """Projections and products as `Kept` has them, of all steps at once."""
        z, recurrent = self._prepare(x, weights)
        products: list[Any] = []

        def recur(v: Any, k: int = 0) -> Any:
            products.append(self._product(len(products), v, recurrent))
            return products[-1]

        self._update(_rows(z), [_rows(part) for part in S], weights, recur)
        products = [_steps(r, z) for r in products]
        if self.reads.summed:
            z += products.pop(0)
        return z, products

    def _step_gradient(
        self,
        z: Any,
        state: list[Any],
        products: list[Any],
        dy: Any,
        dnew: list[Any],
        weights: Weights,
        turned: list[Any],
    ) -> tuple[Any, list[Any], list[Any], list[Any], list[Any]]:
        """One step back: gradients of z, state, weights and products, and the operands.

        The products are given, not computed again. Their gradients are found from the last to the
        first, as each operand may depend on the products before it.
        """
        operands: list[Any] = []
        given = [tf.zeros([], z.dtype)] * self.apart.start + products

        def recur(v: Any, k: int = 0) -> Any:
            operands.append(v)
            return given[len(operands) - 1]

        sources = [z, *state, *[weights.all[n] for n in self.pointwise], *products]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(sources)
            y, new = self._update(z, state, weights, recur)

        def back(values: Any, cotangents: Any) -> list[Any]:
            zero = tf.UnconnectedGradients.ZERO
            return tape.gradient(values, sources, cotangents, unconnected_gradients=zero)

        total, first = back([y, *new], [dy, *dnew]), len(sources) - len(products)
        for n, part in reversed(self._operands()):
            dr = total[first + self.apart.index(n)] if n in self.apart else total[0]
            dv = self._product_gradient(n, operands[n], dr, turned)
            if part is None:
                total = _sum(total, back([operands[n]], [dv]))
            else:
                total[1 + part] += dv
        split = 1 + len(state)
        return total[0], total[1:split], total[split:first], total[first:], operands

    def _recurrent_gradient(self, V: list[Any], dR: list[Any], recurrent: list[Any]) -> list[Any]:
        """The recurrent weights' gradients, from the operands and gradients of all steps."""
        flat = tf.nest.flatten(recurrent)
        total = [tf.zeros_like(weight) for weight in flat]
        for n in range(len(dR)):

            def product(*weights: Any, n: int = n) -> Any:
                packed = tf.nest.pack_sequence_as(recurrent, weights)
                return self._product(n, _rows(V[n]), packed)

            total = _sum(total, _vjp(product, flat, _rows(dR[n])))
        return tf.nest.pack_sequence_as(recurrent, total)

    def _operands(self) -> list[tuple[int, int | None]]:
        return list(enumerate(self.reads.operands))

    def _cast(self, weight: Any) -> Any:
        tensor = tf.convert_to_tensor(weight)
        return tf.cast(tensor, computing_type(self.cell, tensor.dtype.name))


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


def swap(a: Any) -> Any:
    """Batch-major to time-major, or back."""
    return tf.transpose(a, [1, 0, *range(2, len(a.shape))])


def _rows(a: Any) -> Any:
    """`[T, B, ...]` to `[T B, ...]`."""
    return tf.reshape(a, tf.concat([[-1], tf.shape(a)[2:]], axis=0))


def _steps(a: Any, like: Any) -> Any:
    """`[T B, ...]` back to `[T, B, ...]`, with T and B those of another."""
    return tf.reshape(a, tf.concat([tf.shape(like)[:2], tf.shape(a)[1:]], axis=0))


def _sum(one: list[Any], other: list[Any]) -> list[Any]:
    return [a + b for a, b in zip(one, other)]
