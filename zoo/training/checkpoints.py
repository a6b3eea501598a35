"""Checkpoints of a training run: all that the next step depends on, whole or not at all."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import UserError
from zoo.utils.files import flush_folder

MOST_FILES = 3


@dataclass
class Position:
    """Where a run is.

    Attributes:
        epoch: whole epochs done.
        step: windows done of the epoch after them.
        updates: of the weights, in all.
        totals: the sums that this epoch's metrics come from.
        seconds: of training so far.
        clipped: updates of this epoch whose gradient was scaled down.
        history: each epoch's metrics.
    """

    epoch: int = 0
    step: int = 0
    updates: int = 0
    totals: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    seconds: float = 0.0
    clipped: int = 0
    history: list[dict[str, float]] = field(default_factory=list)

    def end_epoch(self, metrics: dict[str, float]) -> None:
        """Count one epoch more as done, and start the next one."""
        self.history.append(metrics)
        self.epoch, self.step, self.totals = self.epoch + 1, 0, [0.0] * len(self.totals)
        self.clipped = 0


@dataclass(frozen=True)
class Checkpoint:
    """A position, and the numbers that belong to it.

    Attributes:
        position: where the run was.
        variables: of model and optimizer, the seeds of dropout among them.
        state: the parts of the carried state; empty between epochs.
    """

    position: Position
    variables: list[np.ndarray]
    state: list[np.ndarray]


class Checkpoints:
    """The last three checkpoints of a run, `step-<n>.npz`.

    Each is written beside its place, flushed and renamed, so that a file of that name is whole; one
    that cannot be read nevertheless is passed over for the one before.

    Args:
        folder: where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def save(self, checkpoint: Checkpoint, number: int) -> None:
        """Keep a checkpoint, after `number` updates in all.

        Raises:
            UserError: it cannot be written; those before it stay.
        """
        position = np.frombuffer(json.dumps(asdict(checkpoint.position)).encode(), "uint8")
        arrays: dict[str, Any] = {"position": position}
        arrays |= {f"variable-{n}": array for n, array in enumerate(checkpoint.variables)}
        arrays |= {f"state-{n}": array for n, array in enumerate(checkpoint.state)}
        scratch = self.folder / "saving.npz"
        try:
            with scratch.open("wb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, self.folder / f"step-{number:09}.npz")
            flush_folder(self.folder)
            for path in self._paths()[:-MOST_FILES]:
                path.unlink()
        except OSError as error:
            scratch.unlink(missing_ok=True)
            raise UserError(
                f"cannot save a checkpoint in {self.folder}: {error.strerror or error}; "
                "those before it stay good"
            ) from error

    def newest(self) -> tuple[Checkpoint | None, list[str]]:
        """Return the newest that can be read, or None, and a line for each newer one that cannot.

        Nothing is written.
        """
        unreadable: list[str] = []
        for path in reversed(self._paths()):
            try:
                return _read(path), unreadable
            # Anything may come of a damaged archive: of zipfile, zlib, numpy, json, or a size that
            # no memory holds.
            except Exception as error:
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                unreadable.append(f"{path} cannot be read ({reason})")
        return None, unreadable

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.npz"))


def _read(path: Path) -> Checkpoint:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    position = _position(json.loads(arrays.pop("position").tobytes()))
    variables, state = (
        [arrays[f"{kind}-{n}"] for n in range(sum(name.startswith(kind) for name in arrays))]
        for kind in ("variable", "state")
    )
    return Checkpoint(position, variables, state)


def _position(values: dict[str, Any]) -> Position:
    """Return the position of JSON values.

    Raises:
        TypeError: they are not those of a position.
    """
    position = Position(**values)
    for field_, usual in asdict(Position()).items():
        value = getattr(position, field_)
        kinds = (int, float) if isinstance(usual, float) else type(usual)
        if not isinstance(value, kinds):
            raise TypeError(f"its {field_} is {str(value)[:40]!r}")
    return position
