"""Recurrent layers that look at a memory at each step."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from zoo import registry
from zoo.layers.attention import PRODUCTS, Attention, Memory, row_product
from zoo.layers.context_cell import context_cell
from zoo.layers.stack import time_dropout
from zoo.recurrence import Recurrence
from zoo.recurrence.backprop import loop, swap
from zoo.recurrence.masking import refuse_mask
from zoo.typing import Shape, State, Tensor
from zoo.utils.keras_internals import autocast_scope


def wide_start() -> keras.initializers.Initializer:
    """How vectors of tokens, and the output weights for them, start around attention.

    N(0, 0.3²), ten times as wide as Keras' embeddings: from those, the states first saturated to
    tell frequent tokens from rare ones, and attention learnt nothing for some epochs.

    Example:
        >>> 0.2 < float(tf.math.reduce_std(wide_start()([100, 100]))) < 0.4
        True
    """
    return keras.initializers.RandomNormal(stddev=0.3)


class AttendingState(NamedTuple):
    """What stands between two steps; every tensor has the batch as its first axis.

    Attributes:
        layers: the state of each layer, from the bottom up.
        fed: what the step to come gets from the one before: its query `[B, units]`, or the
            attentional vector.
        attention: the alignment `[B, S]` of the step before, and what else the kind needs.
        memory: the `Memory` that is looked at; the same at all steps.
    """

    layers: tuple[State, ...]
    fed: Tensor
    attention: dict[str, Tensor]
    memory: Any


@keras.saving.register_keras_serializable("zoo")
class AttendingStack(keras.layers.Layer):
    """Recurrent layers with attention inside of the step, around any registered cell.

    With the kinds "additive", "location" and "monotonic", the bottom layer's output of the step
    before is the query, as in Bahdanau et al. (2014): c_t = attention(y_(t-1)), y_t = cell((x_t,
    c_t), state_(t-1)). Each layer above is fed (y_t, c_t) of the one below, as in Wu et al.
    (2016, arXiv:1609.08144); as nothing of them enters the query, they run whole, not step by step.
    The output is (y_t, c_t) of the top layer.

    With the products "dot", "multiplicative" and "scaled", the top layer's output of this step is
    the query, as in Luong et al. (2015): y_t = cell((x_t, a_(t-1)), state_(t-1)), c_t =
    attention(y_t), and the output is a_t = tanh(W (c_t, y_t)). Without `feeding`, a_(t-1) does not
    enter the step: then all layers run whole, and attention is a few products for all steps.

    Args:
        cell: the registered name of the cell.
        units: size of each layer's output.
        memory_size: size of a value of the memory.
        layers: how many; at least 1.
        kind: of attention, see `Attention`.
        attention_units: what queries and keys are projected to; 0 for `units`.
        coverage: whether past alignments enter the energies.
        feeding: whether what a product looked at enters the next step; the other kinds always feed.
        residual: add a layer's input y to its output, from the second layer on.
        dropout: share of each layer's inputs that is dropped in training, the same entries at all
            time steps.
        gated: multiply c_t by β_t = σ(u q_t + b), q_t being the query, so that a step can do
            without the memory (Xu et al. 2015, arXiv:1502.03044).
        **kwargs: those of `keras.layers.Layer`: name, dtype.

    Raises:
        UserError: no cell has that name.
        ValueError: `layers` is less than 1, the kind is unknown, or one that has to feed is not to.

    Example:
        >>> stack = AttendingStack("gru", units=4, memory_size=6)
        >>> state = stack.start(stack.attention.remember(tf.ones([2, 7, 6]), lengths=[7, 3]))
        >>> y, alignments, state = stack(tf.ones([2, 5, 3]), state)
        >>> y.shape, alignments.shape
        (TensorShape([2, 5, 10]), TensorShape([2, 5, 7]))
    """

    def __init__(
        self,
        cell: str,
        units: int,
        memory_size: int,
        layers: int = 1,
        kind: str = "additive",
        attention_units: int = 0,
        coverage: bool = False,
        feeding: bool = True,
        residual: bool = False,
        dropout: float = 0.0,
        gated: bool = False,
        **kwargs: Any,
    ) -> None:
        # Alignments stay in float32 beside values in half precision.
        super().__init__(autocast=False, **kwargs)
        if layers < 1:
            raise ValueError(f"layers is {layers}, but at least 1 is needed")
        self.asks_after = kind in PRODUCTS
        if not feeding and (coverage or not self.asks_after):
            needing = "coverage" if self.asks_after else f"attention of the kind {kind!r}"
            raise ValueError(f"{needing} needs feeding: leave it at True")
        self.units, self.memory_size = units, memory_size
        self.feeding, self.residual = feeding, residual
        self.recurrences = [
            Recurrence(registry.load("cell", cell)(units, dtype=self.dtype_policy))
            for _ in range(layers)
        ]
        self.query_size = self.recurrences[0].cell.output_size
        self.attention = Attention(
            self.query_size,
            memory_size,
            kind,
            attention_units or units,
            coverage,
            dtype=self.dtype_policy,
        )
        self.joint: Any = None
        if self.asks_after:
            self.joint = keras.layers.Dense(
                units, activation="tanh", use_bias=False, dtype=self.dtype_policy
            )
        self.gate = keras.layers.Dense(1, "sigmoid", dtype=self.dtype_policy) if gated else None
        self.fed_size = units if self.asks_after else self.query_size
        self.output_size = units if self.asks_after else self.query_size + memory_size
        self.dropout = time_dropout(dropout, dtype=self.dtype_policy)

    def build(self, input_shape: Shape) -> None:
        """Make all weights for inputs of size `input_shape[-1]`."""
        size = input_shape[-1]
        if not self.asks_after:
            size += self.memory_size
        elif self.feeding:
            size += self.fed_size
        for recurrence in self.recurrences:
            recurrence.build((None, None, size))
            size = self.query_size + (0 if self.asks_after else self.memory_size)
        if self.joint is not None:
            self.joint.build((None, self.memory_size + self.query_size))
        if self.gate is not None:
            self.gate.build((None, self.query_size))

    @property
    def part_sizes(self) -> list[int]:
        """Sizes of the parts of all layers' states, and of `fed` where it is the first query."""
        sizes = keras.tree.flatten([layer.cell.state_size for layer in self.recurrences])
        return sizes if self.asks_after else [*sizes, self.fed_size]

    def layer_states(self, batch_size: int | Tensor) -> tuple[Tensor, ...]:
        """The cells' initial states, one a layer."""
        return tuple(recurrence.initial_state(batch_size) for recurrence in self.recurrences)

    def initial_state(self, batch_size: int | Tensor) -> AttendingState:
        """Zeros, with a memory of one place that does not count."""
        values = tf.zeros([batch_size, 1, self.memory_size], self.compute_dtype)
        keys = tf.zeros([batch_size, 1, self.attention.key_size], self.compute_dtype)
        return self.start(Memory(values, keys, tf.zeros_like(values[..., 0])))

    def start(
        self, memory: Memory, layers: tuple[State, ...] | None = None, fed: Tensor = None
    ) -> AttendingState:
        """The state before the first step.

        Args:
            memory: as `attention.remember` gives it.
            layers: as `layer_states` gives them, which is the default.
            fed: `[B, fed_size]`; by default zeros.
        """
        batch = tf.shape(memory.values)[0]
        layers = self.layer_states(batch) if layers is None else layers
        if fed is None:
            fed = tf.zeros([batch, self.fed_size], self.compute_dtype)
        return AttendingState(layers, fed, self.attention.start(memory), memory)

    def start_from(self, memory: Memory, vectors: Tensor) -> AttendingState:
        """Return the state before the first step, all parts of which are cut from one vector.

        Args:
            memory: as `attention.remember` gives it.
            vectors: `[B, sum(part_sizes)]`.
        """
        parts = tf.split(vectors, self.part_sizes, axis=-1)
        fed = None if self.asks_after else parts.pop()
        layers = self.layer_states(tf.shape(vectors)[0])
        return self.start(memory, keras.tree.pack_sequence_as(layers, parts), fed)

    def call(
        self, inputs: Tensor, state: AttendingState, training: bool | None = None
    ) -> tuple[Tensor, Tensor, AttendingState]:
        """Run a sequence.

        Args:
            inputs: `[B, T, D]`.
            state: as `start` gives it.
            training: whether dropout acts, and a monotonic reader is noisy.

        Returns:
            Outputs `[B, T, output_size]`, alignments `[B, T, S]`, and the state after the last
            step.
        """
        refuse_mask(self, inputs)
        x = tf.cast(self.dropout(inputs, training=training), self.compute_dtype)
        if not self.feeding:
            return self._run_apart(x, state, training)
        if self.asks_after:
            (y, _), alignments, state = self._run(self._step, x, state, 2, training)
            return y, alignments, state
        y, context, alignments, state = self._run_bottom(x, state, training)
        finals = list(state.layers)
        for n, recurrence in enumerate(self.recurrences[1:], start=1):
            joined = self.dropout(tf.concat([y, context], axis=-1), training=training)
            above, finals[n] = recurrence(joined, initial_state=finals[n])
            y = y + above if self.residual else above
        return tf.concat([y, context], axis=-1), alignments, state._replace(layers=tuple(finals))

    def step(self, x_t: Tensor, state: AttendingState) -> tuple[Tensor, AttendingState]:
        """One time step: `[B, D]` and a state give `[B, output_size]` and the new state."""
        (y, context), state = self._step(tf.cast(x_t, self.compute_dtype), state)
        if self.asks_after:
            return y, state
        finals = list(state.layers)
        for n, recurrence in enumerate(self.recurrences[1:], start=1):
            above, finals[n] = recurrence.step(tf.concat([y, context], axis=-1), finals[n])
            y = y + above if self.residual else above
        return tf.concat([y, context], axis=-1), state._replace(layers=tuple(finals))

    def _step(
        self, x_t: Tensor, state: AttendingState, noise: Tensor = None
    ) -> tuple[tuple[Tensor, ...], AttendingState]:
        """What depends on the step before: the parts of an output, and the new state."""
        memory = state.memory
        if not self.asks_after:
            context, attention = self._look(state.fed, state, noise)
            y, bottom = self.recurrences[0].step(
                tf.concat([x_t, context], axis=-1), state.layers[0]
            )
            layers = (bottom, *state.layers[1:])
            return (y, context), AttendingState(layers, y, attention, memory)
        y, layers = self.up(x_t, state)
        context, attention = self._look(y, state)
        fed = self.joint(tf.concat([context, y], axis=-1))
        return (fed, context), AttendingState(layers, fed, attention, memory)

    def _look(
        self, query: Tensor, state: AttendingState, noise: Tensor = None
    ) -> tuple[Tensor, Tensor]:
        context, attention = self.attention(query, state.memory, state.attention, noise)
        return self.gated(context, query), attention

    def gated(self, context: Tensor, query: Tensor) -> Tensor:
        """Return what the gate lets through of a context, or of anything linear in it."""
        return context if self.gate is None else context * self.gate(query)

    def up(self, x_t: Tensor, state: AttendingState) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One step through all layers, of a product: the top one's output and the new states."""
        y = tf.concat([x_t, state.fed], axis=-1) if self.feeding else x_t
        layers = []
        for n, (recurrence, before) in enumerate(zip(self.recurrences, state.layers, strict=True)):
            above, after = recurrence.step(y, before)
            y = y + above if n and self.residual else above
            layers.append(after)
        return y, tuple(layers)

    def _run_apart(
        self, x: Tensor, state: AttendingState, training: bool | None
    ) -> tuple[Tensor, Tensor, AttendingState]:
        """All layers whole, then attention for all steps."""
        y, layers = x, []
        for n, (recurrence, before) in enumerate(zip(self.recurrences, state.layers, strict=True)):
            dropped = self.dropout(y, training=training) if n else y
            above, after = recurrence(dropped, initial_state=before)
            y = y + above if n and self.residual else above
            layers.append(after)
        contexts, alignments = self.attention.all(y, state.memory)
        outputs = self.joint(tf.concat([self.gated(contexts, y), y], axis=-1))
        attention = {"alignment": alignments[:, -1]}
        return (
            outputs,
            alignments,
            AttendingState(tuple(layers), outputs[:, -1], attention, state.memory),
        )

    def _run_bottom(
        self, x: Tensor, state: AttendingState, training: bool | None
    ) -> tuple[Tensor, Tensor, Tensor, AttendingState]:
        """Run the bottom layer, whose query is its own output: outputs, contexts, alignments.

        Where the cell's projection is W (x_t, c_t) + b, all x_t are multiplied at once, and the
        memory's values in place of the contexts. How the values' product enters is known to the
        loop only as a constant: the gradient is one product for all steps, after it.
        """
        memory = state.memory
        with autocast_scope(self.compute_dtype):
            bottom = context_cell(self.recurrences[0].cell, self.memory_size)
        if bottom is None or not _shorter(memory.values, x):
            (y, context), alignments, state = self._run(self._step, x, state, 2, training)
            return y, context, alignments, state
        folded = row_product(memory.values, bottom.context_kernel)
        seen: list[Tensor] = []

        @tf.custom_gradient
        def projected(z: Tensor, folded: Tensor) -> Tensor:
            def gradient(dz: Tensor) -> tuple[Tensor, Tensor]:
                return dz, tf.matmul(seen[0], dz, transpose_a=True)

            return tf.identity(z), gradient

        z = projected(row_product(x, bottom.kernel) + bottom.bias, folded)
        constant = memory._replace(values=tf.stop_gradient(folded))

        def step(
            z_t: Tensor, before: AttendingState, noise: Tensor
        ) -> tuple[tuple[Tensor], AttendingState]:
            part, attention = self._look(before.fed, before._replace(memory=constant), noise)
            with autocast_scope(self.compute_dtype):
                y, layer = bottom.cell.update_from(z_t + part, before.layers[0])
            layers = (layer, *before.layers[1:])
            return (y,), AttendingState(layers, y, attention, memory)

        (y,), alignments, after = self._run(step, z, state, 1, training)
        weights = tf.cast(alignments, self.compute_dtype)
        queries = tf.concat([state.fed[:, None], y[:, :-1]], axis=1)
        seen.append(weights if self.gate is None else weights * self.gate(queries))
        return y, tf.matmul(seen[0], memory.values), alignments, after

    def _run(
        self,
        step: Callable[..., tuple[tuple[Tensor, ...], AttendingState]],
        x: Tensor,
        state: AttendingState,
        parts: int,
        training: bool | None,
    ) -> tuple[list[Tensor], Tensor, AttendingState]:
        """Run `step(x_t, state, noise)` after step: the parts of the outputs, alignments, state."""
        time = tf.shape(x)[1]
        steps = tf.TensorArray(x.dtype, time).unstack(swap(x))
        noise = None
        if training and self.attention.kind == "monotonic":
            drawn = self.attention.noise(time, state.memory)
            noise = tf.TensorArray(drawn.dtype, time).unstack(drawn)
        moving = state._replace(memory=())

        def body(
            t: Tensor, flat: list[Tensor], arrays: list[tf.TensorArray]
        ) -> tuple[Tensor, Tensor, Tensor]:
            before = tf.nest.pack_sequence_as(moving, flat)._replace(memory=state.memory)
            noise_t = None if noise is None else noise.read(t)
            y, after = step(steps.read(t), before, noise_t)
            values = (*y, after.attention["alignment"])
            arrays = [array.write(t, part) for array, part in zip(arrays, values, strict=True)]
            return t + 1, tf.nest.flatten(after._replace(memory=())), arrays

        # LiteRT's converter takes arrays of unknown shapes for one and the same.
        like = (*(state.fed, state.memory.values[:, 0])[:parts], state.attention["alignment"])
        types = (*[x.dtype] * parts, like[-1].dtype)
        arrays = [
            tf.TensorArray(dtype, time, element_shape=part.shape)
            for dtype, part in zip(types, like, strict=True)
        ]
        _, flat, arrays = loop(body, (tf.constant(0), tf.nest.flatten(moving), arrays), time)
        after = tf.nest.pack_sequence_as(moving, flat)._replace(memory=state.memory)
        *outputs, alignments = (swap(array.stack()) for array in arrays)
        for each in (*outputs, alignments):
            each.set_shape([None, x.shape[1], None])
        return outputs, alignments, after


def _shorter(values: Tensor, x: Tensor) -> bool:
    """Return whether multiplying all values costs less than multiplying a context at each step.

    A text of unknown length is about as long as what is written of it. A single step is as cheap.
    """
    places, steps = values.shape[1], x.shape[1]
    if steps == 1:
        return False
    return places is None or (steps is not None and places <= 2 * steps)
