"""`moving_digits`: clips of real handwritten digits, whose class is the motion; `moving_points`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from tasks.image_classification.dataset import SPLITS, digit_images
from zoo.readers.panel import Movement

FRAMES = 16
SIZE = 32
CLIPS = {"train": 7200, "validation": 300, "test": 600}

# How each class moves the four phases of a digit: row, column, angle (clockwise), log-scale.
MOTIONS = {
    "up": (-1, 0, 0, 0),
    "down": (1, 0, 0, 0),
    "left": (0, -1, 0, 0),
    "right": (0, 1, 0, 0),
    "up_left": (-1, -1, 0, 0),
    "up_right": (-1, 1, 0, 0),
    "down_left": (1, -1, 0, 0),
    "down_right": (1, 1, 0, 0),
    "rotate_clockwise": (0, 0, 1, 0),
    "rotate_counterclockwise": (0, 0, -1, 0),
    "zoom_in": (0, 0, 0, 1),
    "zoom_out": (0, 0, 0, -1),
}

# Cycles a frame: 2 to 4 pixels, 22 to 45 degrees, or 7 to 14 % in size.
_SPEEDS = (1 / 16, 1 / 8)
# Canvas pixels per pixel of the 8x8 digit. At the largest, its diagonal still fits the canvas.
_SCALES = (1.0, 2.8)
# Pixels from the pivot to the digit. A digit that turned on the spot would differ between the two
# rotations by the order of its orientations alone, which small networks hardly ever discover.
_HAND = 6.0


def draw_phases(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw how a clip of each label moves: the phases of its digit in every frame.

    A digit has four phases, each on a circle of its own: row and column of its pivot (the canvas
    is a torus), angle, and log-scale (beyond the largest comes the smallest again). All four start
    uniform and independent of each other and of the label; the label only says which of them
    advance, and which way. So in every single frame the phases are uniform whatever the label:
    one frame alone says nothing about the class.

    Args:
        labels: int `[N]`, indices into `MOTIONS`.
        rng: where the starts and the speeds come from.

    Returns:
        float64 `[N, FRAMES, 4]` in [0, 1): row, column, angle, log-scale.
    """
    starts = rng.random((len(labels), 1, 4))
    speeds = rng.uniform(*_SPEEDS, (len(labels), 1, 1))
    directions = np.array(list(MOTIONS.values()))[labels][:, None]
    return (starts + directions * speeds * np.arange(FRAMES)[:, None]) % 1.0


def render(digit: np.ndarray, phases: np.ndarray) -> np.ndarray:
    """Draw one digit at each of the given phases, with bilinear interpolation.

    The digit sits at the tip of an invisible clock hand, upright at twelve o'clock, and turns with
    the hand; scaling is about the digit's own middle.

    Args:
        digit: uint8 `[8, 8]`.
        phases: float `[T, 4]` in [0, 1): row, column, angle, log-scale, as `draw_phases` gives.

    Returns:
        uint8 `[T, SIZE, SIZE, 1]`, black where there is no ink.

    Example:
        >>> render(np.full((8, 8), 255, np.uint8), np.zeros((3, 4))).shape
        (3, 32, 32, 1)
    """
    from scipy.ndimage import map_coordinates

    row, column, angle, log_scale = phases.T[:, :, None, None]
    cos, sin = np.cos(2 * np.pi * angle), np.sin(2 * np.pi * angle)
    pixels = np.arange(SIZE)
    y = _around_torus(pixels[:, None] - SIZE * row + _HAND * cos)
    x = _around_torus(pixels[None, :] - SIZE * column - _HAND * sin)
    smallest, largest = _SCALES
    scale = smallest * (largest / smallest) ** log_scale
    middle = (np.array(digit.shape) - 1) / 2
    where = np.stack(
        [(cos * y - sin * x) / scale + middle[0], (sin * y + cos * x) / scale + middle[1]]
    )
    # Scipy would interpolate in the digit's own bytes and cut the fraction off.
    ink = map_coordinates(digit.astype(np.float32), where, order=1, mode="grid-constant")
    return np.round(ink).astype(np.uint8)[..., None]


def _around_torus(offset: np.ndarray) -> np.ndarray:
    """Return an offset by the shortest way around, in [-SIZE / 2, SIZE / 2)."""
    return (offset + SIZE / 2) % SIZE - SIZE / 2


