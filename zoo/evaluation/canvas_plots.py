"""Pictures of how a picture was painted."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

_SIDE = 1.1


def canvas_figure(images: Any, canvases: Any, places: Any = None, size: int = 2) -> Figure:
    """Draw pictures, and beside each the canvas after each stroke, with the window that wrote.

    A frame goes around the middles of the window's Gaussians, and is as wide as they are.

    Args:
        images: `[N, h, w, c]`, 0..255.
        canvases: `[N, T, h, w, c]`, 0..1.
        places: of each window, `[N, T, 4]`: row and column of the centre, in pixels from the
            edge, stride and sigma; None where there are none.
        size: Gaussians along each side of a window.

    Example:
        >>> canvases = np.zeros((2, 3, 8, 8, 1))
        >>> len(canvas_figure(canvases[:, 0], canvases, np.ones((2, 3, 4))).axes)
        8
    """
    images, canvases = np.asarray(images) / 255, np.asarray(canvases)
    high, wide = len(images), canvases.shape[1] + 1
    figure = Figure(figsize=(_SIDE * wide, _SIDE * high + 0.3), layout="constrained")
    grid = figure.subplots(high, wide, squeeze=False)
    for row, (image, steps) in enumerate(zip(images, canvases)):
        for column, pixels in enumerate([image, *steps]):
            axes = grid[row, column]
            axes.imshow(pixels.squeeze(-1), cmap="gray", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
            if row == 0:
                axes.set_title(str(column) if column else "picture", fontsize=8)
            if column and places is not None:
                axes.add_patch(_frame(places[row][column - 1], size))
    return figure


def _frame(place: Any, size: int) -> Rectangle:
    """Return the outline of a window; the middle of a first pixel, at 0.5, is drawn at 0."""
    row, column, stride, sigma = (float(number) for number in place)
    side = (size - 1) * stride
    corner = (column - 0.5 - side / 2, row - 0.5 - side / 2)
    width = float(np.clip(sigma, 0.5, 4))
    return Rectangle(corner, side, side, fill=False, edgecolor="tab:red", linewidth=width)
