"""Classification of a video, or of a sequence of vectors."""

from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from tasks.common.base import spread
from tasks.common.classes import class_case
from tasks.common.classification import Classification
from tasks.common.folds import check_fold, check_own
from tasks.common.images import fit_frames
from tasks.common.networks import SIDE, open_network
from tasks.common.sources import own_path
from tasks.common.splits import RULE
from tasks.common.streams import as_step
from tasks.video_classification.clips import NamedClips, OwnClips
from tasks.video_classification.dataset import drawn_points
from tasks.video_classification.joints import centred, check_joints, other_sides
from tasks.video_classification.over_time import serve_over_time
from tasks.video_classification.reading import Clips, Reading, check_shape, mean_and_deviation
from tasks.video_classification.windows import clip_windows
from zoo.errors import UserError
from zoo.evaluation.plots import confidence_figure
from zoo.readers.panel import Movement, Panel
from zoo.registry import register
from zoo.task import Case
from zoo.topologies.base import SequenceModel
from zoo.training.settings import Settings

_CLIP_LENGTH, _EXAMPLE = 16, 128
_DRAWN_STEPS, _DRAWN_DEVIATIONS = 32, 2.5
"""Of a movement that is drawn: its time steps, and how far from the mean the plane's edges are."""
_ROOM = 2**28
"""Bytes of clips that `cases` may hold."""


