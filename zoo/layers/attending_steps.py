"""Attention in many steps from one memory, with what no step changes computed once."""

import tensorflow as tf

from zoo.layers.attending import AttendingStack, AttendingState
from zoo.layers.attention import Memory, row_product
from zoo.layers.context_cell import context_cell
from zoo.typing import Tensor
from zoo.utils.keras_internals import autocast_scope


class FoldedSteps:
    """The steps of an `AttendingStack` that look at one memory.

    A context is multiplied with the weights of all that reads it. As c_t = Σ_j α_tj v_j, and so
    c_t K = Σ_j α_tj (v_j K), the values of the memory are multiplied once in place of the contexts
    of all steps. A row of the memory may be looked at by several rows of a step, one after the
    other, such as the hypotheses of a beam; it is not repeated for them.

    Args:
        stack: one that `can_fold`.
        memory: of B rows.
        width: how many rows of a step look at a row of the memory.
        reader: weights `[C, P]` of what else reads the contexts.
    """

    def __init__(
        self, stack: AttendingStack, memory: Memory, width: int | Tensor = 1, reader: Tensor = None
    ) -> None:
        self.stack = stack
        with autocast_scope(stack.compute_dtype):
            if stack.asks_after:
                joint = tf.convert_to_tensor(stack.joint.kernel)
                kernels, self.own = [joint[: stack.memory_size]], joint[stack.memory_size :]
            else:
                cells = [context_cell(r.cell, stack.memory_size) for r in stack.recurrences]
                self.layers = [layer for layer in cells if layer is not None]
                kernels = [layer.context_kernel for layer in self.layers]
        kernels += [] if reader is None else [reader]
        self.sizes = [kernel.shape[-1] for kernel in kernels]
        values = row_product(memory.values, tf.concat(kernels, axis=-1))
        self.memory = memory._replace(values=values)
        batch, places = tf.unstack(tf.shape(memory.valid))
        self.queries_shape = tf.stack([batch, width, stack.query_size])
        self.alignments_shape = tf.stack([batch * width, places])

    def step(self, x_t: Tensor, state: AttendingState) -> tuple[Tensor, Tensor, AttendingState]:
        """Run one time step.

        Args:
            x_t: `[R, D]`, R being B `width`.
            state: of R rows, without a memory.

        Returns:
            What `AttendingStack.step` returns, but for the context; the context c `[R, C]` as
            `c reader` `[R, P]`, None without a reader; and the new state.
        """
        with autocast_scope(self.stack.compute_dtype):
            return (self._ask_after if self.stack.asks_after else self._ask_before)(x_t, state)

    def _ask_before(
        self, x_t: Tensor, state: AttendingState
    ) -> tuple[Tensor, Tensor, AttendingState]:
        parts, alignment = self._look(state.fed)
        y, outputs, finals = x_t, [], []
        for n, (layer, part, before) in enumerate(zip(self.layers, parts, state.layers)):
            z = tf.matmul(y, layer.kernel) + layer.bias + part
            above, after = layer.cell.update_from(z, before)
            y = y + above if n and self.stack.residual else above
            outputs.append(y)
            finals.append(after)
        seen = parts[-1] if len(parts) > len(self.layers) else None
        return y, seen, AttendingState(tuple(finals), outputs[0], {"alignment": alignment}, ())

    def _ask_after(
        self, x_t: Tensor, state: AttendingState
    ) -> tuple[Tensor, Tensor, AttendingState]:
        y, finals = self.stack.up(x_t, state)
        (part, *more), alignment = self._look(y)
        fed = tf.tanh(tf.matmul(y, self.own) + part)
        after = AttendingState(finals, fed, {"alignment": alignment}, ())
        return fed, more[0] if more else None, after

    def _look(self, query: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the context of each row times each of the weights, and the alignments `[R, S]`."""
        queries = tf.reshape(query, self.queries_shape)
        products, alignments = self.stack.attention.all(queries, self.memory)
        products = tf.reshape(products, [-1, sum(self.sizes)])
        alignments = tf.reshape(alignments, self.alignments_shape)
        for part, size in ((products, sum(self.sizes)), (alignments, self.memory.valid.shape[1])):
            part.set_shape([query.shape[0], size])
        return tf.split(self.stack.gated(products, query), self.sizes, axis=-1), alignments


def can_fold(stack: AttendingStack) -> bool:
    """Return whether `FoldedSteps` runs a stack."""
    if stack.attention.looks_back:
        return False
    cells = [recurrence.cell for recurrence in stack.recurrences]
    return stack.asks_after or all(context_cell(cell, stack.memory_size) for cell in cells)
