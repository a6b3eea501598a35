"""How clips are read, and what they are then."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tasks.common.networks import Network
from tasks.video_classification.joints import centred
from zoo.errors import UserError


class Reading(NamedTuple):
    """How clips are read.

    Attributes:
        frame_shape: height, width, channels; or the number of features of a sequence.
        rate: frames a second; 0 for all.
        keep: frames in the middle of a longer clip that are kept; 0 for all.
        network: what looks at the frames, each of which is a vector then; None for nothing.
    """

    frame_shape: tuple[int, ...]
    rate: float = 0.0
    keep: int = 0
    network: Network | None = None

    @property
    def step(self) -> tuple[tuple[int, ...], str]:
        """Return the shape and the dtype of a time step as it is kept."""
        if self.network:
            return (self.network.shape[-1],), "float16"
        return self.frame_shape, "uint8" if len(self.frame_shape) == 3 else "float32"

    @property
    def key(self) -> list[Any]:
        """Return what decides what is kept of a clip, but for the shape, for the key of a cache."""
        seen = [*self.network.key, *self.frame_shape] if self.network else []
        return [self.rate, self.keep, *seen]

    def title(self, name: str) -> str:
        """Return what is done with the clips of a data set."""
        return f"{self.network.name} looks at {name}" if self.network else f"reading {name}"

    def seen(self, frames: np.ndarray) -> np.ndarray:
        """Return frames, or what the network sees in them."""
        return self.network.vectors_of(frames) if self.network else frames


class Clips(NamedTuple):
    """Clips of a split, one after the other.

    Attributes:
        steps: `[all steps, *frame_shape]`, uint8 or float32, on disk.
        starts: where each clip begins in it, `[N]`.
        lengths: time steps of each, `[N]`.
        labels: class of each, `[N]`.
        raw: reads the frames of a clip by its index, where the steps are what a network saw.
    """

    steps: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray
    raw: Callable[[int], np.ndarray] | None = None

    def clip(self, index: int) -> np.ndarray:
        """Return the steps of one clip."""
        start = self.starts[index]
        return self.steps[start : start + self.lengths[index]]

    def frames(self, index: int) -> np.ndarray:
        """Return the steps of one clip as no network has seen them."""
        return self.raw(index) if self.raw else self.clip(index)


def check_shape(shape: Sequence[int]) -> None:
    """Raise if a time step is neither a frame nor a vector.

    Raises:
        UserError: it is not.
    """
    right = len(shape) == 1 or (len(shape) == 3 and shape[2] in (1, 3))
    if not right or min(shape) < 1:
        raise UserError(
            f"frame_shape is {shape}, but height, width and 1 or 3 channels are needed, such as "
            "[64, 64, 3]"
        )


def mean_and_deviation(clips: Clips, joints: int = 0) -> tuple[list[float], list[float]]:
    """Return each feature's mean and deviation over time; 1 for one that never changes.

    Args:
        clips: of vectors.
        joints: coordinates of each joint, where they are bodies: these are centred before.
    """
    steps = np.concatenate([clips.clip(index) for index in range(len(clips.lengths))])
    steps = centred(steps, joints).numpy() if joints else steps
    deviation = steps.std(axis=0, dtype=np.float64)
    deviation[deviation == 0] = 1.0
    return steps.mean(axis=0, dtype=np.float64).tolist(), deviation.tolist()