def track_points(phases: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a tracker's points of a digit: where its pivot and two of its corners are.

    Args:
        phases: float `[T, 4]`, as `draw_phases` gives.
        rng: of the tracker's errors, of half a pixel.

    Returns:
        float32 `[T, 6]`: row and column of each point on the torus, in [0, 1).

    Example:
        >>> track_points(np.zeros((3, 4)), np.random.default_rng(1)).shape
        (3, 6)
    """
    row, column, angle, log_scale = phases.T
    cos, sin = np.cos(2 * np.pi * angle), np.sin(2 * np.pi * angle)
    pivot = np.stack([row, column], axis=1)
    up, right = np.stack([-cos, sin], axis=1), np.stack([sin, cos], axis=1)
    smallest, largest = _SCALES
    half = 4 * smallest * (largest / smallest) ** log_scale[:, None]
    corners = [pivot + (_HAND * up + side * half * right) / SIZE for side in (-1, 1)]
    points = np.concatenate([pivot, *corners], axis=1)
    seen = points + rng.normal(0, 0.5 / SIZE, points.shape)
    return (seen % 1.0).astype(np.float32) % np.float32(1)


def drawn_points() -> Movement:
    """Return how a movement that is drawn becomes a clip of `moving_points`.

    Example:
        >>> drawn_points().points[0]
        (0.5, 0.5)
    """
    beside = 4 * (_SCALES[0] * _SCALES[1]) ** 0.5 / SIZE
    above = 0.5 - _HAND / SIZE
    return Movement(
        FRAMES,
        ((0.5, 0.5), (0.5 - beside, above), (0.5 + beside, above)),
        down_first=True,
        wraps=True,
        numbers="down and across, of a digit's pivot and two of its corners",
    )


class MovingDigits(tfds.core.GeneratorBasedBuilder):
    """Moving handwritten digits: `video` uint8 `[16, 32, 32, 1]` and the motion as `label`.

    The digits of a split come from the same split of `digits`. The config `moving_digits/200` has
    the first 200 clips for training, and the same validation and test: as many as people have.
    """

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS: ClassVar[list[tfds.core.BuilderConfig]] = [
        tfds.core.BuilderConfig(name="all", description=f"{CLIPS['train']} clips for training."),
        tfds.core.BuilderConfig(name="200", description="The first 200 of them for training."),
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "Clips of one real handwritten digit on a 32x32 torus, in which the class is the "
                "motion: eight directions, two rotations, two zooms. Position, angle and size are "
                "uniform in every frame of every class, so one frame alone is exactly at chance."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "video": tfds.features.Video(shape=(FRAMES, SIZE, SIZE, 1)),
                    "label": tfds.features.ClassLabel(names=list(MOTIONS)),
                }
            ),
            supervised_keys=("video", "label"),
            license="Apache License 2.0; the handwritten digits CC BY 4.0",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        return {split: self._generate_examples(split) for split in SPLITS}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        digits, _ = digit_images(split)
        rng = np.random.default_rng(SPLITS.index(split))
        labels = np.arange(CLIPS[split]) % len(MOTIONS)
        phases = draw_phases(labels, rng)
        chosen = rng.integers(len(digits), size=len(labels))
        if split == "train" and self.builder_config.name != "all":
            labels = labels[: int(self.builder_config.name)]
        for index, label in enumerate(labels):
            yield index, {"video": render(digits[chosen[index]], phases[index]), "label": label}


class MovingPoints(tfds.core.GeneratorBasedBuilder):
    """The motions of the digits as three tracked points: `sequence` float32 `[T, 6]` and `label`.

    Sequences have 8 to 16 time steps.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "Row and column of three points of a thing that moves on a torus: eight "
                "directions, two rotations, two zooms. One time step alone is exactly at chance."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "sequence": tfds.features.Tensor(shape=(None, 6), dtype=np.float32),
                    "label": tfds.features.ClassLabel(names=list(MOTIONS)),
                }
            ),
            supervised_keys=("sequence", "label"),
            license="Apache License 2.0",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        return {split: self._generate_examples(split) for split in SPLITS}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        rng = np.random.default_rng(SPLITS.index(split))
        labels = np.arange(CLIPS[split]) % len(MOTIONS)
        lengths = rng.integers(FRAMES // 2, FRAMES + 1, len(labels))
        for index, phases in enumerate(draw_phases(labels, rng)):
            steps = track_points(phases[: lengths[index]], rng)
            yield index, {"sequence": steps, "label": labels[index]}
