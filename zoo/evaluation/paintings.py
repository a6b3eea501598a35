"""New pictures as files: all of them side by side, as they became or while they did."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from zoo.errors import UserError
from zoo.utils.files import write_whole

ENDINGS = (".png", ".gif")
VECTOR = ".svg"
_SIDE = 64
"""Pixels that a picture is wide at least, in a file."""
_EDGE = 2
_STROKE, _END = 200, 1500
"""Milliseconds that a stroke is shown, and the last one."""


class Paintings(NamedTuple):
    """Pictures that a model painted.

    Attributes:
        canvases: after each stroke, `[N, T, h, w, 1 or 3]`, 0..1.
        drawings: the same pictures, each an SVG; none of a model that paints pixels.
    """

    canvases: np.ndarray
    drawings: Sequence[str] = ()


def check_ending(path: Path) -> None:
    """Raise UserError for a file of another kind than `write_paintings` writes."""
    if path.suffix.lower() not in (*ENDINGS, VECTOR):
        raise UserError(
            f"{path} has no known ending: use {' or '.join(ENDINGS)}, or {VECTOR} of a model that "
            "paints with strokes"
        )


def write_paintings(path: Path, paintings: Paintings) -> Path:
    """Write pictures side by side: the last canvases as PNG, or all of them as a GIF that moves.

    Small pictures are written larger, each pixel as a square. As SVG, drawings are written.

    Args:
        path: the file, whose ending says which.
        paintings: what is written.

    Returns:
        The path.

    Raises:
        UserError: it cannot be written, or there are no drawings for an SVG.
    """
    canvases, drawings = paintings
    if path.suffix.lower() == VECTOR and not drawings:
        raise UserError(
            f"{path}: the model paints pixels and no strokes: use {' or '.join(ENDINGS)}"
        )
    frames = [Image.fromarray(sheet(canvases[:, t])) for t in range(canvases.shape[1])]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() == VECTOR:
            write_whole(path, svg_sheet(drawings))
        elif path.suffix.lower() == ".png":
            frames[-1].save(path)
        else:
            durations = [_STROKE] * (len(frames) - 1) + [_END]
            frames[0].save(
                path, save_all=True, append_images=frames[1:], duration=durations, loop=0
            )
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def svg_sheet(drawings: Sequence[str]) -> str:
    """Lay SVG drawings of one size out in rows, as `sheet` does; one alone is left as it is.

    Example:
        >>> one = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="6"></svg>'
        >>> svg_sheet([one] * 3).splitlines()[0]
        '<svg xmlns="http://www.w3.org/2000/svg" width="22" height="18">'
    """
    if len(drawings) == 1:
        return drawings[0]
    width, height = (
        int(re.search(rf' {side}="(\d+)"', drawings[0])[1])  # type: ignore[index]
        for side in ("width", "height")
    )
    across = math.ceil(math.sqrt(len(drawings)))
    down = -(-len(drawings) // across)
    wide, high = across * (width + _EDGE) + _EDGE, down * (height + _EDGE) + _EDGE
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}">']
    lines.append('<rect width="100%" height="100%" fill="gray"/>')
    for place, drawing in enumerate(drawings):
        x = place % across * (width + _EDGE) + _EDGE
        y = place // across * (height + _EDGE) + _EDGE
        lines.append(drawing.replace("<svg", f'<svg x="{x}" y="{y}"', 1))
    return "\n".join([*lines, "</svg>"])


def sheet(pictures: np.ndarray) -> np.ndarray:
    """Lay pictures `[N, h, w, 1 or 3]`, 0..1, out in rows, uint8; as many across as down or more.

    Example:
        >>> sheet(np.ones((5, 8, 8, 1))).shape
        (134, 200)
    """
    count, height, width, channels = pictures.shape
    times = max(1, -(-_SIDE // max(height, width)))
    across = math.ceil(math.sqrt(count))
    down = -(-count // across)
    high, wide = (times * side + _EDGE for side in (height, width))
    pixels = np.rint(255 * pictures).astype("uint8").repeat(times, 1).repeat(times, 2)
    whole = np.full((down * high + _EDGE, across * wide + _EDGE, channels), 128, "uint8")
    for place, picture in enumerate(pixels):
        top, left = place // across * high + _EDGE, place % across * wide + _EDGE
        whole[top : top + high - _EDGE, left : left + wide - _EDGE] = picture
    return whole.squeeze(-1) if channels == 1 else whole
