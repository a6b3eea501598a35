"""Pictures of how far back gradients reach, and what stands behind it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_SMALLEST = 1e-12
_MEGABYTE = 2**20


def diagnosis_figure(diagnoses: Sequence[Any]) -> Figure:
    """Draw the gradient by lag, radii, gates, clipping, and time and memory by lag.

    Args:
        diagnoses: `zoo.diagnostics.diagnosis.Diagnosis` each, side by side.
    """
    figure = Figure(figsize=(15, 9), layout="constrained")
    (gradient, radius, gates), (clipping, memory, seconds) = figure.subplots(2, 3)
    flows, labels, colours = _draw_gradients(gradient, diagnoses)
    _draw_radii(radius, flows, labels, colours)
    _draw_gates(gates, flows, labels)
    _draw_clipping(clipping, {one.name: one.clipped for one in diagnoses})
    _draw_price(memory, seconds, diagnoses)
    return figure


def gradient_figure(diagnoses: Sequence[Any]) -> Figure:
    """Draw the gradient by lag alone.

    Args:
        diagnoses: `zoo.diagnostics.diagnosis.Diagnosis` each.
    """
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    _draw_gradients(figure.subplots(), diagnoses)
    return figure


def scores_figure(
    cells: Sequence[str], tasks: Sequence[str], scores: np.ndarray, title: str
) -> Figure:
    """Draw how well each cell does each test of memory, as a heat map.

    Args:
        cells: names of C cells.
        tasks: names of K tests.
        scores: `[C, K]`; 0 is chance, 1 is perfect.
        title: stands above it.

    Example:
        >>> len(scores_figure(["lstm"], ["copy", "parity"], np.array([[1.0, 0.5]]), "").axes)
        2
    """
    figure = Figure(figsize=(6, 1.5 + 0.3 * len(cells)), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(scores, vmin=0, vmax=1, aspect="auto", cmap="viridis")
    axes.set_xticks(range(len(tasks)), tasks)
    axes.set_yticks(range(len(cells)), cells)
    for (y, x), score in np.ndenumerate(scores):
        colour = "black" if score > 0.6 else "white"
        axes.text(x, y, f"{score:.2f}", ha="center", va="center", color=colour)
    axes.set_title(title)
    figure.colorbar(image, label="score")
    return figure


def horizon_figure(history: Mapping[str, Sequence[float]], steps: int) -> Figure:
    """Draw the effective horizon of each layer over the epochs.

    Args:
        history: of each layer, its horizon before training and after each epoch; inf for more than
            all steps.
        steps: that there are.

    Example:
        >>> horizon_figure({"layer 1": [3, 9, float("inf")]}, 20).axes[0].get_ylabel()
        'lag under 1%'
    """
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for label, horizons in history.items():
        shown = np.minimum(horizons, steps)
        axes.plot(range(len(shown)), shown, marker=".", label=label)
    axes.axhline(steps, color="grey", linewidth=0.8, linestyle=":")
    axes.set(xlabel="epoch", ylabel="lag under 1%", title=f"horizon ({steps}: all steps, or more)")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize="small")
    return figure


def _draw_gradients(
    gradient: Axes, diagnoses: Sequence[Any]
) -> tuple[list[Any], list[str], dict[str, str]]:
    """Draw the gradient by lag; return all flows, a label of each, and the labels' colours."""
    several = sum(len({flow.layer for flow in one.flows}) for one in diagnoses) > len(diagnoses)
    flows = [(one, flow) for one in diagnoses for flow in one.flows]
    labels = [f"{one.name} {flow.layer}" if several else one.name for one, flow in flows]
    colours = {label: f"C{n % 10}" for n, label in enumerate(dict.fromkeys(labels))}
    for (_, flow), label in zip(flows, labels):
        _draw_gradient(gradient, flow, label, colours[label])
    gradient.axhline(0.01, color="grey", linewidth=0.8, linestyle=":")
    gradient.set(
        yscale="log",
        xlabel="lag: steps from the state to the last loss",
        ylabel="norm of the gradient, share of lag 1",
        title="gradient (dashed: start, solid: trained; 10 to 90%)",
    )
    low, high = gradient.get_ylim()
    gradient.set_ylim(max(low, _SMALLEST), high)
    gradient.legend(fontsize="small")
    return flows, labels, colours


