"""A sequence in, one output: the class of a video, or a number."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from zoo import registry
from zoo.layers.augmentation import RandomView
from zoo.layers.differences import FrameDifferences
from zoo.layers.images import image_encoder
from zoo.layers.random_sequences import RandomBody, RandomGaps, RandomPace, RandomSignal
from zoo.layers.reading import PooledStack
from zoo.registry import register
from zoo.topologies.base import SequenceModel
from zoo.typing import State, Tensor
from zoo.utils.validation import check_shares


class ClipState(NamedTuple):
    """The state after the frames so far, and the last frame, where differences are looked at."""

    read: Tensor
    frame: Tensor = ()


@register(
    "architecture",
    "many_to_one",
    topology="many_to_one",
    inputs="video",
    outputs="class",
    example={"units": 12, "features": 10, "filters": (4, 6), "frame_shape": (10, 10, 1)},
)
@keras.saving.register_keras_serializable("zoo")
class ManyToOne(SequenceModel):
    """y = W pool(h_1, ..., h_T) + b, h_t = cell(encoder(x_t), state_(t-1)): a clip to its logits.

    Args:
        classes: how many; 1 for an answer that is a real number.
        frame_shape: height, width, channels; or the size of a vector, with the encoder "none".
        encoder: "linear", "mlp" or "cnn", applied to each frame, or "none", see
            `zoo.layers.images`; "pooled" for what another network sees in it; "maps" for a cell
            that is convolutional itself, "conv_lstm", whose outputs are averaged over all places.
        filters: channels of each block of the "cnn" and the "maps".
        features: size of the dense layer of "mlp" and "cnn".
        cell: name of the recurrent cell.
        units: size of each recurrent layer.
        layers: how many recurrent layers.
        dropout: share dropped before each recurrent layer and before the logits, in training.
        bidirectional: read the clip from both ends; it then has no steps, and no state is carried.
        pooling: "last" for the last output h_T; "mean", "max" or "attention" over all of them, see
            `zoo.layers.pooling`.
        two_stream: show a second encoder the difference of each frame from the one before, and the
            recurrent layers both vectors: motion beside looks, as in K. Simonyan and A. Zisserman,
            "Two-stream convolutional networks for action recognition in videos" (2014,
            arXiv:1406.2199), whose second stream saw optical flow.
        changes: show the encoder what changed in each frame since the one before, beside the frame
            itself, as further channels of it.
        normalization: "batch" or "group", of what the encoders "cnn" and "maps" compute, see
            `zoo.layers.images`.
        mixed: size of two dense layers that read the vector of each step, what changed in it
            included; their output stands beside it. 0 for none.
        augment: how differently a sequence is read each time in training: at another pace, see
            `RandomPace`; pictures moved, in other light and with a patch left blank, see
            `RandomView`; vectors scaled and with noise, see `RandomSignal`, and bodies turned, see
            `RandomBody`; 0..1, 0 for always the same. None for 0.3 if vectors are bodies, and else
            0: what others mean is not known.
        pace: how much of that is at another pace, cut and uneven; None for as much as `augment`.
            Not where a class is told by its speed.
        flip: whether half of the clips are mirrored in training.
        drop: chance of each step to be missing in training, so that the one before it stands, and
            of each feature or joint of vectors to be at its mean throughout, see `RandomGaps`.
        coordinates: of each joint that the vectors are of; 0 if they are of none.
        other_sides: for each joint the one on the other side: half of the bodies are mirrored then.
        mean: of each feature, subtracted after bodies are turned; empty for 0.
        deviation: likewise, what each is divided by; empty for 1.

    Raises:
        ValueError: `encoder`, `pooling` or `normalization` is none of these, or the encoder "maps"
            has another cell, or changes are shown twice.

    Example:
        >>> model = ManyToOne(classes=8, frame_shape=(16, 16, 1), cell="gru", units=16)
        >>> model(model.example_inputs(3)).shape
        TensorShape([3, 8])
    """

    steps_on = "frames"

    def __init__(
        self,
        classes: int = 8,
        frame_shape: Sequence[int] = (32, 32, 1),
        encoder: str = "cnn",
        filters: Sequence[int] = (16, 32, 48),
        features: int = 64,
        cell: str = "lstm",
        units: int = 128,
        layers: int = 1,
        dropout: float = 0.0,
        bidirectional: bool = False,
        pooling: str = "last",
        two_stream: bool = False,
        changes: bool = False,
        normalization: str = "batch",
        mixed: int = 0,
        augment: float | None = None,
        pace: float | None = None,
        flip: bool = False,
        drop: float = 0.0,
        coordinates: int = 0,
        other_sides: Sequence[int] = (),
        mean: Sequence[float] = (),
        deviation: Sequence[float] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if encoder == "maps" and "image_shape" not in registry.get("cell", cell).parameters:
            raise ValueError(
                f"the encoder is maps, but the cell {cell} takes vectors: choose a convolutional "
                "cell, such as conv_lstm, or the encoder cnn"
            )
        if mixed and encoder == "maps":
            raise ValueError(f"mixed is {mixed}, but the encoder is maps, whose places stay apart")
        if two_stream and changes:
            raise ValueError("two_stream and changes both show what changed: choose one")
        self.frame_shape = tuple(frame_shape)
        self.frame_dtype = "float32" if encoder in ("none", "pooled") else "uint8"
        self.steppable = not bidirectional
        if augment is None:
            augment = 0.3 if coordinates else 0.0
        check_shares(augment=augment)
        pace = augment if pace is None else pace
        self.pace = RandomPace(pace) if pace else None
        self.view, self.signal = None, None
        if len(self.frame_shape) == 3:
            self.view = RandomView(augment / 3, flip, augment) if augment or flip else None
        else:
            if coordinates and (augment or other_sides):
                self.view = RandomBody(augment / 2, coordinates, other_sides)
            self.signal = RandomSignal(augment) if augment and encoder == "none" else None
        together = max(coordinates, 1) if encoder == "none" else 0
        self.gaps = RandomGaps(drop, together) if drop else None
        self.mean, self.deviation = mean, deviation
        self.changes, shown = changes, list(frame_shape)
        if changes:
            shown[-1] *= 2
        encode = partial(image_encoder, encoder, filters=filters, units=features)
        self.encoder = encode(shown, normalization=normalization)
        self.differences: Any = None
        self.motion: Any = None
        if two_stream or changes:
            self.differences = FrameDifferences(frame_shape)
        if two_stream:
            self.motion = encode(frame_shape, normalization=normalization)
        self.mix = _mixing(mixed, dropout) if mixed else None
        image_shape = self.encoder.output_shape[1:3] if encoder == "maps" else None
        self.reader = PooledStack(cell, units, layers, dropout, bidirectional, pooling, image_shape)
        self.dropout = keras.layers.Dropout(dropout)
        self.head = keras.layers.Dense(classes)
        self._finish()

    def initial_state(self, batch_size: int | Tensor) -> State:
        """Return the state before anything is read; `()` of a bidirectional model."""
        if not self.steppable:
            return ()
        frame = self.differences.initial_state(batch_size) if self.differences else ()
        return ClipState(self.reader.initial_state(batch_size), frame)

    def call(
        self,
        inputs: Tensor,
        state: State = None,
        reset: Tensor = None,
        return_state: bool = False,
        training: bool | None = None,
    ) -> Tensor:
        """Compute logits `[B, classes]` after the last frame of each clip.

        Args:
            inputs: `frames` `[B, T, *frame_shape]`, pixels 0..255, with the encoder "none" any
                numbers; and `lengths` `[B]`, 0..T: a row of 0 is answered from its state.
            state: as `initial_state` gives it; None for the start of a clip.
            reset: `[B]` or `[B, T]`, true where a row starts a new clip.
            return_state: also give the state after the last frame.
            training: whether dropout acts.
        """
        lengths = ops.cast(inputs["lengths"], "int32")
        before, frames = state or ClipState(None, None), inputs["frames"]
        if self.pace:
            frames, lengths = self.pace(frames, lengths, training=training)
        if self.view:
            frames = self.view(frames, training=training)
        vectors, frame = self._vectors(frames, before.frame, lengths, reset, training)
        vector, read = self.reader(
            vectors, before.read, lengths=lengths, reset=reset, training=training
        )
        logits = self.head(self.dropout(vector, training=training))
        after = ClipState(read, frame) if self.steppable else ()
        return (logits, after) if return_state else logits

    def step(self, x_t: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one frame `[B, *frame_shape]`, and return the logits so far, and the new state."""
        vectors, frame = self._vectors(x_t[:, None], state.frame)
        vector, read = self.reader.step(vectors[:, 0], state.read)
        return self.head(vector), ClipState(read, frame)

    def frame_weights(self, inputs: Tensor) -> Tensor:
        """Return how much each frame counts `[B, T]`, with the pooling "attention"; rows sum to 1.

        Raises:
            ValueError: the pooling is another one.
        """
        lengths = ops.cast(inputs["lengths"], "int32")
        vectors, _ = self._vectors(inputs["frames"], None, lengths)
        return self.reader.time_weights(vectors, lengths)

    def example_inputs(self, batch_size: int = 2, time: int = 5) -> Any:
        """Return grey clips of full length, or vectors that are as plain."""
        value = 1 if self.frame_dtype == "float32" else 128
        frames = np.full((batch_size, time, *self.frame_shape), value, self.frame_dtype)
        return {"frames": frames, "lengths": np.full(batch_size, time, "int32")}

    def _vectors(
        self,
        frames: Tensor,
        frame: Tensor,
        lengths: Tensor = None,
        reset: Tensor = None,
        training: bool | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return the inputs of the recurrent layers `[B, T, D]`, and the last frame to carry on."""
        batch, time = ops.shape(frames)[0], ops.shape(frames)[1]
        if len(self.mean):
            frames = (frames - ops.array(self.mean)) / ops.array(self.deviation)
        if self.signal:
            frames = self.signal(frames, training=training)
        if self.gaps:
            frames = self.gaps(frames, lengths, training=training)
        moved, after = frames, ()
        if self.differences:
            moved, after = self.differences(frames, frame, lengths=lengths, reset=reset)
        if self.changes:
            frames = ops.concatenate([ops.cast(frames, moved.dtype), moved], axis=-1)
        # One convolution over all frames: TimeDistributed would emit one for each.
        vectors = self.encoder(_each(frames), training=training)
        if self.motion:
            motion = self.motion(_each(moved), training=training)
            vectors = ops.concatenate([vectors, motion], axis=-1)
        if self.mix:
            vectors = ops.concatenate([vectors, self.mix(vectors, training=training)], axis=-1)
        return ops.reshape(vectors, (batch, time, math.prod(vectors.shape[1:]))), after


def _each(frames: Tensor) -> Tensor:
    """Return the frames of all clips `[B, T, ...]` one after the other, `[B · T, ...]`."""
    return ops.reshape(frames, (-1, *frames.shape[2:]))


def _mixing(units: int, dropout: float) -> keras.Sequential:
    """Return two dense layers of so many units, with dropout between them."""
    return keras.Sequential(
        [
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(units, activation="relu"),
        ]
    )
