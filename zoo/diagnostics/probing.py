"""Probes in a model's recurrences: the states before all steps, and the gradients in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from zoo.cells.base import Cell, HiddenState
from zoo.cells.wrappers import CellWrapper
from zoo.layers.bidirectional import Bidirectional
from zoo.recurrence.layer import Recurrence
from zoo.recurrence.masking import StepMasks
from zoo.recurrence.run import run_cell
from zoo.recurrence.tracing import CellTrace
from zoo.typing import Recur, Tensor
from zoo.typing import State as CellState

_UNSAID = ("stack", "recurrence")
"""Names of layers that say nothing of which one it is."""


class ProbedCell(CellWrapper):
    """Step from s_(t-1) + p_t, where p_t is a part of the input, and hand out s_(t-1) beside y_t.

    With p_t = 0 the steps are those of the cell, and the gradient in p_t is that in the state
    before step t, the parts of the state each with the others held: so the gradient of a whole
    sequence, which is derived by hand once for all cells, holds that in every state.

    Args:
        cell: the zoo cell that is wrapped, built.
    """

    def __init__(self, cell: Cell) -> None:
        super().__init__(cell)
        self.built = True

    @property
    def output_size(self) -> int:
        """Return the size of the cell's output and of its state."""
        return self.cell.output_size + sum(self.state_size)

    def project(self, x: Tensor, training: bool = False) -> Tensor:
        """Return the cell's projection and the probe: `[..., D + S] -> [..., G + S]`."""
        size = sum(self.state_size)
        z = super().project(x[..., :-size], training)
        return ops.concatenate([z, x[..., -size:]], axis=-1)

    def update(self, z: Tensor, state: CellState, recur: Recur) -> tuple[Tensor, CellState]:
        """Return the cell's output with the state before the step, and the new state."""
        size = sum(self.state_size)
        before = _shifted(self.cell, state, z[..., -size:])
        y, new = self.cell.update(z[..., :-size], before, recur)
        return ops.concatenate([y, *before], axis=-1), new


class PlainCell(Cell):
    """Any Keras cell as a zoo cell, all of whose step is an `update`.

    Args:
        cell: a built Keras cell, `call(x_t, states) -> (y_t, new_states)`.
        input_size: D, the size of its inputs.
    """

    def __init__(self, cell: Any, input_size: int) -> None:
        super().__init__(input_size, dtype=cell.dtype_policy)
        self.cell, self.input_size = cell, input_size
        sizes = cell.state_size
        self.sizes = list(sizes) if isinstance(sizes, list | tuple) else [sizes]
        names = ["h", "c"] if len(self.sizes) <= 2 else [f"s{n}" for n in range(len(self.sizes))]
        fields = [(name, Any) for name, _ in zip(names, self.sizes)]
        self._state = HiddenState if len(fields) == 1 else NamedTuple("State", fields)
        self.built = True

    @property
    def State(self) -> Any:
        """Return a NamedTuple with a field for each part of the state."""
        return self._state

    @property
    def state_size(self) -> list[int]:
        """Return the size of each part of the state."""
        return self.sizes

    @property
    def output_size(self) -> int:
        """Return the size of the cell's output."""
        return self.cell.output_size

    def project(self, x: Tensor) -> Tensor:
        """Return the input as it is."""
        return x

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """Return none: the cell multiplies by its own."""
        return ()

    def update(self, z: Tensor, state: CellState, recur: Recur) -> tuple[Tensor, CellState]:
        """Run the cell's step."""
        y, new = self.cell(z, list(state))
        return y, self.State(*tf.nest.flatten(new))


@dataclass
class Reading:
    """What the probes of one recurrence saw in one run of a model, of T steps of B rows.

    Attributes:
        layer: a name of the recurrence, such as "layer 1" or "decoder layer 2".
        cell: the zoo cell that took the steps.
        reverse: whether it ran from the last time step to the first; all here is in its order.
        z: the projections, `[B, T, G]`.
        states: the state before each step, all parts side by side, `[B, T, S]`.
        probes: tensors whose gradients are those in the states, `[B, T, S]` or T of `[B, S]`.
        valid: `[B, T]` booleans, which steps were taken; None for all.
        resets: `[B, T]` booleans, where a new sequence began; None for nowhere.
        inputs: `[B, T, D]`; None where the steps were taken one by one.
    """

    layer: str
    cell: Cell
    reverse: bool = False
    z: Tensor = None
    states: Tensor = None
    probes: list[Tensor] = field(default_factory=list)
    valid: Tensor = None
    resets: Tensor = None
    inputs: Tensor = None


