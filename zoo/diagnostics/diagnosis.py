"""`zoo.diagnose`'s result: how far back the gradient of a model reaches, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.diagnostics.horizon import ByLag, by_lag
from zoo.diagnostics.jacobian import saturations, spectral_radii
from zoo.diagnostics.price import Price
from zoo.diagnostics.probing import Reading, probed
from zoo.errors import UserError
from zoo.training.objectives import Objective
from zoo.typing import Tensor, Window

LastLoss = Callable[[bool], tuple[Tensor, np.ndarray]]
"""Runs a model eagerly, and gives the sum of the rows' losses, and which rows have one, `[B]`.

Asked with False, a row's loss is that of its last target. With True it is that of its first, which
counts for recurrences that run from the end to the beginning.
"""

_SPREAD = (0.1, 0.9)
_EXPLODED = 10.0
"""Times the gradient at lag 1."""


@dataclass(frozen=True)
class LayerFlow:
    """How the gradient flows through one recurrence at one time of its training.

    Attributes:
        layer: its name, such as "layer 1".
        cell: the name of its cell's class.
        stage: "start" or "trained".
        lags: the gradient's norm by lag; "state" for the whole state, and each part's by its name.
        radii: the spectral radius of the step's Jacobian at drawn steps, `[N]`.
        gates: of each gate, the shares `low` and `high` that are saturated, and the `mean`.
    """

    layer: str
    cell: str
    stage: str
    lags: dict[str, ByLag]
    radii: np.ndarray
    gates: dict[str, dict[str, float]]

    @property
    def steps(self) -> int:
        """Return the longest lag that is looked at."""
        return self.lags["state"].steps

    @property
    def verdict(self) -> str:
        """Return "explodes", "vanishes" or "lasts", by the whole state's gradient.

        It is "none" where the loss has no gradient in any state, such as that of a reward.
        """
        state = self.lags["state"]
        if state.is_zero:
            return "none"
        if state.growth > _EXPLODED:
            return "explodes"
        return "vanishes" if state.horizon() is not None else "lasts"

    def to_json(self) -> dict[str, Any]:
        """Return all numbers as JSON values."""
        low, high = _SPREAD
        return {
            "layer": self.layer,
            "cell": self.cell,
            "stage": self.stage,
            "steps": self.steps,
            "verdict": self.verdict,
            "gradient": {
                part: {
                    "horizon": lags.horizon(),
                    "horizon_low": lags.horizon(low),
                    "horizon_high": lags.horizon(high),
                    "factor": _number(lags.factor),
                    "by_lag": [_number(value) for value in lags.quantiles(0.5)[0]],
                }
                for part, lags in self.lags.items()
            },
            "spectral_radius": _quantiles(self.radii),
            "gates": self.gates,
        }


@dataclass(frozen=True)
class Diagnosis:
    """How far back the gradient of a cell or a model reaches, and what stands behind it.

    Attributes:
        name: of the cell, the model or the run.
        data: what its sequences are, in a few words.
        flows: of each recurrence, at the start and after training where it was trained.
        clipped: the share of updates whose gradient was scaled down; None if that is not known.
        prices: what a gradient over so many steps costs.
        truncation: k1 and k2 of the training, steps between updates and steps that gradients go
            back; None where sequences were whole.
        score: of a cell on its test of memory, 0 for chance and 1 for no mistake; else None.
    """

    name: str
    data: str
    flows: list[LayerFlow]
    clipped: float | None = None
    prices: list[Price] = field(default_factory=list)
    truncation: tuple[int, int] | None = None
    score: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return all numbers, and the explanation, as JSON values."""
        return {
            "name": self.name,
            "data": self.data,
            "explanation": self.explanation,
            "flows": [flow.to_json() for flow in self.flows],
            "clipped": self.clipped,
            "score": self.score,
            "prices": [vars(price) for price in self.prices],
            "truncation": self.truncation,
        }

    def rows(self) -> list[dict[str, Any]]:
        """Return a row of a table for each recurrence and stage."""
        return [
            {
                "name": self.name,
                "layer": flow.layer,
                "stage": flow.stage,
                "gradient": flow.verdict,
                "under 1% from lag": _horizon(flow),
                "factor a step": _factor(flow),
                "spectral radius": _radius(flow.radii),
                "gates under 0.05 / over 0.95": "  ".join(
                    f"{name} {gate['low']:.0%} / {gate['high']:.0%}"
                    for name, gate in flow.gates.items()
                ),
                "clipped": _after(flow, self.clipped, ".0%"),
                "score": _after(flow, self.score, ".2f"),
            }
            for flow in self.flows
        ]

    @property
    def explanation(self) -> str:
        """Return two sentences on what the numbers say, of the recurrence that reaches furthest."""
        last = max(self._of_stage(self.flows[-1].stage), key=_reach)
        first = next(
            flow for flow in self._of_stage(self.flows[0].stage) if flow.layer == last.layer
        )
        where = f" in {last.layer}" if len(self._of_stage(last.stage)) > 1 else ""
        text = f"The gradient of the last loss of {self.name} {_sentence(first, where)}"
        if first is not last:
            text = text.replace("The", "At the start the", 1) + f"; trained, it {_sentence(last)}"
        return f"{text}. {_reason(last, self.clipped)}."

    def _of_stage(self, stage: str) -> list[LayerFlow]:
        return [flow for flow in self.flows if flow.stage == stage]


