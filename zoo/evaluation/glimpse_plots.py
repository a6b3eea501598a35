"""Pictures of how a model looked at a picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from zoo.topologies.looking import LookingModel

_NAMED = 5


def path_figure(model: LookingModel, pixels: Any, classes: Sequence[str]) -> Figure:
    """Draw where a model looks at one picture, see `glimpses_figure`.

    Args:
        model: a built one.
        pixels: of the picture, `[1, h, w, 1 or 3]`, 0..255.
        classes: their names.
    """
    path = model.follow(pixels)
    places = path.places[0]
    images = tf.repeat(tf.cast(pixels, tf.float32) / 255, len(places), axis=0)
    windows = [window.numpy() for window in model.retina(images, places)]
    sure = tf.nn.softmax(path.logits[0]).numpy()
    image = images[0].numpy()
    glimpses = model.glimpses if model.labels > 1 else 0
    return glimpses_figure(image, places.numpy(), model.sizes, windows, classes, sure, glimpses)


def glimpses_figure(
    image: Any,
    places: Any,
    sizes: Sequence[float],
    windows: Sequence[Any],
    classes: Sequence[str],
    probabilities: Any,
    glimpses: int = 0,
) -> Figure:
    """Draw a column for each glimpse: the path so far, what the retina saw, how sure the model was.

    Args:
        image: `[h, w, 1 or 3]`, 0..1.
        places: of T glimpses `[T, 2]`: row and column, each from -1 to 1.
        sizes: pixels that each of S squares of the retina is wide.
        windows: what each square saw, S times `[T, n, n, 1 or 3]`, 0..1.
        classes: their names.
        probabilities: after each glimpse `[T, classes]`; the five largest at the end of those that
            a label is named after are drawn.
        glimpses: how many a label is named after, which then is in the title; 0 for all, of one
            label.

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
    for t, (path, *views, sure) in enumerate(axes.T):
        path.imshow(_grey(image), cmap="gray", vmin=0, vmax=1)
        path.plot(*centres[: t + 1, ::-1].T, color="tab:orange", marker=".", linewidth=1)
        for wide in sizes:
            y, x = centres[t] - wide / 2
            path.add_patch(Rectangle((x, y), wide, wide, fill=False, color="tab:green"))
        title = f"glimpse {t + 1}"
        if glimpses and (t + 1) % glimpses == 0:
            title += f": {classes[probabilities[t].argmax()]}"
        path.set(xlim=(-0.5, size[1] - 0.5), ylim=(size[0] - 0.5, -0.5), title=title)
        for view, wide, window in zip(views, sizes, windows):
            view.imshow(_grey(window[t]), cmap="gray", vmin=0, vmax=1)
            if t == 0:
                view.set_ylabel(f"{wide:g} pixels")
        last = (t // glimpses + 1) * glimpses - 1 if glimpses else count - 1
        shown = np.argsort(-probabilities[last], kind="stable")[:_NAMED]
        names = [classes[index] for index in shown]
        sure.barh(range(len(shown)), probabilities[t, shown], color="tab:blue")
        sure.set(yticks=range(len(shown)), yticklabels=names, xlim=(0, 1), xticks=(0, 1))
        sure.invert_yaxis()
        for one in (path, *views):
            one.set(xticks=(), yticks=())
    return figure


def _grey(image: Any) -> Any:
    return np.asarray(image).squeeze(-1) if np.shape(image)[-1] == 1 else image
