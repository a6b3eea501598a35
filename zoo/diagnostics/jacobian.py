"""What single steps of a recurrence do: the spectral radius of their Jacobian, and their gates."""

from typing import Any

import numpy as np
import tensorflow as tf

from zoo.cells.base import Cell
from zoo.diagnostics.horizon import memory_parts, row_limits
from zoo.diagnostics.probing import Reading
from zoo.typing import Tensor

LOW, HIGH = 0.05, 0.95
"""A gate outside of these is counted as saturated."""

EXACT = 128
"""The size of a state up to which all eigenvalues of the Jacobian are computed."""

_POINTS, _GATE_POINTS, _POWERS = 32, 2048, 200


def spectral_radii(reading: Reading, seed: int = 1, exact: int = EXACT) -> np.ndarray:
    """Return the spectral radius of the step's Jacobian ∂s_t / ∂s_(t-1) at drawn steps, `[N]`.

    Of a state of up to `exact` numbers it is the largest absolute eigenvalue. Of a larger one it is
    estimated by power iteration, from how a vector grows in the second half of 200 products: by
    Gelfand's formula ‖Jⁿ v‖^(1/n) tends to the radius, also where the largest eigenvalues are a
    complex pair.

    Args:
        reading: of a recurrence.
        seed: of the steps, which are drawn from all that rows have taken, and of the vectors.
        exact: see above.
    """
    rng = np.random.default_rng(seed)
    z, states = _points(reading, rng, _POINTS)
    cell, parts = reading.cell, memory_parts(reading)
    memory = np.concatenate(
        [
            np.full(size, name in parts)
            for name, size in zip(cell.State._fields, cell.state_size, strict=True)
        ]
    )
    size, points = int(memory.sum()), len(z)
    if not points or not size:
        return np.zeros(0)
    if size <= exact:
        rows = np.eye(len(memory), dtype=states.dtype)[memory]
        J = _vector_jacobian(
            cell, np.repeat(z, size, 0), np.repeat(states, size, 0), np.tile(rows, (points, 1))
        )
        J = J.reshape(points, size, len(memory))[:, :, memory].astype("float64")
        # That of numpy waits for its own threads where other processes have the cores.
        return np.abs(tf.linalg.eigvals(J).numpy()).max(axis=1)
    v = rng.normal(size=states.shape).astype(states.dtype) * memory
    logs = np.zeros((_POWERS, points))
    for n in range(_POWERS):
        v = _vector_jacobian(cell, z, states, v) * memory
        norms = np.linalg.norm(v, axis=1)
        logs[n] = np.log(np.maximum(norms, 1e-300))
        v = v / np.maximum(norms, 1e-300)[:, None]
    return np.exp(logs[_POWERS // 2 :].mean(axis=0))


def saturations(reading: Reading, seed: int = 1) -> dict[str, dict[str, float]]:
    """Return for each gate the share of its activations under 0.05 and over 0.95.

    A gate is what a step takes through a sigmoid. They are called as the cell's `gate_names` says,
    or else have numbers.

    Args:
        reading: of a recurrence.
        seed: of the steps, which are drawn from all that rows have taken.

    Returns:
        For each gate `low`, `high` and the `mean` of its activations.
    """
    z, states = _points(reading, np.random.default_rng(seed), _GATE_POINTS)
    if not len(z):
        return {}
    gates = gate_activations(reading.cell, z, states)
    return {
        name: {
            "low": float(np.mean(values < LOW)),
            "high": float(np.mean(values > HIGH)),
            "mean": float(np.mean(values)),
        }
        for name, values in gates.items()
    }


def gate_activations(cell: Cell, z: Tensor, states: Tensor) -> dict[str, np.ndarray]:
    """Return the gates' activations in steps from projections `[N, G]` and states `[N, S]`."""

    @tf.function(autograph=False)
    def sigmoids(z: Tensor, states: Tensor) -> list[Tensor]:
        parts = tf.split(states, cell.state_size, axis=-1)
        type(cell).update_from(cell, z, cell.State(*parts))
        operations = tf.compat.v1.get_default_graph().get_operations()
        return [op.outputs[0] for op in operations if op.type == "Sigmoid"]

    inputs = tf.constant(z), tf.constant(states)
    values = [np.asarray(value) for value in sigmoids.get_concrete_function(*inputs)(*inputs)]
    names = list(cell.gate_names)
    if len(names) != len(values):
        names = [f"gate {n}" for n in range(1, len(values) + 1)]
    gates: dict[str, np.ndarray] = {}
    for name, value in zip(names, values):
        # Two names stand for two gates side by side, and none for one minus another gate.
        several = name.split()
        if cell.gate_names == tuple(names) and several:
            gates |= dict(zip(several, np.split(value, len(several), axis=-1)))
        elif name:
            gates[name] = value
    return gates


def _points(
    reading: Reading, rng: np.random.Generator, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw steps that were taken: their projections `[N, G]` and the states before `[N, S]`."""
    z, states = np.asarray(reading.z), np.asarray(reading.states)
    _, ends = row_limits(reading)
    rows, times = np.nonzero(np.arange(z.shape[1]) < ends[:, None])
    chosen = rng.permutation(len(rows))[:count]
    return z[rows[chosen], times[chosen]], states[rows[chosen], times[chosen]]


def _vector_jacobian(cell: Cell, z: Any, states: Any, v: np.ndarray) -> np.ndarray:
    """Return vᵀ J of the step at each point, `[N, S]`."""
    states = tf.constant(states)
    with tf.GradientTape() as tape:
        tape.watch(states)
        parts = tf.split(states, cell.state_size, axis=-1)
        _, new = type(cell).update_from(cell, tf.constant(z), cell.State(*parts))
        after = tf.concat(tf.nest.flatten(new), axis=-1)
    zero = tf.UnconnectedGradients.ZERO
    return tape.gradient(after, states, tf.constant(v), unconnected_gradients=zero).numpy()
