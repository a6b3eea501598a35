"""Pictures of the strokes of a brush."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path

_SIDE = 2.0


def stroke_figure(images: Any, canvases: Any, strokes: Any) -> Figure:
    """Draw pictures with the strokes that paint them as numbered arrows, and below each the canvas.

    A stroke that only moves the brush is dotted.

    Args:
        images: `[N, h, w, 1]`, 0..255.
        canvases: `[N, h, w, 1]`, 0..1.
        strokes: `[N, T, 8]`: row and column of the start, of the point that the stroke bends to and
            of its end, in pixels from the corner; its width; its ink, 0 where it only moves.

    Example:
        >>> strokes = np.full((2, 3, 8), 4.0)
        >>> len(stroke_figure(np.zeros((2, 8, 8, 1)), np.zeros((2, 8, 8, 1)), strokes).axes)
        4
    """
    count = len(images)
    figure = Figure(figsize=(_SIDE * count, 2 * _SIDE), layout="constrained")
    grid = figure.subplots(2, count, squeeze=False)
    for column in range(count):
        over, below = grid[:, column]
        # Dimmed, so that arrows are seen on ink.
        for axes, pixels in ((over, images[column] / 510), (below, canvases[column])):
            axes.imshow(np.asarray(pixels).squeeze(-1), cmap="gray", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
        for number, stroke in enumerate(strokes[column], start=1):
            _draw(over, number, len(strokes[column]), stroke)
    return figure


def _draw(axes: Axes, number: int, count: int, stroke: Any) -> None:
    """Draw a stroke as an arrow; the middle of a first pixel, at 0.5, is drawn at 0."""
    y, x, control_y, control_x, end_y, end_x, _, ink = (float(part) for part in stroke)
    points = np.array([[x, y], [control_x, control_y], [end_x, end_y]]) - 0.5
    colour = colormaps["plasma"](0.25 + 0.7 * (number - 1) / max(count - 1, 1))
    path = Path(points, [Path.MOVETO, Path.CURVE3, Path.CURVE3])
    axes.add_patch(
        FancyArrowPatch(
            path=path,
            arrowstyle="-|>",
            mutation_scale=8,
            color=colour,
            linestyle="-" if ink else ":",
            linewidth=1.6 if ink else 0.9,
        )
    )
    # At the middle of the curve, where ends of others are not.
    across, down = np.array([0.25, 0.5, 0.25]) @ points
    axes.text(across, down, str(number), color="white", fontsize=7, ha="center", va="center")
