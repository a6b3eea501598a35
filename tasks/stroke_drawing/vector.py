"""Strokes as scalable vector graphics, written in the graph."""

from typing import Any

import tensorflow as tf

_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{wide}" '
    'height="{high}">\n<rect width="100%" height="100%"/>\n'
    '<g fill="none" stroke="white" stroke-linecap="round" stroke-linejoin="round">\n'
)
_LARGER = 16


def svg(strokes: Any, height: int, width: int) -> Any:
    """Return each painting as a text that is an SVG file: strings `[B]`.

    Ink is white, and what only moves the brush is left out.

    Args:
        strokes: `[B, T, 8]`, as `zoo.layers.brush.Brush.described` gives them.
        height: of the canvas, in pixels.
        width: likewise.

    Example:
        >>> text = svg(tf.constant([[[8.0, 8, 4, 8, 2, 3, 3, 1]]]), 16, 16).numpy()[0].decode()
        >>> text.splitlines()[3]
        '<path d="M8.00 8.00Q8.00 4.00 3.00 2.00" stroke-width="3.00" stroke-opacity="1.00"/>'
    """
    y, x, control_y, control_x, end_y, end_x, wide, ink = (
        tf.strings.as_string(part, precision=2) for part in tf.unstack(strokes, axis=-1)
    )
    words: list[Any] = ['<path d="M', x, " ", y, "Q", control_x, " ", control_y, " ", end_x, " "]
    words += [end_y, '" stroke-width="', wide, '" stroke-opacity="', ink, '"/>\n']
    paths = tf.where(strokes[..., -1] > 0, tf.strings.join(words), "")
    sizes = {"wide": _LARGER * width, "high": _LARGER * height}
    head = _HEAD.format(width=width, height=height, **sizes)
    return tf.strings.join([head, tf.strings.reduce_join(paths, axis=1), "</g>\n</svg>"])
