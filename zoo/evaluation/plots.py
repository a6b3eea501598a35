"""Pictures of what a model did: numbers in, a matplotlib figure out. Draws on no screen."""

import io
import sys
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from zoo.evaluation.fonts import direction, fonts_for, visual_order

_MANY = 30
_NAMED = 8
"""Signs that a message names."""

_MONOSPACE, _SIZE = "DejaVu Sans Mono", 9
_LINE, _HEIGHT = 434.0, 16.0
"""Points that a line of text is wide, some 80 letters, and high."""


def write_plots(plots: Mapping[Path, Figure], dpi: int = 120) -> None:
    """Write pictures to files, with fonts of this machine that have their signs.

    Where no font has a sign, one line on standard error says so, and a box is drawn.

    Args:
        plots: by the file to write, whose ending says the format.
        dpi: dots an inch.

    Raises:
        OSError: a file cannot be written.
    """
    missing = [boxes for path, figure in plots.items() for boxes in _saved(figure, path, dpi)]
    if missing:
        named = ", ".join(sorted({*missing})[:_NAMED])
        more = ", ..." if len({*missing}) > _NAMED else ""
        print(
            f"the plot shows boxes for {named}{more}: no font of this machine has them",
            file=sys.stderr,
        )


def png_of(figure: Figure, dpi: int = 100) -> bytes:
    """Return a picture as the bytes of a PNG, with fonts of this machine that have its signs.

    Example:
        >>> png_of(message_figure("no words"))[1:4]
        b'PNG'
    """
    file = io.BytesIO()
    _saved(figure, file, dpi)
    return file.getvalue()


def _saved(figure: Figure, file: Any, dpi: int) -> list[str]:
    """Write a picture to a path, or as PNG to an open file; return the signs that no font has."""
    for axes in figure.axes:
        # Labels of ticks have no text until they are asked for.
        axes.get_xticklabels(), axes.get_yticklabels()
    texts = [part for part in figure.findobj(Text) if part.get_text()]
    families, boxes = fonts_for("".join(part.get_text() for part in texts))
    for part in texts:
        part.set_fontfamily([*part.get_fontfamily(), *families])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(file, dpi=dpi)
    return [*boxes]


def message_figure(message: str, image: Any = None) -> Figure:
    """Draw a message where there is nothing else to draw, below a picture if there is one.

    Args:
        message: such as "no words".
        image: `[h, w, 1 or 3]`, 0..1; None for none.

    Example:
        >>> message_figure("no words").axes[0].get_title()
        'no words'
    """
    figure = Figure(figsize=(4, 1) if image is None else (4, 4.3), layout="constrained")
    axes = figure.subplots()
    if image is not None:
        axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=1)
    axes.set_title(message)
    axes.set_axis_off()
    return figure


def curves_figure(history: Sequence[dict[str, float]]) -> Figure:
    """Draw each metric over the epochs, training and validation in one plot.

    Args:
        history: an epoch's metrics each; `val_loss` is `loss` of the validation.

    Example:
        >>> len(curves_figure([{"loss": 2.0, "val_loss": 3.0, "learning_rate": 0.1}]).axes)
        1
    """
    names = [name for name in (history or [{}])[0] if f"val_{name}" in history[0]]
    if not names:
        return message_figure("no epochs")
    figure = Figure(figsize=(5 * len(names), 4), layout="constrained")
    epochs = range(1, len(history) + 1)
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names):
        for key, label in ((name, "training"), (f"val_{name}", "validation")):
            axes.plot(epochs, [logs[key] for logs in history], marker=".", label=label)
        axes.set(xlabel="epoch", title=name)
        axes.legend()
    return figure


def metric_figure(
    histories: Mapping[str, Sequence[Mapping[str, float]]], names: Sequence[str]
) -> Figure:
    """Draw metrics over the epochs, each in a plot of its own, a line for each run.

    Args:
        histories: of each run, the metrics of its epochs.
        names: of the metrics.

    Example:
        >>> history = [{"val_loss": 2.0}, {"val_loss": 1.0}]
        >>> len(metric_figure({"one": history, "two": history}, ["val_loss"]).axes[0].lines)
        2
    """
    figure = Figure(figsize=(5 * len(names), 4), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names):
        for label, history in histories.items():
            values = [logs.get(name, np.nan) for logs in history]
            axes.plot(range(1, len(values) + 1), values, marker=".", label=label)
        axes.set(xlabel="epoch", title=name)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center")
    return figure


def alignment_figure(rows: Sequence[str], columns: Sequence[str], weights: Any) -> Figure:
    """Draw what each generated token looked at: a heat map with a row a token.

    Args:
        rows: T generated tokens, from the first one down.
        columns: S tokens that could be looked at.
        weights: `[T, S]`, 0..1.

    Example:
        >>> figure = alignment_figure(["deux", "chats"], ["two", "cats"], np.eye(2))
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['deux', 'chats']
    """
    if not rows or not columns:
        return message_figure("no words")
    size = (2 + 0.35 * len(columns), 1.5 + 0.35 * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(np.asarray(weights), vmin=0, vmax=1, cmap="Greys", aspect="auto")
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="left")
    axes.set_yticks(range(len(rows)), rows)
    figure.colorbar(image, label="weight")
    return figure


