"""Classification of a video."""

from typing import Any

import numpy as np
import tensorflow as tf

import tasks.video_classification.dataset  # noqa: F401  makes `moving_digits` known by name
from tasks.data import check_classes, class_names, likeliest, load_split
from tasks.images import fit_frames
from zoo.errors import UserError
from zoo.registry import register
from zoo.task import Task
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings
from zoo.training.windows import example_windows


@register(
    "task", "video_classification", topology="many_to_one", dataset="moving_digits", input="video"
)
class VideoClassification(Task):
    """Says which of some classes a clip shows.

    Any tensorflow-datasets set with `video`, all frames of one size, and `label` will do. Clips may
    differ in length: each is one window, padded to the longest.

    Args:
        dataset: its name.
        data_dir: folder of prepared data sets.
        classes: names of the classes; read from the data set if not given.
        frame_shape: height, width and channels of a frame, likewise.
    """

    input_kind = "video"
    default_dataset = "moving_digits"
    monitor = "val_accuracy"

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        classes: list[str] | None = None,
        frame_shape: list[int] | None = None,
    ) -> None:
        super().__init__(dataset, data_dir)
        self.classes = classes or class_names(self.dataset, self.data_dir)
        self.frame_shape = frame_shape or list(self._some(1)[0].shape[1:])

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "classes": self.classes, "frame_shape": self.frame_shape}

    def model_options(self) -> dict[str, Any]:
        """Number of classes and size of the frames."""
        return {"classes": len(self.classes), "frame_shape": self.frame_shape}

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Clips `[B, T, h, w, c]` with their lengths `[B]`, one target each."""
        check_classes(self.classes, self.dataset, self.data_dir)
        examples = load_split(self.dataset, split, self.data_dir, ("video", "label"))
        lengths = np.array([len(example["video"]) for example in examples], "int32")
        frames = np.zeros((len(examples), lengths.max(), *self.frame_shape), "uint8")
        for row, example in zip(frames, examples):
            if (size := list(example["video"].shape[1:])) != list(self.frame_shape):
                raise UserError(
                    f"the data set {self.dataset} has frames of {size}, but {self.frame_shape} "
                    "are needed"
                )
            row[: len(example["video"])] = example["video"]
        labels = np.array([example["label"] for example in examples])
        inputs = {"frames": frames, "lengths": lengths}
        return example_windows(inputs, labels, np.ones(len(labels)), settings.batch_size, seed)

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """`serve`: RGB clips `[N, T, h, w, 3]`, uint8, to `text` (the class) and `probability`."""
        clips = tf.TensorSpec([None, None, None, None, 3], tf.uint8, name="clips")

        @tf.function(input_signature=[clips])
        def serve(clips: Any) -> dict[str, Any]:
            size = tf.shape(clips)
            inputs = {
                "frames": fit_frames(clips, self.frame_shape),
                "lengths": tf.fill([size[0]], size[1]),
            }
            return likeliest(self.classes, model(inputs))

        return {"serve": serve}

    def examples(self) -> list[np.ndarray]:
        """Three test clips."""
        return [np.repeat(clip, 3 // clip.shape[-1], axis=-1) for clip in self._some(3)]

    def _some(self, count: int) -> list[np.ndarray]:
        examples = load_split(self.dataset, f"test[:{count}]", self.data_dir, ("video", "label"))
        return [example["video"] for example in examples]