@register(
    "task",
    "video_classification",
    topology="many_to_one",
    dataset="moving_digits",
    input=("video", "sequence"),
    baseline="naive",
)
class VideoClassification(Classification):
    """Says which of some classes a clip shows.

    Clips are videos, or sequences of vectors, such as the joints of a skeleton or the values of
    sensors, and may differ in length. Frames are cut to the proportion of `frame_shape`, their
    middle kept, and resized. Vectors are normalised by the training data's means and deviations.

    Args:
        dataset: name of a tensorflow-datasets set with `video` and `label`; or the path of a
            folder, a csv or a `.npz` of the user's, see
            `tasks.video_classification.sources.find_clips`.
        data_dir: folder of prepared data sets, and of decoded clips.
        frames_per_second: at which video files are read; 0 for all of their frames. A `.npy`,
            a folder of frames and the sets of tensorflow-datasets do not tell their rate, and are
            read as they are, but for `ucf101`, which has 25 a second.
        clip_length: time steps that a model is shown at once; 0 for 16 frames of a video, and for
            the whole of a sequence. Of a longer clip it is the middle, and in training any part.
        whole: show longer clips whole, in windows of `clip_length` from which the state is
            carried to the next; the class is told after the last.
        epoch_windows: the least batches of an epoch of training: a small set is gone through
            several times, of longer clips another part each time.
        columns: of text files of numbers and of a table of sequences, those that are read, by
            their names in the first line or their numbers, such as "x,y,z" or "2,3,4"; "" for all.
        classes: names of the classes; read from the data set if not given.
        frame_shape: height, width and channels (1 or 3) to which frames are brought; for
            sequences, the number of features. If not given, those of the data set's own frames if
            they are small; else 64, 64 and 3.
        network: name of a network in `keras.applications`, such as "MobileNetV2", that looks at
            each frame in the place of a model's own encoder; frames are then 224, 224 and 3 if
            nothing else is said. What it sees is computed once, and kept.
        weights: file of its weights; nothing is downloaded.
        joints: 2 or 3 for vectors that are the joints of a body, so many coordinates each, one
            joint after the other: across, up and, if there is a third, forward. Their middle is
            then the origin of each time step, and where the model augments, bodies of three are
            turned about the vertical in training. 0 for other vectors.
        mirror: pairs of joints that lie on two sides, counted from 0, such as "4-8,5-9": half of
            the bodies are then mirrored in training. Not where classes tell left from right.
        mean: of each feature of a sequence; measured on the training data if not given.
        deviation: likewise.
        split_rule: see `DataTask`; clips have never been split by another.
        fold: of a person's own data, the part that is held out for the test, such as "2/5", the
            second of five; "" for the usual splits. `zoo fit --folds 5` takes each in turn, and
            then learns from all, "all/5".

    Raises:
        UserError: an option is out of range, or the data set cannot be read.
    """

    default_dataset = "moving_digits"
    counted = "clips"
    pipeline_tag = "video-classification"
    limits = (
        "It names one of its classes for any clip, also for one that shows none of them, and knows "
        "only clips like those of its data set, at their frame rate."
    )
    learned = (*Classification.learned, "frame_shape", "mean", "deviation")

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        frames_per_second: float = 8.0,
        clip_length: int = 0,
        whole: bool = False,
        epoch_windows: int = 100,
        columns: str = "",
        classes: list[str] | None = None,
        frame_shape: list[int] | None = None,
        network: str = "",
        weights: str = "",
        joints: int = 0,
        mirror: str = "",
        mean: list[float] | None = None,
        deviation: list[float] | None = None,
        split_rule: str = RULE,
        fold: str = "",
    ) -> None:
        super().__init__(dataset, data_dir, split_rule)
        self.fold = check_fold(fold)
        for name, value, least in (
            ("frames_per_second", frames_per_second, 0),
            ("clip_length", clip_length, 0),
            ("epoch_windows", epoch_windows, 1),
        ):
            if value < least:
                raise UserError(f"{name} is {value}, but {least} or more is needed")
        self.frames_per_second, self.clip_length = frames_per_second, clip_length
        self.whole, self.epoch_windows = whole, epoch_windows
        self.columns = columns
        self._opened: dict[tuple[str, str | None], NamedClips | OwnClips] = {}
        self.classes = classes or self._source.classes
        if frame_shape is None and isinstance(self._source, OwnClips):
            # Files to predict from may hold more columns than were measured.
            self.columns = ",".join(self._source.columns)
        self.frame_shape = [int(size) for size in frame_shape or self._shape(network)]
        check_shape(self.frame_shape)
        if network and not self.is_video:
            raise UserError(f"{network} looks at pictures, but {self.dataset} has vectors")
        self.network = open_network(network, weights, self.frame_shape)
        self.input_kind = "video" if self.is_video else "sequence"
        self.joints, self.mirror = joints, mirror
        if joints:
            check_joints(joints, self.frame_shape)
            other_sides(mirror, self.frame_shape[0] // joints)
        elif mirror:
            raise UserError(
                f"mirror is {mirror}, but joints is 0: of what is not said to be joints"
            )
        self.mean, self.deviation = mean, deviation
        if not self.is_video and (mean is None or deviation is None):
            self.mean, self.deviation = mean_and_deviation(self._clips("train"), joints)

    @property
    def is_video(self) -> bool:
        """Return whether clips are pictures, and not vectors."""
        return len(self.frame_shape) == 3

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "fold": self.fold,
            "frames_per_second": self.frames_per_second,
            "clip_length": self.clip_length,
            "whole": self.whole,
            "epoch_windows": self.epoch_windows,
            "columns": self.columns,
            "classes": self.classes,
            "frame_shape": self.frame_shape,
            "network": self.network.name if self.network else "",
            "weights": self.network.weights if self.network else "",
            "joints": self.joints,
            "mirror": self.mirror,
            "mean": self.mean,
            "deviation": self.deviation,
        }

    def model_options(self) -> dict[str, Any]:
        """Return the number of classes and the size of the frames; vectors need no encoder."""
        if self.network:
            seen = {"frame_shape": self.network.shape[-1:], "encoder": "pooled"}
            return {"classes": len(self.classes), **seen}
        sizes = {"classes": len(self.classes), "frame_shape": self.frame_shape}
        if self.is_video:
            return sizes
        sizes = {**sizes, "encoder": "none"}
        if not self.joints:
            return sizes
        # Bodies are turned before they are normalised.
        return {
            **sizes,
            "coordinates": self.joints,
            "other_sides": other_sides(self.mirror, self.frame_shape[0] // self.joints),
            "mean": self.mean,
            "deviation": self.deviation,
        }

    def input_options(self) -> dict[str, Any]:
        """Return how a video of the user's is read: as those in training were."""
        if not self.is_video:
            return {"columns": self._columns} if self.columns else {}
        rate, size = self.frames_per_second, self.frame_shape[:2]
        return {"frames_per_second": rate, "frame_size": size}

    def check(self, model: SequenceModel) -> None:
        """Refuse whole clips for a model without a state that is carried."""
        if self.whole and not model.steppable:
            raise UserError(
                "the model reads clips from both ends, so that it cannot be shown them window by "
                "window: leave out `whole`, or choose another, such as video-lstm"
            )

    def windows(self, split: str, settings: Settings, seed: int | None = None) -> tf.data.Dataset:
        """Return clips `[B, T, *frame_shape]` with their lengths `[B]`, one target each."""
        windows = self.raw_windows(split, settings, seed)
        return windows if self.is_video else windows.map(self._normalised)

    def raw_windows(
        self, split: str, settings: Settings, seed: int | None = None
    ) -> tf.data.Dataset:
        """Read windows in which vectors are not normalised."""
        clips = self._clips(split)
        length = self._clip_length or (settings.window if self.whole else 0)
        longest = int(clips.lengths.max())
        window = min(length, longest) if length else longest
        least = self.epoch_windows
        return clip_windows(clips, settings.batch_size, window, self.whole, seed, least)

    def prepared(self, steps: Any) -> Any:
        """Normalise vectors by the training data's means and deviations; frames stay as they are.

        Bodies are told from the middle of their joints, and normalised by the model.

        `step` and `forward` of an export do this themselves, so that they take a sensor's values.
        """
        if self.is_video:
            return steps
        if self.joints:
            return centred(steps, self.joints)
        return (steps - tf.constant(self.mean)) / tf.constant(self.deviation)

    def panel(self) -> Panel:
        """Return a plane to draw a movement in, of points in a plane; for other vectors a note."""
        if self.is_video:
            return super().panel()
        if self.dataset == "moving_points":
            note = "In training a digit went, turned or grew once or twice around."
            return Panel("movement", drawn_points(), note)
        size, instead = self.frame_shape[0], "give a file, or take an example"
        if self.joints:
            bodies = f"Bodies of {size // self.joints} joints are not drawn here"
            return Panel(note=f"{bodies}: {instead}.")
        if size != 2 or self.mean is None or self.deviation is None:
            return Panel(note=f"{size} numbers a step are no point in a plane to draw: {instead}.")
        ends = np.outer([-1, 1], np.multiply(self.deviation, _DRAWN_DEVIATIONS)) + self.mean
        low, high = ((float(across), float(down)) for across, down in ends)
        return Panel("movement", Movement(self._clip_length or _DRAWN_STEPS, low=low, high=high))

    def plot(self, model: SequenceModel, raw: Any) -> Figure:
        """Draw how sure the model was of each class after each frame."""
        answer = self.served(model)["serve"](raw[None])
        return confidence_figure(self.classes, answer["confidence"][0])

    def endpoints(self, model: SequenceModel) -> dict[str, Any]:
        """Return `serve`: clips to what `tasks.common.data.likeliest` returns, and `confidence`.

        Clips are RGB `[N, T, h, w, 3]`, uint8, or vectors `[N, T, D]`, float32. `text` is the
        likeliest class after the last frame. `confidence` `[N, T, classes]` holds the probability
        of each after each frame; `classes` `[N, classes]` their names.

        Beside it, of a model that has steps, are `serve_part`, see `serve_over_time`, and `read`
        and `tell`, see `tasks.common.streams`.
        """
        size, kind = (
            ([None, None, 3], tf.uint8) if self.is_video else (self.frame_shape, tf.float32)
        )
        clips = tf.TensorSpec([None, None, *size], kind, name="clips")

        served = serve_over_time(model, clips, self._prepared, self._over_time)
        if not model.steppable:
            return served

        @tf.function(
            input_signature=[tf.TensorSpec([1, *clips.shape[1:]], kind, name="clips")],
            autograph=False,
        )
        def read(clips: Any) -> dict[str, Any]:
            shown = self._prepared(clips) if self.is_video else clips
            return {"x": as_step(model, shown[0])}

        return {**served, "read": read, "tell": self.tell()}

    def numbers(self) -> str:
        """Return what `forward` and `step` take, for the card."""
        if self.network:
            return (
                f"`forward` and `step` take the {self.network.shape[-1]} numbers that "
                f"{self.network.name} sees in a frame: its last convolution, averaged over all "
                "places."
            )
        if self.is_video:
            return f"`forward` and `step` take frames of {self.frame_shape}, 0 to 255."
        return (
            f"`forward` and `step` take the {self.frame_shape[0]} numbers of a time step as they "
            "are measured: they are normalised inside."
        )

    def resources(self) -> list[Any]:
        """Return the network's weights."""
        return self.network.variables() if self.network else []

    def examples(self) -> list[np.ndarray]:
        """Return three test clips, or their beginnings."""
        some = self._source.some(3, self._reading, self.classes)
        clips = [np.array(clip[:_EXAMPLE]) for clip in some]
        if not self.is_video:
            return clips
        return [np.repeat(clip, 3 // clip.shape[-1], axis=-1) for clip in clips]

    def cases(self, count: int) -> list[Case]:
        """Return test clips and their classes."""
        clips = self._clips("test")
        one = np.array(clips.frames(0)[:_EXAMPLE]).nbytes
        chosen = spread(len(clips.lengths), min(count, max(1, _ROOM // one)))
        shown = [np.array(clips.frames(place)[:_EXAMPLE]) for place in chosen]
        if self.is_video:
            shown = [np.repeat(clip, 3 // clip.shape[-1], axis=-1) for clip in shown]
        names = [self.classes[int(clips.labels[place])] for place in chosen]
        return [class_case(clip, name) for clip, name in zip(shown, names)]

    @property
    def _source(self) -> NamedClips | OwnClips:
        """Return the data set, which `zoo.evaluate` may change."""
        at = (self.dataset, self.data_dir)
        if at not in self._opened:
            path = own_path(self.dataset, self.default_dataset)
            if self.columns and not path:
                raise UserError(
                    f"columns are {self.columns}, but {self.dataset} is a data set by name: only "
                    "text files of numbers have columns"
                )
            if path:
                own = OwnClips(str(path), self.data_dir, self._columns, self.fold)
                self._opened[at] = own
            else:
                check_own(self.fold, self.dataset)
                self._opened[at] = NamedClips(*at)
        return self._opened[at]

    @property
    def _columns(self) -> list[str]:
        return [name.strip() for name in self.columns.split(",") if name.strip()]

    @property
    def _clip_length(self) -> int:
        return self.clip_length or (_CLIP_LENGTH if self.is_video else 0)

    @property
    def _reading(self) -> Reading:
        # Twice the length, for training to draw a part of it.
        keep = 0 if self.whole else 2 * self._clip_length
        return Reading(tuple(self.frame_shape), self.frames_per_second, keep, self.network)

    def _clips(self, split: str) -> Clips:
        return self._source.clips(split, self._reading, self.classes)

    def _prepared(self, clips: Any) -> Any:
        """Return raw clips as a model takes them."""
        if not self.is_video:
            return self.prepared(clips)
        frames = fit_frames(clips, self.frame_shape)
        if not self.network:
            return frames
        vectors = self.network.vectors(tf.reshape(frames, [-1, *self.frame_shape]))
        return tf.reshape(vectors, [*tf.unstack(tf.shape(frames)[:2]), vectors.shape[-1]])

    def _shape(self, network: str) -> list[int]:
        """Return the size that frames are brought to, or that of the vectors."""
        shape = self._source.frame_shape()
        return [SIDE, SIDE, 3] if network and len(shape) == 3 else shape

    def _normalised(self, window: dict[str, Any]) -> dict[str, Any]:
        inputs = {**window["inputs"], "frames": self.prepared(window["inputs"]["frames"])}
        return {**window, "inputs": inputs}

    def _over_time(self, logits: Any) -> dict[str, Any]:
        """Return the readable answer of logits `[N, T, classes]`."""
        names = tf.tile(tf.constant([self.classes]), [tf.shape(logits)[0], 1])
        steps = {"confidence": tf.nn.softmax(logits), "classes": names}
        return {**self.likeliest(logits[:, -1]), **steps}
