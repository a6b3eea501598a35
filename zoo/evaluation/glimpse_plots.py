"""Pictures of how a model looked at a picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

_NAMED = 5


def glimpses_figure(
    image: Any,
    places: Any,
    sizes: Sequence[float],
    windows: Sequence[Any],
    classes: Sequence[str],
    probabilities: Any,
) -> Figure:
    """Draw a column for each glimpse: the path so far, what the retina saw, how sure the model was.

    Args:
        image: `[h, w, 1 or 3]`, 0..1.
        places: of T glimpses `[T, 2]`: row and column, each from -1 to 1.
        sizes: pixels that each of S squares of the retina is wide.
        windows: what each square saw, S times `[T, n, n, 1 or 3]`, 0..1.
        classes: their names.
        probabilities: after each glimpse `[T, classes]`; the five largest at the end are drawn.

    Example:
        >>> windows = [np.zeros((2, 4, 4, 1))] * 3
        >>> image, places = np.zeros((9, 9, 1)), np.zeros((2, 2))
        >>> sure = [[0.5, 0.5], [0.1, 0.9]]
        >>> len(glimpses_figure(image, places, [2, 4, 8], windows, ["no", "yes"], sure).axes)
        10
    """
    image, probabilities = np.asarray(image), np.asarray(probabilities)
    size = np.array(image.shape[:2])
    # Pixel 0 is drawn around 0, and so begins at -0.5.
    centres = (np.asarray(places) + 1) / 2 * size - 0.5
    count = len(centres)
    figure = Figure(figsize=(1.7 * count + 0.6, 1.7 * (len(sizes) + 2)), layout="constrained")
    axes = figure.subplots(len(sizes) + 2, count, squeeze=False)
    shown = np.argsort(-probabilities[-1], kind="stable")[:_NAMED]
    for t, (path, *views, sure) in enumerate(axes.T):
        path.imshow(_grey(image), cmap="gray", vmin=0, vmax=1)
        path.plot(*centres[: t + 1, ::-1].T, color="tab:orange", marker=".", linewidth=1)
        for wide in sizes:
            y, x = centres[t] - wide / 2
            path.add_patch(Rectangle((x, y), wide, wide, fill=False, color="tab:green"))
        path.set(xlim=(-0.5, size[1] - 0.5), ylim=(size[0] - 0.5, -0.5), title=f"glimpse {t + 1}")
        for view, wide, window in zip(views, sizes, windows):
            view.imshow(_grey(window[t]), cmap="gray", vmin=0, vmax=1)
            if t == 0:
                view.set_ylabel(f"{wide:g} pixels")
        names = [classes[index] for index in shown]
        sure.barh(range(len(shown)), probabilities[t, shown], color="tab:blue")
        sure.set(yticks=range(len(shown)), yticklabels=names, xlim=(0, 1), xticks=(0, 1))
        sure.invert_yaxis()
        for one in (path, *views):
            one.set(xticks=(), yticks=())
    return figure


def _grey(image: Any) -> Any:
    return np.asarray(image).squeeze(-1) if np.shape(image)[-1] == 1 else image
