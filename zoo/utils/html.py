"""Pieces of HTML that are safe: all text in them is escaped, all pictures are in them."""

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

_COLOURS = 8
"""Classes of labels that the page's style has colours for; more share them."""
_SIDE = 128
"""Pixels that a picture is wide or high at least, where it is enlarged."""
_SHOWN = 60
"""Frames of an animation, at most."""
_FRAME = 120
"""Milliseconds that a frame is shown."""
_LIGHT, _OPAQUE = (255, 205, 0), 215
"""Colour of where a model looked, and how little of the picture is seen where it looked most."""


def element(name: str, content: str = "", **attributes: str) -> str:
    """Return an element around safe content; `class_` is the attribute `class`,
    and `aria_label` is `aria-label`.

    Example:
        >>> element("p", escape("a < b"), class_="note", title='"')
        '<p class="note" title="&quot;">a &lt; b</p>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value, quote=True)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{content}</{name}>"


def image(data: bytes, kind: str, alt: str) -> str:
    """Return a picture that lies in the page itself.

    Args:
        data: of the file.
        kind: of it, such as "png" or "svg+xml".
        alt: what it shows, for who cannot see it.

    Example:
        >>> image(b"...", "png", "a <cat>")
        '<img src="data:image/png;base64,Li4u" alt="a &lt;cat&gt;">'
    """
    encoded = base64.b64encode(data).decode("ascii")
    return f'<img src="data:image/{kind};base64,{encoded}" alt="{escape(alt, quote=True)}">'


def animation(frames: Any, alt: str) -> str:
    """Return a small animation, a GIF without end.

    Args:
        frames: `[T, h, w, 1 or 3]`, uint8; of many, 60 that are evenly spaced.
        alt: what it shows.
    """
    from PIL import Image

    frames = np.asarray(frames)
    frames = frames[np.linspace(0, len(frames) - 1, min(len(frames), _SHOWN)).astype(int)]
    larger = max(1, _SIDE // max(frames.shape[1:3]))
    pictures = [
        Image.fromarray(frame.squeeze(-1) if frame.shape[-1] == 1 else frame).resize(
            (frame.shape[1] * larger, frame.shape[0] * larger), Image.Resampling.NEAREST
        )
        for frame in frames
    ]
    file = io.BytesIO()
    first, *others = pictures
    first.save(file, "gif", save_all=True, append_images=others, duration=_FRAME, loop=0)
    return image(file.getvalue(), "gif", alt)


def lines(values: Any, alt: str) -> str:
    """Return the columns of `[T, D]` as curves over time, eight at most, as SVG.

    Example:
        >>> drawn = lines([[0.0], [1.0], [0.5]], "three steps")
        >>> drawn.count("<polyline"), 'aria-label="three steps"' in drawn
        (1, True)
    """
    values = np.nan_to_num(np.asarray(values, "float64"))[:, :_COLOURS]
    low, high = values.min(initial=0.0), values.max(initial=0.0)
    x = np.linspace(2, 298, max(len(values), 2))
    curves = []
    for number, column in enumerate(values.T):
        y = 98 - 96 * (column - low) / ((high - low) or 1.0)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y))
        curves.append(element("polyline", points=points, class_=f"line label{number}"))
    curved = "".join(curves)
    return element("svg", curved, viewBox="0 0 300 100", role="img", aria_label=alt)


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]], caption: str = "") -> str:
    """Return a table of texts; the first cell of a row is its heading.

    Example:
        >>> table(["", "n"], [["<b>", 1]])
        '<table><thead><tr><th></th><th scope="col">n</th></tr></thead><tbody><tr>\
<th scope="row">&lt;b&gt;</th><td>1</td></tr></tbody></table>'
    """
    head = "".join(
        element("th", escape(name), scope="col") if name else "<th></th>" for name in columns
    )
    body = "".join(
        element(
            "tr",
            element("th", escape(str(first)), scope="row")
            + "".join(element("td", escape(str(cell))) for cell in rest),
        )
        for first, *rest in rows
    )
    title = element("caption", escape(caption)) if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def wide(content: str) -> str:
    """Return content that scrolls by itself where a screen is narrow."""
    return element("div", content, class_="wide", tabindex="0")


def coloured(parts: Sequence[tuple[str, str]]) -> str:
    """Return a text whose parts have labels, each in the label's colour, which it is named in.

    Args:
        parts: text and label, one after the other; "" for none.

    Example:
        >>> coloured([("in ", ""), ("Rome", "place")])
        '<p class="text">in <mark class="label0" title="place">Rome<sub>place</sub></mark></p>'
    """
    labels = list(dict.fromkeys(label for _, label in parts if label))
    marked = [
        element(
            "mark",
            escape(text) + element("sub", escape(label)),
            class_=f"label{labels.index(label) % _COLOURS}",
            title=label,
        )
        if label
        else escape(text)
        for text, label in parts
    ]
    return element("p", "".join(marked), class_="text")


def alignment(rows: Sequence[str], columns: Sequence[str], weights: Any) -> str:
    """Return what each word that was written looked at: a table whose cells say their weight.

    Args:
        rows: T words that were written.
        columns: S words that could be looked at.
        weights: `[T, S]`, 0..1.
    """
    if not rows or not columns:
        return ""
    head = "<th></th>" + "".join(element("th", escape(name), scope="col") for name in columns)
    body = ""
    for name, cells in zip(rows, np.asarray(weights, "float64")):
        shaded = "".join(
            element(
                "td",
                style=f"--weight:{max(0.0, min(1.0, float(weight))):.3f}",
                title=f"{name} ← {column}: {weight:.0%}",
            )
            for column, weight in zip(columns, cells)
        )
        body += element("tr", element("th", escape(name), scope="row") + shaded)
    inner = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return wide(element("table", inner, class_="alignment"))


def looked(picture: str, form: float, words: Sequence[str], maps: Any) -> str:
    """Return a picture and the words that were written of it: over a word one sees its map.

    Args:
        picture: safe HTML, an image.
        form: of the picture, width by height.
        words: T words.
        maps: weights `[T, rows, columns]`, 0 or more, of a grid over the picture.

    Example:
        >>> cat = image(b"...", "png", "a cat")
        >>> shown = looked(cat, 1.5, ["<a>", "cat"], np.ones((2, 2, 3)))
        >>> shown.count("<img"), "at \u201c&lt;a&gt;\u201d" in shown
        (3, True)
    """
    if not words:
        return picture
    spans = []
    for word, weights in zip(words, np.asarray(maps, "float64")):
        lit = image(_map(weights), "png", f"where the model looked at \u201c{word}\u201d")
        spans.append(element("span", escape(word) + lit, class_="word", tabindex="0"))
    note = element("p", "Where the model looked: hover over a word, or tap on it.", class_="note")
    text = element("p", " ".join(spans), class_="text")
    return element("div", picture + text + note, class_="looked", style=f"--form:{form:.4f}")


def _map(weights: np.ndarray) -> bytes:
    """Return a PNG of a pixel a place, the more opaque the more it weighs."""
    from PIL import Image

    most = float(weights.max(initial=0.0)) or 1.0
    pixels = np.zeros((*weights.shape, 4), "uint8")
    pixels[..., :3] = _LIGHT
    pixels[..., 3] = np.round(_OPAQUE * np.clip(weights / most, 0, 1))
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "png")
    return file.getvalue()