def attention_over_image(image: Any, words: Sequence[str], maps: Any) -> Figure:
    """Draw a picture once for each word, lit where the model looked as it wrote it.

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
    if not words:
        return message_figure("no words", image)
    wide = min(5, len(words) + 1)
    high = -(-(len(words) + 1) // wide)
    figure = Figure(figsize=(2 * wide, 2.3 * high), layout="constrained")
    places = figure.subplots(high, wide, squeeze=False).ravel()
    extent = (-0.5, image.shape[1] - 0.5, image.shape[0] - 0.5, -0.5)
    for axes, title, weights in zip(places, ["", *words], [None, *maps]):
        axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=1)
        if weights is not None:
            axes.imshow(weights, alpha=0.65, extent=extent, cmap="magma", interpolation="bilinear")
        axes.set_title(title)
    for axes in places:
        axes.set_axis_off()
    for axes in places[len(words) + 1 :]:
        axes.remove()
    return figure


def confidence_figure(classes: Sequence[str], probabilities: Any) -> Figure:
    """Draw the probability of each class after each time step.

    Args:
        classes: their names.
        probabilities: `[T, classes]`, 0..1. Of many classes, the ten likeliest are drawn.

    Example:
        >>> figure = confidence_figure(["no", "yes"], [[0.5, 0.5], [0.1, 0.9]])
        >>> len(figure.axes[0].lines)
        2
    """
    probabilities = np.asarray(probabilities)
    if not probabilities.size:
        return message_figure("no time steps")
    shown = np.argsort(-probabilities.max(axis=0), kind="stable")[:10]
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    for index in shown:
        axes.plot(range(1, len(probabilities) + 1), probabilities[:, index], label=classes[index])
    axes.set(xlabel="time step", ylabel="probability", ylim=(-0.02, 1.02))
    figure.legend(loc="outside right upper")
    return figure


class _Word(NamedTuple):
    text: str
    share: float
    width: float


def text_figure(words: Sequence[str], weights: Any, title: str, between: str = " ") -> Figure:
    """Draw a text, each word on a ground that is the darker the more the word counts.

    Words stand as wide as their letters are, and from the right where their script does.

    Args:
        words: T words.
        weights: `[T]`, not negative; the largest is the darkest.
        title: what stands above.
        between: what is written between two words; where it is "", a combining mark goes with the
            letter before it.

    Example:
        >>> figure = text_figure(["not", "bad"], [0.9, 0.1], "pos, 80%")
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['not', 'bad']
    """
    if not words:
        return message_figure(f"{title}\nno words")
    shares = np.asarray(weights) / max(float(np.max(weights)), 1e-9)
    clusters = list(zip(words, map(float, shares)))
    if not between:
        clusters = _clusters(clusters)
    families, _ = fonts_for("".join(words))
    font = FontProperties(family=[_MONOSPACE, *families], size=_SIZE)
    lines = _lines(clusters, between, font)
    base = direction("".join(words)) or "left"
    wide, high = _LINE / 72, _HEIGHT / 72 * len(lines)
    figure = Figure(figsize=(wide + 0.2, high + 0.5))
    place = (0.1 / (wide + 0.2), 0.1 / (high + 0.5), wide / (wide + 0.2), high / (high + 0.5))
    axes = figure.add_axes(place)
    axes.set(xlim=(0, _LINE), ylim=(len(lines), 0))
    axes.set_axis_off()
    axes.set_title(title, loc="left")
    gap = _width(between, font)
    for y, line in enumerate(lines):
        x = 0.0 if base == "left" else _LINE - sum(word.width + gap for word in line) + gap
        for word in (line[index] for index in visual_order([each.text for each in line], base)):
            ground = (x, y + 0.08), word.width, 0.84
            axes.add_patch(Rectangle(*ground, color="tab:orange", alpha=word.share))
            how: Any = {"va": "center", "parse_math": False, "fontproperties": font}
            axes.text(x, y + 0.5, word.text, **how)
            x += word.width + gap
    return figure


def _clusters(words: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Join signs with the combining marks after them, each with the largest of their shares."""
    clusters: list[tuple[str, float]] = []
    for word, share in words:
        if clusters and word and unicodedata.category(word[0]).startswith("M"):
            before, other = clusters.pop()
            word, share = before + word, max(other, share)
        clusters.append((word, share))
    return clusters


def _lines(
    words: Sequence[tuple[str, float]], between: str, font: FontProperties
) -> list[list[_Word]]:
    """Set words in lines that are not too wide; a line break among them ends a line."""
    gap, lines, column = _width(between, font), [[]], 0.0  # type: ignore[var-annotated]
    for text, share in words:
        word = _Word(text, share, _width(text, font))
        if lines[-1] and column + word.width > _LINE:
            lines.append([])
            column = 0.0
        if text == "\n":
            lines.append([])
            column = 0.0
            continue
        lines[-1].append(word)
        column += word.width + gap
    return lines


def _width(text: str, font: FontProperties) -> float:
    """Return how many points a text is wide, with white space at its ends."""
    renderer = FigureCanvasAgg(Figure(dpi=72)).get_renderer()

    def inked(some: str) -> float:
        return float(renderer.get_text_width_height_descent(some, font, ismath=False)[0])

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        return inked(f"|{text}|") - inked("||")


def confusion_figure(classes: Sequence[str], matrix: Any) -> Figure:
    """Draw what was taken for what: counts, coloured by the share of their row.

    Args:
        classes: their names.
        matrix: counts `[true class, predicted class]`.

    Example:
        >>> figure = confusion_figure(["no", "yes"], [[9, 1], [0, 5]])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['9', '1', '0', '5']
    """
    matrix = np.asarray(matrix)
    if not matrix.size:
        return message_figure("no examples")
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = 2.5 + 0.4 * len(classes)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    drawn = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    axes.set_xticks(range(len(classes)), classes, rotation=60, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="predicted", ylabel="true")
    if len(classes) <= _MANY:
        for (y, x), count in np.ndenumerate(matrix):
            colour = "white" if shares[y, x] > 0.6 else "black"
            axes.text(x, y, str(count), ha="center", va="center", color=colour, fontsize=8)
    figure.colorbar(drawn, label="share of the true class")
    return figure