def flows_of(
    model: keras.layers.Layer, loss: LastLoss, stage: str
) -> tuple[list[LayerFlow], list[Reading]]:
    """Run a model once, and return how the gradient of its last loss flows through it.

    Args:
        model: a built one, or any layer with recurrences in it.
        loss: runs the model.
        stage: "start" or "trained".

    Raises:
        UserError: no recurrence ran.
    """
    pairs = _readings(model, loss)
    flows = [
        LayerFlow(
            reading.layer,
            type(reading.cell).__name__,
            stage,
            lags,
            spectral_radii(reading),
            saturations(reading),
        )
        for reading, lags in pairs
    ]
    return flows, [reading for reading, _ in pairs]


def lags_of(model: keras.layers.Layer, loss: LastLoss) -> dict[str, ByLag]:
    """Run a model once, and return the gradient in the whole state of each recurrence by lag.

    Raises:
        UserError: no recurrence ran.
    """
    return {reading.layer: lags["state"] for reading, lags in _readings(model, loss)}


def _readings(model: keras.layers.Layer, loss: LastLoss) -> list[tuple[Reading, dict[str, ByLag]]]:
    """Return what each recurrence saw, with the gradient by lag of each part of its state."""
    pairs = []
    for reverse in (False, True):
        with tf.GradientTape() as tape, probed(model, tape) as readings:
            total, rows = loss(reverse)
        chosen = [reading for reading in readings if reading.reverse == reverse]
        probes = [probe for reading in chosen for probe in reading.probes]
        zero = tf.UnconnectedGradients.ZERO
        gradients = iter(tape.gradient(total, probes, unconnected_gradients=zero))
        for reading in chosen:
            parts = [next(gradients) for _ in reading.probes]
            gradient = parts[0] if parts[0].shape.rank == 3 else tf.stack(parts, axis=1)
            pairs.append((reading, by_lag(reading, gradient, rows)))
        if not any(reading.reverse for reading in readings):
            break
    if not pairs:
        raise UserError("the model has no recurrence over its inputs: there is nothing to diagnose")
    return pairs


def window_loss(model: Any, objective: Objective, windows: Sequence[Window]) -> LastLoss:
    """Return what `flows_of` asks of a model and windows that follow one another.

    The losses are those of the last window; those before only lead to its state.
    """
    *before, window = windows
    start = model.initial_state(len(window["reset"]))
    run = tf.function(
        lambda window, state: objective.losses(model, window, state, training=False).state,
        autograph=False,
        reduce_retracing=True,
    )
    for each in before:
        start = run(each, start)
    weights = np.asarray(window["weights"])
    # What is generated for one input may be several texts, each over time.
    axis = weights.ndim - 1 if model.conditional else 1

    def loss(first: bool) -> tuple[Tensor, np.ndarray]:
        counted = weights if weights.ndim == 1 else weights * _one_target(weights, axis, first)
        only: Any = {**window, "weights": tf.constant(counted)}
        losses = objective.losses(model, only, start, training=False)
        rows = (counted > 0).reshape(-1, *counted.shape[axis:]) if counted.ndim > 1 else counted > 0
        rows = np.any(rows.reshape(len(rows), -1), axis=1)
        return next(iter(losses.by_player.values())), np.asarray(rows)

    return loss


