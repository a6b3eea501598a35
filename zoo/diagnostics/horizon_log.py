"""A callback that draws how far back gradients reach while a model trains."""

import io
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.diagnostics.diagnosis import lags_of, window_loss
from zoo.errors import UserError
from zoo.evaluation.diagnosis_plots import horizon_figure
from zoo.training.objectives import Objective
from zoo.typing import Window


class HorizonLog(keras.callbacks.Callback):
    """Measures the effective horizon before training and after each epoch.

    For each recurrence it writes the scalar `horizon/<layer>` for TensorBoard, all steps where the
    gradient never falls under 1%, and a picture of all so far, which also is a file.

    Args:
        folder: TensorBoard's, a folder of the logs.
        path: the PNG.
        objective: what is trained for.
        windows: as `first_windows` gives them.
    """

    def __init__(
        self, folder: Path, path: Path, objective: Objective, windows: Sequence[Window]
    ) -> None:
        super().__init__()
        self.folder, self.path = Path(folder), Path(path)
        self.objective, self.windows = objective, list(windows)
        self.horizons: dict[str, list[float]] = {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Measure the model as it starts, or goes on.

        Raises:
            UserError: it has no recurrence, or computes in half precision.
        """
        if self.model.compute_dtype != "float32":
            raise UserError(
                f"diagnose measures gradients in float32, not in {self.model.compute_dtype}: leave "
                "out one of diagnose and precision"
            )
        self.writer = tf.summary.create_file_writer(str(self.folder))
        self._measure(0)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measure the model after the epoch."""
        try:
            self._measure(epoch + 1)
        except UserError as error:
            # A gradient that has exploded has no horizon, and need not end the training.
            print(f"no horizon after epoch {epoch + 1}: {error}", file=sys.stderr)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the file of the logs."""
        self.writer.close()

    def _measure(self, epoch: int) -> None:
        lags = lags_of(self.model, window_loss(self.model, self.objective, self.windows))
        steps = max(each.steps for each in lags.values())
        for layer, each in lags.items():
            horizon = each.horizon()
            known = self.horizons.setdefault(layer, [])
            known.append(math.inf if horizon is None else float(horizon))
        figure = horizon_figure(self.horizons, steps)
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=80)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(png.getvalue())
        with self.writer.as_default(step=epoch):
            for layer, values in self.horizons.items():
                tf.summary.scalar(f"horizon/{layer}", min(values[-1], steps))
            tf.summary.image("horizon", tf.image.decode_png(png.getvalue())[None])
        self.writer.flush()