@contextmanager
def probed(model: keras.layers.Layer, tape: tf.GradientTape) -> Iterator[list[Reading]]:
    """Put a probe into every recurrence of a model while it is open.

    The model has to run eagerly, within the tape, once.

    Args:
        model: a built one, or any layer with `Recurrence` layers in it.
        tape: watches the probes.

    Yields:
        A list, to which each recurrence that runs adds a reading.
    """
    readings: list[Reading] = []
    hooked: list[tuple[Any, str]] = []
    for label, layer in recurrences(model):
        cell = layer.cell if isinstance(layer.cell, Cell) else None
        # An attribute of the object hides the method of its class until it is deleted.
        layer.__dict__["_run"] = partial(_run_probed, readings, tape, label, layer)
        hooked.append((layer, "_run"))
        if cell is not None and "update_from" not in vars(cell):
            steps = _Steps(readings, tape, Reading(label, cell, layer.reverse))
            cell.__dict__["update_from"] = steps
            hooked.append((cell, "update_from"))
    try:
        yield readings
    finally:
        for thing, name in hooked:
            del thing.__dict__[name]
        for reading in readings:
            if isinstance(reading.z, list):
                reading.z = tf.stack(reading.z, axis=1)
                reading.states = tf.stack(reading.states, axis=1)


def recurrences(model: keras.layers.Layer) -> list[tuple[str, Recurrence]]:
    """Return the recurrences within a model, each with a name, from the input's side up.

    Example:
        >>> from zoo.layers.stack import RecurrentStack
        >>> [name for name, _ in recurrences(RecurrentStack("gru", units=4, layers=2))]
        ['layer 1', 'layer 2']
    """
    pairs: list[tuple[str, Recurrence]] = []
    seen: set[int] = set()

    def walk(thing: Any, names: tuple[str, ...]) -> None:
        if isinstance(thing, Recurrence):
            if id(thing) not in seen:
                pairs.append((" ".join(names) or "layer 1", thing))
            seen.add(id(thing))
        elif isinstance(thing, keras.layers.Layer):
            if id(thing) in seen:
                return
            seen.add(id(thing))
            for name, part in list(vars(thing).items()):
                if not name.startswith("_"):
                    walk(part, names if name in _UNSAID else (*names, name))
        elif isinstance(thing, list | tuple):
            for number, part in enumerate(thing, start=1):
                one = isinstance(part, Recurrence | Bidirectional)
                walk(part, (*names[:-1], f"{'layer' if one else names[-1]} {number}"))

    walk(model, ())
    return pairs


class _Steps:
    """Takes the place of a cell's `update_from`, which a model calls step by step."""

    def __init__(self, readings: list[Reading], tape: tf.GradientTape, reading: Reading) -> None:
        self.readings, self.tape, self.reading = readings, tape, reading

    def __call__(
        self, z: Tensor, states: CellState, training: bool = False
    ) -> tuple[Tensor, CellState]:
        cell, reading = self.reading.cell, self.reading
        if not reading.probes:
            reading.z, reading.states = [], []
            self.readings.append(reading)
        probe = tf.zeros([tf.shape(z)[0], sum(cell.state_size)], z.dtype)
        self.tape.watch(probe)
        before = _shifted(cell, states, probe)
        reading.z.append(z)
        reading.states.append(tf.concat([*before], axis=-1))
        reading.probes.append(probe)
        return type(cell).update_from(cell, z, before, training)


def _run_probed(
    readings: list[Reading],
    tape: tf.GradientTape,
    label: str,
    layer: Recurrence,
    x: Tensor,
    state: CellState,
    masks: StepMasks,
    training: bool | None,
) -> tuple[Tensor, CellState]:
    """Run a recurrence over `x [B, T, D]`, as `Recurrence` does, with a probe before each step."""
    own = layer.cell
    cell = own if isinstance(own, Cell) else PlainCell(own, x.shape[-1])
    size = sum(cell.state_size)
    probe = tf.zeros([*x.shape[:2], size], cell.compute_dtype)
    tape.watch(probe)
    both = ProbedCell(cell)
    joined = tf.concat([tf.cast(x, probe.dtype), probe], axis=-1)
    trace = CellTrace.of(both, joined.shape[-1])
    start = cell.State(*tf.nest.flatten(state))
    y, final = run_cell(both, trace, joined, start, masks, bool(training))
    y, states = tf.split(y, [cell.output_size, size], axis=-1)
    z = CellWrapper.project(both, x)
    valid, resets = (None if m is None else tf.transpose(m) for m in (masks.valid, masks.resets))
    readings.append(
        Reading(label, cell, layer.reverse, z, states, [probe], valid, resets, inputs=x)
    )
    return y, tf.nest.pack_sequence_as(state, tf.nest.flatten(final))


def _shifted(cell: Cell, state: CellState, probe: Tensor) -> CellState:
    """Return a state plus a probe `[B, S]`."""
    parts = tf.split(probe, cell.state_size, axis=-1)
    return cell.State(*(part + shift for part, shift in zip(state, parts, strict=True)))