def _one_target(weights: np.ndarray, axis: int, first: bool) -> np.ndarray:
    """Return ones at the first or last time of each row that has a weight, else zeros."""
    after = tuple(range(axis + 1, weights.ndim))
    there = (weights > 0).any(axis=after, keepdims=True)
    if first:
        number = np.cumsum(there, axis=axis)
    else:
        number = np.flip(np.cumsum(np.flip(there, axis), axis=axis), axis)
    return (there & (number == 1)).astype(weights.dtype)


def _reach(flow: LayerFlow) -> float:
    if flow.verdict == "none":
        return -1.0
    horizon = flow.lags["state"].horizon()
    return flow.lags["state"].factor + (1e9 if horizon is None else horizon)


def _sentence(flow: LayerFlow, where: str = "") -> str:
    """Say how far the gradient of the last loss reaches."""
    state, steps = flow.lags["state"], flow.steps
    if flow.verdict == "none":
        return f"is zero in all {steps} steps{where}, which it does not go back through"
    horizon, each = state.horizon(), f"changing by a factor of {state.factor:.3f} a step"
    if flow.verdict == "explodes":
        most = f"{state.growth:.3g} times that at the last step"
        return f"explodes{where}, to {most} within {steps} steps, {each}"
    if horizon is None:
        return f"reaches all {steps} steps{where} and neither vanishes nor explodes there, {each}"
    return f"vanishes{where}, under 1% from {horizon} of {steps} steps back, {each}"


def _reason(flow: LayerFlow, clipped: float | None) -> str:
    """Say what stands behind it: the Jacobian's radius, the gates, and clipping."""
    parts = []
    if len(flow.radii):
        radius = float(np.median(flow.radii))
        if radius < 0.995:
            means = "below 1, so that a product of many shrinks"
        elif radius > 1.005:
            means = "above 1, so that a product of many may grow"
        else:
            means = "about 1, so that a product of many keeps its size"
        parts.append(f"the Jacobian of its step has a spectral radius of {radius:.3f}, {means}")
    if flow.gates:
        name, gate = max(flow.gates.items(), key=lambda item: item[1]["low"] + item[1]["high"])
        share = gate["low"] + gate["high"]
        parts.append(
            f"of its gates {name} is the most saturated, in {share:.0%} of its activations"
            if share >= 0.005
            else "none of its gates is saturated"
        )
    if clipped is not None:
        parts.append(f"clipping touched {clipped:.0%} of the updates")
    text = "; ".join(parts) or "Its steps hold no state that an input moves"
    return text[0].upper() + text[1:]


def _horizon(flow: LayerFlow) -> str:
    """Return a horizon with those of the rows between which 80 % lie."""
    if flow.verdict == "none":
        return ""
    state = flow.lags["state"]
    middle, low, high = (
        f"more than {flow.steps}" if lag is None else str(lag)
        for lag in (state.horizon(), *map(state.horizon, _SPREAD))
    )
    return middle if low == high else f"{middle} ({low} to {high})"


def _after(flow: LayerFlow, value: float | None, form: str) -> str:
    """Return what is known of a training, beside what it led to."""
    return "" if value is None or flow.stage == "start" else format(value, form)


def _factor(flow: LayerFlow) -> str:
    return "" if flow.verdict == "none" else f"{flow.lags['state'].factor:.3f}"


def _radius(radii: np.ndarray) -> str:
    if not len(radii):
        return ""
    low, middle, high = np.quantile(radii, (0.1, 0.5, 0.9))
    return f"{middle:.3f} ({low:.3f} to {high:.3f})"


def _quantiles(values: np.ndarray) -> dict[str, float] | None:
    if not len(values):
        return None
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
    return {
        "mean": float(values.mean()),
        "median": float(middle),
        "low": float(low),
        "high": float(high),
    }


def _number(value: float) -> float | None:
    """Return a number as JSON has it, in four places; None for none."""
    return float(f"{value:.4g}") if np.isfinite(value) else None
