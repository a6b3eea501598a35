"""Scenes of one to four coloured shapes and handwritten digits: laid out, then drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

IMAGE_SIZE = 64
SHAPES = ("circle", "square", "triangle", "star", "diamond")
DIGITS = tuple("0123456789")
SIZES = {"small": 16, "large": 26}
"""The side, in pixels, of the square box that an object of each size fills."""
COLOURS = {
    "red": (235, 45, 45),
    "green": (45, 190, 70),
    "blue": (60, 110, 255),
    "yellow": (250, 220, 50),
    "purple": (190, 80, 225),
    "white": (245, 245, 245),
}
TEST_ONLY = frozenset(
    {
        ("green", "triangle"),
        ("yellow", "square"),
        ("red", "star"),
        ("purple", "3"),
        ("blue", "8"),
        ("white", "5"),
    }
)
"""Pairs of colour and kind that are drawn in the test split alone; each part is in every split."""

_COUNT_ODDS = (0.25, 0.3, 0.25, 0.2)  # of one, two, three, four objects
_DIGIT_ODDS = 0.35
_ECHO_ODDS = 0.35  # that a colour or kind is taken from the object before, for the counts' sake
_NOVEL_ODDS = 0.2  # that a test scene shows a test-only pair
_GAP = 1  # pixels between an object's box and the edge of its quarter
_JITTER = 5  # pixels that an object may be off the middle of its quarter, each way
_OVERSAMPLING = 4


class Object(NamedTuple):
    """One thing in a scene. `x` and `y` are its centre in pixels, from the top left corner.

    Example:
        >>> Object("circle", "red", "small", 12, 40).colour
        'red'
    """

    kind: str
    colour: str
    size: str
    x: int
    y: int


def scene_objects(features: Mapping[str, Sequence]) -> list[Object]:
    """Turn the `objects` feature of one `captioned_scenes` example back into `Object`s.

    Args:
        features: the columns `kind`, `colour`, `size` (str or UTF-8 bytes), `x` and `y`.

    Example:
        >>> scene_objects({"kind": [b"7"], "colour": [b"red"], "size": [b"small"],
        ...                "x": [9], "y": [50]})
        [Object(kind='7', colour='red', size='small', x=9, y=50)]
    """
    words = [[_text(value) for value in features[name]] for name in ("kind", "colour", "size")]
    places = [[int(value) for value in features[name]] for name in ("x", "y")]
    return [Object(*row) for row in zip(*words, *places, strict=True)]


def has_test_only_pair(objects: Iterable[Object]) -> bool:
    """Return whether the scene shows a colour and kind together that are never so in training.

    Example:
        >>> has_test_only_pair([Object("triangle", "green", "small", 12, 40)])
        True
    """
    return any((o.colour, o.kind) in TEST_ONLY for o in objects)


def sample_scene(rng: Random, *, novel: bool = False) -> tuple[Object, ...]:
    """Draw the layout of one scene: 1 to 4 objects whose boxes keep apart.

    Args:
        rng: the source of all randomness.
        novel: whether the scene may show test-only pairs. A fifth of such scenes has exactly
            one, the others have none.
    """
    count = rng.choices((1, 2, 3, 4), _COUNT_ODDS)[0]
    wanted = int(novel and rng.random() < _NOVEL_ODDS)
    while True:
        looks = _sample_looks(rng, count)
        if sum((colour, kind) in TEST_ONLY for kind, colour, _ in looks) == wanted:
            break
    quarters = sorted(rng.sample(range(4), count))
    return tuple(
        Object(*look, *_centre(rng, quarter, look[-1]))
        for look, quarter in zip(looks, quarters, strict=True)
    )


def render(
    objects: Iterable[Object],
    rng: Random,
    handwriting: Mapping[str, Sequence[np.ndarray]],
) -> np.ndarray:
    """Draw a scene, anti-aliased, on a dark background of slightly varied tint.

    Args:
        objects: what to draw.
        rng: picks the background's tint and each digit's image.
        handwriting: for every digit, its images: uint8 `[8, 8]`, bright ink.

    Returns:
        uint8 `[64, 64, 3]`.
    """
    level = rng.randrange(16, 48)
    tint = tuple(level + rng.randint(-6, 6) for _ in "rgb")
    side = IMAGE_SIZE * _OVERSAMPLING
    canvas = Image.new("RGB", (side, side), tint)
    pen = ImageDraw.Draw(canvas)
    for item in objects:
        radius = SIZES[item.size] * _OVERSAMPLING / 2
        x, y = item.x * _OVERSAMPLING, item.y * _OVERSAMPLING
        if item.kind in handwriting:
            images = handwriting[item.kind]
            ink = _ink(rng.choice(images), round(2 * radius))
            canvas.paste(COLOURS[item.colour], (round(x - radius), round(y - radius)), ink)
        elif item.kind == "circle":
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), COLOURS[item.colour])
        else:
            outline = [(x + radius * u, y + radius * v) for u, v in _OUTLINES[item.kind]]
            pen.polygon(outline, COLOURS[item.colour])
    return np.asarray(canvas.reduce(_OVERSAMPLING))


def _sample_looks(rng: Random, count: int) -> list[tuple[str, str, str]]:
    """Return the kind, colour and size of every object."""
    looks: list[tuple[str, str, str]] = []
    for _ in range(count):
        kind = rng.choice(DIGITS if rng.random() < _DIGIT_ODDS else SHAPES)
        colour = rng.choice(list(COLOURS))
        if looks and rng.random() < _ECHO_ODDS:
            colour = looks[-1][1]
        if looks and rng.random() < _ECHO_ODDS:
            kind = looks[-1][0]
        looks.append((kind, colour, rng.choice(list(SIZES))))
    return looks


def _centre(rng: Random, quarter: int, size: str) -> tuple[int, int]:
    """Draw a point in a quarter of the image, such that the object's box stays inside it."""
    half = IMAGE_SIZE // 2
    reach = min(_JITTER, (half - SIZES[size]) // 2 - _GAP)
    row, column = divmod(quarter, 2)
    return (
        column * half + half // 2 + rng.randint(-reach, reach),
        row * half + half // 2 + rng.randint(-reach, reach),
    )


def _ink(image: np.ndarray, side: int) -> Image.Image:
    """Return a digit's image as a mask with `side` pixels a side, its strokes made crisp."""
    smooth = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    return smooth.point(_CRISP)


def _around(turns: Iterable[float], radii: Iterable[float]) -> list[tuple[float, float]]:
    """Return points by clockwise turns from the top and distances from the centre."""
    return [
        (radius * math.sin(2 * math.pi * turn), -radius * math.cos(2 * math.pi * turn))
        for turn, radius in zip(turns, radii, strict=True)
    ]


_CRISP = [min(255, max(0, round(2.2 * (level - 60)))) for level in range(256)]
_OUTLINES = {
    "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    "triangle": [(0.0, -1.0), (1.0, 0.85), (-1.0, 0.85)],
    "diamond": [(0.0, -1.0), (0.8, 0.0), (0.0, 1.0), (-0.8, 0.0)],
    "star": _around([step / 10 for step in range(10)], [1.05, 0.45] * 5),
}


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