def _draw_gradient(axes: Axes, flow: Any, label: str, colour: str) -> None:
    low, middle, high = np.maximum(flow.lags["state"].quantiles(0.1, 0.5, 0.9), _SMALLEST)
    lags = np.arange(1, len(middle) + 1)
    start = flow.stage == "start"
    axes.plot(lags, middle, "--" if start else "-", color=colour, label=f"{label}, {flow.stage}")
    axes.fill_between(lags, low, high, color=colour, alpha=0.08 if start else 0.2, linewidth=0)


def _draw_radii(axes: Axes, flows: Any, labels: Sequence[str], colours: Any) -> None:
    for place, ((_, flow), label) in enumerate(zip(flows, labels)):
        if len(flow.radii):
            low, middle, high = np.quantile(flow.radii, (0.1, 0.5, 0.9))
            axes.errorbar(
                [place], [middle], [[middle - low], [high - middle]], fmt="o", color=colours[label]
            )
    axes.axhline(1, color="grey", linewidth=0.8, linestyle=":")
    names = [f"{label}, {flow.stage}" for (_, flow), label in zip(flows, labels)]
    _name_places(axes, names)
    axes.set_title("spectral radius of the step's Jacobian (10 to 90%)")


def _draw_gates(axes: Axes, flows: Any, labels: Sequence[str]) -> None:
    bars = [
        (f"{label} {name}, {flow.stage}", gate["low"], gate["high"])
        for (_, flow), label in zip(flows, labels)
        for name, gate in flow.gates.items()
    ]
    axes.set_title("share of saturated gates")
    if not bars:
        axes.text(0.5, 0.5, "no gates", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    names, low, high = zip(*bars)
    axes.bar(range(len(bars)), low, color="C0", label="under 0.05")
    axes.bar(range(len(bars)), high, bottom=low, color="C1", label="over 0.95")
    axes.set_ylim(0, 1)
    _name_places(axes, list(names))
    axes.legend(fontsize="small")


def _draw_clipping(axes: Axes, clipped: Mapping[str, float | None]) -> None:
    shares = {name: share for name, share in clipped.items() if share is not None}
    axes.set_title("share of updates that clipping touched")
    if not shares:
        axes.text(0.5, 0.5, "not known", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    axes.bar(range(len(shares)), list(shares.values()), color="C2")
    axes.set_ylim(0, 1)
    _name_places(axes, list(shares))


def _draw_price(memory: Axes, seconds: Axes, diagnoses: Sequence[Any]) -> None:
    """Draw what k2 costs: memory, and time a step where updates are k2, half or 1 step apart."""
    for n, one in enumerate(diagnoses):
        if not one.prices:
            continue
        lags = np.array([price.steps for price in one.prices])
        size = np.array([price.bytes for price in one.prices]) / _MEGABYTE
        took = 1000 * np.array([price.seconds for price in one.prices])
        memory.plot(lags, size, marker=".", color=f"C{n % 10}", label=one.name)
        for k1, style in ((lags, "-"), (np.maximum(1, lags // 2), "--"), (1, ":")):
            seconds.plot(lags, took / k1, style, color=f"C{n % 10}")
        if one.truncation:
            for axes in (memory, seconds):
                axes.axvline(one.truncation[1], color="grey", linewidth=0.8, linestyle=":")
    memory.set(
        xlabel="k2: steps that the gradient goes back (all: BPTT)",
        ylabel="MB",
        title="memory of one update",
    )
    memory.set_ylim(bottom=0)
    seconds.set(xlabel="k2", ylabel="ms", yscale="log", title="time of one new step")
    if memory.get_lines():
        memory.legend(fontsize="small")
        for name, style in (("k1 = k2", "-"), ("k1 = k2 / 2", "--"), ("k1 = 1", ":")):
            seconds.plot([], [], style, color="grey", label=name)
        seconds.legend(fontsize="small")


def _name_places(axes: Axes, names: Sequence[str]) -> None:
    axes.set_xticks(range(len(names)), list(names))
    axes.tick_params(axis="x", labelsize="small")
    for label in axes.get_xticklabels():
        label.set(rotation=60, ha="right", rotation_mode="anchor")
