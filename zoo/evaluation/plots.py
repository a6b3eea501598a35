"""Pictures of what a model did: numbers in, a figure out. Draws on no screen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

_FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "WenQuanYi Zen Hei", "PingFang SC", "Microsoft YaHei")
"""The first that are installed and have the letter; the first of all comes with matplotlib."""

_MANY = 30
_LINE = 80


def curves_figure(history: Sequence[dict[str, float]]) -> Figure:
    """Each figure over the epochs, training and validation in one plot.

    Args:
        history: an epoch's figures each; `val_loss` is `loss` of the validation.

    Example:
        >>> len(curves_figure([{"loss": 2.0, "val_loss": 3.0, "learning_rate": 0.1}]).axes)
        1
    """
    names = [name for name in history[0] if f"val_{name}" in history[0]]
    figure = Figure(figsize=(5 * len(names), 4), layout="constrained")
    epochs = range(1, len(history) + 1)
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names):
        for key, label in ((name, "training"), (f"val_{name}", "validation")):
            axes.plot(epochs, [logs[key] for logs in history], marker=".", label=label)
        axes.set(xlabel="epoch", title=name)
        axes.legend()
    return figure


def alignment_figure(rows: Sequence[str], columns: Sequence[str], weights: Any) -> Figure:
    """What each generated token looked at: a heat map with a row a token.

    Args:
        rows: T generated tokens, from the first one down.
        columns: S tokens that could be looked at.
        weights: `[T, S]`, 0..1.

    Returns:
        The figure.

    Example:
        >>> figure = alignment_figure(["deux", "chats"], ["two", "cats"], np.eye(2))
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['deux', 'chats']
    """
    size = (2 + 0.35 * len(columns), 1.5 + 0.35 * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(np.asarray(weights), vmin=0, vmax=1, cmap="Greys", aspect="auto")
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="left", **_font())
    axes.set_yticks(range(len(rows)), rows, **_font())
    figure.colorbar(image, label="weight")
    return figure


def attention_over_image(image: Any, words: Sequence[str], maps: Any) -> Figure:
    """The picture once for each word, lit where the model looked as it wrote it.

    Args:
        image: `[h, w, 1 or 3]`, 0..255.
        words: T words.
        maps: weights `[T, rows, columns]` of a grid over the picture.

    Example:
        >>> maps = np.full((2, 4, 4), 1 / 16)
        >>> len(attention_over_image(np.zeros((32, 32, 3)), ["a", "cat"], maps).axes)
        3
    """
    image, maps = np.asarray(image) / 255, np.asarray(maps)
    wide = min(5, len(words) + 1)
    high = -(-(len(words) + 1) // wide)
    figure = Figure(figsize=(2 * wide, 2.3 * high), layout="constrained")
    places = figure.subplots(high, wide, squeeze=False).ravel()
    extent = (-0.5, image.shape[1] - 0.5, image.shape[0] - 0.5, -0.5)
    for axes, title, weights in zip(places, ["", *words], [None, *maps]):
        axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=1)
        if weights is not None:
            axes.imshow(weights, alpha=0.65, extent=extent, cmap="magma", interpolation="bilinear")
        axes.set_title(title, **_font())
    for axes in places:
        axes.set_axis_off()
    for axes in places[len(words) + 1 :]:
        axes.remove()
    return figure


def confidence_figure(classes: Sequence[str], probabilities: Any) -> Figure:
    """The probability of each class after each time step.

    Args:
        classes: their names.
        probabilities: `[T, classes]`, 0..1. Of many classes, the ten likeliest are drawn.

    Example:
        >>> figure = confidence_figure(["no", "yes"], [[0.5, 0.5], [0.1, 0.9]])
        >>> len(figure.axes[0].lines)
        2
    """
    probabilities = np.asarray(probabilities)
    shown = np.argsort(-probabilities.max(axis=0), kind="stable")[:10]
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    for index in shown:
        axes.plot(range(1, len(probabilities) + 1), probabilities[:, index], label=classes[index])
    axes.set(xlabel="time step", ylabel="probability", ylim=(-0.02, 1.02))
    figure.legend(loc="outside right upper", prop={"family": _fonts()})
    return figure


def text_figure(words: Sequence[str], weights: Any, title: str, between: str = " ") -> Figure:
    """A text, each word on a ground that is the darker the more the word counts.

    Args:
        words: T words.
        weights: `[T]`, not negative; the largest is the darkest.
        title: what stands above.
        between: what is written between two words.

    Example:
        >>> figure = text_figure(["not", "bad"], [0.9, 0.1], "pos, 80%")
        >>> [(text.get_text(), text.get_position()[0]) for text in figure.axes[0].texts]
        [('not', 0), ('bad', 4)]
    """
    places, column, line = [], 0, 0
    for word in words:
        if column and column + len(word) > _LINE:
            column, line = 0, line + 1
        places.append((column, line))
        column += len(word) + len(between)
    # Inches of a letter of that size, and of a line.
    wide, high = _LINE * 9 * 0.602 / 72, 0.22 * (line + 1)
    figure = Figure(figsize=(wide + 0.2, high + 0.5))
    axes = figure.add_axes((0.1 / (wide + 0.2), 0.1 / (high + 0.5), 1, high / (high + 0.5)))
    axes.set(xlim=(0, _LINE + 0.2 / wide * _LINE), ylim=(line + 1, 0))
    axes.set_axis_off()
    axes.set_title(title, loc="left", **_font())
    shares = np.asarray(weights) / max(float(np.max(weights, initial=0)), 1e-9)
    font = {"family": ["DejaVu Sans Mono", *_fonts()], "size": 9}
    for word, (x, y), share in zip(words, places, shares):
        ground = Rectangle((x, y + 0.08), len(word), 0.84, color="tab:orange", alpha=float(share))
        axes.add_patch(ground)
        axes.text(x, y + 0.5, word, va="center", parse_math=False, fontdict=font)
    return figure


def confusion_figure(classes: Sequence[str], matrix: Any) -> Figure:
    """What was taken for what: counts, coloured by the share of their row.

    Args:
        classes: their names.
        matrix: counts `[true class, predicted class]`.

    Example:
        >>> figure = confusion_figure(["no", "yes"], [[9, 1], [0, 5]])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['9', '1', '0', '5']
    """
    matrix = np.asarray(matrix)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = 2.5 + 0.4 * len(classes)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    drawn = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    axes.set_xticks(range(len(classes)), classes, rotation=60, ha="right", **_font())
    axes.set_yticks(range(len(classes)), classes, **_font())
    axes.set(xlabel="predicted", ylabel="true")
    if len(classes) <= _MANY:
        for (y, x), count in np.ndenumerate(matrix):
            colour = "white" if shares[y, x] > 0.6 else "black"
            axes.text(x, y, str(count), ha="center", va="center", color=colour, fontsize=8)
    figure.colorbar(drawn, label="share of the true class")
    return figure


def _fonts() -> list[str]:
    """Those that are installed, as matplotlib warns of each that is not."""
    installed = set(font_manager.get_font_names())
    return [name for name in _FONTS if name in installed]


def _font() -> dict[str, Any]:
    return {"fontfamily": _fonts()}
