"""The gradient of a whole sequence, derived by hand once for all cells."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from zoo.cells.base import Cell
from zoo.recurrence.masking import StepMasks, where
from zoo.recurrence.tracing import CellTrace, VariableScope, computing_type, index
from zoo.typing import Recur, State, Tensor
from zoo.utils.keras_internals import release_with_graph


class Weights(NamedTuple):
    """The tensors that stand for a cell's weights.

    Attributes:
        all: one for each variable that is read.
        recurrent: the cell's `recurrent_weights()`, where they were made before the scan; else
            empty.
    """

    all: list[Tensor]
    recurrent: Any


class Residuals(NamedTuple):
    """What forward leaves for backward, time-major.

    Attributes:
        z: projections, `[T, B, G]`; where `CellTrace.summed`, with the first product added. None if
            projections and products are to be computed again.
        products: the others, each `[T, B, R]`.
        states: the parts of the state before each step, but for the part that is the output.
    """

    z: Tensor
    products: list[Tensor]
    states: list[Tensor]


def differentiated(
    forward: Callable,
    backward: Callable,
    x: Tensor,
    state: State,
    masks: StepMasks,
    weights: Weights,
) -> tuple[Tensor, Tensor]:
    """Run `forward(x, state, masks, weights)` with `backward` as its gradient."""
    start = tf.nest.flatten(state)
    inputs = (x, start, masks.fresh, weights)

    @tf.custom_gradient
    def both(*flat: Tensor) -> Tensor:
        x, start, fresh, weights = tf.nest.pack_sequence_as(inputs, flat)
        rows = masks._replace(fresh=fresh)
        y, final, residuals = forward(x, start, rows, weights)

        def gradient(dy: Tensor, *dfinal: Tensor) -> list[Tensor]:
            gradients = backward(x, start, rows, weights, y, residuals, dy, list(dfinal))
            return tf.nest.flatten(gradients)

        return (y, *final), gradient

    y, *final = release_with_graph(both(*tf.nest.flatten(inputs)))
    return y, tf.nest.pack_sequence_as(state, final)


class DifferentiatedScan:
    """A cell over `[B, T, D]`, forward and backward; states are lists of their parts.

    Args:
        cell: the zoo cell.
        trace: what its step does.
        projected: whether the inputs are the cell's projections, `[B, T, G]`.
        remember: whether the projections and products of all steps are left for backward, or
            computed again there, which takes a third more products and much less memory.
    """

    def __init__(self, cell: Cell, trace: CellTrace, projected: bool, remember: bool) -> None:
        self.cell, self.trace = cell, trace
        self.projected, self.remember = projected, remember
        self.variables = trace.pointwise if projected else trace.weights
        self.pointwise = [
            n for n, v in enumerate(self.variables) if index(v, trace.pointwise) is not None
        ]
        # Projection and first product are stored as their sum, whose gradient is that of both.
        self.apart = range(1 if trace.summed else 0, len(trace.products))

    def weights(self, recurrent: Sequence[Any] = ()) -> Weights:
        """Return the weights as tensors of the computing type.

        Args:
            recurrent: the cell's recurrent weights, where its inputs are projections; else none.
        """
        cast = lambda w: tf.nest.map_structure(self._cast, w)  # noqa: E731
        return Weights([cast(variable) for variable in self.variables], cast(list(recurrent)))

    def forward(self, x: Tensor, start: list[Tensor], masks: StepMasks, weights: Weights) -> tuple:
        """Return outputs `[B, T, H]`, the final state, and what backward needs."""
        z, recurrent = self._prepare(swap(x), weights)
        time = tf.shape(z)[0]
        zs = tf.TensorArray(z.dtype, time, clear_after_read=False).unstack(z)
        parts = [n for n in range(len(start)) if n != self.trace.output]

        def body(
            t: Tensor, z_t: Tensor, state: State, ys: tf.TensorArray, saved: list[tf.TensorArray]
        ) -> tuple[Tensor, ...]:
            state = masks.start(t, state)
            products: list[Tensor] = []

            def recur(v: Tensor, k: int = 0) -> Tensor:
                products.append(self._product(len(products), v, recurrent))
                return products[-1]

            y, new = self._update(z_t, state, weights, recur)
            y, new = masks.end(t, state, y, new)
            values = [state[n] for n in parts]
            if self.remember:
                values += [products[n] for n in self.apart]
                values += [z_t + products[0]] if self.trace.summed else []
            saved = [array.write(t, value) for array, value in zip(saved, values, strict=True)]
            return t + 1, zs.read(tf.minimum(t + 1, time - 1)), new, ys.write(t, y), saved

        types = [start[n].dtype for n in parts]
        if self.remember:
            types += [z.dtype] * len(self.trace.products)
        saved = [tf.TensorArray(dtype, time) for dtype in types]
        ys = tf.TensorArray(z.dtype, time)
        # The step to come is read ahead: XLA would read it where it is used, once for each use.
        first = tf.reduce_sum(z[:1], axis=0)
        _, _, final, ys, saved = loop(body, (tf.constant(0), first, start, ys, saved), time)
        saved = [array.stack() for array in saved]
        states, products = saved[: len(parts)], saved[len(parts) :]
        if self.remember and self.trace.summed:
            z = products.pop()
        return swap(ys.stack()), final, Residuals(z if self.remember else None, products, states)

    def backward(
        self,
        x: Tensor,
        start: list[Tensor],
        masks: StepMasks,
        weights: Weights,
        y: Tensor,
        residuals: Residuals,
        dy: Tensor,
        dfinal: list[Tensor],
    ) -> tuple[Tensor, list[Tensor], list[Tensor], Weights]:
        """Return the gradients of inputs, initial state, fresh state and weights.

        One loop computes the gradients of projections and products; those of the large weights
        come from all of them at once. What else `update` reads is small, and summed up in the loop.
        """
        x = swap(x)
        S = self._states(start, masks, y, residuals)
        if self.remember:
            z, R = residuals.z, residuals.products
        else:
            z, R = self._again(x, S, weights)
        recurrent = self._recurrent(weights)
        turned = self._turned(recurrent)
        time = tf.shape(z)[0]
        zs, dys = (tf.TensorArray(a.dtype, time).unstack(a) for a in (z, swap(dy)))
        rs, states = ([tf.TensorArray(a.dtype, time).unstack(a) for a in A] for A in (R, S))
        computed = [n for n, part in enumerate(self.trace.operands) if part is None]

        def body(
            n: Tensor,
            dstate: State,
            dfresh: State,
            dweights: list[Tensor],
            dzs: tf.TensorArray,
            drs: list[tf.TensorArray],
            vs: list[tf.TensorArray],
        ) -> tuple[Tensor, ...]:
            t = time - 1 - n
            dy_t, dnew, past = masks.end_gradient(t, dys.read(t), dstate)
            state, products = [part.read(t) for part in states], [r.read(t) for r in rs]
            dz, dstate, dw, dr, v = self._step_gradient(
                zs.read(t), state, products, dy_t, dnew, weights, turned
            )
            if past is not None:
                dstate = _sum(dstate, past)
            dstate, at_reset = masks.start_gradient(t, dstate)
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
        dR = ([dz] if self.trace.summed else []) + [dr.stack() for dr in drs]
        operands = dict(zip(computed, [v.stack() for v in vs]))
        V = [S[part] if part is not None else operands[n] for n, part in self._operands()]
        drecurrent = self._recurrent_gradient(V, dR, recurrent)
        dx, dweights = self._prepare_gradient(x, weights, dz, drecurrent)
        for n, part in zip(self.pointwise, dpointwise):
            dweights.all[n] += part
        return swap(dx), dstart, dfresh, dweights

    def _reading(self, weights: Weights) -> VariableScope:
        """Let the cell read these tensors in place of its variables while the scope is open."""
        return VariableScope(self.cell, self.variables, weights.all)

    def _project(self, x: Tensor, weights: Weights) -> Tensor:
        """Return projections `[T, B, G]` of inputs `[T, B, D]`."""
        if self.projected:
            return x
        with self._reading(weights):
            z = self.cell.project(_rows(x))
        return _steps(z, x)

    def _recurrent(self, weights: Weights) -> list[Tensor]:
        if self.projected:
            return weights.recurrent
        with self._reading(weights):
            return tf.nest.map_structure(tf.convert_to_tensor, list(self.cell.recurrent_weights()))

    def _prepare(self, x: Tensor, weights: Weights) -> tuple[Tensor, list[Tensor]]:
        """Return projections and recurrent weights: all that stands before the loop."""
        return self._project(x, weights), self._recurrent(weights)

    def _prepare_gradient(
        self, x: Tensor, weights: Weights, dz: Tensor, drecurrent: list[Tensor]
    ) -> tuple[Tensor, Weights]:
        sources = (x, weights)
        dx, *dweights = _vjp(
            lambda *flat: tf.nest.flatten(
                self._prepare(*tf.nest.pack_sequence_as(sources, list(flat)))
            ),
            tf.nest.flatten(sources),
            [dz, *tf.nest.flatten(drecurrent)],
        )
        return dx, tf.nest.pack_sequence_as(weights, dweights)

    def _update(self, z: Tensor, state: State, weights: Weights, recur: Recur) -> tuple:
        """Return the output and the parts of the new state of one step."""
        with self._reading(weights):
            y, new = self.cell.update(z, tf.nest.pack_sequence_as(self.trace.state, state), recur)
        return y, tf.nest.flatten(new)

    def _product(self, n: int, v: Tensor, recurrent: list[Tensor]) -> Tensor:
        """Return the n-th recurrent product of a step."""
        return self.cell.product(v, recurrent[self.trace.products[n]])

    def _turned(self, recurrent: list[Tensor]) -> list[Tensor]:
        """Return the recurrent weights, a matrix transposed, as `_product_gradient` takes them.

        Transposed once, as the product with a transposed view costs about twice as much, at each
        step.
        """
        if not self.cell.plain_product:
            return recurrent
        kernels = [weight[0] if isinstance(weight, tuple) else weight for weight in recurrent]
        return [tf.transpose(kernel) for kernel in kernels]

    def _product_gradient(self, n: int, v: Tensor, dr: Tensor, turned: list[Tensor]) -> Tensor:
        """Return the gradient of the n-th product in its operand."""
        k = self.trace.products[n]
        if self.cell.plain_product:
            return tf.matmul(dr, turned[k])
        return _vjp(lambda v: self.cell.product(v, turned[k]), [v], dr)[0]

    def _states(
        self, start: list[Tensor], masks: StepMasks, y: Tensor, residuals: Residuals
    ) -> list[Tensor]:
        """Return all parts of the state before each step."""
        S, n = list(residuals.states), self.trace.output
        if n is not None:
            # Past a row's end this is zero and not its last output, where no gradient asks for it.
            before = tf.concat([start[n][None], swap(y)[:-1]], axis=0)
            if masks.resets is not None:
                before = where(masks.resets, masks.fresh[n], before)
            S.insert(n, before)
        return S

    def _again(self, x: Tensor, S: list[Tensor], weights: Weights) -> tuple[Tensor, list[Tensor]]:
        """Compute projections and products, as `Residuals` has them, of all steps at once."""
        z, recurrent = self._prepare(x, weights)
        products: list[Tensor] = []

        def recur(v: Tensor, k: int = 0) -> Tensor:
            products.append(self._product(len(products), v, recurrent))
            return products[-1]

        self._update(_rows(z), [_rows(part) for part in S], weights, recur)
        products = [_steps(r, z) for r in products]
        if self.trace.summed:
            z += products.pop(0)
        return z, products

    def _step_gradient(
        self,
        z: Tensor,
        state: list[Tensor],
        products: list[Tensor],
        dy: Tensor,
        dnew: list[Tensor],
        weights: Weights,
        turned: list[Tensor],
    ) -> tuple[Tensor, list[Tensor], list[Tensor], list[Tensor], list[Tensor]]:
        """Return the gradients of z, state, weights and products at one step, and the operands.

        The products are those of forward, not computed again. Their gradients are taken from the
        last to the first, as each operand may depend on the products before it.
        """
        operands: list[Tensor] = []
        results = [tf.zeros([], z.dtype)] * self.apart.start + products

        def recur(v: Tensor, k: int = 0) -> Tensor:
            operands.append(v)
            return results[len(operands) - 1]

        sources = [z, *state, *[weights.all[n] for n in self.pointwise], *products]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(sources)
            y, new = self._update(z, state, weights, recur)

        def back(values: Tensor, cotangents: Tensor) -> list[Tensor]:
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

    def _recurrent_gradient(
        self, V: list[Tensor], dR: list[Tensor], recurrent: list[Tensor]
    ) -> list[Tensor]:
        """Return the gradients of the recurrent weights, from operands V and dR of all steps."""
        flat = tf.nest.flatten(recurrent)
        total = [tf.zeros_like(weight) for weight in flat]
        for n in range(len(dR)):

            def product(*weights: Tensor, n: int = n) -> Tensor:
                packed = tf.nest.pack_sequence_as(recurrent, weights)
                return self._product(n, _rows(V[n]), packed)

            total = _sum(total, _vjp(product, flat, _rows(dR[n])))
        return tf.nest.pack_sequence_as(recurrent, total)

    def _operands(self) -> list[tuple[int, int | None]]:
        return list(enumerate(self.trace.operands))

    def _cast(self, weight: Tensor) -> Tensor:
        tensor = tf.convert_to_tensor(weight)
        return tf.cast(tensor, computing_type(self.cell, tensor.dtype.name))


def loop(body: Callable, variables: tuple, time: Tensor) -> Tensor:
    """Run `body` for each time step; the first variable counts them."""
    return tf.while_loop(lambda t, *_: t < time, body, variables, maximum_iterations=time)


def _vjp(function: Callable, arguments: list[Tensor], cotangents: Tensor) -> list[Tensor]:
    """Return the gradients of `function(*arguments)` in each, weighted by `cotangents`."""
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        values = function(*arguments)
    return tape.gradient(
        values, arguments, cotangents, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )


def swap(a: Tensor) -> Tensor:
    """Turn batch-major to time-major, or back."""
    return tf.transpose(a, [1, 0, *range(2, len(a.shape))])


def _rows(a: Tensor) -> Tensor:
    """Reshape `[T, B, ...]` to `[T B, ...]`."""
    return tf.reshape(a, tf.concat([[-1], tf.shape(a)[2:]], axis=0))


def _steps(a: Tensor, like: Tensor) -> Tensor:
    """Reshape `[T B, ...]` to `[T, B, ...]`, with T and B those of `like`."""
    return tf.reshape(a, tf.concat([tf.shape(like)[:2], tf.shape(a)[1:]], axis=0))


def _sum(one: list[Tensor], other: list[Tensor]) -> list[Tensor]:
    return [a + b for a, b in zip(one, other)]
